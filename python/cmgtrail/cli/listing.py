"""Records as lines: for people, as JSON, as CSV. Written as they are read."""

from __future__ import annotations

import csv as csv_format
import os
import shutil
import sys
from itertools import islice
from typing import TYPE_CHECKING

import click

from cmgtrail.display.words import visible

if TYPE_CHECKING:
    from cmgtrail import Record, Records
    from cmgtrail._engine import Zone

COLOURED = False if os.environ.get("NO_COLOR") else None
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may begin a formula with, full-width signs included."""
COLOURS = {"error": "red", "warning": "yellow"}


def table(records: Records, limit: int | None, zone: Zone) -> int:
    """One line a record, under the name of its file; cut to the terminal's width where there is a terminal."""
    write = _on_terminal if sys.stdout.isatty() else _on_pipe
    count, file = 0, None
    for record in islice(records, limit):
        if record.file != file:
            file = record.file
            write(f"{visible(file)} (line, time {zone.name}, component, text)", "info")
        write(row(record, zone), record.severity)
        count += 1
    sys.stdout.flush()
    return count


def _on_terminal(line: str, severity: str) -> None:
    width = shutil.get_terminal_size().columns
    click.secho(line[:width], fg=COLOURS.get(severity), color=COLOURED)


def _on_pipe(line: str, _severity: str) -> None:
    sys.stdout.write(f"{line}\n")


def row(record: Record, zone: Zone) -> str:
    """Line, time, component and text. A time whose UTC is not known is the log's own, marked with `?`."""
    if record.utc:
        at = zone.show(record.utc, digits=3) + " "
    else:
        at = f"{record.local_time.isoformat(' ', 'milliseconds')}?" if record.local_time else ""
    return f"{record.line:>6} {at:<24} {visible(record.component or ''):<14.14} {visible(record.text)}"


def json_lines(records: Records, limit: int | None, _zone: Zone) -> int:
    """One JSON object a line."""
    count = 0
    for record in islice(records, limit):
        sys.stdout.write(f"{record.to_json()}\n")
        count += 1
    sys.stdout.flush()
    return count


def csv(records: Records, limit: int | None, _zone: Zone) -> int:
    """CSV with a head line. No text of a log becomes a formula where a spreadsheet opens it."""
    writer = csv_format.writer(sys.stdout, lineterminator="\n")
    writer.writerow(records.columns)
    count = 0
    for record in islice(records, limit):
        writer.writerow([inert(value) for value in record.to_dict().values()])
        count += 1
    sys.stdout.flush()
    return count


def inert(value: object) -> object:
    """A cell that a spreadsheet takes for text: what would begin a formula gets an apostrophe in front."""
    if isinstance(value, str) and value.lstrip(" \n").startswith(_FORMULA):
        return f"'{value}"
    return value
