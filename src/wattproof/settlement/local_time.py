"""Times of a region's clock, always the same time ahead of UTC, as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import parse_time

__all__ = ["iso_local", "offset_text", "parse_local_time", "parse_offset"]

OFFSET_FORM = ErrorCode(
    Malformed,
    "settlement.offset",
    en="“{text}” is not a time ahead of UTC: write +08:00, at most a day.",
    zh="“{text}”不是与 UTC 的偏移：请写成 +08:00，且不超过一天。",
)
BEFORE_1970 = ErrorCode(
    Malformed,
    "settlement.time_before",
    en="“{text}” is before 1970; nothing was settled then.",
    zh="“{text}”早于 1970 年，不在可结算范围内。",
)

_OFFSET: Final = re.compile(r"([+-]?)(\d{1,2}):?([0-5]\d)?", re.ASCII)


def parse_local_time(text: str, offset_s: int) -> int:
    """The instant that a text names: a year, month, day or time, in ISO 8601.

    Without an offset of its own it is the region's local time. Raises ``core.time`` and such, and
    ``settlement.time_before``.
    """
    plain = text.strip()
    at_s = parse_time(plain, "UTC")
    try:
        local = datetime.fromisoformat(plain).tzinfo is None
    except ValueError:  # a year or a month
        local = True
    at_s -= offset_s if local else 0
    if at_s < 0:
        raise BEFORE_1970(text=text[:40])
    return at_s


def iso_local(at_s: int, offset_s: int) -> str:
    """An instant as local time with its offset: ``2025-01-31T08:00:00+08:00``."""
    local = datetime.fromtimestamp(at_s + offset_s, UTC).replace(tzinfo=None)
    return f"{local.isoformat()}{offset_text(offset_s)}"


def parse_offset(text: str) -> int:
    """Seconds ahead of UTC, of ``+08:00`` or ``8``; raises ``settlement.offset``."""
    found = _OFFSET.fullmatch(text.strip())
    seconds = 0 if found is None else int(found[2]) * 3600 + int(found[3] or 0) * 60
    if found is None or seconds > 86_400:
        raise OFFSET_FORM(text=text[:40])
    return -seconds if found[1] == "-" else seconds


def offset_text(offset_s: int) -> str:
    """How far a clock is ahead of UTC: ``+08:00``."""
    minutes = abs(offset_s) // 60
    return f"{'-' if offset_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
