"""The trade records of a region as the log has them: batch by batch, from the newest back.

Each batch names the one before, so that whoever has the log and a region's last entry reads all of
its trades, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import msgspec

from wattproof.core.errors import Broken, ErrorCode
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.store import Entry, Store
from wattproof.settlement.events import HourSum, Settled
from wattproof.settlement.model import DAY_S, HOUR_S
from wattproof.settlement.queries import region_of
from wattproof.settlement.records import RUNS

__all__ = ["TradeBatch", "batches_of", "find_batch"]

NOT_A_BATCH = ErrorCode(
    Broken,
    "settlement.not_a_batch",
    en="Log entry {entry} holds no trades of {region}; audit the ledger.",
    zh="日志条目 {entry} 中没有 {region} 的交易；请审计账本。",
)

_events_of: Final = msgspec.msgpack.Decoder(tuple[int, list[tuple[str, msgspec.Raw]]]).decode
_settled_of: Final = msgspec.msgpack.Decoder(Settled).decode


class TradeBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of trades, its log entry and the time of its block (Unix seconds)."""

    entry: int
    time_s: int
    settled: Settled


def batches_of(
    store: Store,
    region: str,
    *,
    entries: int | None = None,
    from_s: int | None = None,
    to_s: int | None = None,
) -> Iterator[TradeBatch]:
    """The region's batches, newest first, those among the log's first `entries` entries.

    With `from_s` and `to_s` batches are left out, unread, of which no trade can be of an hour in
    that time. Raises ``settlement.region_unknown``.
    """
    entry = region_of(store, region).last_entry
    while entry >= 0:
        stored = store.entry(entry)
        head, raw = _taken(stored, _head_of)
        if head is None or head.region != region:
            raise NOT_A_BATCH(entry=entry, region=region)
        assert head.previous < entry, "a batch names one that came before it"
        time_s = _time_s(stored)
        if from_s is not None and time_s <= from_s:
            return  # all its hours were over by then, and those of the batches before it
        if (entries is None or entry < entries) and _may_be_of(store, head, from_s, to_s):
            yield TradeBatch(entry=entry, time_s=time_s, settled=_settled_of(raw))
        entry = head.previous


def find_batch(store: Store, entry: int) -> TradeBatch | None:
    """The batch in a log entry; None where there is no such entry or it holds no trades."""
    found = store.entries(entry, 1) if 0 <= entry < 2**62 else []
    if not found or found[0].index != entry:
        return None
    settled, _ = _taken(found[0], _settled_of)
    if settled is None:
        return None
    return TradeBatch(entry=entry, time_s=_time_s(found[0]), settled=settled)


class _Head(msgspec.Struct):
    """What a batch says beside its trades."""

    region: str
    run: int
    hours: tuple[HourSum, ...]
    previous: int


_head_of: Final = msgspec.msgpack.Decoder(_Head).decode

T = TypeVar("T")


def _taken(entry: Entry, decode: Callable[[msgspec.Raw], T]) -> tuple[T | None, msgspec.Raw]:
    """What an entry settled, and its bytes; None where it settled nothing."""
    _, events = _events_of(entry.result)
    for name, fields in events:
        if name == Settled.name:
            return decode(fields), fields
    return None, msgspec.Raw()


def _time_s(entry: Entry) -> int:
    return leaf_parts(entry.leaf)[1] // 1000


def _may_be_of(store: Store, head: _Head, from_s: int | None, to_s: int | None) -> bool:
    """Whether a trade of the batch may be of that time.

    A trade with energy has an hour among the sums, on its own day; one that pays arrears alone is
    of the last hour of its run.
    """
    if from_s is None and to_s is None:
        return True
    least_s = -DAY_S if from_s is None else from_s - DAY_S
    most_s = 2**62 if to_s is None else to_s + DAY_S
    if any(least_s < hour.start_s < most_s for hour in head.hours):
        return True
    run = store.get(RUNS, head.region, head.run)
    assert run is not None, f"run {head.run} of {head.region} has batches"
    return least_s < run.until_s - HOUR_S < most_s
