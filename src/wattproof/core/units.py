"""What a meter measures, and in which units: quantities, units, exact conversion.

A quantity is a family, alone or with a qualifier: ``electricity.import``, ``mass.output``, ``co2``.
The families are closed, because each fixes a base unit in which every amount is a whole number;
the qualifier is free (``[a-z0-9_-]{1,32}``). Input may use other names for a family (``weight``,
``carbon``, ``电``); everything that is stored or shown uses the canonical one.

Units are exact ratios to the base unit. Their values follow from the SI (1 Wh = 3600 J) and from
the definition of the currency (1 CNY = 100 fen), so none of them is a measured number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Lang, Malformed

__all__ = [
    "FAMILIES",
    "MAX_AMOUNT",
    "MAX_PLACES",
    "QUANTITY_LABELS",
    "UNITS",
    "Converter",
    "Family",
    "Unit",
    "base_unit",
    "family",
    "find_unit",
    "format_amount",
    "is_prediction",
    "parse_decimal",
    "parse_quantity",
    "quantity_label",
    "unit_for",
    "units_of",
]

MAX_AMOUNT: Final = 2**62
"""The largest amount, either sign, that one value may come to, in base units."""

MAX_PLACES: Final = 30
"""The most decimal places that a value may have in its own unit."""

QUANTITY_UNKNOWN = ErrorCode(
    Malformed,
    "core.quantity",
    en="{quantity!r} is not a quantity. Take one of {allowed}, alone or with a qualifier"
    " (such as electricity.import).",
    zh="“{quantity}”不是可用的量。可用：{allowed}，可加限定词（如 electricity.import）。",
)
UNIT_UNKNOWN = ErrorCode(
    Malformed,
    "core.unit",
    en="{unit!r} is not a known unit. Known units: {allowed}.",
    zh="未知的单位“{unit}”。可用单位：{allowed}。",
)
UNIT_MISMATCH = ErrorCode(
    Malformed,
    "core.unit_mismatch",
    en="{quantity} cannot be given in {unit}. Allowed units: {allowed}.",
    zh="{quantity} 不能以 {unit} 为单位。可用单位：{allowed}。",
)
NUMBER_BAD = ErrorCode(
    Malformed,
    "core.number",
    en="{text!r} is not a decimal number.",
    zh="“{text}”不是十进制数。",
)
NUMBER_RANGE = ErrorCode(
    Malformed,
    "core.number_range",
    en="{value} {unit} is too large or too fine: at most {places} decimal places and"
    " 2^62 base units.",
    zh="{value} {unit} 过大或过细：最多 {places} 位小数，且不超过 2^62 个基本单位。",
)


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of quantity: its base unit, and the dimensions whose units it may be given in."""

    name: str
    base_unit: str
    dimensions: tuple[str, ...]
    en: str
    zh: str


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A unit: one of it is numerator / denominator base units, exactly."""

    name: str
    dimension: str
    numerator: int
    denominator: int
    zh: str


def _families(*rows: tuple[str, str, tuple[str, ...], str, str]) -> Mapping[str, Family]:
    return {
        name: Family(name=name, base_unit=base, dimensions=dimensions, en=en, zh=zh)
        for name, base, dimensions, en, zh in rows
    }


FAMILIES: Final = _families(
    ("electricity", "Wh", ("energy",), "electricity", "电量"),
    ("heat", "Wh", ("energy",), "heat", "热量"),
    ("cooling", "Wh", ("energy",), "cooling", "冷量"),
    ("gas", "dm3", ("volume",), "gas", "燃气"),
    ("water", "dm3", ("volume",), "water", "水"),
    ("fuel", "g", ("mass",), "fuel", "燃料"),
    ("mass", "g", ("mass",), "mass", "质量"),
    ("pieces", "pc", ("count",), "pieces", "件数"),
    ("value", "fen", ("money",), "value", "产值"),
    ("co2", "g", ("co2", "mass"), "CO2", "二氧化碳"),
    ("distance", "m", ("length",), "distance", "里程"),
    ("freight", "kgkm", ("freight",), "freight", "货物周转量"),
)
"""The closed set of families, by name."""

_FAMILY_ALIASES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("power", "electric", "elec", "电", "电量", "电力", "电能"), "electricity"),
    **dict.fromkeys(("heating", "thermal", "热", "热量", "热力"), "heat"),
    **dict.fromkeys(("cold", "cool", "冷", "冷量"), "cooling"),
    **dict.fromkeys(("natural_gas", "natural-gas", "气", "燃气", "天然气", "煤气"), "gas"),
    **dict.fromkeys(("水", "水量"), "water"),
    **dict.fromkeys(("fuels", "coal", "oil", "燃料", "煤", "油"), "fuel"),
    **dict.fromkeys(("weight", "tonnage", "质量", "重量"), "mass"),
    **dict.fromkeys(("count", "piece", "items", "件", "件数", "数量"), "pieces"),
    **dict.fromkeys(("money", "revenue", "产值", "金额"), "value"),
    **dict.fromkeys(
        ("emission", "emissions", "carbon", "co2e", "碳", "碳排放", "排放", "二氧化碳"), "co2"
    ),
    **dict.fromkeys(("mileage", "length", "里程", "距离"), "distance"),
    **dict.fromkeys(("tonne-km", "tkm", "货运", "周转量", "货物周转量"), "freight"),
}

QUANTITY_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "electricity.import": ("electricity taken from the grid", "受电量"),
    "electricity.export": ("electricity fed into the grid", "上网电量"),
    "electricity.generation": ("electricity generated", "发电量"),
    "electricity.consumption": ("electricity used", "用电量"),
    "heat.import": ("heat bought", "购入热量"),
    "heat.export": ("heat sold", "外供热量"),
    "gas.natural": ("natural gas", "天然气"),
    "mass.output": ("product made", "产品产量"),
    "pieces.output": ("pieces made", "产品件数"),
    "value.output": ("value of output", "产品产值"),
    "co2.measured": ("CO2 measured", "实测二氧化碳"),
    "co2.declared": ("CO2 declared by a person", "个人申报二氧化碳"),
    "co2.predicted": ("CO2 predicted", "预测二氧化碳"),
    "electricity.predicted": ("electricity predicted", "预测电量"),
    "heat.predicted": ("heat predicted", "预测热量"),
    "gas.predicted": ("gas predicted", "预测燃气量"),
}
"""English and Chinese names of quantities that everyone uses."""

_JOULES: Final = 3600


def _units() -> Mapping[str, Unit]:
    rows: tuple[tuple[str, str, int, int, str], ...] = (
        ("mWh", "energy", 1, 1000, "毫瓦时"),
        ("Wh", "energy", 1, 1, "瓦时"),
        ("kWh", "energy", 10**3, 1, "千瓦时"),
        ("MWh", "energy", 10**6, 1, "兆瓦时"),
        ("GWh", "energy", 10**9, 1, "吉瓦时"),
        ("TWh", "energy", 10**12, 1, "太瓦时"),
        ("10^4 kWh", "energy", 10**7, 1, "万千瓦时"),
        ("J", "energy", 1, _JOULES, "焦"),
        ("kJ", "energy", 10**3, _JOULES, "千焦"),
        ("MJ", "energy", 10**6, _JOULES, "兆焦"),
        ("GJ", "energy", 10**9, _JOULES, "吉焦"),
        ("TJ", "energy", 10**12, _JOULES, "太焦"),
        ("mL", "volume", 1, 1000, "毫升"),
        ("L", "volume", 1, 1, "升"),
        ("dm3", "volume", 1, 1, "立方分米"),
        ("m3", "volume", 10**3, 1, "立方米"),
        ("10^4 m3", "volume", 10**7, 1, "万立方米"),
        ("mg", "mass", 1, 1000, "毫克"),
        ("g", "mass", 1, 1, "克"),
        ("kg", "mass", 10**3, 1, "千克"),
        ("t", "mass", 10**6, 1, "吨"),
        ("kt", "mass", 10**9, 1, "千吨"),
        ("10^4 t", "mass", 10**10, 1, "万吨"),
        ("gCO2", "co2", 1, 1, "克二氧化碳"),
        ("kgCO2", "co2", 10**3, 1, "千克二氧化碳"),
        ("tCO2", "co2", 10**6, 1, "吨二氧化碳"),
        ("gCO2e", "co2", 1, 1, "克二氧化碳当量"),
        ("kgCO2e", "co2", 10**3, 1, "千克二氧化碳当量"),
        ("tCO2e", "co2", 10**6, 1, "吨二氧化碳当量"),
        ("pc", "count", 1, 1, "件"),
        ("10^4 pc", "count", 10**4, 1, "万件"),
        ("fen", "money", 1, 1, "分"),
        ("CNY", "money", 100, 1, "元"),
        ("10^4 CNY", "money", 10**6, 1, "万元"),
        ("m", "length", 1, 1, "米"),
        ("km", "length", 10**3, 1, "千米"),
        ("kgkm", "freight", 1, 1, "千克千米"),
        ("t-km", "freight", 10**3, 1, "吨千米"),
        ("10^4 t-km", "freight", 10**7, 1, "万吨千米"),
    )
    return {
        name: Unit(name=name, dimension=dimension, numerator=up, denominator=down, zh=zh)
        for name, dimension, up, down, zh in rows
    }


UNITS: Final = _units()
"""Every unit by its canonical name."""

# Spelling by hand, not by folding case: mWh and MWh, mg and Mg differ by a factor of 10^9.
_UNIT_ALIASES: Final[Mapping[str, str]] = {
    **{unit.zh: name for name, unit in UNITS.items()},
    **dict.fromkeys(("wh", "WH"), "Wh"),
    **dict.fromkeys(("kwh", "KWh", "KWH", "Kwh", "kW·h", "度"), "kWh"),
    **dict.fromkeys(("MWH", "MW·h"), "MWh"),
    **dict.fromkeys(("GWH", "GW·h"), "GWh"),
    **dict.fromkeys(("万kWh", "万度"), "10^4 kWh"),
    **dict.fromkeys(("l", "liter", "litre"), "L"),
    **dict.fromkeys(("Nm3", "M3", "方"), "m3"),
    **dict.fromkeys(("10^4 Nm3", "10^4Nm3", "10^4m3", "万m3", "万Nm3", "万方"), "10^4 m3"),
    **dict.fromkeys(("KG", "Kg", "公斤"), "kg"),
    **dict.fromkeys(("Mg", "tonne", "tonnes"), "t"),
    **dict.fromkeys(("10^4t",), "10^4 t"),
    **dict.fromkeys(("pcs", "piece", "pieces", "unit", "units", "个", "台", "只", "套"), "pc"),
    **dict.fromkeys(("yuan", "RMB", "cny", "¥"), "CNY"),
    **dict.fromkeys(("meter", "metre"), "m"),
    **dict.fromkeys(("KM", "公里"), "km"),
    **dict.fromkeys(("kg-km", "kg·km", "千克公里", "公斤公里"), "kgkm"),
    **dict.fromkeys(("tkm", "t·km", "tonne-km", "tonne.km", "吨公里"), "t-km"),
    **dict.fromkeys(("万吨公里",), "10^4 t-km"),
}

_QUALIFIER: Final = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)


def parse_quantity(text: str) -> str:
    """Return the canonical name of a quantity, or raise ``core.quantity``.

    Accepts capitals, surrounding blanks and the other names of families: ``Weight.Output`` is
    ``mass.output``.
    """
    name, dot, qualifier = unicodedata.normalize("NFKC", text).strip().lower().partition(".")
    name = _FAMILY_ALIASES.get(name, name)
    if name not in FAMILIES or (dot and _QUALIFIER.fullmatch(qualifier) is None):
        raise QUANTITY_UNKNOWN(quantity=text[:80], allowed=", ".join(FAMILIES))
    return name + dot + qualifier


def family(quantity: str) -> str:
    """Return the family of a quantity: ``electricity`` of ``electricity.import``."""
    return parse_quantity(quantity).partition(".")[0]


def is_prediction(quantity: str) -> bool:
    """Whether a quantity is what somebody expects, not what was measured: ``gas.predicted``."""
    return quantity.endswith("predicted")


def base_unit(quantity: str) -> str:
    """Return the unit in which amounts of a quantity are stored: Wh, dm3, g, pc, fen, m or kgkm."""
    return FAMILIES[family(quantity)].base_unit


def quantity_label(quantity: str, lang: Lang) -> str:
    """Return what people call a quantity."""
    name = parse_quantity(quantity)
    which = 1 if lang == "zh" else 0
    if name in QUANTITY_LABELS:
        return QUANTITY_LABELS[name][which]
    kind, _, qualifier = name.partition(".")
    label = (FAMILIES[kind].en, FAMILIES[kind].zh)[which]
    if not qualifier:
        return label
    return f"{label}（{qualifier}）" if lang == "zh" else f"{label} ({qualifier})"


def find_unit(text: str) -> Unit:
    """Return the unit of that name (``kWh``, ``千瓦时``, ``m³``), or raise ``core.unit``."""
    name = unicodedata.normalize("NFKC", text).strip()
    unit = UNITS.get(_UNIT_ALIASES.get(name, name))
    if unit is None:
        raise UNIT_UNKNOWN(unit=text[:80], allowed=", ".join(UNITS))
    return unit


def units_of(quantity: str) -> tuple[str, ...]:
    """Return the names of the units in which a quantity may be given."""
    dimensions = FAMILIES[family(quantity)].dimensions
    return tuple(name for name, unit in UNITS.items() if unit.dimension in dimensions)


def unit_for(*, unit: str, quantity: str) -> Unit:
    """Return the unit if the quantity can be given in it, else raise ``core.unit_mismatch``."""
    found = find_unit(unit)
    if found.dimension not in FAMILIES[family(quantity)].dimensions:
        raise UNIT_MISMATCH(
            quantity=parse_quantity(quantity), unit=unit[:80], allowed=", ".join(units_of(quantity))
        )
    return found


def parse_decimal(text: str) -> Decimal:
    """Return the finite decimal number that a text spells, or raise ``core.number``."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise NUMBER_BAD(text=text[:80]) from None
    if not value.is_finite() or "_" in text:
        raise NUMBER_BAD(text=text[:80])
    return value


