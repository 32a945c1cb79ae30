"""Which local days of a region a page is about, and what lies before and after them."""

from __future__ import annotations

from typing import Self

import msgspec

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.local_days import bucket_of
from wattproof.settlement.local_time import parse_local_time
from wattproof.settlement.model import DAY_S, MAX_DAYS, StatementStep
from wattproof.settlement.records import day_of

__all__ = ["RegionPeriod"]

DAYS = ErrorCode(
    Malformed,
    "settlement.days",
    en="The last day comes before the first, or there are more than {limit} days.",
    zh="最后一日早于首日，或超过 {limit} 天。",
)


class RegionPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Whole local days from `from_s` up to `to_s`, looked at by `step`."""

    step: StatementStep
    from_s: int
    to_s: int
    offset_s: int

    @classmethod
    def around(cls, at_s: int, step: StatementStep, offset_s: int) -> Self:
        """What is shown of a step at once: the hours of a day, a month's days, a year's months."""
        from_s, to_s = _around(at_s, step, offset_s)
        return cls(step=step, from_s=from_s, to_s=to_s, offset_s=offset_s)

    @classmethod
    def asked(
        cls, first: str, last: str, step: StatementStep, offset_s: int, *, newest_s: int
    ) -> Self:
        """From the first up to the end of the last day, as forms have them.

        Where one is left out it is the other; where both are, it is what is shown around the
        instant `newest_s`. Raises ``core.time`` and such, and ``settlement.days``.
        """
        if not first and not last:
            return cls.around(newest_s, step, offset_s)
        days = [
            day_of(parse_local_time(text, offset_s), offset_s)
            for text in (first or last, last or first)
        ]
        if not 0 <= days[1] - days[0] < MAX_DAYS * DAY_S:
            raise DAYS(limit=MAX_DAYS)
        return cls(step=step, from_s=days[0], to_s=days[1] + DAY_S, offset_s=offset_s)

    @property
    def days(self) -> tuple[str, str]:
        """The first and the last day, as a form's date fields have them."""
        clock = LocalClock(offset_s=self.offset_s, lang="en")
        return clock.date_field(self.from_s), clock.date_field(self.to_s - 1)

    @property
    def before(self) -> tuple[str, str] | None:
        """The days of the period before; None where this is no whole day, month or year."""
        return self._beside(self.from_s - 1)

    @property
    def after(self) -> tuple[str, str] | None:
        """The days of the period after."""
        return self._beside(self.to_s)

    @property
    def starts(self) -> list[int]:
        """When its steps begin; the first begins with the period."""
        found, at_s = [], self.from_s
        while at_s < self.to_s:
            found.append(at_s)
            at_s = bucket_of(at_s, self.step, self.offset_s)[1]
        return found

    def named(self, clock: LocalClock) -> str:
        """What people call it."""
        if self._whole:
            coarser = {"hour": "day", "day": "month"}.get(self.step, "year")
            return clock.label(self.from_s, coarser)  # type: ignore[arg-type]
        first, last = clock.label(self.from_s, "day"), clock.label(self.to_s - 1, "day")
        return first if first == last else f"{first} – {last}"

    def labels(self, clock: LocalClock) -> list[str]:
        """What its steps are called, in short; with the day where hours are of several days."""
        several = self.to_s - self.from_s > DAY_S
        return [
            f"{clock.short(at_s, 'day')} {clock.short(at_s, 'hour')}"
            if self.step == "hour" and several
            else clock.short(at_s, self.step)
            for at_s in self.starts
        ]

    @property
    def _whole(self) -> bool:
        return (self.from_s, self.to_s) == _around(self.from_s, self.step, self.offset_s)

    def _beside(self, at_s: int) -> tuple[str, str] | None:
        if not self._whole or at_s < DAY_S:
            return None
        return RegionPeriod.around(at_s, self.step, self.offset_s).days


def _around(at_s: int, step: StatementStep, offset_s: int) -> tuple[int, int]:
    if step != "month":
        return bucket_of(at_s, "day" if step == "hour" else "month", offset_s)
    year = int(LocalClock(offset_s=offset_s, lang="en").date_field(at_s)[:4])
    from_s, to_s = (parse_local_time(f"{one}", offset_s) for one in (max(year, 1971), year + 1))
    return from_s, to_s
