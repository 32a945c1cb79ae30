"""The amount of a flow over time, exactly, from samples that are close enough together."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

__all__ = ["Integral", "Integrated"]

_MS_PER_S: Final = 1000
_UG_PER_G: Final = 10**6


class Integrated(msgspec.Struct, kw_only=True):
    """What is kept over a restart: whole micrograms that were not yet given."""

    waiting_ug: int = 0


class Integral:
    """Adds up grams from a flow in grams a second, by trapezoids between samples.

    Two samples more than `max_gap_s` apart have a gap between them, to which no amount belongs:
    what nobody measured is no amount. Amounts are in whole micrograms, and what is finer goes with
    a later one: however often a flow is sampled and given, it comes to the same.
    """

    def __init__(self, *, max_gap_s: int, kept: Integrated) -> None:
        self.kept = kept
        self._max_gap_ms = max_gap_s * _MS_PER_S
        self._rest_ug = Fraction(0)
        self._last: tuple[int, Fraction] | None = None
        self._gap_ms = 0

    def take(self, flow: Fraction, *, now_ms: int) -> None:
        """Take a sample of the flow, in grams a second, at a time that never goes back."""
        last, self._last = self._last, (now_ms, flow)
        if last is None:
            return
        elapsed_ms = now_ms - last[0]
        if elapsed_ms > self._max_gap_ms:
            self._gap_ms += elapsed_ms
            return
        ug = (last[1] + flow) / 2 * elapsed_ms * _UG_PER_G / _MS_PER_S
        whole, self._rest_ug = divmod(self._rest_ug + ug, 1)
        self.kept.waiting_ug += whole

    def give(self) -> tuple[Decimal, int]:
        """Return the grams since the last time, and the seconds of gaps between them."""
        grams = Decimal(self.kept.waiting_ug).scaleb(-6)
        gap_s = self._gap_ms // _MS_PER_S
        self.kept.waiting_ug = self._gap_ms = 0
        return grams, gap_s
