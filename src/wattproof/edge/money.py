"""Money as people write it at a node, exactly: whole fen, and prices in micro-fen per base unit."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from wattproof.core.errors import ErrorCode, Lang, Malformed

__all__ = ["MAX_FEN", "UFEN_PER_FEN", "fen_of", "parse_fen", "price_ufen", "show_fen"]

MAX_FEN: Final = 2**53
"""The largest payment that the ledger takes, in fen."""
UFEN_PER_FEN: Final = 1_000_000
"""Micro-fen in a fen."""

_PLACES: Final = 2
_PRICE_PLACES: Final = 5
_MAX_PRICE: Final = 10_000
_BASE_PER_UNIT: Final = 1_000
_FORM: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,2})?", re.ASCII)

NOT_MONEY = ErrorCode(
    Malformed,
    "edge.pay.amount",
    en="{text!r} is not an amount to pay: more than 0, with at most two places, such as 12.50.",
    zh="“{text}”不是付款金额：须大于 0，最多两位小数，例如 12.50。",
)
NOT_A_PRICE = ErrorCode(
    Malformed,
    "edge.pay.price",
    en="{text!r} is not a price: more than 0, at most {most}, with at most five places.",
    zh="“{text}”不是单价：须大于 0、不超过 {most}，最多五位小数。",
)


def parse_fen(text: str) -> int:
    """The fen of an amount that a person typed: ``12.50`` is 1250. Raises ``edge.pay.amount``."""
    if _FORM.fullmatch(text) is None:
        raise NOT_MONEY(text=text[:40])
    return fen_of(Decimal(text))


def fen_of(amount: Decimal) -> int:
    """The fen of an exact amount. Raises ``edge.pay.amount``."""
    fen = _scaled(amount, _PLACES)
    if fen is None or not 0 < fen <= MAX_FEN:
        raise NOT_MONEY(text=str(amount)[:40])
    return fen


def price_ufen(price: Decimal) -> int:
    """Micro-fen per base unit of a price for a thousand of them (a kWh, a cubic metre).

    Raises ``edge.pay.price``.
    """
    scaled = _scaled(price, _PRICE_PLACES)
    if scaled is None or not 0 < scaled <= _MAX_PRICE * 10**_PRICE_PLACES:
        raise NOT_A_PRICE(text=str(price)[:40], most=_MAX_PRICE)
    ufen = scaled * 10**_PLACES * UFEN_PER_FEN
    return ufen // (10**_PRICE_PLACES * _BASE_PER_UNIT)


def show_fen(fen: int, asset: str, lang: Lang) -> str:
    """An amount as people read it: ``12.50 CNY``, ``12.50 元``."""
    unit = "元" if lang == "zh" and asset == "CNY" else asset
    return f"{fen // 100:,}.{fen % 100:02} {unit}"


def _scaled(value: Decimal, places: int) -> int | None:
    """The number times 10^places, where that is whole and not absurdly long."""
    if not value.is_finite():
        return None
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "a finite number"
    shift = exponent + places
    if sign or not 0 <= shift <= 20 or len(digits) > 40:
        return None
    return int("".join(map(str, digits)) + "0" * shift)
