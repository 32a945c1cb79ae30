"""Codes that name things outside the ledger: organisations, places, industries, technologies.

Each check returns the one canonical text of what it was given, or raises a coded error. The lists
are packaged tables with a source and a confidence in each row; `grid_region_confidence` says how
sure the assignment of a province to a regional grid is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.packaged import read_table

__all__ = [
    "EnergyCode",
    "Industry",
    "Province",
    "check_energy_source",
    "check_id",
    "check_industry",
    "check_region",
    "check_technology",
    "check_uscc",
    "countries",
    "energy_sources",
    "industries",
    "industry_of",
    "province_of",
    "provinces",
    "technologies",
    "uscc_check_digit",
]

ID_BAD = ErrorCode(
    Malformed,
    "core.id",
    en="{text!r} cannot be an identifier: 1 to 64 of A-Z a-z 0-9 . _ : @ -, the first a letter or"
    " digit.",
    zh="“{text}”不能用作标识：1 至 64 个字符，限 A-Z a-z 0-9 . _ : @ -，首字符须为字母或数字。",
)
USCC_FORM = ErrorCode(
    Malformed,
    "core.uscc",
    en="{text!r} is not a unified social credit code: 18 digits and capital letters without"
    " I, O, S, V, Z; places 3 to 8 are digits.",
    zh="“{text}”不是统一社会信用代码：应为 18 位数字和大写字母（不含 I、O、S、V、Z），"
    "第 3 至 8 位为数字。",
)
USCC_CHECK = ErrorCode(
    Malformed,
    "core.uscc_check",
    en="The check character of the unified social credit code {text} is wrong: there is a mistake"
    " in it.",
    zh="统一社会信用代码 {text} 的校验位不符，其中有误。",
)
REGION_UNKNOWN = ErrorCode(
    Malformed,
    "core.region",
    en="{text!r} is not a region: write a GB/T 2260 code (310115), a country (KR) or a part of one"
    " (CN-SH).",
    zh="“{text}”不是地区代码：请写 GB/T 2260 代码（310115）、国家（KR）或其一级行政区（CN-SH）。",
)
INDUSTRY_UNKNOWN = ErrorCode(
    Malformed,
    "core.industry",
    en="{text!r} is not an industry of GB/T 4754: write a section (C) or a code in it"
    " (3110, C3110).",
    zh="“{text}”不是 GB/T 4754 行业代码：请写门类（C）或其中的代码（3110、C3110）。",
)
TECHNOLOGY_UNKNOWN = ErrorCode(
    Malformed,
    "core.technology",
    en="{text!r} is not an EECS technology code (such as T010100).",
    zh="“{text}”不是 EECS 技术代码（例如 T010100）。",
)
ENERGY_SOURCE_UNKNOWN = ErrorCode(
    Malformed,
    "core.energy_source",
    en="{text!r} is not an EECS energy source code (such as F01050100).",
    zh="“{text}”不是 EECS 能源来源代码（例如 F01050100）。",
)


class Province(msgspec.Struct, frozen=True, kw_only=True):
    """A first-level division of China (GB/T 2260, ISO 3166-2:CN).

    `grid_region` is the regional grid whose emission factor covers it, empty if none does;
    `grid_factor` tells whether a factor of its own is published.
    """

    gb2260: str
    iso3166_2: str
    name_zh: str
    short_zh: str
    name_en: str
    abbreviation: str
    grid_region: str
    grid_region_confidence: str
    grid_factor: bool
    source: str
    confidence: str


class Industry(msgspec.Struct, frozen=True, kw_only=True):
    """A section of GB/T 4754-2017 with its range of two-digit divisions, both included."""

    section: str
    name_en: str
    name_zh: str
    first_division: int
    last_division: int
    source: str
    confidence: str


class EnergyCode(msgspec.Struct, frozen=True, kw_only=True):
    """A technology (T...) or an energy source (F...) of the European EECS rules."""

    code: str
    name_en: str
    name_zh: str
    source: str
    confidence: str


@cache
def countries() -> Mapping[str, str]:
    """Return the English names of countries by their code of ISO 3166-1 alpha-2."""
    return {row["code"]: row["name_en"] for row in read_table("wattproof.core", "countries")}


@cache
def provinces() -> tuple[Province, ...]:
    """Return the divisions of China in the order of GB/T 2260."""
    return tuple(
        msgspec.convert({**row, "grid_factor": row["grid_factor"] == "yes"}, Province)
        for row in read_table("wattproof.core", "provinces")
    )


@cache
def industries() -> tuple[Industry, ...]:
    """Return the sections A to T of GB/T 4754-2017."""
    return tuple(
        msgspec.convert(row, Industry, strict=False)
        for row in read_table("wattproof.core", "industries")
    )


@cache
def technologies() -> Mapping[str, EnergyCode]:
    """Return the EECS technologies by code."""
    return _energy_codes("technologies")


@cache
def energy_sources() -> Mapping[str, EnergyCode]:
    """Return the EECS energy sources by code."""
    return _energy_codes("energy_sources")


def _energy_codes(table: str) -> Mapping[str, EnergyCode]:
    return {
        row["code"]: msgspec.convert(row, EnergyCode) for row in read_table("wattproof.core", table)
    }


_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}", re.ASCII)


def check_id(text: str) -> str:
    """Return an identifier that people chose, unchanged, or raise ``core.id``."""
    if _ID.fullmatch(text) is None:
        raise ID_BAD(text=text[:80])
    return text


_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES: Final = {letter: value for value, letter in enumerate(_USCC_ALPHABET)}
_USCC_FORM: Final = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")


def uscc_check_digit(first17: str) -> str:
    """Return the 18th character of a unified social credit code (GB 32100-2015).

    The place weights are the powers 3^0 to 3^16 modulo 31. As 31 is prime and no weight is
    divisible by it, each wrong character changes the result.
    """
    total = sum(_USCC_VALUES[letter] * pow(3, place, 31) for place, letter in enumerate(first17))
    return _USCC_ALPHABET[-total % 31]


def check_uscc(text: str) -> str:
    """Return a unified social credit code in capitals, or raise ``core.uscc[_check]``."""
    code = _plain(text)
    if _USCC_FORM.fullmatch(code) is None:
        raise USCC_FORM(text=text[:80])
    if uscc_check_digit(code[:17]) != code[17]:
        raise USCC_CHECK(text=code)
    return code


_COUNTRY_PART: Final = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}", re.ASCII)
_SIX_DIGITS: Final = re.compile(r"[0-9]{6}", re.ASCII)


@cache
def _provinces_by_code() -> Mapping[str, Province]:
    return {
        code: province
        for province in provinces()
        for code in (province.gb2260[:2], province.iso3166_2)
    }


def check_region(text: str) -> str:
    """Return the canonical code of a region, or raise ``core.region``.

    A province has one code, that of ISO 3166-2: ``310000`` becomes ``CN-SH``. What lies in a
    province keeps its six digits (``310115``); only the province in them is looked up, for
    counties change every year. Countries are ISO 3166-1 alpha-2; of the parts of countries other
    than China the form is checked and no list is kept.
    """
    code = _plain(text)
    if code in countries():
        return code
    if _SIX_DIGITS.fullmatch(code):
        province = _provinces_by_code().get(code[:2])
        if province is not None:
            return province.iso3166_2 if code == province.gb2260 else code
    elif part := _COUNTRY_PART.fullmatch(code):
        known = code in _provinces_by_code() if part[1] == "CN" else part[1] in countries()
        if known:
            return code
    raise REGION_UNKNOWN(text=text[:80])


def province_of(region: str) -> Province | None:
    """Return the province that a region is or lies in, if it is one of China's."""
    code = check_region(region)
    return _provinces_by_code().get(code if code.startswith("CN-") else code[:2])


