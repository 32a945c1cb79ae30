"""Units: exact ratios, carried remainders, names that people use."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Malformed, WattProofError
from wattproof.core.units import (
    FAMILIES,
    MAX_AMOUNT,
    QUANTITY_LABELS,
    UNITS,
    Converter,
    base_unit,
    family,
    find_unit,
    format_amount,
    parse_decimal,
    parse_quantity,
    quantity_label,
    unit_for,
    units_of,
)

PLAIN = st.decimals(min_value=-(10**6), max_value=10**6, places=7)
PAIRS = st.sampled_from([(unit, name) for name in FAMILIES for unit in units_of(name)])


def exact(value: Decimal, unit: str) -> Fraction:
    return Fraction(value) * UNITS[unit].numerator / UNITS[unit].denominator


@given(PAIRS, st.lists(PLAIN, max_size=30))
def test_takes_add_up_to_the_floor_of_the_exact_sum(
    pair: tuple[str, str], values: list[Decimal]
) -> None:
    unit, quantity = pair
    converter = Converter(unit=unit, quantity=quantity)
    taken = 0
    running = Fraction(0)
    for value in values:
        taken += converter.take(value)
        running += exact(value, unit)
        assert taken == floor(running)
        assert converter.remainder == running - taken


@given(PAIRS, PLAIN)
def test_a_level_is_the_floor_of_its_value(pair: tuple[str, str], value: Decimal) -> None:
    unit, quantity = pair
    assert Converter(unit=unit, quantity=quantity).level(value) == floor(exact(value, unit))


@pytest.mark.parametrize("text", ["0.0000001", "1e-25", "3.1700000000000004", "1e-30"])
def test_places_grow_without_touching_what_is_carried(text: str) -> None:
    converter = Converter(unit="GJ", quantity="heat")
    values = [Decimal("1.001"), Decimal(text), Decimal("2.7"), Decimal(text)]
    assert sum(converter.take(value) for value in values) == floor(
        sum(exact(value, "GJ") for value in values)
    )


def test_a_refused_value_leaves_the_carry_alone() -> None:
    converter = Converter(unit="kWh", quantity="electricity")
    assert converter.take(Decimal("0.0005")) == 0
    for text in ("NaN", "sNaN", "Infinity", "1e999999", "1e-31", "1e-999999", "9e18", "1" * 90):
        with pytest.raises(Malformed) as refused:
            converter.take(Decimal(text))
        assert refused.value.code == "core.number_range"
        with pytest.raises(Malformed):
            converter.level(Decimal(text))
    assert converter.take(Decimal("0.0005")) == 1
    assert converter.remainder == 0


def test_the_largest_amount_passes() -> None:
    converter = Converter(unit="Wh", quantity="electricity")
    assert converter.level(Decimal(MAX_AMOUNT)) == MAX_AMOUNT
    with pytest.raises(Malformed):
        converter.take(Decimal(MAX_AMOUNT + 1))


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "amount"),
    [
        ("3.17", "kWh", "electricity.import", 3170),
        ("959636.71", "kWh", "electricity.import", 959_636_710),
        ("403.81", "tCO2", "co2.measured", 403_810_000),
        ("3.6", "GJ", "heat", 1_000_000),
        ("9", "MJ", "heat", 2500),
        ("1", "GJ", "heat", 277_777),
        ("1", "10^4 Nm3", "gas", 10_000_000),
        ("12.34", "元", "value", 1234),
        ("1", "万吨", "mass.output", 10**10),
        ("1.5", "km", "distance", 1500),
        ("7", "件", "pieces", 7),
        ("1.5", "t-km", "freight", 1500),
        ("2", "吨公里", "freight", 2000),
        ("3", "万吨公里", "freight", 30_000_000),
        ("-0.001", "Wh", "electricity", -1),
    ],
)
def test_worked_conversions(value: str, unit: str, quantity: str, amount: int) -> None:
    assert Converter(unit=unit, quantity=quantity).level(Decimal(value)) == amount
    assert Converter(unit=unit, quantity=quantity).take(Decimal(value)) == amount


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("electricity.import", "electricity.import"),
        (" Electricity.Import ", "electricity.import"),
        ("weight.output", "mass.output"),
        ("carbon", "co2"),
        ("co2e.measured", "co2.measured"),
        ("power.export", "electricity.export"),
        ("count", "pieces"),
        ("mileage", "distance"),
        ("money.output", "value.output"),
        ("电.import", "electricity.import"),
        ("ｗａｔｅｒ", "water"),
    ],
)
def test_other_names_of_quantities(text: str, canonical: str) -> None:
    assert parse_quantity(text) == canonical
    assert parse_quantity(canonical) == canonical


def test_every_family_has_units_its_base_unit_and_labels() -> None:
    for name, kind in FAMILIES.items():
        assert family(f"{name}.some-use_1") == name
        assert base_unit(name) == kind.base_unit
        base = unit_for(unit=kind.base_unit, quantity=name)
        assert (base.numerator, base.denominator) == (1, 1)
        assert kind.base_unit in units_of(name)
        assert kind.en
        assert kind.zh
    for name in QUANTITY_LABELS:
        assert parse_quantity(name) == name


def test_unit_names_in_chinese_and_odd_spelling() -> None:
    for name, unit in UNITS.items():
        assert find_unit(name) is unit
        assert find_unit(f" {unit.zh} ") is unit
    assert find_unit("m³").name == "m3"
    assert find_unit("tCO₂").name == "tCO2"
    assert find_unit("度").name == "kWh"
    assert find_unit("公斤").name == "kg"
    assert find_unit("Mg").name == "t"
    assert find_unit("mg").name == "mg"


@pytest.mark.parametrize(
    ("call", "code", "named"),
    [
        (lambda: parse_quantity("sunshine"), "core.quantity", "electricity"),
        (lambda: parse_quantity("electricity."), "core.quantity", "electricity"),
        (lambda: parse_quantity("electricity.a b"), "core.quantity", "electricity"),
        (lambda: parse_quantity("electricity." + "x" * 33), "core.quantity", "electricity"),
        (lambda: parse_quantity("electricity.a.b"), "core.quantity", "electricity"),
        (lambda: find_unit("furlong"), "core.unit", "kWh"),
        (
            lambda: Converter(unit="kg", quantity="electricity.import"),
            "core.unit_mismatch",
            "MWh",
        ),
        (lambda: unit_for(unit="tCO2", quantity="mass"), "core.unit_mismatch", "kg"),
        (lambda: unit_for(unit="L", quantity="fuel"), "core.unit_mismatch", "kg"),
        (lambda: parse_decimal("1,5"), "core.number", "1,5"),
        (lambda: parse_decimal("1_000"), "core.number", "1_000"),
        (lambda: parse_decimal("nan"), "core.number", "nan"),
        (lambda: parse_decimal(""), "core.number", "''"),
    ],
)
def test_bad_input_is_told_what_is_allowed(
    call: Callable[[], object], code: str, named: str
) -> None:
    with pytest.raises(WattProofError) as refused:
        call()
    assert refused.value.code == code
    assert named in refused.value.text("en")
    assert named.strip("'") in refused.value.text("zh")
    assert refused.value.text("en") != refused.value.text("zh")


@given(PLAIN)
def test_numbers_are_read_as_written(value: Decimal) -> None:
    assert parse_decimal(str(value)) == value


@given(st.integers(-(2**62), 2**62), st.sampled_from(["Wh", "dm3", "g", "pc", "fen", "m", "kgkm"]))
def test_no_digit_is_lost_for_people(amount: int, unit: str) -> None:
    number, _, name = format_amount(amount, unit, "en").partition(" ")
    shown = UNITS[name]
    assert Fraction(number.replace(",", "")) * shown.numerator == amount


def test_amounts_for_people() -> None:
    assert format_amount(530_600, "g", "en") == "530.6 kg"
    assert format_amount(530_600, "g", "zh") == "530.6 千克"
    assert format_amount(2_462_100 * 10**6, "g", "zh") == "2,462,100 吨"
    assert format_amount(200_000, "Wh", "en") == "200 kWh"
    assert format_amount(-1_060, "fen", "zh") == "-10.60 元"
    assert format_amount(999, "Wh", "zh") == "999 瓦时"
    assert format_amount(12, "GEC", "en") == "12 GEC"
    assert format_amount(1_500_000, "kgkm", "en") == "1,500 t-km"
    assert format_amount(1_500_000, "kgkm", "zh") == "1,500 吨千米"


def test_labels() -> None:
    assert quantity_label("electricity.import", "zh") == "受电量"
    assert quantity_label("mass.steel", "en") == "mass (steel)"
    assert quantity_label("mass.steel", "zh") == "质量（steel）"
    assert quantity_label("water", "zh") == "水"
