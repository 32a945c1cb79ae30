"""The same SQL text on Spark gives the same integers as on DuckDB."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.analytics.lakes import Row, columns_of, new_lake

from wattproof.analytics.buckets import bucket_sql
from wattproof.analytics.lake import Lake
from wattproof.analytics.sides import SideSums, sums_by_side
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import Sums, query_text, sums_by_group, sums_by_meter, window
from wattproof.core.periods import Step

pytest.importorskip("pyspark", reason="pyspark is not installed")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("Spark needs Java, which is not installed", allow_module_level=True)

GROUPS = {meter: meter % 3 for meter in range(1, 21)}

STEPS_AND_ZONES: list[tuple[Step, str]] = [
    ("hour", "Asia/Kolkata"),
    ("day", "Europe/Berlin"),
    ("month", "Asia/Seoul"),
    ("year", "Asia/Shanghai"),
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two years of readings, some without a factor, in three segments."""
    lake, rng = new_lake(tmp_path_factory.mktemp("lake")), np.random.default_rng(7)
    for number in range(3):
        rows = []
        for _ in range(2000):
            meter, start_s, amount, factor = (
                int(rng.integers(low, high))
                for low, high in ((1, 21), (1_700_000_000, 1_763_000_000), (0, 2**40), (0, 4))
            )
            rows.append(Row(meter, start_s, amount, amount // 3 if factor else None, factor))
        lake.append(number, number + 1, {"readings": [columns_of(rows)]})
    return lake


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    sql = importlib.import_module("pyspark.sql")
    builder = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    session.sql(query_text("spark"))
    yield session
    session.stop()


@pytest.mark.parametrize(("step", "zone"), STEPS_AND_ZONES)
def test_both_engines_give_the_same_integers(lake: Lake, spark: Any, step: Step, zone: str) -> None:
    def work(snapshot: Snapshot) -> tuple[list[int], Sums, Sums]:
        where = window(snapshot, step=step, zone=zone, start_s=None, end_s=None)
        assert where is not None
        by_group = sums_by_group(snapshot, where, groups=GROUPS)
        return where.bounds, sums_by_meter(snapshot, where), by_group

    bounds, by_meter, by_group = lake.read(work)
    files = [str(path) for path in lake.files("readings")]
    spark.read.parquet(*files).createOrReplaceTempView("held")
    members = list(GROUPS.items())
    frame = spark.createDataFrame(members, "meter BIGINT, member_of BIGINT")
    frame.createOrReplaceTempView("members")
    filled = {"readings": "held", "bucket": bucket_sql(bounds), "chosen": "1 = 1"}
    rows = spark.sql(query_text("sums_by_meter").format(**filled)).collect()
    packed = by_meter.key * 2**20 + by_meter.factor
    assert [tuple(row) for row in rows] == as_rows(packed, by_meter)
    rows = spark.sql(query_text("sums_by_group").format(**filled)).collect()
    assert [(row[0], *row[2:], row[1]) for row in rows] == [
        (*row, factor)
        for row, factor in zip(
            as_rows(by_group.key, by_group), by_group.factor.tolist(), strict=True
        )
    ]


def test_both_engines_give_the_same_sides(lake: Lake, spark: Any) -> None:
    """Some meters stand in two groups, or in one group twice."""
    members = [(meter, meter % 3, meter % 2) for meter in range(1, 21)]
    members += [(meter, 3, 0) for meter in (1, 2, 2)]

    def work(snapshot: Snapshot) -> tuple[list[int], SideSums]:
        where = window(snapshot, step="day", zone="Europe/Berlin", start_s=None, end_s=None)
        assert where is not None
        return where.bounds, sums_by_side(snapshot, where, members=members)

    bounds, sums = lake.read(work)
    files = [str(path) for path in lake.files("readings")]
    spark.read.parquet(*files).createOrReplaceTempView("held")
    frame = spark.createDataFrame(members, "meter BIGINT, member_of BIGINT, side BIGINT")
    frame.createOrReplaceTempView("members")
    filled = {"readings": "held", "bucket": bucket_sql(bounds), "chosen": "1 = 1"}
    rows = spark.sql(query_text("sums_by_side").format(**filled)).collect()
    columns = [getattr(sums, name).tolist() for name in sums.__struct_fields__]
    assert [tuple(row) for row in rows] == list(zip(*columns, strict=True))


def as_rows(key: Any, sums: Sums) -> list[tuple[int, int, int, int | None]]:
    columns = (key, sums.bucket, sums.amount, sums.emission_g)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_sum_beyond_64_bits_is_an_error_there_too(spark: Any, tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    rows = [Row(1, 0, 2**62), Row(1, 900, 2**62)]
    lake.append(0, 1, {"readings": [columns_of(rows)]})
    spark.read.parquet(str(lake.files("readings")[0])).createOrReplaceTempView("held")
    text = query_text("sums_by_meter").format(readings="held", bucket="0", chosen="1 = 1")
    with pytest.raises(Exception, match="ARITHMETIC_OVERFLOW"):
        spark.sql(text).collect()
