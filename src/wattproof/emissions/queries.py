"""What is known of factors, and what meters have emitted."""

from __future__ import annotations

from collections.abc import Iterator

from wattproof.core.errors import ErrorCode, NotFound
from wattproof.emissions.model import (
    ASSIGNMENTS,
    EMISSION_STREAMS,
    FACTORS,
    Assignment,
    EmissionStream,
    Factor,
)
from wattproof.ledger.state import Reading

__all__ = [
    "assignments_of",
    "emission_stream",
    "factor",
    "factors",
    "latest_factor",
    "split_name",
]

FACTOR_UNKNOWN = ErrorCode(
    NotFound,
    "emissions.factor_unknown",
    en="No emission factor {factor} has been published on this ledger.",
    zh="本账本上没有发布过排放因子 {factor}。",
)


def factors(reading: Reading) -> Iterator[Factor]:
    """All versions of all factors, by id and version."""
    return reading.scan(FACTORS)


def factor(reading: Reading, id_: str, version: int) -> Factor | None:
    """One version of a factor."""
    return reading.get(FACTORS, id_, version)


def split_name(name: str) -> tuple[str, int]:
    """Id and version of a factor that is named ``id@version``; no version is 0, which none has."""
    id_, _, version = name.rpartition("@")
    known = version.isascii() and version.isdigit() and len(version) < 10
    return id_, int(version) if known else 0


def latest_factor(reading: Reading, id_: str) -> Factor:
    """The newest version of a factor; raises ``emissions.factor_unknown`` where there is none."""
    versions = list(reading.scan(FACTORS, id_))
    if not versions:
        raise FACTOR_UNKNOWN(factor=id_)
    return versions[-1]


def assignments_of(reading: Reading, number: int) -> Iterator[Assignment]:
    """The factors of the meter with this number, by time; past ones too."""
    return reading.scan(ASSIGNMENTS, number)


def emission_stream(reading: Reading, number: int) -> EmissionStream | None:
    """What the meter with this number has emitted; None before its first packet."""
    return reading.get(EMISSION_STREAMS, number)
