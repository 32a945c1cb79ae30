"""The pages of settlement runs: the list, one that is begun, one that is looked at.

Below ``/settlement/regions/{region}``:

GET  /runs                      the runs, and the form for another
POST /runs                      shows what will be signed
GET  /runs/{number}             what a run came to, or how far it is
GET  /runs/{number}/progress    a piece of that page, while it is at work
POST /runs/{number}/go-on       goes on with one that was interrupted

To open a run is signed on a page of its own; its batches are then signed with the same key, in the
background (`run_work`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.users import Users
from wattproof.console.visitor import Visitor
from wattproof.core.errors import Conflict, ErrorCode, Refused
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.ledger.store import Store
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.local_time import parse_local_time
from wattproof.settlement.model import HOUR_S, OpenRun
from wattproof.settlement.queries import run_of
from wattproof.settlement.records import RUNS, day_of
from wattproof.settlement.refusals import NOT_OPERATOR
from wattproof.settlement.region_view import RegionView, region_view
from wattproof.settlement.run_work import RunWork
from wattproof.settlement.trade_queries import left_out_of
from wattproof.settlement.waiting import waits

__all__ = ["run_pages"]

PER_PAGE: Final = 50
LEFT_OUT_NAMED: Final = 20
"""Meters that a run left out and its page names."""
HOURS: Final = tuple((f"{hour:02}:00", f"{hour:02}:00") for hour in range(24))
"""The hours of a day to choose from."""

NOTHING_WAITS = ErrorCode(
    Conflict,
    "settlement.nothing_waits",
    en="Nothing of {region} up to this hour is left to settle.",
    zh="{region} 截至该时刻没有待结算的内容。",
)
OWN_KEY = ErrorCode(
    Conflict,
    "settlement.own_key",
    en="Your signing key is not kept here, so this page cannot sign a run's batches for you: settle"
    " with the command on the machine that has your key.",
    zh="您的签名密钥不在此处保管，本页面无法代为签署各批结算：请在存有密钥的机器上用命令结算。",
)
ABOUT_FIELDS: Final = {"settlement.run_ahead": "day", "settlement.nothing_waits": "day"}
"""Which field a refusal is about."""

Work = NamedDependency[RunWork]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**53)]


@get("/settlement/regions/{region_id:str}/runs", include_in_schema=False)
async def list_runs(
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    run_work: Work,
    before: Before = None,
) -> Response[Any]:
    """The runs of a region, newest first, and for who settles it the form for another."""
    view = region_view(ledger, visitor, actor, region_id)
    return _list(frame, visitor, ledger, view, run_work, Filled(), before=before)


@post("/settlement/regions/{region_id:str}/runs", include_in_schema=False)
async def start_run(
    region_id: FromPath[str],
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    users: NamedDependency[Users],
    ledger: Ledger,
    long_reads: Long,
    actor: Asker,
    run_work: Work,
) -> Response[Any]:
    """Show what will be signed; or go on with the run that is open."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    view = region_view(ledger, visitor, actor, region_id)
    region = view.region
    try:
        if region.open_run:
            _go_on(users, visitor, ledger, view, run_work)
            return frame.go(view.path(f"/runs/{region.open_run}"))
        day_s = form.take("day", lambda text: parse_local_time(text, region.offset_s))
        hour_s = form.take("hour", _hour)
        form.finish()
        body = form.bounded(OpenRun(region=region.region, until_s=day_s + hour_s))
        rehearsal.check(visitor, body)
        if not await long_reads.run(lambda: waits(ledger, region.region, body.until_s)):
            raise NOTHING_WAITS(region=region.region)
        if not visitor.signed_in_as.user.keeps_key:
            raise OWN_KEY()
    except Refused as refusal:
        form.refused(refusal, ABOUT_FIELDS)
        return _list(frame, visitor, ledger, view, run_work, form)
    return signer.draft(visitor, body, back=view.path("/runs"))


@get("/settlement/regions/{region_id:str}/runs/{number:int}", include_in_schema=False)
async def show_run(
    region_id: FromPath[str],
    number: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    run_work: Work,
) -> Response[Any]:
    """What a run came to, or how far it is."""
    view = region_view(ledger, visitor, actor, region_id)
    return _show(frame, visitor, ledger, view, run_work, number)


