"""Sums of two sides of groups of meters, beside each other, by hour, day, month or year.

What is compared stands in one row: both sides' amounts and grams, integers only; whoever asks
takes differences and percentages of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from wattproof.analytics.readings import READINGS
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import Window, run_query
from wattproof.analytics.table import Array

__all__ = ["Member", "SideSums", "sums_by_side"]

MOST: Final = 4
"""Where more than one meter in so many is asked for, all are added up: telling rows apart would
cost more than what is saved."""

Member = tuple[int, int, int]
"""A meter's number, the group's number, and the side: 0 left, 1 right."""


class SideSums(msgspec.Struct, frozen=True, kw_only=True):
    """Sums as arrays of one length, ordered by `group`, `bucket`; a group without a reading in a
    bucket has no row there.

    `left` and `right` are amounts, `left_g` and `right_g` grams; `left_known` and `right_known`
    count the readings that have an emission, `unknown` those of both sides that have none;
    `present` the members that have a reading, `right_present` those of them on the right.
    """

    group: Array
    bucket: Array
    left: Array
    right: Array
    left_g: Array
    right_g: Array
    left_known: Array
    right_known: Array
    unknown: Array
    present: Array
    right_present: Array


def sums_by_side(
    snapshot: Snapshot, where: Window, *, members: Sequence[Member], entries: int | None = None
) -> SideSums:
    """Sums of the groups that `members` make; a meter may be in several, and counts in each.

    With `entries` only rows of the log's first so many entries count. Raises
    ``analytics.overflow``.
    """
    assert members, "no meter was asked for"
    meters = sorted({meter for meter, _, _ in members})
    held = snapshot.range(READINGS.name, "meter") or (0, 0)
    most = len(meters) * MOST > held[1] - held[0]
    columns = np.array(members, np.int64).reshape(-1, 3)
    names = ("meter", "member_of", "side")
    snapshot.db.register("members", {name: columns[:, at].copy() for at, name in enumerate(names)})
    try:
        found = run_query(
            snapshot, "sums_by_side", where, None if most else meters, entries=entries
        )
    finally:
        snapshot.db.unregister("members")
    return SideSums(
        group=found["member_of"],
        bucket=found["bucket"],
        left=found["left_amount"],
        right=found["right_amount"],
        left_g=found["left_g"],
        right_g=found["right_g"],
        left_known=found["left_known"],
        right_known=found["right_known"],
        unknown=found["unknown"],
        present=found["present"],
        right_present=found["right_present"],
    )
