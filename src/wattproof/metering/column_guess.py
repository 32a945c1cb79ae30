"""What the columns of a file may measure, told from their names and first values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from wattproof.core.errors import WattProofError
from wattproof.core.units import Unit, find_unit, parse_decimal
from wattproof.metering.model import Kind

__all__ = ["NO_VALUE", "ColumnGuess", "guess_columns"]

NO_VALUE: Final = ("NA", "N/A", "na", "n/a", "NaN", "nan", "Null", "NULL", "null", "None", "-",
                   "--", "无", "缺失")  # fmt: skip
"""Texts that stand for no value, besides nothing at all."""

HALF: Final = 0.5
"""The share of a column's values that must be numbers: what is wrong with the others is told when
the whole file is read."""
LEVELS: Final = 20
"""Values that must never fall for a column to be taken for a register."""
SAMPLES: Final = 3

_BRACKETS: Final = re.compile(r"[(（\[【]([^)）\]】]+)[)）\]】]")
_PARTS: Final = re.compile(r"[\s_,;:/.-]+")
_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9._@-]+")

_OTHER: Final = re.compile(
    r"reactive|varh|factor|voltage|ampere|temperature|humidity|price|无功|功率因数|电压|电流|温度|电价"
)
"""Columns that look like energy and are none."""

_MEANINGS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    (r"co2|carbon|emission|二氧化碳|碳排", "co2.measured", ("co2", "mass")),
    (r"heat.?pump|热泵", "electricity.import", ("energy",)),
    (r"export|feed.?in|fed|上网|送出", "electricity.export", ("energy",)),
    (r"\bpv\b|_pv|solar|photovolt|wind|generat|发电|光伏|风电", "electricity.generation",
     ("energy",)),
    (r"heat|steam|thermal|热|蒸汽", "heat.import", ("energy",)),
    (r"cool|chill|冷", "cooling", ("energy",)),
    (r"gas|燃气|天然气", "gas.natural", ("volume",)),
    (r"water|水", "water", ("volume",)),
    (r"coal|coke|diesel|petrol|fuel|煤|焦|油|燃料", "fuel", ("mass",)),
    (r"electri|power|usage|consum|import|energy|load|电", "electricity.import", ("energy",)),
    (r"t.?km|tonne.?km|freight|周转量", "freight", ("freight",)),
    (r"mileage|distance|里程", "distance", ("length",)),
)  # fmt: skip
"""Words in a name, the quantity that they speak of, and the dimensions that its unit may have."""

_BY_DIMENSION: Final = {
    "energy": "electricity.import",
    "co2": "co2.measured",
    "mass": "mass.output",
    "count": "pieces.output",
    "money": "value.output",
    "length": "distance",
    "freight": "freight",
}
"""What a unit alone tells."""


class ColumnGuess(msgspec.Struct, frozen=True, kw_only=True):
    """A column as it seems to be; what cannot be told is empty.

    `likely` says that it is worth importing; `meter` is an id that its name suggests.
    """

    name: str
    numeric: bool
    samples: tuple[str, ...]
    quantity: str
    unit: str
    kind: Kind
    meter: str
    likely: bool


def guess_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], wanted: Sequence[int]
) -> tuple[tuple[ColumnGuess, ...], tuple[str, ...]]:
    """The columns at the positions `wanted`, and the texts for no value that were met in them."""
    missing: set[str] = set()
    taken: set[str] = set()
    found = []
    for at in wanted:
        values = [row[at].strip() for row in rows if row[at].strip()]
        given = [value for value in values if value not in NO_VALUE]
        numbers = [value for value in given if _is_number(value)]
        numeric = bool(numbers) and len(numbers) >= HALF * len(given)
        if numeric:
            missing.update(value for value in values if value in NO_VALUE)
        unit = _unit(header[at])
        quantity = _quantity(header[at], unit)
        found.append(
            ColumnGuess(
                name=header[at],
                numeric=numeric,
                samples=tuple(value[:40] for value in given[:SAMPLES]),
                quantity=quantity,
                unit=unit.name if unit is not None and quantity else "",
                kind="register" if numeric and _never_falls(numbers) else "increment",
                meter=_meter_id(header[at], unit, taken),
                likely=bool(quantity) and (numeric or unit is not None),
            )
        )
    return tuple(found), tuple(sorted(missing))


def _is_number(text: str) -> bool:
    try:
        parse_decimal(text)
    except WattProofError:
        return False
    return True


def _never_falls(numbers: Sequence[str]) -> bool:
    values = [parse_decimal(number) for number in numbers]
    climbs = all(before <= after for before, after in pairwise(values))
    return climbs and len(values) >= LEVELS and len(set(values)) * 4 >= LEVELS


def _unit(name: str) -> Unit | None:
    """The unit that a column's name carries: in brackets, or as its last part."""
    for inside in _BRACKETS.findall(name):
        unit = _known(inside)
        if unit is not None:
            return unit
    parts = _PARTS.split(_BRACKETS.sub("", name).strip())
    # One letter at the end of a name is seldom a unit.
    return _known(parts[-1]) if len(parts[-1]) > 1 else None


def _known(text: str) -> Unit | None:
    try:
        return find_unit(text)
    except WattProofError:
        return None


def _quantity(name: str, unit: Unit | None) -> str:
    lower = unicodedata.normalize("NFKC", name).lower()
    if _OTHER.search(lower):
        return ""
    for words, quantity, dimensions in _MEANINGS:
        if re.search(words, lower) and (unit is None or unit.dimension in dimensions):
            return quantity
    return "" if unit is None else _BY_DIMENSION.get(unit.dimension, "")


def _meter_id(name: str, unit: Unit | None, taken: set[str]) -> str:
    """An id from the column's name without its unit; numbered where it is taken or empty."""
    plain = _BRACKETS.sub("", name)
    parts = _PARTS.split(plain.strip())
    if unit is not None and len(parts) > 1 and _known(parts[-1]) is unit:
        plain = plain[: plain.rfind(parts[-1])]
    stem = _NOT_IN_AN_ID.sub("-", plain).strip("-_.@").lower()[:56] or "meter"
    id_, count = stem, 1
    while id_ in taken:
        count += 1
        id_ = f"{stem}-{count}"
    taken.add(id_)
    return id_
