"""Sums by meter and by group against plain Python, and the SQL that gives them."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.analytics.lakes import Row, columns_of, new_lake
from tests.support.refusals import refused

from wattproof.analytics.lake import Lake
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import Sums, query_text, sums_by_group, sums_by_meter, window
from wattproof.core.periods import STEPS, Step, bucket_start

START_S = 1_767_196_800
"""The start of 2026 in Shanghai."""

Summed = dict[tuple[int, int, int], tuple[int, int | None]]


def filled(folder: Path, rows: list[Row], *, segments: int = 1) -> Lake:
    lake = new_lake(folder)
    for number in range(segments):
        lake.append(number, number + 1, {"readings": [columns_of(rows[number::segments])]})
    return lake


def by_key(sums: Sums, bounds: list[int]) -> Summed:
    """(key, start of bucket, factor) -> (amount, grams); the order must be theirs too."""
    keys = list(zip(sums.key.tolist(), sums.bucket.tolist(), sums.factor.tolist(), strict=True))
    assert keys == sorted(set(keys))
    values = zip(sums.amount.tolist(), sums.emission_g.tolist(), strict=True)
    return {
        (key, bounds[bucket], factor): value
        for (key, bucket, factor), value in zip(keys, values, strict=True)
    }


def meter_sums(
    lake: Lake,
    *,
    step: Step = "day",
    zone: str = "Asia/Shanghai",
    start_s: int | None = None,
    end_s: int | None = None,
    meters: list[int] | None = None,
) -> Summed:
    def work(snapshot: Snapshot) -> Summed:
        where = window(snapshot, step=step, zone=zone, start_s=start_s, end_s=end_s)
        if where is None:
            return {}
        return by_key(sums_by_meter(snapshot, where, meters=meters), where.bounds)

    return lake.read(work)


def group_sums(
    lake: Lake, groups: dict[int, int], *, step: Step = "day", zone: str = "Asia/Shanghai"
) -> Summed:
    def work(snapshot: Snapshot) -> Summed:
        where = window(snapshot, step=step, zone=zone, start_s=None, end_s=None)
        assert where is not None
        return by_key(sums_by_group(snapshot, where, groups=groups), where.bounds)

    return lake.read(work)


def expected(rows: list[Row], *, step: Step, zone: str, groups: dict[int, int]) -> Summed:
    found: dict[tuple[int, int, int], list[Row]] = defaultdict(list)
    for row in rows:
        if row.meter in groups:
            key = (groups[row.meter], bucket_start(row.start_s, step, zone), row.factor)
            found[key].append(row)
    return {
        key: (
            sum(row.amount for row in held),
            sum(row.emission_g or 0 for row in held) if key[2] else None,
        )
        for key, held in found.items()
    }


ROWS = st.lists(
    st.builds(
        Row,
        meter=st.integers(1, 5),
        start_s=st.integers(1_690_000_000, 1_720_000_000).map(lambda at_s: at_s // 900 * 900),
        amount=st.integers(0, 2**40),
        emission_g=st.integers(0, 2**40),
        factor=st.integers(0, 3),
    ).map(lambda row: row if row.factor else Row(row.meter, row.start_s, row.amount)),
    min_size=1,
    max_size=60,
)
ZONES = st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "Asia/Seoul"])


@settings(max_examples=40, deadline=None)
@given(ROWS, ZONES, st.integers(1, 4), st.sampled_from([[1], [2, 3], [1, 2, 3, 4, 5], [9]]))
def test_sums_are_those_of_plain_arithmetic(
    rows: list[Row], zone: str, segments: int, meters: list[int]
) -> None:
    every = {meter: meter for meter in range(1, 6)}
    some = {meter: meter for meter in meters}
    odd_and_even = {1: 7, 2: 4, 3: 7, 4: 4}
    with TemporaryDirectory() as folder:
        lake = filled(Path(folder), rows, segments=segments)
        for step in STEPS:
            by_meter = meter_sums(lake, step=step, zone=zone)
            assert by_meter == expected(rows, step=step, zone=zone, groups=every)
            chosen = meter_sums(lake, step=step, zone=zone, meters=meters)
            assert chosen == expected(rows, step=step, zone=zone, groups=some)
            grouped = group_sums(lake, odd_and_even, step=step, zone=zone)
            assert grouped == expected(rows, step=step, zone=zone, groups=odd_and_even)


@settings(max_examples=15, deadline=None)
@given(ROWS, ZONES)
def test_hours_add_up_to_days_months_and_years(rows: list[Row], zone: str) -> None:
    with TemporaryDirectory() as folder:
        lake = filled(Path(folder), rows, segments=3)
        lake.compact(fan=2)
        coarse = {step: meter_sums(lake, step=step, zone=zone) for step in STEPS}
    for fine, step in pairwise(STEPS):
        added: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0, 0])
        for (meter, start_s, factor), (amount, grams) in coarse[fine].items():
            total = added[meter, bucket_start(start_s, step, zone), factor]
            total[0] += amount
            total[1] += grams or 0
        assert {key: tuple(value) for key, value in added.items()} == {
            key: (amount, grams or 0) for key, (amount, grams) in coarse[step].items()
        }


@settings(max_examples=20, deadline=None)
@given(ROWS, st.integers(1_690_000_000, 1_720_000_000), st.integers(1, 20_000_000))
def test_only_what_begins_in_the_time_counts(rows: list[Row], start_s: int, length_s: int) -> None:
    end_s = start_s + length_s
    inside = [row for row in rows if start_s <= row.start_s < end_s]
    every = {meter: meter for meter in range(1, 6)}
    with TemporaryDirectory() as folder:
        lake = filled(Path(folder), rows, segments=2)
        found = meter_sums(lake, step="month", start_s=start_s, end_s=end_s)
    assert found == expected(inside, step="month", zone="Asia/Shanghai", groups=every)


def test_a_bucket_that_is_cut_says_so(tmp_path: Path) -> None:
    lake = filled(tmp_path, [Row(1, START_S + 900 * step, 1) for step in range(200)])

    def work(snapshot: Snapshot) -> list[tuple[int, int]]:
        start_s, end_s = START_S + 3600, START_S + 90_000
        where = window(snapshot, step="day", zone="Asia/Shanghai", start_s=start_s, end_s=end_s)
        assert where is not None
        return [where.span(0), where.span(1)]

    assert lake.read(work) == [
        (START_S + 3600, START_S + 86_400),
        (START_S + 86_400, START_S + 90_000),
    ]


def test_many_meters_by_number(tmp_path: Path) -> None:
    rows = [Row(meter, START_S, meter) for meter in range(1, 1001)]
    lake = filled(tmp_path, rows)
    found = meter_sums(lake, meters=list(range(1, 1001, 2)))
    assert sum(amount for amount, _ in found.values()) == sum(range(1, 1001, 2))


def test_no_rows_in_the_time(tmp_path: Path) -> None:
    assert meter_sums(new_lake(tmp_path / "empty")) == {}
    lake = filled(tmp_path, [Row(1, START_S, 1)])
    assert meter_sums(lake, start_s=START_S + 1) == {}
    assert meter_sums(lake, end_s=START_S) == {}
    assert len(meter_sums(lake, start_s=START_S, end_s=START_S + 1)) == 1


def test_a_sum_beyond_64_bits_is_refused(tmp_path: Path) -> None:
    lake = filled(tmp_path, [Row(meter, START_S, 2**62) for meter in (1, 2)])
    assert len(meter_sums(lake)) == 2
    refused("analytics.overflow", lambda: group_sums(lake, {1: 1, 2: 1}))
    lake.append(1, 2, {"readings": [columns_of([Row(1, START_S, 2**62)])]})
    refused("analytics.overflow", lambda: meter_sums(lake))


QUERIES = ("sums_by_meter", "sums_by_group", "sums_by_side")


@pytest.mark.parametrize("name", QUERIES)
def test_queries_use_the_portable_subset_only(name: str) -> None:
    """No date functions, no ratios, no casts that could round: words that both engines share."""
    text = re.sub(r"--.*", "", query_text(name))
    words = set(re.findall(r"[A-Z_]+\b", text))
    assert words <= {
        "SELECT", "FROM", "WHERE", "AS", "CAST", "SUM", "BIGINT", "GROUP", "ORDER", "BY",
        "CASE", "WHEN", "THEN", "ELSE", "END", "COALESCE", "COUNT",
        "INNER", "JOIN", "ON",
    }  # fmt: skip
    assert not re.findall(r"\b[a-z_]+\(", text)
    assert not re.search(r"//|/|::|\bdiv\b|;", text)


def test_every_query_file_is_known() -> None:
    folder = Path(__file__).parents[2] / "src/wattproof/analytics/queries"
    assert {path.stem for path in folder.glob("*.sql")} == {*QUERIES, "duckdb", "spark"}
