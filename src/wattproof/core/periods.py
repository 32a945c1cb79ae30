"""Time: instants in Unix seconds, half-open intervals, and hours to years of a zone's own clock.

An hour is a run of instants with the same local hour and the same offset from UTC, so the hour
that a clock shows twice in autumn is two hours, and none is invented for the one that it leaves
out in spring. A day (month, year) begins the first time that the zone's clock shows that date or a
later one. With these two rules the buckets of every zone tile time: each instant lies in exactly
one, also where a zone changes its clock at midnight, by half an hour, or leaves out a whole day.

Zones are named as in the IANA time zone database. Results for a past instant change only if that
database is corrected, so contracts do not use this module's clocks; reports do.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wattproof.core.errors import ErrorCode, Malformed, OverLimit

__all__ = [
    "DEFAULT_ZONE",
    "FIRST_S",
    "LAST_S",
    "MAX_BUCKETS",
    "STEPS",
    "Step",
    "bucket_bounds",
    "bucket_start",
    "check_step",
    "check_zone_name",
    "iso",
    "load_zone",
    "local_seconds",
    "local_time",
    "parse_time",
    "utc_offsets",
]

Step = Literal["hour", "day", "month", "year"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)

DEFAULT_ZONE: Final = "Asia/Shanghai"

FIRST_S: Final = -2_208_988_800
"""The first instant that is taken: 1900-01-01T00:00:00Z."""

LAST_S: Final = 7_258_118_399
"""The last instant that is taken: 2199-12-31T23:59:59Z."""

MAX_BUCKETS: Final = 1_000_000
"""The most buckets in one request: 114 years of hours."""

ZONE_UNKNOWN = ErrorCode(
    Malformed,
    "core.zone",
    en="{zone!r} is not a time zone of the IANA database (such as Asia/Shanghai).",
    zh="“{zone}”不是 IANA 时区数据库中的时区（例如 Asia/Shanghai）。",
)
STEP_UNKNOWN = ErrorCode(
    Malformed,
    "core.step",
    en="{step!r} is not a step. Take one of {allowed}.",
    zh="“{step}”不是可用的时间步长。可用：{allowed}。",
)
TIME_BAD = ErrorCode(
    Malformed,
    "core.time",
    en="{text!r} is not a time. Write 2023, 2023-05, 2023-05-31 or 2023-05-31T08:15:00, with an"
    " offset such as +08:00 if it is not local.",
    zh="“{text}”不是时间。请写成 2023、2023-05、2023-05-31 或 2023-05-31T08:15:00，"
    "非本地时间须带偏移，如 +08:00。",
)
TIME_RANGE = ErrorCode(
    Malformed,
    "core.time_range",
    en="The time {time} lies outside the years 1900 to 2199.",
    zh="时间 {time} 不在 1900 年至 2199 年之间。",
)
TIME_DOUBLE = ErrorCode(
    Malformed,
    "core.time_double",
    en="The local time {time} occurs twice in {zone}; give it with its offset from UTC.",
    zh="本地时间 {time} 在 {zone} 出现两次，请注明与 UTC 的偏移。",
)
TIME_SKIPPED = ErrorCode(
    Malformed,
    "core.time_skipped",
    en="The local time {time} does not exist in {zone}: the clock was put forward over it.",
    zh="本地时间 {time} 在 {zone} 不存在：时钟拨快时跳过了它。",
)
TOO_MANY_BUCKETS = ErrorCode(
    OverLimit,
    "core.buckets",
    en="That is more than {limit} steps of one {step}; ask for a shorter time or a longer step.",
    zh="超过 {limit} 个步长（{step}）；请缩短时间范围或加大步长。",
)

_DAY_S: Final = 86_400
_ZONE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
_YEAR_OR_MONTH: Final = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)


def check_zone_name(name: str) -> str:
    """Return the name if it has the form of a zone's name, else raise ``core.zone``.

    Looks at the text only, so that a contract may use it on any machine.
    """
    if len(name) > 64 or _ZONE_NAME.fullmatch(name) is None or name == "localtime":
        raise ZONE_UNKNOWN(zone=name[:80])
    return name


@lru_cache(maxsize=256)
def load_zone(name: str) -> ZoneInfo:
    """Return the zone of that name, or raise ``core.zone``."""
    try:
        return ZoneInfo(check_zone_name(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ZONE_UNKNOWN(zone=name[:80]) from None


def check_step(text: str) -> Step:
    """Return the step that a text names, or raise ``core.step``."""
    for step in STEPS:
        if text == step:
            return step
    raise STEP_UNKNOWN(step=text[:80], allowed=", ".join(STEPS))


def local_time(t_s: int, zone: str) -> datetime:
    """Return an instant as local time in the zone, aware of its offset."""
    return _local(t_s, load_zone(zone))


def iso(t_s: int, zone: str) -> str:
    """Return an instant as ISO 8601 local time with its offset: 2018-01-01T00:15:00+09:00."""
    return local_time(t_s, zone).isoformat()


def parse_time(text: str, zone: str) -> int:
    """Return the instant that a text names: a year, month, day or time, in ISO 8601.

    A year, month or day means its beginning in the zone. A time without an offset is local there;
    one that the clock shows twice or never raises ``core.time_double`` or ``core.time_skipped``.
    """
    plain = text.strip()
    if short := _YEAR_OR_MONTH.fullmatch(plain):
        plain = f"{short[1]}-{short[2] or '01'}-01"
    try:
        found = datetime.fromisoformat(plain)
        is_date = len(plain) <= 10 and ":" not in plain and "T" not in plain
    except ValueError:
        raise TIME_BAD(text=text[:80]) from None
    if found.microsecond:
        raise TIME_BAD(text=text[:80])
    if found.tzinfo is None and not is_date:
        return local_seconds(found, zone)
    if not 1900 <= found.year <= 2199:
        raise TIME_RANGE(time=plain)
    if is_date:
        return _date_start(found.date(), load_zone(zone))
    return _checked(_seconds(found))


def local_seconds(local: datetime, zone: str) -> int:
    """Return the instant at which the zone's clock shows a local time (whole seconds, no tzinfo).

    Raises ``core.time_double`` if it shows it twice, ``core.time_skipped`` if never.
    """
    if not 1900 <= local.year <= 2199:
        raise TIME_RANGE(time=local.isoformat())
    clock = load_zone(zone)
    first = _seconds(local.replace(tzinfo=clock, fold=0))
    second = _seconds(local.replace(tzinfo=clock, fold=1))
    if first == second:
        return _checked(first)
    # Python reads a skipped time with the offset before (fold 0) and after (fold 1) the jump.
    code = TIME_DOUBLE if first < second else TIME_SKIPPED
    raise code(time=local.isoformat(sep=" "), zone=zone)


def bucket_start(t_s: int, step: Step, zone: str) -> int:
    """Return where the hour, day, month or year that holds an instant begins."""
    clock = load_zone(zone)
    local = _local(t_s, clock)
    if step == "hour":
        offset = _offset(t_s, clock)
        start = t_s - (t_s + offset) % 3600
        return start if _offset(start, clock) == offset else _change(start, t_s, clock)
    day = _floor(local.date(), step)
    start = _date_start(day, clock)
    # Where a clock is put back over midnight, the date it shows lags behind for a while.
    while (following := _date_start(_next(day, step), clock)) <= t_s:
        day, start = _next(day, step), following
    return start


def bucket_bounds(first_s: int, last_s: int, step: Step, zone: str) -> list[int]:
    """Return the boundaries of the buckets that hold first_s to last_s, both included.

    Ascending; one more than there are buckets; the first is at most `first_s`, the last is above
    `last_s`. Raises ``core.buckets`` above `MAX_BUCKETS`.
    """
    clock = load_zone(zone)
    shortest_s = 3600 if step == "hour" else _DAY_S
    if _checked(last_s) - _checked(first_s) > MAX_BUCKETS * shortest_s:
        raise TOO_MANY_BUCKETS(limit=MAX_BUCKETS, step=step)
    bounds = [bucket_start(first_s, step, zone)]
    if step == "hour":
        return _hour_bounds(bounds[0], last_s, clock)
    day = _floor(_local(first_s, clock).date(), step)
    while bounds[-1] <= last_s:
        day = _next(day, step)
        start = _date_start(day, clock)
        if start > bounds[-1]:  # not so for a date that the zone left out
            bounds.append(start)
    return bounds


def _hour_bounds(start: int, last_s: int, clock: ZoneInfo) -> list[int]:
    bounds = [start]
    while (at_s := bounds[-1]) <= last_s:
        offset = _offset(at_s, clock)
        end = at_s + 3600 - (at_s + offset) % 3600
        bounds.append(end if _offset(end - 1, clock) == offset else _change(at_s, end - 1, clock))
    return bounds


def utc_offsets(first_s: int, last_s: int, zone: str) -> list[tuple[int, int]]:
    """Return (from, seconds east of UTC) for first_s to last_s, both included.

    The first pair is at `first_s`; then one for each instant at which the offset changes.
    """
    clock = load_zone(zone)
    pairs = [(_checked(first_s), _offset(first_s, clock))]
    at_s = first_s
    while at_s < _checked(last_s):
        ahead_s = min(at_s + _DAY_S, last_s)
        if (offset := _offset(ahead_s, clock)) != pairs[-1][1]:
            pairs.append((_change(at_s, ahead_s, clock), offset))
        at_s = ahead_s
    return pairs


def _checked(t_s: int) -> int:
    if not FIRST_S <= t_s <= LAST_S:
        raise TIME_RANGE(time=t_s)
    return t_s


def _local(t_s: int, clock: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(_checked(t_s), clock)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def _offset(t_s: int, clock: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(t_s, clock).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)


def _change(low_s: int, high_s: int, clock: ZoneInfo) -> int:
    """Return the first instant after low_s at which the offset is that of high_s."""
    wanted = _offset(high_s, clock)
    while high_s - low_s > 1:
        middle_s = (low_s + high_s) // 2
        if _offset(middle_s, clock) == wanted:
            high_s = middle_s
        else:
            low_s = middle_s
    return high_s


def _floor(day: date, step: Step) -> date:
    if step == "day":
        return day
    return day.replace(day=1) if step == "month" else day.replace(month=1, day=1)


def _next(day: date, step: Step) -> date:
    if step == "day":
        return day + timedelta(days=1)
    if step == "month" and day.month < 12:
        return day.replace(month=day.month + 1)
    return date(day.year + 1, 1, 1)


def _date_start(day: date, clock: ZoneInfo) -> int:
    """Return the first instant at which the zone's clock shows this date or a later one."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=clock)
    before = _seconds(midnight)
    after = _seconds(midnight.replace(fold=1))
    if after >= before:
        return before
    # Midnight was skipped: the day begins where the clock jumped.
    return _change(after, before, clock)
