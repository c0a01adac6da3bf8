"""The commands about single flows, the forms for other programs, help, and completion."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import polars as pl
import pyarrow.parquet as pq
import pytest

import cmgtrail
from cmgtrail import frames
from cmgtrail._engine import Zone
from cmgtrail.cli import cmgtrail as program
from cmgtrail.cli import lines, run, saving
from cmgtrail.cli.examples import EXAMPLES
from cmgtrail.cli.flows import find
from cmgtrail.display import words
from conftest import HEALTHY, NO_TRAFFIC, logs_of, wrapped

Captured = pytest.CaptureFixture[str]
COMMAND = [sys.executable, "-W", "error", "-c", "from cmgtrail.cli import main; main()"]


def said(capsys: Captured) -> str:
    return " ".join(capsys.readouterr().out.split())


# show


@pytest.mark.parametrize("name", ["PC042", "pc042", "install-PC042", "043ea2bb-713b-4004-bfaa-8c970b9a35c5"])
def test_a_flow_is_found_by_id_beginning_or_client(name: str, demo: Path, capsys: Captured) -> None:
    assert run(["show", name, str(demo)]) == 0
    out = capsys.readouterr().out
    flow = cmgtrail.read(demo).flows[0]
    assert "install of PC042: failed at cmg-connection" in out
    assert flow.id in out
    for stage in flow.stages:
        assert stage.stage in out
    assert out.count(" line ") >= len(flow.events)
    assert "Attempt 2" in out
    assert "belongs here by" in out
    assert max(map(len, out.splitlines())) <= 80


def test_each_line_of_a_flow_is_told(demo: Path, capsys: Captured) -> None:
    assert run(["show", "PC042", str(demo)]) == 0
    out = said(capsys)
    for event in cmgtrail.read(demo).flows[0].events:
        assert f"line {event.line} " in out
        assert " ".join(words.visible(event.text or "").split())[:40] in out


def test_a_flow_as_json_is_that_of_the_document(demo: Path, capsys: Captured) -> None:
    assert run(["show", "PC042", str(demo), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == cmgtrail.read(demo).to_dict()["flows"][0]


def test_a_flow_that_is_not_there_or_not_alone_is_a_sentence(demo: Path, capsys: Captured) -> None:
    assert run(["show", "NOPE", str(demo)]) == 2
    assert "no flow 'NOPE'; flows here:" in capsys.readouterr().err
    assert run(["show", "install", str(logs_of("two-clients-one-fails"))]) == 2
    err = capsys.readouterr().err
    assert "'install' fits 2 flows; say which:" in err
    assert err.count("install-") == 2
    assert run(["show", "NOPE", str(logs_of(NO_TRAFFIC))]) == 2
    assert "these logs hold no flow at all" in capsys.readouterr().err


def flows_of(*outcomes: str, host: str = "PC042") -> Any:
    """A trail of flows of one client, that ended so."""
    trail = two_machines()
    (flow,) = trail.flows
    client = SimpleNamespace(**{**vars(flow.client), "host": host})
    client.to_dict = lambda: {"host": host}
    trail.flows = [
        Flow(**{**vars(flow), "id": f"service-{host}-{place}", "outcome": outcome, "client": client})
        for place, outcome in enumerate(outcomes)
    ]
    return trail


def test_of_the_flows_of_a_client_the_only_one_that_broke_is_told(capsys: Captured) -> None:
    trail = flows_of("completed", "failed", "completed")
    for name in ["PC042", "pc042", "service-PC"]:
        assert find(trail, name).id == "service-PC042-1"
        assert "tells the 2 other flows of PC042 too" in capsys.readouterr().err
    assert find(trail, "service-PC042-2").id == "service-PC042-2"


@pytest.mark.parametrize("outcomes", [("completed",) * 3, ("completed", "failed", "failed"), ("stalled", "failed")])
def test_of_several_flows_that_broke_or_did_not_all_are_listed(outcomes: tuple[str, ...]) -> None:
    with pytest.raises(click.ClickException) as raised:
        find(flows_of(*outcomes), "PC042")
    listed = raised.value.message.splitlines()
    assert listed[0] == f"'PC042' fits {len(outcomes)} flows; say which:"
    assert sorted(listed[1:]) == [f"  service-PC042-{place} ({outcome})" for place, outcome in enumerate(outcomes)]


def test_what_fits_flows_of_two_clients_is_not_chosen_for_its_outcome() -> None:
    trail = flows_of("failed")
    trail.flows += flows_of("completed", host="PC043").flows
    with pytest.raises(click.ClickException, match="fits 2 flows"):
        find(trail, "service")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", " ", "logs"], "FLOW: expected"),
        (["timeline", "logs", "--client", ""], "--client: expected"),
        (["diagnose", "logs", "--format", "csv", "--out", "no/folder/x.csv"], "cannot read or write 'no/folder/x.csv'"),
        (["watch", "logs/client-PC042/ccmsetup.log"], "is a file"),
        (["completion", "powershell"], "powershell"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(arguments: list[str], says: str, documented: Path, capsys: Captured) -> None:
    assert (documented / "logs").exists()
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err


# Hand-made flows over two machines whose clocks are known.

START = datetime(2026, 11, 4, 9, 0, tzinfo=timezone.utc)


def join(**parts: Any) -> Any:
    return SimpleNamespace(**{"by": ["log"], "confidence": "certain", "distance_seconds": None, "rivals": 0, **parts})


class Flow(SimpleNamespace):
    """Stands for a flow."""


RANGE = {
    "attempt": 1, "source": "mp-MP01/u_ex261104.log", "line": 40, "last_line": 90, "candidates": 31,
    "to": {"source": "client-PC042/CcmMessaging.log", "line": 1},
}  # fmt: skip


def two_machines() -> Any:
    """A client's request, and what a management point 300 s behind says of it."""
    events = [
        SimpleNamespace(
            source=source, line=line, at=START + timedelta(seconds=seconds), stage=stage, mark=mark, attempt=1,
            message="m", text=f"text of {source}", join=joined,
        )
        for source, line, seconds, stage, mark, joined in [
            ("client-PC042/CcmMessaging.log", 1, 0.0, "ccm-token-request", "start", join()),
            ("mp-MP01/CCM_STS.log", 7, -299.6, "mp-validate", "fail",
             join(by=["device-id", "time"], confidence="likely", distance_seconds=0.4, rivals=1)),
        ]
    ]  # fmt: skip
    client = SimpleNamespace(host="PC042", device_id=None, client_id=None, user_id=None)
    client.to_dict = lambda: {"host": "PC042", "device_id": None, "user_id": None, "client_id": None, "tenant_id": None}
    flow = Flow(
        id="service-PC042-1", kind="service", client=client, attempts=1, started=START, ended=START, outcome="failed",
        broke_at="mp-validate", stages=[], events=events, findings=[], candidate_ranges=[RANGE],
    )  # fmt: skip
    clock = SimpleNamespace(host="MP01", reference="PC042", offset_seconds=-300.0, uncertainty_seconds=0.6, pairs=4)
    sources = [
        SimpleNamespace(role="client", host="PC042", files=["client-PC042/CcmMessaging.log"]),
        SimpleNamespace(role="management-point", host="MP01", files=["mp-MP01/CCM_STS.log"]),
    ]
    return SimpleNamespace(flows=[flow], sources=sources, clocks=(clock,))


