"""A trail on a terminal: findings first, each with its proof; then the flows; then notes on the logs.

Everything that comes out of a log passes `visible`: a terminal obeys no escape that a stranger wrote.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from cmgtrail.display import sequence, words
from cmgtrail.display.cards import what
from cmgtrail.display.words import ASCII_MARKS, MARKS, counted, visible

if TYPE_CHECKING:
    from datetime import datetime

    from cmgtrail import Finding, Flow, Table, Trail
    from cmgtrail._engine import Zone

PIPE_WIDTH = 80
FLOWS = 50
LINES = 6
"""Rows shown before the table says how many more there are; JSON has them all."""
LONGEST = 4_000
"""Characters of a line of evidence that are shown."""
ROOM = 75
"""Columns of a terminal that also hold the marks of all stages, and the causes as a table."""
PATHS = 3
"""Paths that a command to copy names."""
NARROW = 55
"""Columns of a terminal that also hold what a flow was for, and when it began."""

_COLUMNS: dict[str, dict[str, Any]] = {
    "client": {"overflow": "ellipsis", "no_wrap": True, "min_width": 8, "max_width": 24},
    "broke at": {"overflow": "fold"},
}

COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}
OUTCOMES = {"completed": "green", "failed": "red", "stalled": "yellow", "unfinished": "yellow"}


def console() -> Console:
    """The console of stdout; of a fixed width where nobody looks."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    colours = None if os.environ.get("NO_COLOR") else "auto"
    return Console(width=width, color_system=colours, highlight=False, markup=False, emoji=False)


