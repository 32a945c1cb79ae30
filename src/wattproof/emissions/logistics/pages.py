"""The pages of logistics: shipments, one of them down to its log entry, and the report.

GET /shipments                        the list, by shipper or customer
GET /shipments/of/{shipper}/{id}      one shipment
GET /shipments/report[.csv]           sums by shipment, product, customer, period ...
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.chart import Line, TimeChart
from wattproof.console.frame import Frame, NavItem, Room
from wattproof.console.i18n import marked, period_label
from wattproof.console.visitor import Visitor
from wattproof.core.errors import Lang
from wattproof.core.periods import Step, parse_time
from wattproof.emissions.logistics.api import parties_of, reported, seen_shipment, where_to_look
from wattproof.emissions.logistics.import_pages import import_pages
from wattproof.emissions.logistics.model import SHIPMENTS
from wattproof.emissions.logistics.model_pages import model_pages, shown_factor
from wattproof.emissions.logistics.report import GROUPINGS, By, Period, ReportRow
from wattproof.emissions.logistics.uploads import Uploads
from wattproof.emissions.logistics.words import METHOD_WORDS, MODE_WORDS
from wattproof.emissions.model import FACTORS
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Asker, Cursor, Ledger, Long, page_with

__all__ = ["ROOM", "pages"]

PER_PAGE: Final = 50
STEPS_DRAWN: Final = 60
"""Steps of a chart at most, those that emitted most; the others are drawn together."""
ROWS_SHOWN: Final = 500

ROOM: Final = Room(
    name="logistics",
    package="wattproof.emissions.logistics",
    navigation=(NavItem(path="/shipments", text=marked("Logistics"), icon="truck", order=45),),
)

Filter = Annotated[str, QueryParameter(max_length=64)]
Grouping = Annotated[By, QueryParameter()]
AStep = Annotated[Step, QueryParameter()]
From = Annotated[str, QueryParameter(name="from", max_length=40)]
To = Annotated[str, QueryParameter(name="to", max_length=40)]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked for, as text."""

    by: By
    step: Step
    shipper: str
    start: str
    end: str


@get("/shipments", include_in_schema=False)
async def list_shipments(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
    shipper: Filter = "",
    customer: Filter = "",
) -> Response[Any]:
    """The shipments that the visitor may see: one's own, or all, by shipper or customer."""
    shipper, customer = shipper.strip(), customer.strip()
    index, values = where_to_look(actor, shipper=shipper, customer=customer)
    page = page_with(
        ledger,
        SHIPMENTS,
        index,
        values,
        cursor=cursor,
        limit=PER_PAGE,
        show=lambda one: one,
        keep=lambda one: may_see(actor, parties_of(one)) and shipper in ("", one.shipper),
    )
    return frame.page(
        visitor,
        "logistics/shipments.html",
        page=page,
        shipper=shipper,
        customer=customer,
        sees_all=may_see(actor, ()),
    )


