"""The rules of nodes: the factor that is entered at a node, and the emission that it says.

The host adds up what nodes say and does not compute it again. It checks the arithmetic, and marks
the packet, and counts it against the node, where it does not hold.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Final

from msgspec.structs import replace

from wattproof.core.plausible import check_plausible
from wattproof.core.units import MAX_AMOUNT, family
from wattproof.emissions.carry import UG_PER_G
from wattproof.emissions.contract import check_fits
from wattproof.emissions.model import EMISSION_STREAMS, EmissionStream
from wattproof.emissions.queries import factor, split_name
from wattproof.emissions.refusals import CO2_ALREADY, LIMIT, NO_FACTOR, REPORTED
from wattproof.emissions.tracking.events import NodeEmitted, NodeFactorEntered
from wattproof.emissions.tracking.model import (
    NODE_FACTORS,
    NODES,
    DeclareFactor,
    Node,
    NodeFactor,
    NodePacket,
    NodeSpan,
)
from wattproof.emissions.tracking.refusals import (
    FACTOR_NOT_IN_FORCE,
    FACTOR_VALUE,
    LENGTH,
    NOT_A_NODE,
    TOO_MANY_FACTORS,
)
from wattproof.identity.contract import active_device
from wattproof.identity.model import Device
from wattproof.ledger.machine import Context
from wattproof.metering.contract import accept_packet
from wattproof.metering.model import STREAMS, MeterReplaced, PacketAccepted

__all__ = ["MAX_SPANS", "UNITY", "accept_node_packet", "enter_factor", "owe", "take_emission"]

MAX_SPANS: Final = 16
"""Factors of one node that are in force or to come, at most."""

UNITY: Final = NodeSpan(factor="unity@1", value_ug=UG_PER_G, from_s=0)
"""The factor of a node that measures CO2 itself."""


def enter_factor(ctx: Context, body: DeclareFactor) -> None:
    """Put a node's own factor in force, from a time that is not reported yet."""
    device = active_device(ctx)
    if family(device.quantity) == "co2":
        raise CO2_ALREADY(device=device.id)
    check_plausible(body.value_ug, device.quantity)
    if body.factor:
        _check_published(ctx, device, body)
    reported = ctx.state.get(STREAMS, device.number)
    reported_s = 0 if reported is None else reported.end_s
    if body.from_s < reported_s:
        raise REPORTED(device=device.id, end_s=reported_s)
    stream = ctx.state.get(EMISSION_STREAMS, device.number) or EmissionStream(number=device.number)
    if stream.spans or (stream.total_g and not stream.node):
        raise NOT_A_NODE(device=device.id)
    node = ctx.state.get(NODES, device.number) or Node(number=device.number)
    span = NodeSpan(factor=body.factor, value_ug=body.value_ug, from_s=body.from_s)
    spans = (*(old for old in node.spans if old.from_s < span.from_s), span)
    over = sum(later.from_s <= reported_s for _, later in pairwise(spans))
    spans = spans[over:]
    if len(spans) > MAX_SPANS:
        raise TOO_MANY_FACTORS(device=device.id, limit=MAX_SPANS)
    for later in node.spans:
        if later.from_s > span.from_s:
            ctx.state.delete(NODE_FACTORS, device.number, later.from_s)
    ctx.state.put(NODES, replace(node, spans=spans))
    if not stream.node:
        ctx.state.put(EMISSION_STREAMS, replace(stream, node=True))
    ctx.state.put(
        NODE_FACTORS,
        NodeFactor(
            number=device.number,
            from_s=body.from_s,
            factor=body.factor,
            value=body.value,
            unit=body.unit,
            value_ug=body.value_ug,
            entered_by=body.entered_by,
            entered_s=body.entered_s,
            entry=ctx.index,
        ),
    )
    ctx.emit(
        NodeFactorEntered(
            number=device.number,
            factor=body.factor,
            value_ug=body.value_ug,
            entered_by=body.entered_by,
            from_s=body.from_s,
        )
    )


def accept_node_packet(ctx: Context, body: NodePacket) -> None:
    """Accept a node's packet as metering accepts any; its emission follows by `take_emission`."""
    if len(body.emissions) != len(body.increments):
        raise LENGTH(emissions=len(body.emissions), readings=len(body.increments))
    accept_packet(ctx, body)


