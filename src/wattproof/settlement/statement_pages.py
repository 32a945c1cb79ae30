"""The pages of settlement statements: those on the ledger, and one that is made to be looked at.

Below ``/settlement/regions/{region}``:

GET  /statements                     the filed statements, and the form by which one is made
GET  /statement                      the statement of a period: `by`, `from`, `to`
GET  /statement/rows.csv             its rows as a file
POST /statement/file                 shows what will be signed: the sums and the digest
GET  /statements/{number}            a filed one, made again: the same bytes, or not
GET  /statements/{number}/{file}     ``rows.csv``, ``differences.csv``, ``statement.json``
                                     (the bytes whose digest is filed), ``proofs.json`` (with the
                                     proofs; `wattproof verify` checks it without the ledger)

Which meters differ is for who settles the region and for those who see all; so are the files that
name them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from litestar import Request, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Response
from litestar.response import Stream as Streamed

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.kept import Kept
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Follow, Signer
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import ErrorCode, NotFound
from wattproof.emissions.live import live_lake
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.access import require_sight
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.filing import Remade, filing_of, made_again
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.local_days import check_statement_step
from wattproof.settlement.model import FileStatement
from wattproof.settlement.queries import filed_statement, region_of, sums_of
from wattproof.settlement.records import STATEMENTS, Region
from wattproof.settlement.region_period import RegionPeriod
from wattproof.settlement.region_view import RegionView, region_view
from wattproof.settlement.statement import (
    Statement,
    statement,
    statement_bytes,
    statement_digest,
)
from wattproof.settlement.statement_bundle import make_bundle
from wattproof.settlement.statement_view import (
    StatementView,
    difference_csv_lines,
    statement_csv_lines,
)

__all__ = ["follow_filing", "statement_pages"]

PER_PAGE: Final = 50
ROWS_SHOWN: Final = 1_000
"""Rows, and meters that differ, on one page; the files have all of them."""

NO_FILE = ErrorCode(
    NotFound,
    "settlement.statement_file",
    en="A statement has no file “{file}”.",
    zh="结算单没有文件“{file}”。",
)

By = Annotated[str, QueryParameter(max_length=10)]
First = Annotated[str, QueryParameter(name="from", max_length=40)]
Last = Annotated[str, QueryParameter(name="to", max_length=40)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**53)]
Made = NamedDependency[Kept[Statement]]
Again = NamedDependency[Kept[Remade]]
LogKey = NamedDependency[SigningKey]


@get("/settlement/regions/{region_id:str}/statements", include_in_schema=False)
async def list_statements(
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    before: Before = None,
) -> Response[Any]:
    """The filed statements of a region, newest first, and the form by which one is made."""
    view = region_view(ledger, visitor, actor, region_id)
    region = view.region
    top = region.statements if before is None else min(region.statements, before - 1)
    numbers = range(top, max(0, top - PER_PAGE), -1)
    whole = sums_of(ledger, region.region)
    return frame.page(
        visitor,
        "settlement/statements.html",
        view=view,
        clock=_clock(region, visitor),
        statements=[
            one for number in numbers if (one := ledger.get(STATEMENTS, region.region, number))
        ],
        older=numbers[-1] if numbers and numbers[-1] > 1 else None,
        newest=top == region.statements,
        whole=whole,
        period=_period(ledger, region, "day", "", ""),
    )


@get("/settlement/regions/{region_id:str}/statement", include_in_schema=False)
async def show_made(
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    made: Made,
    by: By = "day",
    start: First = "",
    end: Last = "",
) -> Response[Any]:
    """The statement of a period as it would be filed now."""
    view = region_view(ledger, visitor, actor, region_id)
    period = _period(ledger, view.region, by, start, end)
    live, size = live_lake(folder), ledger.size
    found = await made.get(
        (view.id, period, view.region.last_entry),  # what a batch came behind is made anew
        size=size,
        make=_maker(ledger, folder, period, view),
        long_reads=long_reads,
    )
    if found is None:
        return frame.page(visitor, "settlement/preparing.html", done=live.entries, size=size)
    return frame.page(
        visitor,
        "settlement/statement_made.html",
        view=view,
        clock=_clock(view.region, visitor),
        period=period,
        shown=StatementView(found, visitor.lang),
        digest=statement_digest(found).hex(),
        most=ROWS_SHOWN,
    )


@get("/settlement/regions/{region_id:str}/statement/rows.csv", include_in_schema=False)
async def download_made(
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    by: By = "day",
    start: First = "",
    end: Last = "",
) -> Streamed:
    """The rows of a period's statement as a file."""
    view = region_view(ledger, visitor, actor, region_id)
    period = _period(ledger, view.region, by, start, end)
    found = await long_reads.run(_maker(ledger, folder, period, view))
    return _csv(statement_csv_lines(found), f"{view.id}-{period.days[0]}-{period.step}.csv")


