"""Sums of two sides: the same as by another road, whoever is in which group however often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from tests.analytics.lakes import Row, columns_of, new_lake
from tests.support.refusals import refused

from wattproof.analytics import sides as module
from wattproof.analytics.lake import Lake
from wattproof.analytics.sides import Member, SideSums, sums_by_side
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import window
from wattproof.core.periods import bucket_start

DAY_S = 86_400
START_S = 1_700_000_000


def read(lake: Lake, members: Sequence[Member], *, entries: int | None = None) -> SideSums:
    def work(snapshot: Snapshot) -> SideSums:
        where = window(snapshot, step="day", zone="Europe/Berlin", start_s=None, end_s=None)
        assert where is not None
        found = sums_by_side(snapshot, where, members=members, entries=entries)
        starts = np.array(where.bounds)[found.bucket]
        return SideSums(**{**{name: getattr(found, name) for name in found.__struct_fields__},
                           "bucket": starts})  # fmt: skip

    return lake.read(work)


def rows_of(sums: SideSums) -> list[tuple[int, ...]]:
    columns = [getattr(sums, name).tolist() for name in sums.__struct_fields__]
    return [tuple(row) for row in zip(*columns, strict=True)]


def by_hand(
    rows: Sequence[Row], members: Sequence[Member], entries: int | None
) -> list[tuple[int, ...]]:
    cells: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0] * 7)
    present: dict[tuple[int, int], set[int]] = defaultdict(set)
    for at, (meter, group, side) in enumerate(members):
        for row in rows:
            if row.meter != meter or (entries is not None and row.entry >= entries):
                continue
            key = (group, bucket_start(row.start_s, "day", "Europe/Berlin"))
            cell = cells[key]
            present[key].add(at)
            cell[side] += row.amount
            if row.emission_g is None:
                cell[6] += 1
            else:
                cell[2 + side] += row.emission_g
                cell[4 + side] += 1
    return [
        (*key, *cells[key], len(present[key]), sum(members[at][2] for at in present[key]))
        for key in sorted(cells)
    ]


ROWS = st.lists(
    st.builds(
        Row,
        st.integers(1, 6),
        st.integers(START_S, START_S + 5 * DAY_S),
        st.integers(0, 2**40),
        st.none() | st.integers(0, 2**40),
    ),
    min_size=1,
    max_size=60,
)
MEMBERS = st.lists(
    st.tuples(st.integers(1, 8), st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=12
)


@settings(max_examples=40, deadline=None)
@given(ROWS, MEMBERS, st.none() | st.integers(0, 4), st.sampled_from([0, 4, 10**6]))
def test_the_same_by_another_road(
    rows: list[Row], members: list[Member], entries: int | None, most: int
) -> None:
    """Also where rows are told apart by meter before they are added up, and where they are not."""
    spread = [
        Row(row.meter, row.start_s, row.amount, row.emission_g, int(row.emission_g is not None),
            at * 4 // len(rows))
        for at, row in enumerate(rows)
    ]  # fmt: skip
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as changed:
        changed.setattr(module, "MOST", most)
        lake = new_lake(Path(folder))
        lake.append(0, 4, {"readings": [columns_of(spread)]})
        found = rows_of(read(lake, members, entries=entries))
    assert found == by_hand(spread, members, entries)


def test_more_meters_than_a_query_names(tmp_path: Path) -> None:
    rows = [Row(meter, START_S, meter, meter, 1) for meter in range(1, 5001)]
    lake = new_lake(tmp_path)
    lake.append(0, 1, {"readings": [columns_of(rows)]})
    members = [(meter, 0, meter % 2) for meter in range(1, 301)]
    (found,) = rows_of(read(lake, members))
    assert found[2:4] == (sum(range(2, 301, 2)), sum(range(1, 301, 2)))
    assert found[-2:] == (300, 150)


def test_a_sum_beyond_64_bits_is_refused(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    rows = [Row(1, START_S, 2**62), Row(2, START_S, 2**62)]
    lake.append(0, 1, {"readings": [columns_of(rows)]})
    refused("analytics.overflow", lambda: read(lake, [(1, 0, 0), (2, 0, 0)]))
