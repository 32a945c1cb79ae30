"""What is known of a host's wiring, its interrupts, its filed reports, and how its nodes are."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wattproof.core.errors import ErrorCode, NotFound
from wattproof.core.units import base_unit
from wattproof.emissions.model import EMISSION_STREAMS
from wattproof.emissions.tracking.model import (
    BINDINGS,
    INTERRUPTS,
    MAX_NUMBER,
    NODES,
    PORTS,
    REPORTS,
    Binding,
    FiledReport,
    InterruptRecord,
    Node,
    Port,
)
from wattproof.emissions.tracking.refusals import BINDING_UNKNOWN
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.state import Reading
from wattproof.metering.model import PACKETS, STREAMS

__all__ = [
    "NodeHealth",
    "binding_of",
    "filed_report",
    "interrupts_of",
    "measured_quantity",
    "node_health",
    "nodes_of_host",
]

REPORT_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.report_unknown",
    en="{host} has filed no error report {number}.",
    zh="{host} 没有第 {number} 号误差报告。",
)


class NodeHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a node is.

    `ports` are its numbers at the host. `last_entry` is the log entry of its last packet, `end_s`
    when the last reading of that ends, `age_s` the seconds since (less than 0 for a prediction);
    None before the first packet. `own` tells that it emits by itself: then `factor` (empty where it
    was typed in) and `value_ug` are in force, and `wrong` counts the packets whose arithmetic did
    not hold, the last of which is `wrong_entry` (None: none). `emission_g` is all that it emitted.
    """

    device: str
    quantity: str
    unit: str
    status: str
    ports: tuple[int, ...]
    packets: int
    readings: int
    last_entry: int | None
    end_s: int | None
    age_s: int | None
    own: bool
    factor: str
    value_ug: int | None
    emission_g: int
    wrong: int
    wrong_entry: int | None


def binding_of(reading: Reading, host: str, group: int) -> Binding:
    """A host's binding; raises ``emissions.binding_unknown``."""
    found = reading.get(BINDINGS, host, group) if 0 < group <= MAX_NUMBER else None
    if found is None:
        raise BINDING_UNKNOWN(group=group)
    return found


def measured_quantity(reading: Reading, binding: Binding) -> str:
    """The quantity in whose unit a binding's error is: of its first port, or CO2."""
    if binding.measure == "emission":
        return "co2"
    port = reading.get(PORTS, binding.host, binding.left[0])
    assert port is not None, f"port {binding.left[0]} is bound"
    return port.quantity


def filed_report(reading: Reading, host: str, number: int) -> FiledReport:
    """A report that a host has filed; raises ``emissions.report_unknown``."""
    found = reading.get(REPORTS, host, number) if 0 < number < 2**53 else None
    if found is None:
        raise REPORT_UNKNOWN(host=host, number=number)
    return found


def interrupts_of(reading: Reading, host: str | None) -> Iterator[InterruptRecord]:
    """The interrupts of a host, or of all, by host and number."""
    return reading.scan(INTERRUPTS) if host is None else reading.scan(INTERRUPTS, host)


def nodes_of_host(reading: Reading, host: str | None) -> Iterator[tuple[Device, tuple[Port, ...]]]:
    """The devices at a host's ports, or at all, each once, by its first port."""
    ports: dict[str, list[Port]] = {}
    for port in reading.scan(PORTS) if host is None else reading.scan(PORTS, host):
        ports.setdefault(port.device, []).append(port)
    for id_, found in ports.items():
        device = reading.get(DEVICES, id_)
        assert device is not None, f"port {found[0].number} of {found[0].host} has no device"
        yield device, tuple(found)


def node_health(
    reading: Reading, device: Device, ports: tuple[Port, ...], *, now_s: int
) -> NodeHealth:
    """How a device is at `now_s`, in Unix seconds."""
    stream = reading.get(STREAMS, device.number)
    node = reading.get(NODES, device.number)
    emitted = reading.get(EMISSION_STREAMS, device.number)
    end_s = None if stream is None else stream.end_s
    last = None
    if stream is not None:
        last = reading.get(PACKETS, device.number, stream.next_sequence - 1)
    factor, value_ug = _in_force(node, end_s or 0)
    return NodeHealth(
        device=device.id,
        quantity=device.quantity,
        unit=base_unit(device.quantity),
        status=device.status,
        ports=tuple(port.number for port in ports),
        packets=0 if stream is None else stream.packets,
        readings=0 if stream is None else stream.readings,
        last_entry=None if last is None else last.entry,
        end_s=end_s,
        age_s=None if end_s is None else now_s - end_s,
        own=node is not None,
        factor=factor,
        value_ug=value_ug,
        emission_g=0 if emitted is None else emitted.total_g,
        wrong=0 if node is None else node.wrong,
        wrong_entry=None if node is None or node.wrong_entry < 0 else node.wrong_entry,
    )


def _in_force(node: Node | None, at_s: int) -> tuple[str, int | None]:
    """The factor for what comes next; the first to come where none is in force yet."""
    spans = [] if node is None else [span for span in node.spans if span.from_s <= at_s]
    if node is not None and not spans:
        spans = list(node.spans[:1])
    return (spans[-1].factor, spans[-1].value_ug) if spans else ("", None)
