"""What an emission factor can be at most, by family: beyond it a digit or a unit is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.units import family

__all__ = ["MOST_UG", "check_plausible"]

MOST_UG: Final[Mapping[str, int]] = {
    "electricity": 3_000_000,
    "heat": 3_000_000,
    "cooling": 3_000_000,
    "gas": 30_000_000,
    "water": 30_000_000,
    "fuel": 10_000_000,
    "mass": 10**11,
    "pieces": 10**15,
    "value": 10**11,
    "co2": 10**6,
    "distance": 10**9,
    "freight": 10**8,
}
"""Micrograms per base unit. Coal-fired power is near 1.3 million a watt-hour, pure carbon burns to
3.7 million a gram, natural gas to 2.2 million a dm3; the bounds leave room for bad cases."""

ABSURD = ErrorCode(
    Malformed,
    "core.factor_absurd",
    en="A factor of {value_ug} micrograms per base unit of {quantity} cannot be: at most {most}.",
    zh="{quantity} 的排放因子不可能为每基本单位 {value_ug} 微克：上限为 {most}。",
)


def check_plausible(value_ug: int, quantity: str) -> None:
    """Raise ``core.factor_absurd`` for a factor that no meter of `quantity` can have.

    What is CO2 already has exactly 1 000 000, a gram a gram.
    """
    most = MOST_UG.get(family(quantity), 10**15)
    least = most if family(quantity) == "co2" else 0
    if not least <= value_ug <= most:
        raise ABSURD(value_ug=value_ug, quantity=quantity, most=most)
