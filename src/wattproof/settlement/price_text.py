"""Prices as people write them: CNY/kWh, and a tariff's day as times and prices.

A price is a decimal number with at most five places, for a micro-fen per Wh is 0.00001 CNY/kWh. A
tariff is one price, or times of the local day each with the price from there on:
``00:00=0.30 08:00=0.90 22:00=0.30``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.settlement.model import HOUR_S, MAX_PRICE_UFEN, Band

__all__ = ["PLACES", "bands_of", "bands_text", "parse_bands", "parse_price", "price_text"]

PLACES: Final = 5
"""Decimal places of a price in CNY/kWh."""

PRICE_FORM = ErrorCode(
    Malformed,
    "settlement.price",
    en="“{text}” is not a price in CNY/kWh with at most {places} decimal places, up to {most}.",
    zh="“{text}”不是电价：应以元/千瓦时为单位，最多 {places} 位小数，不超过 {most}。",
)
BANDS_FORM = ErrorCode(
    Malformed,
    "settlement.bands_text",
    en="“{text}” is not a tariff: write a price, or 00:00=0.30 08:00=0.90 22:00=0.30 with whole"
    " hours in order, the first of them 00:00.",
    zh="“{text}”不是电价：请写一个价格，或写成 00:00=0.30 08:00=0.90 22:00=0.30，"
    "按整点先后排列，自 00:00 起。",
)


def parse_price(text: str) -> int:
    """The micro-fen per Wh of a price in CNY/kWh; raises ``settlement.price``."""
    found = _PRICE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    ufen = 10 * MAX_PRICE_UFEN
    if found is not None:
        ufen = int(found["whole"]) * 10**PLACES + int((found["part"] or "").ljust(PLACES, "0"))
    if ufen > MAX_PRICE_UFEN:
        raise PRICE_FORM(text=text[:40], places=PLACES, most=price_text(MAX_PRICE_UFEN))
    return ufen


def price_text(ufen: int) -> str:
    """A price in CNY/kWh, with all of its places and at least two: ``0.30``."""
    whole, part = divmod(ufen, 10**PLACES)
    digits = f"{part:0{PLACES}}".rstrip("0").ljust(2, "0")
    return f"{whole}.{digits}"


def parse_bands(text: str) -> tuple[Band, ...]:
    """The bands of a tariff; raises ``settlement.bands_text`` or ``settlement.price``."""
    parts = re.split(r"[\s,;、]+", unicodedata.normalize("NFKC", text).strip())
    if len(parts) == 1 and "=" not in parts[0]:
        return (Band(from_s=0, price_ufen=parse_price(parts[0])),)
    bands: list[Band] = []
    for part in parts:
        found = _BAND.fullmatch(part)
        if found is None:
            raise BANDS_FORM(text=text[:80])
        from_s = int(found["hour"]) * HOUR_S
        if (
            from_s >= 24 * HOUR_S
            or (not bands and from_s)
            or (bands and from_s <= bands[-1].from_s)
        ):
            raise BANDS_FORM(text=text[:80])
        bands.append(Band(from_s=from_s, price_ufen=parse_price(found["price"])))
    return tuple(bands)


def bands_of(prices_ufen: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """The stretches of a day at one price: first hour, hour after the last, micro-fen per Wh."""
    first = 0
    for hour in range(1, len(prices_ufen) + 1):
        if hour == len(prices_ufen) or prices_ufen[hour] != prices_ufen[first]:
            yield first, hour, prices_ufen[first]
            first = hour


def bands_text(prices_ufen: Sequence[int]) -> str:
    """The prices of a day's hours as `parse_bands` takes them."""
    bands = list(bands_of(prices_ufen))
    if len(bands) == 1:
        return price_text(bands[0][2])
    return " ".join(f"{first:02}:00={price_text(ufen)}" for first, _, ufen in bands)


_PRICE: Final = re.compile(rf"(?P<whole>\d{{1,6}})(?:\.(?P<part>\d{{1,{PLACES}}}))?", re.ASCII)
_BAND: Final = re.compile(r"(?P<hour>\d{1,2})(?::00)?=(?P<price>[^=]+)", re.ASCII)
