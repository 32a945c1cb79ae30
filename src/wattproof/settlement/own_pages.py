"""The page of one's own electricity: meters, what they supplied and consumed, money, last trades.

GET /my-electricity   `step` day or month, `at` an instant of the period; a party where all is seen

A visitor sees what belongs to the visitor; roles that see everything may name a party.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Response

from wattproof.console.frame import Frame
from wattproof.console.i18n import marked
from wattproof.console.kept import Kept
from wattproof.console.visitor import Visitor, now_s
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.ledger.store import Store
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.model import Kind
from wattproof.settlement.own_trades import OwnTrades, newest_traded_s, own_trades
from wattproof.settlement.own_view import Own, chart_of, own_meters, period_around, rows_of
from wattproof.settlement.queries import regions
from wattproof.settlement.trade_pages import ShownTrade, shown_trades
from wattproof.settlement.trade_queries import TradeView, trades_of
from wattproof.settlement.wallets import DAY_OFFSET_S

__all__ = ["pages"]

LAST: Final = 8
"""Trades that the page lists."""
LOOKED_AT: Final = 40
"""Meters whose last trades are compared for that, those that were settled last."""

Text = Annotated[str, QueryParameter(max_length=64)]
At = Annotated[int | None, QueryParameter(ge=0, le=2**40)]
Step = Annotated[Literal["day", "month"], QueryParameter()]


@get("/my-electricity", include_in_schema=False)
async def show_own(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    long_reads: Long,
    actor: Asker,
    kept: NamedDependency[Kept[OwnTrades]],
    step: Step = "day",
    at: At = None,
    party: Text = "",
) -> Response[Any]:
    """What the visitor's meters supplied and consumed, and what became of the money."""
    sees_all = may_see(actor, ())
    who = party.strip() if sees_all and party.strip() else actor.id
    own = own_meters(ledger, who, now_s=now_s())
    usages = [one.usage for one in own.meters if one.usage is not None]
    clock = LocalClock(
        offset_s=DAY_OFFSET_S if own.offset_s is None else own.offset_s, lang=visitor.lang
    )
    newest_s = newest_traded_s(usages)
    period = period_around(at if at is not None else newest_s or now_s(), step, clock.offset_s)
    numbers = tuple(one.number for one in usages if one.trades)

    def make() -> OwnTrades:
        return own_trades(
            ledger,
            numbers,
            step=step,
            offset_s=clock.offset_s,
            from_s=period.start_s,
            to_s=period.end_s,
        )

    last = await long_reads.run(lambda: _last(ledger, visitor, own))
    key = (who, period, numbers, sum(one.trades for one in usages))
    found = await kept.get(key, size=0, make=make, long_reads=long_reads)
    text = frame.text(visitor.lang)
    names: dict[Kind, str] = {
        kind: text({"supply": SUPPLIED, "consumption": CONSUMED}[kind]) for kind in own.kinds
    }
    return frame.page(
        visitor,
        "settlement/my_electricity.html",
        who=who,
        sees_all=sees_all,
        own=own,
        clock=clock,
        period=period,
        step=step,
        found=found,
        names=names,
        rows=[] if found is None else rows_of(found, own.kinds, clock, step),
        chart=None
        if found is None
        else chart_of(found, period, clock, title=text(ENERGY), names=names),
        last=last,
        settled=bool(regions(ledger)),
        newest_s=newest_s,
    )


def pages() -> list[Router]:
    """The handler, with what it keeps between pages."""
    kept: Kept[OwnTrades] = Kept()
    given = {"kept": Provide(lambda: kept, sync_to_thread=False)}
    return [Router("/", route_handlers=[show_own], dependencies=given)]


SUPPLIED: Final = marked("Supplied")
CONSUMED: Final = marked("Consumed")
ENERGY: Final = marked("Supplied and consumed")


def _last(ledger: Store, visitor: Visitor, own: Own) -> list[ShownTrade]:
    """The newest trades of all meters together."""
    traded = [one for one in own.meters if one.usage is not None and one.usage.trades]
    traded.sort(key=lambda one: -(one.usage.last_entry if one.usage else 0))
    found: list[TradeView] = []
    for one in traded[:LOOKED_AT]:
        found += trades_of(ledger, one.device.id, limit=LAST)
    found.sort(key=lambda one: (-one.entry, -one.first_s, one.number))
    return shown_trades(ledger, visitor, found[:LAST])
