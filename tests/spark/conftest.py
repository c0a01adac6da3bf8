"""A real Spark on this machine: a JVM, two workers, and a session in a zone far from UTC."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"

# What makes tokens and keys is read by the same helper as in the other tests.
sys.path.insert(0, str(ROOT / "tests" / "python"))


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session. Its zone is that of neither the logs nor UTC, and so is the machine's."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    work = tmp_path_factory.mktemp("spark")
    builder = SparkSession.builder.master("local[2]").appName("cmgtrail")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.local.dir": str(work),
        "spark.sql.warehouse.dir": str(work / "warehouse"),
        "spark.sql.session.timeZone": "America/Phoenix",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "7",
        "spark.sql.ansi.enabled": "true",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    made = builder.getOrCreate()
    yield made
    made.stop()
