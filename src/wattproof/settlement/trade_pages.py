"""The pages of a meter's trades.

GET /settlement/trades/{device}        its trades, newest first, with packets
GET /settlement/trades/{device}/{id}   one trade: what is paid and why, and its trace code
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.chart import Line, TimeChart
from wattproof.console.frame import Frame
from wattproof.console.i18n import marked
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor
from wattproof.core.errors import Conflict
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Ledger
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store
from wattproof.metering.model import PacketRow
from wattproof.settlement.bill import Bill, bill_of, exact_cny
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.packet_queries import packets_behind
from wattproof.settlement.price_chart import PRICE_UNITS
from wattproof.settlement.price_text import price_text
from wattproof.settlement.queries import region_of
from wattproof.settlement.records import USAGE
from wattproof.settlement.sight import operator_of, seen_meter
from wattproof.settlement.traces.of_meter import SealedCode, codes_of_trades
from wattproof.settlement.traces.queries import opened_epochs, rows_of
from wattproof.settlement.trade_queries import TradeView, trade_of, trades_of

__all__ = ["ShownTrade", "pages", "shown_trades"]

PER_PAGE: Final = 20
PACKETS_NAMED: Final = 6
"""Packets that a trade in the list names; its page names all."""
MOST_BATCHES: Final = 1_000
"""Batches of sealed codes through which a page looks; for more there is the command."""

Text = Annotated[str, QueryParameter(max_length=64)]


class ShownTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade in a list: with the first packets behind it, and how many there are."""

    trade: TradeView
    clock: LocalClock
    packets: tuple[PacketRow, ...]
    count: int


@get("/settlement/trades/{device_id:str}", include_in_schema=False)
async def list_trades(
    device_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    before: Text = "",
) -> Response[Any]:
    """The trades of a meter, newest first."""
    with ledger.snapshot():
        device = seen_meter(ledger, actor, device_id)
        found = trades_of(ledger, device.id, before=before or None, limit=PER_PAGE)
        shown = shown_trades(ledger, visitor, found)
        usage = ledger.get(USAGE, device.number)
    return frame.page(
        visitor,
        "settlement/trades.html",
        device=device,
        usage=usage,
        trades=shown,
        before=before,
        older=found[-1].id if found and found[-1].trade > 1 else "",
        owner_seen=may_see(actor, [device.owner]),
    )


@get("/settlement/trades/{device_id:str}/{trade_id:str}", include_in_schema=False)
async def show_trade(
    device_id: FromPath[str],
    trade_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    machine: NamedDependency[Machine],
    users: NamedDependency[Users],
    actor: Asker,
) -> Response[Any]:
    """One trade, and how its money came about."""
    with ledger.snapshot():
        device = seen_meter(ledger, actor, device_id)
        trade = trade_of(ledger, device.id, trade_id[:64])
        bill = bill_of(ledger, machine.codec, trade)
        region = region_of(ledger, trade.region)
        before_fen = trade.due_fen + trade.paid_fen - trade.fen
        code = _code(ledger, users, visitor, trade)
    clock = LocalClock(offset_s=region.offset_s, lang=visitor.lang)
    text = frame.text(visitor.lang)
    return frame.page(
        visitor,
        "settlement/trade.html",
        device=device,
        trade=trade,
        before_fen=before_fen,
        bill=bill,
        shares=[(one, price_text(one.price_ufen), exact_cny(one.ufen)) for one in bill.shares],
        carried=exact_cny(bill.carried_ufen),
        hours_money=exact_cny(bill.ufen),
        hours=_hours(bill, clock),
        chart=_chart(bill, clock, text(marked("Energy by the hour")), text(marked("Energy"))),
        clock=clock,
        region=region,
        code=code,
        price_unit=PRICE_UNITS[visitor.lang],
        own=visitor.signed_in and device.owner == actor.id,
        owner_seen=may_see(actor, [device.owner]),
        operator_seen=may_see(actor, [operator_of(ledger, trade.region)]),
    )


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_trades, show_trade]


def shown_trades(ledger: Store, visitor: Visitor, trades: Sequence[TradeView]) -> list[ShownTrade]:
    """Trades as a list shows them."""
    found = []
    for one in trades:
        packets = packets_behind(ledger, one)
        offset_s = region_of(ledger, one.region).offset_s
        found.append(
            ShownTrade(
                trade=one,
                clock=LocalClock(offset_s=offset_s, lang=visitor.lang),
                packets=tuple(packets[:PACKETS_NAMED]),
                count=len(packets),
            )
        )
    return found


def _code(ledger: Store, users: Users, visitor: Visitor, trade: TradeView) -> SealedCode | None:
    """The trade's code, if it was sealed for the visitor, whose key is here."""
    if not visitor.signed_in:
        return None
    session = visitor.signed_in_as
    try:
        key = users.key_of(session)
    except Conflict:
        return None
    held, _ = opened_epochs(ledger, session.user.party, key, ledger_id=ledger.entry(0).id)
    if sum(one.epoch.batches for one in held) > MOST_BATCHES:
        return None
    return codes_of_trades(ledger, rows_of(ledger), held, [trade]).get(trade.id)


def _hours(bill: Bill, clock: LocalClock) -> list[tuple[str, int, str, str]]:
    """The hours with their energy, prices and money, as the table has them."""
    found = []
    for hour in bill.hours:
        prices = " + ".join(dict.fromkeys(price_text(one.price_ufen) for one in hour.shares))
        found.append((clock.short(hour.start_s, "hour"), hour.wh, prices, exact_cny(hour.ufen)))
    return found


def _chart(bill: Bill, clock: LocalClock, title: str, name: str) -> TimeChart | None:
    if not bill.hours:
        return None
    return TimeChart(
        title=title,
        unit="Wh",
        steps=[clock.short(hour.start_s, "hour") for hour in bill.hours],
        lines=[Line(name=name, values=[hour.wh for hour in bill.hours])],
    )
