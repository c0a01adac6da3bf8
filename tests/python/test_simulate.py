"""Simulation: the function and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cmgtrail
from cmgtrail.cli import run

Captured = pytest.CaptureFixture[str]


def test_what_is_simulated_is_what_is_found(tmp_path: Path) -> None:
    out = tmp_path / "simulated"
    summary = cmgtrail.simulate(out, clients=4, hours=2, faults=["cmg-name-mismatch"], seed=11)
    truth = json.loads((out / "truth.json").read_text("utf-8"))
    assert summary["flows"] == len(truth["flows"])
    assert summary["broken"] == 1
    broken = next(flow for flow in truth["flows"] if flow["fault"])
    assert (broken["fault"], broken["broke_at"], broken["proof"]) == ("cmg-name-mismatch", "cmg-connection", "S")
    trail = cmgtrail.read(out, progress=False)
    assert trail.findings[0].failure == "cmg-name-mismatch"
    assert cmgtrail.preflight(out / "site.toml", client=broken["client"], at=broken["ended"]).works is False


def test_the_command_writes_the_same_as_the_function(tmp_path: Path, capsys: Captured) -> None:
    options = ["--clients", "3", "--hours", "1", "--fault", "crl-unreachable=40%", "--seed", "5", "--no-artefacts"]
    assert run(["simulate", *options, "--out", str(tmp_path / "one")]) == 0
    summary = json.loads(capsys.readouterr().out)
    again = cmgtrail.simulate(
        tmp_path / "two", clients=3, hours=1, faults="crl-unreachable=40%", seed=5, artefacts=False
    )
    assert summary == again
    for file in (tmp_path / "one").rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_two_sites_are_not_mixed_in_one_folder(tmp_path: Path, capsys: Captured) -> None:
    out = str(tmp_path / "out")
    one = ["simulate", "--out", out, "--clients", "2", "--hours", "1", "--no-artefacts"]
    assert run([*one, "--seed", "1"]) == 0
    assert run([*one, "--seed", "1"]) == 0, "the same once more changes nothing"
    before = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    own = tmp_path / "out" / "notes.txt"
    own.write_text("mine", "utf-8")
    capsys.readouterr()
    assert run([*one, "--seed", "2"]) == 2
    said = capsys.readouterr().err
    assert "another simulation" in said
    assert "(force)" in said
    assert sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file() and path != own) == before
    assert run([*one, "--seed", "2", "--force"]) == 0
    truth = json.loads((tmp_path / "out" / "truth.json").read_text("utf-8"))
    left = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert left == {*truth["files"], "truth.json", "notes.txt"}
    folders = [path for path in (tmp_path / "out").rglob("*") if path.is_dir()]
    assert all(any(folder.iterdir()) for folder in folders), "nor is a folder of the other left empty"


def test_the_truth_beside_logs_is_known(tmp_path: Path) -> None:
    cmgtrail.simulate(tmp_path / "out", clients=2, hours=1, artefacts=False)
    trail = cmgtrail.read(tmp_path / "out", progress=False)
    assert [artefact["kind"] for artefact in trail.artefacts] == ["truth"]
    assert all("truth" not in source["path"] for source in trail.to_dict()["sources"])


def test_noise_is_a_share_or_a_size(tmp_path: Path) -> None:
    share = cmgtrail.simulate(tmp_path / "share", clients=2, hours=1, noise=0.9, artefacts=False)
    size = cmgtrail.simulate(tmp_path / "size", clients=2, hours=1, noise="3MB", artefacts=False)
    assert share["files"] == size["files"]
    assert 3_000_000 < size["bytes"] < 4_000_000


def test_no_file_of_somebody_elses_is_overwritten(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "own"
    out.mkdir()
    own = out / "site.toml"
    own.write_text("# mine\n", "utf-8")
    for force in ([], ["--force"]):
        assert run(["simulate", "--out", str(out), "--clients", "2", "--hours", "1", "--seed", "1", *force]) == 2
        assert "expected an empty or a new folder, or one that holds a simulation" in " ".join(
            capsys.readouterr().err.split()
        )
        assert own.read_text("utf-8") == "# mine\n"
        assert [path.name for path in out.iterdir()] == ["site.toml"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--fault", "no-such-fault"], "crl-unreachable"),
        (["--fault", "connector-down=5%"], "whole site"),
        (["--noise", "100%"], "200MB"),
        (["--hours", "0"], "more than 0"),
        (["--fault", "tls-interception=9", "--clients", "2"], "no more clients hit by faults than there are"),
        (["--fault", "tls-interception=2", "--clients", "2", "--fault", "cmg-root-ca-missing"], "0 of 2 clients left"),
    ],
)
def test_what_cannot_be_simulated_is_said_in_a_sentence(
    tmp_path: Path, capsys: Captured, options: list[str], word: str
) -> None:
    assert run(["simulate", "--out", str(tmp_path / "out"), *options]) == 2
    said = capsys.readouterr().err
    assert word in said
    assert "Traceback" not in said


def test_the_faults_are_listed_with_their_proof(capsys: Captured) -> None:
    assert run(["simulate", "--faults"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 38
    assert any(line.split() == ["crl-unreachable", "client", "cmg-connection", "S"] for line in lines)
