"""`cmgtrail watch`: it tells of flows as their logs are written."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import cmgtrail
from cmgtrail._engine import Zone
from cmgtrail.cli import watching
from cmgtrail.cli.watching import Cause, State, Watch, sizes
from conftest import HEALTHY, logs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Captured = pytest.CaptureFixture[str]
COMMAND = [sys.executable, "-u", "-W", "error", "-c", "from cmgtrail.cli import main; main()"]
PATIENCE = 60
"""Seconds that a busy machine may take; on an idle one it is a fraction of a second."""


def records_of(log: Path) -> list[str]:
    """A log cut into its records."""
    return [f"{record}]LOG]!>{rest}" for record, _, rest in _parts(log.read_text("utf-8"))]


def _parts(text: str) -> list[tuple[str, str, str]]:
    pieces = ["<![LOG[" + piece for piece in text.split("<![LOG[")[1:]]
    return [piece.partition("]LOG]!>") for piece in pieces]


def watcher(folder: Path) -> Watch:
    return Watch(lambda: cmgtrail.read(folder, progress=False), Zone())


BEGUN, ENDED = (datetime(2026, 11, 4, 8, minute, tzinfo=timezone.utc) for minute in (12, 40))


def flow_of(**parts: Any) -> Any:
    client = SimpleNamespace(host="PC042", device_id=None, client_id=None, user_id=None)
    stages = [SimpleNamespace(stage=name) for name in ("aad-token", "ccm-token-issue")]
    usual = {"client": client, "kind": "install", "stages": stages, "started": BEGUN, "ended": ENDED}
    return SimpleNamespace(**{**usual, **parts})


def test_what_is_new_of_a_flow() -> None:
    flow = flow_of()

    def changes(*states: Any) -> list[str]:
        told = watching.changes(flow, *states)
        assert all(at == (BEGUN if line.endswith("begins") else ENDED) for at, line in told)
        return [line for _, line in told]

    begun = State(1, "unfinished", None, frozenset(), ())
    assert changes(None, begun) == ["PC042 install: begins"]
    token = begun._replace(passed=frozenset({"aad-token"}))
    assert changes(begun, token) == ["PC042 install: passed aad-token"]
    failed = token._replace(outcome="failed", broke_at="cmg-connection", causes=(Cause("No root", "x", "likely"),))
    assert changes(token, failed) == ["PC042 install: failed at cmg-connection: No root (x, likely)"]
    assert changes(failed, failed) == []
    surer = failed._replace(causes=(Cause("No root", "x", "certain"),))
    assert changes(failed, surer) == ["PC042 install: failed at cmg-connection: No root (x, certain)"]
    other = failed._replace(causes=(Cause("A filter", "y", "certain"),))
    assert changes(surer, other) == [
        "PC042 install: failed at cmg-connection: A filter (y, certain) (and not, as told before: No root)"
    ]
    assert changes(surer, other._replace(attempts=2)) == [
        "PC042 install: attempt 2", "PC042 install: failed at cmg-connection: A filter (y, certain)"
    ]  # fmt: skip
    again = failed._replace(attempts=2, outcome="unfinished", broke_at=None, causes=())
    assert changes(failed, again) == ["PC042 install: attempt 2"]
    done = again._replace(outcome="completed", passed=frozenset({"aad-token", "ccm-token-issue"}))
    assert changes(again, done) == ["PC042 install: passed ccm-token-issue", "PC042 install: completed"]
    flow = flow_of(kind="in\x1b[2Jstall")
    assert "\x1b" not in changes(None, begun)[0]


def test_a_log_that_grows_is_told_once_and_in_order(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    log = next(demo.rglob("ccmsetup.log"))
    written = records_of(log)
    target = tmp_path / "client-PC042" / "ccmsetup.log"
    target.parent.mkdir()
    watched = watcher(tmp_path)
    watched.look()
    assert "no log record is there yet" in capsys.readouterr().err
    told: list[str] = []
    for count in range(1, len(written) + 1, 4):
        target.write_text("".join(written[:count]), "utf-8")
        watched.look()
        told += capsys.readouterr().out.splitlines()
    target.write_text("".join(written), "utf-8")
    watched.look()
    told += capsys.readouterr().out.splitlines()
    watched.look()
    assert capsys.readouterr().out == ""
    news = [line.partition("PC042 install: ")[2] for line in told if "PC042 install: " in line]
    assert news[0] == "begins"
    assert news.index("attempt 2") > 0
    assert news[-1].startswith("failed at cmg-connection: ")
    assert "cmg-root-ca-missing" in news[-1]
    assert watched.status == 1


def test_a_half_written_record_is_told_when_it_is_whole(tmp_path: Path, capsys: Captured) -> None:
    log = next(logs_of("root-missing-mask-8").rglob("ccmsetup.log"))
    text = log.read_text("utf-8")
    target = tmp_path / "client-PC042" / "ccmsetup.log"
    target.parent.mkdir()
    watched = watcher(tmp_path)
    for cut in range(1500, len(text), 977):
        target.write_text(text[:cut], "utf-8")
        watched.look()
    target.write_text(text, "utf-8")
    watched.look()
    watched.look()
    told = [line for line in capsys.readouterr().out.splitlines() if "PC042 install: " in line]
    assert len(told) == len(set(told))
    assert "cmg-root-ca-missing" in told[-1]
    assert len([line for line in told if line.endswith("begins")]) <= 1


def test_a_log_that_rolls_over_is_one_log(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    log = next(demo.rglob("ccmsetup.log"))
    written = records_of(log)
    half = len(written) // 2
    folder = tmp_path / "client-PC042"
    folder.mkdir()
    (folder / "ccmsetup.log").write_text("".join(written[:half]), "utf-8")
    watched = watcher(tmp_path)
    watched.look()
    capsys.readouterr()
    (folder / "ccmsetup.log").rename(folder / "ccmsetup-20261104-091500.log")
    watched.look()
    (folder / "ccmsetup.log").write_text("".join(written[half:]), "utf-8")
    watched.look()
    out = capsys.readouterr().out
    assert "begins" not in out
    assert "failed at cmg-connection" in out


def test_logs_that_are_gone_for_a_while_end_nothing(demo: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "share"
    folder.symlink_to(demo, target_is_directory=True)
    watched = watcher(folder)
    watched.look()
    folder.unlink()
    watched.look()
    watched.look()
    err = capsys.readouterr().err
    assert err.count("trying again") == 1
    folder.symlink_to(demo, target_is_directory=True)
    watched.look()
    assert capsys.readouterr().out == ""


def test_mistakes_of_the_call_end_it_at_once(tmp_path: Path) -> None:
    with pytest.raises(cmgtrail.PathNotFoundError):
        watcher(tmp_path / "nowhere").look()


def test_sizes_see_growth_and_new_files(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("a")
    before = sizes([str(tmp_path)])
    (tmp_path / "a.log").write_text("ab")
    assert sizes([str(tmp_path)]) != before
    assert len(before) == 1
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.log").write_text("b")
    assert len(sizes([str(tmp_path)])) == 2


@pytest.mark.parametrize("library", [True, False], ids=["told", "polling"])
def test_it_wakes_up_whether_or_not_somebody_tells(
    library: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not library:
        monkeypatch.setitem(sys.modules, "watchfiles", None)
    wakes = watching.wakes([str(tmp_path)])
    next(wakes)
    next(wakes)


@pytest.fixture
def followed() -> Iterator[Callable[[Path], tuple[subprocess.Popen[str], queue.Queue[str]]]]:
    """Starts `cmgtrail watch` and gives its lines as they come."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path) -> tuple[subprocess.Popen[str], queue.Queue[str]]:
        run_it = subprocess.Popen(
            [*COMMAND, "watch", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            restore_signals=True, start_new_session=True,
        )  # fmt: skip
        started.append(run_it)
        lines: queue.Queue[str] = queue.Queue()
        assert run_it.stdout is not None
        threading.Thread(
            target=lambda out: [lines.put(line) for line in out], args=[run_it.stdout], daemon=True
        ).start()
        return run_it, lines

    yield start
    for run_it in started:
        run_it.kill()
        run_it.wait()
        for stream in (run_it.stdout, run_it.stderr):
            assert stream is not None
            stream.close()


def until(lines: queue.Queue[str], words: str) -> str:
    end = time.monotonic() + PATIENCE
    while True:
        line = lines.get(timeout=max(0.1, end - time.monotonic()))
        if words in line:
            return line


def interrupted(run_it: subprocess.Popen[str]) -> int:
    run_it.send_signal(signal.SIGINT)
    return run_it.wait(timeout=PATIENCE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console, not to one process")
def test_the_command_tells_of_growth_and_ends_by_ctrl_c(
    demo: Path, tmp_path: Path, followed: Callable[[Path], tuple[subprocess.Popen[str], queue.Queue[str]]]
) -> None:
    log = next(demo.rglob("ccmsetup.log"))
    written = records_of(log)
    target = tmp_path / "client-PC042" / "ccmsetup.log"
    target.parent.mkdir()
    target.write_text("".join(written[:6]), "utf-8")
    run_it, lines = followed(tmp_path)
    until(lines, "PC042 install: begins")
    with target.open("a", encoding="utf-8") as file:
        file.write("".join(written[6:]))
    until(lines, "failed at cmg-connection")
    assert interrupted(run_it) == 1
    assert run_it.stderr is not None
    assert "Traceback" not in run_it.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console, not to one process")
def test_without_a_finding_it_ends_with_0(
    followed: Callable[[Path], tuple[subprocess.Popen[str], queue.Queue[str]]],
) -> None:
    run_it, lines = followed(logs_of(HEALTHY))
    until(lines, "records in")
    assert interrupted(run_it) == 0
