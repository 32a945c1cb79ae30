"""Prices, tariffs and a region's times, from what people write and back."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.settlement.commands import parse_energy
from wattproof.settlement.local_time import iso_local, offset_text, parse_local_time, parse_offset
from wattproof.settlement.model import MAX_PRICE_UFEN, Band
from wattproof.settlement.price_text import (
    bands_of,
    bands_text,
    parse_bands,
    parse_price,
    price_text,
)

PRICES = st.integers(min_value=0, max_value=MAX_PRICE_UFEN)


@given(PRICES)
def test_a_price_comes_back_as_it_was(ufen: int) -> None:
    assert parse_price(price_text(ufen)) == ufen


@given(st.lists(PRICES, min_size=24, max_size=24))
def test_a_day_of_prices_comes_back_as_it_was(prices: list[int]) -> None:
    by_hour = [0] * 24
    for band in parse_bands(bands_text(prices)):
        for hour in range(band.from_s // 3600, 24):
            by_hour[hour] = band.price_ufen
    assert by_hour == prices
    parts = list(bands_of(prices))
    assert parts[0][0] == 0 and parts[-1][1] == 24
    assert [price for first, end, price in parts for _ in range(first, end)] == prices


@pytest.mark.parametrize(
    ("text", "ufen"),
    [("0.5", 50_000), ("0", 0), ("０．５", 50_000), (" 1 ", 100_000), ("0.00001", 1),
     ("10000", MAX_PRICE_UFEN)],
)  # fmt: skip
def test_prices(text: str, ufen: int) -> None:
    assert parse_price(text) == ufen


@pytest.mark.parametrize(
    "text", ["", "0.000001", "-1", "1e3", "abc", "10000.00001", "1.", ".5", "0,5", "٥", "9" * 90]
)
def test_what_is_no_price(text: str) -> None:
    refused("settlement.price", partial(parse_price, text))


def test_bands_as_people_write_them() -> None:
    three = tuple(
        Band(from_s=hour * 3600, price_ufen=price)
        for hour, price in ((0, 30_000), (8, 90_000), (22, 30_000))
    )
    for text in (
        "00:00=0.30 08:00=0.90 22:00=0.30",
        "0=0.3, 8=0.9, 22=0.3",
        "00:00＝0.30；08:00＝0.90；22:00＝0.30",
    ):
        assert parse_bands(text) == three
    assert parse_bands("0.5") == (Band(from_s=0, price_ufen=50_000),)


@pytest.mark.parametrize(
    "text",
    ["08:00=1", "00:00=1 00:00=2", "00:00=1 22:00=2 08:00=3", "00:00=1 24:00=2", "00:30=1",
     "00:00=1 x", "=1", "00:00=1=2"],
)  # fmt: skip
def test_what_is_no_tariff(text: str) -> None:
    refused("settlement.bands_text", partial(parse_bands, text))


@pytest.mark.parametrize("text", ["00:00=1 08:00=-1", "00:00=cheap", "0.5CNY"])
def test_a_tariff_with_what_is_no_price(text: str) -> None:
    refused("settlement.price", partial(parse_bands, text))


@given(st.integers(0, 2**32), st.integers(-24 * 60, 24 * 60))
def test_a_local_time_comes_back_as_it_was(at_s: int, offset_minutes: int) -> None:
    offset_s = offset_minutes * 60
    assert parse_offset(offset_text(offset_s)) == offset_s
    local = iso_local(at_s, offset_s)[:19]
    if at_s + offset_s >= 0 and local >= "1970":
        assert parse_local_time(local, offset_s) == at_s


def test_local_times_as_people_write_them() -> None:
    midnight_s = 1_735_660_800
    for text in ("2025", "2025-01", "2025-01-01", "2025-01-01T00:00", "2025-01-01 00:00:00",
                 "2024-12-31T16:00Z", "2025-01-01T01:00+09:00"):  # fmt: skip
        assert parse_local_time(text, 28_800) == midnight_s, text
    assert iso_local(midnight_s, 28_800) == "2025-01-01T00:00:00+08:00"
    refused("core.time", partial(parse_local_time, "soon", 0))
    refused("settlement.time_before", partial(parse_local_time, "1970-01-01", 28_800))


@pytest.mark.parametrize(
    ("text", "offset_s"), [("+08:00", 28_800), ("8", 28_800), ("-0330", -12_600)]
)
def test_offsets(text: str, offset_s: int) -> None:
    assert parse_offset(text) == offset_s


@pytest.mark.parametrize("text", ["", "+25:00", "08:60", "east", "24:01"])
def test_what_is_no_offset(text: str) -> None:
    refused("settlement.offset", partial(parse_offset, text))


@pytest.mark.parametrize(
    ("text", "wh"), [("50 kWh", 50_000), ("1.5千瓦时", 1_500), ("3.6 MJ", 1_000), ("0 Wh", 0)]
)
def test_energy(text: str, wh: int) -> None:
    assert parse_energy(text) == wh


@pytest.mark.parametrize("text", ["", "50", "0.5 Wh", "-1 Wh", "1 kg", "1e3 Wh", "1 J"])
def test_what_is_no_energy(text: str) -> None:
    refused("settlement.energy", partial(parse_energy, text))
