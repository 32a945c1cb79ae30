"""The rules of metering: how a packet must fit the readings before it.

Accepting a packet is the ledger's most frequent act, so its rule reads two records, writes two,
and looks at single readings only where the whole does not already decide.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from wattproof.core.units import MAX_AMOUNT, is_prediction
from wattproof.identity.contract import active_device, demand_owner_or, find_device
from wattproof.identity.model import Device
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.machine import Context, Contract
from wattproof.metering.model import (
    AHEAD_S,
    FIRST_SEQUENCE,
    FUTURE_S,
    MAX_READINGS,
    PACKETS,
    QUALITIES,
    STREAMS,
    MeterReplaced,
    Packet,
    PacketAccepted,
    PacketRow,
    ReplaceMeter,
    Stream,
)
from wattproof.metering.refusals import (
    AMOUNT_LIMIT,
    CLOCK_BACK,
    CONFLICT,
    DUPLICATE,
    EMPTY,
    FUTURE,
    KIND_CHANGE,
    MODULUS,
    NEGATIVE_STEP,
    NO_STREAM,
    OVERLAP,
    QUALITY,
    REGISTER_JUMP,
    SEQUENCE_BACK,
    TOO_MANY,
)

__all__ = ["CONTRACT", "accept_packet", "packet_digest", "replace_meter"]

CONTRACT: Final = Contract("metering", collections=(STREAMS, PACKETS))

_CONTINUOUS: Final = ("continuous",)
_HEAD: Final = struct.Struct("<QQIIIBBB")
_QUALITY_CODES: Final = bytes(row.code for row in QUALITIES)


@CONTRACT.rule(Packet)
def accept_packet(ctx: Context, packet: Packet) -> None:
    """Accept the packet if it fits its meter's stream, and say how; else refuse it by name."""
    device = active_device(ctx)
    increments, start_s, interval_s = packet.increments, packet.start_s, packet.interval_s
    count, amount = len(increments), increments.sum()
    if count > MAX_READINGS:
        raise TOO_MANY(limit=MAX_READINGS, count=count)
    end_s = start_s + count * interval_s
    predicted = is_prediction(device.quantity)
    ahead_s = AHEAD_S if predicted else FUTURE_S
    if end_s * 1000 > ctx.time_ms + ahead_s * 1000:
        raise FUTURE(seconds=end_s - ctx.time_s, limit=ahead_s)
    flagged = _flagged(packet.quality, count) if len(packet.quality) else 0
    stream = ctx.state.get(STREAMS, device.number)
    if stream is None:
        event = _first(device, packet, count, amount, flagged)
        before = _opened(device, packet)
    else:
        event = _next(ctx, stream, packet, count, amount, flagged)
        before = stream
    if predicted and start_s < ctx.time_s:
        event = replace(event, outcomes=(*event.outcomes, "hindsight"))
    closing, modulus = packet.opening + amount, before.modulus
    if modulus and closing >= modulus:
        closing %= modulus
    total = before.total + event.amount
    if total > MAX_AMOUNT or closing > MAX_AMOUNT:
        raise AMOUNT_LIMIT()
    state, sequence = ctx.state, packet.sequence
    state.put(
        STREAMS,
        Stream(
            number=device.number,
            kind=packet.kind,
            start_s=before.start_s,
            end_s=end_s,
            interval_s=interval_s,
            next_sequence=sequence + 1,
            register=closing,
            modulus=modulus,
            total=total,
            packets=before.packets + 1,
            readings=before.readings + count,
        ),
    )
    state.put(
        PACKETS,
        PacketRow(
            number=device.number,
            sequence=sequence,
            entry=ctx.index,
            start_s=start_s,
            end_s=end_s,
            closing=closing,
            digest=packet_digest(packet),
        ),
    )
    ctx.emit(event)


@CONTRACT.rule(ReplaceMeter)
def replace_meter(ctx: Context, body: ReplaceMeter) -> None:
    """Close the old register and open the new one; the old one's last step is a catch-up."""
    device = find_device(ctx, body.device)
    demand_owner_or(ctx, device, "metering_authority")
    stream = ctx.state.get(STREAMS, device.number)
    if stream is None:
        raise NO_STREAM(device=body.device)
    if body.at_s < stream.end_s:
        raise OVERLAP(start_s=body.at_s, end_s=stream.end_s)
    if body.at_s > ctx.time_s + FUTURE_S:
        raise FUTURE(seconds=body.at_s - ctx.time_s, limit=FUTURE_S)
    gap_s = body.at_s - stream.end_s
    catch_up = _step(stream, body.old_closing)
    if catch_up and not gap_s:
        raise REGISTER_JUMP(closing=stream.register, opening=body.old_closing)
    if body.new_modulus and body.new_opening >= body.new_modulus:
        raise MODULUS(modulus=body.new_modulus, register=body.new_opening)
    if stream.total + catch_up > MAX_AMOUNT:
        raise AMOUNT_LIMIT()
    replaced = replace(
        stream,
        end_s=body.at_s,
        register=body.new_opening,
        modulus=body.new_modulus,
        total=stream.total + catch_up,
        replaced=True,
    )
    ctx.state.put(STREAMS, replaced)
    ctx.emit(
        MeterReplaced(
            number=stream.number,
            at_s=body.at_s,
            interval_s=stream.interval_s,
            new_opening=body.new_opening,
            catch_up=catch_up,
            gap_s=gap_s,
        )
    )


