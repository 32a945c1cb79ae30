"""What a trade's money is made of: each hour's energy, the contracts' share of it, the prices.

A trade has the sums alone. Its hours are read again from the signed packets behind it, and priced
as the rules did it: contracts first, the earlier accepted first, the rest by tariff. Where that
comes to the trade's energy and to its money within a fen, it is how the money came about; else
(a register that was replaced, a tariff of the meter's own that was changed since) it says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from wattproof.gateway.words import decode_entry
from wattproof.identity.model import DEVICES
from wattproof.ledger.chain import receipt_of
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Codec
from wattproof.metering.model import Packet, PacketAccepted, PacketRow, catch_up_span
from wattproof.settlement.model import HOUR_S, UFEN_PER_FEN
from wattproof.settlement.packet_queries import packets_behind, packets_of
from wattproof.settlement.queries import region_of, run_of, tariffs_of
from wattproof.settlement.records import CONTRACTS, USAGE, Bilateral, Region, Tariff
from wattproof.settlement.trade_queries import TradeView
from wattproof.settlement.trade_records import find_batch

__all__ = ["Bill", "BillHour", "Share", "bill_of", "exact_cny"]

CNY_PLACES: Final = 8
"""Decimal places of a micro-fen in CNY."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Energy at one price: by a contract, or without one by `tariff`; `ufen` is what it costs."""

    contract: str
    tariff: str
    price_ufen: int
    wh: int
    ufen: int


