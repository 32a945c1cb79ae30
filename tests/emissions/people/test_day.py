"""Days: when they begin, which may be declared, what their packets say."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.emissions.people.day import (
    DAY_S,
    check_day,
    date_of,
    day_start,
    last_over,
    next_day,
    packet_of,
)
from wattproof.metering.model import Stream

SHANGHAI = "Asia/Shanghai"
NOON_S = 1_772_337_600  # 2026-03-01 12:00 in Shanghai
DAYS = st.dates(date(2020, 1, 1), date(2100, 12, 31))
ZONES = st.sampled_from([SHANGHAI, "Europe/Berlin", "America/New_York", "Australia/Sydney", "UTC"])


@given(DAYS, ZONES)
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: str) -> None:
    start_s = day_start(day, zone)
    assert day_start(day + timedelta(days=1), zone) == start_s + DAY_S
    assert date_of(start_s, zone) == day
    assert date_of(start_s + DAY_S - 1, zone) == day


def test_midnight_in_shanghai() -> None:
    assert day_start(date(2026, 3, 1), SHANGHAI) == NOON_S - 12 * 3600
    assert last_over(NOON_S, SHANGHAI) == date(2026, 2, 28)


def test_which_day_may_be_declared() -> None:
    end_s = day_start(date(2026, 2, 20), SHANGHAI)  # the 19th is declared
    for text in ("2026-02-20", "2026-02-28"):
        assert check_day(text, end_s, now_s=NOON_S, zone=SHANGHAI).isoformat() == text
    assert check_day("2020-01-01", None, now_s=NOON_S, zone=SHANGHAI) == date(2020, 1, 1)
    assert next_day(end_s, now_s=NOON_S, zone=SHANGHAI) == date(2026, 2, 28)
    today_s = day_start(date(2026, 3, 1), SHANGHAI)
    assert next_day(today_s, now_s=NOON_S, zone=SHANGHAI) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-02-19", "people.day_declared"), ("2026-02-01", "people.day_declared"),
        ("2026-03-01", "people.day_future"), ("2027-01-01", "people.day_future"),
        ("2019-12-31", "people.day"), ("yesterday", "people.day"), ("", "people.day"),
        ("9999-12-31", "people.day"), ("2026-02-30", "people.day"),
    ],
)  # fmt: skip
def test_which_day_may_not(text: str, code: str) -> None:
    end_s = day_start(date(2026, 2, 20), SHANGHAI)
    refused(code, lambda: check_day(text, end_s, now_s=NOON_S, zone=SHANGHAI))


def test_a_day_is_one_reading_typed_by_a_person() -> None:
    first = packet_of(None, date(2026, 2, 28), 5_430, zone=SHANGHAI)
    assert (first.sequence, first.interval_s, first.kind, first.opening) == (
        1, 86_400, "increment", 0,
    )  # fmt: skip
    assert list(first.increments.ints()) == [5_430]
    assert list(first.quality.ints()) == [3]
    stream = Stream(
        number=7, kind="increment", start_s=0, end_s=86_400, interval_s=86_400, next_sequence=4,
        register=900, modulus=0, total=900, packets=3, readings=3,
    )  # fmt: skip
    later = packet_of(stream, date(2026, 2, 28), 1, zone=SHANGHAI)
    assert (later.sequence, later.opening) == (4, 900)
