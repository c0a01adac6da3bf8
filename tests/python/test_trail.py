"""The Python classes over the engine, on logs of the corpus."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cmgtrail
from cmgtrail._engine import Zone
from cmgtrail.cli import run
from conftest import HEALTHY, logs_of

TABLES = ["flows", "events", "stages", "joins", "findings", "evidence", "sources"]


@pytest.fixture
def trail(demo: Path) -> cmgtrail.Trail:
    return cmgtrail.read(demo)


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_sequences(trail: cmgtrail.Trail, name: str) -> None:
    table = getattr(trail, name)
    assert table.name == name
    rows = list(table)
    assert len(rows) == len(table) > 0
    assert table[0] == rows[0]
    assert table[-1] == rows[-1]
    assert rows[0] in table
    assert list(table[1:]) == rows[1:]
    assert list(table[::-1]) == rows[::-1]
    assert len(table[:0]) == 0
    with pytest.raises(IndexError, match=name):
        table[len(rows)]
    with pytest.raises(TypeError):
        table[1.5]


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_columns_for_every_library(trail: cmgtrail.Trail, name: str) -> None:
    table = getattr(trail, name)
    arrow = pa.table(table)
    assert arrow.column_names == table.columns
    assert arrow.num_rows == len(table)
    assert pl.DataFrame(table).columns == table.columns
    assert table.to_polars().height == len(table)
    assert isinstance(table.to_pandas(), pd.DataFrame)
    assert list(table.to_pandas().columns) == table.columns
    # A part of a table is a table.
    assert pa.table(table[:1]).num_rows == 1


def test_rows_are_found_by_id(trail: cmgtrail.Trail) -> None:
    flow = trail.flows[0]
    assert trail.flows[flow.id] == flow
    assert flow.id in trail.flows
    assert flow.stages["cmg-connection"].stage == "cmg-connection"
    assert trail.findings[trail.findings[0].failure] == trail.findings[0]
    assert trail.sources[trail.sources[0].path] == trail.sources[0]
    with pytest.raises(KeyError, match="no 'f-none' among the flows"):
        trail.flows["f-none"]


def test_views_lead_to_each_other(trail: cmgtrail.Trail) -> None:
    finding = trail.findings[0]
    flow = finding.flows[0]
    assert finding in flow.findings
    assert flow.stages[0].flow == flow
    assert flow.events[0].flow == flow
    assert flow.events[0].join.event == flow.events[0]
    assert finding.evidence[0].finding == finding


def test_evidence_is_the_line_in_the_file(trail: cmgtrail.Trail, demo: Path) -> None:
    for line in trail.evidence:
        written = (demo / line.source).read_text("utf-8", errors="replace").splitlines()[line.line - 1]
        assert line.text.splitlines()[0] in written


def test_times_are_aware_and_utc(trail: cmgtrail.Trail) -> None:
    started = trail.flows[0].started
    assert started is not None
    assert started.utcoffset() == timezone.utc.utcoffset(None)
    assert str(pa.table(trail.flows).schema.field("started").type) == "timestamp[us, tz=UTC]"
    assert pa.table(trail.flows)["started"][0].as_py() == started


def test_to_dict_is_the_json_of_the_command(
    trail: cmgtrail.Trail, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["diagnose", str(demo), "--format", "json"])
    printed = json.loads(capsys.readouterr().out)
    assert trail.to_dict() == printed
    assert json.loads(trail.to_json(indent=False)) == printed
    assert trail.flows[0].to_dict() == printed["flows"][0]
    assert trail.findings[0].to_dict() == printed["findings"][0]


def test_json_lines_hold_the_same(trail: cmgtrail.Trail, demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["diagnose", str(demo), "--format", "jsonl"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["type"] for line in lines} >= {"trail", "source", "flow", "finding"}
    for kind, part in [("source", "sources"), ("clock", "clocks"), ("flow", "flows"), ("finding", "findings")]:
        of_kind = [
            {key: value for key, value in line.items() if key != "type"} for line in lines if line["type"] == kind
        ]
        assert of_kind == trail.to_dict()[part]


def test_two_runs_say_the_same(trail: cmgtrail.Trail, demo: Path) -> None:
    assert cmgtrail.read([str(demo)]).to_dict() == trail.to_dict()


def test_records_stream_again_and_again(trail: cmgtrail.Trail) -> None:
    count = sum(source.records for source in trail.sources)
    records = trail.records
    assert sum(1 for _ in records) == count
    assert sum(1 for _ in records) == count
    assert pa.table(records).num_rows == records.to_polars().height == count
    first = next(iter(records))
    assert first.line >= 1
    assert first.byte_end > first.byte_start
    assert list(first.to_dict()) == records.columns
    assert json.loads(first.to_json()) == first.to_dict()


def test_records_have_utc_and_local_time(trail: cmgtrail.Trail) -> None:
    for record in trail.records:
        if record.utc and record.local_time and record.bias_minutes is not None:
            shift = record.utc.replace(tzinfo=None) - record.local_time
            assert shift.total_seconds() == record.bias_minutes * 60


def test_progress_is_told_in_bytes(demo: Path) -> None:
    told: list[tuple[int, int]] = []
    cmgtrail.read(demo, progress=lambda done, total: told.append((done, total)))
    assert told
    assert told[-1][0] <= told[-1][1]
    assert told == sorted(told)


def test_an_error_in_the_callback_stops_the_work_or_comes_at_its_end(demo: Path) -> None:
    def refuse(_done: int, _total: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        cmgtrail.read(demo, progress=refuse)


@pytest.mark.parametrize(
    "since",
    ["2026-11-04T09:00:00Z", "2026-11-04T10:00+01:00", "2026-11-04", datetime(2026, 11, 4, tzinfo=timezone.utc)],
)
def test_times_can_be_given_as_text_or_datetime(since: str | datetime) -> None:
    cmgtrail.read(logs_of(HEALTHY), since=since)


@pytest.mark.parametrize("since", [datetime(2026, 11, 4), 5, "yesterday", ""])  # noqa: DTZ001 - that is the point
def test_times_without_a_zone_are_refused(since: Any, tmp_path: Path) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match="since: expected"):
        cmgtrail.read(tmp_path, since=since)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(cmgtrail.ArgumentError, match="found an empty list"):
        cmgtrail.read([])
    with pytest.raises(cmgtrail.PathNotFoundError, match="no-such-folder"):
        cmgtrail.read(tmp_path / "no-such-folder")


def test_files_without_a_record_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here\n")
    with pytest.raises(cmgtrail.NoRecordsError, match="no log record"):
        cmgtrail.read(tmp_path)


@pytest.mark.parametrize("thing", ["flows", "findings", "sources"])
def test_nothing_can_be_changed(trail: cmgtrail.Trail, thing: str) -> None:
    with pytest.raises(AttributeError):
        setattr(trail, thing, None)
    with pytest.raises(AttributeError):
        trail.flows[0].outcome = "completed"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", [*TABLES, "clocks"])
def test_everything_has_text_and_a_card(trail: cmgtrail.Trail, name: str) -> None:
    for row in getattr(trail, name)[:3]:
        assert repr(row).startswith(f"<{type(row).__name__}")
        assert row._repr_html_().startswith("<style>")
    assert repr(trail).startswith("<Trail: ")
    assert "<table>" in trail._repr_html_()


def test_zones_read_and_show_times() -> None:
    new_york = Zone("America/New_York")
    moment = new_york.parse("2026-07-01 08:00")
    assert moment == datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
    assert new_york.show(moment) == "2026-07-01 08:00:00"
    assert Zone().show(moment, digits=3) == "2026-07-01 12:00:00.000"
    with pytest.raises(cmgtrail.ArgumentError, match="Mars/Olympus"):
        Zone("Mars/Olympus")
