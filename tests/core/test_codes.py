"""Codes: every mistake in a code is found, every code has one canonical text."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.codes import (
    check_energy_source,
    check_id,
    check_industry,
    check_region,
    check_technology,
    check_uscc,
    countries,
    energy_sources,
    industries,
    industry_of,
    province_of,
    provinces,
    technologies,
    uscc_check_digit,
)
from wattproof.core.errors import Malformed

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LETTER = st.sampled_from(ALPHABET)
BODIES = st.tuples(
    st.text(LETTER, min_size=2, max_size=2),
    st.text(st.sampled_from("0123456789"), min_size=6, max_size=6),
    st.text(LETTER, min_size=9, max_size=9),
).map("".join)


@given(BODIES, st.integers(0, 17), LETTER)
def test_every_changed_character_of_a_uscc_is_found(body: str, place: int, letter: str) -> None:
    code = body + uscc_check_digit(body)
    assert check_uscc(code) == code
    if letter != code[place]:
        with pytest.raises(Malformed):
            check_uscc(code[:place] + letter + code[place + 1 :])


@given(BODIES, st.integers(0, 16))
def test_every_swap_of_neighbours_in_a_uscc_is_found(body: str, place: int) -> None:
    code = body + uscc_check_digit(body)
    if code[place] != code[place + 1]:
        with pytest.raises(Malformed):
            check_uscc(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


def test_worked_usccs() -> None:
    assert check_uscc("91110108551385082Q") == "91110108551385082Q"
    assert check_uscc(" 91350100m000100y43 ") == "91350100M000100Y43"
    # A sum divisible by 31 gives "0", not a 32nd character.
    assert uscc_check_digit("0" * 17) == "0"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("310115", "310115"),
        ("310000", "CN-SH"),
        ("cn-sh", "CN-SH"),
        ("KR", "KR"),
        (" de ", "DE"),
        ("CN", "CN"),
        ("DE-BY", "DE-BY"),
        ("kr-11", "KR-11"),
        ("GB-ENG", "GB-ENG"),
        ("１１０１０８", "110108"),
    ],
)
def test_regions(text: str, canonical: str) -> None:
    assert check_region(text) == canonical
    assert check_region(canonical) == canonical


def test_provinces() -> None:
    assert len(provinces()) == 34
    assert len({p.iso3166_2 for p in provinces()}) == 34
    for province in provinces():
        assert check_region(province.gb2260) == province.iso3166_2
        assert province_of(province.gb2260[:2] + "0101") == province
        assert province_of(province.iso3166_2) == province
    assert sum(province.grid_factor for province in provinces()) == 30
    shanghai = province_of("310115")
    assert shanghai is not None
    assert (shanghai.name_en, shanghai.short_zh, shanghai.grid_region) == (
        "Shanghai",
        "上海",
        "east",
    )
    assert province_of("KR") is None
    assert province_of("CN") is None
    assert all(p.grid_region_confidence == "unconfirmed" for p in provinces() if p.grid_region)


@pytest.mark.parametrize(
    ("text", "canonical", "section"),
    [
        ("C", "C", "C"),
        ("c3110", "C3110", "C"),
        ("3110", "C3110", "C"),
        ("31", "C31", "C"),
        ("4411", "D4411", "D"),
        ("01", "A01", "A"),
        ("9700", "T9700", "T"),
    ],
)
def test_industries(text: str, canonical: str, section: str) -> None:
    assert check_industry(text) == canonical
    assert check_industry(canonical) == canonical
    assert industry_of(text).section == section


def test_sections_follow_one_another_without_holes() -> None:
    assert "".join(industry.section for industry in industries()) == "ABCDEFGHIJKLMNOPQRST"
    assert industries()[0].first_division == 1
    assert industries()[-1].last_division == 97
    for one, following in pairwise(industries()):
        assert following.first_division == one.last_division + 1


def test_energy_codes() -> None:
    assert check_technology("t010100") == "T010100"
    assert check_energy_source("F01050100") == "F01050100"
    assert technologies()["T020001"].name_zh == "陆上风电"
    assert energy_sources()["F02030100"].name_en.endswith("natural gas")


def test_every_row_names_its_source() -> None:
    named = (
        *((row.source, row.confidence) for row in provinces()),
        *((row.source, row.confidence) for row in industries()),
        *((row.source, row.confidence) for row in technologies().values()),
        *((row.source, row.confidence) for row in energy_sources().values()),
    )
    for source, confidence in named:
        assert source
        assert confidence in ("high", "medium", "unconfirmed")
    assert len(countries()) == 249


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}", fullmatch=True))
def test_identifiers_stay_as_they_are(text: str) -> None:
    if text.isascii():
        assert check_id(text) == text


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: check_id(""), "core.id"),
        (lambda: check_id("-a"), "core.id"),
        (lambda: check_id("a" * 65), "core.id"),
        (lambda: check_id("a b"), "core.id"),
        (lambda: check_id("电表"), "core.id"),
        (lambda: check_id("a\n"), "core.id"),
        (lambda: check_uscc("91110108551385082"), "core.uscc"),
        (lambda: check_uscc("9111010855138508IQ"), "core.uscc"),
        (lambda: check_uscc("91A10108551385082Q"), "core.uscc"),
        (lambda: check_uscc("91110108551385082R"), "core.uscc_check"),
        (lambda: check_region("160101"), "core.region"),
        (lambda: check_region("XX"), "core.region"),
        (lambda: check_region("CN-ZZ"), "core.region"),
        (lambda: check_region("XX-1"), "core.region"),
        (lambda: check_region("31011"), "core.region"),
        (lambda: check_region(""), "core.region"),
        (lambda: check_industry(""), "core.industry"),
        (lambda: check_industry("D3110"), "core.industry"),
        (lambda: check_industry("9800"), "core.industry"),
        (lambda: check_industry("00"), "core.industry"),
        (lambda: check_industry("C31101"), "core.industry"),
        (lambda: check_technology("T999999"), "core.technology"),
        (lambda: check_energy_source("F1"), "core.energy_source"),
    ],
)
def test_bad_codes_are_refused(call: Callable[[], object], code: str) -> None:
    with pytest.raises(Malformed) as refused:
        call()
    assert refused.value.code == code
    assert refused.value.text("en") != refused.value.text("zh")
