"""The trade records of a region as the log has them: batch by batch, from the newest back.

Each batch names the one before, so that whoever has the log and a region's last entry reads all of
its trades, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from wattproof.core.errors import Broken, ErrorCode
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.store import Store
from wattproof.settlement.events import Settled
from wattproof.settlement.records import (
    REGIONS,
)
from wattproof.settlement.refusals import REGION_UNKNOWN

__all__ = ["TradeBatch", "batches_of", "find_batch", "settled_at"]

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


def settled_at(store: Store, entry: int, *, region: str = "") -> Settled:
    """The trades that a log entry holds, of `region` if one is given; raises `Broken` for another
    entry."""
    return _batch(store, entry, region).settled


def batches_of(
    store: Store, region: str, *, entries: int | None = None, since_s: int | None = None
) -> Iterator[TradeBatch]:
    """The region's batches, newest first, those among the log's first `entries` entries.

    With `since_s` no batch is given whose block is older: all its trades are of hours that were
    over by then. Raises ``settlement.region_unknown``.
    """
    found = store.get(REGIONS, region)
    if found is None:
        raise REGION_UNKNOWN(region=region)
    entry = found.last_entry
    while entry >= 0:
        batch = _batch(store, entry, region)
        if since_s is not None and batch.time_s <= since_s:
            return
        if entries is None or entry < entries:
            yield batch
        assert batch.settled.previous < entry, "a batch names one that came before it"
        entry = batch.settled.previous


def find_batch(store: Store, entry: int) -> TradeBatch | None:
    """The batch in a log entry; None where there is no such entry or it holds no trades."""
    found = store.entries(entry, 1) if 0 <= entry < 2**62 else []
    if not found or found[0].index != entry:
        return None
    _, events = _events_of(found[0].result)
    settled = [_settled_of(fields) for name, fields in events if name == Settled.name]
    if len(settled) != 1:
        return None
    _, time_ms, _ = leaf_parts(found[0].leaf)
    return TradeBatch(entry=entry, time_s=time_ms // 1000, settled=settled[0])


def _batch(store: Store, entry: int, region: str) -> TradeBatch:
    found = find_batch(store, entry)
    if found is None or (region and found.settled.region != region):
        raise NOT_A_BATCH(entry=entry, region=region or "-")
    return found
