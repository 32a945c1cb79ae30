"""A ledger in memory with active meters that report: what tests of metering and emissions need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tests.support.memory_ledger import Accepted, MemoryLedger, key_of

from wattproof.emissions.contract import CONTRACT as EMISSIONS
from wattproof.emissions.model import FactorStatement, PublishFactors
from wattproof.emissions.tracking.contract import CONTRACT as TRACKING
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.identity.model import DEVICES, AuthenticateDevice, ConfirmDevice, EnrolDevice
from wattproof.keys.uint_array import UintArray
from wattproof.metering.contract import CONTRACT as METERING
from wattproof.metering.model import STREAMS, Kind, Packet, PacketAccepted, Stream

__all__ = ["QUARTER_S", "START_S", "Meters", "packet_of", "statement"]

START_S: Final = 1_690_000_200
"""When readings of tests begin, unless they say otherwise: on a quarter of an hour."""

QUARTER_S: Final = 900

FOUNDERS: Final = {
    "registrar": ("registrar",),
    "importer": ("consumer", "importer"),
    "authority": ("metering_authority",),
    "publisher": ("factor_authority",),
    "stranger": ("consumer",),
}


def packet_of(
    amounts: Iterable[int],
    *,
    sequence: int = 1,
    start_s: int = START_S,
    interval_s: int = QUARTER_S,
    kind: Kind = "increment",
    opening: int = 0,
    quality: Iterable[int] = (),
) -> Packet:
    """A packet of these amounts."""
    return Packet(
        sequence=sequence,
        start_s=start_s,
        interval_s=interval_s,
        kind=kind,
        opening=opening,
        increments=UintArray.from_ints(amounts),
        quality=UintArray.from_ints(quality),
    )


def statement(
    id_: str = "grid", *, value_ug: int = 530_600, quantity: str = "electricity"
) -> FactorStatement:
    """A factor as an authority states it."""
    return FactorStatement(
        id=id_,
        set="test",
        kind="average",
        level="national",
        region="CN",
        name_en="A grid",
        name_zh="某电网",
        quantity=quantity,
        data_year=2022,
        published="2024-12-01",
        value=str(value_ug),
        unit="ugCO2/Wh",
        value_ug=value_ug,
        gas="CO2",
        source="a test",
        confidence="high",
    )


class Meters:
    """A ledger with identity, metering and emissions; each meter's key is `key_of` its id."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger([IDENTITY, METERING, EMISSIONS, TRACKING], authorise)
        self.ledger.genesis(FOUNDERS)

    def add(
        self,
        id_: str = "m1",
        *,
        quantity: str = "electricity.import",
        owner: str = "importer",
        modulus: int = 0,
    ) -> int:
        """Enrol a meter and make it active; its number."""
        key = key_of(id_)
        body = EnrolDevice(
            id=id_, owner=owner, quantity=quantity, zone="Asia/Shanghai", register_modulus=modulus
        )
        self.ledger.submit(body, key)
        evidence = AuthenticateDevice(device=id_, evidence=bytes(32))
        self.ledger.submit(evidence, key_of("importer"))
        self.ledger.submit(ConfirmDevice(device=id_), key_of(owner))
        return len(list(self.ledger.state.scan(DEVICES)))

    def publish(self, *factors: FactorStatement) -> None:
        """Publish factors."""
        self.ledger.submit(PublishFactors(factors=factors), key_of("publisher"))

    def send(self, packet: Packet, *, meter: str = "m1") -> PacketAccepted:
        """Submit a packet as a meter; what became of it."""
        return self.accept(packet, meter=meter).event(PacketAccepted)

    def accept(self, packet: Packet, *, meter: str = "m1") -> Accepted:
        """Submit a packet as a meter."""
        return self.ledger.submit(packet, key_of(meter))

    def stream(self, number: int = 1) -> Stream:
        """How far a meter has got."""
        return self.ledger.one(STREAMS, number)
