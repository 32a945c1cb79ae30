"""From what a recogniser saw, column by column, to the readings that it may have been.

A recogniser of lines of text (CTC: Graves et al. 2006, "Connectionist temporal classification")
gives each narrow column of a picture a share for each character and for "nothing new". A dial has
a known number of digits and nothing else, so only digits count here, and only so many of them:
that makes of a reader of books a reader of dials.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLANK", "Shares", "candidates"]

Shares = NDArray[np.float64]
"""Of each column: the share of "nothing new" (0), then of the digits 0 to 9 (1 to 10)."""

BLANK = 0
BEAM = 24
FLOOR = 1e-6
LEAST_SHARE = 0.001

_Ends = tuple[float, float]
"""How likely a beginning is when its last column is blank, and when it is its last digit."""


def candidates(columns: Shares, digits: int) -> list[tuple[str, float]]:
    """The readings of exactly `digits` digits, likeliest first, with their shares.

    Shares are of what has this many digits, so that they sum to 1 at most. An empty list means
    that the columns have no room for so many digits.
    """
    chances = columns + FLOOR
    chances = chances / chances.sum(axis=1, keepdims=True)
    beam: dict[str, _Ends] = {"": (1.0, 0.0)}
    left = len(chances)
    for column in chances:
        left -= 1
        beam = _fittest(_grown(beam, column.tolist(), digits), digits, left)
    whole = {text: sum(ends) for text, ends in beam.items() if len(text) == digits}
    total = sum(whole.values())
    if not total:
        return []
    found = [(text, chance / total) for text, chance in whole.items()]
    return sorted(
        (one for one in found if one[1] >= LEAST_SHARE), key=lambda one: (-one[1], one[0])
    )


def _grown(beam: dict[str, _Ends], column: list[float], digits: int) -> dict[str, _Ends]:
    """Every beginning one column further: as it is, or with one digit more."""
    grown: dict[str, _Ends] = {}
    for text, (blank, digit) in beam.items():
        both = blank + digit
        last = 1 + int(text[-1]) if text else BLANK
        stays = digit * column[last] if text else 0.0
        old = grown.get(text, (0.0, 0.0))
        grown[text] = (old[0] + both * column[BLANK], old[1] + stays)
        if len(text) == digits:
            continue
        for symbol in range(1, 11):
            if column[symbol] < 2 * FLOOR:
                continue
            # The same digit twice needs a blank between.
            came = (blank if symbol == last else both) * column[symbol]
            longer = text + str(symbol - 1)
            old = grown.get(longer, (0.0, 0.0))
            grown[longer] = (old[0], old[1] + came)
    return grown


def _fittest(beam: dict[str, _Ends], digits: int, left: int) -> dict[str, _Ends]:
    """The likeliest beginnings that the columns left can still complete, of sum 1."""
    able = [
        (blank + digit, text, (blank, digit))
        for text, (blank, digit) in beam.items()
        if digits - len(text) <= left
    ]
    best = sorted(able, key=lambda one: (-one[0], one[1]))[:BEAM]
    total = sum(one[0] for one in best) or 1.0
    return {text: (ends[0] / total, ends[1] / total) for _, text, ends in best}
