"""A factor that is entered at the node: looked up in the packaged table, or typed digit by digit.

What is typed goes through a small machine, because a keypad has no screen to take a mistake back:

    empty --digit, point--> typing --confirm--> entered
    empty --table--> choosing --digit--> choosing --confirm--> looked up
    typing, choosing --cancel--> empty;  --silence--> empty

A confirmation with nothing before it (a second one, for instance) is an error of its own, and so
are two points, a number that is too long, and a factor that no meter can have.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from wattproof.core.codes import check_id
from wattproof.core.errors import Conflict, ErrorCode, Malformed
from wattproof.core.factors import UNITY, factor_ug, natural_value, packaged_factor
from wattproof.core.plausible import check_plausible
from wattproof.core.units import family, parse_decimal
from wattproof.edge.state import EnteredFactor, NodeState

__all__ = [
    "CANCEL",
    "CONFIRM",
    "MAX_CHARACTERS",
    "TABLE",
    "UNITY_FACTOR",
    "Choice",
    "Typing",
    "looked_up",
    "next_start",
    "put_in_force",
    "typed",
    "unit_of",
]

MAX_CHARACTERS: Final = 12
"""Digits and point of a factor that is typed."""

CONFIRM: Final = "confirm"
CANCEL: Final = "cancel"
TABLE: Final = "table"
_KEYS: Final = (*"0123456789", ".", CONFIRM, CANCEL, TABLE)

NOTHING = ErrorCode(
    Malformed,
    "edge.entry.nothing",
    en="Confirmed, but nothing was typed (or it was confirmed twice).",
    zh="已按确认，但没有输入内容（或重复确认）。",
)
NOT_A_KEY = ErrorCode(
    Malformed, "edge.entry.key", en="{key!r} means nothing here.", zh="此处不能使用按键“{key}”。"
)
POINT = ErrorCode(
    Malformed,
    "edge.entry.point",
    en="A number has one point at most, and a row of the table none.",
    zh="一个数最多有一个小数点，表中行号没有小数点。",
)
TOO_LONG = ErrorCode(
    Malformed,
    "edge.entry.long",
    en="At most {limit} characters can be typed.",
    zh="最多可输入 {limit} 个字符。",
)
NO_ROW = ErrorCode(
    Malformed,
    "edge.entry.row",
    en="The table has rows 1 to {rows}; {row} is none of them.",
    zh="表中有第 1 至 {rows} 行，没有第 {row} 行。",
)
ZERO = ErrorCode(
    Malformed,
    "edge.entry.zero",
    en="A factor of zero is not typed in: name a published one.",
    zh="不能录入为零的排放因子：请选用已发布的因子。",
)
OTHER_QUANTITY = ErrorCode(
    Malformed,
    "edge.entry.quantity",
    en="Factor {factor} is for {given}; this node measures {quantity}.",
    zh="排放因子 {factor} 适用于 {given}，而本节点计量 {quantity}。",
)
VERSION = ErrorCode(
    Malformed,
    "edge.entry.version",
    en="{factor!r} is not a factor with its version, such as cn-grid-2023-national@1.",
    zh="“{factor}”不是带版本的排放因子，例如 cn-grid-2023-national@1。",
)
CO2_ALREADY = ErrorCode(
    Conflict,
    "edge.entry.co2",
    en="This node measures CO2 itself; its factor is 1 and cannot be entered.",
    zh="本节点直接计量二氧化碳，其因子恒为 1，无需录入。",
)

UNITY_FACTOR: Final = EnteredFactor(
    factor=f"{UNITY}@1",
    value="1",
    unit="gCO2/g",
    value_ug=1_000_000,
    entered_by="",
    entered_s=0,
    from_s=0,
)
"""The factor of a node that measures CO2: a gram a gram, entered by nobody."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A factor that was chosen: `factor` is ``id@version``, or empty where it was typed in."""

    factor: str
    value: str
    unit: str
    value_ug: int


def typed(value: str, *, unit: str, quantity: str) -> Choice:
    """A factor as a person typed it, in `unit` (``kgCO2e/kWh``).

    Raises `Malformed` for no number, another unit, zero, and what no meter of `quantity` can have.
    """
    _demand_factor_wanted(quantity)
    number = parse_decimal(value)
    value_ug = factor_ug(number, unit=unit, quantity=quantity)
    if not value_ug:
        raise ZERO()
    check_plausible(value_ug, quantity)
    return Choice(factor="", value=value, unit=unit, value_ug=value_ug)


