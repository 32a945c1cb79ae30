"""Time stamps of a file, turned into instants: each distinct date is worked out once.

A stamp either carries its offset from UTC or is read on the clock of the file's zone. A local time
that this clock shows twice, or never, has no answer and is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from wattproof.core.errors import ErrorCode, Malformed, WattProofError
from wattproof.core.periods import FIRST_S, LAST_S, local_seconds, parse_time

__all__ = ["ISO", "StampReader", "check_format"]

ISO: Final = "iso8601"
"""The format that stands for any ISO 8601 date and time."""

UNREADABLE = ErrorCode(
    Malformed,
    "import.stamp",
    en="{text!r} is not a time of the form {format}.",
    zh="“{text}”不是 {format} 形式的时间。",
)
MIXED = ErrorCode(
    Malformed,
    "import.mixed_offsets",
    en="{text!r} differs from the stamps before it: some carry an offset from UTC, some do not.",
    zh="“{text}”与之前的时标不一致：有的带 UTC 偏移，有的不带。",
)
NO_ZONE = ErrorCode(
    Malformed,
    "import.no_zone",
    en="{text!r} carries no offset from UTC, and the mapping names no timezone.",
    zh="“{text}”不带 UTC 偏移，而映射未指定 timezone。",
)
FORMAT = ErrorCode(
    Malformed,
    "import.format",
    en="{format!r} is neither iso8601 nor a strptime format with year, month and day.",
    zh="“{format}”既不是 iso8601，也不是含年月日的 strptime 格式。",
)

_DAY_S: Final = 86_400
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date.max.toordinal()
_TIME_FORMATS: Final = ("%H:%M", "%H:%M:%S")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_ISO_24: Final = re.compile(r"(.*[T ])24(:?00(?::?00)?(?:[.,]0+)?.*)", re.ASCII)
_CACHE: Final = 100_000


def check_format(text: str) -> str:
    """Return a format that tells year, month and day, or raise ``import.format``."""
    if text == ISO:
        return text
    probe = datetime(2021, 11, 23, 13, 47, 58, tzinfo=UTC)
    try:
        read = datetime.strptime(probe.strftime(text), text)  # noqa: DTZ007
    except (ValueError, re.error):
        raise FORMAT(format=text[:80]) from None
    if read.date() != probe.date():
        raise FORMAT(format=text[:80])
    return text


class StampReader:
    """Reads the stamps of one file, in the file's order.

    `zone` is for stamps without an offset; with `midnight_closes`, 0:00 means the end of the day
    that the stamp names. 24:00 always does.
    """

    def __init__(self, format_: str, *, zone: str | None, midnight_closes: bool) -> None:
        self._format = format_
        self._zone = zone
        self._midnight_closes = midnight_closes
        self._offsets: bool | None = None  # whether this file's stamps carry offsets
        self._ordinals: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._midnights: dict[int, int | None] = {}
        self._part, self._date_format = _parted(format_)
        self.read: Final[Callable[[str], int]] = (
            self._read_iso if format_ == ISO else self._read_parted if self._part else self._read
        )
        """The instant of a stamp, in Unix seconds. Raises ``import.stamp``,
        ``import.mixed_offsets``, ``import.no_zone``, ``core.time_double``, ``core.time_skipped``
        or ``core.time_range``."""

    def _read_iso(self, text: str) -> int:
        # Only newer versions of Python read 24:00, so none of them is asked to.
        late = _ISO_24.fullmatch(text) if "T24" in text or " 24" in text else None
        try:
            found = datetime.fromisoformat(text if late is None else f"{late[1]}00{late[2]}")
        except ValueError:
            raise self._unreadable(text) from None
        return self._instant(text, found, next_day=late is not None)

    def _read_parted(self, text: str) -> int:
        """A date and a time of day, each of which comes again and again."""
        day_text, _, time_text = text.rpartition(self._part)
        ordinal, time_s = self._ordinals.get(day_text), self._times.get(time_text)
        if ordinal is None or time_s is None:
            clock = _CLOCK.fullmatch(time_text)
            hours = 0 if clock is None else int(clock[1])
            if clock is None or (hours == 24 and not clock[0].endswith(("24:00", "24:00:00"))):
                return self._read(text)
            late = hours == 24
            shown = f"{day_text}{self._part}00{time_text[2:]}" if late else text
            found = self._parse(shown, text)
            if len(self._ordinals) > _CACHE:
                self._ordinals.clear()
            ordinal = self._ordinals[day_text] = found.toordinal()
            time_s = _DAY_S if late else found.hour * 3600 + found.minute * 60 + found.second
            self._times[time_text] = time_s
        return self._local(text, ordinal, time_s)

    def _read(self, text: str) -> int:
        return self._instant(text, self._parse(text, text), next_day=False)

    def _parse(self, shown: str, text: str) -> datetime:
        try:
            return datetime.strptime(shown, self._format)  # noqa: DTZ007
        except ValueError:
            raise self._unreadable(text) from None

    def _instant(self, text: str, found: datetime, *, next_day: bool) -> int:
        if found.microsecond:
            raise self._unreadable(text)
        time_s = found.hour * 3600 + found.minute * 60 + found.second
        if next_day:
            time_s = _DAY_S
        offset = found.utcoffset()
        if self._offsets is not (offset is not None):
            self._agree(text, offset=offset is not None)
        if offset is None:
            return self._local(text, found.toordinal(), time_s)
        if self._midnight_closes and not time_s:
            time_s = _DAY_S
        at_s = (found.toordinal() - _EPOCH_DAY) * _DAY_S + time_s - offset // timedelta(seconds=1)
        if not FIRST_S <= at_s <= LAST_S:
            raise self._unreadable(text)
        return at_s

    def _agree(self, text: str, *, offset: bool) -> None:
        """All stamps of a file carry an offset, or none does."""
        if self._offsets is None:
            self._offsets = offset
        elif self._offsets is not offset:
            raise MIXED(text=text[:80])

    def _local(self, text: str, ordinal: int, time_s: int) -> int:
        if self._zone is None:
            raise NO_ZONE(text=text[:80])
        closes = time_s == _DAY_S or (self._midnight_closes and not time_s)
        if closes:
            ordinal, time_s = ordinal + 1, 0
        if ordinal not in self._midnights:
            self._midnights[ordinal] = self._plain_midnight(ordinal)
        midnight_s = self._midnights[ordinal]
        if midnight_s is not None:
            return midnight_s + time_s
        if ordinal > _LAST_DAY:
            raise self._unreadable(text)
        local = datetime.fromordinal(ordinal) + timedelta(seconds=time_s)
        if closes:  # a day has one end, whatever the clock does at midnight
            return parse_time(local.date().isoformat(), self._zone)
        return local_seconds(local, self._zone)

    def _plain_midnight(self, ordinal: int) -> int | None:
        """When the day begins, if its 24 hours simply follow; else None."""
        assert self._zone is not None
        try:
            start, end = datetime.fromordinal(ordinal), datetime.fromordinal(ordinal + 1)
            start_s, end_s = local_seconds(start, self._zone), local_seconds(end, self._zone)
        except (WattProofError, ValueError, OverflowError):
            return None
        return start_s if end_s - start_s == _DAY_S else None

    def _unreadable(self, text: str) -> WattProofError:
        return UNREADABLE(text=text[:80], format=self._format)


def _parted(format_: str) -> tuple[str, str]:
    """What parts date and time in a format that ends in a plain time of day, and the date's form;
    nothing where it does not."""
    for part in (" ", "T"):
        day, found, clock = format_.rpartition(part)
        if (
            found
            and clock in _TIME_FORMATS
            and not set(re.findall(r"%(.)", day)) - set("YymdbBjaA")
        ):
            return part, day
    return "", ""
