"""A trail in the forms that other programs read: JSON, JSON lines, and each of its tables as CSV or Parquet."""

from __future__ import annotations

import csv as csv_format
import io
import json
import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

import click

import cmgtrail as package
from cmgtrail import frames
from cmgtrail.cli.listing import inert

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from cmgtrail import Table, Trail

TABLES = ["flows", "events", "stages", "joins", "findings", "evidence", "sources"]
FORMS = ["json", "jsonl", "csv", "parquet"]
TABULAR = ["csv", "parquet"]


def save(trail: Trail, form: str, table: str, out: str | None) -> None:
    """Writes a trail.

    Args:
        trail: What is written.
        form: One of `FORMS`.
        table: The table that CSV and Parquet hold.
        out: The file; none is stdout.
    """
    if form == "parquet" and out is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is nothing for a terminal; name a file with --out.")
    chosen: Table[Any] = getattr(trail, table)
    with _sink(out) as sink:
        if form == "parquet":
            sink.write(_parquet(chosen))
        elif form == "csv":
            _csv(chosen, _Utf8(sink))
        else:
            for line in [trail.to_json()] if form == "json" else _json_lines(trail):
                _Utf8(sink).write(f"{line}\n")
        sink.flush()


class _Utf8(NamedTuple):
    """Takes text where bytes go, whatever a console's own encoding is."""

    sink: BinaryIO

    def write(self, text: str) -> int:
        return self.sink.write(text.encode("utf-8", "backslashreplace"))


@contextmanager
def _sink(out: str | None) -> Generator[BinaryIO]:
    try:
        if out is None:
            yield _stdout()
        else:
            with Path(out).open("wb") as file:
                yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        # What goes wrong in writing names no file.
        raise OSError(error.errno, error.strerror, out or "stdout") from None


def _stdout() -> BinaryIO:
    sys.stdout.flush()
    return cast("BinaryIO", sys.stdout.buffer)


def _parquet(table: Table[Any]) -> bytes:
    """The file as a whole: the libraries that write it have each its own words for a full disk."""
    file = io.BytesIO()
    try:
        frames.write_parquet(table, file)
    except ImportError as error:
        raise click.ClickException(f"{error}, or take --format csv.") from None
    return file.getvalue()


def _csv(table: Table[Any], text: _Utf8) -> None:
    """CSV with a head line. No text of a log becomes a formula where a spreadsheet opens it."""
    writer = csv_format.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    columns = [table.column(name) for name in table.columns]
    for row in zip(*columns, strict=True):
        writer.writerow([inert(_plain(value)) for value in row])


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, list):
        return "; ".join(map(str, cast("list[object]", value)))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _json_lines(trail: Trail) -> Iterator[str]:
    for line in lines_of(trail):
        yield json.dumps(line, ensure_ascii=False)


def lines_of(trail: Trail) -> Iterator[dict[str, object]]:
    """The JSON form cut into lines: each object of it with its `type`."""
    yield {"type": "trail", "schema": 1, "version": package.__version__, "traffic": trail.traffic}
    for kind, parts in [
        ("source", trail.sources),
        ("clock", trail.clocks),
        ("flow", trail.flows),
        ("finding", trail.findings),
    ]:
        for part in parts:
            yield {"type": kind, **part.to_dict()}
    for artefact in trail.artefacts:
        yield {"type": "artefact", **artefact}
