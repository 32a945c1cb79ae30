"""Watching bindings: sums of windows as packets come, and the lines that their errors cross.

A window is complete when every port on both sides has reported up to its end; the packet that
completes it raises, or ends, the interrupts of its lines in the same transaction. So an interrupt
is as certain as the packet, and comes once for each excursion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from wattproof.emissions.carry import emissions_g
from wattproof.emissions.model import Emitted
from wattproof.emissions.tracking.events import Interrupt, InterruptOver, NodeEmitted
from wattproof.emissions.tracking.model import (
    BINDINGS,
    HOSTS,
    INTERRUPTS,
    THRESHOLDS,
    WATCHES,
    WINDOWS,
    Binding,
    HostRecord,
    InterruptRecord,
    LineRecord,
    NodePacket,
    Threshold,
    WatchRecord,
    WindowSum,
)
from wattproof.ledger.machine import Context
from wattproof.metering.model import (
    STREAMS,
    MeterReplaced,
    Packet,
    PacketAccepted,
    catch_up_span,
)

__all__ = ["base_of", "crossed", "watch_packet", "watch_replacement"]

Point = tuple[int, int, int]
"""When a reading begins, its amount, its grams."""


def watch_packet(ctx: Context, event: PacketAccepted, emitted: NodeEmitted | None) -> None:
    """Add a packet to the windows of whatever watches its meter, and check those now complete."""
    record = ctx.state.get(WATCHES, event.number)
    if record is None:
        return
    _feed(ctx, record, _points(ctx, event, emitted))


def watch_replacement(ctx: Context, event: MeterReplaced) -> None:
    """The same for what an old register had gained; a node emits that with its next packet."""
    record = ctx.state.get(WATCHES, event.number)
    if record is None:
        return
    at_s, _ = catch_up_span(end_s=event.at_s, gap_s=event.gap_s, interval_s=event.interval_s)
    said = [found for found in ctx.events if isinstance(found, Emitted)]
    _feed(ctx, record, [(at_s, event.catch_up, sum(found.emission_g for found in said))])


def base_of(binding: Binding, *, left: int, right: int) -> int:
    """What the percentage of an error is of: the measured side, or the total."""
    return right if binding.kind == "predicted" else left


def crossed(line: LineRecord, *, error: int, base: int) -> bool:
    """Whether an error lies beyond a line; percentages of nothing never do."""
    if line.unit == "absolute":
        return abs(error) > line.value
    return base != 0 and abs(error) * 10_000 > line.value * abs(base)


def _feed(ctx: Context, record: WatchRecord, points: Sequence[Point]) -> None:
    """Add points to the windows of all that watches a device, and check those now complete."""
    for watch in record.watches:
        threshold = ctx.state.get(THRESHOLDS, watch.host, watch.group, watch.set)
        binding = ctx.state.get(BINDINGS, watch.host, watch.group)
        assert threshold is not None and binding is not None, f"{watch} looks at nothing"
        _add(ctx, threshold, binding, points, left=watch.left)
        _check_complete(ctx, threshold, binding)


def _points(ctx: Context, event: PacketAccepted, emitted: NodeEmitted | None) -> list[Point]:
    """The packet's readings with their grams, after its catch-up amount if it has one."""
    body = ctx.body
    assert isinstance(body, Packet), "a packet's event comes from a packet"
    amounts = body.increments.ints()
    if emitted is not None and isinstance(body, NodePacket):
        catch_up_g, grams = emitted.catch_up_g, list(body.emissions.ints())
    else:
        catch_up_g, grams = _grams(ctx, event, amounts)
    points = []
    if event.catch_up or catch_up_g:
        at_s = event.start_s
        if event.catch_up:
            at_s, _ = catch_up_span(
                end_s=event.start_s, gap_s=event.gap_s, interval_s=event.interval_s
            )
        points.append((at_s, event.catch_up, catch_up_g))
    start_s, interval_s = event.start_s, event.interval_s
    points += [(start_s + at * interval_s, amount, grams[at]) for at, amount in enumerate(amounts)]
    return points


