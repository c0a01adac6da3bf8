"""The command: exit status, what goes to stdout, and errors as sentences."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cmgtrail
from cmgtrail import cli, display
from cmgtrail.cli import reading, run
from conftest import HEALTHY, NO_TRAFFIC, logs_of, wrapped

COMMAND = [sys.executable, "-W", "error", "-c", "from cmgtrail.cli import main; main()"]

Captured = pytest.CaptureFixture[str]


def test_version(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"cmgtrail {cmgtrail.__version__}\n"


def test_help_names_the_commands(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    assert {"diagnose", "records"} <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["diagnose", "no-such-folder"], "no-such-folder"),
        (["diagnose", ".", "--tz", "Mars/Olympus"], "Mars/Olympus"),
        (["diagnose", ".", "--since", "yesterday"], "--since: expected"),
        (["diagnose", ".", "--until", "2026-13-01"], "--until: expected"),
        (["diagnose", ".", "--format", "xml"], "xml"),
        (["diagnose", ".", "--colour"], "--colour"),
        (["records"], "PATH"),
        (["records", "no-such-folder"], "no-such-folder"),
        (["records", ".", "--limit", "0"], "--limit"),
        (["prescribe"], "prescribe"),
    ],
)
def test_errors_are_sentences(
    arguments: list[str], says: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert "Traceback" not in err


def test_without_a_path_it_asks_for_one(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert run(["diagnose"]) == 2
    assert "say which logs to read" in capsys.readouterr().err


def test_on_windows_the_machines_own_logs_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("WINDIR", str(tmp_path))
    assert run(["diagnose"]) == 2
    assert "this machine has no client logs" in capsys.readouterr().err
    for folder in ("CCM/Logs", "ccmsetup/Logs"):
        (tmp_path / folder).mkdir(parents=True)
    assert reading.own_logs() == [str(tmp_path / "CCM" / "Logs"), str(tmp_path / "ccmsetup" / "Logs")]


def test_files_without_a_record_end_with_2(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "notes.txt").write_text("abc")
    assert run(["diagnose", str(tmp_path)]) == 2
    assert run(["records", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "record" in err


def test_findings_end_with_1_and_are_explained(demo: Path, capsys: Captured) -> None:
    assert run(["diagnose", str(demo)]) == 1
    out = capsys.readouterr().out
    finding = cmgtrail.read(demo).findings[0]
    assert finding.failure in out.replace("\n", "")
    assert f"{finding.evidence[0].source}:{finding.evidence[0].line}" in out
    assert max(map(len, wrapped(out))) <= 80


def test_healthy_logs_end_with_0(capsys: Captured) -> None:
    assert run(["diagnose", str(logs_of(HEALTHY))]) == 0
    assert "completed" in capsys.readouterr().out


def test_no_traffic_is_said_in_words(capsys: Captured) -> None:
    assert run(["diagnose", str(logs_of(NO_TRAFFIC))]) == 0
    out = capsys.readouterr().out
    assert "No traffic to a cloud management gateway" in out
    assert "nothing to diagnose" in " ".join(out.split())


def test_what_needs_no_traffic_is_not_called_nothing(capsys: Captured) -> None:
    logs = logs_of("wam-key-failure-device-auth-failed")
    assert run(["diagnose", str(logs)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "no traffic to a CMG; 1 flow of 1 client (1 failed); 1 finding." in out
    assert out.index("What was found needs none") < out.index("(wam-key-failure)")
    assert "nothing to diagnose" not in out + display.html(cmgtrail.read(logs))


def test_the_report_is_written_and_announced_on_stderr(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    report = tmp_path / "report.html"
    assert run(["diagnose", str(demo), "--format", "json", "--html", str(report)]) == 1
    out, err = capsys.readouterr()
    json.loads(out)
    assert str(report) in err
    page = report.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert cmgtrail.read(demo).findings[0].failure in page


def test_a_report_that_cannot_be_written_is_an_error(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["diagnose", str(demo), "--html", str(tmp_path / "no" / "folder" / "r.html")]) == 2
    assert "r.html" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["folder", "file", "pattern"])
@pytest.mark.parametrize("option", [["--html"], ["--format", "json", "--out"]])
def test_no_log_that_is_read_is_written_over(
    given: str, option: list[str], demo: Path, tmp_path: Path, capsys: Captured
) -> None:
    folder = shutil.copytree(demo, tmp_path / "logs")
    log = next(folder.rglob("*.log"))
    before = log.read_bytes()
    path = {"folder": folder, "file": log, "pattern": folder / "**" / "*.log"}[given]
    assert run(["diagnose", str(path), *option, str(log)]) == 2
    assert "is one of the logs that are read; give another file." in capsys.readouterr().err
    assert log.read_bytes() == before


def test_what_is_no_log_may_lie_among_them(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = shutil.copytree(demo, tmp_path / "logs")
    for _ in range(2):
        assert run(["diagnose", str(folder), "--html", str(folder / "report.html")]) == 1
    assert "The report is in" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--html"], ["--format", "json", "--out"]])
@pytest.mark.parametrize("name", ["", " ", "-"])
def test_a_name_that_names_no_file_is_refused(option: list[str], name: str, demo: Path, capsys: Captured) -> None:
    assert run(["diagnose", str(demo), *option, name]) == 2
    assert f"{option[-1]}: expected the name of a file, found '{name}'" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "parquet"])
def test_a_full_disk_is_said_with_its_file(form: str, demo: Path, capsys: Captured) -> None:
    assert run(["diagnose", str(demo), "--format", form, "--out", "/dev/full"]) == 2
    assert capsys.readouterr().err == "cmgtrail: cannot read or write '/dev/full': No space left on device.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the shell's words are those of a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_changes_no_status(closed: str, demo: Path) -> None:
    command = shlex.join([*COMMAND, "diagnose", str(demo), "--format", "json"])
    done = subprocess.run(f"{command} {closed}", shell=True, check=False, capture_output=True, text=True)  # noqa: S602
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_client_named_to_harm_a_shell_is_quoted(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "client-$(touch owned); x"
    shutil.copytree(next(demo.glob("client-*")), folder)
    run(["diagnose", str(tmp_path)])
    hint = next(line for line in capsys.readouterr().out.splitlines() if "cmgtrail show" in line)
    words = shlex.split(hint.removeprefix("Line by line: "))
    assert words[:2] == ["cmgtrail", "show"]
    assert "$(touch owned); x" in words[2]


def test_zones_change_tables_and_leave_json_alone(demo: Path, capsys: Captured) -> None:
    def shown(*options: str) -> str:
        run(["diagnose", str(demo), *options])
        return capsys.readouterr().out

    assert "times in Asia/Tokyo" in shown("--tz", "Asia/Tokyo")
    assert shown("--tz", "Asia/Tokyo") != shown()
    assert shown("--format", "json", "--tz", "Asia/Tokyo") == shown("--format", "json")


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_records_of_every_form(form: str, demo: Path, capsys: Captured) -> None:
    count = sum(source.records for source in cmgtrail.read(demo).sources)
    assert run(["records", str(demo), "--format", form]) == 0
    out = capsys.readouterr().out
    if form == "jsonl":
        lines = [json.loads(line) for line in out.splitlines()]
        assert len(lines) == count
        assert lines[0]["line"] == 1
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(out)))
        assert len(rows) == count
        assert rows[0]["line"] == "1"
    else:
        assert "(line, time UTC, component, text)" in out.splitlines()[0]
        assert len([line for line in out.splitlines() if line and "(line, time" not in line]) == count


def test_records_can_be_limited(demo: Path, capsys: Captured) -> None:
    assert run(["records", str(demo), "--format", "jsonl", "--limit", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_no_color_is_honoured(demo: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    arguments = [*COMMAND, "diagnose", str(demo)]
    run_it = subprocess.Popen(
        arguments, stdout=theirs, stderr=theirs, env={**os.environ, "NO_COLOR": "1", "TERM": "xterm"}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert run_it.wait() == 1
    assert b"Findings" in shown
    assert b"\x1b[" not in shown


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["records", "logs", "--format", "jsonl"], 0),
        (["diagnose", "logs"], 1),
        (["diagnose", "logs", "--format", "json"], 1),
        (["diagnose", "logs", "--format", "jsonl"], 1),
        (["diagnose", str(logs_of(HEALTHY))], 0),
        (["cert", "cmg.pem", "--host", "wrong.example.com", "--at", "2026-11-04T09:12:33Z"], 1),
    ],
)
def test_a_reader_that_has_enough_changes_no_status(arguments: list[str], status: int, documented: Path) -> None:
    run_it = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=documented)
    assert run_it.stdout is not None
    assert run_it.stderr is not None
    run_it.stdout.close()
    errors = run_it.stderr.read()
    run_it.stderr.close()
    assert run_it.wait() == status
    assert errors == b""


def test_a_client_that_is_not_there_is_said_in_words(demo: Path, capsys: Captured) -> None:
    assert run(["diagnose", str(demo), "--client", "NOPE", "--format", "json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "No flow of a client 'NOPE'" in err
    assert "PC042" in err


def test_a_client_that_has_logs_and_no_flow_is_no_mistake(tmp_path: Path, capsys: Captured) -> None:
    shutil.copytree(logs_of("root-missing-mask-8"), tmp_path / "logs")
    quiet = tmp_path / "logs" / "client-QUIET" / "CcmExec.log"
    quiet.parent.mkdir()
    line = (
        '<time="09:00:00.000+000" date="11-04-2026" component="CcmExec" context="" type="1" thread="1" file="a.cpp:1">'
    )
    quiet.write_text(f"<![LOG[Service is up and running]LOG]!>{line}\n", "utf-8")
    assert run(["diagnose", str(tmp_path / "logs"), "--client", "quiet"]) == 0
    assert "No flow of a client 'quiet'" in capsys.readouterr().err


def test_a_time_without_a_flow_is_said_in_words(demo: Path, capsys: Captured) -> None:
    assert run(["diagnose", str(demo), "--until", "2001-01-01"]) == 0
    err = capsys.readouterr().err
    assert "No flow in what was asked for" in err
    assert "from 2026-11-" in err


def test_a_time_that_ends_before_it_begins_is_refused(demo: Path, capsys: Captured) -> None:
    for command in ("diagnose", "records"):
        assert run([command, str(demo), "--since", "2026-11-05", "--until", "2026-11-04"]) == 2
        err = capsys.readouterr().err
        assert "until: expected a time after `since` (2026-11-05T00:00:00.000Z)" in err


def test_a_flow_that_no_finding_explains_is_named(capsys: Captured) -> None:
    assert run(["diagnose", str(logs_of("stalled-token-never-comes"))]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "No finding explains why service of SO-31" in out
    assert "stalled at ccm-token-request" in out
    assert "LocationServices.log on the client would" in out


@pytest.mark.parametrize("columns", ["40", "60", "80"])
def test_a_narrow_terminal_leaves_columns_out_and_no_words(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert run(["diagnose", str(logs_of("two-clients-one-fails"))]) == 1
    out = capsys.readouterr().out
    assert "…" not in out
    flows = out[out.index("Flows of") :]
    assert "outcome" in flows
    assert "broke at" in flows
    assert "cmg-connection" in flows
    said = " ".join(out.split())
    assert ("error, certain at cmg-connection, 1 client" in said) == (columns != "80")
    assert ("severity confidence cause stage clients" in said) == (columns == "80")
    assert ("started" in flows) == (columns != "40")


def test_of_a_failure_that_nothing_explains_client_and_server_are_quoted(capsys: Captured) -> None:
    assert run(["diagnose", str(logs_of("token-service-says-401-and-no-more"))]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "client-GRA-7/ccmsetup.log:27: “[CCMHTTP] ERROR INFO: StatusCode=401 StatusText=CMGConnector_Unauthor" in out
    assert "and perhaps in mp-GRAMP/CCM_STS.log:10: “Return code: 401, Description: AAD token validation failed" in out


def test_of_a_server_without_logs_it_is_said_that_they_would_say_more(tmp_path: Path, capsys: Captured) -> None:
    logs = logs_of("token-service-says-401-and-no-more")
    shutil.copytree(Path(logs) / "client-GRA-7", tmp_path / "client-GRA-7")
    assert run(["show", "GRA-7", str(tmp_path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "client-GRA-7/ccmsetup.log:27; told by the client alone; CCM_STS.log" in out
    assert "on the management point would say more" in out


def test_a_time_before_the_logs_is_no_want_of_traffic(demo: Path, capsys: Captured) -> None:
    assert run(["diagnose", str(demo), "--until", "2020-01-01"]) == 0
    shown = capsys.readouterr()
    assert "No traffic" not in shown.out
    assert "No findings." in shown.out
    assert "No flow in what was asked for" in shown.err


def test_times_without_a_zone_are_noted(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    for path in demo.rglob("*.log"):
        (tmp_path / path.name).write_bytes(re.sub(rb'(time="[0-9:.]+)[+-]\d+"', rb'\1"', path.read_bytes()))
    assert run(["diagnose", str(tmp_path)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "its times name no zone that can be believed, so that their UTC is not known" in said


def test_a_folder_with_the_name_of_an_option_can_be_copied(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    shutil.copytree(demo, tmp_path / "-logs")
    monkeypatch.chdir(tmp_path)
    assert run(["diagnose", "--", "-logs"]) == 1
    assert capsys.readouterr().out.rstrip().endswith("./-logs")


def test_unexpected_errors_are_sentences(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    class PanicException(BaseException):
        """What a panic of the engine is to Python."""

    def panic(*_: object, **__: object) -> None:
        raise PanicException("index out of bounds")

    monkeypatch.setattr(cmgtrail, "read", panic)
    assert run(["diagnose", "."]) == 2
    err = capsys.readouterr().err
    assert "a defect of its own stopped it (PanicException: index out of bounds)" in err
    assert "Traceback" not in err


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cmgtrail, "read", interrupt)
    assert run(["diagnose", "."]) == cli.INTERRUPTED
    assert capsys.readouterr().err.strip() == "cmgtrail: stopped."


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")
def test_ctrl_c_stops_the_engine(tmp_path: Path) -> None:
    line = (
        '<![LOG[Nothing of note happened here]LOG]!><time="10:12:33.120+000" date="11-04-2026" '
        'component="x" context="" type="1" thread="1" file="x.cpp:1">\n'
    )
    for number in range(20):
        with (tmp_path / f"big-{number}.log").open("w") as log:
            log.write(line * 200_000)
    ready = [*COMMAND[:-1], f"import sys, cmgtrail.cli; print('ready', file=sys.stderr, flush=True); {COMMAND[-1]}"]
    run_it = subprocess.Popen([*ready, "diagnose", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run_it.stderr is not None
    run_it.stderr.readline()
    time.sleep(0.3)
    run_it.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, errors = run_it.communicate(timeout=30)
    # Either it was stopped, or it was faster than we are.
    assert run_it.returncode in {cli.INTERRUPTED, 0}
    if run_it.returncode:
        assert errors.strip() == b"cmgtrail: stopped."
        assert time.monotonic() - begun < 2
