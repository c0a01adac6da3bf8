"""The progress bar of long work, in a terminal and in a notebook."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PATIENCE = 0.5
"""Seconds that work may last before a bar appears."""


@contextmanager
def watching(
    progress: Callable[[int, int], object] | bool | None, *, work: str = "Reading", unit: str = "bytes"
) -> Generator[Callable[[int, int], object] | None]:
    """What the engine calls while it works: the caller's own function, a bar, or nothing.

    Args:
        progress: What the caller wants.
        work: What is done, for the bar.
        unit: What is counted.
    """
    if callable(progress):
        yield progress
    elif progress is False or (progress is None and not _somebody_looks()):
        yield None
    else:
        bar = _Bar(work, unit)
        try:
            yield bar.advance
        finally:
            bar.close()


def _somebody_looks() -> bool:
    stream = sys.stderr
    # The console of a program without one (pythonw) is None, whatever the type stubs say.
    return "ipykernel" in sys.modules or bool(stream and stream.isatty())  # pyright: ignore[reportUnnecessaryComparison]


class _Bar:
    """A bar that appears only where the work lasts, so that short work never pays for it."""

    def __init__(self, work: str, unit: str) -> None:
        self._work = work
        self._unit = unit
        self._begun = time.monotonic()
        self._close: Callable[[], None] | None = None
        self._update: Callable[[int, int], None] | None = None

    def advance(self, done: int, total: int) -> None:
        if total <= 0:
            return
        if self._update is None:
            if time.monotonic() - self._begun < PATIENCE or done >= total:
                return
            self._open()
        if self._update is not None:
            self._update(done, total)

    def close(self) -> None:
        if self._close is not None:
            self._close()

    def _open(self) -> None:
        if "ipykernel" in sys.modules:
            self._open_in_notebook()
        else:
            self._open_on_terminal()

    def _open_in_notebook(self) -> None:
        import IPython.display

        notebook = cast("Any", IPython.display)
        show = notebook.display(notebook.HTML(""), display_id=True)
        if show is None:
            return

        def update(done: int, total: int) -> None:
            bar = f'<progress value="{done}" max="{total}" style="width:20em"></progress>'
            show.update(notebook.HTML(f"{self._work} {bar} {_amount(done, total, self._unit)}"))

        self._update = update
        self._close = lambda: show.update(notebook.HTML(""))

    def _open_on_terminal(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        done = (DownloadColumn(),) if self._unit == "bytes" else (MofNCompleteColumn(), self._unit)
        columns = (self._work, BarColumn(), *done, TimeRemainingColumn())
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        task = bar.add_task("", total=None)
        bar.start()
        self._close = bar.stop
        self._update = lambda done, total: bar.update(task, completed=done, total=total)


def _amount(done: int, total: int, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB"
    return f"{done:,} of {total:,} {unit}"