class BillHour(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of a trade, and at which prices its energy was taken or given."""

    start_s: int
    wh: int
    shares: tuple[Share, ...]

    @property
    def ufen(self) -> int:
        """What the hour costs, in micro-fen."""
        return sum(share.ufen for share in self.shares)


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of a trade and the sums at each price.

    `whole` says that the hours come to the trade's energy; `agrees` that their prices come to its
    money, but for fractions of a fen that are carried from trade to trade (`carried_ufen`).
    """

    packets: tuple[PacketRow, ...]
    hours: tuple[BillHour, ...]
    shares: tuple[Share, ...]
    wh: int
    ufen: int
    carried_ufen: int
    whole: bool
    agrees: bool


def bill_of(store: Store, codec: Codec, trade: TradeView) -> Bill:
    """How a trade's money came about, as far as the ledger has it."""
    packets = tuple(packets_behind(store, trade))
    hours_wh = _hours(store, codec, trade, packets)
    region, usage = region_of(store, trade.region), store.get(USAGE, trade.number)
    assert usage is not None, f"{trade.device} has traded"
    contracts = _contracts(store, trade)
    before_wh = _before_wh(store, codec, trade, hours_wh) if contracts else 0
    best: Bill | None = None
    for tariff in dict.fromkeys((usage.tariff, _default(region, trade)) if usage.tariff else
                                (_default(region, trade),)):  # fmt: skip
        versions = [one for one in tariffs_of(store, region.region, tariff)
                    if one.entry < trade.entry]  # fmt: skip
        found = _bill(trade, packets, hours_wh, before_wh, region, versions, contracts)
        if found.agrees:
            return found
        best = best or found
    assert best is not None, "there is a tariff to look at"
    return best


def exact_cny(ufen: int) -> str:
    """Micro-fen in CNY, every digit of it and at least two places: ``12.3456``."""
    whole, part = divmod(abs(ufen), 10**CNY_PLACES)
    digits = f"{part:0{CNY_PLACES}}".rstrip("0").ljust(2, "0")
    return f"{'-' if ufen < 0 else ''}{whole:,}.{digits}"


def _bill(
    trade: TradeView,
    packets: tuple[PacketRow, ...],
    hours_wh: Sequence[int],
    before_wh: int,
    region: Region,
    versions: Sequence[Tariff],
    contracts: Sequence[Bilateral],
) -> Bill:
    hours = tuple(
        BillHour(
            start_s=trade.first_s + at * HOUR_S,
            wh=wh,
            shares=tuple(
                _shares(
                    trade.first_s + at * HOUR_S,
                    wh,
                    region,
                    versions,
                    contracts,
                    before_wh=0 if at else before_wh,
                )
            ),
        )
        for at, wh in enumerate(hours_wh)
    )
    wh, ufen = sum(hours_wh), sum(hour.ufen for hour in hours)
    priced_wh = sum(share.wh for hour in hours for share in hour.shares)
    carried_ufen = trade.fen * UFEN_PER_FEN - ufen
    whole = wh == trade.wh
    return Bill(
        packets=packets,
        hours=hours,
        shares=_added(share for hour in hours for share in hour.shares),
        wh=wh,
        ufen=ufen,
        carried_ufen=carried_ufen,
        whole=whole,
        agrees=whole and priced_wh == wh and abs(carried_ufen) < UFEN_PER_FEN,
    )


def _shares(
    start_s: int,
    wh: int,
    region: Region,
    versions: Sequence[Tariff],
    contracts: Sequence[Bilateral],
    *,
    before_wh: int,
) -> Iterator[Share]:
    """An hour's energy by price, contracts first; what has no price is left out.

    Of the contracts' energy, so much was settled in this hour before.
    """
    left = wh
    for contract in contracts:
        if not contract.from_s <= start_s < contract.to_s:
            continue
        used = min(before_wh, contract.wh_per_hour)
        before_wh -= used
        part = min(left, contract.wh_per_hour - used)
        if part:
            yield Share(
                contract=contract.id, tariff="", price_ufen=contract.price_ufen, wh=part,
                ufen=part * contract.price_ufen,
            )  # fmt: skip
            left -= part
    in_force = [one for one in versions if one.from_s <= start_s]
    if left and in_force:
        price = in_force[-1].prices_ufen[(start_s + region.offset_s) // HOUR_S % 24]
        yield Share(
            contract="", tariff=in_force[-1].id, price_ufen=price, wh=left, ufen=left * price
        )


def _added(shares: Iterator[Share]) -> tuple[Share, ...]:
    """Shares of the same source and price added up, in the order in which they first come."""
    sums: dict[tuple[str, str, int], int] = {}
    for share in shares:
        key = share.contract, share.tariff, share.price_ufen
        sums[key] = sums.get(key, 0) + share.wh
    return tuple(
        Share(contract=contract, tariff=tariff, price_ufen=price, wh=wh, ufen=wh * price)
        for (contract, tariff, price), wh in sums.items()
    )


def _hours(store: Store, codec: Codec, trade: TradeView, packets: Sequence[PacketRow]) -> list[int]:
    """The Wh of each of the trade's hours, as the packets have them."""
    hours = [0] * trade.hours
    before = find_batch(store, trade.previous)
    left_s = 0
    if before is not None:
        left_s = run_of(store, before.settled.region, before.settled.run).until_s
    for row in packets:
        # Of a packet that an earlier trade has too, what that left is in this one.
        from_s = max(trade.first_s, left_s) if row.entry < trade.previous else trade.first_s
        for at_s, amount in _readings(store, codec, row):
            if from_s <= at_s < trade.end_s:
                hours[(at_s - trade.first_s) // HOUR_S] += amount
    return hours


def _before_wh(store: Store, codec: Codec, trade: TradeView, hours_wh: Sequence[int]) -> int:
    """The Wh of the trade's first hour that earlier trades have: a run may have cut the hour."""
    if not hours_wh:
        return 0
    end_s = trade.first_s + HOUR_S
    reported = sum(
        amount
        for row in packets_of(store, trade.number, trade.first_s, end_s)
        if row.entry < trade.entry
        for at_s, amount in _readings(store, codec, row)
        if trade.first_s <= at_s < end_s
    )
    return max(0, reported - hours_wh[0])


def _readings(store: Store, codec: Codec, row: PacketRow) -> Iterator[tuple[int, int]]:
    """When each reading of a packet begins, and its Wh; the hour in which a register caught up."""
    entry = store.entry(row.entry)
    packet = decode_entry(codec, entry).body
    assert isinstance(packet, Packet), f"entry {row.entry} has a packet"
    for name, fields in receipt_of(entry, first=False).events:
        if name == PacketAccepted.name:
            accepted = msgspec.convert(fields, PacketAccepted)
            if accepted.catch_up:
                at_s, _ = catch_up_span(
                    end_s=row.start_s, gap_s=accepted.gap_s, interval_s=accepted.interval_s
                )
                yield at_s, accepted.catch_up
    for at, amount in enumerate(packet.increments.ints()):
        yield packet.start_s + at * packet.interval_s, amount


def _contracts(store: Store, trade: TradeView) -> list[Bilateral]:
    """The meter's contracts that held when it was settled, the earlier accepted first.

    Usage has those alone that are not over yet.
    """
    device = store.get(DEVICES, trade.device)
    assert device is not None, f"{trade.device} has traded"
    side = "supplier" if trade.kind == "supply" else "consumer"
    found = [
        one
        for one in store.find(CONTRACTS, side, device.owner)
        if trade.number == (one.supply if side == "supplier" else one.consumption)
        and one.region == trade.region
        and 0 <= one.accepted_entry < trade.entry
    ]
    return sorted(found, key=lambda one: one.accepted_entry)


def _default(region: Region, trade: TradeView) -> str:
    return region.supply_tariff if trade.kind == "supply" else region.consumption_tariff
