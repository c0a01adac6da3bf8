# pyright: basic
"""Logs and tokens in Apache Spark: each folder is read in an executor, each token judged where it lies.

Needs `pip install 'cmgtrail[spark]'` on the driver and on all executors, and paths that the executors can see.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import cmgtrail

try:
    import pyarrow as pa
    from pyspark.sql.functions import arrow_udf  # pyright: ignore[reportMissingImports]
except ImportError as error:
    raise ImportError("cmgtrail.spark needs pyspark 4.1 or newer and pyarrow: pip install 'cmgtrail[spark]'") from error

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pyspark.sql import Column, DataFrame, SparkSession  # pyright: ignore[reportMissingImports]

    from cmgtrail.frames import Columns

    PathLike = str | os.PathLike[str]

TABLES = ("flows", "events", "stages", "joins", "findings", "evidence", "sources")
"""The tables of a trail."""

_LINE = (
    '<![LOG[.]LOG]!><time="09:00:00.000+000" date="11-04-2026" component="a" context="" type="1" thread="1" file="">'
)
"""The least log that there is: its trail has no rows, and all columns."""

_TEXTS = (pa.string(), pa.large_string(), pa.string_view())
_WORDS = {
    pa.string(): "string",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.timestamp("us"): "timestamp_ntz",
    pa.timestamp("us", "UTC"): "timestamp",
}
"""Spark's words for the types that columns have here."""


def records(
    session: SparkSession,
    paths: PathLike | Iterable[PathLike],
    *,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    encoding: str | None = None,
) -> DataFrame:
    """The records of logs, as `cmgtrail.records` has them, with the path that each was read from.

    Args:
        session: The Spark session.
        paths: Folders, zip files, files or patterns, each read on its own and as one task.
        since: As for `cmgtrail.records`.
        until: As there.
        encoding: As there.

    Returns:
        A `DataFrame` with the column `logs`, the path as given, before those of `cmgtrail.Records`. `utc` is a
        `timestamp`, `local_time` a `timestamp_ntz`, whole numbers are `bigint`.

    Raises:
        ArgumentError: An argument cannot be used.
    """
    options = {"since": since, "until": until, "encoding": encoding}

    def read(path: str) -> Columns:
        return cmgtrail.records(path, progress=False, **options)

    return _mapped(session, paths, read, cmgtrail.records([], progress=False, **options))


def table(
    session: SparkSession,
    paths: PathLike | Iterable[PathLike],
    name: str,
    **options: Any,  # noqa: ANN401 - those of `read`
) -> DataFrame:
    """A table of the trails of many folders, each read and diagnosed on its own, such as the bundles of many clients.

    What belongs together, such as a client's logs and its servers', belongs into one folder.

    Args:
        session: The Spark session.
        paths: Folders, zip files, files or patterns, each a trail and a task. One that holds no record gives no row.
        name: `flows`, `events`, `stages`, `joins`, `findings`, `evidence` or `sources`.
        **options: `knowledge`, `site`, `since`, `until`, `client` and `encoding`, as for `cmgtrail.read`.

    Returns:
        A `DataFrame` with the column `logs`, the path as given, before those of the table. Ids of flows and numbers of
        findings are those of their path's trail.

    Raises:
        ValueError: There is no such table.
        CmgTrailError: An option cannot be used.
    """
    if name not in TABLES:
        raise ValueError(f"name: expected one of {', '.join(TABLES)}, found {name!r}")

    def read(path: str) -> Columns | None:
        try:
            return getattr(cmgtrail.read(path, progress=False, **options), name)
        except cmgtrail.NoRecordsError:
            return None

    with tempfile.TemporaryDirectory() as folder:
        least = Path(folder, "least.log")
        least.write_text(_LINE, "utf-8")
        return _mapped(session, paths, read, getattr(cmgtrail.read(least, progress=False, **options), name))


