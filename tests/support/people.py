"""Parties and devices for tests, each with `key_of` its id."""

from __future__ import annotations

from tests.support.memory_ledger import MemoryLedger, key_of

from wattproof.identity.contract import CONTRACT, authorise
from wattproof.identity.model import (
    DEVICES,
    AuthenticateDevice,
    ConfirmDevice,
    Device,
    EnrolDevice,
    RegisterParty,
)
from wattproof.ledger.machine import Contract

__all__ = ["EVIDENCE", "active_meter", "authenticated_meter", "enrolled_meter", "new_ledger",
           "organisation"]  # fmt: skip

EVIDENCE = bytes(range(32))
"""The hash of documents that nobody has to read."""


def new_ledger(*contracts: Contract) -> MemoryLedger:
    """A ledger opened by ``registrar`` and ``importer``, with a metering ``authority``, an
    ``owner``, a ``supplier`` and a ``consumer``, and with identity under the given contracts."""
    ledger = MemoryLedger([CONTRACT, *contracts], authorise)
    ledger.genesis()
    organisation(ledger, "authority", "metering_authority")
    organisation(ledger, "owner")
    organisation(ledger, "supplier", "supplier")
    organisation(ledger, "consumer", "consumer")
    return ledger


def organisation(ledger: MemoryLedger, id_: str, *roles: str) -> None:
    """Register an organisation with these roles."""
    body = RegisterParty(
        id=id_,
        kind="organisation",
        key=key_of(id_).public,
        name=f"Organisation {id_}",
        roles=roles,
    )
    ledger.submit(body, key_of("registrar"))


def enrolled_meter(
    ledger: MemoryLedger,
    id_: str = "meter",
    *,
    owner: str = "owner",
    quantity: str = "electricity.import",
    register_modulus: int = 0,
) -> Device:
    """A device that has only applied."""
    body = EnrolDevice(
        id=id_,
        owner=owner,
        quantity=quantity,
        zone="Asia/Shanghai",
        register_modulus=register_modulus,
    )
    ledger.submit(body, key_of(id_))
    return ledger.one(DEVICES, id_)


def authenticated_meter(
    ledger: MemoryLedger, id_: str = "meter", *, owner: str = "owner"
) -> Device:
    """A device that ``authority`` vouches for."""
    enrolled_meter(ledger, id_, owner=owner)
    ledger.submit(AuthenticateDevice(device=id_, evidence=EVIDENCE), key_of("authority"))
    return ledger.one(DEVICES, id_)


def active_meter(
    ledger: MemoryLedger,
    id_: str = "meter",
    *,
    owner: str = "owner",
    quantity: str = "electricity.import",
    register_modulus: int = 0,
) -> Device:
    """A device that may report: enrolled, authenticated by ``authority``, confirmed."""
    enrolled_meter(ledger, id_, owner=owner, quantity=quantity, register_modulus=register_modulus)
    ledger.submit(AuthenticateDevice(device=id_, evidence=EVIDENCE), key_of("authority"))
    ledger.submit(ConfirmDevice(device=id_), key_of(owner))
    return ledger.one(DEVICES, id_)
