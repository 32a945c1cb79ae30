"""The table of readings: one row a reading of a meter, with its emission.

A catch-up amount (what a register gained in a gap) is a row of its own, booked to what ends the
gap. An amount is in base units of the meter's quantity, an emission in whole grams.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wattproof.analytics.table import Array, Column, Table

__all__ = [
    "CATCH_UP_BIT",
    "FACTOR_LIMIT",
    "FLAGS",
    "READINGS",
    "Flag",
    "factor_of",
    "meter_factor",
    "meter_of",
]

READINGS: Final = Table(
    name="readings",
    columns=(
        Column("meter", "INTEGER"),  # the device's number
        Column("start_s", "BIGINT"),  # Unix seconds UTC
        Column("interval_s", "INTEGER"),
        Column("amount", "BIGINT"),  # base units of the meter's quantity
        Column("emission_g", "BIGINT", nullable=True),  # NULL: no factor was in force
        Column("factor", "INTEGER"),  # number in the lake's names "factor"; 0: none
        Column("meter_factor", "BIGINT"),  # both in one column, by which sums are grouped
        Column("flags", "UTINYINT"),  # bits of FLAGS
        Column("entry", "BIGINT"),  # index of the log entry
    ),
    sort=("meter", "start_s"),
)
"""Sorted by meter, so that one meter's readings lie together."""

FACTOR_LIMIT: Final = 1 << 20
"""Factors of which a lake can tell apart so many, less one."""


class Flag(msgspec.Struct, frozen=True):
    """A bit of the column `flags`."""

    bit: int
    name: str
    en: str
    zh: str


FLAGS: Final = (
    Flag(1, "interpolated", "interpolated between measured values", "插值"),
    Flag(2, "estimated", "estimated", "估计"),
    Flag(4, "manual", "read and typed by a person", "人工抄录"),
    Flag(8, "catch_up", "what the register gained in a gap", "间隔期间的表底增量"),
    Flag(16, "replaced", "the last step of a register that was replaced", "被更换计度器的末次增量"),
)
"""What a reading may be beside plainly measured."""

CATCH_UP_BIT: Final = 8


def meter_factor(meter: Array, factor: Array) -> Array:
    """Both numbers in one: ``meter * 2^20 + factor``, so that sums group by one column not two."""
    packed: Array = meter.astype("int64") * FACTOR_LIMIT + factor
    return packed


def meter_of(packed: Array) -> Array:
    """The meters' numbers in a column `meter_factor`."""
    meters: Array = packed // FACTOR_LIMIT
    return meters


def factor_of(packed: Array) -> Array:
    """The factors' numbers in a column `meter_factor`."""
    factors: Array = packed % FACTOR_LIMIT
    return factors
