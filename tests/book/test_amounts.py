"""Amounts as people read and write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.book.amounts import (
    in_shown_unit,
    parse_amount,
    parse_limit,
    shown_amount,
    shown_unit,
)
from wattproof.book.model import KINDS, MAX_AMOUNT, Asset
from wattproof.book.refusals import ASSET_UNKNOWN, OVERDRAFT


def asset(unit: str, decimals: int, kind: str = "energy") -> Asset:
    return Asset(id="it", kind=kind, unit=unit, issuer="somebody", decimals=decimals)


YUAN = asset("fen", 2, "money")
TONNES = asset("g", 6, "allowance")
PIECES = asset("pc", 0, "certificate")

assets = st.sampled_from(
    [
        asset(unit, decimals, kind)
        for kind, (units, _, _) in KINDS.items()
        for unit in units
        for decimals in range(10)
    ]
)


@pytest.mark.parametrize(
    ("amount", "of", "text", "en", "zh"),
    [
        (32_000_000, YUAN, "320,000.00", "CNY", "元"),
        (-5, YUAN, "-0.05", "CNY", "元"),
        (1_500_000, TONNES, "1.500000", "t", "吨"),
        (1_234, asset("Wh", 3), "1.234", "kWh", "千瓦时"),
        (1_234, asset("Wh", 4), "1,234", "Wh", "瓦时"),
        (7, PIECES, "7", "pc", "件"),
        (-(2**62), PIECES, "-4,611,686,018,427,387,904", "pc", "件"),
    ],
)
def test_shown_in_the_unit_that_people_know(
    amount: int, of: Asset, text: str, en: str, zh: str
) -> None:
    assert shown_amount(amount, of) == text
    assert (shown_unit(of, "en"), shown_unit(of, "zh")) == (en, zh)


@given(assets, st.integers(1, MAX_AMOUNT))
def test_what_is_shown_can_be_written(of: Asset, amount: int) -> None:
    assert parse_amount(shown_amount(amount, of), of) == amount
    assert parse_amount(shown_amount(amount, of).replace(",", ""), of) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 100),
        ("1.5", 150),
        ("0.01", 1),
        ("1,000", 100_000),
        ("１２．５０", 1_250),
        ("1 000", 100_000),
    ],
)
def test_written_in_many_ways(text: str, amount: int) -> None:
    assert parse_amount(text, YUAN) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1.234",
        "-1",
        "+1",
        "1e3",
        "1,00",
        "1.",
        ".5",
        "0x10",
        "1_000",
        "٣",
        "9" * 50,
        "1,2",
    ],
)
def test_what_is_no_amount(text: str) -> None:
    refused("book.amount", lambda: parse_amount(text, YUAN))


def test_refusals_in_the_unit_that_people_know() -> None:
    refusal = OVERDRAFT(account="till", asset="it", amount=100_050, limit=20_000, needed=5)
    told = in_shown_unit(refusal, YUAN)
    assert told.code == "book.overdraft"
    assert "has 1,000.50 of it and may be overdrawn by 200.00: 0.05 cannot" in told.text()
    assert "1,000.50" in told.text("zh")
    other = asset("g", 6, "allowance")
    foreign = OVERDRAFT(account="till", asset="gold", amount=1, limit=0, needed=5)
    assert in_shown_unit(foreign, other) is foreign
    plain = ASSET_UNKNOWN(asset="it")
    assert in_shown_unit(plain, YUAN) is plain


def test_bounds() -> None:
    for text in ("0", "0.00", "46116860184273879.05"):
        refused("book.amount_range", lambda text=text: parse_amount(text, YUAN))  # type: ignore[misc]
    assert parse_amount("46116860184273879.04", YUAN) == MAX_AMOUNT
    assert parse_limit("0", YUAN) == 0
    refused("book.amount_range", lambda: parse_limit("46116860184273879.05", YUAN))
