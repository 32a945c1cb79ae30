"""Wiring, nodes and error reports over HTTP.

GET /api/v1/tracking/ports, bindings, thresholds, interrupts, reports, nodes   lists, by host
GET /api/v1/tracking/errors/{host}/{group}[/rows.csv]     an error report
GET /api/v1/tracking/reports/{host}/{number}              a filed report
GET /api/v1/tracking/reports/{host}/{number}/again        the same made again, and compared
GET /api/v1/tracking/stages/{meter}                       a node's stages
GET /api/v1/tracking/rollup                               emissions by label or region
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response import Response

from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, OverLimit
from wattproof.core.periods import DEFAULT_ZONE, Step, load_zone, parse_time
from wattproof.emissions.live import live_lake
from wattproof.emissions.tracking.error_report import ErrorReport, error_report
from wattproof.emissions.tracking.error_view import csv_lines
from wattproof.emissions.tracking.filing import made_again
from wattproof.emissions.tracking.model import (
    BINDINGS,
    INTERRUPTS,
    MAX_NUMBER,
    PORTS,
    REPORTS,
    THRESHOLDS,
    Binding,
    FiledReport,
    InterruptRecord,
    Port,
    Threshold,
)
from wattproof.emissions.tracking.queries import NodeHealth, filed_report, node_health
from wattproof.emissions.tracking.rollup import Rollup, RollupBy, rollup
from wattproof.emissions.tracking.stages import StageReport, stage_report
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import (
    Asker,
    Cursor,
    Ledger,
    Limit,
    Long,
    Page,
    page_of,
    page_with,
    shown,
)
from wattproof.identity.model import DEVICES
from wattproof.identity.queries import device
from wattproof.ledger.state import Collection, Key
from wattproof.ledger.store import Store

__all__ = ["MAX_ROWS", "Remade", "router"]

MAX_ROWS: Final = 100_000
"""Rows of one report at most; a longer one is asked for in parts."""

TOO_LONG = ErrorCode(
    OverLimit,
    "emissions.error_rows",
    en="The report has more than {limit} rows; ask for a shorter period or a coarser step.",
    zh="报告超过 {limit} 行；请缩短时段或采用更粗的步长。",
)

HostAsked = Annotated[str | None, QueryParameter(max_length=64, description="Of this host only.")]
InPath = Annotated[str, PathParameter(max_length=64, description="An id that people chose.")]
Group = Annotated[int, PathParameter(ge=1, le=MAX_NUMBER, description="The binding's group.")]
Number = Annotated[int, PathParameter(ge=1, le=2**31, description="The report's number.")]
By = Annotated[Step, QueryParameter(description="The step of the rows.")]
Of = Annotated[RollupBy, QueryParameter(description="What emissions are added up by.")]
Set = Annotated[
    int,
    QueryParameter(
        name="set", ge=0, le=MAX_NUMBER, description="Only rows that reach a line of this set."
    ),
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
Zone = Annotated[str, QueryParameter(max_length=64, description="The time zone of the steps.")]
OwnZone = Annotated[
    str | None, QueryParameter(max_length=64, description="A time zone, not the node's own.")
]


class Remade(msgspec.Struct, frozen=True, kw_only=True):
    """A filed report made again: its digest now, whether it is the same, and the report."""

    same: bool
    digest: str
    report: ErrorReport


@get("/ports", responses=problems(400), summary="Ports, by host and number")
async def list_ports(
    ledger: Ledger, actor: Asker, host: HostAsked = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[Port]:
    """The numbered ports that one may see, and the node behind each."""
    return _of_host(PORTS, ledger, actor, host, cursor, limit)


@get("/bindings", responses=problems(400), summary="Bindings, by host and group")
async def list_bindings(
    ledger: Ledger, actor: Asker, host: HostAsked = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[Binding]:
    """Which ports are compared with which."""
    return _of_host(BINDINGS, ledger, actor, host, cursor, limit)


@get("/thresholds", responses=problems(400), summary="Sets of lines, by host, group and set")
async def list_thresholds(
    ledger: Ledger, actor: Asker, host: HostAsked = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[Threshold]:
    """The lines that errors may not cross; `open` is the number of an interrupt that lasts."""
    return _of_host(THRESHOLDS, ledger, actor, host, cursor, limit)


@get("/interrupts", responses=problems(400), summary="Interrupts, by host and number")
async def list_interrupts(
    ledger: Ledger, actor: Asker, host: HostAsked = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[InterruptRecord]:
    """Where an error crossed a line; `over_entry` is -1 while it lasts."""
    return _of_host(INTERRUPTS, ledger, actor, host, cursor, limit)


@get("/reports", responses=problems(400), summary="Filed error reports, by host and number")
async def list_reports(
    ledger: Ledger, actor: Asker, host: HostAsked = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[FiledReport]:
    """The reports whose digests are on the ledger."""
    return _of_host(REPORTS, ledger, actor, host, cursor, limit)


@get("/nodes", responses=problems(400), summary="How nodes are, by host and port")
async def list_nodes(
    ledger: Ledger, actor: Asker, host: HostAsked = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[NodeHealth]:
    """Last packet and its age, factor in force, packets whose arithmetic was wrong; by port."""
    now_s = int(time.time())

    def show(port: Port) -> NodeHealth:
        return node_health(ledger, device(ledger, port.device), (port,), now_s=now_s)

    return page_with(ledger, PORTS, None, _own(actor, host), cursor=cursor, limit=limit,
                     show=show, keep=lambda one: may_see(actor, [one.host]))  # fmt: skip


@get(
    "/reports/{host:str}/{number:int}",
    responses=problems(400, 403, 404),
    summary="One filed report",
)
async def show_report(host: InPath, number: Number, ledger: Ledger, actor: Asker) -> FiledReport:
    """What is on the ledger of a report: all that is needed to make it again, and its digest."""
    require_sight(actor, [host])
    return shown(filed_report(ledger, host, number))


@get(
    "/reports/{host:str}/{number:int}/again",
    responses=problems(400, 403, 404, 413, 503),
    summary="A filed report made again",
)
async def remake_report(
    host: InPath,
    number: Number,
    ledger: Ledger,
    actor: Asker,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
) -> Remade:
    """The report from the log as it was then, and whether its bytes have the digest on file."""
    require_sight(actor, [host])
    filed = filed_report(ledger, host, number)

    def read() -> Remade:
        made = made_again(ledger, live_lake(folder).up_to_date(ledger), filed)
        return Remade(same=made.same, digest=made.digest.hex(), report=_bounded(made.report))

    return await long_reads.run(read)


@get(
    "/errors/{host:str}/{group:int}",
    responses=problems(400, 403, 404, 413, 503),
    summary="An error report",
)
async def report_errors(
    host: InPath,
    group: Group,
    ledger: Ledger,
    actor: Asker,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    by: By = "day",
    lines: Set = 0,
    start: From = None,
    end: To = None,
    zone: Zone = DEFAULT_ZONE,
) -> ErrorReport:
    """Predicted against measured, or a total against its parts; base units and grams."""
    require_sight(actor, [host])
    period = _instant(start, zone), _instant(end, zone)
    return await long_reads.run(_errors(ledger, folder, host, group, by, zone, lines, period))


@get(
    "/errors/{host:str}/{group:int}/rows.csv",
    media_type="text/csv",
    responses=problems(400, 403, 404, 413, 503),
    summary="The rows of an error report as CSV",
)
async def export_errors(
    host: InPath,
    group: Group,
    ledger: Ledger,
    actor: Asker,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    by: By = "day",
    lines: Set = 0,
    start: From = None,
    end: To = None,
    zone: Zone = DEFAULT_ZONE,
) -> Response[str]:
    """The same rows as lines of text, with times of the zone."""
    require_sight(actor, [host])
    period = _instant(start, zone), _instant(end, zone)
    report = await long_reads.run(_errors(ledger, folder, host, group, by, zone, lines, period))
    name = f'attachment; filename="errors-{group}-{by}.csv"'
    return Response("".join(csv_lines(report)), headers={"Content-Disposition": name})


@get(
    "/stages/{meter:str}",
    responses=problems(400, 403, 404, 413, 503),
    summary="A node's stages",
)
async def report_stages(
    meter: InPath,
    ledger: Ledger,
    actor: Asker,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    by: By = "month",
    start: From = None,
    end: To = None,
    zone: OwnZone = None,
) -> StageReport:
    """Each stage against the one before it, and against the mean of the last twelve."""
    found = ledger.get(DEVICES, meter)
    hosts = [port.host for port in ledger.find(PORTS, "device", meter)]
    require_sight(actor, hosts if found is None else [found.owner, *hosts])
    clock = (zone or DEFAULT_ZONE) if found is None else (zone or found.zone)
    from_s, to_s = _instant(start, clock), _instant(end, clock)

    def read() -> StageReport:
        lake = live_lake(folder).up_to_date(ledger)
        report = stage_report(
            ledger, lake, meter=meter, step=by, zone=zone, from_s=from_s, to_s=to_s
        )
        if len(report.rows) > MAX_ROWS:
            raise TOO_LONG(limit=MAX_ROWS)
        return report

    return await long_reads.run(read)


@get("/rollup", responses=problems(400, 403, 413, 503), summary="Emissions added up")
async def report_rollup(
    ledger: Ledger,
    actor: Asker,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    of: Of = "plant",
    by: By = "month",
    host: HostAsked = None,
    start: From = None,
    end: To = None,
    zone: Zone = DEFAULT_ZONE,
) -> Rollup:
    """What nodes emitted by person, process, plant or region: each once, predictions never."""
    if host is not None:
        require_sight(actor, [host])
    elif not may_see(actor, ()):
        host = actor.id
    from_s, to_s = _instant(start, zone), _instant(end, zone)

    def read() -> Rollup:
        lake = live_lake(folder).up_to_date(ledger)
        found = rollup(ledger, lake, by=of, step=by, zone=zone, host=host, from_s=from_s, to_s=to_s)
        if len(found.rows) > MAX_ROWS:
            raise TOO_LONG(limit=MAX_ROWS)
        return found

    return await long_reads.run(read)


def router() -> Router:
    """The routes, below ``/api/v1/tracking``."""
    handlers: list[Any] = [
        list_ports, list_bindings, list_thresholds, list_interrupts, list_reports, list_nodes,
        show_report, remake_report, report_errors, export_errors, report_stages, report_rollup,
    ]  # fmt: skip
    return Router("/api/v1/tracking", route_handlers=handlers, tags=["tracking"])


def _errors(
    ledger: Ledger,
    folder: LedgerFolder,
    host: str,
    group: int,
    step: Step,
    zone: str,
    set_: int,
    period: tuple[int | None, int | None],
) -> Callable[[], ErrorReport]:
    """The reading of a report, to be run where long reads go."""

    def read() -> ErrorReport:
        report = error_report(
            ledger,
            live_lake(folder).up_to_date(ledger),
            host=host,
            group=group,
            step=step,
            zone=zone,
            from_s=period[0],
            to_s=period[1],
            set_=set_,
        )
        return _bounded(report)

    return read


def _bounded(report: ErrorReport) -> ErrorReport:
    if len(report.rows) > MAX_ROWS:
        raise TOO_LONG(limit=MAX_ROWS)
    return report


H = TypeVar("H", Port, Binding, Threshold, InterruptRecord, FiledReport)


def _of_host(
    collection: Collection[H],
    ledger: Store,
    actor: Actor,
    host: str | None,
    cursor: str | None,
    limit: int,
) -> Page[H]:
    """A page of what belongs to hosts, as far as `actor` may see it."""
    return page_of(
        ledger,
        collection,
        None,
        _own(actor, host),
        cursor=cursor,
        limit=limit,
        keep=lambda one: may_see(actor, [one.host]),
    )


def _own(actor: Actor, host: str | None) -> Key:
    """Where to look: at the host that is asked for, or at one's own; who sees all, at all."""
    if host is not None:
        return (host,)
    return () if may_see(actor, ()) else (actor.id,)


def _instant(text: str | None, zone: str) -> int | None:
    load_zone(zone)
    return None if text is None else parse_time(text, zone)
