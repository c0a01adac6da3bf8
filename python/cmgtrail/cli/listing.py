"""Records as lines: for people, as JSON, as CSV. Written as they are read."""

from __future__ import annotations

import csv as csv_format
import io
import json
import os
import shutil
import sys
from itertools import islice
from typing import TYPE_CHECKING

import click

from cmgtrail.display.words import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmgtrail import Record, Records
    from cmgtrail._engine import Zone

COLOURED = False if os.environ.get("NO_COLOR") else None
COLOURS = {"error": "red", "warning": "yellow"}


def table(records: Records, limit: int | None, zone: Zone) -> int:
    """One line a record, under the name of its file; cut to the terminal's width where there is a terminal."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    count, file = 0, None
    for record in islice(records, limit):
        if record.file != file:
            file = record.file
            click.echo(f"{'' if not count else chr(10)}{visible(file)} (line, time {zone.name}, component, text)")
        line = row(record, zone)
        click.secho(line[:width] if width else line, fg=COLOURS.get(record.severity), color=COLOURED)
        count += 1
    return count


def row(record: Record, zone: Zone) -> str:
    """Line, time, component and text. A time whose UTC is not known is the log's own, marked with `?`."""
    if record.utc:
        at = zone.show(record.utc, digits=3) + " "
    else:
        at = f"{record.local_time.isoformat(' ', 'milliseconds')}?" if record.local_time else ""
    return f"{record.line:>6} {at:<24} {visible(record.component or ''):<14.14} {visible(record.text)}"


def json_lines(records: Records, limit: int | None, _zone: Zone) -> int:
    """One JSON object a line."""
    return _echo(f"{json.dumps(record.to_dict(), ensure_ascii=False)}\n" for record in islice(records, limit))


def csv(records: Records, limit: int | None, _zone: Zone) -> int:
    """CSV with a head line."""
    count = _echo(_csv_lines(records, limit))
    return max(count - 1, 0)


def _csv_lines(records: Records, limit: int | None) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv_format.writer(buffer, lineterminator="\n")
    writer.writerow(records.columns)
    for record in islice(records, limit):
        yield _drained(buffer)
        writer.writerow(record.to_dict().values())
    yield _drained(buffer)


def _drained(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _echo(lines: Iterator[str]) -> int:
    count = 0
    for line in lines:
        sys.stdout.write(line)
        count += 1
    sys.stdout.flush()
    return count
