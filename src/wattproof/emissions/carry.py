"""Emission from amount and factor, exactly: what is below a gram is carried to the next amount.

With the remainder carried, the grams of any parts of a series, in whatever way it is cut, add up
to the grams of the whole: floor of the exact sum in micrograms divided by one million.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["UG_PER_G", "emission_g", "emissions_g"]

UG_PER_G: Final = 1_000_000
"""Micrograms in a gram."""


def emission_g(amount: int, *, value_ug: int, carry_ug: int) -> tuple[int, int]:
    """The whole grams of `amount` base units at `value_ug` each, and the carry after it.

    `carry_ug`, from 0 to 999 999, is what earlier amounts left over.
    """
    return divmod(carry_ug + amount * value_ug, UG_PER_G)


def emissions_g(amounts: Iterable[int], *, value_ug: int, carry_ug: int) -> list[int]:
    """The whole grams of each of several amounts in a row; they add up to those of their sum."""
    grams = []
    for amount in amounts:
        whole, carry_ug = divmod(carry_ug + amount * value_ug, UG_PER_G)
        grams.append(whole)
    return grams
