"""Sums of readings by meter, or by groups of meters, and hour, day, month or year.

Every row is counted once, in the bucket in which its interval begins, so the hours of a day add up
to the day, and the months to the year, to the last base unit and gram.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

import duckdb
import msgspec
import numpy as np

from wattproof.analytics.buckets import bucket_sql
from wattproof.analytics.readings import READINGS, factor_of, meter_of
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.table import Array
from wattproof.core.errors import ErrorCode, OverLimit
from wattproof.core.periods import Step, bucket_bounds

__all__ = [
    "OVERFLOW",
    "Sums",
    "Window",
    "query_text",
    "run_query",
    "sums_by_group",
    "sums_by_meter",
    "window",
]

OVERFLOW = ErrorCode(
    OverLimit,
    "analytics.overflow",
    en="A sum is beyond 64 bits; ask for a shorter time, a shorter step or fewer meters.",
    zh="合计超出 64 位整数范围；请缩短时间范围或步长，或减少表计。",
)

_LISTED_METERS: Final = 256
"""So many meters are named in the query itself, which then skips what holds none of them."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The buckets of a report: `bounds` in Unix seconds, one more than there are buckets.

    Only rows from `start_s` up to `end_s` count; None where all rows lie inside anyway.
    """

    bounds: list[int]
    start_s: int | None
    end_s: int | None

    def span(self, bucket: int) -> tuple[int, int]:
        """Start and end of a bucket, or of as much of it as was asked for."""
        start_s, end_s = self.bounds[bucket], self.bounds[bucket + 1]
        if self.start_s is not None:
            start_s = max(start_s, self.start_s)
        if self.end_s is not None:
            end_s = min(end_s, self.end_s)
        return start_s, end_s


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Sums as arrays of one length, ordered by `key`, `bucket`, `factor`.

    `key` is the meter's number, or the group's; `factor` the number of the factor among the
    lake's names, 0 where there was none; `emission_g` is masked there.
    """

    key: Array
    factor: Array
    bucket: Array
    amount: Array
    emission_g: Array


def window(
    snapshot: Snapshot, *, step: Step, zone: str, start_s: int | None, end_s: int | None
) -> Window | None:
    """The buckets of `zone` that can hold rows; None where there are no rows in that time.

    Raises ``core.zone``, or ``core.buckets`` for too many of them.
    """
    held = snapshot.range(READINGS.name, "start_s")
    if held is None:
        return None
    first_s, last_s = held
    cut_start = start_s if start_s is not None and start_s > first_s else None
    cut_end = end_s if end_s is not None and end_s <= last_s else None
    first_s = first_s if cut_start is None else cut_start
    last_s = last_s if cut_end is None else cut_end - 1
    if first_s > last_s:
        return None
    return Window(
        bounds=bucket_bounds(first_s, last_s, step, zone), start_s=cut_start, end_s=cut_end
    )


def sums_by_meter(
    snapshot: Snapshot, where: Window, *, meters: Sequence[int] | None = None
) -> Sums:
    """Sums of each meter, of `meters` only where they are given (by number)."""
    found = run_query(snapshot, "sums_by_meter", where, meters)
    packed = found["meter_factor"]
    return Sums(
        key=meter_of(packed),
        factor=factor_of(packed),
        bucket=found["bucket"],
        amount=found["amount"],
        emission_g=found["emission_g"],
    )


def sums_by_group(snapshot: Snapshot, where: Window, *, groups: Mapping[int, int]) -> Sums:
    """Sums of groups: `groups` gives the group's number of each meter that is to be counted."""
    members = {
        "meter": np.fromiter(groups.keys(), np.int64, len(groups)),
        "member_of": np.fromiter(groups.values(), np.int64, len(groups)),
    }
    snapshot.db.register("members", members)
    try:
        found = run_query(snapshot, "sums_by_group", where, None)
    finally:
        snapshot.db.unregister("members")
    return Sums(
        key=found["member_of"],
        factor=found["factor"],
        bucket=found["bucket"],
        amount=found["amount"],
        emission_g=found["emission_g"],
    )


@cache
def query_text(name: str) -> str:
    """The text of a query in the package's folder ``queries``."""
    folder = resources.files("wattproof.analytics") / "queries"
    return (folder / f"{name}.sql").read_text(encoding="utf-8")


def run_query(
    snapshot: Snapshot,
    query: str,
    where: Window,
    meters: Sequence[int] | None,
    *,
    entries: int | None = None,
) -> dict[str, Array]:
    """The columns that a query of sums gives: of all meters or of some, of all entries of the log
    or of its first `entries`. Raises ``analytics.overflow``."""
    db = snapshot.db
    within, conditions = _chosen(where, meters)
    if entries is not None and entries < snapshot.manifest.cursor:
        conditions.append(f"entry < {entries}")
    if meters is not None and len(meters) > _LISTED_METERS:
        db.register("wanted", {"meter": np.array(meters, np.int64)})
    text = query_text(query).format(
        readings=snapshot.relation(READINGS.name, **within),
        bucket=bucket_sql(where.bounds),
        chosen=" AND ".join(conditions) or "1 = 1",
    )
    db.execute(query_text("duckdb"))
    try:
        return db.execute(text).fetchnumpy()
    except (duckdb.ConversionException, duckdb.OutOfRangeException):
        raise OVERFLOW() from None


def _chosen(
    where: Window, meters: Sequence[int] | None
) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """What tells files and rows apart: ranges of columns, and conditions."""
    within: dict[str, tuple[int, int]] = {}
    conditions = []
    if where.start_s is not None or where.end_s is not None:
        within["start_s"] = (
            where.bounds[0] if where.start_s is None else where.start_s,
            (where.bounds[-1] if where.end_s is None else where.end_s) - 1,
        )
        conditions.append(f"start_s >= {within['start_s'][0]}")
        conditions.append(f"start_s <= {within['start_s'][1]}")
    if meters is not None:
        assert meters, "no meter was asked for"
        within["meter"] = (min(meters), max(meters))
        if len(meters) > _LISTED_METERS:
            conditions.append("meter IN (SELECT meter FROM wanted)")
        else:
            conditions.append(f"meter IN ({', '.join(map(str, sorted(meters)))})")
    return within, conditions
