"""DataFrames from anything that offers Arrow columns. The libraries are imported only when they are asked for."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Columns(Protocol):
    """Offers columns through the Arrow PyCapsule protocol."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """An Arrow C stream in a capsule."""
        ...


def to_polars(columns: Columns) -> pl.DataFrame:
    """A polars `DataFrame`."""
    try:
        import polars as pl
    except ImportError as error:
        raise ImportError("to_polars() needs polars: pip install 'cmgtrail[polars]'") from error
    return pl.DataFrame(columns)


def to_pandas(columns: Columns) -> pd.DataFrame:
    """A pandas `DataFrame`: texts, numbers and aware times; lists stay lists."""
    try:
        import pandas as pd  # noqa: F401 # pyright: ignore[reportUnusedImport]
        import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise ImportError("to_pandas() needs pandas and pyarrow: pip install 'cmgtrail[pandas]'") from error
    # Without pandas, pyarrow would fail late and unclearly: it is imported above for that, and named here.
    return cast("pd.DataFrame", cast("Any", pa).table(columns).to_pandas())


def write_parquet(columns: Columns, sink: BinaryIO) -> None:
    """Writes columns as a Parquet file."""
    try:
        import polars as pl
    except ImportError:
        pass
    else:
        pl.DataFrame(columns).write_parquet(sink)
        return
    try:
        import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]
        from pyarrow import parquet  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise ImportError("Parquet needs polars or pyarrow: pip install 'cmgtrail[polars]'") from error
    cast("Any", parquet).write_table(cast("Any", pa).table(columns), sink)


def parquet_as_csv(path: str | os.PathLike[str]) -> str:
    """A Parquet file as CSV: only the columns that a site description looks at."""
    wanted = ("id", "name", "sid")
    try:
        import polars as pl
    except ImportError:
        return _by_pyarrow(path, wanted)
    frame = pl.read_parquet(os.fspath(path))
    return frame.select([name for name in frame.columns if name.lower() in wanted]).write_csv()


def _by_pyarrow(path: str | os.PathLike[str], wanted: tuple[str, ...]) -> str:
    try:
        from pyarrow import csv, parquet  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        hint = "Parquet needs polars or pyarrow: pip install 'cmgtrail[polars]', or give a CSV file"
        raise ImportError(hint) from error
    table = cast("Any", parquet).read_table(path)
    rows = io.BytesIO()
    cast("Any", csv).write_csv(table.select([name for name in table.column_names if name.lower() in wanted]), rows)
    return rows.getvalue().decode()