# Wide enough for 2^62 base units with MAX_PLACES places in any unit; rounding is an error.
_EXACT: Final = Context(prec=70, Emax=99, Emin=-99, traps=[Inexact, InvalidOperation, Overflow])
_multiply, _to_integral = _EXACT.multiply, _EXACT.to_integral_exact


class Converter:
    """Turns decimal values in a unit into whole base units of a quantity, losing nothing.

    `take` is for increments: after any number of calls the results add up to the floor of the
    exact sum of the values, for what is finer than a base unit is carried to the next call.
    `level` is for registers: the floor of the one value. Both raise ``core.number_range``.
    """

    __slots__ = ("_carried", "_denominator", "_numerator", "_places", "_power", "_whole", "unit")

    def __init__(self, *, unit: str, quantity: str) -> None:
        self.unit = unit_for(unit=unit, quantity=quantity)
        self._numerator = self.unit.numerator
        self._denominator = self.unit.denominator
        self._whole = self._denominator  # this many parts make a base unit
        self._carried = 0  # in such parts
        self._set_places(6)

    def take(self, value: Decimal) -> int:
        """Return the whole base units that this increment completes."""
        scaled = self._scale(value)
        amount, carried = divmod(self._carried + scaled * self._numerator, self._whole)
        if not -MAX_AMOUNT <= amount <= MAX_AMOUNT:
            raise self._out_of_range(value)
        self._carried = carried
        return amount

    def level(self, value: Decimal) -> int:
        """Return the whole base units in a register's value."""
        amount = self._scale(value) * self._numerator // self._whole
        if not -MAX_AMOUNT <= amount <= MAX_AMOUNT:
            raise self._out_of_range(value)
        return amount

    @property
    def remainder(self) -> Fraction:
        """What is carried, in base units: at least 0 and below 1."""
        return Fraction(self._carried, self._whole)

    def _scale(self, value: Decimal) -> int:
        """Return value x 10^places, first raising the places if the value needs more."""
        try:
            return int(_to_integral(_multiply(value, self._power)))
        except (Overflow, InvalidOperation, OverflowError, ValueError):  # huge, or no number
            raise self._out_of_range(value) from None
        except Inexact:
            if self._places == MAX_PLACES:
                raise self._out_of_range(value) from None
            self._set_places(min(2 * self._places, MAX_PLACES))
            return self._scale(value)

    def _set_places(self, places: int) -> None:
        # Few places keep the integers small, which is what makes millions of calls cheap.
        grown = 10**places * self._denominator
        self._carried *= grown // self._whole
        self._whole = grown
        self._places = places
        self._power = Decimal(10**places)

    def _out_of_range(self, value: Decimal) -> Exception:
        return NUMBER_RANGE(value=str(value)[:80], unit=self.unit.name, places=MAX_PLACES)


