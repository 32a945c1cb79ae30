"""Which of the readings that a picture may show can be true, and whether that is beyond doubt.

All amounts here are whole units of the last digit. A register only grows, no faster than the
configured rate, and begins again at zero behind its highest value. What does not fit the last
value is never a reading, however clear the picture is.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["CERTAIN", "REASONS", "Judgement", "Known", "Reason", "judge"]

Reason = Literal["", "first", "illegible", "between", "implausible"]

REASONS: dict[str, tuple[str, str]] = {
    "first": (
        "there is no earlier value to compare it with",
        "没有可供比较的先前读数",
    ),
    "illegible": ("its digits cannot be told for certain", "无法可靠辨认其数字"),
    "between": (
        "a wheel stands between two digits; the lower reading that fits was taken",
        "有字轮停在两个数字之间；已采用合理读数中较小者",
    ),
    "implausible": (
        "what it shows does not fit the last value and the highest possible rate",
        "所示读数与上次读数及最大可能速率不符",
    ),
}
"""Why a reading is doubted, in English and Chinese."""

CERTAIN = 0.985
"""The share from which on the likeliest reading is believed, if it fits."""
ALONE = 0.985
"""The share among those that fit from which on a reading is believed,"""
SUPPORTED = 0.4
"""if it has at least this share among all."""
CLEAR = 0.9
"""The share from which on a picture counts as clear, whether its reading can be true or not."""
POSSIBLE = 0.005


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The last value that was believed, and how much can have been added since, at most."""

    value: int
    most: int


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of a picture.

    `value` is the reading, or None where there is none to be believed even with a doubt; `share`
    is the confidence in it, from 0 to 1; `read` is what was seen, whether it fits or not.
    """

    value: int | None
    read: str
    share: float
    reason: Reason


def judge(
    seen: list[tuple[str, float]], known: Known | None, *, digits: int, between: int = 0
) -> Judgement:
    """Judge the readings seen (likeliest first, with shares); so many wheels are between digits."""
    if not seen:
        return Judgement(value=None, read="", share=0.0, reason="illegible")
    read, share = seen[0]
    if known is None:
        return Judgement(value=None, read=read, share=share, reason="first")
    fitting = _fitting(seen, known, 10**digits)
    best, best_share = max(fitting.items(), key=lambda one: one[1], default=(0, 0.0))
    if not between and _believed(best_share, sum(fitting.values()), first=share):
        return Judgement(value=best, read=read, share=best_share, reason="")
    if not fitting or sum(fitting.values()) < POSSIBLE:
        why: Reason = "implausible" if share >= CLEAR else "illegible"
        return Judgement(value=None, read=read, share=share, reason=why)
    if between and _one_beginning(seen, digits - between) >= CLEAR:
        lowest = min(
            (value for value, part in fitting.items() if part >= POSSIBLE),
            key=lambda value: (value - known.value) % 10**digits,
            default=None,
        )
        return Judgement(value=lowest, read=read, share=best_share, reason="between")
    return Judgement(value=None, read=read, share=share, reason="illegible")


def _believed(share: float, fitting: float, *, first: float) -> bool:
    if share >= CERTAIN:
        return True
    return share == first and share >= SUPPORTED and share >= ALONE * fitting


def _fitting(seen: list[tuple[str, float]], known: Known, modulus: int) -> dict[int, float]:
    """The readings that the last value allows, with their shares.

    The last wheel moves all the time, and may have been taken for the next digit before it was
    there: one unit less than the last value is the last value still.
    """
    fitting: dict[int, float] = {}
    for text, share in seen:
        added = (int(text) - known.value) % modulus
        if added == modulus - 1:
            added = 0
        if added <= known.most:
            value = (known.value + added) % modulus
            fitting[value] = fitting.get(value, 0.0) + share
    return fitting


def _one_beginning(seen: list[tuple[str, float]], length: int) -> float:
    """The share of the readings that begin as the likeliest does."""
    beginning = seen[0][0][:length]
    return sum(share for text, share in seen if text[:length] == beginning)
