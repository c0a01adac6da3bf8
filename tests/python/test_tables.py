"""Tables: every library takes them as they are, and they can be asked for rows by column."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cmgtrail
from conftest import example_site, logs_of

OF_A_TRAIL = ["flows", "events", "stages", "joins", "findings", "evidence", "sources", "records"]
AT = "2026-11-04T09:00:00Z"


@pytest.fixture(scope="module")
def pair() -> cmgtrail.Trail:
    """Two clients, one of which fails."""
    return cmgtrail.read(logs_of("two-clients-one-fails"), progress=False)


@pytest.fixture(params=[*OF_A_TRAIL, "verdicts", "predicted stages"])
def table(request: pytest.FixtureRequest, pair: cmgtrail.Trail) -> Any:
    """Each table that there is."""
    if request.param == "verdicts":
        return cmgtrail.validate_tokens(["not.a.token", None], at=AT)
    if request.param == "predicted stages":
        folder = request.getfixturevalue("documented")
        assert (folder / "site.toml").read_text("utf-8") == example_site()
        return cmgtrail.preflight(folder / "site.toml", at=AT).stages
    return getattr(pair, request.param)


def rows_of(table: Any) -> int:
    return len(table) if hasattr(table, "__len__") else sum(1 for _ in table)


def test_polars_takes_it(table: Any) -> None:
    frame = pl.DataFrame(table)
    assert frame.columns == table.columns
    assert frame.height == rows_of(table) > 0
    assert frame.equals(table.to_polars())


def test_pandas_is_sent_the_right_way(table: Any) -> None:
    # Whatever is no sequence is refused by pandas itself.
    words = r"to_pandas\(\)" if type(table) in {cmgtrail.Table, cmgtrail.Records} else "not properly called"
    with pytest.raises((TypeError, ValueError), match=words):
        pd.DataFrame(table)
    assert list(table.to_pandas().columns) == table.columns


def test_pyarrow_takes_it(table: Any) -> None:
    taken = pa.table(table)
    assert taken.column_names == table.columns
    assert taken.num_rows == rows_of(table)
    taken.validate(full=True)
    assert pa.schema(table) == taken.schema


def test_duckdb_takes_it(table: Any) -> None:
    connection = duckdb.connect()
    connection.register("shown", table)
    relation = connection.sql("select * from shown")
    assert relation.columns == table.columns
    assert len(relation.fetchall()) == rows_of(table)


def test_pandas_has_it_with_times_in_utc_microseconds(table: Any) -> None:
    frame = table.to_pandas()
    assert list(frame.columns) == table.columns
    assert len(frame) == rows_of(table)
    schema = pa.schema(table)
    times = [field.name for field in schema if pa.types.is_timestamp(field.type) and field.type.tz]
    assert all(str(frame[name].dtype) == "datetime64[us, UTC]" for name in times)
    if "started" in frame:
        assert isinstance(frame["started"][0], pd.Timestamp)


def test_a_column_is_a_list_of_its_values(pair: cmgtrail.Trail) -> None:
    for name in OF_A_TRAIL[:-1]:
        table = getattr(pair, name)
        taken = pa.table(table)
        for column in table.columns:
            assert table.column(column) == taken[column].to_pylist(), column
    assert pair.flows.column("started") == [flow.started for flow in pair.flows]


def test_rows_are_chosen_by_their_columns(pair: cmgtrail.Trail) -> None:
    flows = pair.flows
    assert sorted(flows.column("outcome")) == ["completed", "failed"]
    failed = flows.where(outcome="failed")
    assert [flow.outcome for flow in failed] == ["failed"]
    assert failed.name == "flows"
    assert failed[0] == flows[failed[0].id]
    assert len(flows.where(outcome=["failed", "completed"])) == len(flows)
    assert len(flows.where(outcome={"stalled"})) == 0
    assert flows.where(outcome="FAILED") == failed
    assert len(flows.where()) == len(flows)
    host = failed[0].client.host
    assert host is not None
    assert list(flows.where(host=host.lower(), outcome="failed")) == list(flows.where(host=host.upper()))
    assert len(flows.where(host=host, outcome="completed")) == 0
    assert flows.where(broke_at=None) == flows.where(outcome="completed")
    assert flows.where(attempts=failed[0].attempts, outcome="failed") == failed
    assert flows.where(started=failed[0].started) == failed


def test_a_column_of_lists_holds_what_is_among_its_values(pair: cmgtrail.Trail) -> None:
    failure = pair.findings[0].failure
    assert pair.flows.where(failures=failure) == pair.flows.where(outcome="failed")
    assert len(pair.flows.where(failures="no-such-failure")) == 0
    assert {stage.status for stage in pair.stages.where(status="failed", inferred=False)} == {"failed"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"outcome": "fail"}, r"outcome: expected one of .*`stalled`.*, found 'fail'"),
        ({"broke_at": ["aad-token", "aad"]}, r"broke_at: expected one of .*, found 'aad'"),
        ({"attempts": "24"}, "attempts: expected a number, found '24'"),
        ({"attempts": [1, True]}, "attempts: expected a number, found 'True'"),
        ({"outcome": 1}, "outcome: expected a text, found '1'"),
        ({"failures": 1}, "failures: expected a text, found '1'"),
        ({"started": datetime(2026, 11, 4)}, "started: expected a datetime with a time zone, found '2026-11-04"),  # noqa: DTZ001
        ({"started": "2026-11-04"}, "started: expected a datetime with a time zone, found '2026-11-04'"),
        ({"host": str.isupper}, "host: expected a value, or a list of values; a comprehension filters by code, found"),
    ],
)
def test_a_value_that_no_row_can_have_is_refused(pair: cmgtrail.Trail, condition: Any, expected: str) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match=expected):
        pair.flows.where(**condition)


def test_the_name_of_a_column_is_no_id_of_a_row(pair: cmgtrail.Trail) -> None:
    with pytest.raises(KeyError, match=r"no 'host' among the flows; column\('host'\) gives a column"):
        pair.flows["host"]
    with pytest.raises(KeyError, match=r"no 'nobody' among the flows\"$"):
        pair.flows["nobody"]


def test_a_column_that_is_not_there_is_said_in_a_sentence(pair: cmgtrail.Trail) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match=r"flows: expected one of its columns \(flow_id, .*found 'hots'"):
        pair.flows.where(hots="PC042")
    with pytest.raises(cmgtrail.ArgumentError, match="found 'hots'"):
        pair.flows.column("hots")
