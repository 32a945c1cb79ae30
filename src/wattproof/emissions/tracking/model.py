"""What tracking is made of: nodes, ports, bindings of ports, and lines that an error may not cross.

A *node* is a device that emits by itself: it multiplies what it measures with a factor of its own
and signs both. A *host*, any party, gives nodes the numbers of its *ports* and *binds* ports to
each other: what was predicted to what was measured, a total to its parts. The error of a binding
is left less right, over windows of time; where it crosses a *line*, the packet that completes the
window raises an interrupt.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from wattproof.core.units import MAX_AMOUNT
from wattproof.emissions.model import MAX_VALUE_UG
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, Part, transaction
from wattproof.metering.model import Packet

__all__ = [
    "BINDINGS",
    "HOSTS",
    "INTERRUPTS",
    "MAX_LINES",
    "MAX_NUMBER",
    "MAX_SIDE",
    "MAX_WINDOW_S",
    "MIN_WINDOW_S",
    "NODES",
    "NODE_FACTORS",
    "PORTS",
    "REPORTS",
    "THRESHOLDS",
    "WATCHES",
    "WINDOWS",
    "Binding",
    "BindingKind",
    "DeclareFactor",
    "DefineBinding",
    "DefinePort",
    "DefineThreshold",
    "FileReport",
    "FiledReport",
    "HostRecord",
    "InterruptRecord",
    "Line",
    "LineRecord",
    "Measure",
    "Node",
    "NodeFactor",
    "NodePacket",
    "NodeSpan",
    "Port",
    "RemoveBinding",
    "RemovePort",
    "RemoveThreshold",
    "Threshold",
    "Watch",
    "WatchRecord",
    "WindowSum",
]

MAX_NUMBER: Final = 999_999
"""The largest number of a port, a group, or a set of lines."""
MAX_SIDE: Final = 64
"""Ports on one side of a binding at most."""
MAX_LINES: Final = 8
"""Lines in one set at most."""
MIN_WINDOW_S: Final = 60
MAX_WINDOW_S: Final = 31 * 86_400
"""How short and how long a window may be over which an error is taken, in seconds."""

BindingKind = Literal["predicted", "total"]
"""What a binding compares: predicted with measured, or a total with its parts."""
Measure = Literal["amount", "emission"]
"""What is compared: amounts of one family in its base unit, or grams of CO2(e)."""

Number = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Label = Annotated[str, Meta(max_length=64)]
Word = Annotated[str, Meta(max_length=80)]
Instant = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
FactorValue = Annotated[int, Meta(ge=0, le=MAX_VALUE_UG)]
Side = Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_SIDE)]
Window = Annotated[int, Meta(ge=MIN_WINDOW_S, le=MAX_WINDOW_S)]


@transaction(
    "emissions.node.factor", 1, by=("device",), en="Enter a node's factor", zh="录入节点排放因子"
)
class DeclareFactor(Body):
    """The node whose key signs uses this factor for readings that begin from `from_s` on.

    `factor` is the id and version of a factor on the ledger (``cn-grid-2023@1``), or empty where
    it was typed in; `value` and `unit` are as in the source or as typed, `value_ug` the same in
    micrograms per base unit. `entered_by` is who did it (a party's id or a badge), at `entered_s`.
    """

    factor: Word
    value: Word
    unit: Word
    value_ug: FactorValue
    entered_by: Label
    entered_s: Instant
    from_s: Instant


@transaction(
    "emissions.node.packet",
    1,
    by=("device",),
    en="Report readings and their emission",
    zh="上报读数及其排放",
)
class NodePacket(Packet):
    """Readings as in a metering packet, and the emission that the node made of them.

    `value_ug` is the factor of all readings; `opening_g` and `carry_ug` are the node's emission
    register at `start_s`: whole grams, and the micrograms that are not a gram yet. Reading i emits
    ``emissions[i]`` grams, the remainder carried on (`carry`).
    """

    factor: Word
    value_ug: FactorValue
    opening_g: Amount
    carry_ug: Annotated[int, Meta(ge=0, le=999_999)]
    emissions: UintArray


@transaction("emissions.port.define", 1, by=("party",), en="Define a port", zh="定义端口")
class DefinePort(Body):
    """The host whose key signs gives a node the number of a port.

    `transport` is how its packets come (``mqtt``, ``http``, ``tcp:9000`` ...). `plant`, `process`
    and `person` say where it belongs in roll-ups, as far as they apply; `person` is the id of a
    party, never a name.
    """

    number: Number
    device: Id
    transport: Label
    plant: Label
    process: Label
    person: Label


@transaction("emissions.port.remove", 1, by=("party",), en="Remove a port", zh="删除端口")
class RemovePort(Body):
    """Free the number of a port that is not bound."""

    number: Number


@transaction("emissions.binding.define", 1, by=("party",), en="Bind ports", zh="绑定端口")
class DefineBinding(Body):
    """Compare the sum of the ports on the left with that of those on the right."""

    group: Number
    kind: BindingKind
    measure: Measure
    left: Side
    right: Side


@transaction("emissions.binding.remove", 1, by=("party",), en="Release a binding", zh="解除绑定")
class RemoveBinding(Body):
    """Release a binding, with the lines that were set for it."""

    group: Number


class Line(Part):
    """A line that the size of an error may not cross.

    `value` is in the unit of what is compared, or in hundredths of a percent of the base: the
    right side of a prediction, the total of a total.
    """

    value: Amount
    unit: Literal["absolute", "percent"]


@transaction(
    "emissions.threshold.define", 1, by=("party",), en="Set error lines", zh="设置误差阈值"
)
class DefineThreshold(Body):
    """Watch a binding over windows of `step_s` seconds that begin at ``offset_s + n * step_s``.

    Windows count from where the ports' readings have got to. A `set` that exists is replaced.
    """

    group: Number
    set: Number
    step_s: Window
    offset_s: Annotated[int, Meta(ge=0, le=MAX_WINDOW_S)]
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=MAX_LINES)]


@transaction(
    "emissions.threshold.remove", 1, by=("party",), en="Remove error lines", zh="删除误差阈值"
)
class RemoveThreshold(Body):
    """Watch a binding no longer by this set of lines."""

    group: Number
    set: Number


@transaction(
    "emissions.report.file", 1, by=("party",), en="File an error report", zh="提交误差报告"
)
class FileReport(Body):
    """Put the digest of an error report on the ledger; the host signs, or for it a registrar.

    The report is that of binding `group` from `from_s` up to `to_s`, by `step`, in the time zone
    `zone`, after the log's first `entries` entries; with `set` 0 all rows, else the rows that
    reach a line of that set. `digest` is SHA-256 of its bytes, which anyone can make again.
    """

    host: Id
    group: Number
    set: Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
    step: Literal["hour", "day", "month", "year"]
    from_s: Instant
    to_s: Instant
    zone: Label
    entries: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    rows: Annotated[int, Meta(ge=0, le=2**31)]
    digest: Annotated[bytes, Meta(min_length=32, max_length=32)]


class NodeSpan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A factor of a node, in force for readings that begin from `from_s` on."""

    factor: str
    value_ug: int
    from_s: int


class Node(Record):
    """What a node has emitted by its own account.

    `closing_g` and `carry_ug` are its emission register as it last said; `total_g` what the host
    has added up. `owed` is what a replaced register had gained and the node has yet to emit.
    `wrong` counts the packets whose arithmetic did not hold, `wrong_entry` is the
    last of them. `spans` are the factors in force and to come, in order of time.
    """

    number: int
    spans: tuple[NodeSpan, ...] = ()
    closing_g: int = 0
    carry_ug: int = 0
    total_g: int = 0
    owed: int = 0
    packets: int = 0
    wrong: int = 0
    wrong_entry: int = -1


class NodeFactor(Record):
    """That a factor was entered at a node: what, by whom, when, in which log entry."""

    number: int
    from_s: int
    factor: str
    value: str
    unit: str
    value_ug: int
    entered_by: str
    entered_s: int
    entry: int


class Port(Record):
    """A numbered port of a host, and the node behind it (`device`, its number `meter`)."""

    host: str
    number: int
    device: str
    meter: int
    quantity: str
    entry: int
    transport: str = ""
    plant: str = ""
    process: str = ""
    person: str = ""


class Binding(Record):
    """Ports of a host that are compared; `left` less `right` is the error."""

    host: str
    group: int
    kind: BindingKind
    measure: Measure
    left: tuple[int, ...]
    right: tuple[int, ...]
    entry: int


class LineRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line, and the number of the interrupt that is open on it (0: none)."""

    value: int
    unit: Literal["absolute", "percent"]
    open: int = 0


class Threshold(Record):
    """A set of lines over a binding.

    `meters` are the numbers of the devices on both sides; windows that begin before `from_s` are
    left out, those that end up to `checked_s` are done.
    """

    host: str
    group: int
    set: int
    step_s: int
    offset_s: int
    lines: tuple[LineRecord, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    entry: int
    from_s: int = 0
    checked_s: int = 0


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A set of lines that looks at a device, which stands on the left or on the right."""

    host: str
    group: int
    set: int
    left: bool


class WatchRecord(Record):
    """All that looks at a device, so that a packet finds it with one read."""

    number: int
    watches: tuple[Watch, ...]


class WindowSum(Record):
    """The sums of a window that is not complete yet."""

    host: str
    group: int
    set: int
    start_s: int
    left: int = 0
    right: int = 0


class InterruptRecord(Record):
    """An excursion: where and when a line was crossed, and where the error came back.

    `start_s` and `end_s` are the window; `left` and `right` its sums; `value` and `unit` the line,
    the `line`-th of its set, counted from 1; `entry` the packet that completed the window.
    `over_entry` is -1 while it lasts.
    """

    host: str
    number: int
    group: int
    set: int
    line: int
    value: int
    unit: str
    start_s: int
    end_s: int
    left: int
    right: int
    entry: int
    time_s: int
    over_entry: int = -1
    over_s: int = 0


class HostRecord(Record):
    """How many interrupts and filed reports a host has; they are numbered from 1."""

    host: str
    interrupts: int = 0
    reports: int = 0


class FiledReport(Record):
    """An error report whose digest is on the ledger; the fields are those of `FileReport`."""

    host: str
    number: int
    group: int
    set: int
    step: Literal["hour", "day", "month", "year"]
    from_s: int
    to_s: int
    zone: str
    entries: int
    rows: int
    digest: bytes
    filed_by: str
    entry: int
    time_s: int


NODES: Final = Collection("tracking.nodes", Node, key=("number",))
NODE_FACTORS: Final = Collection("tracking.factors", NodeFactor, key=("number", "from_s"))
PORTS: Final = Collection(
    "tracking.ports", Port, key=("host", "number"), indexes={"device": ("device",)}
)
BINDINGS: Final = Collection("tracking.bindings", Binding, key=("host", "group"))
THRESHOLDS: Final = Collection("tracking.thresholds", Threshold, key=("host", "group", "set"))
WATCHES: Final = Collection("tracking.watches", WatchRecord, key=("number",))
WINDOWS: Final = Collection("tracking.windows", WindowSum, key=("host", "group", "set", "start_s"))
INTERRUPTS: Final = Collection("tracking.interrupts", InterruptRecord, key=("host", "number"))
HOSTS: Final = Collection("tracking.hosts", HostRecord, key=("host",))
REPORTS: Final = Collection("tracking.reports", FiledReport, key=("host", "number"))
