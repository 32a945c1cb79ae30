"""Distances along tracking points."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.emissions.logistics.track import (
    Point,
    check_step,
    digest_of,
    distance_m,
    parse_point,
)


def point(latitude: str, longitude: str, *, at: int = 0, line: int = 2) -> Point:
    return parse_point(line=line, time_s=at, latitude=latitude, longitude=longitude)


def test_known_geodesics() -> None:
    """A degree of the equator, a quarter of the meridian, and Paris to New York (Karney)."""
    assert distance_m([point("0", "0"), point("0", "1")]) == 111_319
    assert distance_m([point("0", "0"), point("90", "0")]) == 10_001_966
    jfk_cdg = [point("40.6", "-73.8"), point("49.01666667", "2.55")]
    assert distance_m(jfk_cdg) == 5_853_226
    assert distance_m([point("0", "179.5"), point("0", "-179.5")]) == 111_319


def test_rounding_is_done_once_at_the_end() -> None:
    steps = [point("0", f"0.{number:06}") for number in range(0, 1000, 1)]
    assert distance_m(steps) == distance_m([steps[0], steps[-1]]) == 111


@given(st.lists(st.tuples(st.integers(-89, 89), st.integers(-179, 179)), min_size=3, max_size=6))
def test_a_way_is_no_shorter_than_its_ends_are_apart(places: list[tuple[int, int]]) -> None:
    points = [point(str(latitude), str(longitude)) for latitude, longitude in places]
    assert distance_m(points) >= distance_m([points[0], points[-1]]) - 1
    assert type(distance_m(points)) is int


def test_what_is_signed_of_points_can_be_shown_again() -> None:
    points = [point("31.2304", "121.4737", at=5), point("-0.00000005", "180", at=6)]
    text = "5,312304000,1214737000\n6,0,1800000000\n"
    assert digest_of(points) == hashlib.sha256(text.encode()).digest()
    assert digest_of(points) != digest_of(points[::-1])


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: point("90.0000001", "0"), "shipments.point_range"),
        (lambda: point("0", "-180.1"), "shipments.point_range"),
        (lambda: point("1e999999", "0"), "shipments.point_range"),
        (lambda: point("north", "0"), "core.number"),
        (lambda: point("nan", "0"), "core.number"),
        (lambda: distance_m([point("0", "0")]), "shipments.point_count"),
        (lambda: distance_m([]), "shipments.point_count"),
        (
            lambda: check_step(point("0", "0", at=9), point("0", "0", at=8), limit_kmh=100),
            "shipments.point_backwards",
        ),
        (
            lambda: check_step(point("0", "0"), point("0", "1", at=3600), limit_kmh=100),
            "shipments.point_speed",
        ),
        (
            lambda: check_step(point("0", "0"), point("0", "1"), limit_kmh=1200),
            "shipments.point_speed",
        ),
    ],
)
def test_points_that_cannot_be(call: Callable[[], object], code: str) -> None:
    refused(code, call)


def test_points_a_few_metres_off_at_the_same_second_are_well() -> None:
    check_step(point("0", "0"), point("0", "0.0005"), limit_kmh=100)
    check_step(point("0", "0"), point("0", "1", at=4000), limit_kmh=101)
