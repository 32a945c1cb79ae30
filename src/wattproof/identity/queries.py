"""Reads over identity: parties, devices, keys and associations."""

from __future__ import annotations

from wattproof.identity.lifecycle import PARTY_TRANSITIONS, TRANSITIONS, Transition
from wattproof.identity.model import (
    ASSOCIATIONS,
    DEVICES,
    KEYS,
    PARTIES,
    ROLE_HOLDERS,
    Association,
    Device,
    Key,
    Party,
)
from wattproof.identity.refusals import DEVICE_UNKNOWN, PARTY_UNKNOWN
from wattproof.ledger.state import Reading

__all__ = [
    "associations_of_device",
    "associations_of_party",
    "device",
    "device_by_number",
    "device_transitions",
    "devices",
    "devices_by_owner",
    "devices_by_region",
    "devices_by_status",
    "holder_of",
    "keys_of",
    "parties",
    "parties_of_device",
    "parties_with_role",
    "party",
    "party_transitions",
]


def party(reading: Reading, id_: str) -> Party:
    """The party of that id; `NotFound` when there is none."""
    found = reading.get(PARTIES, id_)
    if found is None:
        raise PARTY_UNKNOWN(party=id_)
    return found


def parties(reading: Reading) -> list[Party]:
    """All parties, by id."""
    return list(reading.scan(PARTIES))


def parties_with_role(reading: Reading, role: str) -> list[Party]:
    """The parties that hold a role, whatever their status, by id."""
    return [party(reading, holder.party) for holder in reading.scan(ROLE_HOLDERS, role)]


def device(reading: Reading, id_: str) -> Device:
    """The device of that id; `NotFound` when there is none."""
    found = reading.get(DEVICES, id_)
    if found is None:
        raise DEVICE_UNKNOWN(device=id_)
    return found


def device_by_number(reading: Reading, number: int) -> Device:
    """The device of that number; `NotFound` when there is none."""
    found = reading.find(DEVICES, "number", number)
    if not found:
        raise DEVICE_UNKNOWN(device=number)
    return found[0]


def devices(reading: Reading) -> list[Device]:
    """All devices, by id."""
    return list(reading.scan(DEVICES))


def devices_by_owner(reading: Reading, owner: str) -> list[Device]:
    """The devices of a party, by id."""
    return reading.find(DEVICES, "owner", owner)


def devices_by_region(reading: Reading, region: str) -> list[Device]:
    """The devices that were associated with exactly this region code, by id."""
    return reading.find(DEVICES, "region", region)


def devices_by_status(reading: Reading, status: str) -> list[Device]:
    """The devices in a status of `lifecycle.DEVICE_STATUSES`, by id: a queue of work."""
    return reading.find(DEVICES, "status", status)


def associations_of_device(reading: Reading, id_: str) -> list[Association]:
    """Who stands on which side of a device, by side and party."""
    return list(reading.scan(ASSOCIATIONS, id_))


def parties_of_device(reading: Reading, device: Device) -> tuple[str, ...]:
    """Whom a device concerns: its owner, and who stands on a side of its metering point."""
    sides = associations_of_device(reading, device.id)
    return tuple(dict.fromkeys([device.owner, *(found.party for found in sides)]))


def associations_of_party(reading: Reading, id_: str) -> list[Association]:
    """Where a party stands as supplier or consumer, by device."""
    return reading.find(ASSOCIATIONS, "party", id_)


def keys_of(reading: Reading, *, kind: str, holder: str) -> list[Key]:
    """The keys of a party or device (`kind`), retired ones included, in order of their entries."""
    return sorted(
        reading.find(KEYS, "holder", kind, holder), key=lambda key: (key.since_entry, key.key)
    )


def holder_of(reading: Reading, key: bytes) -> Key | None:
    """Who holds or held a 32-byte public key."""
    return reading.get(KEYS, key)


def device_transitions() -> tuple[Transition, ...]:
    """The table of a device's life that is enforced, for printing."""
    return TRANSITIONS


def party_transitions() -> tuple[Transition, ...]:
    """The table of a party's life that is enforced, for printing."""
    return PARTY_TRANSITIONS
