"""Buckets in SQL: which hour, day, month or year of local time a row lies in, in integers.

Date functions and time zones of SQL engines differ, and are slow. The boundaries are therefore
computed once (`core.periods`), and a row's bucket is its index among them. Boundaries that lie
evenly are one piece, in which the index is a subtraction and a division: the hours of a zone are
mostly one piece, its days one for each half-year between changes of the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

__all__ = ["Piece", "bucket_sql", "pieces"]


class Piece(msgspec.Struct, frozen=True):
    """Evenly spaced boundaries: `count` buckets of `width_s`, the first of index `index`."""

    start_s: int
    index: int
    width_s: int
    count: int


def pieces(bounds: Sequence[int]) -> list[Piece]:
    """Ascending boundaries, at least two, as runs of equal widths."""
    found: list[Piece] = []
    for index, (start_s, end_s) in enumerate(pairwise(bounds)):
        assert start_s < end_s, "boundaries ascend"
        width_s = end_s - start_s
        if found and found[-1].width_s == width_s:
            last = found[-1]
            found[-1] = Piece(last.start_s, last.index, width_s, last.count + 1)
        else:
            found.append(Piece(start_s, index, width_s, 1))
    return found


def bucket_sql(bounds: Sequence[int], column: str = "start_s") -> str:
    """An integer expression: the index of the bucket that holds `column`.

    It holds for values from the first boundary up to the last. `int_div` divides whole numbers;
    each engine is taught it by its own set-up (``queries/duckdb.sql``, ``queries/spark.sql``).
    """
    return _choice(pieces(bounds), column)


def _choice(parts: Sequence[Piece], column: str) -> str:
    """Halve the pieces until one is left, so that a row takes few comparisons."""
    if len(parts) == 1:
        return _within(parts[0], column)
    middle = len(parts) // 2
    low, high = _choice(parts[:middle], column), _choice(parts[middle:], column)
    return f"CASE WHEN {column} < {parts[middle].start_s} THEN {low} ELSE {high} END"


def _within(piece: Piece, column: str) -> str:
    if piece.count == 1:
        return str(piece.index)
    return f"{piece.index} + int_div({column} - {piece.start_s}, {piece.width_s})"
