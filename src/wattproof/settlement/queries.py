"""Reads over a settled region: runs, sums by hour and day, tariffs, contracts, filed statements.

Nothing here goes through all meters: sums come from the hours and days that the contract adds up,
and what grows with the number of meters is read a page at a time.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, NotFound
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.local_days import bucket_of
from wattproof.settlement.model import DAY_S, StatementStep, Verdict
from wattproof.settlement.records import (
    CONTRACTS,
    REGION_DAYS,
    REGION_HOURS,
    REGIONS,
    RUNS,
    STATEMENTS,
    TARIFFS,
    Bilateral,
    FiledStatement,
    Region,
    RegionDay,
    RegionHour,
    Run,
    Tariff,
    verdict_of,
)
from wattproof.settlement.refusals import REGION_UNKNOWN

__all__ = [
    "AT_MOST",
    "PeriodSum",
    "RegionSums",
    "contract_of",
    "contracts_of",
    "days_of",
    "filed_statement",
    "hours_of",
    "periods_of",
    "region_of",
    "regions",
    "run_of",
    "runs_of",
    "statements_of",
    "sums_of",
    "tariffs_in_force",
    "tariffs_of",
]

AT_MOST: Final = 100_000
"""Hours or days that one call reads: eleven years of hours."""

RUN_UNKNOWN = ErrorCode(
    NotFound,
    "settlement.run_unknown",
    en="Region {region} has no settlement run {run}.",
    zh="{region} 地区没有第 {run} 次结算。",
)
STATEMENT_UNKNOWN = ErrorCode(
    NotFound,
    "settlement.statement_unknown",
    en="Region {region} has no settlement statement {number}.",
    zh="{region} 地区没有第 {number} 号结算单。",
)
NO_CONTRACT = ErrorCode(
    NotFound,
    "settlement.no_contract",
    en="There is no contract {contract}.",
    zh="没有合同 {contract}。",
)


class RegionSums(msgspec.Struct, frozen=True, kw_only=True):
    """What was settled of a period's local days, over all runs.

    `net_wh` is supplied less consumed; `supply_fen` and `consumption_fen` what the energy costs,
    `paid_supply_fen` and `paid_consumption_fen` what changed hands. `days` counts the days on which
    something was settled, from `first_s` (the first one's beginning) up to `end_s` (the last one's
    end); both are 0 where there is none.
    """

    days: int
    first_s: int
    end_s: int
    supplied_wh: int
    consumed_wh: int
    net_wh: int
    verdict: Verdict
    supply_fen: int
    consumption_fen: int
    paid_supply_fen: int
    paid_consumption_fen: int
    trades_supply: int
    trades_consumption: int


class PeriodSum(msgspec.Struct, frozen=True, kw_only=True):
    """What was settled of one hour, local day or local month."""

    start_s: int
    end_s: int
    supplied_wh: int
    consumed_wh: int
    net_wh: int


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
    """The run; ``settlement.run_unknown`` where there is none."""
    found = reading.get(RUNS, region, number) if 0 < number < 2**53 else None
    if found is None:
        raise RUN_UNKNOWN(run=number, region=region)
    return found


def runs_of(reading: Reading, region: str) -> list[Run]:
    """The runs of a region, by number."""
    return list(reading.scan(RUNS, region))


def hours_of(
    store: Store,
    region: str,
    from_s: int | None = None,
    to_s: int | None = None,
    *,
    limit: int = AT_MOST,
) -> list[RegionHour]:
    """The first hours of the period that have anything settled, in order."""
    after = (region, -1 if from_s is None else from_s - 1)
    found = store.page(REGION_HOURS, None, (region,), after=after, limit=limit)
    return [hour for hour in found if to_s is None or hour.start_s < to_s]


def days_of(
    store: Store,
    region: str,
    from_s: int | None = None,
    to_s: int | None = None,
    *,
    limit: int = AT_MOST,
) -> list[RegionDay]:
    """The first local days of the period on which anything was settled, in order."""
    after = (region, -DAY_S if from_s is None else from_s - 1)
    found = store.page(REGION_DAYS, None, (region,), after=after, limit=limit)
    return [day for day in found if to_s is None or day.day_s < to_s]


def sums_of(
    store: Store, region: str, from_s: int | None = None, to_s: int | None = None
) -> RegionSums:
    """The sums of the local days that begin in the period; raises for a region not settled here."""
    days = days_of(store, region, from_s, to_s)
    sums = {name: sum(getattr(day, name) for day in days) for name in _ADDED}
    net_wh = sums["supplied_wh"] - sums["consumed_wh"]
    return RegionSums(
        days=len(days),
        first_s=days[0].day_s if days else 0,
        end_s=days[-1].day_s + DAY_S if days else 0,
        net_wh=net_wh,
        verdict=verdict_of(net_wh, tolerance_wh=region_of(store, region).tolerance_wh),
        **sums,
    )


def periods_of(
    store: Store,
    region: str,
    step: StatementStep,
    from_s: int | None = None,
    to_s: int | None = None,
) -> list[PeriodSum]:
    """Supplied, consumed and net by the hour, local day or local month, where anything was settled.

    A month has those of its days that lie in the period.
    """
    offset_s = region_of(store, region).offset_s
    parts: list[tuple[int, int, int]]
    if step == "hour":
        hours = hours_of(store, region, from_s, to_s)
        parts = [(one.start_s, one.supplied_wh, one.consumed_wh) for one in hours]
    else:
        days = days_of(store, region, from_s, to_s)
        parts = [(one.day_s, one.supplied_wh, one.consumed_wh) for one in days]
    sums: dict[tuple[int, int], list[int]] = {}
    for start_s, supplied_wh, consumed_wh in parts:
        known = sums.setdefault(bucket_of(start_s, step, offset_s), [0, 0])
        known[0] += supplied_wh
        known[1] += consumed_wh
    return [
        PeriodSum(
            start_s=start_s,
            end_s=end_s,
            supplied_wh=supplied_wh,
            consumed_wh=consumed_wh,
            net_wh=supplied_wh - consumed_wh,
        )
        for (start_s, end_s), (supplied_wh, consumed_wh) in sums.items()
    ]


def tariffs_of(reading: Reading, region: str, id_: str | None = None) -> list[Tariff]:
    """A region's tariffs, or one of them, by id and then by the time from which they hold."""
    return list(reading.scan(TARIFFS, *((region,) if id_ is None else (region, id_))))


