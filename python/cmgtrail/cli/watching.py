"""The command `watch`: follows logs while they are written, and tells of each flow as it advances or fails.

Whenever a file has changed, all of them are read again: an engine that reads 50 MB in a fraction of a second needs no
second way to do it, and what is told is what `diagnose` would say now. Between two readings passes half the time that
the last one took, so that logs that change all the time leave the machine some rest.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

import cmgtrail as package
from cmgtrail import CmgTrailError, NoRecordsError
from cmgtrail._engine import Zone
from cmgtrail.cli.outlet import shown
from cmgtrail.cli.reading import CLIENT, ENCODING, KNOWLEDGE, SITE, ZONE, options
from cmgtrail.display import words
from cmgtrail.display.words import client_name, counted, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cmgtrail import Flow, Trail

FINDINGS = 1
"""Exit status where the last reading had findings of severity error."""
LOOK = 0.3
"""Seconds between two looks at the files where nobody tells of changes."""
NEWS = 20
"""Lines about flows under way that the first reading tells."""
SETTLE_MS = 100
"""Milliseconds to wait for more of a burst of changes."""

Snapshot = dict[Path, tuple[int, int]]


class Cause(NamedTuple):
    """A cause as it is told."""

    title: str
    failure: str
    confidence: str

    def __str__(self) -> str:
        return f"{self.title} ({self.failure}, {self.confidence})"


class State(NamedTuple):
    """What is known of a flow, to tell what is new."""

    attempts: int
    outcome: str
    broke_at: str | None
    passed: frozenset[str]
    causes: tuple[Cause, ...]


@click.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False))
@options(CLIENT, KNOWLEDGE, SITE, ZONE, ENCODING)
def watch(
    *,
    folders: tuple[str, ...],
    client: str | None,
    knowledge: tuple[str, ...],
    site: str | None,
    zone: str,
    encoding: str | None,
) -> int:
    """Follow logs while they are written, and tell of each attempt as it advances or fails.

    DIR is a folder of logs. They may grow, roll over, come and go, and lie on a network share. Ctrl-C ends it.

    Exit status: 0 no finding of severity error at the end, 1 such findings, 2 could not run.
    """
    clock = Zone(zone)

    def read() -> Trail:
        return package.read(folders, knowledge=knowledge, site=site, client=client, encoding=encoding, progress=False)

    watched = Watch(read, clock)

    def follow() -> None:
        try:
            watched.begin(folders)
            before = sizes(folders)
            watched.look()
            for _ in wakes(folders):
                now = sizes(folders)
                if now != before:
                    before = now
                    began = time.monotonic()
                    watched.look()
                    time.sleep((time.monotonic() - began) / 2)
        except KeyboardInterrupt:
            click.echo("stopped.", err=True)

    shown(follow, 0)
    return watched.status


class Watch:
    """What was told so far."""

    def __init__(self, read: Callable[[], Trail], zone: Zone) -> None:
        self._read = read
        self._zone = zone
        self._known: dict[str, State] | None = None
        self._rows: dict[str, tuple[object, ...]] = {}
        self._trouble = ""
        self._day = ""
        self.status = 0

    def begin(self, folders: Sequence[str]) -> None:
        """Says what is watched."""
        names = ", ".join(map(visible, folders))
        click.echo(f"Watching {names}; times in {self._zone.name}; Ctrl-C ends it.", err=True)

    def look(self) -> None:
        """Reads all logs and tells what is new."""
        try:
            trail = self._read()
        except NoRecordsError:
            self._say_once("no log record is there yet.")
            return
        except (CmgTrailError, OSError) as error:
            if self._known is None:
                raise
            self._say_once(f"{error}; trying again.")
            return
        self._trouble = ""
        self.status = FINDINGS if any(finding.severity == "error" for finding in trail.findings) else 0
        first = self._known is None
        if first:
            click.echo(words.summary(trail))
        news = self._news(trail)
        hidden = len(news) - NEWS if first else 0
        if hidden > 0:
            click.echo(f"(and {counted(hidden, 'line')} about flows under way before these)")
        for at, line in news[max(0, hidden) :]:
            self._tell(at, line)
        sys.stdout.flush()

    def _tell(self, at: datetime | None, line: str) -> None:
        """A line under its day, which is told once."""
        shown = self._zone.show(at) if at else ""
        if shown and shown[:10] != self._day:
            self._day = shown[:10]
            click.echo(self._day)
        click.echo(f"{shown[11:] or '?':<8} {line}")

    def _news(self, trail: Trail) -> list[tuple[datetime | None, str]]:
        """What changed since the last reading, in order of time. At first that is what is still under way."""
        names = ("flow_id", "attempts", "ended", "outcome", "events", "failures")
        rows = {row[0]: row for row in zip(*map(trail.flows.column, names), strict=True)}
        first = self._known is None
        known = self._known or {}
        told: list[tuple[datetime | None, str]] = []
        for place, (name, row) in enumerate(rows.items()):
            if self._rows.get(name) == row:
                continue
            flow = trail.flows[place]
            now, before = state(flow), known.get(name)
            if not first or flow.outcome == "unfinished":
                told += changes(flow, before, now)
            known[name] = now
        self._known, self._rows = known, rows
        return sorted(told, key=lambda each: each[0].timestamp() if each[0] else 0.0)

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            click.echo(f"cmgtrail: {trouble}", err=True)


def state(flow: Flow) -> State:
    """What is known of a flow."""
    passed = frozenset(stage.stage for stage in flow.stages if stage.status == "passed")
    causes = tuple(Cause(finding.title, finding.failure, finding.confidence) for finding in flow.findings)
    return State(flow.attempts, flow.outcome, flow.broke_at, passed, causes)


def changes(flow: Flow, before: State | None, now: State) -> list[tuple[datetime | None, str]]:
    """What is new of a flow, a sentence each, with its time: that of the flow's last line, but for its beginning."""
    who = f"{client_name(flow)} {flow.kind}"
    begun = [(flow.started, visible(f"{who}: begins"))] if before is None else []
    told: list[str] = []
    if now.attempts > (before.attempts if before else 1):
        told.append(f"attempt {now.attempts}")
    fresh = now.passed - (before.passed if before else frozenset())
    if fresh:
        told.append(f"passed {', '.join(stage.stage for stage in flow.stages if stage.stage in fresh)}")
    end = (now.outcome, now.broke_at, now.causes)
    if now.outcome != "unfinished" and (before is None or end != (before.outcome, before.broke_at, before.causes)):
        at = f" at {now.broke_at}" if now.broke_at else ""
        causes = "; ".join(map(str, now.causes)) or ("no cause is known yet" if at else "")
        told.append(f"{now.outcome}{at}" + (f": {causes}" if causes else "") + _withdrawn(before, now))
    return begun + [(flow.ended, visible(f"{who}: {what}")) for what in told]