@post("/settlement/regions/{region_id:str}/statement/file", include_in_schema=False)
async def file_statement(
    region_id: FromPath[str],
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
) -> Response[Any]:
    """Make the statement that was looked at, and show what will be signed."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    view = region_view(ledger, visitor, actor, region_id)
    period = _period(ledger, view.region, form["by"], form["from"][:40], form["to"][:40])
    looked_at = form["entries"]
    entries = int(looked_at) if looked_at.isascii() and looked_at.isdigit() else None
    found = await long_reads.run(_maker(ledger, folder, period, view, entries=entries))
    body = filing_of(found)
    rehearsal.check(visitor, body)
    return signer.draft(visitor, body, back=view.path("/statements"))


@get("/settlement/regions/{region_id:str}/statements/{number:int}", include_in_schema=False)
async def show_statement(
    region_id: FromPath[str],
    number: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    again: Again,
) -> Response[Any]:
    """One filed statement, made again from the log and compared."""
    view = region_view(ledger, visitor, actor, region_id)
    filed = filed_statement(ledger, view.id, number)
    live, size = live_lake(folder), ledger.size

    def make() -> Remade:
        return made_again(ledger, live.up_to_date(ledger), filed)

    found = await again.get((view.id, number), size=size, make=make, long_reads=long_reads)
    if found is None:
        return frame.page(visitor, "settlement/preparing.html", done=live.entries, size=size)
    return frame.page(
        visitor,
        "settlement/statement.html",
        view=view,
        clock=_clock(view.region, visitor),
        filed=filed,
        made=found,
        shown=StatementView(found.statement, visitor.lang),
        digest=found.digest.hex(),
        most=ROWS_SHOWN,
        names_meters=bool(found.statement.differences),
    )


@get(
    "/settlement/regions/{region_id:str}/statements/{number:int}/{file:str}",
    include_in_schema=False,
)
async def download(
    region_id: FromPath[str],
    number: FromPath[int],
    file: FromPath[str],
    visitor: NamedDependency[Visitor],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    log_key: LogKey,
) -> Response[Any] | Streamed:
    """A filed statement as a file."""
    view = region_view(ledger, visitor, actor, region_id)
    filed = filed_statement(ledger, view.id, number)
    name = f"{view.id}-{number}-{file[:40]}"
    if file not in _FILES:
        raise NO_FILE(file=file[:40])
    live = live_lake(folder)
    made = await long_reads.run(
        lambda: made_again(ledger, live.up_to_date(ledger), filed).statement
    )
    if file != "rows.csv" and made.differences:
        require_sight(actor, [view.region.operator])
    if file == "proofs.json":
        data = await long_reads.run(
            lambda: make_bundle(ledger, live.up_to_date(ledger), filed, log_key=log_key)
        )
        return _attached(data, name)
    if file == "statement.json":
        return _attached(statement_bytes(made), name)
    lines = statement_csv_lines if file == "rows.csv" else difference_csv_lines
    return _csv(lines(made), name)


def follow_filing(reading: Reading) -> Follow:
    """After a statement was filed on a page, it is shown."""

    def follow(filed: FileStatement, _key: SigningKey | None) -> str:
        region = region_of(reading, filed.region)
        view = RegionView(region=region, operates=True, sees_meters=True)
        return view.path(f"/statements/{region.statements}")

    return follow


def statement_pages() -> Sequence[Router]:
    """The handlers, with what they keep between pages."""
    made: Kept[Statement] = Kept()
    again: Kept[Remade] = Kept()
    given = {
        "made": Provide(lambda: made, sync_to_thread=False),
        "again": Provide(lambda: again, sync_to_thread=False),
    }
    handlers = [
        list_statements, show_made, download_made, file_statement, show_statement, download,
    ]  # fmt: skip
    return [Router("/", route_handlers=handlers, dependencies=given)]


_FILES: Final = ("rows.csv", "differences.csv", "statement.json", "proofs.json")


def _period(ledger: Store, region: Region, by: str, first: str, last: str) -> RegionPeriod:
    """The period that was asked for; else the month in which something was settled last."""
    step = check_statement_step(by)
    if first or last:
        return RegionPeriod.asked(first, last, step, region.offset_s, newest_s=0)
    whole = sums_of(ledger, region.region)
    newest_s = whole.end_s - 1 if whole.days else now_s()
    month = RegionPeriod.around(newest_s, "day", region.offset_s)
    return RegionPeriod(step=step, from_s=month.from_s, to_s=month.to_s, offset_s=region.offset_s)


def _maker(
    ledger: Store,
    folder: LedgerFolder,
    period: RegionPeriod,
    view: RegionView,
    *,
    entries: int | None = None,
) -> Callable[[], Statement]:
    """What makes the statement of a period, in a thread of its own."""
    live = live_lake(folder)

    def make() -> Statement:
        return statement(
            ledger,
            live.up_to_date(ledger),
            region=view.id,
            from_s=period.from_s,
            to_s=period.to_s,
            step=period.step,
            entries=entries,
        )

    return make


def _clock(region: Region, visitor: Visitor) -> LocalClock:
    return LocalClock(offset_s=region.offset_s, lang=visitor.lang)


def _csv(lines: Any, name: str) -> Streamed:
    return Streamed(
        lines,
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _attached(data: bytes, name: str) -> Response[Any]:
    return Response(
        data,
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
