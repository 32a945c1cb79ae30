"""The overview: live figures, energy and emissions over time, what waits, a short tour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Router, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Response

from wattproof.console.frame import Frame, NavItem, Room
from wattproof.console.i18n import marked
from wattproof.console.kept import Kept
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.periods import Step, parse_time
from wattproof.emissions.factor_pages import FACTOR_NAV, factor_pages
from wattproof.emissions.figures import Choice, Figures, figures
from wattproof.emissions.import_pages import IMPORT_NAV, import_pages
from wattproof.emissions.live import live_lake
from wattproof.emissions.overview import Overview
from wattproof.emissions.tracking.host_view import open_interrupts
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.access import may_see
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.identity.actions import queues
from wattproof.identity.model import DEVICES
from wattproof.ledger.store import Store

__all__ = ["ROOM", "pages"]

MOST_WAITING: Final = 100
"""So many devices are counted in each queue."""

ROOM: Final = Room(
    name="emissions",
    package="wattproof.emissions",
    navigation=(
        NavItem(path="/", text=marked("Overview"), icon="home", order=10, public=True),
        *FACTOR_NAV,
        *IMPORT_NAV,
    ),
)

Text = Annotated[str, QueryParameter(max_length=64)]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the form of the page asks for, as text."""

    by: Step = "day"
    at: str = ""
    region: str = ""
    quantity: str = ""
    meter: str = ""


@get("/", include_in_schema=False, opt={"public": True})
async def show_overview(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    facts: NamedDependency[LedgerFacts],
    long_reads: Long,
    actor: Asker,
    kept: NamedDependency[Kept[Figures]],
    by: Annotated[Step, QueryParameter()] = "day",
    at: Text = "",
    region: Text = "",
    quantity: Text = "",
    meter: Text = "",
) -> Response[Any]:
    """The figures of all meters that the visitor may see, or a welcome."""
    if not visitor.signed_in and not request.app.state.open_to_anybody():
        return frame.page(visitor, "emissions/welcome.html")
    asked = Asked(by=by, at=at, region=region, quantity=quantity, meter=meter)
    choice = Choice(
        step=by,
        at_s=parse_time(at, facts.zone) if at else None,
        region=region,
        quantity=quantity,
        meter=meter,
    )

    owner = None if may_see(actor, ()) else actor.id
    live = live_lake(folder)

    def make() -> Figures:
        lake = live.up_to_date(ledger)
        return figures(ledger, lake, owner=owner, choice=choice, zone=facts.zone)

    size = ledger.size
    found = await kept.get((owner, choice), size=size, make=make, long_reads=long_reads)
    if found is None:
        return frame.page(visitor, "emissions/preparing.html", done=live.entries, size=size)
    return frame.page(
        visitor,
        "emissions/overview.html",
        view=Overview(found, choice, facts.zone, visitor.lang),
        asked=asked,
        size=size,
        waiting=_waiting(ledger, actor),
        interrupts=open_interrupts(ledger, actor.id),
    )


def pages() -> Sequence[HTTPRouteHandler | Router]:
    """The handlers, with what they keep between pages."""
    kept: Kept[Figures] = Kept()
    given = Provide(lambda: kept, sync_to_thread=False)
    overview = Router("/", route_handlers=[show_overview], dependencies={"kept": given})
    return [overview, *factor_pages(), *import_pages()]


def _waiting(ledger: Store, actor: Actor) -> int:
    """How many devices wait for `actor`, as far as they are counted."""
    count = 0
    for queue in queues(actor):
        if queue.yours:
            found = ledger.page(DEVICES, queue.index, queue.values, after=None, limit=MOST_WAITING)
            count += len(found) if queue.keep is None else sum(map(queue.keep, found))
    return count
