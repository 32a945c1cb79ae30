"""The pages of regions: the list of those that are settled, and what was settled of one.

GET  /settlement                       the regions that are settled here
GET  /settlement/regions/{region}      one of them by hour, day or month: `by`, `from`, `to`
GET  /settlement/define                the form by which a grid company defines a region
POST /settlement/define                shows what will be signed
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final

from litestar import Request, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.chart import Line, TimeChart
from wattproof.console.filled import Filled
from wattproof.console.frame import Frame
from wattproof.console.kept import Kept
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.sign_in import form_checked
from wattproof.console.signing import Signer
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import Lang, OverLimit, Refused
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.identity.refusals import ROLE_MISSING
from wattproof.ledger.store import Store
from wattproof.settlement.flow_view import FlowChart, flow_chart
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.model import DefineRegion, StatementStep
from wattproof.settlement.queries import periods_of, regions, sums_of, tariffs_of
from wattproof.settlement.region_forms import ABOUT_FIELDS, offered, region_body
from wattproof.settlement.region_period import RegionPeriod
from wattproof.settlement.region_value import value_of
from wattproof.settlement.region_view import RegionView, may_define, region_view
from wattproof.settlement.trade_queries import flows_of

__all__ = ["STEPS_SHOWN", "By", "First", "Last", "region_pages"]

STEPS_SHOWN: Final = 1_000
"""Steps of a period that a page draws and lists."""

By = Annotated[StatementStep, QueryParameter()]
First = Annotated[str, QueryParameter(name="from", max_length=40)]
Last = Annotated[str, QueryParameter(name="to", max_length=40)]


@get("/settlement", include_in_schema=False)
async def list_regions(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """The regions, each with the value of all that was settled of it."""
    with ledger.snapshot():
        found = [
            (region_view(ledger, visitor, actor, one.region), sums_of(ledger, one.region))
            for one in regions(ledger)
        ]
    return frame.page(
        visitor, "settlement/regions.html", regions=found, defines=may_define(visitor)
    )


@get("/settlement/regions/{region_id:str}", include_in_schema=False)
async def show_region(
    region_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    long_reads: Long,
    actor: Asker,
    kept: NamedDependency[Kept[FlowChart]],
    by: By = "day",
    start: First = "",
    end: Last = "",
) -> Response[Any]:
    """What was settled of a region in a period."""
    view = region_view(ledger, visitor, actor, region_id)
    region = view.region
    clock = LocalClock(offset_s=region.offset_s, lang=visitor.lang)
    whole = sums_of(ledger, region.region)
    newest_s = whole.end_s - 1 if whole.days else now_s()
    period = RegionPeriod.asked(start, end, by, region.offset_s, newest_s=newest_s)
    flows, refusal = None, ""
    if whole.days:
        try:
            flows = await _flows(kept, ledger, long_reads, view, actor.id, period)
        except OverLimit as error:
            refusal = error.text(visitor.lang)
    return frame.page(
        visitor,
        "settlement/region.html",
        view=view,
        clock=clock,
        whole=whole,
        period=period,
        period_name=period.named(clock),
        value=value_of(ledger, region.region, period.from_s, period.to_s),
        chart=_chart(ledger, view, period, clock),
        most=STEPS_SHOWN,
        flows=flows,
        flows_refused=refusal,
        priced=bool(whole.days or tariffs_of(ledger, region.region)),
    )


@get("/settlement/define", include_in_schema=False)
async def show_form(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame], ledger: Ledger
) -> Response[Any]:
    """The form by which a grid company defines a region."""
    if not may_define(visitor):
        roles = ", ".join(DefineRegion.spec.by)
        raise ROLE_MISSING(party=visitor.signed_in_as.user.party, roles=roles)
    return _form(frame, visitor, ledger, Filled())


@post("/settlement/define", include_in_schema=False)
async def define_region(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    signer: NamedDependency[Signer],
    rehearsal: NamedDependency[Rehearsal],
    ledger: Ledger,
) -> Response[Any]:
    """Show what will be signed, or the form again with what is wrong."""
    form = await Filled.of(request)
    form_checked(request, visitor, form["csrf"])
    try:
        body = region_body(form)
        rehearsal.check(visitor, body)
    except Refused as refusal:
        return _form(frame, visitor, ledger, form.refused(refusal, ABOUT_FIELDS))
    return signer.draft(visitor, body, back="/settlement")


def region_pages() -> Sequence[Router]:
    """The handlers, with what they keep between pages."""
    kept: Kept[FlowChart] = Kept()
    given = {"kept": Provide(lambda: kept, sync_to_thread=False)}
    handlers = [list_regions, show_region, show_form, define_region]
    return [Router("/", route_handlers=handlers, dependencies=given)]


async def _flows(
    kept: Kept[FlowChart],
    ledger: Store,
    long_reads: Long,
    view: RegionView,
    party: str,
    period: RegionPeriod,
) -> FlowChart | None:
    """Who supplied and consumed; None while it takes longer than a page waits."""
    own = "" if view.sees_meters else party
    last_entry = view.region.last_entry  # only another batch makes them others
    key = view.id, period.from_s, period.to_s, view.sees_meters, own, last_entry

    def make() -> FlowChart:
        may_name = partial(_is_shown, every=view.sees_meters, own=own)
        return flow_chart(flows_of(ledger, view.id, period.from_s, period.to_s, may_name=may_name))

    return await kept.get(key, size=last_entry, make=make, long_reads=long_reads)


def _is_shown(party: str, *, every: bool, own: str) -> bool:
    return every or party == own


def _chart(ledger: Store, view: RegionView, period: RegionPeriod, clock: LocalClock) -> TimeChart:
    """Supply, use and net by the step; a step of which nothing was settled has no values."""
    found = {
        max(one.start_s, period.from_s): one
        for one in periods_of(ledger, view.id, period.step, period.from_s, period.to_s)
    }
    rows = [found.get(at_s) for at_s in period.starts[:STEPS_SHOWN]]
    supplied, consumed, net = _NAMES[clock.lang]
    return TimeChart(
        title=_TITLES[clock.lang],
        unit="Wh",
        steps=period.labels(clock)[:STEPS_SHOWN],
        lines=[
            Line(name=supplied, values=[one.supplied_wh if one else None for one in rows]),
            Line(name=consumed, values=[one.consumed_wh if one else None for one in rows]),
            Line(name=net, values=[one.net_wh if one else None for one in rows], kind="line"),
        ],
    )


def _form(frame: Frame, visitor: Visitor, ledger: Store, form: Filled) -> Response[Any]:
    return frame.page(
        visitor,
        "settlement/region_form.html",
        status=form.status,
        form=form,
        offered=offered(ledger, visitor.lang),
    )


_NAMES: Final[dict[Lang, tuple[str, str, str]]] = {
    "en": ("supplied", "consumed", "net"),
    "zh": ("供电量", "用电量", "净值"),
}
_TITLES: Final[dict[Lang, str]] = {"en": "Supply, use and net", "zh": "供电、用电与净值"}
