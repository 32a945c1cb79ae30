"""Two regions with local times of their own, and an independent account of what trades must be.

`TwoRegions` is a ledger in memory; `Account` is what a careful clerk would write beside it: hour by
hour, band by band, reading by reading, without looking at how the ledger does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.support.memory_ledger import Accepted
from tests.support.trading import DAY_S, HOUR_S, REGION, Trading, price

from wattproof.identity.model import DEVICES, AuthenticateDevice, ConfirmDevice, EnrolDevice
from wattproof.keys.uint_array import UintArray
from wattproof.settlement.events import Trade
from wattproof.settlement.model import Band, BatchRun, DefineRegion, Kind, PublishTariff
from wattproof.settlement.records import REGIONS, RUNS, Region, Run

__all__ = ["OTHER", "Account", "Agreed", "Bands", "Meter", "TwoRegions"]

OTHER: Final = "CN-BJ"
Bands = tuple[tuple[int, int], ...]
"""A tariff's day: from which second of it on, which price in micro-fen per Wh."""


class TwoRegions(Trading):
    """Regions ``CN-SH`` and ``CN-BJ``; local times so many seconds ahead of UTC."""

    def __init__(self, *, offsets_s: tuple[int, int], pool_fen: int = 10**12) -> None:
        self.offsets_s = dict(zip((REGION, OTHER), offsets_s, strict=True))
        super().__init__(pool_fen=pool_fen)
        self.region_like(OTHER)
        self.publish(OTHER, "feed-in", self.first_s(OTHER), (0, price(300)))
        self.publish(OTHER, "retail", self.first_s(OTHER), (0, price(700)))

    def first_s(self, region: str) -> int:
        """The first whole hour of a region's local time since 1970."""
        return -self.offsets_s[region] % HOUR_S

    def region_like(self, region: str, *, tolerance_wh: int = 0) -> Accepted:
        body = DefineRegion(
            region=region,
            money="CNY",
            offset_s=self.offsets_s[region],
            tolerance_wh=tolerance_wh,
            location_factor="grid@1",
            residual_factor="rest@1",
            supply_tariff="feed-in",
            consumption_tariff="retail",
        )
        return self.submit(body, "grid")

    def tariff(self, id_: str, *bands: tuple[int, int], from_s: int = 0) -> Accepted:
        return self.publish(REGION, id_, from_s or self.first_s(REGION), *bands)

    def publish(self, region: str, id_: str, from_s: int, *bands: tuple[int, int]) -> Accepted:
        made = tuple(Band(from_s=at, price_ufen=ufen) for at, ufen in bands)
        return self.submit(PublishTariff(region=region, id=id_, from_s=from_s, bands=made), "grid")

    def meter_of(self, id_: str, *, owner: str, supply: bool, region: str, modulus: int = 0) -> int:
        """An active meter in a region; its number."""
        enrol = EnrolDevice(
            id=id_,
            owner=owner,
            quantity="electricity.export" if supply else "electricity.import",
            zone="UTC",
            register_modulus=modulus,
        )
        self.submit(enrol, id_)
        self.submit(AuthenticateDevice(device=id_, evidence=bytes(32)), "importer")
        self.submit(ConfirmDevice(device=id_), owner)
        self.associate(id_, region)
        return self.ledger.one(DEVICES, id_).number

    def region_called(self, region: str) -> Region:
        return self.ledger.one(REGIONS, region)

    def run_called(self, region: str) -> Run:
        """The region's last run."""
        return self.ledger.one(RUNS, region, self.region_called(region).runs)

    def batch_of(self, region: str, meters: Sequence[int]) -> BatchRun:
        """The next batch of the run that is open, of these meters."""
        return BatchRun(
            region=region,
            run=self.region_called(region).open_run,
            after=self.run_called(region).reached,
            meters=UintArray.from_ints(meters),
        )


@dataclass
class Agreed:
    """A contract that was accepted: so much an hour of each of its two meters."""

    price_ufen: int
    wh_per_hour: int
    from_s: int
    to_s: int


