"""From the fields of the tracking pages' forms to the transactions that they stand for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, cast

from wattproof.console.filled import Filled
from wattproof.core.actor import Actor
from wattproof.core.codes import check_id
from wattproof.core.errors import ErrorCode, Lang, Malformed
from wattproof.core.periods import local_time
from wattproof.core.units import MAX_AMOUNT, base_unit, format_amount, parse_decimal, unit_for
from wattproof.emissions.tracking.model import (
    MAX_LINES,
    MAX_NUMBER,
    BindingKind,
    DefineBinding,
    DefinePort,
    DefineThreshold,
    Line,
    LineRecord,
    Measure,
    Port,
)
from wattproof.emissions.tracking.percent import percent_text
from wattproof.emissions.tracking.refusals import DEVICE_NOT_YOURS
from wattproof.emissions.tracking.syntax import parse_binding
from wattproof.emissions.tracking.wiring import SEES_DEVICES
from wattproof.identity.model import ASSOCIATIONS, DEVICES, Device
from wattproof.ledger.state import Reading

__all__ = ["KINDS", "MEASURES", "STEPS_S", "TRANSPORTS", "binding_of", "devices_offered",
           "free_number", "line_text", "number_of", "parse_lines", "port_of",
           "threshold_of", "window_begin"]  # fmt: skip

KINDS: Final[tuple[BindingKind, ...]] = ("predicted", "total")
MEASURES: Final[tuple[Measure, ...]] = ("amount", "emission")
TRANSPORTS: Final = ("mqtt", "http", "tcp", "file")
"""Ways of packets that the form offers; others can be typed in."""

STEPS_S: Final = (900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 604_800)
"""Windows that the form offers, in seconds."""

DEVICES_OFFERED: Final = 200

NUMBER = ErrorCode(
    Malformed,
    "emissions.form_number",
    en="Give a whole number from 1 to {most}.",
    zh="请填写 1 至 {most} 的整数。",
)
LINE = ErrorCode(
    Malformed,
    "emissions.form_line",
    en="“{text}” is not a line: write a number and a unit, such as 5 % or 20 kWh.",
    zh="“{text}”不是阈值：请写数字和单位，例如 5 % 或 20 kWh。",
)
LINE_FINE = ErrorCode(
    Malformed,
    "emissions.form_line_fine",
    en="“{text}” is too fine or too large: percentages have two decimals, amounts are whole"
    " {unit}.",
    zh="“{text}”过细或过大：百分比保留两位小数，数量为整 {unit}。",
)
LINE_COUNT = ErrorCode(
    Malformed,
    "emissions.form_lines",
    en="Give one to {most} lines.",
    zh="请填写 1 至 {most} 条阈值。",
)
WINDOW = ErrorCode(
    Malformed,
    "emissions.form_window",
    en="Choose how long a window is.",
    zh="请选择窗口长度。",
)
CLOCK = ErrorCode(
    Malformed,
    "emissions.form_clock",
    en="Give a time of day such as 00:00.",
    zh="请填写一天中的时间，例如 00:00。",
)
CHOICE = ErrorCode(
    Malformed,
    "emissions.form_choice",
    en="Choose one of what is offered.",
    zh="请从所列选项中选择。",
)

_LINE: Final = re.compile(r"([0-9]*\.?[0-9]+)\s*(\S.*)")
_SPLIT: Final = re.compile(r"[;,、\n]")
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def port_of(reading: Reading, form: Filled, actor: Actor) -> DefinePort:
    """The transaction that gives a node a number; its refusals are noted in the form."""
    return form.bounded(
        DefinePort(
            number=form.take("number", number_of),
            device=form.take("device", lambda text: _device(reading, text, actor)),
            transport=form["transport"],
            plant=form.take("plant", _label, needed=False),
            process=form.take("process", _label, needed=False),
            person=form.take("person", _label, needed=False),
        )
    )


def binding_of(form: Filled) -> DefineBinding:
    """The transaction that binds ports; its refusals are noted in the form."""
    found = form.take("text", parse_binding)
    kind = form.take("kind", lambda text: _chosen(text, KINDS))
    measure = form.take("measure", lambda text: _chosen(text, MEASURES))
    form.finish()
    group, left, right = found
    return form.bounded(
        DefineBinding(
            group=group,
            kind=cast("BindingKind", kind),
            measure=cast("Measure", measure),
            left=left,
            right=right,
        )
    )


def threshold_of(
    form: Filled, *, group: int, quantity: str, zone: str, now_s: int
) -> DefineThreshold:
    """The transaction that sets lines; its refusals are noted in the form.

    Windows begin at a time of day of `zone`, as its clock differs from UTC at `now_s`.
    """
    step_s = form.take("step_s", _window)
    begin = form.take("begin", _clock, needed=False)
    set_ = form.take("set", number_of)
    lines = form.take("lines", lambda text: parse_lines(text, quantity=quantity))
    form.finish()
    offset = local_time(now_s, zone).utcoffset()
    assert offset is not None, "local times have an offset"
    ahead_s = int(offset.total_seconds())
    return form.bounded(
        DefineThreshold(
            group=group,
            set=set_,
            step_s=step_s,
            offset_s=(begin - ahead_s) % step_s,
            lines=lines,
        )
    )


def number_of(text: str) -> int:
    """A number of a port, a group or a set. Raises ``emissions.form_number``."""
    plain = unicodedata.normalize("NFKC", text)
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 6 and int(plain)):
        raise NUMBER(most=f"{MAX_NUMBER:,}")
    return int(plain)


def parse_lines(text: str, *, quantity: str) -> tuple[Line, ...]:
    """Lines as people type them, ``5 %; 20 kWh``, of errors in `quantity`.

    Raises ``emissions.form_line`` and the like, ``core.unit`` or ``core.unit_mismatch``.
    """
    plain = unicodedata.normalize("NFKC", text)
    parts = [part.strip() for part in _SPLIT.split(plain) if part.strip()]
    if not 1 <= len(parts) <= MAX_LINES:
        raise LINE_COUNT(most=MAX_LINES)
    return tuple(_line(part, quantity) for part in parts)


def line_text(line: Line | LineRecord, unit: str, lang: Lang) -> str:
    """A line as people read it; `unit` is the base unit of what is compared."""
    if line.unit == "percent":
        return percent_text(line.value)
    return format_amount(line.value, unit, lang)


def window_begin(step_s: int, offset_s: int, *, zone: str, now_s: int) -> str:
    """The time of day at which windows begin, as the form has it."""
    offset = local_time(now_s, zone).utcoffset()
    assert offset is not None, "local times have an offset"
    seconds = (offset_s + int(offset.total_seconds())) % min(step_s, 86_400)
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


def free_number(ports: list[Port]) -> int:
    """The lowest number that no port has."""
    taken = {port.number for port in ports}
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


def devices_offered(reading: Reading, actor: Actor) -> list[Device]:
    """Devices to which a party may give ports, its own first; others can be typed in."""
    found = {device.id: device for device in reading.find(DEVICES, "owner", actor.id)}
    for association in reading.find(ASSOCIATIONS, "party", actor.id):
        device = reading.get(DEVICES, association.device)
        if device is not None:
            found.setdefault(device.id, device)
    usable = (device for device in found.values() if device.status != "revoked")
    return list(_first(usable, DEVICES_OFFERED))


def _first(devices: Iterator[Device], most: int) -> Iterator[Device]:
    for _, device in zip(range(most), devices, strict=False):
        yield device


def _device(reading: Reading, text: str, actor: Actor) -> str:
    """The id, or the same refusal for a device that is not there and one that is not theirs."""
    device = reading.get(DEVICES, text)
    if device is None or not _may_wire(reading, device, actor):
        raise DEVICE_NOT_YOURS(host=actor.id, device=text[:80])
    return device.id


def _may_wire(reading: Reading, device: Device, actor: Actor) -> bool:
    if device.owner == actor.id or any(role in actor.roles for role in SEES_DEVICES):
        return True
    return any(one.party == actor.id for one in reading.scan(ASSOCIATIONS, device.id))


def _label(text: str) -> str:
    return check_id(text) if text else ""


def _chosen(text: str, offered: tuple[Any, ...]) -> str:
    if text not in offered:
        raise CHOICE()
    return text


def _window(text: str) -> int:
    if text not in map(str, STEPS_S):
        raise WINDOW()
    return int(text)


def _clock(text: str) -> int:
    """Seconds since midnight; nothing typed is midnight."""
    found = _CLOCK.fullmatch(text or "00:00")
    if found is None:
        raise CLOCK()
    return int(found[1]) * 3600 + int(found[2]) * 60


def _line(text: str, quantity: str) -> Line:
    found = _LINE.fullmatch(text)
    if found is None:
        raise LINE(text=text[:80])
    value, unit = parse_decimal(found[1]), found[2].strip()
    if unit == "%":
        return Line(value=_whole(value, Fraction(100), text, quantity), unit="percent")
    known = unit_for(unit=unit, quantity=quantity)
    size = Fraction(known.numerator, known.denominator)
    return Line(value=_whole(value, size, text, quantity), unit="absolute")


def _whole(value: Decimal, size: Fraction, text: str, quantity: str) -> int:
    exact = Fraction(value) * size
    if exact.denominator != 1 or exact > MAX_AMOUNT:
        raise LINE_FINE(text=text[:80], unit=base_unit(quantity))
    return int(exact)