def packet_digest(packet: Packet) -> bytes:
    """The first 16 bytes of SHA-256 over everything that a packet says; lengths first, so that
    no two packets give the same input."""
    increments, quality = packet.increments, packet.quality
    head = _HEAD.pack(
        packet.start_s, packet.opening, packet.interval_s, len(increments), len(quality),
        increments.width, quality.width, packet.kind == "register",
    )  # fmt: skip
    return sha256(head + increments.data + quality.data).digest()[:16]


def _first(device: Device, packet: Packet, count: int, amount: int, flagged: int) -> PacketAccepted:
    if not count and packet.kind != "register":
        raise EMPTY()
    modulus, opening = device.register_modulus, packet.opening
    if modulus and opening >= modulus:
        raise MODULUS(modulus=modulus, register=opening)
    outcomes: tuple[str, ...] = ("first",)
    missing = packet.sequence - FIRST_SEQUENCE
    if missing:
        outcomes += ("sequence_gap",)
    if modulus and opening + amount >= modulus:
        outcomes += ("rollover",)
    return PacketAccepted(
        number=device.number,
        sequence=packet.sequence,
        start_s=packet.start_s,
        interval_s=packet.interval_s,
        count=count,
        amount=amount,
        outcomes=outcomes,
        missing=missing,
        flagged=flagged,
    )


def _opened(device: Device, packet: Packet) -> Stream:
    """The stream as it is before its first packet."""
    return Stream(
        number=device.number,
        kind=packet.kind,
        start_s=packet.start_s,
        end_s=packet.start_s,
        interval_s=packet.interval_s,
        next_sequence=FIRST_SEQUENCE,
        register=packet.opening,
        modulus=device.register_modulus,
        total=0,
        packets=0,
        readings=0,
    )


def _next(
    ctx: Context, stream: Stream, packet: Packet, count: int, amount: int, flagged: int
) -> PacketAccepted:
    """How a packet that is not the first fits; refuses it where it does not."""
    sequence, opening = packet.sequence, packet.opening
    missing = sequence - stream.next_sequence
    if missing < 0:
        _refuse_known(ctx, stream, packet)
    gap_s = packet.start_s - stream.end_s
    if gap_s < 0:
        if opening == stream.register and not missing and count:
            raise CLOCK_BACK(seconds=-gap_s)
        raise OVERLAP(start_s=packet.start_s, end_s=stream.end_s)
    if packet.kind != stream.kind:
        raise KIND_CHANGE(kind=stream.kind, given=packet.kind)
    catch_up, modulus = 0, stream.modulus
    if opening != stream.register:
        catch_up = _step(stream, opening)
        if not gap_s:
            raise REGISTER_JUMP(closing=stream.register, opening=opening)
    rolled = modulus and (opening < stream.register or opening + amount >= modulus)
    if gap_s or missing or rolled or stream.replaced or not count:
        outcomes = _named(stream, packet, gap_s, catch_up, missing, rolled=bool(rolled))
        return PacketAccepted(
            number=stream.number,
            sequence=sequence,
            start_s=packet.start_s,
            interval_s=packet.interval_s,
            count=count,
            amount=amount + catch_up,
            outcomes=outcomes,
            catch_up=catch_up,
            gap_s=gap_s,
            missing=missing,
            flagged=flagged,
        )
    return PacketAccepted(
        number=stream.number,
        sequence=sequence,
        start_s=packet.start_s,
        interval_s=packet.interval_s,
        count=count,
        amount=amount,
        flagged=flagged,
    )


def _named(
    stream: Stream, packet: Packet, gap_s: int, catch_up: int, missing: int, *, rolled: bool
) -> tuple[str, ...]:
    """The outcomes of an accepted packet that is not simply continuous, in the table's order."""
    if not len(packet.increments) and (not gap_s or packet.kind != "register"):
        raise EMPTY()
    # After a replacement the new meter has a grid of its own.
    jumped = gap_s % packet.interval_s and not stream.replaced
    flags = (
        ("gap", gap_s),
        ("catch_up", catch_up),
        ("clock_jump", jumped),
        ("sequence_gap", missing),
        ("rollover", rolled),
        ("replacement", stream.replaced),
    )
    named = tuple(name for name, holds in flags if holds)
    return named if gap_s else _CONTINUOUS + named


def _step(stream: Stream, register: int) -> int:
    """How far the register moved since the last packet, over its roll-over if it has one."""
    modulus, step = stream.modulus, register - stream.register
    if modulus and register >= modulus:
        raise MODULUS(modulus=modulus, register=register)
    if step < 0:
        # Half the range and more is read as a step back: no meter goes round unseen that far.
        if not modulus or 2 * (step % modulus) >= modulus:
            raise NEGATIVE_STEP(closing=stream.register, opening=register)
        step %= modulus
    return step


def _refuse_known(ctx: Context, stream: Stream, packet: Packet) -> None:
    """Refuse a packet whose sequence number lies behind, by what is known under it."""
    sequence = packet.sequence
    row = ctx.state.get(PACKETS, stream.number, sequence)
    if row is not None:
        code = DUPLICATE if row.digest == packet_digest(packet) else CONFLICT
        raise code(sequence=sequence, entry=row.entry)
    if packet.start_s < stream.end_s:
        raise OVERLAP(start_s=packet.start_s, end_s=stream.end_s)
    raise SEQUENCE_BACK(sequence=sequence, expected=stream.next_sequence)


def _flagged(quality: UintArray, count: int) -> int:
    """How many readings were not measured; the codes must be known, one a reading."""
    data = quality.data
    if quality.width != 1 or len(data) != count or data.strip(_QUALITY_CODES):
        raise QUALITY(count=count)
    return count - data.count(0)
