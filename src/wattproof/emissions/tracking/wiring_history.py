"""The wiring as it was when the log had so many entries.

The state knows the wiring of now. A report that is made again later needs that of its own moment,
though a binding may have been released or its lines changed since; the lake's table `WIRING` has a
row for every port, side and line that was ever set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from wattproof.analytics.log import LogEntry
from wattproof.analytics.project import Names
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.table import Column, Columns, Table
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
    MAX_NUMBER,
    PORTS,
    THRESHOLDS,
    Binding,
    DefineBinding,
    DefineThreshold,
    Line,
    Port,
)
from wattproof.emissions.tracking.refusals import BINDING_UNKNOWN, PORT_UNKNOWN, THRESHOLD_UNKNOWN
from wattproof.identity.model import DEVICES
from wattproof.ledger.state import Reading

__all__ = ["WIRING", "WIRING_NAMES", "Wired", "WiringProjector", "wired_at"]

WIRING: Final = Table(
    name="wiring",
    columns=(
        Column("host", "INTEGER"),  # number in the lake's names "wiring"
        Column("number", "INTEGER"),  # of the port, or of the group
        Column("entry", "BIGINT"),  # index of the log entry
        Column("what", "INTEGER"),  # one of the kinds below
        Column("place", "INTEGER"),  # of a port on its side, or of a line in its set
        Column("code", "INTEGER"),  # kind, measure and side; or the unit of a line
        Column("line_set", "INTEGER"),  # the number of the set of lines, else 0
        Column("value", "BIGINT"),  # device (a name's number), port, or the line itself
    ),
    sort=("host", "number", "entry"),
)

WIRING_NAMES: Final = "wiring"
"""The lake's list of names of hosts and devices in `WIRING`."""

PORT: Final = 1
BINDING: Final = 2
LINES: Final = 3
"""What a row is about; the same, negative, is its removal."""

_BINDING_CODES: Final = tuple(
    (kind, measure, side)
    for kind in ("predicted", "total")
    for measure in ("amount", "emission")
    for side in ("left", "right")
)
_UNITS: Final = ("absolute", "percent")

_Row = tuple[int, int, int, int, int]
"""number, place, code, line_set, value"""


class WiringProjector:
    """Fills the table `WIRING` from what is defined and removed."""

    table: Final[Table] = WIRING
    version: Final = 1

    def rows(self, entries: Sequence[LogEntry], names: Mapping[str, Names]) -> Columns:
        """A row for each port, each port of a binding, each line, and each removal."""
        found = []
        for entry in entries:
            for name, fields in entry.events:
                told = _TOLD.get(name)
                if told is not None:
                    what, rows_of = told
                    texts = names[WIRING_NAMES]
                    host = texts.number(fields["host"])
                    for number, place, code, line_set, value in rows_of(entry, fields, texts):
                        row = (host, number, entry.index, what, place, code, line_set, value)
                        found.append(row)
        columns = np.array(found, np.int64).reshape(-1, len(WIRING.columns)).T
        types = {"INTEGER": np.int32, "BIGINT": np.int64}
        return {
            column.name: values.astype(types[column.type])
            for column, values in zip(WIRING.columns, columns, strict=True)
        }


class Wired(msgspec.Struct, frozen=True, kw_only=True):
    """A binding, its ports by number, and the lines of a set over it."""

    binding: Binding
    ports: Mapping[int, Port]
    lines: tuple[Line, ...]


def wired_at(
    reading: Reading,
    snapshot: Snapshot,
    *,
    host: str,
    group: int,
    set_: int = 0,
    entries: int | None = None,
) -> Wired:
    """The binding `group` of `host` with the lines of `set_` (0: none), as the log's first
    `entries` entries left them (None: as they are now).

    Ports that come out of the lake have no labels. Raises ``emissions.binding_unknown`` or
    ``emissions.threshold_unknown``.
    """
    if not 0 < group <= MAX_NUMBER:
        raise BINDING_UNKNOWN(group=group)
    if not 0 <= set_ <= MAX_NUMBER:
        raise THRESHOLD_UNKNOWN(group=group, set=set_)
    binding = reading.get(BINDINGS, host, group)
    if binding is not None and (entries is None or binding.entry < entries):
        ports = {number: _port(reading, host, number) for number in binding.left + binding.right}
    elif entries is not None:
        binding, ports = _former_binding(reading, snapshot, host, group, entries)
    else:
        raise BINDING_UNKNOWN(group=group)
    lines: tuple[Line, ...] = ()
    if set_:
        threshold = reading.get(THRESHOLDS, host, group, set_)
        if threshold is not None and (entries is None or threshold.entry < entries):
            lines = tuple(Line(value=line.value, unit=line.unit) for line in threshold.lines)
        elif entries is not None:
            lines = _former_lines(snapshot, binding, set_, entries)
        else:
            raise THRESHOLD_UNKNOWN(group=group, set=set_)
    return Wired(binding=binding, ports=ports, lines=lines)


