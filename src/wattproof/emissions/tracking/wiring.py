"""The rules of a host's wiring: ports, bindings of ports, and sets of lines over bindings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from wattproof.core.codes import check_id
from wattproof.core.units import family, is_prediction
from wattproof.emissions.tracking.events import (
    BindingDefined,
    BindingRemoved,
    PortDefined,
    PortRemoved,
    ThresholdDefined,
    ThresholdRemoved,
)
from wattproof.emissions.tracking.model import (
    BINDINGS,
    INTERRUPTS,
    PORTS,
    THRESHOLDS,
    WATCHES,
    WINDOWS,
    Binding,
    DefineBinding,
    DefinePort,
    DefineThreshold,
    LineRecord,
    Port,
    RemoveBinding,
    RemovePort,
    RemoveThreshold,
    Threshold,
    Watch,
    WatchRecord,
)
from wattproof.emissions.tracking.refusals import (
    BINDING_UNKNOWN,
    DEVICE_NOT_YOURS,
    GROUP_TAKEN,
    LINE_ZERO_STEP,
    PART_TAKEN,
    PORT_BOUND,
    PORT_REPEATED,
    PORT_TAKEN,
    PORT_TWICE,
    PORT_UNKNOWN,
    PREDICTION_MISPLACED,
    PREDICTION_MISSING,
    QUANTITIES_DIFFER,
    THRESHOLD_UNKNOWN,
    TOO_MANY_WATCHES,
)
from wattproof.emissions.tracking.syntax import binding_text
from wattproof.identity.contract import find_device
from wattproof.identity.model import ASSOCIATIONS, Device
from wattproof.ledger.machine import Context
from wattproof.metering.model import STREAMS

__all__ = [
    "MAX_WATCHES",
    "SEES_DEVICES",
    "define_binding",
    "define_port",
    "define_threshold",
    "remove_binding",
    "remove_port",
    "remove_threshold",
]

MAX_WATCHES: Final = 32
"""Sets of lines that look at one device, at most: each costs time with every packet."""

SEES_DEVICES: Final = ("grid_company", "metering_authority", "regulator")
"""Roles that may give any device a port."""


def define_port(ctx: Context, body: DefinePort) -> None:
    """Give a node the number of a port of the host that signs."""
    host = ctx.actor.id
    found = ctx.state.get(PORTS, host, body.number)
    if found is not None:
        raise PORT_TAKEN(port=body.number, device=found.device)
    device = find_device(ctx, body.device)
    _demand_beside(ctx, device)
    for name in (body.plant, body.process, body.person):
        if name:
            check_id(name)
    ctx.state.put(
        PORTS,
        Port(
            host=host,
            number=body.number,
            device=device.id,
            meter=device.number,
            quantity=device.quantity,
            entry=ctx.index,
            transport=body.transport,
            plant=body.plant,
            process=body.process,
            person=body.person,
        ),
    )
    ctx.emit(PortDefined(host=host, port=body.number, device=device.id))


def remove_port(ctx: Context, body: RemovePort) -> None:
    """Free the number of a port."""
    host = ctx.actor.id
    _port(ctx, body.number)
    for binding in ctx.state.scan(BINDINGS, host):
        if body.number in binding.left + binding.right:
            raise PORT_BOUND(port=body.number, group=binding.group)
    ctx.state.delete(PORTS, host, body.number)
    ctx.emit(PortRemoved(host=host, port=body.number))


def define_binding(ctx: Context, body: DefineBinding) -> None:
    """Bind ports that exist, fit each other, and are not parts of a total twice."""
    host = ctx.actor.id
    _check_sides(body)
    left = [_port(ctx, number) for number in body.left]
    right = [_port(ctx, number) for number in body.right]
    taken = ctx.state.get(BINDINGS, host, body.group)
    if taken is not None:
        raise GROUP_TAKEN(group=body.group, text=binding_text(taken.group, taken.left, taken.right))
    if body.measure == "amount":
        _check_quantities(left + right)
    _check_predictions(body, left, right)
    if body.kind == "total":
        for other in ctx.state.scan(BINDINGS, host):
            for number in body.right:
                if other.kind == "total" and number in other.right:
                    raise PART_TAKEN(port=number, group=other.group)
    ctx.state.put(
        BINDINGS,
        Binding(
            host=host,
            group=body.group,
            kind=body.kind,
            measure=body.measure,
            left=body.left,
            right=body.right,
            entry=ctx.index,
        ),
    )
    text = binding_text(body.group, body.left, body.right)
    ctx.emit(BindingDefined(host=host, group=body.group, text=text))


def remove_binding(ctx: Context, body: RemoveBinding) -> None:
    """Release a binding; what was raised by its lines is over."""
    host = ctx.actor.id
    _binding(ctx, body.group)
    for threshold in list(ctx.state.scan(THRESHOLDS, host, body.group)):
        _drop(ctx, threshold)
    ctx.state.delete(BINDINGS, host, body.group)
    ctx.emit(BindingRemoved(host=host, group=body.group))


def define_threshold(ctx: Context, body: DefineThreshold) -> None:
    """Watch a binding from where its ports' readings have got to."""
    host = ctx.actor.id
    if body.offset_s >= body.step_s:
        raise LINE_ZERO_STEP(offset_s=body.offset_s, step_s=body.step_s)
    binding = _binding(ctx, body.group)
    old = ctx.state.get(THRESHOLDS, host, body.group, body.set)
    if old is not None:
        _drop(ctx, old)
    left, right = (
        tuple(_port(ctx, number).meter for number in side) for side in (binding.left, binding.right)
    )
    reached_s = 0
    for meter in left + right:
        stream = ctx.state.get(STREAMS, meter)
        reached_s = max(reached_s, 0 if stream is None else stream.end_s)
    from_s = reached_s + (body.offset_s - reached_s) % body.step_s if reached_s else 0
    ctx.state.put(
        THRESHOLDS,
        Threshold(
            host=host,
            group=body.group,
            set=body.set,
            step_s=body.step_s,
            offset_s=body.offset_s,
            lines=tuple(LineRecord(value=line.value, unit=line.unit) for line in body.lines),
            left=left,
            right=right,
            entry=ctx.index,
            from_s=from_s,
        ),
    )
    for port in binding.left + binding.right:
        watch = Watch(host=host, group=body.group, set=body.set, left=port in binding.left)
        _watch(ctx, _port(ctx, port), watch)
    ctx.emit(ThresholdDefined(host=host, group=body.group, set=body.set, from_s=from_s))


