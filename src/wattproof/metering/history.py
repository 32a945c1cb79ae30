"""A meter's packets from the newest back, its readings in order, and their sums by hour."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

import msgspec

from wattproof.core.errors import Broken, ErrorCode
from wattproof.core.periods import bucket_bounds
from wattproof.gateway.words import decode_entry
from wattproof.ledger.chain import receipt_of
from wattproof.ledger.store import Entry, Store
from wattproof.ledger.transaction import Codec
from wattproof.metering.model import (
    PACKETS,
    QUALITIES,
    Packet,
    PacketAccepted,
    PacketRow,
    Stream,
    catch_up_span,
)

__all__ = ["CATCH_UP", "Reading", "Report", "Sums", "hours", "readings", "reports"]

CATCH_UP: Final = "catch_up"
"""The quality of an amount that a register gained in a gap."""

PACKETS_AT_ONCE: Final = 100
DAYS_CHARTED: Final = 3

NOT_A_PACKET = ErrorCode(
    Broken,
    "metering.not_a_packet",
    en="Log entry {entry} does not hold the packet that it should.",
    zh="日志条目 {entry} 中没有应有的数据包。",
)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A packet that was accepted: where it is, its log entry, and what was found of it."""

    row: PacketRow
    entry: Entry
    accepted: PacketAccepted


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One reading: `amount` base units from `start_s` on, for `seconds`.

    `quality` is a name of `QUALITIES`, or `CATCH_UP`; `entry` the log entry that it stands in.
    """

    start_s: int
    seconds: int
    amount: int
    quality: str
    sequence: int
    entry: int


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts by hour: `bounds` are the borders of the hours, one more than there are amounts."""

    bounds: tuple[int, ...]
    amounts: tuple[int | None, ...]


def reports(
    ledger: Store, stream: Stream, *, before: int | None, limit: int, since_s: int = 0
) -> list[Report]:
    """The newest packets, or those before a sequence number, the newest first.

    Those that end before `since_s` are left out. Each packet says how many before it never
    arrived, so the one before it is found at once.
    """
    found: list[Report] = []
    sequence = stream.next_sequence - 1 if before is None else before - 1
    while sequence > 0 and len(found) < limit:
        row = ledger.get(PACKETS, stream.number, sequence)
        if row is None:  # somebody asks from the middle of packets that never arrived
            sequence -= 1
            limit -= 1
            continue
        if row.end_s < since_s:
            break
        report = _report(ledger, row)
        found.append(report)
        sequence -= 1 + report.accepted.missing
    return found


def readings(
    ledger: Store, codec: Codec, number: int, *, start_s: int = 0, end_s: int = 2**53
) -> Iterator[Reading]:
    """A meter's readings that begin from `start_s` up to `end_s`, in order; catch-ups too."""
    after = None
    while True:
        rows = ledger.page(PACKETS, None, (number,), after=after, limit=PACKETS_AT_ONCE)
        for row in rows:
            if row.end_s <= start_s or row.start_s - 31 * 86_400 >= end_s:
                continue
            for reading in _readings(codec, _report(ledger, row)):
                if start_s <= reading.start_s < end_s:
                    yield reading
        if len(rows) < PACKETS_AT_ONCE:
            return
        after = (number, rows[-1].sequence)


def hours(ledger: Store, codec: Codec, stream: Stream, *, packets: int, zone: str) -> Sums:
    """The hours of a meter's last three days, as far back as its last `packets` packets go."""
    since_s = stream.end_s - DAYS_CHARTED * 86_400
    found = reports(ledger, stream, before=None, limit=packets, since_s=since_s)
    if not found or stream.end_s == stream.start_s:
        return Sums(bounds=(), amounts=())
    first_s = max(since_s, found[-1].row.start_s)
    bounds = bucket_bounds(first_s, stream.end_s - 1, "hour", zone)
    amounts: list[int | None] = [None] * (len(bounds) - 1)
    for report in found:
        for reading in _readings(codec, report):
            if reading.start_s >= first_s:
                hour = bisect_right(bounds, reading.start_s) - 1
                amounts[hour] = (amounts[hour] or 0) + reading.amount
    return Sums(bounds=tuple(bounds), amounts=tuple(amounts))


def _readings(codec: Codec, report: Report) -> Iterator[Reading]:
    row, accepted = report.row, report.accepted
    packet = decode_entry(codec, report.entry).body
    if not isinstance(packet, Packet):
        raise NOT_A_PACKET(entry=row.entry)
    if accepted.catch_up:
        start_s, seconds = catch_up_span(
            end_s=row.start_s, gap_s=accepted.gap_s, interval_s=packet.interval_s
        )
        yield Reading(
            start_s=start_s,
            seconds=seconds,
            amount=accepted.catch_up,
            quality=CATCH_UP,
            sequence=row.sequence,
            entry=row.entry,
        )
    qualities = packet.quality.ints()
    for index, amount in enumerate(packet.increments.ints()):
        yield Reading(
            start_s=packet.start_s + index * packet.interval_s,
            seconds=packet.interval_s,
            amount=amount,
            quality=QUALITIES[qualities[index]].name if qualities else QUALITIES[0].name,
            sequence=row.sequence,
            entry=row.entry,
        )


def _report(ledger: Store, row: PacketRow) -> Report:
    entry = ledger.entry(row.entry)
    for name, fields in receipt_of(entry, first=False).events:
        if name == PacketAccepted.name:
            accepted = msgspec.convert(fields, PacketAccepted)
            return Report(row=row, entry=entry, accepted=accepted)
    raise NOT_A_PACKET(entry=row.entry)
