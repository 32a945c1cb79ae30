"""The node's own emission: readings times its factor, in whole grams with the remainder carried.

With the running amount s_i of a packet, the grams up to reading i are ``(carry_ug + value_ug *
s_i) // 1_000_000``, and a reading's emission is that minus what came before. So the grams of any
number of readings and packets add up to the floor of the exact emission.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wattproof.core.errors import ErrorCode, OverLimit
from wattproof.core.units import MAX_AMOUNT

__all__ = ["UG_PER_G", "advance", "grams_of"]

UG_PER_G: Final = 1_000_000

TOO_LARGE = ErrorCode(
    OverLimit,
    "edge.emission.limit",
    en="The emission register would come to more than 2^62 grams.",
    zh="排放累计值将超过 2^62 克。",
)


def grams_of(increments: Iterable[int], *, value_ug: int, carry_ug: int) -> list[int]:
    """The grams of each reading; `carry_ug` is what was no gram yet, 0 to 999 999."""
    grams, total_ug, before = [], carry_ug, 0
    for amount in increments:
        total_ug += value_ug * amount
        now = total_ug // UG_PER_G
        grams.append(now - before)
        before = now
    return grams


def advance(grams: int, carry_ug: int, *, amount: int, value_ug: int) -> tuple[int, int]:
    """The emission register (grams, micrograms) after an amount. Raises `OverLimit`."""
    more, left_ug = divmod(carry_ug + value_ug * amount, UG_PER_G)
    if grams + more > MAX_AMOUNT:
        raise TOO_LARGE()
    return grams + more, left_ug