def remove_threshold(ctx: Context, body: RemoveThreshold) -> None:
    """Watch no longer by this set; what it had raised is over."""
    host = ctx.actor.id
    threshold = ctx.state.get(THRESHOLDS, host, body.group, body.set)
    if threshold is None:
        raise THRESHOLD_UNKNOWN(group=body.group, set=body.set)
    _drop(ctx, threshold)
    ctx.emit(ThresholdRemoved(host=host, group=body.group, set=body.set))


def _demand_beside(ctx: Context, device: Device) -> None:
    """A host wires its own devices, those on whose point it stands, or by office any."""
    actor = ctx.actor
    if device.owner == actor.id or any(role in actor.roles for role in SEES_DEVICES):
        return
    if not any(found.party == actor.id for found in ctx.state.scan(ASSOCIATIONS, device.id)):
        raise DEVICE_NOT_YOURS(host=actor.id, device=device.id)


def _port(ctx: Context, number: int) -> Port:
    found = ctx.state.get(PORTS, ctx.actor.id, number)
    if found is None:
        raise PORT_UNKNOWN(port=number)
    return found


def _binding(ctx: Context, group: int) -> Binding:
    found = ctx.state.get(BINDINGS, ctx.actor.id, group)
    if found is None:
        raise BINDING_UNKNOWN(group=group)
    return found


def _check_sides(body: DefineBinding) -> None:
    for number in body.left:
        if number in body.right:
            raise PORT_TWICE(port=number)
    for side in (body.left, body.right):
        for at, number in enumerate(side):
            if number in side[:at]:
                raise PORT_REPEATED(port=number)


def _check_quantities(ports: list[Port]) -> None:
    first = ports[0]
    for port in ports:
        if family(port.quantity) != family(first.quantity):
            raise QUANTITIES_DIFFER(
                port=port.number,
                quantity=port.quantity,
                first=first.number,
                other=first.quantity,
            )


def _check_predictions(body: DefineBinding, left: list[Port], right: list[Port]) -> None:
    """Predictions stand on the left of what was measured, and nowhere else."""
    expected = left if body.kind == "predicted" else []
    for port in expected:
        if not is_prediction(port.quantity):
            raise PREDICTION_MISSING(port=port.number, quantity=port.quantity)
    for port in right if expected else left + right:
        if is_prediction(port.quantity):
            raise PREDICTION_MISPLACED(port=port.number, quantity=port.quantity)


def _watch(ctx: Context, port: Port, watch: Watch) -> None:
    record = ctx.state.get(WATCHES, port.meter) or WatchRecord(number=port.meter, watches=())
    if len(record.watches) >= MAX_WATCHES:
        raise TOO_MANY_WATCHES(limit=MAX_WATCHES, port=port.number)
    ctx.state.put(WATCHES, replace(record, watches=(*record.watches, watch)))


def _drop(ctx: Context, threshold: Threshold) -> None:
    """Forget a set of lines: its watches, its open windows, and its open interrupts."""
    key = (threshold.host, threshold.group, threshold.set)
    for meter in _meters(threshold):
        record = ctx.state.get(WATCHES, meter)
        assert record is not None, f"nothing watches meter {meter}"
        rest = tuple(
            watch for watch in record.watches if (watch.host, watch.group, watch.set) != key
        )
        if rest:
            ctx.state.put(WATCHES, replace(record, watches=rest))
        elif ctx.state.get(WATCHES, meter) is not None:
            ctx.state.delete(WATCHES, meter)
    for window in list(ctx.state.scan(WINDOWS, *key)):
        ctx.state.delete(WINDOWS, *key, window.start_s)
    for line in threshold.lines:
        if line.open:
            record_ = ctx.state.get(INTERRUPTS, threshold.host, line.open)
            assert record_ is not None, f"no interrupt {line.open}"
            ctx.state.put(INTERRUPTS, replace(record_, over_entry=ctx.index, over_s=ctx.time_s))
    ctx.state.delete(THRESHOLDS, *key)


def _meters(threshold: Threshold) -> Iterator[int]:
    """The devices of both sides, once each: two ports may share a device."""
    seen: list[int] = []
    for meter in threshold.left + threshold.right:
        if meter not in seen:
            seen.append(meter)
            yield meter
