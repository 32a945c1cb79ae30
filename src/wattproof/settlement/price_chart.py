"""The prices of a tariff's day, drawn by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from wattproof.core.errors import Lang
from wattproof.settlement.price_text import PLACES

__all__ = ["PRICE_UNITS", "PriceChart"]

PRICE_UNITS: Final[dict[Lang, str]] = {"en": "CNY/kWh", "zh": "元/千瓦时"}
"""What prices are counted in, for people."""


class PriceChart(msgspec.Struct, frozen=True, kw_only=True):
    """The price of each hour of a day, in micro-fen per Wh."""

    title: str
    name: str
    prices_ufen: Sequence[int]

    def data(self, lang: Lang) -> dict[str, Any]:
        """What the script that draws it is given (``static/console.js``)."""
        return {
            "kind": "bar",
            "stack": False,
            "unit": PRICE_UNITS[lang],
            "x": [f"{hour:02}:00" for hour in range(len(self.prices_ufen))],
            "series": [
                {"name": self.name, "values": [ufen / 10**PLACES for ufen in self.prices_ufen]}
            ],
        }