def test_joins_and_clocks_are_told_in_words(capsys: Captured) -> None:
    trail = two_machines()
    lines.Lines(Zone()).flow(trail.flows[0], trail)
    out = said(capsys)
    assert "belongs here by device-id, time (likely, 0.4 s apart, 1 other flow fits as well)" in out
    assert "MP01 is 300.0 s behind PC042 (± 0.6 s, from 4 pairs of lines)" in out
    assert "mp-MP01/CCM_STS.log (MP01)" in out
    assert "mp-MP01/u_ex261104.log:40-90: 31 requests in it may be that of client-PC042/CcmMessaging.log:1" in out


def test_a_timeline_takes_clock_offsets_off_its_order(capsys: Captured) -> None:
    lines.Lines(Zone()).timeline(two_machines())
    out = capsys.readouterr().out
    assert out.index("09:00:00") < out.index("ccm-token-request") < out.index("mp-validate")
    assert "08:55:00" in out
    assert "it stopped here" in out


CLOCK = re.compile(r"^(?:(\d{4}-\d\d-\d\d)$|(\d\d:\d\d:\d\d) )", re.MULTILINE)


@pytest.mark.parametrize(
    "case",
    ["joins-client-clock-set-back", "joins-client-seven-minutes-ahead", "joins-connection-point-behind",
     "joins-servers-of-many-strangers", "joins-two-clients-behind-one-address", "joins-two-sites-in-one-folder"],
)  # fmt: skip
def test_a_timeline_is_in_order_of_time_over_all_machines(case: str, capsys: Captured) -> None:
    assert run(["timeline", str(logs_of(case))]) == 0
    day, times = "", []
    for date, time in CLOCK.findall(capsys.readouterr().out):
        day = date or day
        times += [f"{day} {time}"] if time else []
    assert len(times) > 20
    assert times == sorted(times)