# From which amount on a larger unit reads better, largest first.
_SHOWN: Final[Mapping[str, tuple[tuple[int, str], ...]]] = {
    "Wh": ((10**10, "GWh"), (10**7, "MWh"), (10**3, "kWh")),
    "dm3": ((10**3, "m3"),),
    "g": ((10**7, "t"), (10**3, "kg")),
    "m": ((10**3, "km"),),
    "kgkm": ((10**3, "t-km"),),
    "fen": ((0, "CNY"),),
}


def format_amount(amount: int, unit: str, lang: Lang) -> str:
    """Return an amount in base units as people read it, with no digit lost.

    530600 g is ``530.6 kg`` or ``530.6 千克``; 1060 fen is ``10.60 CNY`` or ``10.60 元``. A unit
    that is not a base unit is shown as it stands.
    """
    steps = _SHOWN.get(unit, ())
    name = next((name for least, name in steps if abs(amount) >= least), unit)
    known = UNITS.get(name)
    shown = known.zh if known is not None and lang == "zh" else name
    size = known.numerator if known is not None and unit in _SHOWN else 1
    whole, rest = divmod(abs(amount), size)
    digits = str(rest).zfill(len(str(size)) - 1) if size > 1 else ""
    if unit != "fen":
        digits = digits.rstrip("0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole:,}{'.' if digits else ''}{digits} {shown}"
