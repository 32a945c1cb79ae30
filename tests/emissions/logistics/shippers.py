"""A ledger with a shipper, its products and vehicles, and the packaged factors of transport."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import asdict
from tests.support.memory_ledger import START_MS, Accepted, MemoryLedger, key_of
from tests.support.people import new_ledger, organisation

from wattproof.emissions.contract import CONTRACT as EMISSIONS
from wattproof.emissions.library import packaged_factor
from wattproof.emissions.logistics.contract import CONTRACT as LOGISTICS
from wattproof.emissions.logistics.model import (
    SHIPMENTS,
    DefineProduct,
    DefineVehicle,
    RecordShipment,
    Shipment,
)
from wattproof.emissions.model import FactorStatement, PublishFactors
from wattproof.metering.contract import CONTRACT as METERING

__all__ = ["FACTORS", "NOW_S", "TKM_TTW", "TKM_WTW", "VKM_TTW", "VKM_WTW", "product", "record",
           "shipment", "shippers", "statements", "vehicle"]  # fmt: skip

NOW_S: Final = START_MS // 1000
TKM_TTW: Final = "uk-2025-hgv-artic-33t-plus-tkm-ttw"
TKM_WTW: Final = "uk-2025-hgv-artic-33t-plus-tkm-wtw"
VKM_TTW: Final = "uk-2025-hgv-artic-33t-plus-km-ttw"
VKM_WTW: Final = "uk-2025-hgv-artic-33t-plus-km-wtw"
FACTORS: Final = (TKM_TTW, TKM_WTW, VKM_TTW, VKM_WTW, "cn-grid-2023-national")


def statements(*ids: str) -> tuple[FactorStatement, ...]:
    """Packaged factors, ready to be published."""
    return tuple(FactorStatement(**asdict(packaged_factor(id_))) for id_ in ids)


def shippers() -> MemoryLedger:
    """``owner`` ships; ``other`` could."""
    ledger = new_ledger(METERING, EMISSIONS, LOGISTICS)
    organisation(ledger, "publisher", "factor_authority")
    organisation(ledger, "other")
    ledger.submit(PublishFactors(factors=statements(*FACTORS)), key_of("publisher"))
    return ledger


def product(**fields: Any) -> DefineProduct:
    """A box that weighs a little on its way: 12 µg a metre."""
    first: dict[str, Any] = {
        "id": "box", "name": "A box", "unit": "pc", "value_ug": 12, "scope": "ttw", "source": "own",
    }  # fmt: skip
    return DefineProduct(**{**first, **fields})


def vehicle(**fields: Any) -> DefineVehicle:
    """A lorry over 33 t with the factor of its whole kilometre."""
    first: dict[str, Any] = {
        "id": "lorry", "name": "A lorry", "mode": "road", "quantity": "distance",
        "factor": VKM_TTW, "factor_version": 1, "value_ug": None, "scope": "", "source": "",
    }  # fmt: skip
    return DefineVehicle(**{**first, **fields})


def shipment(id_: str = "s-1", **fields: Any) -> RecordShipment:
    """5 t over 300 km by the tonne-kilometre, from the tank to the wheel."""
    first: dict[str, Any] = {
        "product": "", "product_version": 0, "units": 0, "weight_g": 5_000_000, "vehicle": "",
        "vehicle_version": 0, "factor": TKM_TTW, "factor_version": 1, "customer": "",
        "departure_s": NOW_S - 7200, "arrival_s": NOW_S, "distance_m": 300_000,
        "distance_from": "given", "points": b"", "method": "tonne-km",
    }  # fmt: skip
    return RecordShipment(shipment=id_, **{**first, **fields})


def record(ledger: MemoryLedger, body: RecordShipment, by: str = "owner") -> Shipment:
    """Record it, and what it became."""
    accepted: Accepted = ledger.submit(body, key_of(by))
    found = ledger.one(SHIPMENTS, by, body.shipment)
    assert found.entry == accepted.index
    return found