def test_a_timeline_compares_clocks_across_flows(capsys: Captured) -> None:
    # MP01's flow has lines of MP01 only, 300 s behind: it began between the two of PC042.
    trail = two_machines()
    (first,) = trail.flows
    second = Flow(**{**vars(first), "id": "service-PC042-2", "started": START + timedelta(seconds=20)})
    second.events = [SimpleNamespace(**{**vars(first.events[0]), "at": second.started})]
    servers = Flow(**{**vars(first), "id": "service-PC099-1", "started": START - timedelta(seconds=290)})
    servers.events = [SimpleNamespace(**{**vars(first.events[1]), "at": servers.started})]
    trail.flows = [servers, second, first]
    lines.Lines(Zone()).timeline(trail)
    out = capsys.readouterr().out
    places = [out.index(f"begins ({name})") for name in ["service-PC042-1", "service-PC099-1", "service-PC042-2"]]
    assert places == sorted(places)
    assert "09:00:10 ✗ mp-validate" in out
    assert "08:55:10 by its own clock" in " ".join(out.split())


def test_rivals_in_words() -> None:
    assert words.joined(join(rivals=2)) == "log (certain, 2 other flows fit as well)"
    assert words.joined(join()) == "log (certain)"


# timeline


def test_a_timeline_tells_the_steps_of_one_client_in_order(demo: Path, capsys: Captured) -> None:
    assert run(["timeline", str(demo), "--client", "PC042"]) == 0
    out = capsys.readouterr().out
    assert out.index("install begins") < out.index("attempt 1") < out.index("attempt 2") < out.index("install failed")
    assert "cmg-root-ca-missing" in out
    times = [line[:8] for line in out.splitlines() if line[2:3] == ":"]
    assert times == sorted(times)