_INDUSTRY_FORM: Final = re.compile(r"([A-T])?([0-9]{2,4})?", re.ASCII)


def industry_of(code: str) -> Industry:
    """Return the section that an industry code belongs to, or raise ``core.industry``."""
    found = _INDUSTRY_FORM.fullmatch(_plain(code))
    letter, digits = found.groups() if found else (None, None)
    if letter or digits:
        for industry in industries():
            low, high = industry.first_division, industry.last_division
            if letter in (None, industry.section) and (
                digits is None or low <= int(digits[:2]) <= high
            ):
                return industry
    raise INDUSTRY_UNKNOWN(text=code[:80])


def check_industry(text: str) -> str:
    """Return an industry code with its section: ``3110`` becomes ``C3110``.

    Division and section are looked up; of the group and class the form is checked.
    """
    return industry_of(text).section + _plain(text).lstrip("ABCDEFGHIJKLMNOPQRST")


def check_technology(text: str) -> str:
    """Return an EECS technology code, or raise ``core.technology``."""
    code = _plain(text)
    if code not in technologies():
        raise TECHNOLOGY_UNKNOWN(text=text[:80])
    return code


def check_energy_source(text: str) -> str:
    """Return an EECS energy source code, or raise ``core.energy_source``."""
    code = _plain(text)
    if code not in energy_sources():
        raise ENERGY_SOURCE_UNKNOWN(text=text[:80])
    return code


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().upper()