def grid(*columns: str) -> Grid:
    """A table without frame that fits its console."""
    return Grid(*columns, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def shell_word(text: str) -> str:
    """What can be pasted into a shell as one word: an id holds the name of a folder that a stranger made."""
    # A name that begins with a sign is taken for an option.
    text = f"./{text}" if text.startswith("-") else text
    if sys.platform != "win32" or text.replace("-", "").replace("_", "").replace(".", "").isalnum():
        return shlex.quote(text)
    return "'" + text.replace("'", "''") + "'"


def show(trail: Trail, zone: Zone) -> None:
    """Prints a trail to stdout."""
    Screen(console(), zone).show(trail)


class Screen:
    """A console, and the zone that its times are shown in."""

    def __init__(self, console: Console, zone: Zone) -> None:
        self._console = console
        self._zone = zone
        self._marks = MARKS if console.encoding.lower().startswith("utf") else ASCII_MARKS

    def show(self, trail: Trail) -> None:
        """Summary, findings, flows, notes."""
        self._line(words.summary(trail))
        if not trail.traffic:
            self._line()
            self._line(words.no_traffic(trail), "yellow")
        self._findings(trail)
        self._unexplained(trail)
        self._flows(trail)
        self._clocks(trail)
        self._notes(trail)

    def _line(self, text: str = "", style: str = "", indent: int = 0) -> None:
        if not text:
            self._console.print()
            return
        self._console.print(Padding(Text(visible(text), style), (0, 0, 0, indent), expand=False))

    def _whole(self, label: str, text: str, indent: int = 0) -> None:
        """An address or a command, to be copied: never broken over lines."""
        self._console.print(Text.assemble(" " * indent, label, visible(text)), soft_wrap=True)

    def _findings(self, trail: Trail) -> None:
        if not len(trail.findings):
            if trail.traffic:
                self._line()
                self._line(words.NO_FINDINGS, "" if words.unexplained(trail) else "green")
            return
        self._line()
        self._line("Findings", "bold")
        if self._console.width >= ROOM:
            self._ranking(trail)
        artefacts = {artefact["path"] for artefact in trail.artefacts}
        for rank, finding in enumerate(trail.findings, start=1):
            self._finding(rank, finding, artefacts)

    def _ranking(self, trail: Trail) -> None:
        table = grid("", "severity", "confidence", "cause", "stage", "clients")
        for rank, finding in enumerate(trail.findings, start=1):
            severity = Text(finding.severity, COLOURS[finding.severity])
            about = (visible(finding.title), finding.stage or "", f"{finding.clients:,}")
            table.add_row(str(rank), severity, finding.confidence, *map(Text, about))
        self._console.print(table)

    def _finding(self, rank: int, finding: Finding, artefacts: set[str]) -> None:
        self._line()
        self._line(f"{rank}. {finding.title} ({finding.failure})", COLOURS[finding.severity])
        self._about(finding)
        for paragraph in finding.explanation.split("\n"):
            self._line(paragraph, indent=3)
        self._proof(finding, artefacts)
        self._advice(finding)

    def _about(self, finding: Finding) -> None:
        """How sure it is, whose it is, and what it rests on."""
        if self._console.width < ROOM:
            at = f" at {finding.stage}" if finding.stage else ""
            about = f"{finding.severity}, {finding.confidence}{at}, {counted(finding.clients, 'client')}"
            self._line(about, COLOURS[finding.severity], indent=3)
        if finding.severity != "info":
            self._line(f"It lies with {words.party(finding)}.", "dim", indent=3)
        if finding.hypothesis:
            self._line(words.HYPOTHESIS, "yellow", indent=3)

    def _proof(self, finding: Finding, artefacts: set[str]) -> None:
        for line in finding.evidence[:LINES]:
            # What a validator says of a file stands in no line of it.
            place = line.source if line.source in artefacts else f"{line.source}:{line.line}"
            self._line(place, "dim", indent=3)
            self._line(words.bounded(line.text, LONGEST), indent=5)
            for code in line.codes:
                self._line(words.code_named(code), "dim", indent=5)
        hidden = len(finding.evidence) - LINES
        if hidden > 0:
            self._line(f"and {counted(hidden, 'line')} more", "dim", indent=3)

    def _advice(self, finding: Finding) -> None:
        for label, text in [("Do: ", finding.remedy), ("Check: ", finding.verify)]:
            if text:
                self._labelled(label, text)
        if finding.reference:
            self._whole("See: ", finding.reference, indent=3)
        for missing in finding.missing:
            self._labelled("Missing: ", what(missing))
        if finding.consequences:
            self._line(words.follows(finding), "dim", indent=3)

    def _labelled(self, label: str, text: str) -> None:
        self._console.print(Padding(Text.assemble((label, "bold"), visible(text)), (0, 0, 0, 3), expand=False))

    def _unexplained(self, trail: Trail) -> None:
        open_ends = words.open_ends(trail)
        if not open_ends:
            return
        self._line()
        self._line("Not explained", "bold")
        for sentence in open_ends[:LINES]:
            self._line(sentence, "yellow")
        if len(open_ends) > LINES:
            self._line(f"and {len(open_ends) - LINES:,} more of other kinds", "dim")

    def _flows(self, trail: Trail) -> None:
        flows = trail.flows
        if not len(flows):
            return
        # What failed is what the reader came for.
        shown = ([flow for flow in flows if flow.outcome != "completed"] or list(flows))[:FLOWS]
        room, narrow = self._console.width >= ROOM, self._console.width < NARROW
        years = {self._zone.show(flow.started)[:4] for flow in shown if flow.started}
        of_year = f" of {min(years)}" if len(years) == 1 else ""
        self._line()
        self._line(f"Flows{of_year} (times in {self._zone.name})", "bold")
        columns = ["client", "kind", "started", "outcome", "broke at", "stages"]
        left_out = ("kind", "started", "stages") if narrow else () if room else ("stages",)
        columns = [column for column in columns if column not in left_out]
        table = grid()
        for column in columns:
            table.add_column(column, **_COLUMNS.get(column, {"no_wrap": True}))
        for flow in shown:
            row = self._flow(flow, year=len(years) > 1)
            table.add_row(*(row[column] for column in columns))
        self._console.print(table)
        if len(flows) > len(shown):
            self._line(self._hidden(flows, shown), "dim")
        if room:
            self._legend(shown)
        where = " ".join(map(shell_word, trail.paths)) if len(trail.paths) <= PATHS else "PATH"
        self._whole("Line by line: ", f"cmgtrail show {shell_word(shown[0].id)} {where}")

    def _hidden(self, flows: Table[Flow], shown: list[Flow]) -> str:
        completed = sum(flow.outcome == "completed" for flow in flows)
        kind = "completed flow" if len(flows) - len(shown) == completed else "flow"
        return f"and {counted(len(flows) - len(shown), kind)} more; --format json has them all"

    def _flow(self, flow: Flow, *, year: bool) -> dict[str, Text]:
        return {
            "client": Text(words.client_name(flow)),
            "kind": Text(flow.kind),
            "started": Text(self._moment(flow.started, year=year)),
            "outcome": Text(flow.outcome, OUTCOMES[flow.outcome]),
            "broke at": Text(flow.broke_at or ""),
            "stages": Text(words.stage_marks(flow.stages, self._marks)),
        }

    def _moment(self, at: datetime | None, *, year: bool) -> str:
        if at is None:
            return "?"
        shown = self._zone.show(at)[:16]
        return shown if year else shown[5:]

    def _legend(self, flows: list[Flow]) -> None:
        names = ", ".join(f"{mark} {status}" for status, mark in self._marks.items())
        self._line(f"Stages: {names}; in order: {', '.join(stage.stage for stage in flows[0].stages)}", "dim")

    def _clocks(self, trail: Trail) -> None:
        # Of one client's flows only the machines on its way; of a fleet, all of them.
        hosts = sequence.hosts(trail.flows, trail) if len(trail.flows) <= FLOWS else None
        clocks = words.by_offset(clock for clock in trail.clocks if hosts is None or clock.host in hosts)
        if not clocks:
            return
        self._line()
        self._line("Clocks", "bold")
        for clock in clocks[:LINES]:
            self._line(words.clock(clock))
        if len(clocks) > LINES:
            self._line(f"and {counted(len(clocks) - LINES, 'clock')} more that are nearer", "dim")

    def _notes(self, trail: Trail) -> None:
        notes = [(source.path, note) for source in trail.sources for note in source.notes]
        if not notes:
            return
        self._line()
        self._line("Notes on the logs", "bold")
        for path, note in notes:
            # A note on one file of several names it already.
            self._line(note if note.startswith(f"{path}: ") else f"{path}: {note}")
