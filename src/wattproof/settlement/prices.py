"""What hours of energy cost: bilateral contracts first, then a meter's tariff or its region's."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

from wattproof.ledger.machine import Context
from wattproof.settlement.model import (
    HOUR_S,
)
from wattproof.settlement.records import (
    CONTRACTS,
    TARIFFS,
    Region,
    Tariff,
    Usage,
)

__all__ = ["NotPriced", "Prices", "tariff_of"]


def tariff_of(region: Region, usage: Usage) -> str:
    """The tariff by which a meter is settled: its own, or its region's for its kind of trade."""
    return usage.tariff or (
        region.supply_tariff if usage.kind == "supply" else region.consumption_tariff
    )


class NotPriced(Exception):
    """No version of a tariff holds for an hour."""


class Prices:
    """What hours cost, in micro-fen: contracts first, then the meter's tariff or the region's."""

    def __init__(self, ctx: Context, region: Region) -> None:
        self._ctx = ctx
        self._region = region
        self._tariffs: dict[str, list[Tariff]] = {}
        self._days: dict[tuple[str, int, int], tuple[int, ...]] = {}

    def of(self, usage: Usage, start_s: int, hours: Sequence[int]) -> int:
        """What a meter's hours from `start_s` on cost, in micro-fen.

        Raises `NotPriced` where no tariff holds for one of them.
        """
        prices = self._of_hours(tariff_of(self._region, usage), start_s, len(hours))
        ufen: int = sum(map(mul, hours, prices))
        if usage.contracts:
            ufen += self._difference(usage, start_s, hours, prices)
        return ufen

    def _of_hours(self, tariff: str, start_s: int, count: int) -> tuple[int, ...]:
        """The price of each hour from `start_s` on; the same for most meters of a run."""
        key = (tariff, start_s, count)
        found = self._days.get(key)
        if found is None:
            found = self._days[key] = tuple(
                self._at(tariff, start_s + at * HOUR_S) for at in range(count)
            )
        return found

    def _at(self, tariff: str, start_s: int) -> int:
        region = self._region
        versions = self._tariffs.get(tariff)
        if versions is None:
            versions = list(self._ctx.state.scan(TARIFFS, region.region, tariff))
            self._tariffs[tariff] = versions
        in_force = [version for version in versions if version.from_s <= start_s]
        if not in_force:
            raise NotPriced
        return in_force[-1].prices_ufen[(start_s + region.offset_s) // HOUR_S % 24]

    def _difference(
        self, usage: Usage, start_s: int, hours: Sequence[int], prices: tuple[int, ...]
    ) -> int:
        """What contracts add to, or take from, the price by tariff; the earlier accepted first.

        Of an hour that was settled in part before, contracts cover what is left of their energy.
        """
        found = [self._ctx.state.get(CONTRACTS, id_) for id_ in usage.contracts]
        contracts = [contract for contract in found if contract is not None]
        ufen = 0
        for at, (amount, price) in enumerate(zip(hours, prices, strict=True)):
            at_s, left = start_s + at * HOUR_S, amount
            before = usage.last_hour_wh if at_s + HOUR_S == usage.settled_s else 0
            for contract in contracts:
                if contract.from_s <= at_s < contract.to_s:
                    used = min(before, contract.wh_per_hour)
                    part = min(left, contract.wh_per_hour - used)
                    ufen += part * (contract.price_ufen - price)
                    before -= used
                    left -= part
        return ufen
