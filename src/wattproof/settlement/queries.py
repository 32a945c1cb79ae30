"""Reads over settlement: regions, runs, wallets, and the trades of a meter."""

from __future__ import annotations

from wattproof.ledger.state import Reading
from wattproof.settlement.model import REGIONS, RUNS, Region, Run
from wattproof.settlement.refusals import REGION_UNKNOWN, RUN_GONE

__all__ = ["region_of", "regions", "run_of", "runs_of"]


def regions(reading: Reading) -> list[Region]:
    """All regions, by id."""
    return list(reading.scan(REGIONS))


def region_of(reading: Reading, id_: str) -> Region:
    """The region; ``settlement.region_unknown`` where it is not settled here."""
    found = reading.get(REGIONS, id_)
    if found is None:
        raise REGION_UNKNOWN(region=id_)
    return found


def run_of(reading: Reading, region: str, number: int) -> Run:
    """The run; ``settlement.run_not_open`` where there is none."""
    found = reading.get(RUNS, region, number)
    if found is None:
        raise RUN_GONE(run=number, region=region)
    return found


def runs_of(reading: Reading, region: str) -> list[Run]:
    """The runs of a region, by number."""
    return list(reading.scan(RUNS, region))
