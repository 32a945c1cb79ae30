"""What a scale in continuous output says, and which of it is a weighing.

A line is ``ST,GS,+  12.34kg``: stable or not, gross or net, the weight and its unit. A weighing
begins when the weight leaves zero and ends when it comes back. It counts once, with the largest
weight at which the scale stood still; what was never still is no weighing.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.units import find_unit
from wattproof.edge.sources.faults import FORM, UNIT

__all__ = ["LONGEST_LINE", "Weighing", "Weight", "parse_weight"]

LONGEST_LINE: Final = 64

OVERLOAD = ErrorCode(
    Malformed,
    "edge.scale.overload",
    en="The scale is overloaded: {line}.",
    zh="秤已超载：{line}。",
)

_LINE: Final = re.compile(
    r"(ST|US|OL)\s*,\s*(?:(GS|NT|TR)\s*,)?\s*([+-]?)\s*(\d{1,9}(?:\.\d{1,6})?)\s*([A-Za-z]{1,3})",
    re.ASCII,
)


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """One line: the weight in the scale's unit, and whether the scale stood still."""

    value: Decimal
    unit: str
    stable: bool


def parse_weight(line: str, *, unit: str) -> Weight:
    """Return the weight in a line, in this unit.

    Raises ``edge.frame.form``, ``edge.scale.overload``, and ``edge.value.unit`` if the scale was
    switched to another unit.
    """
    text = line.strip()
    if text.upper().startswith("OL"):
        raise OVERLOAD(line=repr(text[:LONGEST_LINE]))
    match = _LINE.fullmatch(text)
    if match is None:
        raise FORM(protocol="ST,GS,+ 12.34kg", detail=repr(text[:LONGEST_LINE]))
    state, _, sign, number, found = match.groups()
    try:
        same = find_unit(found).name == unit
    except Malformed:  # no unit at all
        same = False
    if not same:
        raise UNIT(found=found, expected=unit)
    return Weight(value=Decimal(sign + number), unit=unit, stable=state == "ST")


class Weighing:
    """Tells weighings apart. `empty` is the weight up to which the scale counts as empty."""

    def __init__(self, *, empty: Decimal) -> None:
        self._empty = empty
        self._largest = Decimal(0)

    def take(self, weight: Weight) -> Decimal | None:
        """Return the weight of a weighing when it has ended, else nothing."""
        if weight.value > self._empty:
            if weight.stable:
                self._largest = max(self._largest, weight.value)
            return None
        ended, self._largest = self._largest, Decimal(0)
        return ended or None
