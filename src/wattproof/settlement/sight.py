"""Whom wallets, trades and contracts belong to: the meter's owner, and who settles its region."""

from __future__ import annotations

from wattproof.core.actor import Actor
from wattproof.gateway.access import require_sight
from wattproof.identity.model import DEVICES, Device
from wattproof.identity.queries import device as known_device
from wattproof.ledger.state import Reading
from wattproof.settlement.records import REGIONS, USAGE, Bilateral

__all__ = ["operates", "operator_of", "parties_of_contract", "parties_of_meter", "seen_meter"]


def operator_of(reading: Reading, region: str) -> str:
    """Who settles a region; empty where nobody does."""
    found = reading.get(REGIONS, region) if region else None
    return "" if found is None else found.operator


def operates(reading: Reading, party: str) -> bool:
    """Whether a party settles any region."""
    return any(region.operator == party for region in reading.scan(REGIONS))


def parties_of_meter(reading: Reading, device: Device) -> list[str]:
    """Those who see a meter's wallet and trades: its owner, and who settles its region."""
    usage = reading.get(USAGE, device.number)
    region = device.region if usage is None else usage.region
    return [party for party in (device.owner, operator_of(reading, region)) if party]


def parties_of_contract(reading: Reading, contract: Bilateral) -> list[str]:
    """Those who see a contract: both sides, and who settles its region."""
    operator = operator_of(reading, contract.region)
    return [party for party in (contract.supplier, contract.consumer, operator) if party]


def seen_meter(reading: Reading, actor: Actor, id_: str) -> Device:
    """The meter, if `actor` may see its money; else the same answer as if there were none."""
    device = reading.get(DEVICES, id_)
    require_sight(actor, () if device is None else parties_of_meter(reading, device))
    return known_device(reading, id_[:64]) if device is None else device
