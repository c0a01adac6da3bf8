"""Logs and tokens in a real Spark: the same rows as without it, in Spark's own types."""

from __future__ import annotations

import doctest
import json
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cmgtrail
import minted
from cmgtrail import spark
from conftest import CORPUS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

# Nothing here goes through pandas, which Spark looks for all the same.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

CASES = ["root-missing-mask-8", "joins-servers-of-many-strangers", "intranet-noise-no-cmg-traffic"]
PATHS = [CORPUS / case / "logs" for case in CASES]
NO_LOG = "not a log\n"


def rows(frame: DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame: aware times where Spark has a point in time, which the driver shows in its own zone."""
    points = [field.name for field in frame.schema if field.dataType.simpleString() == "timestamp"]
    return [
        {
            name: value.astimezone(timezone.utc) if name in points and value else value
            for name, value in row.asDict().items()
        }
        for row in frame.collect()
    ]


def expected(path: Path, columns: Any) -> Iterator[dict[str, Any]]:
    """The same without Spark."""
    for row in columns.to_polars().to_dicts():
        yield {"logs": str(path), **row}


def in_order(found: list[dict[str, Any]]) -> list[str]:
    """Rows to compare: Spark promises no order between paths, and the order within one is kept by the numbers."""
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in found)


def test_records_are_those_of_each_path(session: SparkSession) -> None:
    found = rows(spark.records(session, PATHS))
    wanted = [row for path in PATHS for row in expected(path, cmgtrail.records(path))]
    assert len(wanted) > 100
    assert in_order(found) == in_order(wanted)
    assert len({row["utc"] for row in found}) > 50


def test_records_have_types_of_spark(session: SparkSession) -> None:
    frame = spark.records(session, PATHS[0], since="2026-11-04T08:12:40Z")
    types = {field.name: field.dataType.simpleString() for field in frame.schema}
    assert list(types) == ["logs", *cmgtrail.records([]).columns]
    assert types["utc"] == "timestamp"
    assert types["local_time"] == "timestamp_ntz"
    assert {types[name] for name in ["source", "host", "text"]} == {"string"}
    assert {types[name] for name in ["line", "byte_start", "bias_minutes", "thread"]} == {"bigint"}
    assert types["damaged"] == "boolean"
    count = sum(1 for _ in cmgtrail.records(PATHS[0], since="2026-11-04T08:12:40Z"))
    assert 0 < frame.count() == count < sum(1 for _ in cmgtrail.records(PATHS[0]))


def test_a_time_is_the_point_in_time_that_it_was(session: SparkSession) -> None:
    frame = spark.records(session, PATHS[0]).selectExpr(
        "unix_micros(utc) as micros", "cast(local_time as string) as local"
    )
    first = next(iter(cmgtrail.records(PATHS[0])))
    row = frame.first()
    assert row is not None
    assert first.utc is not None
    assert first.local_time is not None
    assert datetime.fromtimestamp(row["micros"] / 1e6, timezone.utc) == first.utc
    assert datetime.fromisoformat(row["local"]) == first.local_time


@pytest.mark.parametrize("name", spark.TABLES)
def test_each_table_is_that_of_each_trail(name: str, session: SparkSession) -> None:
    found = rows(spark.table(session, PATHS, name))
    wanted = [row for path in PATHS for row in expected(path, getattr(cmgtrail.read(path), name))]
    assert wanted
    assert in_order(found) == in_order(wanted)


def test_a_path_without_a_log_gives_no_row_and_one_that_is_not_there_is_said(
    session: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text(NO_LOG, "utf-8")
    found = spark.table(session, [tmp_path, PATHS[0]], "findings").select("logs", "failure").collect()
    assert [tuple(row) for row in found] == [(str(PATHS[0]), "cmg-root-ca-missing")]
    assert spark.table(session, [], "flows").count() == 0
    with pytest.raises(Exception, match="nothing to read at '/nowhere'"):
        spark.records(session, "/nowhere").count()
    with pytest.raises(ValueError, match="expected one of flows"):
        spark.table(session, PATHS, "rows")
    with pytest.raises(cmgtrail.ArgumentError):
        spark.table(session, PATHS, "flows", since="noon")


def tokens() -> list[str | None]:
    good = minted.token()
    return [
        good,
        None,
        minted.token(exp=1),
        good[:-4] + "AAAA",
        "no token",
        minted.token(aud="https://else"),
        *[good] * 9,
    ]


def test_tokens_are_judged_where_they_lie(session: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(minted.jwks()), "utf-8")
    options = {"audience": minted.AUDIENCE, "at": minted.AT, "tenants": [minted.TENANT]}
    given = list(enumerate(tokens()))
    frame = session.createDataFrame(given, "place bigint, token string").repartition(3)
    wanted = (
        cmgtrail.validate_tokens([token for _, token in given], keys=minted.jwks(), **options).to_polars().to_dicts()
    )
    assert {row["valid"] for row in wanted} == {True, False, None}
    for keys in [minted.jwks(), json.dumps(minted.jwks()), tmp_path / "keys.json", str(tmp_path / "keys.json")]:
        verdict = spark.validate_tokens("token", keys=keys, **options).alias("verdict")
        judged = frame.select("place", verdict).orderBy("place").select("verdict.*")
        assert rows(judged) == wanted
    assert judged.schema["failed"].dataType.simpleString() == "array<string>"


def test_a_verdict_can_be_a_condition(session: SparkSession) -> None:
    frame = session.createDataFrame([(token,) for token in tokens()], "token string")
    verdict = spark.validate_tokens(frame["token"], keys=minted.jwks(), audience=minted.AUDIENCE, at=minted.AT)
    assert frame.where(verdict.getField("valid")).count() == 10


def test_what_cannot_be_used_is_said_before_any_job() -> None:
    with pytest.raises(cmgtrail.ArgumentError):
        spark.validate_tokens("token", at="noon")
    with pytest.raises(TypeError, match="KeySet"):
        spark.validate_tokens("token", keys=cmgtrail.KeySet(minted.jwks()), at=minted.AT)


def test_the_page_says_what_spark_does(session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for client, case in {"PC042": "root-missing-mask-8", "PC043": "healthy-install-and-registration"}.items():
        shutil.copytree(CORPUS / case / "logs", tmp_path / "bundles" / client)
    (tmp_path / "keys.json").write_text(json.dumps(minted.jwks()), "utf-8")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "spark.md").read_text("utf-8").replace("/mnt/", f"{tmp_path}/")
    told = {"session": session, "tokens": session.createDataFrame([(minted.token(),), (None,)], "token string")}
    examples = doctest.DocTestParser().get_doctest(page, told, "spark.md", "docs/spark.md", 0)
    failed = doctest.DocTestRunner().run(examples).failed
    assert (failed, len(examples.examples)) == (0, 8)
