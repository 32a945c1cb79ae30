"""Sums over time for people: one chart and the same numbers in a table, in one unit throughout.

A column of a table is read downwards, so all of it is in the same unit with the same decimals;
these are chosen so that no digit is lost (kWh with three decimals hold every Wh).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from wattproof.core.errors import Lang
from wattproof.core.units import UNITS, format_amount

__all__ = ["Line", "TimeChart", "about", "decimal_text", "unit_name"]

_SHOWN: Final = {"Wh": "kWh", "g": "kg", "dm3": "m3", "m": "km", "fen": "CNY", "kgkm": "t-km"}
"""The unit in which amounts of a base unit are listed; others stand as they are."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn in one colour: its name, and a value for each step or None.

    `kind` is how it is drawn where that is not as the rest of the chart.
    """

    name: str
    values: Sequence[int | None]
    kind: Literal["bar", "line"] | None = None

    @property
    def total(self) -> int:
        """The sum of its values."""
        return sum(value or 0 for value in self.values)


class TimeChart(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of amounts in the base unit `unit` over the same steps, whose labels are `steps`."""

    title: str
    unit: str
    steps: Sequence[str]
    lines: Sequence[Line]
    kind: Literal["bar", "line"] = "bar"
    stacked: bool = False

    def data(self, lang: Lang) -> dict[str, Any]:
        """What the script that draws it is given (``static/console.js``)."""
        size = _size(self.unit)
        return {
            "kind": self.kind,
            "stack": self.stacked,
            "unit": unit_name(self.unit, lang),
            "x": self.steps,
            "series": [
                {
                    "name": line.name,
                    "values": [None if value is None else value / size for value in line.values],
                    **({} if line.kind is None else {"kind": line.kind}),
                }
                for line in self.lines
            ],
        }


def unit_name(unit: str, lang: Lang) -> str:
    """The name of the unit in which amounts of a base unit are listed."""
    shown = UNITS.get(_SHOWN.get(unit, unit))
    if shown is None:
        return unit
    return shown.zh if lang == "zh" else shown.name


def decimal_text(amount: int | None, unit: str) -> str:
    """An amount as a number of `unit_name`, every digit of it: 1234500 Wh is ``1,234.500``."""
    if amount is None:
        return "–"
    size = _size(unit)
    whole, rest = divmod(abs(amount), size)
    digits = f".{rest:0{len(str(size)) - 1}}" if size > 1 else ""
    return f"{'-' if amount < 0 else ''}{whole:,}{digits}"


def about(amount: int, unit: str, lang: Lang) -> str:
    """An amount in its best unit with some four digits, for a headline: ``1,107 MWh``."""
    number, _, name = format_amount(amount, unit, lang).rpartition(" ")
    exact = Decimal(number.replace(",", ""))
    places = max(0, 3 - exact.copy_abs().adjusted())
    rounded = round(exact, min(places, 3)) if exact else exact
    shown = min(rounded, exact, key=lambda value: len(f"{value:,}"))
    return f"{shown:,} {name}"


def _size(unit: str) -> int:
    return UNITS[_SHOWN[unit]].numerator if unit in _SHOWN else 1
