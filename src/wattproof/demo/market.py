"""What the region's settlement needs beside it: two more parties, prices, a contract, money.

Everything is made up. The solar park sells, the bakery buys: its meter's last days come after the
month was settled, and its wallet was topped up by too little.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wattproof.book.model import DefineAsset
from wattproof.demo.meters import Signed
from wattproof.demo.region import DAYS, INTERVAL_S, PER_DAY, REGION, START_S, DemoMeter, DemoParty
from wattproof.settlement.model import (
    HOUR_S,
    AcceptContract,
    Band,
    DefineRegion,
    OfferContract,
    PublishTariff,
    TopUpWallet,
)

__all__ = ["BAKERY", "END_S", "GRID", "LATE_DAY", "METERS", "PARTIES", "TECHNOLOGIES", "agreed",
           "opening", "rest_of_money", "top_ups"]  # fmt: skip

MONEY: Final = "CNY"
GRID: Final = "grid"
"""The grid company, which settles the region."""
BANK: Final = "bank"
OFFSET_S: Final = 8 * HOUR_S
END_S: Final = START_S + DAYS * PER_DAY * INTERVAL_S
"""When the month ends."""
LATE_DAY: Final = 25
"""The day of the month, from 0, from which on the bakery's packets are late."""

PARTIES: Final = (
    DemoParty(id="solar-park", name="Demo solar park", roles=("supplier",)),
    DemoParty(id="bakery", name="Demo bakery", roles=("consumer",)),
)
BAKERY: Final = DemoMeter(
    id="bakery-1", owner="bakery", quantity="electricity.import", base=2_000, shape="works",
    factor="cn-grid-2023-sh", suppliers=(GRID,), consumers=("bakery",),
)  # fmt: skip
METERS: Final = (
    DemoMeter(id="solar-1", owner="solar-park", quantity="electricity.export", base=70_000,
              shape="sun", suppliers=("solar-park",), consumers=("offices",)),
    BAKERY,
)  # fmt: skip
TECHNOLOGIES: Final = {"wind-1": "T020000", "solar-1": "T010000"}
"""What supplies, in EECS codes, as trace codes name it."""

_FEED_IN: Final = ((0, 39_000),)
_RETAIL: Final = (
    (0, 31_000), (6, 62_000), (8, 103_000), (11, 62_000), (18, 103_000), (21, 62_000), (22, 31_000),
)  # fmt: skip
"""Prices from an hour of the day on, in micro-fen per Wh: a valley, a flat and a peak price."""

_TOP_UPS: Final = (
    ("steel-main", 80_000_000),
    ("office-a", 6_000_000),
    ("office-b", 5_000_000),
    ("mill-total", 20_000_000),
    ("bakery-1", 300_000),
)
"""Fen for each consuming meter's wallet; the bakery's does not last."""


def opening() -> Iterator[Signed]:
    """The region and its prices: what there must be before meters report what is to be settled."""
    yield DefineAsset(id=MONEY, kind="money", unit="fen", decimals=2), BANK
    yield (
        DefineRegion(
            region=REGION,
            money=MONEY,
            offset_s=OFFSET_S,
            tolerance_wh=0,
            location_factor="cn-grid-2023-sh@1",
            residual_factor="cn-grid-2023-national-residual@1",
            supply_tariff="feed-in",
            consumption_tariff="retail",
        ),
        GRID,
    )
    for id_, hours in (("feed-in", _FEED_IN), ("retail", _RETAIL)):
        bands = tuple(Band(from_s=hour * HOUR_S, price_ufen=price) for hour, price in hours)
        yield PublishTariff(region=REGION, id=id_, from_s=START_S, bands=bands), GRID


def agreed() -> Iterator[Signed]:
    """A contract between the wind farm and the steel works, of energy that both have every hour."""
    id_ = "wind-for-steel-2025"
    yield (
        OfferContract(
            id=id_,
            supply="wind-1",
            consumption="steel-main",
            wh_per_hour=300_000,
            price_ufen=45_000,
            from_s=START_S,
            to_s=END_S,
        ),
        "wind-farm",
    )
    yield AcceptContract(id=id_), "steel-works"


def top_ups() -> Iterator[Signed]:
    """Money into the consumers' wallets, by the bank."""
    for device, fen in _TOP_UPS:
        yield _top_up(device, fen, "January"), BANK


def rest_of_money() -> Signed:
    """What the bakery still needed."""
    return _top_up(BAKERY.id, 300_000, "January, the rest"), BANK


def _top_up(device: str, fen: int, memo: str) -> TopUpWallet:
    return TopUpWallet(device=device, asset=MONEY, amount=fen, source="", memo=memo)
