"""A ledger on disk with a total and one part, whose difference is watched by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wattproof.cli.host import Opening
from wattproof.emissions.tracking.model import DefineBinding, DefinePort, DefineThreshold, Line
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.identity.model import AuthenticateDevice, ConfirmDevice, EnrolDevice
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.metering.model import Packet
from wattproof.node import IMPORTER, create_ledger, machine

__all__ = ["HOUR_S", "START_S", "ZONE", "WatchedPlant"]

HOUR_S = 3600
START_S = 1_735_660_800
"""2025-01-01 00:00 in `ZONE`."""
ZONE = "Asia/Shanghai"


class WatchedPlant:
    """The host is the importer; ports 1 and 2 are bound in group 1, with a line of 10 Wh."""

    def __init__(self, path: Path) -> None:
        self.folder = LedgerFolder(path / "ledger", machine())
        create_ledger(self.folder, Opening(name="n", organisation="N", uscc="", zone=ZONE))
        with self.folder.keys() as keys:
            self.importer = keys.get(IMPORTER)
        self.keys = {name: SigningKey.generate() for name in ("total", "part")}
        self.hours = 0
        self.registers = {"total": 0, "part": 0}
        with self.folder.write(workers=0) as writer:
            self.wire(writer)

    def wire(self, writer: Writer) -> None:
        for number, (name, key) in enumerate(self.keys.items(), start=1):
            enrol = EnrolDevice(id=name, owner=IMPORTER, quantity="electricity.import", zone=ZONE)
            self.submit(writer, enrol, key)
            self.submit(writer, AuthenticateDevice(device=name, evidence=bytes(32)), self.importer)
            self.submit(writer, ConfirmDevice(device=name), self.importer)
            port = DefinePort(
                number=number, device=name, transport="", plant="", process="", person=""
            )
            self.submit(writer, port, self.importer)
        bind = DefineBinding(group=1, kind="total", measure="amount", left=(1,), right=(2,))
        self.submit(writer, bind, self.importer)
        line = Line(value=10, unit="absolute")
        watch = DefineThreshold(group=1, set=1, step_s=HOUR_S, offset_s=0, lines=(line,))
        self.submit(writer, watch, self.importer)

    def submit(self, writer: Writer, body: Body, key: SigningKey) -> Receipt:
        raw = sign_transaction(body, key, ledger_id=writer.ledger_id)
        return writer.engine.submit(raw)

    def report(self, writer: Writer, errors: Sequence[int]) -> None:
        """An hour for each error: 100 Wh of the total, and so much less of the part."""
        for name, amounts in (
            ("total", [100] * len(errors)),
            ("part", [100 - error for error in errors]),
        ):
            for at, amount in enumerate(amounts):
                packet = Packet(
                    sequence=self.hours + at + 1,
                    start_s=START_S + (self.hours + at) * HOUR_S,
                    interval_s=HOUR_S,
                    kind="increment",
                    opening=self.registers[name],
                    increments=UintArray.from_ints([amount]),
                    quality=UintArray.from_ints(()),
                )
                self.submit(writer, packet, self.keys[name])
                self.registers[name] += amount
        self.hours += len(errors)
