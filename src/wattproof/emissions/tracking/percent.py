"""Percentages of errors: hundredths of a percent, as whole numbers, rounded half to even."""

from __future__ import annotations

__all__ = ["percent_text", "percentage"]


def percentage(error: int, base: int) -> int | None:
    """`error` in hundredths of a percent of `base`; None where there is nothing to divide by."""
    if base == 0:
        return None
    sign = -1 if (error < 0) != (base < 0) else 1
    whole, rest = divmod(abs(error) * 10_000, abs(base))
    if 2 * rest > abs(base) or (2 * rest == abs(base) and whole % 2):
        whole += 1
    return sign * whole


def percent_text(hundredths: int | None) -> str:
    """As people read it: ``-8.19 %``, or ``n/a``."""
    if hundredths is None:
        return "n/a"
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100:,}.{abs(hundredths) % 100:02d} %"
