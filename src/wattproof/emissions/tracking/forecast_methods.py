"""How a meter's next readings are worked out from its past ones, and how well that went before.

``naive`` says that an interval is what the same interval was a week earlier by the local clock (a
day earlier where there is less than two weeks of history). ``level`` takes the mean of that
interval over the last eight weeks (or days), and scales all so that those means would have come to
what the last week (or day) really came to. Whole numbers throughout: what `level` leaves below a
base unit is carried to the next interval.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import utc_offsets
from wattproof.emissions.tracking.percent import percentage

__all__ = ["BACKTESTS", "DAY_S", "MAX_STEPS", "METHODS", "Backtest", "History", "Method",
           "check_method"]  # fmt: skip

Method = Literal["naive", "level"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

MAX_STEPS: Final = 35_040
"""Intervals that one forecast reaches ahead at most: a year of quarters of an hour."""

BACKTESTS: Final = 28
"""Earlier moments from which a forecast is tried, at most."""

DAY_S: Final = 86_400
WEEK_S: Final = 7 * DAY_S
MEAN_OF: Final = 8
"""Seasons over which `level` takes its means, at most."""

COMMON: Final = 840
"""The least common multiple of 1 to `MEAN_OF`: means are kept in such parts."""

METHOD = ErrorCode(
    Malformed,
    "emissions.forecast_method",
    en="There is no method “{method}”; take one of {allowed}.",
    zh="没有名为“{method}”的方法；可用：{allowed}。",
)


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """How a method did from `origins` earlier moments, over `count` intervals in all.

    `error_sum` is the sum of |forecast - measured|, `measured_sum` that of what was measured, both
    in base units. `mae` is the mean error of an interval, floor; `wape` the weighted percentage
    error, `error_sum` over `measured_sum` in hundredths of a percent, half to even. Both are None
    where there is nothing to divide by.
    """

    method: Method
    origins: int
    count: int
    error_sum: int
    measured_sum: int
    mae: int | None
    wape: int | None


def check_method(text: str) -> Method:
    """The method that a text names, or ``emissions.forecast_method``."""
    for method in METHODS:
        if text == method:
            return method
    raise METHOD(method=text[:40], allowed=", ".join(METHODS))


class History:
    """Readings of one meter: `known` has the amount of each interval that begins at a time."""

    def __init__(self, known: Mapping[int, int], *, interval_s: int, zone: str) -> None:
        assert known, "no readings"
        self._known = known
        self._interval_s = interval_s
        self._starts = sorted(known)
        self._first_s = self._starts[0]
        reach_s = self._starts[-1] + (MAX_STEPS + 1) * interval_s
        offsets = utc_offsets(self._first_s, reach_s, zone)
        self._changes = [from_s for from_s, _ in offsets]
        self._offsets = [offset_s for _, offset_s in offsets]
        # By the local clock; of the hour that it shows twice in autumn, the later counts.
        self._by_clock = {self._clock(at_s): known[at_s] for at_s in self._starts}

    def season_s(self, at_s: int) -> int:
        """What repeats, as seen at an instant: a week, or a day."""
        return WEEK_S if at_s - self._first_s >= 2 * WEEK_S else DAY_S

    def forecast(self, method: Method, at_s: int, steps: int) -> list[int]:
        """The amounts of the `steps` intervals from `at_s` on, seen from there."""
        ahead = [at_s + number * self._interval_s for number in range(steps)]
        if method == "naive":
            return [
                next(iter(self._earlier(start_s, at_s, limit=1)), self._newest(at_s))
                for start_s in ahead
            ]
        season_s = self.season_s(at_s)
        recent_s = range(at_s - season_s, at_s, self._interval_s)
        came = [(self._known[start_s], start_s) for start_s in recent_s if start_s in self._known]
        level = sum(amount for amount, _ in came)
        expected = sum(self._mean(start_s, at_s) for _, start_s in came)
        if expected == 0:
            level, expected = 1, COMMON
        amounts, carried = [], 0
        for start_s in ahead:
            amount, carried = divmod(carried + self._mean(start_s, at_s) * level, expected)
            amounts.append(amount)
        return amounts

    def backtest(self, method: Method, end_s: int, steps: int) -> Backtest:
        """Try a method from earlier moments, each a forecast's length (a day at least) apart.

        The first has at least a day of readings, or two weeks where there are four, before it.
        """
        apart_s = max(steps * self._interval_s, DAY_S)
        needed_s = 2 * WEEK_S if end_s - self._first_s >= 4 * WEEK_S else DAY_S
        origins = count = error_sum = measured_sum = 0
        at_s = end_s - apart_s
        while at_s - self._first_s >= needed_s and origins < BACKTESTS and count <= MAX_STEPS:
            tried = 0
            for number, amount in enumerate(self.forecast(method, at_s, steps)):
                came = self._known.get(at_s + number * self._interval_s)
                if came is not None:
                    error_sum += abs(amount - came)
                    measured_sum += came
                    tried += 1
            origins += tried > 0
            count += tried
            at_s -= apart_s
        return Backtest(
            method=method,
            origins=origins,
            count=count,
            error_sum=error_sum,
            measured_sum=measured_sum,
            mae=error_sum // count if count else None,
            wape=percentage(error_sum, measured_sum),
        )

    def _clock(self, at_s: int) -> int:
        """An instant as the local clock shows it, in seconds."""
        return at_s + self._offsets[max(0, bisect_right(self._changes, at_s) - 1)]

    def _earlier(self, start_s: int, at_s: int, *, limit: int) -> list[int]:
        """The same interval in earlier seasons, the latest first, as far as known at `at_s`."""
        season_s, found = self.season_s(at_s), []
        clock, latest = self._clock(start_s), self._clock(at_s) - self._interval_s
        back = max(1, -(-(clock - latest) // season_s))
        for number in range(back, back + MEAN_OF):
            amount = self._by_clock.get(clock - number * season_s)
            if amount is not None:
                found.append(amount)
                if len(found) == limit:
                    break
        return found

    def _mean(self, start_s: int, at_s: int) -> int:
        """The mean of the same interval in earlier seasons, in parts of a base unit; where there
        is none, the newest reading."""
        found = self._earlier(start_s, at_s, limit=MEAN_OF)
        if start_s < at_s:  # the recent season itself counts among the means that it is set against
            found = [self._known[start_s], *found[: MEAN_OF - 1]]
        return sum(found) * (COMMON // len(found)) if found else self._newest(at_s) * COMMON

    def _newest(self, at_s: int) -> int:
        """The last reading that begins before an instant."""
        at = bisect_left(self._starts, at_s)
        return self._known[self._starts[at - 1]] if at else 0
