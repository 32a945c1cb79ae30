"""A settled region on disk: meters that report, runs, and statements of what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Self

from tests.support.meters import packet_of, statement

from wattproof.analytics.lake import Lake
from wattproof.analytics.log import StoredLog
from wattproof.analytics.project import lake_for, project
from wattproof.book.model import DefineAsset, SetOverdraft
from wattproof.cli.host import Opening
from wattproof.emissions.life import PROJECTORS
from wattproof.emissions.model import PublishFactors
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.identity.model import (
    DEVICES,
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    RegisterParty,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Receipt
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.metering.model import STREAMS
from wattproof.node import IMPORTER, OPERATOR, create_ledger, machine
from wattproof.settlement.model import Band, DefineRegion, PublishTariff, TopUpWallet
from wattproof.settlement.records import Run
from wattproof.settlement.runner import settle_region

__all__ = ["DAY_S", "GRID", "HOUR_S", "OFFSET_S", "REGION", "START_S", "SettledRegion"]

REGION: Final = "CN-SH"
GRID: Final = "grid"
"""The party that settles it; its key is in the folder under this name."""
HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
OFFSET_S: Final = 8 * HOUR_S
START_S: Final = 1_735_660_800
"""2025-01-01 00:00 in Shanghai."""
ROLES: Final = ("bank", "consumer", "grid_company", "issuer", "supplier")


class SettledRegion:
    """A ledger in a folder; while it is open (`with`), meters report and are settled.

    The grid buys at 400 and sells at 500 CNY/MWh. The location factor is 530 600 µg/Wh, the
    residual one 600 000.
    """

    def __init__(self, path: Path) -> None:
        self.folder: Final = LedgerFolder(path, machine())
        self._keys: dict[str, SigningKey] = {}
        self._writer: Writer | None = None

    @classmethod
    def made(cls, path: Path, *, regions: Sequence[str] = (REGION,), tolerance_wh: int = 0,
             ) -> SettledRegion:  # fmt: skip
        """A new ledger with these regions."""
        region = cls(path)
        opening = Opening(name="r", organisation="R", uscc="", zone="Asia/Shanghai")
        create_ledger(region.folder, opening)
        with region.folder.keys() as keys:
            keys.get_or_create(GRID)
        with region:
            region.found()
            for id_ in regions:
                region.define(id_, tolerance_wh=tolerance_wh)
        return region

    def __enter__(self) -> Self:
        with self.folder.keys() as keys:
            self._keys |= {name: keys.get(name) for name in (OPERATOR, IMPORTER, GRID)}
        self._writer = self.folder.open_writer(workers=0)
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()
        self._writer = None

    @property
    def writer(self) -> Writer:
        assert self._writer is not None, "not open"
        return self._writer

    @property
    def store(self) -> Store:
        return self.writer.store

    def submit(self, body: Body, by: str = GRID) -> Receipt:
        key = self._keys.setdefault(by, _key(by))
        raw = sign_transaction(body, key, ledger_id=self.writer.ledger_id)
        return self.writer.engine.submit(raw)

    def found(self) -> None:
        """The grid, money and factors."""
        public = self._keys[GRID].public
        self.submit(
            RegisterParty(id=GRID, kind="organisation", key=public, name="Grid", roles=ROLES),
            OPERATOR,
        )
        self.submit(DefineAsset(id="CNY", kind="money", unit="fen", decimals=2))
        factors = (statement(), statement("rest", value_ug=600_000))
        self.submit(PublishFactors(factors=factors), OPERATOR)

    def define(self, region: str, *, tolerance_wh: int = 0) -> None:
        """A region with its tariffs and a pool that can pay."""
        self.submit(
            DefineRegion(
                region=region, money="CNY", offset_s=OFFSET_S, tolerance_wh=tolerance_wh,
                location_factor="grid@1", residual_factor="rest@1",
                supply_tariff="buy", consumption_tariff="sell",
            )
        )  # fmt: skip
        for id_, price_ufen in (("buy", 40_000), ("sell", 50_000)):
            bands = (Band(from_s=0, price_ufen=price_ufen),)
            self.submit(PublishTariff(region=region, id=id_, from_s=0, bands=bands))
        self.submit(SetOverdraft(account=f"pool:{region}", asset="CNY", limit=10**12))

    def meter(
        self,
        id_: str,
        *,
        supply: bool = False,
        region: str = REGION,
        quantity: str = "",
        money: int = 10**6,
    ) -> int:
        """An active meter in a region, if one is given; its number."""
        quantity = quantity or ("electricity.export" if supply else "electricity.import")
        self.submit(EnrolDevice(id=id_, owner=IMPORTER, quantity=quantity, zone="UTC"), id_)
        self.submit(AuthenticateDevice(device=id_, evidence=bytes(32)), IMPORTER)
        self.submit(ConfirmDevice(device=id_), IMPORTER)
        if region:
            self.associate(id_, region, supply=supply)
        if money and not supply:
            self.top_up(id_, money)
        return self.number(id_)

    def associate(self, id_: str, region: str, *, supply: bool = False) -> None:
        """Put a meter into a region."""
        sides = ((IMPORTER,), (GRID,)) if supply else ((GRID,), (IMPORTER,))
        self.submit(
            AssociateDevice(
                device=id_, point=id_, region=region, suppliers=sides[0], consumers=sides[1]
            ),
            OPERATOR,
        )

    def top_up(self, id_: str, fen: int) -> None:
        """Money into a meter's wallet."""
        self.submit(TopUpWallet(device=id_, asset="CNY", amount=fen, source="", memo=""))

    def number(self, id_: str) -> int:
        found = self.store.get(DEVICES, id_)
        assert found is not None, id_
        return found.number

    def report(
        self, id_: str, amounts: Iterable[int], *, start_s: int = START_S, interval_s: int = HOUR_S
    ) -> Receipt:
        """The meter's next packet."""
        stream = self.store.get(STREAMS, self.number(id_))
        packet = packet_of(
            amounts,
            sequence=1 if stream is None else stream.next_sequence,
            start_s=start_s,
            interval_s=interval_s,
            kind="register",
            opening=0 if stream is None else stream.register,
        )
        return self.submit(packet, id_)

    def run(self, until_s: int, *, region: str = REGION, batch: int = 1000) -> Run:
        """A whole run."""
        return settle_region(
            self.store, self.writer.engine, region=region, key=self._keys[GRID],
            ledger_id=self.writer.ledger_id, until_s=until_s, batch=batch,
        )  # fmt: skip

    def lake(self) -> Lake:
        """The lake, with all that is in the log."""
        lake = lake_for(self.folder.lake, PROJECTORS, ledger_id=self.writer.ledger_id)
        project(StoredLog(self.store, self.folder.machine.codec), lake, PROJECTORS)
        return lake


def _key(name: str) -> SigningKey:
    """A meter's key, the same whenever it is asked for."""
    return SigningKey.from_seed(name.encode().ljust(32, b"."))
