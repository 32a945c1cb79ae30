"""Settled regions over HTTP: what was settled, by whom, at which prices.

GET /api/v1/settlement/regions[/{id}]
GET /api/v1/settlement/regions/{id}/sums                  net value, verdict and emissions
GET /api/v1/settlement/regions/{id}/hours, days           what was settled of each
GET /api/v1/settlement/regions/{id}/runs[/{number}]
GET /api/v1/settlement/regions/{id}/statements[/{number}] and what `statement_api` adds
GET /api/v1/settlement/regions/{id}/tariffs
GET /api/v1/settlement/regions/{id}/flows                 energy by who owns the meters

What a region comes to is for all who may read; flows name others' parties only to who settles the
region and to roles that see everything. Wallets, trades and contracts are in `wallet_api`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Router, get
from litestar.params import PathParameter, QueryParameter

from wattproof.gateway.access import may_see
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import (
    BAD_CURSOR,
    Asker,
    Cursor,
    Id,
    Ledger,
    Limit,
    Long,
    Page,
    page_of,
    shown,
)
from wattproof.ledger.state import Reading
from wattproof.settlement.local_time import parse_local_time
from wattproof.settlement.queries import (
    days_of,
    filed_statement,
    hours_of,
    region_of,
    run_of,
)
from wattproof.settlement.records import (
    REGIONS,
    RUNS,
    STATEMENTS,
    TARIFFS,
    FiledStatement,
    Region,
    RegionDay,
    RegionHour,
    Run,
    Tariff,
)
from wattproof.settlement.region_value import RegionValue, value_of
from wattproof.settlement.statement_api import statement_routes
from wattproof.settlement.trade_queries import NAMED, Flow, flows_of
from wattproof.settlement.wallet_api import wallet_routes

__all__ = ["MAX_NAMED", "FiledView", "router"]

MAX_NAMED: Final = 100
"""Owners of each kind whom flows name at most."""

Number = Annotated[int, PathParameter(ge=1, le=2**31, description="Counted from 1.")]
From = Annotated[
    str | None,
    QueryParameter(
        name="from", max_length=40, description="From this local day or time (ISO 8601)."
    ),
]
To = Annotated[
    str | None,
    QueryParameter(name="to", max_length=40, description="Up to, and not including, this."),
]
TariffId = Annotated[str | None, QueryParameter(max_length=64, description="One tariff alone.")]
Named = Annotated[
    int, QueryParameter(gt=-1, le=MAX_NAMED, description="Owners of each kind by name.")
]


class FiledView(msgspec.Struct, frozen=True, kw_only=True):
    """A filed statement, with the net value that follows from it."""

    statement: FiledStatement
    net_wh: int


@get("/regions", responses=problems(400), summary="Settled regions, by id")
async def list_regions(ledger: Ledger, cursor: Cursor = None, limit: Limit = 100) -> Page[Region]:
    """The regions that are settled on this ledger."""
    return page_of(ledger, REGIONS, cursor=cursor, limit=limit)


@get("/regions/{id:str}", responses=problems(400, 404), summary="One settled region")
async def show_region(
    id: Id,  # noqa: A002
    ledger: Ledger,
) -> Region:
    """Who settles it, its money, clock, factors and tariffs, and how far it is settled."""
    return shown(region_of(ledger, id))


@get("/regions/{id:str}/sums", responses=problems(400, 404, 503), summary="A region's value")
async def show_sums(
    id: Id,  # noqa: A002
    ledger: Ledger,
    long_reads: Long,
    start: From = None,
    end: To = None,
) -> RegionValue:
    """Supplied, consumed, the net value and its verdict, and the emissions beside it, in Wh, fen
    and grams; of the local days that begin in the period, or of all."""
    from_s, to_s = _period(ledger, id, start, end)

    def read() -> RegionValue:
        with ledger.snapshot():
            return value_of(ledger, id, from_s, to_s)

    return await long_reads.run(read)


@get("/regions/{id:str}/hours", responses=problems(400, 404), summary="Settled hours of a region")
async def list_hours(
    id: Id,  # noqa: A002
    ledger: Ledger,
    start: From = None,
    end: To = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[RegionHour]:
    """What was supplied and consumed in each hour that has anything settled, in order."""
    from_s, to_s = _period(ledger, id, start, end)
    found = hours_of(ledger, id, _begin(cursor, from_s), to_s, limit=limit + 1)
    return _page(found, [hour.start_s for hour in found], limit)


@get("/regions/{id:str}/days", responses=problems(400, 404), summary="Settled days of a region")
async def list_days(
    id: Id,  # noqa: A002
    ledger: Ledger,
    start: From = None,
    end: To = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[RegionDay]:
    """Energy, money and trades of each local day on which anything was settled, in order."""
    from_s, to_s = _period(ledger, id, start, end)
    found = days_of(ledger, id, _begin(cursor, from_s), to_s, limit=limit + 1)
    return _page(found, [day.day_s for day in found], limit)


@get("/regions/{id:str}/runs", responses=problems(400, 404), summary="Runs of a region, by number")
async def list_runs(
    id: Id,  # noqa: A002
    ledger: Ledger,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Run]:
    """The settlement runs, and how far one that is open has come."""
    region = region_of(ledger, id)
    return page_of(ledger, RUNS, None, (region.region,), cursor=cursor, limit=limit)


@get("/regions/{id:str}/runs/{number:int}", responses=problems(400, 404), summary="One run")
async def show_run(
    id: Id,  # noqa: A002
    number: Number,
    ledger: Ledger,
) -> Run:
    """A run's sums so far; `reached` is the number of the last meter that it settled."""
    return shown(run_of(ledger, region_of(ledger, id).region, number))


