"""Who and what the demonstration's region has: parties, meters, and a month of made readings.

Everything is made up and says so: no organisation, person or reading here is a real one. Readings
follow from integers alone, so the month is the same wherever it is made.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

__all__ = ["DAYS", "INTERVAL_S", "METERS", "PARTIES", "PEOPLE", "PER_DAY", "REGION", "START_S",
           "ZONE", "DemoMeter", "DemoParty", "readings"]  # fmt: skip

REGION: Final = "CN-SH"
ZONE: Final = "Asia/Shanghai"
START_S: Final = 1_735_660_800
"""2025-01-01 00:00 in Shanghai."""
DAYS: Final = 31
INTERVAL_S: Final = 900
PER_DAY: Final = 96


class DemoParty(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation of the region."""

    id: str
    name: str
    roles: tuple[str, ...]


class DemoMeter(msgspec.Struct, frozen=True, kw_only=True):
    """A meter: whose it is, what it measures, its factor, and the shape of its day.

    `base` is the amount of a quiet interval in base units; `shape` the percentage of it in each
    hour of the day; `silent` intervals without readings, as (first, count) from the month's start.
    """

    id: str
    owner: str
    quantity: str
    base: int
    shape: str
    factor: str = ""
    kind: str = "increment"
    suppliers: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    silent: tuple[int, int] = (0, 0)


PARTIES: Final = (
    DemoParty(id="metering", name="Demo metering authority", roles=("metering_authority",)),
    DemoParty(id="grid", name="Demo grid company", roles=("grid_company", "supplier")),
    DemoParty(id="wind-farm", name="Demo wind farm", roles=("supplier",)),
    DemoParty(id="steel-works", name="Demo steel works", roles=("consumer", "enterprise")),
    DemoParty(id="offices", name="Demo office park", roles=("consumer", "supplier")),
    DemoParty(id="bank", name="Demo settlement bank", roles=("bank", "issuer")),
)

PEOPLE: Final = ("citizen",)
"""People of the region, who may declare their days; the ledger has a hash in place of a name."""

# Percent of the base, hour by hour.
_SHAPES: Final = {
    "works": (60, 58, 57, 57, 60, 75, 110, 150, 180, 185, 180, 165,
              150, 170, 185, 180, 170, 150, 130, 115, 100, 90, 75, 65),
    "office": (25, 24, 24, 24, 25, 30, 55, 110, 170, 185, 190, 180,
               150, 175, 185, 180, 165, 120, 80, 60, 45, 35, 30, 26),
    "sun": (0, 0, 0, 0, 0, 0, 2, 18, 55, 95, 130, 150,
            155, 140, 105, 60, 20, 1, 0, 0, 0, 0, 0, 0),
    "wind": (140, 145, 150, 150, 145, 135, 120, 105, 95, 90, 85, 80,
             80, 85, 90, 95, 100, 105, 110, 118, 125, 130, 135, 138),
}  # fmt: skip

_GRID: Final = "cn-grid-2023-sh"

METERS: Final = (
    DemoMeter(id="wind-1", owner="wind-farm", quantity="electricity.export", base=420_000,
              shape="wind", suppliers=("wind-farm",), consumers=("steel-works", "offices")),
    DemoMeter(id="steel-main", owner="steel-works", quantity="electricity.import", base=310_000,
              shape="works", factor=_GRID, kind="register",
              suppliers=("grid", "wind-farm"), consumers=("steel-works",)),
    DemoMeter(id="steel-stack", owner="steel-works", quantity="co2.measured", base=95_000,
              shape="works", suppliers=(), consumers=("steel-works",)),
    DemoMeter(id="office-a", owner="offices", quantity="electricity.import", base=24_000,
              shape="office", factor=_GRID, suppliers=("grid",), consumers=("offices",)),
    DemoMeter(id="office-b", owner="offices", quantity="electricity.import", base=17_000,
              shape="office", factor=_GRID, kind="register", suppliers=("grid",),
              consumers=("offices",), silent=(11 * PER_DAY + 38, 6)),
    DemoMeter(id="office-sun", owner="offices", quantity="electricity.generation", base=9_000,
              shape="sun", suppliers=("offices",), consumers=("offices",)),
)  # fmt: skip


def readings(meter: DemoMeter) -> list[int]:
    """The month's increments in base units, one an interval of 15 minutes."""
    shape = _SHAPES[meter.shape]
    month = []
    for day in range(DAYS):
        noise = hashlib.shake_128(f"{meter.id}/{day}".encode()).digest(PER_DAY)
        rest = meter.shape in ("works", "office") and day % 7 in (3, 4)  # 4 January is a Saturday
        for slot in range(PER_DAY):
            percent = shape[slot // 4] // (2 if rest else 1)
            month.append(meter.base * percent * (900 + noise[slot]) // 100_000)
    return month
