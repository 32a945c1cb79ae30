"""What a day can be made of: the packaged activities, amounts as people type them, exact grams.

An activity has a factor in kilograms per unit of its measure (km, kWh, kg, night, ...). Amounts are
whole thousandths of that unit, so that amount x factor is grams: 12.5 km are 12 500, and with
0.16272 kg/km 2 034 g. A day's grams are the floor of the exact sum; its rows are told so that they
add up to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Final, Literal, cast

import msgspec

from wattproof.core.errors import ErrorCode, Lang, Malformed
from wattproof.core.packaged import read_table
from wattproof.core.units import UNITS, find_unit, parse_decimal

__all__ = [
    "DIET",
    "GROUPS",
    "MEASURES",
    "Activity",
    "Declared",
    "Group",
    "Row",
    "activities",
    "activity",
    "amount_text",
    "count",
    "parse_amount",
    "units_taken",
]

Group = Literal["transport", "home", "diet", "food", "other"]

DIET: Final = "diet"
"""The group of which a day has one choice, and which goes with no single foods."""

GROUPS: Final[Mapping[Group, tuple[str, str]]] = {
    "transport": ("Transport", "出行"),
    "home": ("Home energy and water", "家庭能源与用水"),
    "diet": ("Diet", "饮食"),
    "food": ("Food bought", "购买食品"),
    "other": ("Stays, work at home, waste", "住宿、居家办公与垃圾"),
}
"""The groups in the order of the page, in English and Chinese."""

_OWN_UNITS: Final[Mapping[str, Mapping[str, int]]] = {
    "night": dict.fromkeys(("night", "nights", "晚", "夜"), 1000),
    "hour": dict.fromkeys(("hour", "hours", "h", "小时"), 1000),
    "day": dict.fromkeys(("day", "days", "天", "日"), 1000),
}
"""Units that only days are declared in, by measure: how many thousandths of it each is."""

MEASURES: Final[Mapping[str, tuple[str, str, int]]] = {
    "km": ("km", "公里", 40_000),
    "kWh": ("kWh", "度", 2_000),
    "m3": ("m³", "立方米", 1_000),
    "GJ": ("GJ", "吉焦", 50),
    "L": ("L", "升", 1_000),
    "kg": ("kg", "千克", 1_000),
    "night": ("nights", "晚", 20),
    "hour": ("hours", "小时", 24),
    "day": ("day", "天", 1),
}
"""What each measure is called, and the most of it that one person can declare of one day."""

_AMOUNT: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(\D.{0,15})?")

AMOUNT_FORM = ErrorCode(
    Malformed,
    "people.amount",
    en="{text!r} is not an amount: write a number, and a unit if it is another than {unit}.",
    zh="“{text}”不是数量：请写数字；若单位不是 {unit}，请一并写出。",
)
AMOUNT_UNIT = ErrorCode(
    Malformed,
    "people.unit",
    en="{unit} does not fit here; write one of: {allowed}.",
    zh="此处不能使用单位 {unit}；可用：{allowed}。",
)
AMOUNT_FINE = ErrorCode(
    Malformed,
    "people.amount_fine",
    en="{text!r} is too fine: a thousandth of {unit} is the least that is counted.",
    zh="“{text}”过于精细：最小计至千分之一 {unit}。",
)
AMOUNT_MUCH = ErrorCode(
    Malformed,
    "people.amount_much",
    en="{text!r} is more than one person can declare of a day: at most {most} {unit}.",
    zh="“{text}”超过一人一天可申报的量：最多 {most} {unit}。",
)


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """An activity with its factor as published: `value` in `unit`, `source`, and how sure it is.

    `confidence` is ``high`` or ``unconfirmed``; what is unconfirmed has to be shown as such.
    `activity` is what the source calls it.
    """

    id: str
    group: Group
    name_en: str
    name_zh: str
    measure: str
    value: str
    unit: str
    activity: str
    source: str
    confidence: str

    @property
    def confirmed(self) -> bool:
        """Whether the factor was checked against its source."""
        return self.confidence != "unconfirmed"

    @property
    def factor(self) -> Fraction:
        """Kilograms of CO2(e) per unit of the measure, exactly."""
        per_tonne = self.unit.endswith("/t")
        return Fraction(parse_decimal(self.value)) / (1000 if per_tonne else 1)

    def name(self, lang: Lang) -> str:
        """What it is called."""
        return self.name_zh if lang == "zh" else self.name_en

    def measure_name(self, lang: Lang) -> str:
        """The unit in which its amounts stand."""
        en, zh, _ = MEASURES[self.measure]
        return zh if lang == "zh" else en


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One activity of a day: `amount` in thousandths of its measure, and its part of the grams."""

    activity: str
    amount: int
    grams: int = 0


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """A day's rows, which add up to `grams`; of these `unconfirmed_g` from unconfirmed factors."""

    rows: tuple[Row, ...]
    grams: int
    unconfirmed_g: int


