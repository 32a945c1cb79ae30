"""The index of a bucket, computed in SQL, is that of `core.periods`, in every kind of zone."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

import duckdb
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from wattproof.analytics.buckets import bucket_sql, pieces
from wattproof.analytics.sums import query_text
from wattproof.core.periods import STEPS, Step, bucket_bounds, bucket_start, parse_time

ZONES = (
    "Asia/Shanghai",
    "Asia/Seoul",
    "Asia/Kolkata",  # half an hour off the others
    "Asia/Kathmandu",  # three quarters
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour of summer time
    "America/Sao_Paulo",  # changed its clock at midnight
    "America/St_Johns",  # a minute after midnight
    "Pacific/Apia",  # left out 30 December 2011
    "UTC",
)


def evaluated(expression: str, instants: list[int]) -> list[int]:
    """The expression for each instant, by DuckDB."""
    with duckdb.connect() as db:
        db.execute(query_text("duckdb"))
        db.register("instants", {"start_s": np.array(instants, np.int64)})
        return [row[0] for row in db.execute(f"SELECT {expression} FROM instants").fetchall()]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(STEPS),
    st.integers(0, 2_000_000_000),
    st.lists(st.integers(0, 3 * 366 * 86_400), min_size=1, max_size=30),
)
def test_a_row_s_bucket(zone: str, step: Step, first_s: int, later: list[int]) -> None:
    instants = sorted({first_s, *(first_s + seconds for seconds in later)})
    bounds = bucket_bounds(instants[0], instants[-1], step, zone)
    indexes = evaluated(bucket_sql(bounds), instants)
    assert [bounds[index] for index in indexes] == [
        bucket_start(instant, step, zone) for instant in instants
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", STEPS)
def test_at_and_around_every_boundary(zone: str, step: Step) -> None:
    first_s = parse_time("2011-02-27", zone)
    last_s = parse_time("2012-04-02" if step != "hour" else "2011-04-11", zone)
    bounds = bucket_bounds(first_s, last_s, step, zone)
    instants = [at for bound in bounds[1:-1] for at in (bound - 1, bound, bound + 1)]
    assert evaluated(bucket_sql(bounds), instants) == [
        bisect_right(bounds, instant) - 1 for instant in instants
    ]


def test_pieces_tile_the_bounds() -> None:
    bounds = bucket_bounds(
        parse_time("2024-01-01", "Europe/Berlin"),
        parse_time("2025-12-31", "Europe/Berlin"),
        "day",
        "Europe/Berlin",
    )
    found = pieces(bounds)
    assert [piece.count for piece in found] == [90, 1, 209, 1, 153, 1, 209, 1, 66]
    assert [piece.width_s // 3600 for piece in found] == [24, 23, 24, 25, 24, 23, 24, 25, 24]
    for before, after in pairwise(found):
        assert before.start_s + before.count * before.width_s == after.start_s
        assert before.index + before.count == after.index


def test_hours_of_whole_offsets_are_one_division() -> None:
    bounds = bucket_bounds(0, 86_400 * 3650, "hour", "Europe/Berlin")
    assert bucket_sql(bounds) == "0 + int_div(start_s - 0, 3600)"
