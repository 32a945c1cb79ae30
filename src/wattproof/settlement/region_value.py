"""A region's value of a period: its sums, and beside them the emissions, each by name."""

from __future__ import annotations

import msgspec

from wattproof.ledger.store import Store
from wattproof.settlement.queries import RegionSums, region_of, sums_of
from wattproof.settlement.statement import grams

__all__ = ["RegionValue", "value_of"]


class RegionValue(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of a period, and grams CO2 worked out from them as a statement does.

    `net_emission_g` is net energy times the location-based factor, `location_based_g` consumption
    times the same, `market_based_g` consumption times the residual one.
    """

    region: str
    sums: RegionSums
    tolerance_wh: int
    location_factor: str
    residual_factor: str
    net_emission_g: int
    location_based_g: int
    market_based_g: int


def value_of(
    store: Store, region: str, from_s: int | None = None, to_s: int | None = None
) -> RegionValue:
    """The value of a region's local days that begin in the period.

    Raises ``settlement.region_unknown``.
    """
    found, sums = region_of(store, region), sums_of(store, region, from_s, to_s)
    return RegionValue(
        region=region,
        sums=sums,
        tolerance_wh=found.tolerance_wh,
        location_factor=found.location_factor,
        residual_factor=found.residual_factor,
        net_emission_g=grams(sums.net_wh, found.location_ug),
        location_based_g=grams(sums.consumed_wh, found.location_ug),
        market_based_g=grams(sums.consumed_wh, found.residual_ug),
    )
