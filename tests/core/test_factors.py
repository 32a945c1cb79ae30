"""Packaged factors: exact values, complete provenance."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.codes import check_id, check_region, province_of, provinces
from wattproof.core.errors import Malformed, NotFound
from wattproof.core.factors import (
    UNITY,
    factor_ug,
    packaged_factor,
    packaged_factors,
)
from wattproof.core.packaged import read_table
from wattproof.core.units import FAMILIES


@pytest.mark.parametrize(
    ("factor_id", "value_ug", "confidence"),
    [
        ("cn-grid-2021-national", 556_800, "high"),
        ("cn-grid-2022-national", 536_600, "high"),
        ("cn-grid-2023-national", 530_600, "high"),
        ("cn-grid-2021-national-residual", 594_200, "high"),
        ("cn-grid-2022-national-residual", 585_600, "unconfirmed"),
        ("cn-grid-2023-national-residual", 609_600, "high"),
        ("cn-grid-2021-national-fossil", 842_600, "unconfirmed"),
        ("cn-grid-2023-national-fossil", 827_300, "high"),
        ("cn-grid-2022-national-ets", 570_300, "unconfirmed"),
        ("cn-grid-2022-bj", 558_000, "high"),
        ("cn-grid-2022-gd", 440_300, "high"),
        ("cn-grid-2022-north", 677_600, "high"),
        ("cn-grid-2023-southwest", 247_200, "high"),
        ("cn-fuel-a-anthracite", 2_322_800, "high"),
        ("cn-fuel-a-natural-gas", 2_162_190, "high"),
        ("cn-fuel-b-diesel", 3_095_900, "medium"),
        ("cn-fuel-d-natural-gas", 2_692_800, "unconfirmed"),
        ("cn-heat-default", 396_000, "high"),
        (UNITY, 1_000_000, "high"),
        ("uk-2025-hgv-artic-33t-plus-tkm-ttw", 77_030, "high"),
        ("uk-2025-hgv-artic-33t-plus-tkm-wtt", 17_990, "high"),
        ("uk-2025-hgv-artic-33t-plus-tkm-wtw", 95_020, "high"),
        ("uk-2025-hgv-artic-33t-plus-km-ttw", 934_210, "high"),
        ("glec-air-belly-long-haul-tkm-wtw", 608_000, "medium"),
        ("glec-default-hub-ambient-t-wtw", 600, "unconfirmed"),
        ("cn-gbt51366-truck-diesel-8t-tkm-ttw", 179_000, "unconfirmed"),
    ],
)
def test_worked_values(factor_id: str, value_ug: int, confidence: str) -> None:
    factor = packaged_factor(factor_id)
    assert factor.value_ug == value_ug
    assert factor.confidence == confidence


def test_every_factor_is_complete() -> None:
    assert len(packaged_factors()) == 123 + 66 + 113
    for factor in packaged_factors():
        assert check_id(factor.id) == factor.id
        assert factor.quantity in FAMILIES
        assert factor.name_en.isascii()
        assert not factor.name_zh.isascii()
        assert factor.source
        assert factor.confidence in ("high", "medium", "unconfirmed")
        assert factor.gas in ("CO2", "CO2e")
        assert factor.value_ug > 0
        assert factor.published == "" or re.fullmatch(r"\d{4}-\d\d-\d\d", factor.published)
        if factor.region and factor.level != "region":
            assert check_region(factor.region) == factor.region
        # No place of a machine, no link, no note to oneself.
        assert not re.search(r"/work|https?:|\.com|\.cn\b|TODO", factor.source)


@pytest.mark.parametrize("year", [2021, 2022, 2023])
def test_a_year_has_every_province_that_has_a_factor_and_every_region(year: int) -> None:
    average = [f for f in packaged_factors() if f.data_year == year and f.kind == "average"]
    assert {f.region for f in average if f.level == "province"} == {
        province.iso3166_2 for province in provinces() if province.grid_factor
    }
    regions = {f.region for f in average if f.level == "region"}
    assert regions == {province.grid_region for province in provinces() if province.grid_region}
    assert [f.region for f in average if f.level == "national"] == ["CN"]
    for factor in average:
        assert str(year) in factor.id
        assert factor.id.endswith(
            "national" if factor.level == "national" else factor.region.lower().removeprefix("cn-")
        )


def test_province_names_agree_with_the_codes() -> None:
    for factor in packaged_factors():
        if factor.level == "province":
            province = province_of(factor.region)
            assert province is not None
            assert province.short_zh in factor.name_zh
            assert factor.name_en.startswith(province.name_en)


def test_fuel_factors_agree_with_their_parts() -> None:
    """Heating value x carbon content x oxidation x 44/12, within the rounding of the sources.

    The IPCC tables round the carbon content to three digits beside the factor per TJ.
    """
    checked = 0
    for row in read_table("wattproof.core", "fuels"):
        if not row["ncv"]:
            continue
        parts = Fraction(row["ncv"]) * Fraction(row["carbon_tc_per_gj"])
        parts *= Fraction(row["oxidation_percent"]) / 100 * Fraction(44, 12)
        tolerance = Fraction(2 if row["set"] == "ipcc-2006" else Fraction(1, 10), 1000)
        assert abs(parts / Fraction(row["value"]) - 1) <= tolerance, row["id"]
        checked += 1
    assert checked == 64


@given(
    st.integers(0, 10**9),
    st.sampled_from(
        [
            ("kgCO2/kWh", "electricity", 10**6),
            ("tCO2/MWh", "electricity.import", 10**6),
            ("tCO2/GJ", "heat", 3_600_000),
            ("tCO2/t", "fuel", 10**6),
            ("tCO2e/10^4 Nm3", "gas", 10**5),
            ("gCO2/km", "distance", 1000),
            ("kgCO2e/t-km", "freight", 10**6),
        ]
    ),
)
def test_a_factor_is_exact_or_refused(millis: int, case: tuple[str, str, int]) -> None:
    unit, quantity, per_one = case
    expected = Fraction(millis, 1000) * per_one
    value = Decimal(millis).scaleb(-3)
    if expected.denominator == 1:
        assert factor_ug(value, unit=unit, quantity=quantity) == expected
    else:
        with pytest.raises(Malformed) as refused:
            factor_ug(value, unit=unit, quantity=quantity)
        assert refused.value.code == "emissions.factor_inexact"


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "code"),
    [
        ("-1", "kgCO2/kWh", "electricity", "emissions.factor_inexact"),
        ("0.00000053", "kgCO2/kWh", "electricity", "emissions.factor_inexact"),
        ("1e99999999", "kgCO2/kWh", "electricity", "emissions.factor_inexact"),
        ("1e-99999999", "kgCO2/kWh", "electricity", "emissions.factor_inexact"),
        ("NaN", "kgCO2/kWh", "electricity", "emissions.factor_inexact"),
        ("1", "kgCO2", "electricity", "emissions.factor_unit"),
        ("1", "kgCO2/kg", "electricity", "core.unit_mismatch"),
        ("1", "kWh/kWh", "electricity", "core.unit_mismatch"),
        ("1", "kgCO2/barrel", "electricity", "core.unit"),
    ],
)
def test_bad_factors_are_refused(value: str, unit: str, quantity: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        factor_ug(Decimal(value), unit=unit, quantity=quantity)
    assert refused.value.code == code
    assert refused.value.text("en") != refused.value.text("zh")


def test_an_unknown_id_is_not_found() -> None:
    with pytest.raises(NotFound):
        packaged_factor("cn-grid-2022-xz")


def test_what_is_given_whole_is_the_sum_of_its_parts() -> None:
    """Well to wheel is well to tank and tank to wheel, as far as the sources give all three."""
    checked = 0
    for factor in packaged_factors():
        if factor.kind == "wtt":
            stem = factor.id.removesuffix("wtt")
            whole = packaged_factor(f"{stem}wtw").value_ug
            assert whole == factor.value_ug + packaged_factor(f"{stem}ttw").value_ug, factor.id
            checked += 1
    assert checked == 20
