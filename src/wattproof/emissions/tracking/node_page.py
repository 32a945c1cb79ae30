"""The page of one node: how it is, its factors, its last packets, its stages.

GET /tracking/nodes/{device}   `by` is the step of its stages
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.chart import Line, TimeChart
from wattproof.console.frame import Frame
from wattproof.console.i18n import step_label
from wattproof.console.kept import Kept
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.errors import Lang
from wattproof.core.periods import Step
from wattproof.emissions.figures import period_of
from wattproof.emissions.live import live_lake
from wattproof.emissions.tracking.events import NodeEmitted
from wattproof.emissions.tracking.host_view import HostAsked, HostView, host_view
from wattproof.emissions.tracking.model import NODE_FACTORS, NODES, PORTS
from wattproof.emissions.tracking.node_view import NodeView, node_view
from wattproof.emissions.tracking.percent import percent_text
from wattproof.emissions.tracking.refusals import DEVICE_NOT_YOURS
from wattproof.emissions.tracking.stages import StageReport, stage_report
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.identity.model import DEVICES
from wattproof.ledger.chain import receipt_of
from wattproof.ledger.store import Store
from wattproof.metering.history import Report, reports
from wattproof.metering.model import OUTCOMES

__all__ = ["PacketView", "node_page"]

PACKETS_SHOWN: Final = 10


class PacketView(msgspec.Struct, frozen=True, kw_only=True):
    """A packet, what its node says that it emitted, and what is wrong with that (else empty)."""

    report: Report
    emission_g: int | None
    fault: str


@get("/tracking/nodes/{device_id:str}", include_in_schema=False)
async def show_node(
    device_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    kept: NamedDependency[Kept[StageReport]],
    host: HostAsked = "",
    by: Annotated[Step, QueryParameter()] = "day",
) -> Response[Any]:
    """One node, as far as it is the host's."""
    view = host_view(ledger, visitor, actor, host)
    node = _node(ledger, view, device_id[:64])
    live, stages = live_lake(folder), None
    if node.stream is not None:
        device, end_s = node.device, node.stream.end_s
        start_s, to_s = period_of(end_s - 1, by, device.zone) or (None, None)

        def make() -> StageReport:
            lake = live.up_to_date(ledger)
            return stage_report(ledger, lake, meter=device.id, step=by, from_s=start_s, to_s=to_s)

        key, size = (device.number, by), ledger.size
        stages = await kept.get(key, size=size, make=make, long_reads=long_reads)
    own = may_see(actor, [node.device.owner])
    return frame.page(
        visitor,
        "tracking/node.html",
        share=percent_text,
        view=view,
        node=node,
        by=by,
        own=own,
        factors=list(reversed(list(ledger.scan(NODE_FACTORS, node.device.number)))),
        packets=_packets(ledger, node),
        outcomes={row.name: (row.en, row.zh)[visitor.lang == "zh"] for row in OUTCOMES},
        stages=stages,
        labels=[] if stages is None else _labels(stages, visitor.lang),
        chart=None if stages is None else _chart(stages, visitor.lang),
    )


def node_page() -> Sequence[Router]:
    """The handler, with what it keeps between pages."""
    kept: Kept[StageReport] = Kept()
    given = {"kept": Provide(lambda: kept, sync_to_thread=False)}
    return [Router("/", route_handlers=[show_node], dependencies=given)]


def _node(ledger: Store, view: HostView, device_id: str) -> NodeView:
    """The node; the same refusal for a device that is not there and one that is not the host's."""
    device = ledger.get(DEVICES, device_id)
    if device is not None:
        found = ledger.find(PORTS, "device", device.id)
        ports = [port for port in found if port.host == view.host]
        if ports or (device.owner == view.host and ledger.get(NODES, device.number) is not None):
            return node_view(ledger, device, ports, now_s=now_s())
    raise DEVICE_NOT_YOURS(host=view.host, device=device_id)


def _packets(ledger: Store, node: NodeView) -> list[PacketView]:
    if node.stream is None:
        return []
    found = []
    for report in reports(ledger, node.stream, before=None, limit=PACKETS_SHOWN):
        emission_g, fault = None, ""
        for name, fields in receipt_of(report.entry, first=False).events:
            if name == NodeEmitted.name:
                emission_g, fault = int(fields["emission_g"]), str(fields.get("fault", ""))
        found.append(PacketView(report=report, emission_g=emission_g, fault=fault))
    return found


def _labels(stages: StageReport, lang: Lang) -> list[str]:
    return [step_label(row.start_s, stages.step, stages.zone, lang) for row in stages.rows]


def _chart(stages: StageReport, lang: Lang) -> TimeChart | None:
    if not stages.rows:
        return None
    zh = lang == "zh"
    rows = stages.rows
    return TimeChart(
        title="各阶段" if zh else "Stages",
        unit=stages.unit,
        steps=_labels(stages, lang),
        lines=[
            Line(name="本阶段" if zh else "this stage", values=[row.amount for row in rows]),
            Line(
                name="前一阶段" if zh else "the one before",
                values=[row.previous for row in rows],
                kind="line",
            ),
            Line(
                name="此前十二阶段均值" if zh else "mean of twelve before",
                values=[row.mean for row in rows],
                kind="line",
            ),
        ],
    )