@cache
def activities() -> tuple[Activity, ...]:
    """All packaged activities, group by group."""
    found = []
    for row in read_table("wattproof.emissions.people", "personal"):
        assert row["group"] in GROUPS and row["measure"] in MEASURES, row["id"]
        fields = {name: row[name] for name in Activity.__struct_fields__ if name != "group"}
        found.append(Activity(group=cast("Group", row["group"]), **fields))
    assert len({one.id for one in found}) == len(found), "two activities share an id"
    return tuple(found)


@cache
def _by_id() -> Mapping[str, Activity]:
    return {one.id: one for one in activities()}


def activity(id_: str) -> Activity | None:
    """The activity of that id, if there is one."""
    return _by_id().get(id_)


def parse_amount(text: str, of: Activity, lang: Lang = "en") -> int:
    """What somebody typed (``12.5``, ``800 m``, ``3 度``) in thousandths of the measure.

    Raises ``people.amount``, ``people.unit``, ``people.amount_fine`` or ``people.amount_much``.
    """
    name = of.measure_name(lang)
    found = _AMOUNT.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        raise AMOUNT_FORM(text=text[:40], unit=name)
    typed = (found[2] or "").strip()
    exact = Fraction(parse_decimal(found[1])) * _thousandths(typed, of, lang)
    if exact.denominator != 1:
        raise AMOUNT_FINE(text=text[:40], unit=name)
    most = MEASURES[of.measure][2]
    if exact > most * 1000:
        raise AMOUNT_MUCH(text=text[:40], most=most, unit=name)
    return int(exact)


def _thousandths(typed: str, of: Activity, lang: Lang) -> Fraction:
    """How many thousandths of the measure one of the typed unit is."""
    own = _OWN_UNITS.get(of.measure)
    if not typed or typed == of.measure_name(lang):
        return Fraction(1000)
    allowed = ", ".join(units_taken(of))
    if own is not None:
        if typed.lower() not in own:
            raise AMOUNT_UNIT(unit=typed, allowed=allowed)
        return Fraction(own[typed.lower()])
    measure = UNITS[of.measure]
    try:
        unit = find_unit(typed)
    except Malformed:
        raise AMOUNT_UNIT(unit=typed, allowed=allowed) from None
    if unit.dimension != measure.dimension:
        raise AMOUNT_UNIT(unit=typed, allowed=allowed)
    ratio = Fraction(unit.numerator, unit.denominator)
    return 1000 * ratio / Fraction(measure.numerator, measure.denominator)


def units_taken(of: Activity) -> tuple[str, ...]:
    """The units in which its amounts may be typed."""
    if of.measure in _OWN_UNITS:
        return tuple(_OWN_UNITS[of.measure])
    dimension = UNITS[of.measure].dimension
    return tuple(
        name for name, unit in UNITS.items() if unit.dimension == dimension and "^" not in name
    )


def amount_text(amount: int, of: Activity, lang: Lang) -> str:
    """An amount as people read it: ``12.5 km``."""
    whole, rest = divmod(amount, 1000)
    digits = f"{whole:,}" + (f".{rest:03d}".rstrip("0") if rest else "")
    return f"{digits} {of.measure_name(lang)}"


def count(amounts: Sequence[tuple[Activity, int]]) -> Declared:
    """The grams of these amounts (thousandths of each measure): the floor of the exact sum."""
    exact, rows, unconfirmed_g = Fraction(0), [], 0
    for one, amount in amounts:
        before = exact.numerator // exact.denominator
        exact += one.factor * amount
        grams = exact.numerator // exact.denominator - before
        rows.append(Row(activity=one.id, amount=amount, grams=grams))
        unconfirmed_g += 0 if one.confirmed else grams
    return Declared(
        rows=tuple(rows),
        grams=exact.numerator // exact.denominator,
        unconfirmed_g=unconfirmed_g,
    )