def _grams(ctx: Context, event: PacketAccepted, amounts: Sequence[int]) -> tuple[int, list[int]]:
    """The grams of the catch-up amount and of each reading, by the factors on the ledger."""
    grams, catch_up_g = [0] * len(amounts), 0
    for found in ctx.events:
        if not isinstance(found, Emitted):
            continue
        for segment in found.segments:
            first, last = segment.first, segment.first + segment.count
            parts = [event.catch_up] if first < 0 else []
            parts += amounts[max(first, 0) : last]
            made = emissions_g(parts, value_ug=segment.value_ug, carry_ug=segment.carry_ug)
            if first < 0:
                catch_up_g, made = made[0], made[1:]
            grams[max(first, 0) : last] = made
    return catch_up_g, grams


def _add(
    ctx: Context, threshold: Threshold, binding: Binding, points: Iterable[Point], *, left: bool
) -> None:
    sums: dict[int, int] = {}
    step_s, offset_s, by_amount = threshold.step_s, threshold.offset_s, binding.measure == "amount"
    for at_s, amount, grams in points:
        start_s = at_s - (at_s - offset_s) % step_s
        if start_s >= threshold.from_s:
            sums[start_s] = sums.get(start_s, 0) + (amount if by_amount else grams)
    key = (threshold.host, threshold.group, threshold.set)
    for start_s, value in sums.items():
        row = ctx.state.get(WINDOWS, *key, start_s) or WindowSum(
            host=threshold.host, group=threshold.group, set=threshold.set, start_s=start_s
        )
        row = replace(row, left=row.left + value) if left else replace(row, right=row.right + value)
        ctx.state.put(WINDOWS, row)


def _check_complete(ctx: Context, threshold: Threshold, binding: Binding) -> None:
    """Check, and forget, the windows up to which all ports have reported."""
    reached_s, began_s = None, 0
    for meter in threshold.left + threshold.right:
        stream = ctx.state.get(STREAMS, meter)
        if stream is None:
            return
        reached_s = stream.end_s if reached_s is None else min(reached_s, stream.end_s)
        began_s = max(began_s, stream.start_s)
    assert reached_s is not None, "a binding without ports"
    step_s = threshold.step_s
    if reached_s < threshold.checked_s + step_s:
        return
    key = (threshold.host, threshold.group, threshold.set)
    lines = list(threshold.lines)
    for window in list(ctx.state.scan(WINDOWS, *key)):
        if window.start_s + step_s > reached_s:
            break
        if window.start_s >= began_s:
            for at, line in enumerate(lines):
                lines[at] = _check_line(ctx, threshold, binding, window, at, line)
        ctx.state.delete(WINDOWS, *key, window.start_s)
    checked_s = reached_s - (reached_s - threshold.offset_s) % step_s
    ctx.state.put(THRESHOLDS, replace(threshold, lines=tuple(lines), checked_s=checked_s))


def _check_line(
    ctx: Context,
    threshold: Threshold,
    binding: Binding,
    window: WindowSum,
    at: int,
    line: LineRecord,
) -> LineRecord:
    """The line after a window: an interrupt opened or closed where the error crossed it."""
    left, right = window.left, window.right
    base = base_of(binding, left=left, right=right)
    beyond = crossed(line, error=left - right, base=base)
    if beyond == bool(line.open):
        return line
    host, end_s = threshold.host, window.start_s + threshold.step_s
    if beyond:
        record = ctx.state.get(HOSTS, host) or HostRecord(host=host)
        number = record.interrupts + 1
        ctx.state.put(HOSTS, replace(record, interrupts=number))
        ctx.state.put(
            INTERRUPTS,
            InterruptRecord(
                host=host,
                number=number,
                group=threshold.group,
                set=threshold.set,
                line=at + 1,
                value=line.value,
                unit=line.unit,
                start_s=window.start_s,
                end_s=end_s,
                left=left,
                right=right,
                entry=ctx.index,
                time_s=ctx.time_s,
            ),
        )
        kind: type[Interrupt | InterruptOver] = Interrupt
    else:
        number, kind = line.open, InterruptOver
        found = ctx.state.get(INTERRUPTS, host, number)
        assert found is not None, f"no interrupt {number} of {host}"
        ctx.state.put(INTERRUPTS, replace(found, over_entry=ctx.index, over_s=ctx.time_s))
    ctx.emit(
        kind(
            host=host,
            interrupt=number,
            group=threshold.group,
            set=threshold.set,
            line=at + 1,
            start_s=window.start_s,
            end_s=end_s,
            left=left,
            right=right,
        )
    )
    return replace(line, open=number if beyond else 0)
