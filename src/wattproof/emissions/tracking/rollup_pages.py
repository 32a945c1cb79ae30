"""The page of roll-ups: what a host's nodes emitted by person, process, plant or region.

GET /tracking/rollups   `by` what to add up, `step` hour to year, `from` and `to` the period
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Response

from wattproof.console.chart import Line, TimeChart
from wattproof.console.frame import Frame
from wattproof.console.i18n import region_label, step_label
from wattproof.console.kept import Kept
from wattproof.console.visitor import Visitor
from wattproof.core.errors import Lang
from wattproof.core.periods import Step, parse_time
from wattproof.core.units import is_prediction
from wattproof.emissions.figures import period_of
from wattproof.emissions.live import live_lake
from wattproof.emissions.tracking.error_view import Period
from wattproof.emissions.tracking.host_view import HostAsked, host_view
from wattproof.emissions.tracking.model import PORTS
from wattproof.emissions.tracking.rollup import Rollup, RollupBy, rollup
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.ledger import LedgerFacts
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.ledger.store import Store
from wattproof.metering.model import STREAMS

__all__ = ["RollupTable", "rollup_pages"]

LABELS_DRAWN: Final = 8
"""Labels that have a colour of their own; the others are drawn as one."""
STEPS_SHOWN: Final = 1_000

From = Annotated[str, QueryParameter(name="from", max_length=40)]
To = Annotated[str, QueryParameter(name="to", max_length=40)]


class RollupTable(msgspec.Struct, frozen=True, kw_only=True):
    """A roll-up as a table: labels across, steps down; `cells` are grams or None."""

    labels: tuple[str, ...]
    steps: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]
    totals: tuple[int | None, ...]
    nodes: tuple[int, ...]


@get("/tracking/rollups", include_in_schema=False)
async def show_rollups(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    facts: NamedDependency[LedgerFacts],
    long_reads: Long,
    actor: Asker,
    kept: NamedDependency[Kept[Rollup]],
    host: HostAsked = "",
    by: Annotated[RollupBy, QueryParameter()] = "plant",
    step: Annotated[Step, QueryParameter()] = "day",
    start: From = "",
    end: To = "",
) -> Response[Any]:
    """What the nodes of a host emitted, added up by a label of theirs."""
    view = host_view(ledger, visitor, actor, host)
    period = _period(ledger, view.host, step, start, end, facts.zone)
    live, size = live_lake(folder), ledger.size

    def make() -> Rollup:
        return rollup(
            ledger,
            live.up_to_date(ledger),
            by=by,
            step=step,
            zone=facts.zone,
            host=view.host,
            from_s=period.start_s,
            to_s=period.end_s,
        )

    key = (view.host, by, period)
    found = await kept.get(key, size=size, make=make, long_reads=long_reads)
    if found is None:
        return frame.page(visitor, "tracking/preparing.html", done=live.entries, size=size)
    table = _table(found, visitor.lang)
    return frame.page(
        visitor,
        "tracking/rollups.html",
        view=view,
        found=found,
        table=table,
        chart=_chart(table, visitor.lang),
        period=period,
        period_name=period.named(visitor.lang),
        typed={"from": start, "to": end},
    )


def rollup_pages() -> Sequence[Router]:
    """The handler, with what it keeps between pages."""
    kept: Kept[Rollup] = Kept()
    given = {"kept": Provide(lambda: kept, sync_to_thread=False)}
    return [Router("/", route_handlers=[show_rollups], dependencies=given)]


def _period(ledger: Store, host: str, step: Step, start: str, end: str, zone: str) -> Period:
    """What was asked for; else what is shown of the step around the newest measured reading."""
    if start or end:
        return Period(
            step=step,
            zone=zone,
            start_s=parse_time(start, zone) if start else None,
            end_s=parse_time(end, zone) if end else None,
        )
    newest_s = 0
    for port in ledger.scan(PORTS, host):
        stream = None if is_prediction(port.quantity) else ledger.get(STREAMS, port.meter)
        newest_s = newest_s if stream is None else max(newest_s, stream.end_s)
    found = period_of(newest_s - 1, step, zone) if newest_s else None
    start_s, end_s = found or (None, None)
    return Period(step=step, zone=zone, start_s=start_s, end_s=end_s)


def _table(found: Rollup, lang: Lang) -> RollupTable:
    """Labels with the largest first; what has none stands last."""
    order = sorted(found.labels, key=lambda one: (not one.label, -(one.emission_g or 0), one.label))
    places = {one.label: at for at, one in enumerate(order)}
    rows: dict[int, list[int | None]] = {}
    for row in found.rows:
        rows.setdefault(row.start_s, [None] * len(order))[places[row.label]] = row.emission_g
    starts = sorted(rows)[:STEPS_SHOWN]
    return RollupTable(
        labels=tuple(_name(one.label, found.by, lang) for one in order),
        steps=tuple(step_label(at_s, found.step, found.zone, lang) for at_s in starts),
        cells=tuple(tuple(rows[at_s]) for at_s in starts),
        totals=tuple(one.emission_g for one in order),
        nodes=tuple(one.nodes for one in order),
    )


def _name(label: str, by: RollupBy, lang: Lang) -> str:
    if not label:
        return "未标注" if lang == "zh" else "without a label"
    return region_label(label, lang) if by == "region" else label


def _chart(table: RollupTable, lang: Lang) -> TimeChart | None:
    if not table.steps:
        return None
    lines = [
        Line(name=name, values=[row[at] for row in table.cells])
        for at, name in enumerate(table.labels[:LABELS_DRAWN])
    ]
    if len(table.labels) > LABELS_DRAWN:
        rest = [sum(grams or 0 for grams in row[LABELS_DRAWN:]) for row in table.cells]
        lines.append(Line(name="其他" if lang == "zh" else "others", values=rest))
    return TimeChart(
        title="二氧化碳排放" if lang == "zh" else "CO2 emissions",
        unit="g",
        steps=table.steps,
        lines=lines,
        stacked=True,
    )
