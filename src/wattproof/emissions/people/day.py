"""Days that a person declares: when one begins, which may be declared next, and its packet.

A day lasts 86 400 seconds from midnight in the standard time of the node's zone, also where clocks
are put forward in summer, so that days follow each other without a gap or an overlap.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from wattproof.core.errors import Conflict, ErrorCode, Malformed
from wattproof.core.periods import load_zone
from wattproof.keys.uint_array import UintArray
from wattproof.metering.model import FIRST_SEQUENCE, Packet, Stream

__all__ = ["DAY_S", "FIRST_DAY", "MANUAL", "QUANTITY", "check_day", "date_of", "day_start",
           "last_over", "next_day", "packet_of"]  # fmt: skip

DAY_S: Final = 86_400
QUANTITY: Final = "co2.declared"
MANUAL: Final = 3
"""The quality of what a person typed (`metering.model.QUALITIES`)."""
FIRST_DAY: Final = date(2020, 1, 1)

DAY_FORM = ErrorCode(
    Malformed,
    "people.day",
    en="{text!r} is not a day from {first} on: write it as 2026-03-01.",
    zh="“{text}”不是 {first} 及以后的日期：请写成 2026-03-01 的形式。",
)
DAY_FUTURE = ErrorCode(
    Conflict,
    "people.day_future",
    en="{day} is not over yet: a day is declared when it has ended, {last} at the latest.",
    zh="{day} 尚未结束：一天结束之后才能申报，目前最晚可申报 {last}。",
)
DAY_DECLARED = ErrorCode(
    Conflict,
    "people.day_declared",
    en="{day} lies behind the last declared day ({last}), or is that day: days are declared in"
    " order, once, and stand.",
    zh="{day} 不晚于最近申报的日期（{last}）：须按日期先后申报，每天一次，申报后不再更改。",
)


def day_start(day: date, zone: str) -> int:
    """When a day begins, in Unix seconds: midnight in the zone's standard time."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) - _standard_offset_s(day.year, zone)


def date_of(start_s: int, zone: str) -> date:
    """The day that begins then."""
    moment = datetime.fromtimestamp(start_s, UTC)
    return (moment + timedelta(seconds=_standard_offset_s(moment.year, zone))).date()


def last_over(now_s: int, zone: str) -> date:
    """The last day that is over."""
    return date_of(now_s, zone) - timedelta(days=1)


def next_day(end_s: int | None, *, now_s: int, zone: str) -> date | None:
    """The day that a form offers first: yesterday, if it may still be declared."""
    last = last_over(now_s, zone)
    return last if end_s is None or day_start(last, zone) >= end_s else None


def check_day(text: str, end_s: int | None, *, now_s: int, zone: str) -> date:
    """The day that a text names, which must be over and behind all that is declared.

    `end_s` is when the last declared day ended. Raises ``people.day``, ``people.day_future`` or
    ``people.day_declared``.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day < FIRST_DAY or day.year > 9000:
        raise DAY_FORM(text=text[:40], first=FIRST_DAY.isoformat())
    last = last_over(now_s, zone)
    if day > last:
        raise DAY_FUTURE(day=day.isoformat(), last=last.isoformat())
    if end_s is not None and day_start(day, zone) < end_s:
        declared = date_of(end_s - DAY_S, zone)
        raise DAY_DECLARED(day=day.isoformat(), last=declared.isoformat())
    return day


def packet_of(stream: Stream | None, day: date, grams: int, *, zone: str) -> Packet:
    """What the node signs for a day: one reading of so many grams, typed by a person."""
    return Packet(
        sequence=FIRST_SEQUENCE if stream is None else stream.next_sequence,
        start_s=day_start(day, zone),
        interval_s=DAY_S,
        kind="increment",
        opening=0 if stream is None else stream.register,
        increments=UintArray.from_ints((grams,)),
        quality=UintArray.from_ints((MANUAL,)),
    )


def _standard_offset_s(year: int, zone: str) -> int:
    """Seconds east of UTC in the zone's standard time: the smaller one of winter and summer."""
    clock = load_zone(zone)
    offsets = (datetime(year, month, 1, tzinfo=clock).utcoffset() for month in (1, 7))
    return min(int((offset or timedelta()).total_seconds()) for offset in offsets)