@get("/shipments/of/{shipper:str}/{shipment_id:str}", include_in_schema=False)
async def show_shipment(
    shipper: FromPath[str],
    shipment_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """One shipment, how its emission was worked out, and the log entry that recorded it."""
    with ledger.snapshot():
        found = seen_shipment(ledger, actor, shipper[:64], shipment_id[:64])
        factor = ledger.get(FACTORS, found.factor, found.factor_version) if found.factor else None
    quantity = "freight" if found.method == "tonne-km" else "distance"
    return frame.page(
        visitor,
        "logistics/shipment.html",
        one=found,
        factor=factor,
        rate=shown_factor(found.rate_ug, quantity),
        product_rate=shown_factor(found.product_ug, "distance") if found.product_ug else "",
        shipper_seen=may_see(actor, [found.shipper]),
    )


@get("/shipments/report", include_in_schema=False)
async def show_report(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    long_reads: Long,
    facts: NamedDependency[LedgerFacts],
    by: Grouping = "period",
    step: AStep = "month",
    shipper: Filter = "",
    start: From = "",
    end: To = "",
) -> Response[Any]:
    """The sums, drawn and listed."""
    asked = Asked(by=by, step=step, shipper=shipper.strip(), start=start.strip(), end=end.strip())
    period = _period(asked, facts.zone)
    if asked.shipper:
        require_sight(actor, [asked.shipper])
    rows = await long_reads.run(
        reported(ledger, actor, by=by, period=period, shipper=asked.shipper)
    )
    names = _Names(frame, visitor.lang, asked, facts.zone)
    return frame.page(
        visitor,
        "logistics/report.html",
        asked=asked,
        groupings=GROUPINGS,
        rows=rows[:ROWS_SHOWN],
        count=len(rows),
        names=names,
        chart=_chart(rows, names) if rows else None,
        sees_all=may_see(actor, ()),
    )


@get("/shipments/report.csv", include_in_schema=False)
async def download_report(
    ledger: Ledger,
    actor: Asker,
    long_reads: Long,
    facts: NamedDependency[LedgerFacts],
    by: Grouping = "period",
    step: AStep = "month",
    shipper: Filter = "",
    start: From = "",
    end: To = "",
) -> Response[str]:
    """The rows of a report, in grams and metres."""
    asked = Asked(by=by, step=step, shipper=shipper.strip(), start=start.strip(), end=end.strip())
    if asked.shipper:
        require_sight(actor, [asked.shipper])
    rows = await long_reads.run(
        reported(ledger, actor, by=by, period=_period(asked, facts.zone), shipper=asked.shipper)
    )
    name = f'attachment; filename="shipments-by-{by}.csv"'
    return Response(
        _csv(rows), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
    )


def pages() -> Sequence[HTTPRouteHandler | Router]:
    """The handlers, with the uploads that they share."""
    uploads = Uploads()
    given = Provide(lambda: uploads, sync_to_thread=False)
    handlers = [
        list_shipments, show_shipment, show_report, download_report, *model_pages(),
        *import_pages(),
    ]  # fmt: skip
    return [Router("/", route_handlers=handlers, dependencies={"uploads": given})]


def _period(asked: Asked, zone: str) -> Period:
    return Period(
        zone=zone,
        step=asked.step,
        start_s=parse_time(asked.start, zone) if asked.start else None,
        end_s=parse_time(asked.end, zone) if asked.end else None,
    )


class _Names:
    """What the rows of a report are called on a page."""

    def __init__(self, frame: Frame, lang: Lang, asked: Asked, zone: str) -> None:
        self._words = frame.words
        self._lang = lang
        self._asked = asked
        self._zone = zone
        self.title = frame.text(lang)(marked("Emissions of shipments"))
        self.others = frame.text(lang)(marked("All others"))

    def key(self, key: str) -> str:
        """What a row is about."""
        if not key:
            return "–"
        if self._asked.by == "period":
            start_s = int(datetime.fromisoformat(key).timestamp())
            return period_label(start_s, self._asked.step, self._zone, self._lang)
        known: Mapping[str, tuple[str, str]] = {
            "method": METHOD_WORDS, "mode": MODE_WORDS,
        }.get(self._asked.by, {})  # fmt: skip
        word = known.get(key)
        short = f"{key[:16]}…" if len(key) > 32 else key
        return short if word is None else word[self._lang == "zh"]

    def basis(self, set_: str, scope: str) -> str:
        """The set and scope of factors."""
        value = self._words.value
        words = (value("set", set_, self._lang), value("scope", scope, self._lang))
        return ("，" if self._lang == "zh" else ", ").join(words)


def _chart(rows: Sequence[ReportRow], names: _Names) -> TimeChart:
    """The emissions, a colour for each set and scope."""
    sums: dict[str, dict[tuple[str, str], int]] = {}
    for row in rows:
        of = sums.setdefault(row.key, {})
        basis = (row.set, row.scope)
        of[basis] = of.get(basis, 0) + row.emission_g
    bases = sorted({(row.set, row.scope) for row in rows})
    drawn = sorted(sums, key=lambda key: max(sums[key].values()))[-STEPS_DRAWN:]
    keys = sorted(drawn)
    others = [of for key, of in sums.items() if key not in set(drawn)]
    steps = [names.key(key) for key in keys]
    values = [[sums[key].get(basis) for key in keys] for basis in bases]
    if others:
        steps.append(names.others)
        for line, basis in zip(values, bases, strict=True):
            line.append(sum(of.get(basis, 0) for of in others))
    return TimeChart(
        title=names.title,
        unit="g",
        steps=steps,
        lines=[
            Line(name=names.basis(*basis), values=line)
            for basis, line in zip(bases, values, strict=True)
        ],
    )


def _csv(rows: Sequence[ReportRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ReportRow.__struct_fields__)
    for row in rows:
        fields = msgspec.structs.asdict(row)
        writer.writerow([*{**fields, "methods": " ".join(row.methods)}.values()])
    return text.getvalue()
