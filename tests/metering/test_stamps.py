"""Stamps: formats, offsets, clocks that change, midnights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import hypothesis.strategies as st
import pytest
from hypothesis import given
from tests.support.refusals import refused

from wattproof.core.periods import parse_time
from wattproof.metering.stamps import ISO, StampReader, check_format


def reader(
    format_: str = ISO, *, zone: str | None = "Asia/Shanghai", midnight: bool = False
) -> StampReader:
    return StampReader(format_, zone=zone, midnight_closes=midnight)


@pytest.mark.parametrize(
    ("format_", "text", "iso"),
    [
        (ISO, "2018-01-02T03:04:05", "2018-01-02T03:04:05+08:00"),
        (ISO, "2018-01-02 03:04", "2018-01-02T03:04:00+08:00"),
        (ISO, "2018-01-02T03:04:05Z", "2018-01-02T03:04:05+00:00"),
        (ISO, "2018-01-02T03:04:05+0530", "2018-01-02T03:04:05+05:30"),
        (ISO, "20180102T030405-0100", "2018-01-02T03:04:05-01:00"),
        (ISO, "2018-01-02", "2018-01-02T00:00:00+08:00"),
        (ISO, "2018-01-02T24:00", "2018-01-03T00:00:00+08:00"),
        (ISO, "2018-12-31 24:00:00Z", "2019-01-01T00:00:00+00:00"),
        ("%d/%m/%Y %H:%M", "2/1/2018 3:04", "2018-01-02T03:04:00+08:00"),
        ("%d/%m/%Y %H:%M", "02/01/2018 24:00", "2018-01-03T00:00:00+08:00"),
        ("%d/%m/%Y %H:%M", "2/1/2018  03:04", "2018-01-02T03:04:00+08:00"),
        ("%Y%m%dT%H:%M:%S", "20180102T03:04:05", "2018-01-02T03:04:05+08:00"),
        ("%Y-%m-%d %H:%M:%S%z", "2018-01-02 03:04:05+0100", "2018-01-02T03:04:05+01:00"),
        ("%m/%d/%y %I:%M %p", "01/02/18 03:04 PM", "2018-01-02T15:04:00+08:00"),
        ("%Y年%m月%d日 %H:%M", "2018年01月02日 03:04", "2018-01-02T03:04:00+08:00"),
        ("%Y-%m-%d", "2018-01-02", "2018-01-02T00:00:00+08:00"),
    ],
)
def test_a_stamp_is_an_instant(format_: str, text: str, iso: str) -> None:
    assert reader(check_format(format_)).read(text) == parse_time(iso, "UTC")


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        (ISO, ""),
        (ISO, "yesterday"),
        (ISO, "2018-02-30T00:00"),
        (ISO, "2018-01-01T24:01"),
        (ISO, "2018-13-01T24:00"),
        (ISO, "2018-01-01T00:00:00.5"),
        (ISO, "9999-12-31T24:00Z"),
        (ISO, "9999-12-31T24:00"),
        ("%d/%m/%Y %H:%M", "1/13/2018 00:00"),
        ("%d/%m/%Y %H:%M", "1/1/2018 24:01"),
        ("%d/%m/%Y %H:%M", "1/1/2018 0:00 Uhr"),
        ("%d/%m/%Y %H:%M", "1/1/2018"),
        ("%d/%m/%Y %H:%M", "1/1/2018 00:60"),
        ("%Y-%m-%d %H:%M:%S.%f", "2018-01-01 00:00:00.25"),
    ],
)
def test_unreadable_stamps(format_: str, text: str) -> None:
    refused("import.stamp", lambda: reader(format_).read(text))


@pytest.mark.parametrize("text", ["1899-12-31T01:00", "2200-01-01T00:00", "9999-12-31T01:00"])
def test_stamps_outside_of_history(text: str) -> None:
    refused("core.time_range", lambda: reader(midnight=True).read(text))


def test_midnight_closes_the_day_that_it_names() -> None:
    for format_, text in (
        (ISO, "2018-01-02T00:00"),
        ("%d/%m/%Y %H:%M", "2/1/2018 0:00"),
        ("%d/%m/%Y %H:%M", "2/1/2018 24:00"),
        (ISO, "2018-01-02T24:00"),
        (ISO, "2018-01-02T00:00+08:00"),
    ):
        assert reader(format_, midnight=True).read(text) == parse_time(
            "2018-01-03", "Asia/Shanghai"
        )
    assert reader(midnight=True).read("2018-01-02T00:01") == parse_time(
        "2018-01-02T00:01", "Asia/Shanghai"
    )


def test_clocks_that_change() -> None:
    for format_ in (ISO, "%Y-%m-%d %H:%M"):
        berlin = reader(format_, zone="Europe/Berlin")
        refused("core.time_double", lambda b=berlin: b.read("2016-10-30 02:30"))  # type: ignore[misc]
        refused("core.time_skipped", lambda b=berlin: b.read("2016-03-27 02:30"))  # type: ignore[misc]
        before, after = berlin.read("2016-10-30 01:30"), berlin.read("2016-10-30 03:30")
        assert after - before == 3 * 3600
        assert berlin.read("2016-03-27 03:30") - berlin.read("2016-03-27 01:30") == 3600


def test_a_day_has_one_end_where_the_clock_jumps_over_midnight() -> None:
    closing = reader(zone="America/Sao_Paulo", midnight=True)
    assert closing.read("2018-11-03T00:00") == parse_time("2018-11-04T03:00Z", "UTC")
    opening = reader(zone="America/Sao_Paulo")
    refused("core.time_skipped", lambda: opening.read("2018-11-04T00:00"))


def test_offsets_are_carried_by_all_stamps_or_by_none() -> None:
    mixed = reader()
    mixed.read("2018-01-01T00:00Z")
    refused("import.mixed_offsets", lambda: mixed.read("2018-01-01T01:00"))
    assert mixed.read("2018-01-01T01:00+00:00")
    mixed = reader()
    mixed.read("2018-01-01T00:00")
    refused("import.mixed_offsets", lambda: mixed.read("2018-01-01T01:00Z"))


def test_a_local_stamp_needs_a_zone() -> None:
    refused("import.no_zone", lambda: reader(zone=None).read("2018-01-01T00:00"))
    assert reader(zone=None).read("1970-01-01T00:01Z") == 60


@pytest.mark.parametrize("format_", ["", "%H:%M", "%d/%m %H:%M", "%", "%Q", "(%Y", "iso"])
def test_formats_that_do_not_tell_the_day(format_: str) -> None:
    refused("import.format", lambda: check_format(format_))


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 4, 14 * 4),
)
def test_all_ways_of_writing_a_time_agree(local: datetime, quarters: int) -> None:
    plain = local.replace(second=0, microsecond=0)
    offset = timezone(timedelta(minutes=15 * quarters))
    expected = int(plain.replace(tzinfo=offset).timestamp())
    assert reader().read(plain.replace(tzinfo=offset).isoformat()) == expected
    utc_s = int(plain.replace(tzinfo=UTC).timestamp())
    for format_ in (ISO, "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %M %H"):
        text = plain.isoformat() if format_ == ISO else plain.strftime(format_)
        assert reader(format_, zone="UTC").read(text) == utc_s
