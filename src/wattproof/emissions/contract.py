"""The rules of emissions: factors, assignments, and the emission of what meters report.

Emission follows from metering by listening: a packet or a replacement that is accepted is, in the
same transaction, multiplied by the factor in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from wattproof.core.codes import check_id
from wattproof.core.units import MAX_AMOUNT, parse_quantity
from wattproof.emissions.carry import UG_PER_G, emission_g
from wattproof.emissions.model import (
    ASSIGNMENTS,
    EMISSION_STREAMS,
    FACTORS,
    MAX_SPANS,
    UNITY,
    UNITY_ID,
    AssignFactor,
    Assignment,
    EmissionStream,
    Emitted,
    Factor,
    FactorAssigned,
    FactorPublished,
    PublishFactors,
    Segment,
    Span,
)
from wattproof.emissions.refusals import (
    CO2_ALREADY,
    LIMIT,
    MISMATCH,
    NO_FACTOR,
    OVERLAP,
    PERIOD,
    QUANTITY_FORM,
    REPORTED,
    TOO_MANY,
    UNITY_TAKEN,
)
from wattproof.emissions.tracking.model import NodePacket
from wattproof.emissions.tracking.refusals import NODE_EXPECTED, NODE_OWN_FACTOR
from wattproof.identity.contract import demand_owner_or, find_device
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.machine import Context, Contract
from wattproof.metering.model import (
    STREAMS,
    MeterReplaced,
    Packet,
    PacketAccepted,
    catch_up_span,
)

__all__ = [
    "CONTRACT",
    "assign_factor",
    "check_fits",
    "emit_packet",
    "emit_replacement",
    "publish_factors",
]

CONTRACT: Final = Contract("emissions", collections=(FACTORS, ASSIGNMENTS, EMISSION_STREAMS))


@CONTRACT.rule(PublishFactors)
def publish_factors(ctx: Context, body: PublishFactors) -> None:
    """Record each factor as the next version of its id."""
    for stated in body.factors:
        id_ = check_id(stated.id)
        if id_ == UNITY_ID and (stated.quantity, stated.value_ug) != ("co2", UG_PER_G):
            raise UNITY_TAKEN(id=id_)
        canonical = parse_quantity(stated.quantity)
        if canonical != stated.quantity:
            raise QUANTITY_FORM(id=id_, quantity=stated.quantity, canonical=canonical)
        known = [factor.version for factor in ctx.state.scan(FACTORS, id_)]
        version = max(known, default=0) + 1
        publisher = ctx.actor.id
        ctx.state.put(
            FACTORS,
            Factor(id=id_, version=version, publisher=publisher, entry=ctx.index, stated=stated),
        )
        ctx.emit(FactorPublished(id=id_, version=version, publisher=publisher))


@CONTRACT.rule(AssignFactor)
def assign_factor(ctx: Context, body: AssignFactor) -> None:
    """Put a factor in force for a meter, from a time that is not reported yet."""
    device = find_device(ctx, body.device)
    demand_owner_or(ctx, device, "importer", "metering_authority")
    factor = ctx.state.get(FACTORS, body.factor, body.version)
    if factor is None:
        raise NO_FACTOR(factor=body.factor, version=body.version)
    check_fits(device.id, device.quantity, factor)
    if body.to_s and body.to_s <= body.from_s:
        raise PERIOD(from_s=body.from_s)
    reported = ctx.state.get(STREAMS, device.number)
    if reported is not None and body.from_s < reported.end_s:
        raise REPORTED(device=device.id, end_s=reported.end_s)
    stream = ctx.state.get(EMISSION_STREAMS, device.number) or EmissionStream(number=device.number)
    span = Span(
        factor=body.factor,
        version=body.version,
        value_ug=factor.stated.value_ug,
        from_s=body.from_s,
        to_s=body.to_s,
    )
    if stream.node:
        raise NODE_OWN_FACTOR(device=device.id)
    spans = _with(device, stream.spans, span)
    if len(spans) > MAX_SPANS:
        raise TOO_MANY(device=device.id, limit=MAX_SPANS)
    _record(ctx, device, span)
    ctx.state.put(EMISSION_STREAMS, replace(stream, spans=spans))
    ctx.emit(
        FactorAssigned(
            device=device.id,
            number=device.number,
            factor=body.factor,
            version=body.version,
            party=ctx.actor.id,
            from_s=body.from_s,
            to_s=body.to_s,
        )
    )


@CONTRACT.on(PacketAccepted)
def emit_packet(ctx: Context, event: PacketAccepted) -> None:
    """Emit what a packet's readings and its catch-up amount come to."""
    if isinstance(ctx.body, NodePacket):
        return  # a node emits by itself
    stream = ctx.state.get(EMISSION_STREAMS, event.number) or _opened(ctx, event.number)
    if stream.node:
        raise NODE_EXPECTED(number=event.number)
    if not stream.spans or not (event.count or event.catch_up):
        return
    start_s, interval_s, span = event.start_s, event.interval_s, stream.spans[0]
    end_s = start_s + event.count * interval_s
    first, at_s = 0, start_s
    if event.catch_up:
        first = -1
        at_s, _ = catch_up_span(end_s=start_s, gap_s=event.gap_s, interval_s=interval_s)
    if span.from_s <= at_s and (not span.to_s or end_s <= span.to_s):
        pieces = [(span, first, event.count - first, event.amount)]
    else:
        body = ctx.body
        assert isinstance(body, Packet), "a packet's event comes from a packet"
        pieces = _pieces(stream.spans, event, at_s, body.increments.ints())
    _emit(ctx, stream, pieces, amount=event.amount, end_s=end_s)


