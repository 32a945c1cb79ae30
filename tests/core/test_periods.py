"""Periods: the buckets of every zone tile time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wattproof.core.errors import WattProofError
from wattproof.core.periods import (
    DEFAULT_ZONE,
    FIRST_S,
    LAST_S,
    STEPS,
    Step,
    bucket_bounds,
    bucket_start,
    check_step,
    check_zone_name,
    iso,
    load_zone,
    local_seconds,
    parse_time,
    utc_offsets,
)

DAY_S = 86_400
# Plain, half-hour, and the awkward ones: half-hour summer time, changes at midnight, a date left
# out, a change over midnight, war-time double summer time, Ramadan.
ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Pacific/Apia",
    "America/St_Johns",
    "America/Toronto",
    "Europe/London",
    "Africa/Casablanca",
)
INSTANTS = st.integers(FIRST_S + 1600 * DAY_S, LAST_S - 1600 * DAY_S)
STEP = st.sampled_from(STEPS)
ZONE = st.sampled_from(ZONES)
SPAN_S: dict[Step, int] = {
    "hour": 3 * DAY_S,
    "day": 40 * DAY_S,
    "month": 400 * DAY_S,
    "year": 1200 * DAY_S,
}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@given(INSTANTS, st.integers(0, 10_000), STEP, ZONE)
@example(at("2011-12-30T10:00"), 9000, "day", "Pacific/Apia")
@example(at("1988-10-30T02:31"), 5000, "day", "America/St_Johns")
@example(at("1919-03-31T04:45"), 5000, "day", "America/Toronto")
@example(at("2018-04-07T15:10"), 5000, "hour", "Australia/Lord_Howe")
def test_buckets_tile_time(first_s: int, share: int, step: Step, zone: str) -> None:
    last_s = first_s + SPAN_S[step] * share // 10_000
    bounds = bucket_bounds(first_s, last_s, step, zone)
    assert bounds[0] <= first_s < bounds[1]
    assert bounds[-2] <= last_s < bounds[-1]
    assert all(low < high for low, high in pairwise(bounds))
    for start in bounds[:-1]:
        assert bucket_start(start, step, zone) == start
    for low, high in pairwise(bounds):
        assert bucket_start(high - 1, step, zone) == low
        assert bucket_start((low + high) // 2, step, zone) == low


@given(INSTANTS, STEP, ZONE)
def test_an_instant_lies_in_the_bucket_that_the_bounds_name(
    t_s: int, step: Step, zone: str
) -> None:
    bounds = bucket_bounds(t_s - SPAN_S[step] // 2, t_s + SPAN_S[step] // 2, step, zone)
    assert bounds[bisect_right(bounds, t_s) - 1] == bucket_start(t_s, step, zone)


@given(INSTANTS, STEP, ZONE)
def test_longer_buckets_are_made_of_whole_days(t_s: int, step: Step, zone: str) -> None:
    start = bucket_start(t_s, step, zone)
    if step != "hour":
        assert bucket_start(start, "day", zone) == start
        assert bucket_start(start, "hour", zone) == start


@given(INSTANTS, st.integers(0, 900 * DAY_S), ZONE)
def test_offsets_are_those_of_the_zone(first_s: int, span_s: int, zone: str) -> None:
    pairs = utc_offsets(first_s, first_s + span_s, zone)
    assert pairs[0][0] == first_s
    clock = ZoneInfo(zone)
    for index, (from_s, offset_s) in enumerate(pairs):
        seen = datetime.fromtimestamp(from_s, clock).utcoffset()
        assert seen is not None
        assert seen.total_seconds() == offset_s
        if index:
            before = datetime.fromtimestamp(from_s - 1, clock).utcoffset()
            assert before is not None
            assert before.total_seconds() == pairs[index - 1][1] != offset_s


def hours_of_day(text: str, zone: str) -> int:
    start = parse_time(text, zone)
    end = bucket_bounds(start, start, "day", zone)[1]
    return len(bucket_bounds(start, end - 1, "hour", zone)) - 1


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2018-03-25", "Europe/Berlin", 23),
        ("2018-10-28", "Europe/Berlin", 25),
        ("2018-07-01", "Europe/Berlin", 24),
        ("2018-10-28", "Asia/Shanghai", 24),
        ("2018-04-01", "Australia/Lord_Howe", 25),
        ("2018-11-04", "America/Sao_Paulo", 23),
        ("2018-02-17", "America/Sao_Paulo", 25),
    ],
)
def test_hours_of_days_when_clocks_change(day: str, zone: str, hours: int) -> None:
    assert hours_of_day(day, zone) == hours


def test_a_left_out_date_begins_with_the_next() -> None:
    zone = "Pacific/Apia"
    assert parse_time("2011-12-30", zone) == parse_time("2011-12-31", zone)
    bounds = bucket_bounds(parse_time("2011-12-29", zone), at("2012-01-02T00:00"), "day", zone)
    assert [iso(bound, zone)[:10] for bound in bounds[:4]] == [
        "2011-12-29",
        "2011-12-31",
        "2012-01-01",
        "2012-01-02",
    ]


def test_a_day_without_midnight_begins_where_the_clock_jumped() -> None:
    assert iso(parse_time("2018-11-04", "America/Sao_Paulo"), "America/Sao_Paulo") == (
        "2018-11-04T01:00:00-02:00"
    )


def test_iso_and_back() -> None:
    assert DEFAULT_ZONE == "Asia/Shanghai"
    assert iso(at("2017-12-31T15:15"), "Asia/Seoul") == "2018-01-01T00:15:00+09:00"
    assert iso(0, "UTC") == "1970-01-01T00:00:00+00:00"


@given(INSTANTS, ZONE)
def test_a_shown_time_reads_back(t_s: int, zone: str) -> None:
    assert parse_time(iso(t_s, zone), DEFAULT_ZONE) == t_s


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2023", "2022-12-31T16:00"),
        ("2023-05", "2023-04-30T16:00"),
        ("2023-05-31", "2023-05-30T16:00"),
        (" 2023-05-31T08:15:00 ", "2023-05-31T00:15"),
        ("2023-05-31 08:15", "2023-05-31T00:15"),
        ("2023-05-31T08:15:00+09:00", "2023-05-30T23:15"),
        ("2023-05-31T08:15:00Z", "2023-05-31T08:15"),
        ("1988-07-01T00:00", "1988-06-30T15:00"),
    ],
)
def test_times_that_people_write(text: str, instant: str) -> None:
    assert parse_time(text, DEFAULT_ZONE) == at(instant)


def test_local_times() -> None:
    berlin = "Europe/Berlin"
    assert local_seconds(datetime(2018, 3, 25, 1, 59), berlin) == at("2018-03-25T00:59")  # noqa: DTZ001
    assert local_seconds(datetime(2018, 3, 25, 3, 0), berlin) == at("2018-03-25T01:00")  # noqa: DTZ001
    assert local_seconds(datetime(2018, 10, 28, 3, 0), berlin) == at("2018-10-28T02:00")  # noqa: DTZ001


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: load_zone("Mars/Olympus"), "core.zone"),
        (lambda: load_zone("../../etc/passwd"), "core.zone"),
        (lambda: load_zone("Asia"), "core.zone"),
        (lambda: load_zone("localtime"), "core.zone"),
        (lambda: load_zone(""), "core.zone"),
        (lambda: check_zone_name("A" * 65), "core.zone"),
        (lambda: check_zone_name("/etc/localtime"), "core.zone"),
        (lambda: check_step("week"), "core.step"),
        (lambda: parse_time("yesterday", "UTC"), "core.time"),
        (lambda: parse_time("2023-13", "UTC"), "core.time"),
        (lambda: parse_time("2023-05-31T08:15:00.5", "UTC"), "core.time"),
        (lambda: parse_time("1899-12-31", "UTC"), "core.time_range"),
        (lambda: parse_time("9999-12-31T23:59:59-05:00", "UTC"), "core.time_range"),
        (lambda: iso(LAST_S + 1, "UTC"), "core.time_range"),
        (lambda: bucket_start(FIRST_S - 1, "day", "UTC"), "core.time_range"),
        (lambda: parse_time("2018-03-25T02:30", "Europe/Berlin"), "core.time_skipped"),
        (lambda: parse_time("2018-10-28T02:30", "Europe/Berlin"), "core.time_double"),
        (lambda: bucket_bounds(0, LAST_S, "hour", "UTC"), "core.buckets"),
    ],
)
def test_bad_times_have_codes(call: Callable[[], object], code: str) -> None:
    with pytest.raises(WattProofError) as refused:
        call()
    assert refused.value.code == code
    assert refused.value.text("en") != refused.value.text("zh")


def test_names_that_are_zones() -> None:
    for name in (*ZONES, "America/Argentina/Buenos_Aires", "Etc/GMT+8", "PRC"):
        assert check_zone_name(name) == name
        assert load_zone(name).key == name
    assert [check_step(step) for step in STEPS] == list(STEPS)
