"""The pages of filed reports: the list, and one that is made again and compared.

GET  /tracking/reports            the reports whose digests are on the ledger, newest first
GET  /tracking/reports/{number}   one of them, made again: the same bytes, or not
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.frame import Frame
from wattproof.console.kept import Kept
from wattproof.console.visitor import Visitor
from wattproof.emissions.live import live_lake
from wattproof.emissions.tracking.error_view import ROWS_SHOWN, ErrorView
from wattproof.emissions.tracking.filing import Remade, made_again
from wattproof.emissions.tracking.host_view import HostAsked, host_view, newest_first
from wattproof.emissions.tracking.model import BINDINGS, HOSTS, REPORTS
from wattproof.emissions.tracking.percent import percent_text
from wattproof.emissions.tracking.queries import filed_report
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.reading import Asker, Ledger, Long

__all__ = ["Remade", "report_pages"]


Before = Annotated[int | None, QueryParameter(ge=1, le=2**53)]


@get("/tracking/reports", include_in_schema=False)
async def list_reports(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    host: HostAsked = "",
    before: Before = None,
) -> Response[Any]:
    """The filed reports of a host."""
    view = host_view(ledger, visitor, actor, host)
    record = ledger.get(HOSTS, view.host)
    count = 0 if record is None else record.reports
    found, older, newest = newest_first(ledger, REPORTS, view.host, count=count, before=before)
    return frame.page(
        visitor,
        "tracking/reports.html",
        view=view,
        reports=found,
        older=older,
        newest=newest,
    )


@get("/tracking/reports/{number:int}", include_in_schema=False)
async def show_report(
    number: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    kept: NamedDependency[Kept[Remade]],
    host: HostAsked = "",
) -> Response[Any]:
    """One filed report, made again from the log and compared."""
    view = host_view(ledger, visitor, actor, host)
    filed = filed_report(ledger, view.host, number)
    live = live_lake(folder)

    def make() -> Remade:
        return made_again(ledger, live.up_to_date(ledger), filed)

    size = ledger.size
    found = await kept.get((view.host, number), size=size, make=make, long_reads=long_reads)
    if found is None:
        return frame.page(visitor, "tracking/preparing.html", done=live.entries, size=size)
    return frame.page(
        visitor,
        "tracking/report.html",
        share=percent_text,
        view=view,
        filed=filed,
        made=found,
        bound=ledger.get(BINDINGS, view.host, filed.group) is not None,
        shown=ErrorView(found.report, found.report, found.report.lines, visitor.lang),
        most=ROWS_SHOWN,
    )


def report_pages() -> Sequence[Router]:
    """The handlers, with what they keep between pages."""
    kept: Kept[Remade] = Kept()
    given = {"kept": Provide(lambda: kept, sync_to_thread=False)}
    return [Router("/", route_handlers=[list_reports, show_report], dependencies=given)]