@CONTRACT.on(MeterReplaced)
def emit_replacement(ctx: Context, event: MeterReplaced) -> None:
    """Emit what the old register had gained since its last packet."""
    stream = ctx.state.get(EMISSION_STREAMS, event.number)
    if stream is None or not stream.spans or not event.catch_up:
        return
    at_s, _ = catch_up_span(end_s=event.at_s, gap_s=event.gap_s, interval_s=event.interval_s)
    pieces = [(span, -1, 1, event.catch_up) for span in stream.spans if _covers(span, at_s)]
    _emit(ctx, stream, pieces, amount=event.catch_up, end_s=event.at_s)


Piece = tuple[Span, int, int, int]
"""A factor, the index of the first reading, how many share it, and their sum."""


def _emit(
    ctx: Context, stream: EmissionStream, pieces: list[Piece], *, amount: int, end_s: int
) -> None:
    """Turn pieces into segments, carry the remainder along them, and keep the sums."""
    carry_ug, total_g, segments = stream.carry_ug, 0, []
    for span, first, count, part in pieces:
        value_ug = span.value_ug
        if part * value_ug > MAX_AMOUNT:
            raise LIMIT()
        segments.append(
            Segment(
                first=first,
                count=count,
                factor=span.factor,
                version=span.version,
                value_ug=value_ug,
                carry_ug=carry_ug,
            )
        )
        grams, carry_ug = emission_g(part, value_ug=value_ug, carry_ug=carry_ug)
        total_g += grams
        amount -= part
    if stream.total_g + total_g > MAX_AMOUNT:
        raise LIMIT()
    spans = stream.spans
    if spans[0].to_s and spans[0].to_s <= end_s:
        spans = tuple(span for span in spans if not span.to_s or span.to_s > end_s)
    ctx.state.put(
        EMISSION_STREAMS,
        EmissionStream(
            number=stream.number, total_g=stream.total_g + total_g, carry_ug=carry_ug, spans=spans
        ),
    )
    ctx.emit(
        Emitted(
            number=stream.number,
            emission_g=total_g,
            segments=tuple(segments),
            unassigned=amount,
        )
    )


def _pieces(
    spans: tuple[Span, ...], event: PacketAccepted, at_s: int, amounts: Sequence[int]
) -> list[Piece]:
    """Cut a packet where its factors change; a reading belongs to the factor at its start."""
    start_s, interval_s, count = event.start_s, event.interval_s, event.count
    pieces = []
    for span in spans:
        first = max(0, -((start_s - span.from_s) // interval_s))
        last = count if not span.to_s else -((start_s - span.to_s) // interval_s)
        last = min(last, count)
        part = sum(amounts[first:last]) if first < last else 0
        if event.catch_up and _covers(span, at_s):
            pieces.append((span, -1, 1 + max(0, last), event.catch_up + part))
        elif first < last:
            pieces.append((span, first, last - first, part))
    return pieces


def _covers(span: Span, at_s: int) -> bool:
    return span.from_s <= at_s and (not span.to_s or at_s < span.to_s)


def _opened(ctx: Context, number: int) -> EmissionStream:
    """The stream of a meter that reports for the first time; CO2 counts as it is."""
    device = ctx.state.find(DEVICES, "number", number)[0]
    spans = (UNITY,) if _family(device.quantity) == "co2" else ()
    stream = EmissionStream(number=number, spans=spans)
    ctx.state.put(EMISSION_STREAMS, stream)
    return stream


def check_fits(device: str, quantity: str, factor: Factor) -> None:
    """Raise why a factor cannot be assigned to a device that measures `quantity`."""
    family, applies = _family(quantity), factor.stated.quantity
    if family == "co2":
        raise CO2_ALREADY(device=device)
    if applies not in (family, quantity):
        raise MISMATCH(factor=factor.id, applies=applies, device=device, quantity=quantity)


def _with(device: Device, spans: tuple[Span, ...], new: Span) -> tuple[Span, ...]:
    """The meter's spans with a new one; an open one before it ends where it begins."""
    kept = []
    for span in spans:
        if not span.to_s and span.from_s <= new.from_s:
            if span.from_s < new.from_s:
                kept.append(replace(span, to_s=new.from_s))
        elif (not new.to_s or span.from_s < new.to_s) and (not span.to_s or new.from_s < span.to_s):
            raise OVERLAP(device=device.id, factor=span.factor, from_s=span.from_s, to_s=span.to_s)
        else:
            kept.append(span)
    return tuple(sorted([*kept, new], key=lambda span: span.from_s))


def _record(ctx: Context, device: Device, new: Span) -> None:
    """Keep the assignment, and the end that it puts to the one before."""
    for found in ctx.state.scan(ASSIGNMENTS, device.number):
        if not found.to_s and found.from_s < new.from_s:
            ctx.state.put(ASSIGNMENTS, replace(found, to_s=new.from_s))
    ctx.state.put(
        ASSIGNMENTS,
        Assignment(
            number=device.number,
            from_s=new.from_s,
            factor=new.factor,
            version=new.version,
            party=ctx.actor.id,
            entry=ctx.index,
            to_s=new.to_s,
        ),
    )


def _family(quantity: str) -> str:
    return quantity.partition(".")[0]
