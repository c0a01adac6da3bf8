"""A prediction on a terminal: the verdict, what stops clients, then every client stage by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from cmgtrail.cli.terminal import COLOURS
from cmgtrail.cli.verdicts import console as stdout
from cmgtrail.display import forecasts
from cmgtrail.display.words import counted, visible

if TYPE_CHECKING:
    from rich.console import Console

    from cmgtrail import Forecast, Preflight

CLIENTS = 5
"""Clients shown stage by stage; --client and JSON show the others."""

VERDICTS = {True: "bold green", False: "bold red", None: "bold yellow"}
STATUSES = {"passed": "green", "blocked": "bold red", "not-known": "yellow", "not-reached": "dim", "skipped": "dim"}


def show(prediction: Preflight) -> None:
    """Prints a prediction to stdout."""
    Screen(stdout()).show(prediction)


class Screen:
    """A console that predictions are shown on."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, prediction: Preflight) -> None:
        """Verdict, findings, clients."""
        self._line(forecasts.headline(prediction), VERDICTS[prediction.works])
        for rank, finding in enumerate(prediction.findings, start=1):
            self._finding(rank, finding)
        clients: list[dict[str, Any]] = prediction.to_dict()["clients"]
        # What does not work is what the reader came for.
        clients.sort(key=lambda client: forecasts.ORDER[client["works"]])
        for client in clients[:CLIENTS]:
            self._client(client)
        if len(clients) > CLIENTS:
            self._line()
            self._line(f"and {counted(len(clients) - CLIENTS, 'client')} more; --client shows one of them", "dim")

    def _line(self, text: str = "", style: str = "", indent: int = 0) -> None:
        self._console.print(Padding(Text(visible(text), style), (0, 0, 0, indent), expand=False) if text else "")

    def _finding(self, rank: int, finding: Forecast) -> None:
        self._line()
        self._line(f"{rank}. {finding.title} ({finding.failure})", COLOURS[finding.severity])
        self._line(forecasts.reach(finding), "dim", indent=3)
        self._line(finding.why, indent=3)
        self._line(f"{forecasts.AFTERWARDS} {finding.explanation}", "dim", indent=3)
        for label, text in [("Do: ", finding.remedy), ("Check: ", finding.verify), ("See: ", finding.reference)]:
            if text:
                words = Text.assemble((label, "bold"), visible(text))
                self._console.print(Padding(words, (0, 0, 0, 3), expand=False))

    def _client(self, client: dict[str, Any]) -> None:
        for phase in client["phases"]:
            self._line()
            title = f"{client['client']}, {forecasts.PHASES[phase['phase']]}: {forecasts.WORKS[phase['works']]}"
            self._line(title, "bold")
            grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
            rows = forecasts.rows(client, phase)
            observed = any(row.observed for row in rows)
            for column in ["stage", "predicted", *(["observed"] if observed else []), "why"]:
                grid.add_column(column, overflow="fold", no_wrap=column in {"stage", "predicted", "observed"})
            for row in rows:
                cells = [Text(row.stage), Text(row.status, STATUSES[row.status])]
                if observed:
                    cells.append(Text(row.observed, "bold red" if row.differs else ""))
                grid.add_row(*cells, Text(visible(row.why)))
            self._console.print(grid)
