"""What a page says of a node: its stream, its last packet, its own emission, how it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from wattproof.core.units import base_unit, family
from wattproof.emissions.model import EMISSION_STREAMS, Emitted
from wattproof.emissions.queries import assignments_of, split_name
from wattproof.emissions.tracking.events import NodeEmitted
from wattproof.emissions.tracking.model import (
    NODE_FACTORS,
    NODES,
    PORTS,
    Node,
    NodeFactor,
    Port,
)
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.chain import receipt_of
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.metering.history import Report, reports
from wattproof.metering.model import STREAMS, Stream

__all__ = ["MOST_NODES", "SILENT_S", "FactorShown", "NodeState", "NodeView", "node_view",
           "nodes_of", "rough"]  # fmt: skip

MOST_NODES: Final = 500
"""Nodes of a host on one page, at most."""

SILENT_S: Final = 600
"""What a node may be late beside the length of its packets, in seconds."""

NodeState = Literal["live", "silent", "waiting", "stopped"]
"""``waiting`` has never reported; ``stopped`` was suspended or revoked."""


class FactorShown(msgspec.Struct, frozen=True, kw_only=True):
    """The factor of a node's last reading: from the ledger (`id`, `version`), or as typed in."""

    id: str = ""
    version: int = 0
    value: str = ""
    unit: str = ""
    value_ug: int = 0


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A device as a node; amounts are in `unit`.

    `late_s` is the time since its last reading ended, and `arrived_s` when its last packet came;
    `packet_g` what that emitted, None where nothing says. `missing` is how many readings are not
    there between the first and the last. `own` is there for one that emits by itself.
    """

    device: Device
    unit: str
    ports: tuple[Port, ...]
    state: NodeState
    late_s: int = 0
    stream: Stream | None = None
    own: Node | None = None
    last: Report | None = None
    arrived_s: int = 0
    packet_g: int | None = None
    total_g: int | None = None
    factor: FactorShown | None = None
    missing: int = 0

    @property
    def wrong(self) -> int:
        """Packets whose arithmetic did not hold."""
        return 0 if self.own is None else self.own.wrong


def nodes_of(reading: Reading, host: str) -> Iterator[tuple[Device, tuple[Port, ...]]]:
    """The devices at a host's ports by the number of the port, then its own that emit themselves.

    At most `MOST_NODES` of each.
    """
    ports: dict[str, list[Port]] = {}
    for port in reading.scan(PORTS, host):
        ports.setdefault(port.device, []).append(port)
        if len(ports) == MOST_NODES:
            break
    for id_, found in ports.items():
        device = reading.get(DEVICES, id_)
        assert device is not None, f"port {found[0].number} of {host} leads nowhere"
        yield device, tuple(found)
    yield from _portless(reading, host, ports)


def node_view(ledger: Store, device: Device, ports: Iterable[Port] = (), *, now_s: int) -> NodeView:
    """A device at the time `now_s` (Unix seconds)."""
    unit = base_unit(device.quantity)
    stream, own = ledger.get(STREAMS, device.number), ledger.get(NODES, device.number)
    emitted = ledger.get(EMISSION_STREAMS, device.number)
    factor = _factor(ledger, device, stream, own)
    if stream is None:
        state: NodeState = "waiting" if device.status != "revoked" else "stopped"
        return NodeView(
            device=device, unit=unit, ports=tuple(ports), state=state, own=own, factor=factor
        )
    found = reports(ledger, stream, before=None, limit=1)
    last = found[0] if found else None
    expected = (stream.end_s - stream.start_s) // stream.interval_s
    return NodeView(
        device=device,
        unit=unit,
        ports=tuple(ports),
        state=_state(device, stream, last, now_s),
        late_s=rough(now_s - stream.end_s),
        stream=stream,
        own=own,
        last=last,
        arrived_s=0 if last is None else leaf_parts(last.entry.leaf)[1] // 1000,
        packet_g=None if last is None else _emitted_g(last),
        total_g=None if emitted is None else emitted.total_g,
        factor=factor,
        missing=max(0, expected - stream.readings),
    )


def rough(seconds: int) -> int:
    """A length of time as people say it: whole days, hours or five minutes, never less than 0."""
    for size in (86_400, 3_600, 300):
        if seconds >= size:
            return seconds - seconds % size
    return 0


def _portless(
    reading: Reading, host: str, ports: dict[str, list[Port]]
) -> Iterator[tuple[Device, tuple[Port, ...]]]:
    count = 0
    for device in reading.find(DEVICES, "owner", host):
        if device.id not in ports and reading.get(NODES, device.number) is not None:
            yield device, ()
            count += 1
            if count == MOST_NODES:
                return


def _state(device: Device, stream: Stream, last: Report | None, now_s: int) -> NodeState:
    """Silent is who is later than twice the time that its last packet spans."""
    if device.status in ("suspended", "revoked"):
        return "stopped"
    span_s = stream.interval_s
    if last is not None:
        span_s = max(span_s, last.row.end_s - last.row.start_s)
    return "silent" if now_s - stream.end_s > 2 * span_s + SILENT_S else "live"


def _emitted_g(last: Report) -> int | None:
    """The emission of a packet, as the node said it or as the ledger made it."""
    for name, fields in receipt_of(last.entry, first=False).events:
        if name in (NodeEmitted.name, Emitted.name):
            return int(fields.get("emission_g", 0))
    return None


def _factor(
    reading: Reading, device: Device, stream: Stream | None, own: Node | None
) -> FactorShown | None:
    at_s = 2**53 if stream is None else stream.end_s - 1
    if own is not None:
        spans = [span for span in own.spans if span.from_s <= at_s] or list(own.spans[:1])
        return _entered(reading, device, spans[-1].from_s, spans[-1].factor) if spans else None
    if family(device.quantity) == "co2":
        return None
    for one in assignments_of(reading, device.number):
        if one.from_s <= at_s and (not one.to_s or at_s < one.to_s):
            return FactorShown(id=one.factor, version=one.version)
    return None


def _entered(reading: Reading, device: Device, from_s: int, factor: str) -> FactorShown | None:
    entered: NodeFactor | None = reading.get(NODE_FACTORS, device.number, from_s)
    if entered is None:
        return None
    id_, version = split_name(factor)
    return FactorShown(
        id=id_,
        version=version,
        value=entered.value,
        unit=entered.unit,
        value_ug=entered.value_ug,
    )
