"""Shipments, products and vehicle classes over HTTP.

GET /api/v1/logistics/shipments[/{shipper}/{id}]
GET /api/v1/logistics/products
GET /api/v1/logistics/vehicles
GET /api/v1/logistics/report     by shipment, product, customer, period, method or mode
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final

from litestar import Router, get
from litestar.params import PathParameter, QueryParameter

from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, OverLimit
from wattproof.core.periods import DEFAULT_ZONE, Step, load_zone, parse_time
from wattproof.emissions.logistics import queries
from wattproof.emissions.logistics.model import (
    PRODUCTS,
    SHIPMENTS,
    VEHICLES,
    Product,
    Shipment,
    Vehicle,
)
from wattproof.emissions.logistics.report import By, Period, ReportRow, shipment_report
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Cursor, Ledger, Limit, Long, Page, page_of, shown
from wattproof.ledger.state import Key
from wattproof.ledger.store import Store

__all__ = ["MAX_ROWS", "parties_of", "reported", "router", "seen_shipment", "where_to_look"]

MAX_ROWS: Final = 20_000
"""Rows of one report at most."""

TOO_LONG = ErrorCode(
    OverLimit,
    "shipments.report_rows",
    en="The report has more than {limit} rows; ask for a shorter period, a coarser step, or one"
    " shipper.",
    zh="报告超过 {limit} 行；请缩短时段、采用更粗的步长或指定发货主体。",
)

Party = Annotated[str | None, QueryParameter(max_length=64, description="A party's id.")]
Customer = Annotated[
    str | None, QueryParameter(max_length=64, description="As it stands in the records.")
]
Product_ = Annotated[str | None, QueryParameter(max_length=64, description="A product's id.")]
InPath = Annotated[str, PathParameter(max_length=64, description="An id that people chose.")]
Grouping = Annotated[By, QueryParameter(description="By what is added up.")]
AStep = Annotated[Step, QueryParameter(description="The step of the rows, by period.")]
From = Annotated[
    str | None,
    QueryParameter(
        name="from", max_length=40, description="From this year, month, day or time (ISO 8601)."
    ),
]
To = Annotated[
    str | None,
    QueryParameter(name="to", max_length=40, description="Up to, and not including, this."),
]
Zone = Annotated[str, QueryParameter(max_length=64, description="The time zone of the steps.")]


@get("/shipments", responses=problems(400), summary="Shipments, by shipper and id")
async def list_shipments(
    ledger: Ledger,
    actor: Asker,
    shipper: Party = None,
    customer: Customer = None,
    product: Product_ = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Shipment]:
    """One's own shipments, or those to which all filters apply and which one may see."""
    index, values = where_to_look(actor, shipper=shipper or "", customer=customer or "")
    return page_of(
        ledger,
        SHIPMENTS,
        index,
        values,
        cursor=cursor,
        limit=limit,
        keep=lambda one: (
            may_see(actor, parties_of(one))
            and shipper in (None, one.shipper)
            and product in (None, one.product)
        ),
    )


@get(
    "/shipments/{shipper:str}/{id:str}",
    responses=problems(400, 403, 404),
    summary="One shipment",
)
async def show_shipment(
    shipper: InPath,
    id: InPath,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
) -> Shipment:
    """A shipment, what its emission was worked out with, and its log entry."""
    return shown(seen_shipment(ledger, actor, shipper, id))


@get("/products", responses=problems(400), summary="Products, by party, id and version")
async def list_products(
    ledger: Ledger, actor: Asker, party: Party = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[Product]:
    """Every version of the products that one may see."""
    return page_of(
        ledger,
        PRODUCTS,
        None,
        _own(actor, party),
        cursor=cursor,
        limit=limit,
        keep=lambda one: may_see(actor, [one.party]),
    )


@get("/vehicles", responses=problems(400), summary="Vehicle classes, by party, id and version")
async def list_vehicles(
    ledger: Ledger, actor: Asker, party: Party = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[Vehicle]:
    """Every version of the vehicle classes that one may see."""
    return page_of(
        ledger,
        VEHICLES,
        None,
        _own(actor, party),
        cursor=cursor,
        limit=limit,
        keep=lambda one: may_see(actor, [one.party]),
    )


@get("/report", responses=problems(400, 403, 413, 503), summary="What shipments emitted")
async def report(
    ledger: Ledger,
    actor: Asker,
    long_reads: Long,
    by: Grouping = "period",
    step: AStep = "month",
    shipper: Party = None,
    start: From = None,
    end: To = None,
    zone: Zone = DEFAULT_ZONE,
) -> list[ReportRow]:
    """Sums by what shipments share; sets and scopes of factors are never added together."""
    load_zone(zone)
    period = Period(
        zone=zone,
        step=step,
        start_s=None if start is None else parse_time(start, zone),
        end_s=None if end is None else parse_time(end, zone),
    )
    if shipper is not None:
        require_sight(actor, [shipper])
    return await long_reads.run(
        reported(ledger, actor, by=by, period=period, shipper=shipper or "")
    )


def router() -> Router:
    """The routes, below ``/api/v1/logistics``."""
    handlers = [list_shipments, show_shipment, list_products, list_vehicles, report]
    return Router("/api/v1/logistics", route_handlers=handlers, tags=["logistics"])


def reported(
    ledger: Store, actor: Actor, *, by: By, period: Period, shipper: str = ""
) -> Callable[[], list[ReportRow]]:
    """The reading of a report of what `actor` may see, to be run where long reads go.

    Who does not see everything is shown what is their own. Raises ``shipments.report_rows``.
    """
    of = shipper if shipper or may_see(actor, ()) else actor.id

    def read() -> list[ReportRow]:
        with ledger.snapshot():
            rows = shipment_report(
                ledger,
                by=by,
                period=period,
                shipper=of or None,
                keep=lambda one: may_see(actor, [one.shipper]),
            )
        if len(rows) > MAX_ROWS:
            raise TOO_LONG(limit=MAX_ROWS)
        return rows

    return read


def parties_of(shipment: Shipment) -> Sequence[str]:
    """Whose a shipment is: its shipper's, and its customer's where that is a party."""
    return (shipment.shipper, shipment.customer)


def seen_shipment(ledger: Store, actor: Actor, shipper: str, id_: str) -> Shipment:
    """The shipment, if `actor` may see it; else the same answer whether there is one or not."""
    found = ledger.get(SHIPMENTS, shipper, id_)
    require_sight(actor, [shipper] if found is None else parties_of(found))
    return queries.shipment(ledger, shipper, id_)


def where_to_look(actor: Actor, *, shipper: str, customer: str) -> tuple[str | None, Key]:
    """The index and its values that find what is asked for without looking at everything."""
    if customer:
        return "customer", (customer,)
    if not shipper and not may_see(actor, ()):
        shipper = actor.id
    return None, (shipper,) if shipper else ()


def _own(actor: Actor, party: str | None) -> Key:
    if party is not None:
        return (party,)
    return () if may_see(actor, ()) else (actor.id,)
