"""Whether a run would find anything to settle, so that one that would not need not be run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wattproof.book.queries import payable
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.model import HOUR_S
from wattproof.settlement.prices import tariff_of
from wattproof.settlement.queries import region_of, tariffs_of
from wattproof.settlement.records import USAGE, Region, Usage
from wattproof.settlement.wallets import wallet_account

__all__ = ["waits"]

AT_ONCE: Final = 2_000
"""Meters that are read at a time."""


def waits(store: Store, region: str, until_s: int) -> bool:
    """Whether a meter of the region has hours that end up to `until_s`, or can pay what is due.

    Hours for which there is no price do not count: a run would leave them out. Reads meters up to
    the first that has, so it takes longest where the answer is no.
    """
    found = region_of(store, region)
    first_prices = {tariff.id: tariff.from_s for tariff in reversed(tariffs_of(store, region))}
    after: tuple[int] | None = None
    while page := store.page(USAGE, "region", (region,), after=after, limit=AT_ONCE):
        if any(_waits(store, found, usage, until_s, first_prices) for usage in page):
            return True
        after = (page[-1].number,)
    return False


def _waits(
    reading: Reading, region: Region, usage: Usage, until_s: int, first_prices: Mapping[str, int]
) -> bool:
    if usage.hours_wh and usage.start_s + HOUR_S <= until_s:
        at = next((at for at, wh in enumerate(usage.hours_wh) if wh), 0)
        tariff = tariff_of(region, usage)
        if first_prices.get(tariff, until_s) <= usage.start_s + at * HOUR_S:
            return True
    if not usage.due_fen:
        return False
    payer = wallet_account(usage.number) if usage.kind == "consumption" else region.pool
    return payable(reading, account=payer, asset=region.money) > 0
