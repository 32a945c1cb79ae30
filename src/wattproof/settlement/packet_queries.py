"""Which packets are behind a trade: those whose readings lie in its hours.

Packets of a meter go on in time with their sequence numbers, so the first of a period is found by
halving. What a register gained during a gap counts in the hour that ends the gap, so the packet
that comes after it can be behind hours that it has no reading of.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wattproof.ledger.chain import receipt_of
from wattproof.ledger.store import Store
from wattproof.metering.model import (
    FIRST_SEQUENCE,
    PACKETS,
    STREAMS,
    PacketAccepted,
    PacketRow,
    catch_up_span,
)
from wattproof.settlement.queries import run_of
from wattproof.settlement.records import USAGE
from wattproof.settlement.trade_queries import TradeView
from wattproof.settlement.trade_records import find_batch

__all__ = ["MAX_PACKETS", "packets_behind", "packets_of"]

MAX_PACKETS: Final = 1_000
"""Packets that are named at most: more than a reading a packet, every two minutes of a day."""


def packets_of(
    store: Store, number: int, from_s: int, to_s: int, *, limit: int = MAX_PACKETS
) -> list[PacketRow]:
    """The first packets of meter `number` that report of a time, in whole local hours; in order.

    A packet does where one of its readings begins from `from_s` up to `to_s`, or where the register
    caught up then. Those from before the meter traded in its region are not among them.
    """
    usage = store.get(USAGE, number)
    since_entry = 0 if usage is None else usage.since_entry
    return _reporting(store, number, from_s, to_s, since_entry=since_entry, limit=limit)


def packets_behind(store: Store, trade: TradeView, *, limit: int = MAX_PACKETS) -> list[PacketRow]:
    """The packets whose readings a trade has, in order.

    Where something of its hours was settled before, the packets that an earlier trade has are left
    out: only what came since is behind this one.
    """
    if not trade.hours:
        return []
    usage = store.get(USAGE, trade.number)
    assert usage is not None, f"{trade.device} has traded"
    # A meter that has moved to another region since had traded in the old one from earlier on.
    since_entry = usage.since_entry if usage.since_entry < trade.entry else 0
    found = _reporting(
        store, trade.number, trade.first_s, trade.end_s, since_entry=since_entry, limit=limit
    )
    there = [row for row in found if row.entry < trade.entry]
    before = find_batch(store, trade.previous)
    if before is None or before.settled.region != trade.region:
        return there
    left_s = run_of(store, before.settled.region, before.settled.run).until_s
    from_s = max(trade.first_s, left_s)
    return [
        row
        for row in there
        if row.entry > trade.previous or _reports(store, row, from_s, trade.end_s)
    ]


def _reporting(
    store: Store, number: int, from_s: int, to_s: int, *, since_entry: int, limit: int
) -> list[PacketRow]:
    found: list[PacketRow] = []
    row = _first_ending_from(store, number, from_s)
    while row is not None and len(found) < limit:
        if row.entry >= since_entry and _reports(store, row, from_s, to_s):
            found.append(row)
        # Of those that begin later, only the first one can have caught up on what was before it.
        row = _behind(store, number, row.sequence) if row.start_s < to_s else None
    return found


def _first_ending_from(store: Store, number: int, at_s: int) -> PacketRow | None:
    """The first packet of a meter that ends at `at_s` or later."""
    stream = store.get(STREAMS, number)
    if stream is None:
        return None
    low, high = FIRST_SEQUENCE - 1, stream.next_sequence - 1
    while low < high:
        middle = (low + high) // 2
        row = _behind(store, number, middle)
        if row is None or row.end_s >= at_s:
            high = middle
        else:
            low = row.sequence
    return _behind(store, number, low)


def _behind(store: Store, number: int, sequence: int) -> PacketRow | None:
    """The first packet of a meter with a greater sequence number; some never arrive."""
    rows = store.page(PACKETS, None, (number,), after=(number, sequence), limit=1)
    return rows[0] if rows else None


def _reports(store: Store, row: PacketRow, from_s: int, to_s: int) -> bool:
    """Whether a reading of the packet begins in this time, or its register caught up then."""
    if from_s <= row.start_s < min(to_s, row.end_s):
        return True
    if from_s >= to_s or row.end_s < from_s:
        return False
    accepted = _accepted(store, row.entry)
    if accepted.catch_up:
        at_s, _ = catch_up_span(
            end_s=row.start_s, gap_s=accepted.gap_s, interval_s=accepted.interval_s
        )
        if from_s <= at_s < to_s:
            return True
    step_s = accepted.interval_s
    first_s = row.start_s + max(0, -((row.start_s - from_s) // step_s)) * step_s
    return first_s < min(to_s, row.end_s)


def _accepted(store: Store, entry: int) -> PacketAccepted:
    """What came of the packet in a log entry."""
    events = receipt_of(store.entry(entry), first=False).events
    (fields,) = (fields for name, fields in events if name == PacketAccepted.name)
    return msgspec.convert(fields, PacketAccepted)
