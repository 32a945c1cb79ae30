"""Meters whose ledger keeps its log, so that it can be projected into a lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from tests.support.memory_ledger import Accepted, MemoryLedger, key_of
from tests.support.meters import FOUNDERS, Meters

from wattproof.analytics.lake import Lake
from wattproof.analytics.log import StoredLog
from wattproof.analytics.project import lake_for, project
from wattproof.analytics.readings import READINGS
from wattproof.analytics.snapshot import Snapshot
from wattproof.emissions.contract import CONTRACT as EMISSIONS
from wattproof.emissions.model import AssignFactor
from wattproof.emissions.projection import ReadingsProjector
from wattproof.emissions.tracking.contract import CONTRACT as TRACKING
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.identity.model import (
    DEVICES,
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
)
from wattproof.ledger.leaf import leaf_of
from wattproof.ledger.merkle import leaf_hash
from wattproof.metering.contract import CONTRACT as METERING

__all__ = ["LoggedEntry", "LoggedLedger", "RecordedMeters", "rows_of"]

READING_FIELDS = "meter, start_s, interval_s, amount, emission_g, factor, flags, entry"


class LoggedEntry(msgspec.Struct, frozen=True):
    """An entry as a store would give it."""

    index: int
    leaf: bytes
    result: bytes

    @property
    def leaf_hash(self) -> bytes:
        return leaf_hash(self.leaf)


class LoggedLedger(MemoryLedger):
    """A ledger in memory that also keeps the leaves and results of its log."""

    def __init__(self, *contracts: Any) -> None:
        super().__init__(contracts, authorise)
        self.logged: list[LoggedEntry] = []

    def submit_raw(self, raw: bytes, *, aad: bytes | None = None) -> Accepted:
        accepted = super().submit_raw(raw, aad=aad)
        leaf = leaf_of(raw, height=self.size, time_ms=self.time_ms)
        self.logged.append(LoggedEntry(accepted.index, leaf, accepted.result))
        return accepted

    def entries(self, first: int, count: int) -> list[LoggedEntry]:
        return self.logged[first : first + count]


class RecordedMeters(Meters):
    """Meters in zones and regions of their own, and the lake of what they report."""

    def __init__(self) -> None:
        self.logged = LoggedLedger(IDENTITY, METERING, EMISSIONS, TRACKING)
        self.ledger = self.logged
        self.ledger.genesis({**FOUNDERS, "consumer": ("consumer",)})

    @property
    def log(self) -> StoredLog:
        return StoredLog(self.logged, self.ledger.machine.codec)

    def install(
        self,
        id_: str = "m1",
        *,
        zone: str = "Asia/Shanghai",
        quantity: str = "electricity.import",
        region: str = "",
    ) -> int:
        """An active meter in a zone, and in a region if one is given; its number."""
        key, owner = key_of(id_), "importer"
        self.ledger.submit(EnrolDevice(id=id_, owner=owner, quantity=quantity, zone=zone), key)
        self.ledger.submit(AuthenticateDevice(device=id_, evidence=bytes(32)), key_of(owner))
        self.ledger.submit(ConfirmDevice(device=id_), key_of(owner))
        if region:
            point = AssociateDevice(
                device=id_, point=f"{id_}.point", region=region, consumers=("consumer",)
            )
            self.ledger.submit(point, key_of(owner))
        return self.ledger.one(DEVICES, id_).number

    def assign(
        self, factor: str, *, meter: str = "m1", from_s: int = 0, to_s: int = 0, version: int = 1
    ) -> None:
        """Put a factor in force."""
        body = AssignFactor(device=meter, factor=factor, version=version, from_s=from_s, to_s=to_s)
        self.ledger.submit(body, key_of("importer"))

    def lake(self, folder: Path) -> Lake:
        """The lake in a folder, not yet brought up to date."""
        return lake_for(folder, [ReadingsProjector()], ledger_id=self.ledger.ledger_id)

    def projected(self, folder: Path) -> Lake:
        """The lake in a folder, with all that is in the log."""
        lake = self.lake(folder)
        project(self.log, lake, [ReadingsProjector()])
        return lake


def rows_of(lake: Lake) -> list[tuple[Any, ...]]:
    """All readings in a lake as tuples of `READING_FIELDS`, sorted."""

    def work(snapshot: Snapshot) -> list[tuple[Any, ...]]:
        relation = snapshot.relation(READINGS.name)
        return snapshot.db.execute(f"SELECT {READING_FIELDS} FROM {relation}").fetchall()

    return sorted(lake.read(work), key=lambda row: (row[7], row[1]))
