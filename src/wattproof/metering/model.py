"""What a meter signs, what the ledger keeps of it, and every name that can come of a packet.

A packet holds consecutive readings: the register at its start, then what each interval added. So
the register at its end follows, and the next packet must go on from there. Where it does not, the
outcome has a name from `OUTCOMES`: accepted with a flag, or refused with a code. Amounts are whole
base units of the meter's quantity (Wh, dm3, g, pc, fen, m); times are Unix seconds UTC.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from wattproof.core.units import MAX_AMOUNT
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.machine import Event, event
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, transaction

__all__ = [
    "AHEAD_S",
    "FIRST_SEQUENCE",
    "FUTURE_S",
    "MAX_INTERVAL_S",
    "MAX_READINGS",
    "MAX_SEQUENCE",
    "OUTCOMES",
    "PACKETS",
    "QUALITIES",
    "STREAMS",
    "Kind",
    "MeterReplaced",
    "OutcomeRow",
    "Packet",
    "PacketAccepted",
    "PacketRow",
    "QualityRow",
    "ReplaceMeter",
    "Stream",
    "catch_up_span",
]

MAX_READINGS: Final = 4096
"""Readings in one packet at most."""

MAX_INTERVAL_S: Final = 31 * 86_400
"""The longest interval of a reading, in seconds: a month."""

FIRST_SEQUENCE: Final = 1
"""The sequence number of a meter's first packet."""

MAX_SEQUENCE: Final = 2**53 - 1
"""The largest sequence number: what every language's numbers hold exactly."""

FUTURE_S: Final = 300
"""How far a reading may end ahead of the block's time: what clocks may differ by, in seconds."""

AHEAD_S: Final = 400 * 86_400
"""How far a prediction may reach ahead of the block's time, in seconds: a year and a month."""

Kind = Literal["increment", "register"]
"""Where the readings come from: measured one by one, or differences of a cumulative register."""

Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
Instant = Annotated[int, Meta(ge=0, le=MAX_SEQUENCE)]


class OutcomeRow(msgspec.Struct, frozen=True):
    """A name for how a packet fits what came before, and whether it is then accepted."""

    name: str
    accepted: bool
    en: str
    zh: str


OUTCOMES: Final = (
    OutcomeRow("first", True, "the meter's first packet", "该表计的首个数据包"),
    OutcomeRow("continuous", True, "goes on where the last packet ended", "与上一数据包连续"),
    OutcomeRow("gap", True, "time passed without readings", "存在无读数的时段"),
    OutcomeRow(
        "catch_up",
        True,
        "the register moved on during a gap; the difference is counted at the gap's end",
        "间隔期间表底数增加，差额计入间隔结束处",
    ),
    OutcomeRow(
        "clock_jump",
        True,
        "after a gap the readings lie on another grid of times",
        "间隔之后读数的时间网格发生偏移",
    ),
    OutcomeRow(
        "sequence_gap", True, "packets before this one never arrived", "此前有数据包未曾到达"
    ),
    OutcomeRow("rollover", True, "the register passed its largest value", "计度器过零翻转"),
    OutcomeRow("replacement", True, "the first packet of a new register", "换表后的首个数据包"),
    OutcomeRow(
        "hindsight", True, "a prediction given when its time had begun", "预测迟于所预测时段"
    ),
    OutcomeRow(
        "duplicate", False, "the same readings are in the ledger already", "相同读数已在账本中"
    ),
    OutcomeRow(
        "conflict",
        False,
        "other readings stand under the same sequence number",
        "同一序号下已有不同读数",
    ),
    OutcomeRow(
        "sequence_back",
        False,
        "the sequence number has been passed already",
        "序号已被越过",
    ),
    OutcomeRow("overlap", False, "part of the time is reported already", "部分时段已上报"),
    OutcomeRow(
        "clock_back",
        False,
        "the register goes on, yet the clock went back",
        "表底数连续，但时钟倒退",
    ),
    OutcomeRow(
        "register_jump",
        False,
        "the register moved on although no time passed",
        "时间未推移而表底数跳变",
    ),
    OutcomeRow("negative_step", False, "the register went down", "表底数减小"),
    OutcomeRow("kind_change", False, "the kind of readings changed", "读数类型发生变化"),
    OutcomeRow("future", False, "readings from the future", "读数时间在未来"),
)
"""Everything that can come of a packet. Refused ones have the error code ``metering.<name>``."""


