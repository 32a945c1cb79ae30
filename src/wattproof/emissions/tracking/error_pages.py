"""The pages of errors: all bindings, the report of one, its file, and putting it on the ledger.

GET  /tracking/errors                    the bindings of a host and their errors in all
GET  /tracking/errors/{group}            one binding by hour, day, month or year
GET  /tracking/errors/{group}/rows.csv   the same rows as a file
POST /tracking/errors/{group}/file       shows what will be signed: the report's digest
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Response
from litestar.response import Stream as Streamed

from wattproof.analytics.lake import Lake
from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.kept import Kept
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.periods import Step, check_step, parse_time
from wattproof.emissions.figures import period_of
from wattproof.emissions.live import live_lake
from wattproof.emissions.tracking.error_report import (
    ErrorReport,
    error_report,
    error_reports,
)
from wattproof.emissions.tracking.error_view import ROWS_SHOWN, ErrorView, Period, csv_lines
from wattproof.emissions.tracking.filing import filing_of
from wattproof.emissions.tracking.forms import line_text, number_of, window_begin
from wattproof.emissions.tracking.host_view import HostAsked, host_view
from wattproof.emissions.tracking.model import (
    PORTS,
    THRESHOLDS,
    Binding,
    Line,
    Threshold,
)
from wattproof.emissions.tracking.percent import percent_text
from wattproof.emissions.tracking.queries import binding_of
from wattproof.emissions.tracking.syntax import binding_text
from wattproof.emissions.tracking.wiring_pages import group_views
from wattproof.emissions.tracking.words import unit_of
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.ledger.store import Store
from wattproof.metering.model import STREAMS

__all__ = ["error_pages"]

LINES_DRAWN: Final = 6
"""Lines that are drawn where those of no set were chosen."""

Text = Annotated[str, QueryParameter(max_length=40)]
From = Annotated[str, QueryParameter(name="from", max_length=40)]
To = Annotated[str, QueryParameter(name="to", max_length=40)]
SetAsked = Annotated[int, QueryParameter(name="set", ge=0, le=999_999)]
By = Annotated[Step, QueryParameter()]

Both = tuple[ErrorReport, ErrorReport]
"""The report that was asked for, and that of all rows."""


class ErrorAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which report: the key by which it is kept."""

    host: str
    group: int
    set: int
    period: Period


@get("/tracking/errors", include_in_schema=False)
async def list_errors(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    facts: NamedDependency[LedgerFacts],
    long_reads: Long,
    actor: Asker,
    sums: NamedDependency[Kept[list[ErrorReport]]],
    host: HostAsked = "",
) -> Response[Any]:
    """The bindings of a host, with their errors over all time."""
    view = host_view(ledger, visitor, actor, host)
    groups, live = group_views(ledger, view.host), live_lake(folder)
    found: list[ErrorReport] | None = []
    if groups:

        def make() -> list[ErrorReport]:
            lake = live.up_to_date(ledger)
            return error_reports(ledger, lake, host=view.host, step="year", zone=facts.zone)

        found = await sums.get(view.host, size=ledger.size, make=make, long_reads=long_reads)
    by_group = {report.group: report for report in found or ()}
    return frame.page(
        visitor,
        "tracking/errors.html",
        share=percent_text,
        view=view,
        groups=groups,
        reports=by_group,
        ready=found is not None,
    )


@get("/tracking/errors/{group:int}", include_in_schema=False)
async def show_errors(
    group: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    facts: NamedDependency[LedgerFacts],
    long_reads: Long,
    actor: Asker,
    kept: NamedDependency[Kept[Both]],
    host: HostAsked = "",
    by: By = "day",
    start: From = "",
    end: To = "",
    set: SetAsked = 0,  # noqa: A002
) -> Response[Any]:
    """The report of one binding, drawn and in a table; with `set` only what reaches its lines."""
    view = host_view(ledger, visitor, actor, host)
    binding = binding_of(ledger, view.host, group)
    period = _period(ledger, binding, by, start, end, facts.zone)
    asked = ErrorAsked(host=view.host, group=group, set=set, period=period)
    live = live_lake(folder)
    make = _maker(ledger, lambda: live.up_to_date(ledger), asked)
    size = ledger.size
    found = await kept.get(asked, size=size, make=make, long_reads=long_reads)
    if found is None:
        return frame.page(visitor, "tracking/preparing.html", done=live.entries, size=size)
    report, whole = found
    sets = list(ledger.scan(THRESHOLDS, view.host, group))
    lang, unit = visitor.lang, unit_of(ledger, binding)
    return frame.page(
        visitor,
        "tracking/binding.html",
        share=percent_text,
        view=view,
        binding=binding,
        text=binding_text(group, binding.left, binding.right),
        group=next(one for one in group_views(ledger, view.host) if one.binding == binding),
        shown=ErrorView(report, whole, report.lines or _drawn(sets), lang),
        period=period,
        period_name=period.named(lang),
        typed={"from": start, "to": end},
        asked=asked,
        most=ROWS_SHOWN,
        sets=sets,
        line=lambda line: line_text(line, unit, lang),
        begin=lambda one: window_begin(one.step_s, one.offset_s, zone=facts.zone, now_s=now_s()),
        files=visitor.signed_in and (view.acts or visitor.has_role("registrar")),
    )


