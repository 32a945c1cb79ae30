"""The contract of tracking: which rule runs for which transaction, and what it listens to.

It stands behind emissions among the contracts, so that a packet's emission is there when the
windows are added up.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wattproof.core.periods import check_zone_name
from wattproof.emissions.tracking.events import ReportFiled
from wattproof.emissions.tracking.model import (
    BINDINGS,
    HOSTS,
    INTERRUPTS,
    NODE_FACTORS,
    NODES,
    PORTS,
    REPORTS,
    THRESHOLDS,
    WATCHES,
    WINDOWS,
    DeclareFactor,
    DefineBinding,
    DefinePort,
    DefineThreshold,
    FiledReport,
    FileReport,
    HostRecord,
    NodePacket,
    RemoveBinding,
    RemovePort,
    RemoveThreshold,
)
from wattproof.emissions.tracking.nodes import (
    accept_node_packet,
    enter_factor,
    owe,
    take_emission,
)
from wattproof.emissions.tracking.refusals import (
    BINDING_UNKNOWN,
    ENTRIES_AHEAD,
    NOT_YOUR_REPORT,
    REPORT_PERIOD,
    THRESHOLD_UNKNOWN,
)
from wattproof.emissions.tracking.windows import watch_packet, watch_replacement
from wattproof.emissions.tracking.wiring import (
    define_binding,
    define_port,
    define_threshold,
    remove_binding,
    remove_port,
    remove_threshold,
)
from wattproof.ledger.machine import Context, Contract
from wattproof.metering.model import MeterReplaced, PacketAccepted

__all__ = ["CONTRACT", "file_report", "follow_packet", "follow_replacement"]

CONTRACT: Final = Contract(
    "tracking",
    collections=(
        NODES, NODE_FACTORS, PORTS, BINDINGS, THRESHOLDS, WATCHES, WINDOWS, INTERRUPTS, HOSTS,
        REPORTS,
    ),
)  # fmt: skip

CONTRACT.rule(DeclareFactor)(enter_factor)
CONTRACT.rule(NodePacket)(accept_node_packet)
CONTRACT.rule(DefinePort)(define_port)
CONTRACT.rule(RemovePort)(remove_port)
CONTRACT.rule(DefineBinding)(define_binding)
CONTRACT.rule(RemoveBinding)(remove_binding)
CONTRACT.rule(DefineThreshold)(define_threshold)
CONTRACT.rule(RemoveThreshold)(remove_threshold)


@CONTRACT.on(PacketAccepted)
def follow_packet(ctx: Context, event: PacketAccepted) -> None:
    """Take a node's emission, and look whether a window is complete."""
    body = ctx.body
    emitted = take_emission(ctx, event, body) if isinstance(body, NodePacket) else None
    watch_packet(ctx, event, emitted)


@CONTRACT.on(MeterReplaced)
def follow_replacement(ctx: Context, event: MeterReplaced) -> None:
    """The same for what a replaced register had gained."""
    owe(ctx, event)
    watch_replacement(ctx, event)


@CONTRACT.rule(FileReport)
def file_report(ctx: Context, body: FileReport) -> None:
    """Number a report and keep its digest."""
    if body.host != ctx.actor.id and "registrar" not in ctx.actor.roles:
        raise NOT_YOUR_REPORT(host=body.host)
    if body.to_s <= body.from_s:
        raise REPORT_PERIOD()
    if body.entries > ctx.index:
        raise ENTRIES_AHEAD(entries=body.entries, size=ctx.index)
    check_zone_name(body.zone)
    if ctx.state.get(BINDINGS, body.host, body.group) is None:
        raise BINDING_UNKNOWN(group=body.group)
    if body.set and ctx.state.get(THRESHOLDS, body.host, body.group, body.set) is None:
        raise THRESHOLD_UNKNOWN(group=body.group, set=body.set)
    record = ctx.state.get(HOSTS, body.host) or HostRecord(host=body.host)
    number = record.reports + 1
    ctx.state.put(HOSTS, replace(record, reports=number))
    ctx.state.put(
        REPORTS,
        FiledReport(
            host=body.host,
            number=number,
            group=body.group,
            set=body.set,
            step=body.step,
            from_s=body.from_s,
            to_s=body.to_s,
            zone=body.zone,
            entries=body.entries,
            rows=body.rows,
            digest=body.digest,
            filed_by=ctx.actor.id,
            entry=ctx.index,
            time_s=ctx.time_s,
        ),
    )
    ctx.emit(ReportFiled(host=body.host, report=number, group=body.group))
