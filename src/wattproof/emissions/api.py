"""Factors and emission reports over HTTP.

GET /api/v1/factors[/{id}]
GET /api/v1/reports/emissions          by meter and hour, day, month or year
GET /api/v1/reports/emissions/groups   the same by quantity, or by region and quantity
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Final, Literal, TypeVar

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from wattproof.core.errors import ErrorCode, OverLimit
from wattproof.core.periods import DEFAULT_ZONE, Step, parse_time
from wattproof.emissions.live import live_lake
from wattproof.emissions.model import FACTORS, Factor
from wattproof.emissions.queries import latest_factor
from wattproof.emissions.report import EmissionRow, GroupRow, emission_report, group_report
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Cursor, Id, Ledger, Limit, Long, Page, page_of, shown
from wattproof.identity.model import DEVICES
from wattproof.identity.queries import device

__all__ = ["MAX_ROWS", "router"]

MAX_ROWS: Final = 100_000
"""Rows of one report at most; a longer one is asked for in parts."""

TOO_LONG = ErrorCode(
    OverLimit,
    "emissions.report_rows",
    en="The report has more than {limit} rows; ask for fewer meters, a shorter period or a"
    " coarser step.",
    zh="报告超过 {limit} 行；请减少表计、缩短时段或采用更粗的步长。",
)

By = Annotated[Step, QueryParameter(description="The step of the rows.")]
Meters = Annotated[
    list[Annotated[str, QueryParameter(max_length=64)]] | None,
    QueryParameter(max_items=100, description="Only these meters (ids); may be repeated."),
]
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
Zone = Annotated[
    str | None,
    QueryParameter(max_length=64, description="A time zone for all, not each meter's own."),
]
Of = Annotated[Literal["quantity", "region"], QueryParameter(description="What is summed over.")]
Filter = Annotated[str | None, QueryParameter(max_length=64)]

T = TypeVar("T")


@get("/factors", responses=problems(400), summary="Emission factors, by id and version")
async def list_factors(
    ledger: Ledger,
    set: Filter = None,  # noqa: A002
    region: Filter = None,
    quantity: Filter = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Factor]:
    """Every version of every factor, or of those to which all the filters apply."""
    wanted = {"set": set, "region": region, "quantity": quantity}
    given = {name: value for name, value in wanted.items() if value is not None}
    return page_of(
        ledger,
        FACTORS,
        cursor=cursor,
        limit=limit,
        keep=lambda factor: all(
            getattr(factor.stated, name) == value for name, value in given.items()
        ),
    )


@get("/factors/{id:str}", responses=problems(400, 404), summary="One factor")
async def show_factor(
    id: Id,  # noqa: A002
    ledger: Ledger,
) -> list[Factor]:
    """Its versions, the newest last."""
    latest_factor(ledger, id)
    return [shown(factor) for factor in ledger.scan(FACTORS, id)]


@get(
    "/reports/emissions",
    responses=problems(400, 403, 404, 413, 503),
    summary="Emissions by meter",
)
async def report_by_meter(
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    by: By = "day",
    meter: Meters = None,
    start: From = None,
    end: To = None,
    zone: Zone = None,
) -> list[EmissionRow]:
    """What each meter measured and emitted, in steps of its local time; base units and grams."""
    start_s, end_s = _instant(start, zone), _instant(end, zone)
    for id_ in meter or ():
        found = ledger.get(DEVICES, id_)
        require_sight(actor, () if found is None else [found.owner])  # also of what is not there
        device(ledger, id_)

    def read() -> list[EmissionRow]:
        meters = meter
        if meters is None and not may_see(actor, ()):
            everything = ledger.scan(DEVICES)
            meters = [found.id for found in everything if may_see(actor, [found.owner])]
        lake = live_lake(folder).up_to_date(ledger)
        rows = emission_report(
            ledger, lake, step=by, meters=meters, start_s=start_s, end_s=end_s, zone=zone
        )
        return _bounded(rows)

    return await long_reads.run(read)


@get(
    "/reports/emissions/groups",
    responses=problems(400, 403, 413, 503),
    summary="Emissions by quantity or region",
)
async def report_by_group(
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    of: Of = "quantity",
    by: By = "day",
    start: From = None,
    end: To = None,
    zone: Zone = None,
) -> list[GroupRow]:
    """What all meters of a quantity, or of a quantity in a region, measured and emitted."""
    start_s, end_s = _instant(start, zone), _instant(end, zone)
    require_sight(actor, ())

    def read() -> list[GroupRow]:
        lake = live_lake(folder).up_to_date(ledger)
        rows = group_report(ledger, lake, by=of, step=by, start_s=start_s, end_s=end_s, zone=zone)
        return _bounded(rows)

    return await long_reads.run(read)


def router() -> Router:
    """The routes, below ``/api/v1``."""
    handlers = [list_factors, show_factor, report_by_meter, report_by_group]
    return Router("/api/v1", route_handlers=handlers, tags=["emissions"])


def _instant(text: str | None, zone: str | None) -> int | None:
    return None if text is None else parse_time(text, zone or DEFAULT_ZONE)


def _bounded(rows: Iterator[T]) -> list[T]:
    found = list(islice(rows, MAX_ROWS + 1))
    if len(found) > MAX_ROWS:
        raise TOO_LONG(limit=MAX_ROWS)
    return found
