"""Preflight: the classes, the commands, and the description that logs give."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import cmgtrail
from cmgtrail.cli import run

AT = "2026-11-04T09:00Z"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def site(documented: Path) -> Path:
    """The site of docs/site.md, with its files beside it."""
    return documented / "site.toml"


def changed(site: Path, *changes: tuple[str, str]) -> Path:
    text = site.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    other = site.with_name("changed.toml")
    other.write_text(text, "utf-8")
    return other


HEALTHY = ("crl_check = true", "crl_check = false")


def test_a_prediction_is_a_value_that_cannot_be_changed(site: Path) -> None:
    prediction = cmgtrail.preflight(site, at=AT)
    assert prediction.works is False
    assert prediction.clients == {"PC042": False, "PC043": False}
    assert prediction.to_dict() == json.loads(prediction.to_json())
    with pytest.raises(AttributeError):
        prediction.works = True  # pyright: ignore[reportAttributeAccessIssue]
    finding = prediction.findings[0]
    assert (finding.failure, finding.severity, finding.confidence) == (
        "crl-check-restored-after-bootstrap",
        "error",
        "certain",
    )
    assert finding.to_dict() == prediction.to_dict()["findings"][0]
    assert "crl.contoso.com" in finding.why
    assert finding.remedy
    assert finding.reference.startswith("https://")
    assert cmgtrail.preflight(site, client="pc043", at=AT).clients == {"PC043": False}


def test_all_is_well_where_the_site_checks_no_lists(site: Path) -> None:
    prediction = cmgtrail.preflight(changed(site, HEALTHY), client="PC042", at=AT)
    assert prediction.works is True
    assert prediction.findings == []


def test_stages_are_a_table(site: Path) -> None:
    stages = cmgtrail.preflight(site, at=AT).stages
    frame = pl.DataFrame(stages)
    assert frame.columns == stages.columns
    assert len(frame) == len(stages) == 2 * 2 * 15
    blocked = frame.filter(pl.col("status") == "blocked")
    assert blocked.filter(pl.col("client") == "PC042")["failures"].to_list() == [["crl-check-restored-after-bootstrap"]]
    assert len(stages.to_pandas()) == len(stages)
    assert frame["observed"].null_count() == len(frame)


def test_it_shows_itself(site: Path) -> None:
    prediction = cmgtrail.preflight(changed(site, ("PC042", "<b>PC042")), at=AT)
    for value in (prediction, prediction.stages, prediction.findings[0]):
        assert "crl-check" in repr(value) or "failures" in repr(value)
        html = value._repr_html_()
        assert html.startswith("<style>")
        assert "<b>PC042" not in html


def test_logs_stand_beside_it(site: Path) -> None:
    trail = cmgtrail.read("logs")
    host = trail.flows[0].client.host
    assert host
    well = changed(site, HEALTHY, ("PC042", host))
    assert cmgtrail.preflight(well, client=host, at=AT).works is True
    prediction = cmgtrail.preflight(well, client=host, at=AT, logs=trail)
    assert prediction.works is None
    frame = prediction.stages.to_polars()
    differs = frame.filter(pl.col("agreement") == "disagree")
    assert "cmg-connection" in differs["stage"].to_list()
    assert all(differs["difference"])
    assert prediction.to_dict() == cmgtrail.preflight(well, client=host, at=AT, logs="logs").to_dict()


def test_users_in_a_parquet_file_are_known(site: Path) -> None:
    user = "0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b"
    pl.DataFrame({"ID": [user], "Name": ["meg"], "Other": [1]}).write_parquet(site.with_name("users.parquet"))
    told = ('user = "entra"', f'user = "entra"\nuser_id = "{user}"')
    by_user = [HEALTHY, told, ("device_tokens = true", "device_tokens = false")]
    known = changed(site, *by_user, ("[client_defaults]", '[known]\nusers = "users.parquet"\n[client_defaults]'))
    prediction = cmgtrail.preflight(known, at=AT, client="PC042")
    assert prediction.works is True
    assert [(finding.failure, finding.severity) for finding in prediction.findings] == [
        ("device-token-not-enabled", "warning")
    ]
    stranger = changed(known, (f'user_id = "{user}"', f'user_id = "{user[:-1]}0"'))
    assert cmgtrail.preflight(stranger, at=AT, client="PC042").findings[0].failure == "user-not-discovered"


def test_mistakes_are_told_all_at_once(site: Path) -> None:
    wrong = changed(
        site,
        ('mode = "enhanced-http"', 'mode = "tls"'),
        ('certificate = "cmg.pem"', 'certificate = "gone.pem"'),
    )
    with pytest.raises(cmgtrail.SiteError) as error:
        cmgtrail.preflight(wrong, at=AT)
    lines = wrong.read_text("utf-8").splitlines()
    told = re.findall(r"line (\d+): ", str(error.value))
    assert [lines[int(line) - 1].split(" =")[0] for line in told] == ["certificate", "mode"]
    with pytest.raises(cmgtrail.ArgumentError, match="PC042"):
        cmgtrail.preflight(site, client="PC999", at=AT)
    with pytest.raises(cmgtrail.ArgumentError, match="at"):
        cmgtrail.preflight(site, at="2026-11-04T09:00")


def test_the_status_is_the_prediction(site: Path, capsys: Captured) -> None:
    at = ["--at", AT]
    assert run(["preflight", "site.toml", *at]) == 1
    shown = capsys.readouterr().out
    assert "2 clients: 2 would not work." in shown
    assert "/NoCRLCheck" in shown
    assert run(["preflight", str(changed(site, HEALTHY)), "--client", "PC042", *at]) == 0
    assert run(["preflight", str(changed(site, HEALTHY, ('state = "running"\n', ""))), "--client", "PC042", *at]) == 3
    capsys.readouterr()
    assert run(["preflight", "site.toml", "--client", "PC999", *at]) == 2
    assert run(["preflight", "absent.toml", *at]) == 2
    assert run(["preflight", "site.toml", "--at", "soon"]) == 2
    assert "PC042" in capsys.readouterr().err


def test_json_is_that_of_the_class(site: Path, capsys: Captured) -> None:
    assert run(["preflight", "site.toml", "--client", "PC042", "--at", AT, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found == cmgtrail.preflight(site, client="PC042", at=AT).to_dict()
    stages = found["clients"][0]["phases"][1]["stages"]
    connection = next(stage for stage in stages if stage["stage"] == "cmg-connection")
    assert connection["reports"][0]["kind"] == "certificate-chain"


def test_logs_give_a_first_description(documented: Path, capsys: Captured) -> None:
    assert run(["site", "from-logs", "logs", "--out", "first.toml"]) == 0
    assert "first.toml" in capsys.readouterr().err
    prediction = cmgtrail.preflight("first.toml", at=AT)
    assert prediction.works is None
    trail = cmgtrail.read("logs")
    assert set(prediction.clients) == {flow.client.host for flow in trail.flows}
    assert run(["site", "from-logs", "logs", "--out", "first.toml"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert run(["site", "from-logs", "logs"]) == 0
    assert capsys.readouterr().out == (documented / "first.toml").read_text("utf-8")


def test_no_token_leaves(site: Path, capsys: Captured) -> None:
    token = Path("token.txt").read_text("utf-8").strip()
    told = changed(site, HEALTHY, ("SMSSITECODE=PS1", f"/regtoken:{token} SMSSITECODE=PS1"))
    run(["preflight", str(told), "--at", AT, "--client", "PC042", "--format", "json"])
    run(["preflight", str(told), "--at", AT])
    shown = capsys.readouterr()
    assert token not in shown.out + shown.err
    assert token.split(".")[2] not in shown.out + shown.err


def test_a_first_description_works_from_where_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = tmp_path / "collected" / "simulated"
    cmgtrail.simulate(logs, clients=2, hours=1, seed=4, skew=0, start="2026-11-04T08:00Z")
    at = "2026-11-04T08:30Z"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    client = next(folder for folder in sorted(logs.iterdir()) if folder.name.startswith("client-"))
    given = [[str(logs)], [str(folder) for folder in sorted(logs.iterdir()) if folder.is_dir()], [f"{logs}/client-*/*"]]
    for number, (folder, paths) in enumerate((tmp_path, paths) for paths in given):
        monkeypatch.chdir(folder)
        out = elsewhere / f"{number}.toml"
        assert run(["site", "from-logs", *paths, "--out", str(out)]) == 0
        text = out.read_text("utf-8")
        assert f"{client.name}/stores/root.pem" in text
        assert re.search(r"^certificate = ", text, re.MULTILINE), text
        # The chain was taken from where it is whole, and no client lacks the root.
        findings = cmgtrail.preflight(out, at=at).findings
        assert "cmg-root-ca-missing" not in [finding.failure for finding in findings]


def test_a_first_description_names_the_connection_point_and_where_lists_were_fetched(tmp_path: Path) -> None:
    cmgtrail.simulate(tmp_path / "simulated", clients=2, hours=1, seed=4)
    truth = (tmp_path / "simulated" / "site.toml").read_text("utf-8")
    assert run(["site", "from-logs", str(tmp_path / "simulated"), "--out", str(tmp_path / "found.toml")]) == 0
    found = (tmp_path / "found.toml").read_text("utf-8")
    for text in (truth, found):
        assert "[connection_point]" in text

    def after(text: str, table: str, key: str) -> set[str]:
        pattern = rf'^\[+{table}\]+\n(?:(?!\[).*\n)*?{key} = "([^"]+)"'
        return {
            value.split(".")[0].lower() if key == "name" else value for value in re.findall(pattern, text, re.MULTILINE)
        }

    assert after(found, "connection_point", "name") == after(truth, "connection_point", "name") != set()
    assert set() < after(found, "crl", "url") <= after(truth, "crl", "url")


def test_what_lies_in_an_archive_is_told_in_a_comment(tmp_path: Path) -> None:
    logs = tmp_path / "simulated"
    cmgtrail.simulate(logs, clients=2, hours=1, seed=4)
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", logs)
    assert run(["site", "from-logs", archive, "--out", str(tmp_path / "found.toml")]) == 0
    text = (tmp_path / "found.toml").read_text("utf-8")
    assert "# roots = " in text
    assert "unpack it first" in text
    assert cmgtrail.preflight(tmp_path / "found.toml", at=AT).works is None


def test_the_first_line_says_where_the_logs_differ(site: Path, capsys: Captured) -> None:
    host = cmgtrail.read("logs").flows[0].client.host
    assert host
    well = changed(site, HEALTHY, ("PC042", host))
    run(["preflight", str(well), "--client", host, "--at", AT, "--logs", "logs"])
    first = " ".join(capsys.readouterr().out.split())
    assert "The logs say otherwise of 1 client, at cmg-connection" in first


def test_what_is_predicted_is_not_told_as_if_it_had_happened(site: Path, capsys: Captured) -> None:
    run(["preflight", str(site), "--at", AT])
    assert "A diagnosis would then say:" in " ".join(capsys.readouterr().out.split())


def test_a_description_without_clients_is_told_with_its_file(site: Path, capsys: Captured) -> None:
    empty = site.with_name("empty.toml")
    empty.write_text('[cmg]\nnames = ["cmg.contoso.com"]\n', "utf-8")
    for options in ([], ["--client", "PC042"]):
        assert run(["preflight", str(empty), "--at", AT, *options]) == 2
        said = capsys.readouterr().err
        assert "empty.toml" in said
        assert "there is no [[client]]" in said


def test_logs_of_other_hosts_are_said_to_be(site: Path, capsys: Captured) -> None:
    other = changed(site, ('name = "PC042"', 'name = "LAP-9"'), ('name = "PC043"', 'name = "LAP-10"'))
    prediction = cmgtrail.preflight(other, at=AT, logs=site.with_name("logs"))
    [note] = prediction.notes
    assert "LAP-9, LAP-10" in note
    assert note.endswith("nothing was compared.")
    run(["preflight", str(other), "--at", AT, "--logs", str(site.with_name("logs"))])
    assert "nothing was compared" in " ".join(capsys.readouterr().out.split())
    assert cmgtrail.preflight(other, at=AT).notes == []


def test_logs_without_a_client_give_a_description_that_says_so(tmp_path: Path, capsys: Captured) -> None:
    cmgtrail.simulate(tmp_path / "all", clients=1, hours=1, seed=3, artefacts=False)
    [log] = (tmp_path / "all").glob("*/SMS_CLOUD_PROXYCONNECTOR.log")
    logs = tmp_path / "servers"
    logs.mkdir()
    # Routine alone: nobody has asked for anything yet.
    routine = log.read_text("utf-8").splitlines(keepends=True)[:5]
    (logs / log.name).write_text("".join(routine), "utf-8")
    assert run(["site", "from-logs", str(logs), "--out", str(tmp_path / "first.toml")]) == 0
    assert "The logs show no client" in capsys.readouterr().err
    assert "# [[client]]" in (tmp_path / "first.toml").read_text("utf-8")
    assert run(["site", "from-logs", str(logs), "--out", str(tmp_path / "none" / "first.toml")]) == 2
    assert "make it first" in capsys.readouterr().err
