"""Which of the two languages a browser or client asks for."""

from __future__ import annotations

from typing import Final

from wattproof.core.errors import Lang

__all__ = ["MAX_HEADER_CHARACTERS", "language_of"]

MAX_HEADER_CHARACTERS: Final = 500
"""So much of an ``Accept-Language`` header is read."""


def language_of(header: str | None) -> Lang:
    """The language of an ``Accept-Language`` header (RFC 9110, 12.5.4); English unless asked for.

    Of Chinese and English the one of higher weight, at equal weights the one named first.
    """
    best: Lang = "en"
    best_weight = 0
    for item in (header or "")[:MAX_HEADER_CHARACTERS].split(","):
        tag, _, parameters = item.partition(";")
        main = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if main in ("zh", "en") and weight > best_weight:
            best, best_weight = ("zh" if main == "zh" else "en"), weight
    return best


def _weight(parameters: str) -> int:
    """The weight in thousandths: 1000 where none is given, 0 where it cannot be read."""
    name, _, text = parameters.strip().partition("=")
    if not name:
        return 1000
    whole, _, part = text.strip().partition(".")
    digits = part[:3].ljust(3, "0")
    if name.strip().lower() != "q" or not (whole + digits).isascii():
        return 0
    if whole not in ("0", "1") or not digits.isdecimal():
        return 0
    return min(1000, int(whole) * 1000 + int(digits))
