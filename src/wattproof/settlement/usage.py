"""Usage: what meters report, added up by the hour until a run settles it.

Settlement listens to metering. A meter trades from the first packet on that comes while its device
is associated with a region that is settled; what was reported before is not traded, and shows among
the differences of a statement. Associated with another region it trades there from then on. Hours
begin at whole hours of the region's local time; an interval counts in the hour in which it begins.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from wattproof.identity.contract import active_device
from wattproof.identity.events import DeviceAssociated
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.machine import Context
from wattproof.metering.model import MeterReplaced, Packet, PacketAccepted, catch_up_span
from wattproof.settlement.model import (
    HOUR_S,
    MAX_HOURS,
    MAX_METER_WH,
    QUANTITIES,
)
from wattproof.settlement.records import (
    CONTRACTS,
    REGIONS,
    USAGE,
    Usage,
)
from wattproof.settlement.refusals import MOVE, REGION_WAITS, TOO_MUCH, UNSETTLED
from wattproof.settlement.wallets import ensure_wallet

__all__ = ["add_packet", "add_replacement", "move_meter", "usage_of"]

Hours = tuple[int, tuple[int, ...]]
"""When the first hour begins, and the Wh of each from there."""


def add_packet(ctx: Context, event: PacketAccepted) -> None:
    """Add a packet to its meter's usage, where that is traded."""
    device = active_device(ctx)
    if device.quantity not in QUANTITIES or not device.region:
        return
    usage = usage_of(ctx, device)
    if usage is None:
        return
    body = ctx.body
    assert isinstance(body, Packet), "a packet's event comes from a packet"
    hours = (usage.start_s, usage.hours_wh)
    offset_s = _offset_s(ctx, usage)
    if event.catch_up:
        at_s, _ = catch_up_span(end_s=event.start_s, gap_s=event.gap_s, interval_s=event.interval_s)
        hours = _with(hours, at_s - (at_s + offset_s) % HOUR_S, (event.catch_up,))
    if event.count:
        first_s, sums = _by_hour(
            body.increments.ints(), event.start_s, event.interval_s, offset_s=offset_s
        )
        hours = _with(hours, first_s, sums)
    _put(ctx, usage, hours)


def add_replacement(ctx: Context, event: MeterReplaced) -> None:
    """Add what a register that was replaced had gained."""
    if not event.catch_up:
        return
    device = ctx.state.find(DEVICES, "number", event.number)[0]
    usage = usage_of(ctx, device)
    if usage is None:
        return
    at_s, _ = catch_up_span(end_s=event.at_s, gap_s=event.gap_s, interval_s=event.interval_s)
    first_s = at_s - (at_s + _offset_s(ctx, usage)) % HOUR_S
    _put(ctx, usage, _with((usage.start_s, usage.hours_wh), first_s, (event.catch_up,)))


def move_meter(ctx: Context, event: DeviceAssociated) -> None:
    """Let a meter that is associated with another region trade there from now on.

    Its own tariff and its contracts were the other region's, and end. An owner could take its
    meter out of settlement for a while in this way, so a metering authority moves it. Raises
    ``settlement.move`` for others, and ``settlement.region_waits`` where it has hours or money to
    be settled.
    """
    usage = ctx.state.get(USAGE, event.number)
    if usage is None or usage.region == event.region:
        return
    if usage.region and "metering_authority" not in ctx.actor.roles:
        raise MOVE(device=usage.device, region=usage.region)
    if usage.hours_wh or usage.due_fen:
        raise REGION_WAITS(device=usage.device, region=usage.region)
    for id_ in usage.contracts:
        _end_contract(ctx, id_, offset_s=_offset_s(ctx, usage))
    settled_here = ctx.state.get(REGIONS, event.region) is not None
    ctx.state.put(
        USAGE,
        replace(
            usage,
            region=event.region if settled_here else "",
            since_entry=ctx.index,
            settled_s=0,
            tariff="",
            contracts=(),
        ),
    )


def usage_of(ctx: Context, device: Device) -> Usage | None:
    """What a meter trades; None where its quantity is not traded or its region not settled."""
    found = ctx.state.get(USAGE, device.number)
    if found is not None and found.region:
        return found
    kind = QUANTITIES.get(device.quantity)
    if kind is None or not device.region or ctx.state.get(REGIONS, device.region) is None:
        return None
    if found is not None:  # it traded elsewhere, and its region is settled only now
        return replace(found, region=device.region, since_entry=ctx.index)
    ensure_wallet(ctx, device)
    return Usage(
        number=device.number,
        device=device.id,
        region=device.region,
        kind=kind,
        since_entry=ctx.index,
    )


def _end_contract(ctx: Context, id_: str, *, offset_s: int) -> None:
    """End a contract with the hour that it is; what was reported before is still settled by it."""
    contract = ctx.state.get(CONTRACTS, id_)
    assert contract is not None, f"a meter has contract {id_}, which is not there"
    end_s = ctx.time_s + -(ctx.time_s + offset_s) % HOUR_S
    ctx.state.put(
        CONTRACTS, replace(contract, to_s=max(contract.from_s, min(contract.to_s, end_s)))
    )


def _offset_s(ctx: Context, usage: Usage) -> int:
    region = ctx.state.get(REGIONS, usage.region)
    assert region is not None, f"{usage.device} trades in a region that is not settled"
    return region.offset_s


def _by_hour(
    amounts: Iterable[int], start_s: int, interval_s: int, *, offset_s: int
) -> tuple[int, tuple[int, ...]]:
    """The sums of readings by the hour in which they begin."""
    values = list(amounts)
    first_s = start_s - (start_s + offset_s) % HOUR_S
    if first_s == start_s and not HOUR_S % interval_s:
        each = HOUR_S // interval_s
        return first_s, tuple(sum(values[at : at + each]) for at in range(0, len(values), each))
    last = (start_s + (len(values) - 1) * interval_s - first_s) // HOUR_S
    if last >= MAX_HOURS:
        return first_s, (0,) * (last + 1)  # refused by whoever adds it
    sums = [0] * (last + 1)
    at_s = start_s - first_s
    for value in values:
        sums[at_s // HOUR_S] += value
        at_s += interval_s
    return first_s, tuple(sums)


def _with(hours: Hours, first_s: int, sums: tuple[int, ...]) -> Hours:
    """Hours with others added; these are never before the first, for time goes on."""
    start_s, known = hours
    if not known:
        return first_s, sums
    at = (first_s - start_s) // HOUR_S
    if at < 0:
        return first_s, _added(sums, -at, known)
    return start_s, _added(known, at, sums)


def _added(first: tuple[int, ...], at: int, second: tuple[int, ...]) -> tuple[int, ...]:
    if at >= len(first):
        gap = min(at - len(first), MAX_HOURS)
        return first + (0,) * gap + second
    longer = list(first) + [0] * max(0, at + len(second) - len(first))
    for place, value in enumerate(second, start=at):
        longer[place] += value
    return tuple(longer)


def _put(ctx: Context, usage: Usage, hours: Hours) -> None:
    if len(hours[1]) > MAX_HOURS:
        raise UNSETTLED(device=usage.device, hours=len(hours[1]), limit=MAX_HOURS)
    wh = usage.settled_wh + sum(hours[1])
    if wh > MAX_METER_WH:
        raise TOO_MUCH(device=usage.device, wh=wh, limit=MAX_METER_WH)
    ctx.state.put(USAGE, replace(usage, start_s=hours[0], hours_wh=hours[1]))
