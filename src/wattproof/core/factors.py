"""The emission factors that come with the package, each with its source and how sure it is.

A factor is a whole number of micrograms of CO2 (or CO2 equivalent) per base unit of a quantity:
0.5306 kg/kWh is 530 600 µg/Wh, 2.3228 t/t is 2 322 800 µg/g, 0.11 t/GJ is 396 000 µg/Wh. A value
that is no whole number in this unit is refused, never rounded.

Ids tell what a factor is: ``cn-grid-<data year>-<place>[-residual|-fossil|-ets]`` for electricity
(place is ``national``, a regional grid such as ``north``, or a province by the letters of its ISO
code), ``cn-fuel-<set letter>-<fuel>`` for fuels, ``cn-heat-default``, and ``unity`` for streams
that are CO2 already. The fuel sets (a industry guideline, b cement and power template, c power
guideline, d IPCC 2006) differ for the same fuel and must not be mixed in one report.

Transport is ``<set>-<vehicle>-tkm|km|t-ttw|wtt|wtw``: for a tonne-kilometre (0.07703 kg is 77 030
µg/kgkm), a kilometre of the whole vehicle (0.93421 kg is 934 210 µg/m) or a tonne handled; from
the tank to the wheel, from the well to the tank, or both. These too are never mixed. Their `level`
is how the goods move: road, rail, sea, inland, air, or the hub where they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, NotFound
from wattproof.core.packaged import read_table
from wattproof.core.units import MAX_AMOUNT, family, parse_decimal, unit_for

__all__ = ["FACTOR_INEXACT", "UNITY", "PackagedFactor", "factor_ug", "natural_value",
           "packaged_factor", "packaged_factors"]  # fmt: skip

UNITY: Final = "unity"
"""The id of the factor 1 gram per gram."""

TABLES: Final = ("grid", "fuels", "transport")
"""The packaged tables of factors, in the order in which they are published."""

_UG_PER_G: Final = 10**6
_UG_PER_KG: Final = 10**9

_NATURAL: Final[Mapping[str, tuple[str, ...]]] = {
    "electricity": ("kWh",),
    "heat": ("GJ", "kWh"),
    "cooling": ("GJ", "kWh"),
    "gas": ("m3",),
    "water": ("m3",),
    "fuel": ("kg",),
    "mass": ("kg",),
    "pieces": ("pc",),
    "value": ("CNY",),
    "co2": ("kg",),
    "distance": ("km",),
    "freight": ("t-km",),
}
"""In which units factors are compared; of several the first in which the value ends."""

FACTOR_UNIT = ErrorCode(
    Malformed,
    "emissions.factor_unit",
    en="{unit!r} is not the unit of an emission factor: write mass per amount, such as kgCO2/kWh.",
    zh="“{unit}”不是排放因子的单位：请写质量每数量，例如 kgCO2/kWh。",
)
FACTOR_INEXACT = ErrorCode(
    Malformed,
    "emissions.factor_inexact",
    en="{value} {unit} is not a whole number of micrograms per base unit between 0 and 2^62; give"
    " fewer digits.",
    zh="{value} {unit} 折算后不是每基本单位 0 至 2^62 微克之间的整数，请减少小数位数。",
)
FACTOR_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.packaged_factor",
    en="There is no packaged emission factor {id!r}.",
    zh="没有随包排放因子“{id}”。",
)


class PackagedFactor(msgspec.Struct, frozen=True, kw_only=True):
    """An emission factor as published, and in micrograms per base unit of its quantity.

    `quantity` is the family it applies to. `value` and `unit` are as in the source. `data_year` is
    the year it describes (0 if none), `published` the day of publication (empty if not known).
    `region` is a code of `core.codes.check_region`, or a regional grid (`level` ``region``), or
    empty. `confidence` is ``high``, ``medium`` or ``unconfirmed``; what is unconfirmed has to be
    shown as such.
    """

    id: str
    set: str
    kind: str
    level: str
    region: str
    name_en: str
    name_zh: str
    quantity: str
    data_year: int
    published: str
    value: str
    unit: str
    value_ug: int
    gas: str
    source: str
    confidence: str


def factor_ug(value: Decimal, *, unit: str, quantity: str) -> int:
    """Return a factor in micrograms per base unit of a quantity, exactly.

    `unit` is a mass of CO2 per unit of the quantity: ``kgCO2/kWh``, ``tCO2/10^4 Nm3``. Raises
    ``emissions.factor_inexact`` if the result is not a whole number, or negative.
    """
    mass, slash, amount = unit.partition("/")
    if not slash:
        raise FACTOR_UNIT(unit=unit[:80])
    above = unit_for(unit=mass, quantity="co2")
    below = unit_for(unit=amount, quantity=quantity)
    # Compared before it is expanded: 1e999999999 is a valid decimal.
    if not value.is_finite() or abs(value.adjusted()) > 40:
        if value != 0:
            raise FACTOR_INEXACT(value=str(value)[:80], unit=unit)
        return 0
    exact = Fraction(value) * Fraction(above.numerator, above.denominator) * _UG_PER_G
    exact /= Fraction(below.numerator, below.denominator)
    if exact.denominator != 1 or not 0 <= exact <= MAX_AMOUNT:
        raise FACTOR_INEXACT(value=str(value)[:80], unit=unit)
    return exact.numerator


def natural_value(value_ug: int, quantity: str) -> tuple[str, str]:
    """A factor in kilograms per unit that people use for the quantity, exactly, and that unit.

    530 600 µg/Wh of electricity is ``0.5306`` and ``kWh``; 396 000 µg/Wh of heat ``110``, ``GJ``.
    """
    for name in _NATURAL[family(quantity)]:
        unit = unit_for(unit=name, quantity=quantity)
        exact = Fraction(value_ug * unit.numerator, unit.denominator * _UG_PER_KG)
        text = _finite(exact)
        if text:
            return text, name
    raise AssertionError("every family has a unit whose value ends")


def _finite(exact: Fraction) -> str:
    """All digits of a fraction; nothing where they do not end."""
    rest, twos, fives = exact.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return ""
    places = max(twos, fives)
    digits = str(exact.numerator * 10**places // exact.denominator).zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


@cache
def packaged_factors() -> tuple[PackagedFactor, ...]:
    """Return all packaged factors: electricity by year, fuels, heat, unity, then transport."""
    return tuple(_factor(row) for table in TABLES for row in read_table("wattproof.core", table))


def _factor(row: Mapping[str, str]) -> PackagedFactor:
    value = parse_decimal(row["value"])
    fields: dict[str, object] = {
        **{name: row[name] for name in PackagedFactor.__struct_fields__ if name in row},
        "data_year": int(row["data_year"] or 0),
        "value_ug": factor_ug(value, unit=row["unit"], quantity=row["quantity"]),
    }
    return msgspec.convert(fields, PackagedFactor)


@cache
def _by_id() -> Mapping[str, PackagedFactor]:
    found = {factor.id: factor for factor in packaged_factors()}
    assert len(found) == len(packaged_factors()), "two packaged factors share an id"
    return found


def packaged_factor(factor_id: str) -> PackagedFactor:
    """Return the packaged factor of that id, or raise ``emissions.packaged_factor``."""
    factor = _by_id().get(factor_id)
    if factor is None:
        raise FACTOR_UNKNOWN(id=factor_id[:80])
    return factor