@get("/tracking/errors/{group:int}/rows.csv", include_in_schema=False)
async def download_errors(
    group: FromPath[int],
    visitor: NamedDependency[Visitor],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    facts: NamedDependency[LedgerFacts],
    long_reads: Long,
    actor: Asker,
    host: HostAsked = "",
    by: By = "day",
    start: From = "",
    end: To = "",
    set: SetAsked = 0,  # noqa: A002
) -> Streamed:
    """The rows of the report as a file."""
    view = host_view(ledger, visitor, actor, host)
    binding = binding_of(ledger, view.host, group)
    period = _period(ledger, binding, by, start, end, facts.zone)
    asked = ErrorAsked(host=view.host, group=group, set=set, period=period)
    live = live_lake(folder)
    report = await long_reads.run(lambda: _made(ledger, live.up_to_date(ledger), asked))
    return Streamed(
        csv_lines(report),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="errors-{group}-{by}.csv"'},
    )


@post("/tracking/errors/{group:int}/file", include_in_schema=False)
async def file_errors(
    request: Request[Any, Any, Any],
    group: FromPath[int],
    visitor: NamedDependency[Visitor],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    facts: NamedDependency[LedgerFacts],
    long_reads: Long,
    actor: Asker,
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Make the report, and show what will be signed: its digest and how it is made again."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    view = host_view(ledger, visitor, actor, form["host"][:64])
    binding = binding_of(ledger, view.host, group)
    step = check_step(form["by"])
    period = _period(ledger, binding, step, form["from"][:40], form["to"][:40], facts.zone)
    set_ = number_of(form["set"]) if form["set"] not in ("", "0") else 0
    asked = ErrorAsked(host=view.host, group=group, set=set_, period=period)
    live = live_lake(folder)
    report = await long_reads.run(lambda: _made(ledger, live.up_to_date(ledger), asked))
    body = filing_of(report)
    rehearsal.check(visitor, body)
    return signer.draft(visitor, body, back=view.path(f"/tracking/errors/{group}"))


def error_pages() -> Sequence[Router]:
    """The handlers, with what they keep between pages."""
    kept: Kept[Both] = Kept()
    sums: Kept[list[ErrorReport]] = Kept()
    given = {
        "kept": Provide(lambda: kept, sync_to_thread=False),
        "sums": Provide(lambda: sums, sync_to_thread=False),
    }
    handlers = [list_errors, show_errors, download_errors, file_errors]
    return [Router("/", route_handlers=handlers, dependencies=given)]


def _period(ledger: Store, binding: Binding, step: Step, start: str, end: str, zone: str) -> Period:
    """What was asked for; else what is shown of the step at once around the newest reading."""
    if start or end:
        return Period(
            step=step,
            zone=zone,
            start_s=max(0, parse_time(start, zone)) if start else None,
            end_s=parse_time(end, zone) if end else None,
        )
    reached = []
    for number in binding.right + binding.left:
        port = ledger.get(PORTS, binding.host, number)
        stream = None if port is None else ledger.get(STREAMS, port.meter)
        if stream is not None:
            reached.append(stream.end_s)
    found = period_of(min(reached) - 1, step, zone) if reached else None
    start_s, end_s = found or (None, None)
    return Period(step=step, zone=zone, start_s=start_s, end_s=end_s)


def _maker(ledger: Store, lake: Callable[[], Lake], asked: ErrorAsked) -> Callable[[], Both]:
    def make() -> Both:
        now = lake()
        report = _made(ledger, now, asked)
        if not asked.set:
            return report, report
        return report, _made(ledger, now, msgspec.structs.replace(asked, set=0))

    return make


def _made(ledger: Store, lake: Lake, asked: ErrorAsked) -> ErrorReport:
    period = asked.period
    return error_report(
        ledger,
        lake,
        host=asked.host,
        group=asked.group,
        step=period.step,
        zone=period.zone,
        from_s=period.start_s,
        to_s=period.end_s,
        set_=asked.set,
    )


def _drawn(sets: Sequence[Threshold]) -> list[Line]:
    """The lines of all sets, each once, as far as they are drawn."""
    found: Mapping[tuple[int, str], Line] = {
        (line.value, line.unit): Line(value=line.value, unit=line.unit)
        for one in sets
        for line in one.lines
    }
    return list(found.values())[:LINES_DRAWN]