def test_a_timeline_of_nobody_says_so(demo: Path, capsys: Captured) -> None:
    assert run(["timeline", str(demo), "--client", "NOPE"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "No flow of a client 'NOPE'" in err
    assert run(["timeline", str(logs_of(NO_TRAFFIC))]) == 1
    assert "hold no flow" in capsys.readouterr().err


# Forms for other programs


@pytest.mark.parametrize("table", saving.TABLES)
def test_each_table_as_csv_and_parquet(table: str, demo: Path, tmp_path: Path, capsys: Captured) -> None:
    shown = getattr(cmgtrail.read(demo), table)
    assert run(["diagnose", str(demo), "--format", "csv", "--table", table]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == len(shown)
    assert list(rows[0]) == shown.columns
    file = tmp_path / "out.parquet"
    assert run(["diagnose", str(demo), "--format", "parquet", "--table", table, "--out", str(file)]) == 1
    assert capsys.readouterr().out == ""
    assert pl.read_parquet(file).equals(shown.to_polars())
    assert pq.read_table(file).column_names == shown.columns


def test_cells_of_csv(demo: Path, capsys: Captured) -> None:
    run(["diagnose", str(demo), "--format", "csv"])
    row = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert row["started"] == "2026-11-04T08:12:31.202Z"
    assert row["failures"] == "cmg-root-ca-missing"
    assert row["user_id"] == ""


def test_no_log_text_becomes_a_formula_in_csv(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    log = next(demo.rglob("ccmsetup.log"))
    folder = tmp_path / "=cmd|calc"
    folder.mkdir()
    (folder / "ccmsetup.log").write_text(log.read_text("utf-8"), "utf-8")
    run(["diagnose", str(tmp_path), "--format", "csv", "--table", "evidence"])
    row = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert row["source"] == "'=cmd|calc/ccmsetup.log"


def test_json_goes_to_a_file_as_to_stdout(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    for form in ("json", "jsonl"):
        run(["diagnose", str(demo), "--format", form])
        printed = capsys.readouterr().out
        run(["diagnose", str(demo), "--format", form, "--out", str(tmp_path / form)])
        assert (tmp_path / form).read_text("utf-8") == printed
        assert capsys.readouterr().out == ""


def test_parquet_without_a_library_says_what_to_install(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    out = tmp_path / "flows.parquet"
    arguments = ["diagnose", str(demo), "--format", "parquet", "--out", str(out)]
    monkeypatch.setitem(sys.modules, "polars", None)
    assert run(arguments) == 1
    assert pq.read_table(out).num_rows == 1
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(arguments) == 2
    assert "pip install 'cmgtrail[polars]', or take --format csv." in capsys.readouterr().err
    with pytest.raises(ImportError, match="polars or pyarrow"):
        frames.write_parquet(cmgtrail.read(demo).flows, io.BytesIO())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--table", "flows"], "--table goes with"),
        (["--format", "json", "--table", "flows"], "--table goes with"),
        (["--out", "x"], "--out goes with"),
        (["--format", "json", "--out", "x.html", "--html", "./x.html"], "both name x.html"),
        (["--format", "csv", "--table", "rows"], "rows"),
    ],
)
def test_options_that_do_not_go_together(options: list[str], says: str, demo: Path, capsys: Captured) -> None:
    assert run(["diagnose", str(demo), *options]) == 2
    assert says in capsys.readouterr().err


# Help, width, completion


def commands(group: click.Group = program, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = [
        each
        for name, command in group.commands.items()
        for each in (commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)])
    ]
    return [path, *below]


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_the_help_of_every_command_ends_with_examples_and_fits(path: tuple[str, ...], capsys: Captured) -> None:
    assert run([*path, "--help"]) == 0
    out = capsys.readouterr().out
    examples = out.partition("Examples:\n")[2].splitlines()
    assert examples
    assert all("cmgtrail" in line for line in examples)
    assert max(map(len, out.splitlines())) <= 80


RUN = [line for lines in EXAMPLES.values() for line in lines if line.startswith("cmgtrail ") and " > " not in line]


@pytest.mark.parametrize("line", [line for line in dict.fromkeys(RUN) if " watch " not in line])
def test_every_example_runs_and_fits_80_columns(line: str, documented: Path, capsys: Captured) -> None:
    (documented / "known").mkdir()
    (documented / "my.toml").write_text("", "utf-8")
    (documented / "known" / "my.toml").write_text("", "utf-8")
    if " dump " in line:
        (documented / "known" / "my.toml").unlink()
    arguments = shlex.split(line)[1:]
    status = run(arguments)
    out, err = capsys.readouterr()
    assert status in {0, 1, 3}, err
    machine = any(word in arguments for word in ("json", "csv", "parquet", "from-logs", "--faults"))
    if not machine and arguments[0] not in {"records", "simulate"}:
        assert max(map(len, wrapped(out or " "))) <= 80


def test_a_pipe_gets_no_colour(demo: Path) -> None:
    environment = {**os.environ, "FORCE_COLOR": ""}
    for arguments in (["diagnose", str(demo)], ["show", "PC042", str(demo)], ["timeline", str(demo)]):
        out = subprocess.run([*COMMAND, *arguments], capture_output=True, env=environment, check=False).stdout
        assert out
        assert b"\x1b" not in out


def test_show_and_timeline_of_a_healthy_client(capsys: Captured) -> None:
    logs = logs_of(HEALTHY)
    flow = cmgtrail.read(logs).flows[0]
    assert run(["show", flow.id, str(logs)]) == 0
    assert "completed" in capsys.readouterr().out
    assert run(["timeline", str(logs)]) == 0
    assert "completed" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_gets_its_script(shell: str, capsys: Captured) -> None:
    assert run(["completion", shell]) == 0
    assert f"_CMGTRAIL_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_a_shell_completes_commands_options_and_choices() -> None:
    def offered(words: str, place: int) -> list[str]:
        environment = {
            **os.environ, "_CMGTRAIL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(place)
        }  # fmt: skip
        out = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=True).stdout
        return [line.partition(",")[2] for line in out.splitlines()]

    assert offered("cmgtrail di", 1) == ["diagnose"]
    assert offered("cmgtrail diagnose --kn", 2) == ["--knowledge"]
    assert "parquet" in offered("cmgtrail diagnose --format ", 3)
    assert "cmg-receive" not in offered("cmgtrail code --component w", 3)