@get("/settlement/regions/{region_id:str}/runs/{number:int}/progress", include_in_schema=False)
async def show_progress(
    region_id: FromPath[str],
    number: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    run_work: Work,
) -> Response[Any]:
    """The moving part of the page; at the end the whole page is asked for again."""
    view = region_view(ledger, visitor, actor, region_id)
    run = run_of(ledger, view.id, number)
    progress = run_work.progress(view.id)
    if progress is None or run.state == "closed":
        return Response(b"", media_type="text/html", headers={"HX-Refresh": "true"})
    return frame.page(visitor, "settlement/run_bar.html", view=view, run=run, progress=progress)


@post("/settlement/regions/{region_id:str}/runs/{number:int}/go-on", include_in_schema=False)
async def go_on(
    region_id: FromPath[str],
    number: FromPath[int],
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    ledger: Ledger,
    actor: Asker,
    run_work: Work,
) -> Response[Any]:
    """Settle the meters that an open run has not come to. Sent again, it changes nothing."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    view = region_view(ledger, visitor, actor, region_id)
    try:
        if view.region.open_run == number:
            _go_on(users, visitor, ledger, view, run_work)
    except Refused as refusal:
        return _show(frame, visitor, ledger, view, run_work, number, refusal)
    return frame.go(view.path(f"/runs/{number}"))


def run_pages() -> Sequence[Router]:
    """The handlers."""
    handlers = [list_runs, start_run, show_run, show_progress, go_on]
    return [Router("/", route_handlers=handlers)]


def _go_on(
    users: Users, visitor: Visitor, ledger: Store, view: RegionView, run_work: RunWork
) -> None:
    """Go on with the region's open run, with the visitor's key."""
    session = visitor.signed_in_as
    if not view.operates:
        raise NOT_OPERATOR(operator=view.region.operator, region=view.id, party=session.user.party)
    if not session.user.keeps_key:
        raise OWN_KEY()
    run = run_of(ledger, view.id, view.region.open_run)
    run_work.start(view.id, key=users.key_of(session), until_s=run.until_s)


def _list(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    view: RegionView,
    run_work: RunWork,
    form: Filled,
    *,
    before: int | None = None,
) -> Response[Any]:
    region = view.region
    top = region.runs if before is None else min(region.runs, before - 1)
    numbers = range(top, max(0, top - PER_PAGE), -1)
    return frame.page(
        visitor,
        "settlement/runs.html",
        status=form.status,
        view=view,
        clock=LocalClock(offset_s=region.offset_s, lang=visitor.lang),
        runs=[run for number in numbers if (run := ledger.get(RUNS, region.region, number))],
        older=numbers[-1] if numbers and numbers[-1] > 1 else None,
        newest=top == region.runs,
        at_work=run_work.progress(view.id) is not None,
        form=form,
        hours=HOURS,
        today_s=day_of(int(time.time()), region.offset_s),
        keeps_key=visitor.signed_in and visitor.signed_in_as.user.keeps_key,
        own_key=OWN_KEY().text(visitor.lang),
    )


def _show(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    view: RegionView,
    run_work: RunWork,
    number: int,
    error: Refused | None = None,
) -> Response[Any]:
    progress = run_work.progress(view.id)  # looked at first: the run may close meanwhile
    run = run_of(ledger, view.id, number)
    return frame.page(
        visitor,
        "settlement/run.html",
        status=error.http_status if error else 200,
        view=view,
        clock=LocalClock(offset_s=view.region.offset_s, lang=visitor.lang),
        run=run,
        progress=progress if run.state == "open" else None,
        trouble=error or (run_work.trouble(view.id) if view.operates else None),
        left_out=left_out_of(ledger, view.id, number, limit=LEFT_OUT_NAMED)
        if run.left_out and view.sees_meters
        else [],
        keeps_key=visitor.signed_in and visitor.signed_in_as.user.keeps_key,
        own_key=OWN_KEY().text(visitor.lang),
    )


def _hour(text: str) -> int:
    """The seconds of a whole hour of the day, ``08:00``; raises ``core.time``."""
    return parse_local_time(f"1970-01-01T{text}:00", 0) // HOUR_S * HOUR_S