def take_emission(ctx: Context, event: PacketAccepted, body: NodePacket) -> NodeEmitted:
    """Add up what the node says that it emitted, and check that it follows."""
    device = active_device(ctx)
    node = ctx.state.get(NODES, event.number) or _opened(ctx, device)
    _check_in_force(device, node, event, body)
    fault = "" if _holds(body) else "arithmetic"
    catch_up_g = 0
    if node.packets:
        catch_up_g = max(0, body.opening_g - node.closing_g)
        if not _goes_on(node, event, body):
            fault = fault or "register"
    grams = body.emissions.sum()
    total_g = node.total_g + catch_up_g + grams
    closing_g = body.opening_g + grams
    if total_g > MAX_AMOUNT or closing_g > MAX_AMOUNT:
        raise LIMIT()
    carry_ug = (body.carry_ug + body.value_ug * body.increments.sum()) % UG_PER_G
    ctx.state.put(
        NODES,
        Node(
            number=node.number,
            spans=node.spans,
            closing_g=closing_g,
            carry_ug=carry_ug,
            total_g=total_g,
            packets=node.packets + 1,
            wrong=node.wrong + bool(fault),
            wrong_entry=ctx.index if fault else node.wrong_entry,
        ),
    )
    ctx.state.put(
        EMISSION_STREAMS,
        EmissionStream(number=node.number, total_g=total_g, carry_ug=carry_ug, node=True),
    )
    emitted = NodeEmitted(
        number=event.number,
        emission_g=catch_up_g + grams,
        factor=body.factor,
        value_ug=body.value_ug,
        catch_up_g=catch_up_g,
        fault=fault,
    )
    ctx.emit(emitted)
    return emitted


def owe(ctx: Context, event: MeterReplaced) -> None:
    """Remember what a node's old register had gained, until the node emits it."""
    node = ctx.state.get(NODES, event.number)
    if node is not None and event.catch_up:
        ctx.state.put(NODES, replace(node, owed=node.owed + event.catch_up))


def _check_published(ctx: Context, device: Device, body: DeclareFactor) -> None:
    id_, version = split_name(body.factor)
    found = factor(ctx.state, id_, version)
    if found is None:
        raise NO_FACTOR(factor=id_ or body.factor, version=version)
    check_fits(device.id, device.quantity, found)
    if found.stated.value_ug != body.value_ug:
        raise FACTOR_VALUE(
            factor=body.factor, published=found.stated.value_ug, value_ug=body.value_ug
        )


def _opened(ctx: Context, device: Device) -> Node:
    """A node that never entered a factor: fine for CO2 itself, else nothing is in force."""
    stream = ctx.state.get(EMISSION_STREAMS, device.number)
    if stream is not None and not stream.node and (stream.spans or stream.total_g):
        raise NOT_A_NODE(device=device.id)
    spans = (UNITY,) if family(device.quantity) == "co2" else ()
    return Node(number=device.number, spans=spans)


def _check_in_force(device: Device, node: Node, event: PacketAccepted, body: NodePacket) -> None:
    """The packet's factor must be in force for all of its readings."""
    last_s = event.start_s + max(0, event.count - 1) * event.interval_s
    in_force = [span for span in node.spans if span.from_s <= last_s]
    if (
        not in_force
        or in_force[-1].from_s > event.start_s
        or (in_force[-1].value_ug, in_force[-1].factor) != (body.value_ug, body.factor)
    ):
        raise FACTOR_NOT_IN_FORCE(device=device.id, value_ug=body.value_ug, start_s=event.start_s)


def _holds(body: NodePacket) -> bool:
    """Whether the grams of the readings follow from amounts, factor and carry."""
    value_ug, carry_ug = body.value_ug, body.carry_ug
    whole, said = 0, body.emissions.ints()
    for amount, grams in zip(accumulate(body.increments.ints()), said, strict=True):
        now = (carry_ug + value_ug * amount) // UG_PER_G
        if now - whole != grams:
            return False
        whole = now
    return True


def _goes_on(node: Node, event: PacketAccepted, body: NodePacket) -> bool:
    """Whether the emission register gained what amounts since the last packet account for."""
    before = node.closing_g * UG_PER_G + node.carry_ug
    gained_ug = body.opening_g * UG_PER_G + body.carry_ug - before
    amount = event.catch_up + node.owed
    # A factor may have changed while nothing was reported: either will do.
    return any(gained_ug == amount * span.value_ug for span in node.spans)
