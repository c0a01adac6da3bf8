"""A validator's report on a terminal: the verdict, what was read, then what is wrong, open, remarkable, and well."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from cmgtrail.cli.terminal import PIPE_WIDTH
from cmgtrail.display import verdicts
from cmgtrail.display.words import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cmgtrail import Check, Checks, Phases, Report

COLOURS = {True: "bold green", False: "bold red", None: "bold yellow"}
CHECKS = 50
"""Checks of a kind shown before it says how many more there are; JSON has them all."""


def console() -> Console:
    """The console of stdout; of a fixed width where nobody looks."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    colours = None if os.environ.get("NO_COLOR") else "auto"
    return Console(width=width, color_system=colours, highlight=False, markup=False, emoji=False)


class Screen:
    """A console that reports are shown on."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def report(self, report: Report) -> None:
        """Verdict, facts, checks."""
        self._line(verdicts.headline(report), COLOURS[report.valid])
        self._facts(verdicts.facts(report))
        self._checks("Failed", "bold red", report.failed)
        self._checks(
            "Not checked, so the verdict is open" if report.valid is None else "Not checked", "yellow", report.open
        )
        self._checks("Remarks", "cyan", verdicts.remarks(report))
        self._ids("Passed: ", verdicts.passed(report))
        self._ids("Not checked, and not needed for the verdict: ", verdicts.not_made(report))

    def phases(self, phases: Phases) -> None:
        """Both reports, and what they mean together."""
        self._line(phases.explanation, "bold")
        for title, report in [
            ("While ccmsetup runs", phases.bootstrap),
            ("After the site's settings have arrived", phases.after_settings),
        ]:
            self._line()
            self._line(title, "bold")
            self.report(report)

    def _line(self, text: str = "", style: str = "", indent: int = 0) -> None:
        # Text with nothing in it would print nothing at all, not an empty line.
        self._console.print(Padding(Text(visible(text), style), (0, 0, 0, indent), expand=False) if text else "")

    def _facts(self, rows: Iterable[tuple[str, str]]) -> None:
        grid = Grid.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for label, value in rows:
            grid.add_row(Text(label), Text(visible(value)))
        self._console.print(Padding(grid, (0, 0, 0, 2), expand=False))

    def _checks(self, title: str, style: str, checks: Checks | list[Check]) -> None:
        if not len(checks):
            return
        self._line()
        self._line(title, style)
        for check in checks[:CHECKS]:
            self._check(check, style)
        if len(checks) > CHECKS:
            self._line(f"and {counted(len(checks) - CHECKS, 'check')} more; --format json has them all", "dim", 2)

    def _check(self, check: Check, style: str) -> None:
        self._line(f"{check.id}: {check.subject}", style, 2)
        self._line(check.explanation, indent=4)
        details = [
            ("expected", check.expected),
            ("found", check.found),
            ("Windows", verdicts.by_windows(check)),
            ("see", check.reference),
        ]
        for label, text in details:
            if text:
                self._line(f"{label}: {text}", "dim", 4)

    def _ids(self, label: str, checks: list[Check]) -> None:
        if checks:
            self._line()
            self._line(label + verdicts.ids(checks), "dim")