def tariffs_in_force(reading: Reading, region: str, at_s: int) -> list[Tariff]:
    """Of each of a region's tariffs what holds at `at_s`, by id."""
    return list({one.id: one for one in tariffs_of(reading, region) if one.from_s <= at_s}.values())


def contract_of(reading: Reading, id_: str) -> Bilateral:
    """The contract; raises ``settlement.no_contract``."""
    found = reading.get(CONTRACTS, id_)
    if found is None:
        raise NO_CONTRACT(contract=id_)
    return found


def contracts_of(
    store: Store, party: str | None = None, *, after: str | None = None, limit: int = 100
) -> list[Bilateral]:
    """The contracts that a party offered or that were offered to it, or all; by id.

    The first `limit` behind the id `after`.
    """
    behind = None if after is None else (after,)
    if party is None:
        return store.page(CONTRACTS, after=behind, limit=limit)
    found = {
        one.id: one
        for index in ("consumer", "supplier")
        for one in store.page(CONTRACTS, index, (party,), after=behind, limit=limit)
    }
    return [found[id_] for id_ in sorted(found)][:limit]


def statements_of(reading: Reading, region: str) -> list[FiledStatement]:
    """The statements that were filed of a region, by number."""
    return list(reading.scan(STATEMENTS, region))


def filed_statement(reading: Reading, region: str, number: int) -> FiledStatement:
    """A statement that was filed; raises ``settlement.statement_unknown``."""
    found = reading.get(STATEMENTS, region, number) if 0 < number < 2**53 else None
    if found is None:
        raise STATEMENT_UNKNOWN(region=region, number=number)
    return found


_ADDED: Final = tuple(name for name in RegionDay.__struct_fields__ if name not in REGION_DAYS.key)
"""The fields of a day that can be added up."""
