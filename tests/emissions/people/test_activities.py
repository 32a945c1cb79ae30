"""Packaged activities, amounts as people type them, and exact sums."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.console.filled import Filled
from wattproof.emissions.people.activities import (
    GROUPS,
    Activity,
    activities,
    activity,
    amount_text,
    count,
    parse_amount,
    units_taken,
)
from wattproof.emissions.people.forms import counted


def named(id_: str) -> Activity:
    found = activity(id_)
    assert found is not None
    return found


def test_every_activity_has_its_source_and_both_names() -> None:
    assert len(activities()) == 55
    assert {one.group for one in activities()} == set(GROUPS)
    for one in activities():
        assert one.source and one.name_en and one.name_zh and one.factor >= 0
        assert one.confidence in ("high", "unconfirmed")
        assert one.unit.startswith(("kgCO2/", "kgCO2e/"))


def test_what_is_not_confirmed_is_marked() -> None:
    assert not named("beef").confirmed
    assert not named("petrol").confirmed  # its density
    assert named("car-petrol").confirmed
    assert all(not one.confirmed for one in activities() if one.group == "food")


@pytest.mark.parametrize(
    ("id_", "text", "amount"),
    [
        ("car", "12.5", 12_500), ("car", "800 m", 800), ("car", "3公里", 3_000),
        ("car", "１２ km", 12_000), ("electricity", "3 度", 3_000), ("electricity", "0.4kWh", 400),
        ("electricity", "3.6 MJ", 1_000), ("beef", "300 g", 300), ("beef", "0.3", 300),
        ("district-heat", "0.05", 50), ("tap-water", "120 L", 120), ("petrol", "40", 40_000),
        ("hotel-night", "2 nights", 2_000), ("home-work", "7.5 h", 7_500), ("car", "0", 0),
    ],
)  # fmt: skip
def test_amounts_as_people_type_them(id_: str, text: str, amount: int) -> None:
    assert parse_amount(text, named(id_)) == amount


@pytest.mark.parametrize(
    ("id_", "text", "code"),
    [
        ("car", "far", "people.amount"), ("car", "-3", "people.amount"),
        ("car", "1,5", "people.unit"), ("car", "1e9", "people.unit"),
        ("car", "3 kWh", "people.unit"), ("car", "3 leagues", "people.unit"),
        ("hotel-night", "2 km", "people.unit"), ("car", "0.0001", "people.amount_fine"),
        ("electricity", "1 J", "people.amount_fine"), ("car", "50000", "people.amount_much"),
        ("home-work", "25", "people.amount_much"), ("beef", "1 t 5", "people.unit"),
        ("car", "9" * 40, "people.amount"),
    ],
)  # fmt: skip
def test_what_is_no_amount(id_: str, text: str, code: str) -> None:
    refused(code, partial(parse_amount, text, named(id_)))


def test_a_unit_that_is_offered_is_taken() -> None:
    for one in activities():
        for unit in units_taken(one):
            assert parse_amount(f"0 {unit}", one) == 0


AMOUNTS = st.lists(
    st.tuples(st.sampled_from(activities()), st.integers(0, 10**7)), min_size=1, max_size=12
)


@given(AMOUNTS)
def test_grams_are_the_floor_of_the_exact_sum(amounts: list[tuple[Activity, int]]) -> None:
    found = count(amounts)
    exact = sum((one.factor * amount for one, amount in amounts), Fraction(0))
    assert found.grams == exact.numerator // exact.denominator
    assert sum(row.grams for row in found.rows) == found.grams
    assert all(row.grams >= 0 for row in found.rows)
    assert 0 <= found.unconfirmed_g <= found.grams


@given(st.sampled_from(activities()), st.integers(0, 10**7))
def test_an_amount_reads_back_as_it_was(one: Activity, amount: int) -> None:
    amount = min(amount, 1000)
    for lang in ("en", "zh"):
        text = amount_text(amount, one, lang)
        assert parse_amount(text, one, lang) == amount


def test_a_worked_day() -> None:
    """12.5 km x 0.16272 + 3 kWh x 0.5306 + a vegetarian day 3.81 + 2 kg of waste x 0.49724244."""
    form = Filled(
        {"a-car-petrol": "12.5", "a-electricity": "3", "diet": "diet-vegetarian",
         "a-waste-landfill": "2"}
    )  # fmt: skip
    found = counted(form, "en")
    assert found.grams == 2034 + 1591 + 3810 + 994 + 1  # 2034.0 + 1591.8 + 3810 + 994.48488
    assert found.unconfirmed_g == 0


def test_what_a_form_is_refused_for() -> None:
    refused("people.nothing", lambda: counted(Filled(), "en"))
    both = Filled({"diet": "diet-vegan", "a-beef": "1"})
    refused("people.diet_and_food", lambda: counted(both, "en"))
    refused("people.diet", lambda: counted(Filled({"diet": "beef"}), "en"))
    wrong = Filled({"a-car": "far", "a-beef": "1 km"})
    refused("people.amount", lambda: counted(wrong, "en"))
    assert wrong.why("a-car", "en") and wrong.why("a-beef", "zh")