class QualityRow(msgspec.Struct, frozen=True):
    """The code of a reading's quality, as a packet carries it."""

    code: int
    name: str
    en: str
    zh: str


QUALITIES: Final = (
    QualityRow(0, "measured", "measured", "实测"),
    QualityRow(1, "interpolated", "interpolated between measured values", "插值"),
    QualityRow(2, "estimated", "estimated", "估计"),
    QualityRow(3, "manual", "read and typed by a person", "人工抄录"),
)
"""How a reading came about, by code."""


@transaction("metering.packet", 1, by=("device",), en="Report readings", zh="上报读数")
class Packet(Body):
    """Consecutive readings of the meter whose key signs.

    `opening` is the register at `start_s`; reading i adds ``increments[i]`` between ``start_s +
    i * interval_s`` and one interval later. A meter of increments keeps their running sum as its
    register. `quality` is empty when all is measured, else one code of `QUALITIES` a reading. A
    packet without readings states the register alone, at the first start or after a gap.
    """

    sequence: Annotated[int, Meta(ge=FIRST_SEQUENCE, le=MAX_SEQUENCE)]
    start_s: Instant
    interval_s: Annotated[int, Meta(ge=1, le=MAX_INTERVAL_S)]
    kind: Kind
    opening: Amount
    increments: UintArray
    quality: UintArray


@transaction("metering.replace", 1, by=("party",), en="Replace a meter's register", zh="更换表计")
class ReplaceMeter(Body):
    """A meter's register was replaced at `at_s`, by its owner or a metering authority.

    `old_closing` is what the old register showed then; `new_opening` what the new one began with;
    `new_modulus` where the new one rolls over (0: never).
    """

    device: Annotated[str, Meta(min_length=1, max_length=64)]
    at_s: Instant
    old_closing: Amount
    new_opening: Amount
    new_modulus: Amount


class Stream(Record):
    """Where a meter's readings have got to: what the next packet must fit.

    `register` is the closing register at `end_s`; `total` all that was counted, catch-up amounts
    included; `modulus` where the register rolls over (0: never). `replaced` is true from a
    replacement to the next packet.
    """

    number: int
    kind: Kind
    start_s: int
    end_s: int
    interval_s: int
    next_sequence: int
    register: int
    modulus: int
    total: int
    packets: int
    readings: int
    replaced: bool = False


class PacketRow(Record):
    """An accepted packet: its log entry, its time, the register at its end.

    `digest` is the first 16 bytes of SHA-256 over what it says, by which a second packet of the
    same sequence number is told apart.
    """

    number: int
    sequence: int
    entry: int
    start_s: int
    end_s: int
    closing: int
    digest: bytes


STREAMS: Final = Collection("metering.streams", Stream, key=("number",))
PACKETS: Final = Collection("metering.packets", PacketRow, key=("number", "sequence"))

_CONTINUOUS: Final = ("continuous",)


@event(
    "metering.accepted",
    en="Packet {sequence} of meter {number}: {count} readings, {amount} in all",
    zh="表计 {number} 的第 {sequence} 个数据包：{count} 个读数，合计 {amount}",
)
class PacketAccepted(Event):
    """A packet was accepted; its readings are the transaction's own `increments`.

    `amount` is the sum of its readings and of `catch_up`, what the register gained in the gap of
    `gap_s` seconds before it. `missing` counts the packets that never arrived before it, `flagged`
    the readings that were not measured.
    """

    number: int
    sequence: int
    start_s: int
    interval_s: int
    count: int
    amount: int
    outcomes: tuple[str, ...] = _CONTINUOUS
    catch_up: int = 0
    gap_s: int = 0
    missing: int = 0
    flagged: int = 0


@event(
    "metering.replaced",
    en="Meter {number} has a new register; the old one had moved on by {catch_up}",
    zh="表计 {number} 已换表，旧表自上次上报又走了 {catch_up}",
)
class MeterReplaced(Event):
    """A meter's register was replaced at `at_s`, `gap_s` seconds after its last reading.

    `catch_up` is what the old register had gained in that time.
    """

    number: int
    at_s: int
    interval_s: int
    new_opening: int
    catch_up: int = 0
    gap_s: int = 0


def catch_up_span(*, end_s: int, gap_s: int, interval_s: int) -> tuple[int, int]:
    """Where a gap's catch-up amount is booked: (start, seconds) of what ends the gap at `end_s`.

    One interval, or the whole gap if that is shorter, so that no earlier time ever changes.
    """
    span_s = min(gap_s, interval_s)
    return end_s - span_s, span_s