def _port(reading: Reading, host: str, number: int) -> Port:
    port = reading.get(PORTS, host, number)
    if port is None:
        raise PORT_UNKNOWN(port=number)
    return port


def _former_binding(
    reading: Reading, snapshot: Snapshot, host: str, group: int, entries: int
) -> tuple[Binding, dict[int, Port]]:
    rows = _newest(snapshot, host, group, BINDING, entries)
    if not rows:
        raise BINDING_UNKNOWN(group=group)
    entry = int(rows[0]["entry"])
    kind, measure, _ = _BINDING_CODES[rows[0]["code"]]
    left, right = (
        tuple(int(row["value"]) for row in rows if _BINDING_CODES[row["code"]][2] == side)
        for side in ("left", "right")
    )
    names = snapshot.manifest.names[WIRING_NAMES]
    ports = {}
    for number in left + right:
        # A port that is bound cannot be removed, so the binding's own moment will do.
        (found,) = _newest(snapshot, host, number, PORT, entry)
        device = reading.get(DEVICES, names[found["value"] - 1])
        assert device is not None, f"port {number} of {host} has no device"
        ports[number] = Port(
            host=host,
            number=number,
            device=device.id,
            meter=device.number,
            quantity=device.quantity,
            entry=found["entry"],
        )
    return (
        Binding(
            host=host, group=group, kind=kind, measure=measure, left=left, right=right, entry=entry
        ),
        ports,
    )


def _former_lines(
    snapshot: Snapshot, binding: Binding, set_: int, entries: int
) -> tuple[Line, ...]:
    rows = _newest(snapshot, binding.host, binding.group, LINES, entries, set_)
    # With a binding its lines go too, without a word.
    if not rows or rows[0]["entry"] < binding.entry:
        raise THRESHOLD_UNKNOWN(group=binding.group, set=set_)
    return tuple(Line(value=row["value"], unit=_UNITS[row["code"]]) for row in rows)


def _newest(
    snapshot: Snapshot, host: str, number: int, what: int, entries: int, line_set: int = 0
) -> list[dict[str, Any]]:
    """The rows of the last entry about this, in order; none where it was removed."""
    names = snapshot.manifest.names.get(WIRING_NAMES, ())
    if host not in names:
        return []
    found = snapshot.db.execute(
        f"SELECT entry, what, place, code, value FROM {snapshot.relation(WIRING.name)}"
        " WHERE host = ? AND number = ? AND what IN (?, ?) AND line_set = ? AND entry < ?"
        " ORDER BY entry, place",
        (names.index(host) + 1, number, what, -what, line_set, entries),
    )
    rows = [
        dict(zip(("entry", "what", "place", "code", "value"), row, strict=True))
        for row in found.fetchall()
    ]
    last = [row for row in rows if row["entry"] == rows[-1]["entry"]]
    return [row for row in last if row["what"] == what]


def _port_rows(entry: LogEntry, fields: dict[str, Any], names: Names) -> Iterator[_Row]:  # noqa: ARG001
    yield fields["port"], 0, 0, 0, names.number(fields["device"])


def _no_port(entry: LogEntry, fields: dict[str, Any], names: Names) -> Iterator[_Row]:  # noqa: ARG001
    yield fields["port"], 0, 0, 0, 0


def _binding_rows(entry: LogEntry, fields: dict[str, Any], names: Names) -> Iterator[_Row]:  # noqa: ARG001
    body = entry.body
    assert isinstance(body, DefineBinding), body
    place = 0
    for side, ports in (("left", body.left), ("right", body.right)):
        code = _BINDING_CODES.index((body.kind, body.measure, side))
        for port in ports:
            yield body.group, place, code, 0, port
            place += 1


def _no_binding(entry: LogEntry, fields: dict[str, Any], names: Names) -> Iterator[_Row]:  # noqa: ARG001
    yield fields["group"], 0, 0, 0, 0


def _line_rows(entry: LogEntry, fields: dict[str, Any], names: Names) -> Iterator[_Row]:  # noqa: ARG001
    body = entry.body
    assert isinstance(body, DefineThreshold), body
    for place, line in enumerate(body.lines):
        yield body.group, place, _UNITS.index(line.unit), body.set, line.value


def _no_lines(entry: LogEntry, fields: dict[str, Any], names: Names) -> Iterator[_Row]:  # noqa: ARG001
    yield fields["group"], 0, 0, fields["set"], 0


_TOLD: Final = {
    PortDefined.name: (PORT, _port_rows),
    PortRemoved.name: (-PORT, _no_port),
    BindingDefined.name: (BINDING, _binding_rows),
    BindingRemoved.name: (-BINDING, _no_binding),
    ThresholdDefined.name: (LINES, _line_rows),
    ThresholdRemoved.name: (-LINES, _no_lines),
}
"""What events tell: the kind of row, and how to read it."""
