"""How a party and a meter of the demonstration come onto the ledger, and what the meter reports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from wattproof.demo.region import (
    DAYS,
    INTERVAL_S,
    PER_DAY,
    REGION,
    START_S,
    ZONE,
    DemoMeter,
    DemoParty,
    readings,
)
from wattproof.emissions.model import AssignFactor
from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    RegisterParty,
)
from wattproof.keys.store import KeyStore
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import Body
from wattproof.metering.model import Packet

__all__ = ["Signed", "connect", "meter_key", "packets", "register"]

Signed = tuple[Body, str]
"""A transaction's fields, and the name of the key that signs it."""


def meter_key(id_: str) -> str:
    """The name under which a meter's key is kept."""
    return f"meter/{id_}"


def register(party: DemoParty, keys: KeyStore) -> RegisterParty:
    """An organisation under the key that is kept for it; the operator signs."""
    return RegisterParty(
        id=party.id,
        kind="organisation",
        key=keys.get(party.id).public,
        name=party.name,
        roles=party.roles,
    )


def connect(meter: DemoMeter) -> Iterator[Signed]:
    """A meter's way onto the ledger: five signatures by three holders of keys."""
    key = meter_key(meter.id)
    yield (
        EnrolDevice(id=meter.id, owner=meter.owner, quantity=meter.quantity, zone=ZONE),
        key,
    )
    evidence = hashlib.sha256(f"demonstration: {meter.id}".encode()).digest()
    yield AuthenticateDevice(device=meter.id, evidence=evidence), "metering"
    yield ConfirmDevice(device=meter.id), meter.owner
    yield (
        AssociateDevice(
            device=meter.id,
            point=f"point-{meter.id}",
            region=REGION,
            suppliers=meter.suppliers,
            consumers=meter.consumers,
        ),
        meter.owner,
    )
    if meter.factor:
        yield (
            AssignFactor(device=meter.id, factor=meter.factor, version=1, from_s=START_S, to_s=0),
            meter.owner,
        )


def packets(meter: DemoMeter) -> Iterator[Signed]:
    """One packet a day; a silence splits its day, and the register then tells what was missed."""
    month = readings(meter)
    silent_from, silent = meter.silent
    sequence, register = 0, 0
    for day in range(DAYS):
        first, last = day * PER_DAY, (day + 1) * PER_DAY
        spans = [(first, last)]
        if silent and first <= silent_from < last:
            spans = [(first, silent_from), (silent_from + silent, last)]
        for start, end in spans:
            if start > first:
                register += sum(month[silent_from:start])
            sequence += 1
            values = month[start:end]
            body = Packet(
                sequence=sequence,
                start_s=START_S + start * INTERVAL_S,
                interval_s=INTERVAL_S,
                kind="register" if meter.kind == "register" else "increment",
                opening=register,
                increments=UintArray.from_ints(values),
                quality=UintArray.from_ints(()),
            )
            register += sum(values)
            yield body, meter_key(meter.id)