@get(
    "/regions/{id:str}/statements",
    responses=problems(400, 404),
    summary="Filed statements of a region, by number",
)
async def list_statements(
    id: Id,  # noqa: A002
    ledger: Ledger,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[FiledStatement]:
    """The statements whose digests are on the ledger."""
    region = region_of(ledger, id)
    return page_of(ledger, STATEMENTS, None, (region.region,), cursor=cursor, limit=limit)


@get(
    "/regions/{id:str}/statements/{number:int}",
    responses=problems(400, 404),
    summary="One filed statement",
)
async def show_statement(
    id: Id,  # noqa: A002
    number: Number,
    ledger: Ledger,
) -> FiledView:
    """What is on the ledger of a statement: its sums, its verdict, and its digest."""
    found = filed_statement(ledger, region_of(ledger, id).region, number)
    return FiledView(statement=shown(found), net_wh=found.net_wh)


@get(
    "/regions/{id:str}/tariffs",
    responses=problems(400, 404),
    summary="Tariffs of a region, by id and time",
)
async def list_tariffs(
    id: Id,  # noqa: A002
    ledger: Ledger,
    tariff: TariffId = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Tariff]:
    """The prices of each local hour of the day, in micro-fen per Wh, from `from_s` on."""
    region = region_of(ledger, id).region
    values = (region,) if tariff is None else (region, tariff)
    return page_of(ledger, TARIFFS, None, values, cursor=cursor, limit=limit)


@get(
    "/regions/{id:str}/flows",
    responses=problems(400, 404, 413, 503),
    summary="Energy and money by owner",
)
async def list_flows(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
    long_reads: Long,
    start: From = None,
    end: To = None,
    named: Named = NAMED,
) -> list[Flow]:
    """The largest suppliers and consumers by name, all others together; whom one may not see is
    among the others."""
    operator = region_of(ledger, id).operator
    from_s, to_s = _period(ledger, id, start, end)

    def read() -> list[Flow]:
        with ledger.snapshot():
            return flows_of(
                ledger,
                id,
                from_s,
                to_s,
                named=named,
                may_name=lambda party: may_see(actor, (operator, party)),
            )

    return await long_reads.run(read)


def router() -> Router:
    """The routes, below ``/api/v1/settlement``."""
    handlers: list[Any] = [
        list_regions, show_region, show_sums, list_hours, list_days, list_runs, show_run,
        list_statements, show_statement, list_tariffs, list_flows, *statement_routes(),
        *wallet_routes(),
    ]  # fmt: skip
    return Router("/api/v1/settlement", route_handlers=handlers, tags=["settlement"])


T = TypeVar("T")


def _period(
    ledger: Reading, region: str, start: str | None, end: str | None
) -> tuple[int | None, int | None]:
    """The period that is asked for, by the region's clock."""
    offset_s = region_of(ledger, region).offset_s
    return (
        None if start is None else parse_local_time(start, offset_s),
        None if end is None else parse_local_time(end, offset_s),
    )


def _begin(cursor: str | None, from_s: int | None) -> int | None:
    """Where a list of hours or days goes on; its cursor is a time in Unix seconds."""
    if cursor is None:
        return from_s
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > _DIGITS:
        raise BAD_CURSOR(cursor=cursor[:80])
    return max(int(cursor), from_s or 0)


def _page(found: list[T], starts: list[int], limit: int) -> Page[T]:
    """A page of what was read with one more than that."""
    following = str(starts[limit]) if len(found) > limit else None
    return Page(items=tuple(shown(one) for one in found[:limit]), next=following)


_DIGITS: Final = 12
