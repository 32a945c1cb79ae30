"""The wiring as it was when the log had so many entries."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wattproof.analytics.snapshot import Snapshot
from wattproof.emissions.tracking.model import BINDINGS, PORTS, THRESHOLDS, Binding, Line, Port
from wattproof.emissions.tracking.refusals import BINDING_UNKNOWN, PORT_UNKNOWN, THRESHOLD_UNKNOWN
from wattproof.ledger.state import Reading

__all__ = ["Wired", "wired_at"]


class Wired(msgspec.Struct, frozen=True, kw_only=True):
    """A binding, its ports by number, and the lines of a set over it."""

    binding: Binding
    ports: Mapping[int, Port]
    lines: tuple[Line, ...]


def wired_at(
    reading: Reading, snapshot: Snapshot, *, host: str, group: int, set_: int, entries: int | None  # noqa: ARG001
) -> Wired:
    """The binding `group` of `host`, and the lines of `set_` (0: none).

    Raises ``emissions.binding_unknown`` or ``emissions.threshold_unknown``.
    """
    binding = reading.get(BINDINGS, host, group)
    if binding is None:
        raise BINDING_UNKNOWN(group=group)
    ports = {}
    for number in binding.left + binding.right:
        port = reading.get(PORTS, host, number)
        if port is None:
            raise PORT_UNKNOWN(port=number)
        ports[number] = port
    lines: tuple[Line, ...] = ()
    if set_:
        threshold = reading.get(THRESHOLDS, host, group, set_)
        if threshold is None:
            raise THRESHOLD_UNKNOWN(group=group, set=set_)
        lines = tuple(Line(value=line.value, unit=line.unit) for line in threshold.lines)
    return Wired(binding=binding, ports=ports, lines=lines)