@dataclass
class Meter:
    """What is known of a meter beside the ledger; `hours` are those that wait."""

    number: int
    name: str
    kind: Kind
    region: str
    hours: dict[int, int] = field(default_factory=dict)
    tariff: str = ""
    contracts: list[str] = field(default_factory=list)
    used: dict[tuple[str, int], int] = field(default_factory=dict)
    reported_wh: int = 0
    carry_ufen: int = 0
    due_fen: int = 0
    wallet_fen: int = 0
    trades: list[tuple[int, Trade]] = field(default_factory=list)

    @property
    def last_entry(self) -> int:
        return self.trades[-1][0] if self.trades else -1

    def read(self, at_s: int, wh: int, offset_s: int) -> None:
        """Take a reading that begins at an instant."""
        hour_s = (at_s + offset_s) // HOUR_S * HOUR_S - offset_s
        first_s, last_s = min([hour_s, *self.hours]), max([hour_s, *self.hours])
        for at in range(first_s, last_s + HOUR_S, HOUR_S):
            self.hours.setdefault(at, 0)
        self.hours[hour_s] += wh
        self.reported_wh += wh


@dataclass
class Account:
    """What the trades of two regions must be; money in fen, prices in micro-fen per Wh."""

    offsets_s: dict[str, int]
    tariffs: dict[tuple[str, str], dict[int, Bands]] = field(default_factory=dict)
    contracts: dict[str, Agreed] = field(default_factory=dict)
    pools_fen: dict[str, int] = field(default_factory=dict)
    settled: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def hours_of(self, region: str) -> dict[int, tuple[int, int]]:
        """What was settled of each hour: supplied and consumed Wh."""
        return {
            hour_s: (supplied, consumed)
            for (of_region, hour_s), (supplied, consumed) in self.settled.items()
            if of_region == region
        }

    def hour_ufen(self, meter: Meter, hour_s: int, wh: int) -> int:
        """What an hour's energy costs; what contracts cover is used up."""
        default = "feed-in" if meter.kind == "supply" else "retail"
        versions = self.tariffs[meter.region, meter.tariff or default]
        bands = versions[max(from_s for from_s in versions if from_s <= hour_s)]
        local_s = (hour_s + self.offsets_s[meter.region]) % DAY_S
        rate = [ufen for from_s, ufen in bands if from_s <= local_s][-1]
        left, ufen = wh, 0
        for id_ in meter.contracts:
            agreed = self.contracts[id_]
            if agreed.from_s <= hour_s < agreed.to_s:
                used = meter.used.get((id_, hour_s), 0)
                part = min(left, agreed.wh_per_hour - used)
                meter.used[id_, hour_s] = used + part
                left -= part
                ufen += part * agreed.price_ufen
        return ufen + left * rate

    def trades_of(self, meter: Meter, until_s: int, *, there_fen: int) -> list[Trade]:
        """A meter's trades in a run up to `until_s`, if so much money is there to pay them."""
        offset_s = self.offsets_s[meter.region]
        over = sorted(hour_s for hour_s in meter.hours if hour_s + HOUR_S <= until_s)
        days: dict[int, list[int]] = {}
        for hour_s in over:
            days.setdefault((hour_s + offset_s) // DAY_S, []).append(hour_s)
        made: list[Trade] = []
        for hours in days.values():
            wh = sum(meter.hours[hour_s] for hour_s in hours)
            ufen = sum(self.hour_ufen(meter, hour_s, meter.hours[hour_s]) for hour_s in hours)
            if wh:
                made.append(self._trade(meter, hours, wh, ufen, there_fen, len(made)))
                there_fen -= made[-1].paid_fen
        for hour_s in over:
            wh = meter.hours.pop(hour_s)
            if wh:
                sides = self.settled.setdefault((meter.region, hour_s), [0, 0])
                sides[meter.kind == "consumption"] += wh
        if not made and meter.due_fen and there_fen > 0:
            made.append(self._trade(meter, [], 0, 0, there_fen, 0, at_s=until_s - HOUR_S))
        return made

    def _trade(
        self, meter: Meter, hours: list[int], wh: int, ufen: int, there_fen: int, before: int,
        *, at_s: int = 0,
    ) -> Trade:  # fmt: skip
        fen, meter.carry_ufen = divmod(ufen + meter.carry_ufen, 1_000_000)
        owed = meter.due_fen + fen
        paid_fen = min(owed, max(0, there_fen))
        meter.due_fen = owed - paid_fen
        sign = 1 if meter.kind == "supply" else -1
        meter.wallet_fen += sign * paid_fen
        self.pools_fen[meter.region] = self.pools_fen.get(meter.region, 0) - sign * paid_fen
        return Trade(
            meter=meter.number,
            trade=len(meter.trades) + before + 1,
            first_s=hours[0] if hours else at_s,
            hours=(hours[-1] - hours[0]) // HOUR_S + 1 if hours else 0,
            wh=wh,
            fen=fen,
            paid_fen=paid_fen,
            due_fen=meter.due_fen,
            previous=meter.last_entry,
        )
