"""Which local days a page is about: whole days, months and years of a region's clock."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Refused
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.model import DAY_S, HOUR_S, MAX_DAYS, StatementStep
from wattproof.settlement.region_period import RegionPeriod

OFFSET_S = 8 * HOUR_S
NEW_YEAR_S = 1_735_660_800
"""2025-01-01 00:00 at UTC+8."""
STEPS: Final[tuple[StatementStep, ...]] = ("hour", "day", "month")
EN = LocalClock(offset_s=OFFSET_S, lang="en")
ZH = LocalClock(offset_s=OFFSET_S, lang="zh")


def asked(first: str, last: str, step: StatementStep = "day") -> RegionPeriod:
    return RegionPeriod.asked(first, last, step, OFFSET_S, newest_s=NEW_YEAR_S)


def test_what_is_shown_at_once() -> None:
    day, month, year = (RegionPeriod.around(NEW_YEAR_S + 5, step, OFFSET_S) for step in STEPS)
    assert [len(one.starts) for one in (day, month, year)] == [24, 31, 12]
    assert [one.days for one in (day, month, year)] == [
        ("2025-01-01", "2025-01-01"), ("2025-01-01", "2025-01-31"), ("2025-01-01", "2025-12-31"),
    ]  # fmt: skip
    assert [one.named(EN) for one in (day, month, year)] == [
        "1 January 2025", "January 2025", "2025",
    ]  # fmt: skip
    assert month.named(ZH) == "2025年1月"
    assert day.before == ("2024-12-31", "2024-12-31")
    assert month.after == ("2025-02-01", "2025-02-28")
    assert year.before == ("2024-01-01", "2024-12-31")


def test_days_that_are_chosen() -> None:
    some = asked("2025-01-03", "2025-01-05", "hour")
    assert (some.from_s, some.to_s) == (NEW_YEAR_S + 2 * DAY_S, NEW_YEAR_S + 5 * DAY_S)
    assert some.named(EN) == "3 January 2025 – 5 January 2025"
    assert (some.before, some.after) == (None, None)
    assert some.labels(EN)[25] == "4 Jan 01:00"
    assert asked("2025-01-03", "").days == asked("", "2025-01-03").days == ("2025-01-03",) * 2
    assert asked("", "").days == ("2025-01-01", "2025-01-31")
    begun = asked("2025-01-15", "2025-02-14", "month")
    assert begun.labels(EN) == ["Jan 2025", "Feb 2025"]


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("2025-01-02", "2025-01-01", "settlement.days"),
        ("2020-01-01", "2025-01-01", "settlement.days"),
        ("soon", "2025-01-01", "core.time"),
        ("1969-01-01", "", "settlement.time_before"),
    ],
)
def test_days_that_are_none(first: str, last: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        asked(first, last)
    assert caught.value.code == code


@given(
    at_s=st.integers(2 * 366 * DAY_S, 4_000_000_000),
    step=st.sampled_from(STEPS),
    offset_s=st.sampled_from([0, OFFSET_S, -5 * HOUR_S, 5 * HOUR_S + 1_800]),
)
def test_periods_tile_time(at_s: int, step: StatementStep, offset_s: int) -> None:
    period = RegionPeriod.around(at_s, step, offset_s)
    assert period.from_s <= at_s < period.to_s
    assert (period.to_s - period.from_s) // DAY_S <= MAX_DAYS
    before, after = period.before, period.after
    assert before is not None and after is not None
    beside = [RegionPeriod.asked(*days, step, offset_s, newest_s=0) for days in (before, after)]
    assert (beside[0].to_s, beside[1].from_s) == (period.from_s, period.to_s)
    assert len(period.starts) == len(period.labels(LocalClock(offset_s=offset_s, lang="zh")))