def validate_tokens(
    tokens: Column | str,
    *,
    keys: Any = None,  # noqa: ANN401 - as `cmgtrail.validate_tokens` takes them
    at: datetime | str,
    **options: Any,  # noqa: ANN401 - those of `cmgtrail.validate_tokens`
) -> Column:
    """Verdicts on a column of tokens, each as `cmgtrail.validate_tokens` gives it.

    Args:
        tokens: The column, or its name.
        keys: As for `cmgtrail.validate_tokens`, but no `KeySet`. Files are read here, on the driver.
        at: The instant at which they must be valid.
        **options: `audience`, `issuers`, `tenants`, `leeway` and `mask`, as there.

    Returns:
        A column of structs with the columns of `cmgtrail.Verdicts` as fields; all are null where there is no token.

    Raises:
        CmgTrailError: An argument cannot be used.
    """
    given = {**options, "at": at, "progress": False}
    carried = _carried(keys)
    layout = _layout(cmgtrail.validate_tokens([], keys=carried, **given))
    arrow = pa.schema(layout)

    @cast("Any", arrow_udf)(_ddl(layout))
    def verdicts(batches: Iterator[pa.Array]) -> Iterator[pa.Array]:
        known = None if carried is None else cmgtrail.KeySet(carried)
        for batch in batches:
            judged = pa.table(cmgtrail.validate_tokens(batch, keys=known, **given)).cast(arrow)
            yield judged.to_struct_array().combine_chunks()

    return verdicts(tokens)


def _mapped(
    session: SparkSession,
    paths: PathLike | Iterable[PathLike],
    read: Callable[[str], Columns | None],
    least: Columns,
) -> DataFrame:
    """What `read` gives for each path, in executors. `least` has its columns."""
    single = isinstance(paths, (str, os.PathLike))
    rows = [(os.fspath(path),) for path in ([paths] if single else paths)]
    layout = [pa.field("logs", pa.string()), *_layout(least)]
    arrow = pa.schema(layout)

    def columns(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for path in (path for batch in batches for path in batch.column(0).to_pylist()):
            found = read(path)
            for part in pa.RecordBatchReader.from_stream(found) if found is not None else ():
                held = pa.Table.from_batches([part])
                named = held.add_column(0, arrow.field(0), pa.array([path] * held.num_rows, pa.string()))
                yield from named.cast(arrow).to_batches()

    each = session.createDataFrame(rows, "path string").repartition(max(len(rows), 1))
    return each.mapInArrow(columns, _ddl(layout))


def _layout(columns: Columns) -> list[pa.Field]:
    """The columns as Spark has them: no dictionaries, no large types, one kind of whole number."""
    schema = pa.RecordBatchReader.from_stream(columns).schema
    return [pa.field(field.name, _plain(field.type)) for field in schema]


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_integer(kind):
        return pa.int64()
    return pa.string() if kind in _TEXTS else kind


def _ddl(layout: list[pa.Field]) -> str:
    """The layout in Spark's words. Some names, such as `from`, are words of SQL."""
    return ", ".join(f"`{field.name}` {_word(field.type)}" for field in layout)


def _word(kind: pa.DataType) -> str:
    return f"array<{_word(kind.value_type)}>" if pa.types.is_list(kind) else _WORDS[kind]


def _carried(keys: Any) -> Any:  # noqa: ANN401
    """Keys as they travel to the executors: what stands in files of the driver is read here."""
    if isinstance(keys, cmgtrail.KeySet):
        raise TypeError("keys: expected what a KeySet is made from, found a KeySet, which cannot be sent to executors")
    if isinstance(keys, (str, os.PathLike)):
        return Path(keys).read_bytes() if _is_file(keys) else keys
    if isinstance(keys, Iterable) and not isinstance(keys, (bytes, bytearray, Mapping)):
        return [_carried(one) for one in keys]
    return keys


def _is_file(text: PathLike) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        # A JWKS or PEM, too long or with characters that no path has.
        return False
