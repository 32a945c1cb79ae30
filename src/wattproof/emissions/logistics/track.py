"""The way along tracking points: a geodesic on the WGS84 ellipsoid between each and the next.

Points are given in the order of time. One that cannot be (out of range, backwards in time, faster
than anything goes) is named with its line, and then the whole track gives no distance: which of
its points is the wrong one is not for us to guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Final

import msgspec
from geographiclib.geodesic import Geodesic

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.units import parse_decimal

__all__ = ["MAX_SPEED_KMH", "Point", "check_step", "digest_of", "distance_m", "parse_point"]

MAX_SPEED_KMH: Final = 1200
"""What nothing that carries freight exceeds, in km/h, unless a mapping says otherwise."""

_PARTS: Final = 10**7
"""Parts of a degree that are kept: one is 11 mm of latitude."""

RANGE = ErrorCode(
    Malformed,
    "shipments.point_range",
    en="{text} is no {what}: it lies between -{most} and {most} degrees.",
    zh="{text} 不是{what_zh}：应在 -{most} 至 {most} 度之间。",
)
BACKWARDS = ErrorCode(
    Malformed,
    "shipments.point_backwards",
    en="The point is earlier than the one before it, on line {line}.",
    zh="该点的时间早于第 {line} 行的前一点。",
)
TOO_FAST = ErrorCode(
    Malformed,
    "shipments.point_speed",
    en="From line {line} to here are {metres} m in {seconds} s, faster than {limit} km/h.",
    zh="自第 {line} 行至此为 {metres} 米、{seconds} 秒，超过每小时 {limit} 公里。",
)
TOO_FEW = ErrorCode(
    Malformed,
    "shipments.point_count",
    en="The shipment has one tracking point; a way needs two.",
    zh="该运输只有一个轨迹点，至少需要两个。",
)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Where something was: Unix seconds, ten-millionths of a degree, and its line in the file."""

    line: int
    time_s: int
    latitude: int
    longitude: int


def parse_point(*, line: int, time_s: int, latitude: str, longitude: str) -> Point:
    """A point from decimal degrees, rounded to 10^-7; raises ``shipments.point_range``."""
    return Point(
        line=line,
        time_s=time_s,
        latitude=_parts(latitude, most=90, what="latitude", what_zh="纬度"),
        longitude=_parts(longitude, most=180, what="longitude", what_zh="经度"),
    )


def check_step(before: Point, here: Point, *, limit_kmh: int) -> None:
    """Raise why nobody can have gone from one point to the next."""
    seconds = here.time_s - before.time_s
    if seconds < 0:
        raise BACKWARDS(line=before.line)
    metres = round(_between(before, here))
    # A point is taken within a second, and a few metres off.
    if max(0, metres - 100) * 3600 > limit_kmh * 1000 * (seconds + 1):
        raise TOO_FAST(line=before.line, metres=metres, seconds=seconds, limit=limit_kmh)


def distance_m(points: Sequence[Point]) -> int:
    """The length of the way in whole metres, rounded once at its end.

    Raises ``shipments.point_count`` where there are fewer than two points.
    """
    if len(points) < 2:
        raise TOO_FEW()
    return round(sum(_between(before, here) for before, here in pairwise(points)))


def digest_of(points: Sequence[Point]) -> bytes:
    """SHA-256 of the points, a line each: Unix seconds, latitude, longitude in 10^-7 degrees.

    So whoever has the points can show that a record was made with them; the log does not have them.
    """
    lines = (f"{point.time_s},{point.latitude},{point.longitude}\n" for point in points)
    return hashlib.sha256("".join(lines).encode()).digest()


def _between(before: Point, here: Point) -> float:
    """Metres between two points (Karney 2013, doi:10.1007/s00190-012-0578-z)."""
    found = Geodesic.WGS84.Inverse(
        before.latitude / _PARTS,
        before.longitude / _PARTS,
        here.latitude / _PARTS,
        here.longitude / _PARTS,
        Geodesic.DISTANCE,
    )
    return float(found["s12"])


def _parts(text: str, *, most: int, what: str, what_zh: str) -> int:
    value = parse_decimal(text)
    if value.adjusted() > 3 or not -most <= value <= most:
        raise RANGE(text=text[:40], most=most, what=what, what_zh=what_zh)
    scaled = value.quantize(Decimal(1) / _PARTS, rounding=ROUND_HALF_EVEN)
    return int(scaled * _PARTS)
