"""Which segments are merged, and when."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from wattproof.analytics.manifest import Segment
from wattproof.analytics.segments import FULL_ROWS, SEGMENT_FILE, due_merges


def segment(number: int, rows: int) -> Segment:
    return Segment(
        table="readings",
        file=f"readings-{number}",
        first_entry=number,
        next_entry=number + 1,
        rows=rows,
        size_bytes=rows,
        sha256="",
        ranges={},
    )


def merged(sizes: list[int], *, fan: int = 8) -> list[int]:
    """Sizes after one round of merges."""
    segments = [segment(number, rows) for number, rows in enumerate(sizes)]
    for run in due_merges(segments, fan=fan):
        place = segments.index(run[0])
        assert segments[place : place + len(run)] == run, "neighbours only"
        whole = segment(run[0].first_entry, sum(part.rows for part in run))
        segments[place : place + len(run)] = [whole]
    return [part.rows for part in segments]


def settled(sizes: list[int], *, fan: int = 8) -> list[int]:
    """Sizes when nothing is due any more."""
    while (after := merged(sizes, fan=fan)) != sizes:
        sizes = after
    return sizes


def test_eight_of_a_size_become_one() -> None:
    assert merged([5] * 7) == [5] * 7
    assert merged([5] * 8) == [40]
    assert merged([100_000] * 2 + [5] * 8) == [100_000] * 2 + [40]
    assert merged([1_000_000, *[100_000] * 7]) == [1_000_000, *[100_000] * 7]
    assert merged([1_000_000, *[100_000] * 8]) == [1_000_000, 800_000]
    assert merged([400_000, *[100_000] * 7]) == [1_100_000]


def test_what_makes_a_full_segment_is_merged_at_once() -> None:
    day = 1_920_000
    assert settled([day] * 4) == [day] * 4
    assert settled([day] * 5) == [5 * day]
    assert settled([day] * 30) == [5 * day] * 6


def test_full_segments_stay_and_part_their_neighbours() -> None:
    assert settled([5] * 4 + [FULL_ROWS] + [5] * 4) == [5] * 4 + [FULL_ROWS] + [5] * 4


@given(st.lists(st.integers(1, 2 * FULL_ROWS), max_size=60), st.integers(2, 8))
def test_merges_end_and_lose_nothing(sizes: list[int], fan: int) -> None:
    after = settled(sizes, fan=fan)
    assert sum(after) == sum(sizes)
    assert all(rows < 2 * FULL_ROWS for rows in after if rows not in sizes)


@given(st.lists(st.integers(1, 200_000), min_size=100, max_size=300))
def test_a_growing_lake_keeps_few_files(appended: list[int]) -> None:
    sizes: list[int] = []
    rewritten = 0
    for rows in appended:
        before = [*sizes, rows]
        sizes = settled(before)
        rewritten += sum(rows for rows in sizes if rows not in before)
    assert len(sizes) <= 4 * 8 + sum(appended) // FULL_ROWS
    assert rewritten <= 5 * sum(appended)


def test_names_of_segment_files() -> None:
    assert SEGMENT_FILE.fullmatch("readings-000000000000-000000000012-0a1b2c3d.parquet")
    assert not SEGMENT_FILE.fullmatch("readings.parquet")
