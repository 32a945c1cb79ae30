"""A region in memory whose meters trade: what tests of settlement need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tests.support.memory_ledger import Accepted, MemoryLedger, key_of
from tests.support.meters import packet_of, statement

from wattproof.book.contract import CONTRACT as BOOK
from wattproof.book.model import BALANCES, DefineAsset, SetOverdraft
from wattproof.book.queries import conservation
from wattproof.emissions.contract import CONTRACT as EMISSIONS
from wattproof.emissions.model import PublishFactors
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.identity.model import (
    DEVICES,
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
)
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.machine import Contract
from wattproof.ledger.transaction import Body
from wattproof.metering.contract import CONTRACT as METERING
from wattproof.metering.model import STREAMS
from wattproof.settlement.contract import CONTRACT as SETTLEMENT
from wattproof.settlement.events import Settled
from wattproof.settlement.model import (
    Band,
    BatchRun,
    CloseRun,
    DefineRegion,
    OpenRun,
    PublishTariff,
    TopUpWallet,
)
from wattproof.settlement.records import (
    REGIONS,
    RUNS,
    USAGE,
    Region,
    Run,
    Usage,
)
from wattproof.settlement.wallets import wallet_account

__all__ = ["DAY_S", "HOUR_S", "REGION", "START_S", "Trading", "price"]

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
REGION: Final = "CN-SH"
START_S: Final = 1_689_955_200
"""2023-07-22 00:00 in Shanghai."""

FOUNDERS: Final = {
    "registrar": ("registrar",),
    "importer": ("consumer", "importer"),
    "metering": ("metering_authority",),
    "publisher": ("factor_authority",),
    "bank": ("bank", "issuer"),
    "grid": ("consumer", "grid_company", "supplier"),
    "wind": ("supplier",),
    "works": ("consumer",),
    "house": ("consumer", "supplier"),
}


def price(cny_per_mwh: int) -> int:
    """Micro-fen per Wh of a price in CNY/MWh: 500 is 50 000."""
    return cny_per_mwh * 100


class Trading:
    """A region with a pool, money and two fixed tariffs: 400 CNY/MWh bought, 500 sold."""

    def __init__(
        self, *, tolerance_wh: int = 0, pool_fen: int = 10**12, more: Sequence[Contract] = ()
    ) -> None:
        contracts = [IDENTITY, BOOK, METERING, EMISSIONS, SETTLEMENT, *more]
        self.ledger = MemoryLedger(contracts, authorise)
        self.ledger.genesis(FOUNDERS)
        self.submit(DefineAsset(id="CNY", kind="money", unit="fen", decimals=2), "bank")
        factors = PublishFactors(factors=(statement(), statement("rest", value_ug=600_000)))
        self.submit(factors, "publisher")
        self.region_like(REGION, tolerance_wh=tolerance_wh)
        self.tariff("feed-in", (0, price(400)))
        self.tariff("retail", (0, price(500)))
        limit = SetOverdraft(account=f"pool:{REGION}", asset="CNY", limit=pool_fen)
        if pool_fen:
            self.submit(limit, "bank")

    def submit(self, body: Body, by: str) -> Accepted:
        return self.ledger.submit(body, key_of(by))

    def region_like(self, region: str, *, tolerance_wh: int = 0) -> Accepted:
        """Another region of the grid company's, with the same tariffs by name."""
        body = DefineRegion(
            region=region,
            money="CNY",
            offset_s=8 * HOUR_S,
            tolerance_wh=tolerance_wh,
            location_factor="grid@1",
            residual_factor="rest@1",
            supply_tariff="feed-in",
            consumption_tariff="retail",
        )
        return self.submit(body, "grid")

    def tariff(self, id_: str, *bands: tuple[int, int], from_s: int = 0) -> Accepted:
        body = PublishTariff(
            region=REGION,
            id=id_,
            from_s=from_s,
            bands=tuple(Band(from_s=at, price_ufen=ufen) for at, ufen in bands),
        )
        return self.submit(body, "grid")

    def meter(self, id_: str, *, owner: str, supply: bool = False, money: int = 0) -> int:
        """A meter of the region, active; its number."""
        quantity = "electricity.export" if supply else "electricity.import"
        enrol = EnrolDevice(id=id_, owner=owner, quantity=quantity, zone="Asia/Shanghai")
        self.submit(enrol, id_)
        self.submit(AuthenticateDevice(device=id_, evidence=bytes(32)), "importer")
        self.submit(ConfirmDevice(device=id_), owner)
        self.associate(id_, REGION)
        number = self.ledger.one(DEVICES, id_).number
        if money:
            self.top_up(id_, money)
        return number

    def associate(self, id_: str, region: str, *, by: str = "metering") -> Accepted:
        """Put a meter into a region, between its owner and the grid."""
        device = self.ledger.one(DEVICES, id_)
        supplies = device.quantity == "electricity.export"
        supplier, consumer = (device.owner, "grid") if supplies else ("grid", device.owner)
        body = AssociateDevice(
            device=id_,
            point=f"p-{id_}",
            region=region,
            suppliers=(supplier,),
            consumers=(consumer,),
        )
        return self.submit(body, by)

    def top_up(self, id_: str, fen: int) -> Accepted:
        body = TopUpWallet(device=id_, asset="CNY", amount=fen, source="", memo="")
        return self.submit(body, "bank")

    def report(
        self, id_: str, amounts: Iterable[int], *, start_s: int, interval_s: int = HOUR_S
    ) -> Accepted:
        """The meter's next packet."""
        number = self.ledger.one(DEVICES, id_).number
        stream = self.ledger.state.get(STREAMS, number)
        packet = packet_of(
            amounts,
            sequence=1 if stream is None else stream.next_sequence,
            start_s=start_s,
            interval_s=interval_s,
            kind="register",
            opening=0 if stream is None else stream.register,
        )
        return self.submit(packet, id_)

    def run(self, until_s: int, *, batch: int = 1000, by: str = "grid") -> list[Settled]:
        """A whole run over all meters that have anything; what was settled."""
        self.open(until_s, by=by)
        settled = [self.batch(some) for some in self.batches(batch)]
        self.close()
        return settled

    def open(self, until_s: int, *, by: str = "grid") -> Accepted:
        return self.submit(OpenRun(region=REGION, until_s=until_s), by)

    def batches(self, size: int) -> list[Sequence[int]]:
        meters = [usage.number for usage in self.ledger.state.scan(USAGE)]
        return [meters[at : at + size] for at in range(0, len(meters), size)]

    def batch(self, meters: Sequence[int]) -> Settled:
        body = BatchRun(
            region=REGION,
            run=self.region.open_run,
            after=self.last_run.reached,
            meters=UintArray.from_ints(meters),
        )
        return self.submit(body, "grid").event(Settled)

    def close(self) -> Accepted:
        return self.submit(CloseRun(region=REGION, run=self.region.open_run), "grid")

    @property
    def region(self) -> Region:
        return self.ledger.one(REGIONS, REGION)

    @property
    def last_run(self) -> Run:
        return self.ledger.one(RUNS, REGION, self.region.runs)

    def usage(self, number: int) -> Usage:
        return self.ledger.one(USAGE, number)

    def fen(self, number: int) -> int:
        """What is in a meter's wallet."""
        return self.balance(wallet_account(number), "CNY")

    def balance(self, account: str, asset: str) -> int:
        found = self.ledger.state.get(BALANCES, account, asset)
        return 0 if found is None else found.amount

    @property
    def net_wh(self) -> int:
        """What the pool holds of the region's energy."""
        return self.balance(f"pool:{REGION}", f"energy:{REGION}")

    def check(self) -> None:
        """Everything is conserved."""
        for row in conservation(self.ledger.state):
            assert row.sum == 0, row