def _withdrawn(before: State | None, now: State) -> str:
    """Says which causes of the same attempt later lines have ruled out: somebody may be acting on them."""
    if before is None or before.attempts != now.attempts:
        return ""
    still = {cause.failure for cause in now.causes}
    gone = [cause.title for cause in before.causes if cause.failure not in still]
    return f" (and not, as told before: {'; '.join(gone)})" if gone else ""


def sizes(folders: Sequence[str]) -> Snapshot:
    """Size and time of change of every file below folders. What cannot be looked at now is left out."""
    found: Snapshot = {}
    for folder in folders:
        for root, _, files in os.walk(folder):
            for file in files:
                path = Path(root, file)
                try:
                    about = path.stat()
                except OSError:
                    continue
                found[path] = (about.st_size, about.st_mtime_ns)
    return found


def wakes(folders: Sequence[str]) -> Iterator[None]:
    """Comes back whenever something may have changed, and every few tenths of a second at the latest.

    The system tells of changes where watchfiles is installed. It does not of those that another machine makes on a
    network share, nor on every file system: the look at the sizes finds them.
    """
    try:
        import watchfiles
    except ImportError:
        while True:
            time.sleep(LOOK)
            yield
    look = int(LOOK * 1000)
    for _ in watchfiles.watch(
        *folders, watch_filter=None, debounce=SETTLE_MS, step=SETTLE_MS // 2, rust_timeout=look,
        yield_on_timeout=True, raise_interrupt=True,
    ):  # fmt: skip
        yield