def looked_up(text: str, *, quantity: str) -> Choice:
    """A packaged factor by ``id@version``; without a version the first. Raises `Malformed`,
    `NotFound`."""
    _demand_factor_wanted(quantity)
    id_, at, version = text.partition("@")
    if at and not (version.isascii() and version.isdigit() and 0 < len(version) < 10):
        raise VERSION(factor=text[:80])
    found = packaged_factor(id_)
    if found.quantity != family(quantity):
        raise OTHER_QUANTITY(factor=id_, given=found.quantity, quantity=quantity)
    return Choice(
        factor=f"{id_}@{version or 1}",
        value=found.value,
        unit=found.unit,
        value_ug=found.value_ug,
    )


def unit_of(quantity: str) -> str:
    """The unit in which people type a factor of a quantity: ``kgCO2e/kWh``."""
    return f"kgCO2e/{natural_value(0, quantity)[1]}"


def next_start(state: NodeState, *, now_s: int, interval_s: int) -> int:
    """From when on a factor can be in force that is entered now: the next moment of a reading."""
    begun_s = -(-now_s // interval_s) * interval_s
    return max(begun_s, state.end_s) if state.started else begun_s


def put_in_force(
    state: NodeState, choice: Choice, *, by: str, now_s: int, interval_s: int
) -> tuple[NodeState, EnteredFactor]:
    """The state with this factor in force from the next reading on, and the entry to be signed.

    A factor that was entered for the same moment is replaced. Raises `Malformed` for a `by` that
    is no identifier.
    """
    entered = EnteredFactor(
        factor=choice.factor,
        value=choice.value,
        unit=choice.unit,
        value_ug=choice.value_ug,
        entered_by=check_id(by),
        entered_s=now_s,
        from_s=next_start(state, now_s=now_s, interval_s=interval_s),
    )
    begun_s = state.start_s if state.started else entered.from_s
    kept = [old for old in state.factors if old.from_s < entered.from_s]
    # Of those that are passed, only the one in force where the open packet starts is needed.
    passed = [old for old in kept if old.from_s <= begun_s][:-1]
    factors = (*(old for old in kept if old not in passed), entered)
    return msgspec.structs.replace(state, factors=factors), entered


class Typing:
    """The keypad's machine: keys go in one by one, a choice comes out when one is confirmed.

    `table` are the packaged factors behind the table key, row 1 first; `unit` is that of a number.
    An error leaves it empty.
    """

    def __init__(
        self, *, quantity: str, unit: str = "", table: Sequence[str] = (), forget_s: int = 60
    ) -> None:
        self._quantity = quantity
        self._unit = unit or unit_of(quantity)
        self._table = table
        self._forget_s = forget_s
        self._choosing = False
        self._pressed_s = 0
        self.text = ""

    def press(self, key: str, *, now_s: int) -> Choice | None:
        """Take a key: ``0``..``9``, ``.``, `CONFIRM`, `CANCEL` or `TABLE`.

        Gives the choice that it confirms. Raises `Malformed` by name, and forgets what was typed.
        """
        if now_s - self._pressed_s > self._forget_s:
            self.clear()
        self._pressed_s = now_s
        try:
            return self._pressed(key)
        except Exception:
            self.clear()
            raise

    def clear(self) -> None:
        """Forget what was typed."""
        self.text = ""
        self._choosing = False

    def _pressed(self, key: str) -> Choice | None:
        if key not in _KEYS:
            raise NOT_A_KEY(key=key[:20])
        if key == CONFIRM:
            return self._confirmed()
        if key in (CANCEL, TABLE):
            self.clear()
            self._choosing = key == TABLE
            return None
        if key == "." and (self._choosing or "." in self.text):
            raise POINT()
        if len(self.text) >= MAX_CHARACTERS:
            raise TOO_LONG(limit=MAX_CHARACTERS)
        self.text += key
        return None

    def _confirmed(self) -> Choice:
        text, choosing = self.text, self._choosing
        self.clear()
        if text in ("", "."):
            raise NOTHING()
        if not choosing:
            return typed(_plain(text), unit=self._unit, quantity=self._quantity)
        if not 1 <= int(text) <= len(self._table):
            raise NO_ROW(rows=len(self._table), row=int(text))
        return looked_up(self._table[int(text) - 1], quantity=self._quantity)


def _plain(text: str) -> str:
    """What was typed, as a number is written: ``.5`` is 0.5, ``007.`` is 7."""
    return format(Decimal(text), "f")


def _demand_factor_wanted(quantity: str) -> None:
    if family(quantity) == "co2":
        raise CO2_ALREADY()
