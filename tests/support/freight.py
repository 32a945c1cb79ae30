"""Shipments of the demonstration's parties, for tests of the whole site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wattproof.emissions.logistics.model import DefineProduct, DefineVehicle, RecordShipment
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction

__all__ = ["DEPARTED_S", "VEHICLE_FACTOR", "record_shipments", "shipment_of"]

DEPARTED_S: Final = 1_736_463_600
"""2025-01-10 07:00 in Shanghai."""

VEHICLE_FACTOR: Final = "uk-2025-hgv-artic-33t-plus-km-wtw"
FREIGHT_FACTOR: Final = "uk-2025-hgv-artic-33t-plus-tkm-wtw"


def shipment_of(id_: str, *, customer: str = "", product: str = "", day: int = 0) -> RecordShipment:
    """5 t over 300 km; with a product, 40 units of it in a whole lorry over 120 km."""
    at_s = DEPARTED_S + 86_400 * day
    return RecordShipment(
        shipment=id_,
        product=product,
        product_version=1 if product else 0,
        units=40 if product else 0,
        weight_g=5_000_000,
        vehicle="lorry" if product else "",
        vehicle_version=1 if product else 0,
        factor=VEHICLE_FACTOR if product else FREIGHT_FACTOR,
        factor_version=1,
        customer=customer,
        departure_s=at_s,
        arrival_s=at_s + 4 * 3600,
        distance_m=120_000 if product else 300_000,
        distance_from="given",
        points=b"",
        method="product-vehicle" if product else "tonne-km",
    )


def record_shipments(folder: LedgerFolder) -> None:
    """The steel works ship coils in a lorry, some to the offices; the offices ship once."""
    with folder.write(workers=0) as writer, folder.keys() as keys:
        raws = [
            sign_transaction(body, keys.get(party), ledger_id=writer.ledger_id)
            for body, party in _steps()
        ]
        for answer in writer.engine.submit_many(raws):
            assert isinstance(answer, Receipt), answer


def _steps() -> Iterator[tuple[Body, str]]:
    steel = "steel-works"
    yield (
        DefineProduct(
            id="coil",
            name="冷轧卷",
            unit="pc",
            value_ug=250,
            scope="wtw",
            source="冷轧卷运输试验 2024",
        ),
        steel,
    )
    yield DefineVehicle(
        id="lorry", name="33 吨以上铰接式货车", mode="road", quantity="distance",
        factor=VEHICLE_FACTOR, factor_version=1, value_ug=None, scope="", source="",
    ), steel  # fmt: skip
    yield shipment_of("coil-1", product="coil"), steel
    yield shipment_of("coil-2", product="coil", customer="offices", day=1), steel
    yield shipment_of("scrap-1", customer="5e" * 32, day=30), steel
    yield shipment_of("furniture-1", day=2), "offices"
