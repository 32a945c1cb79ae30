"""What is known of products, vehicle classes and shipments."""

from __future__ import annotations

from wattproof.emissions.logistics.model import (
    PRODUCTS,
    SHIPMENTS,
    SHIPPED,
    VEHICLES,
    Product,
    Shipment,
    Shipped,
    Vehicle,
)
from wattproof.emissions.logistics.refusals import SHIPMENT_UNKNOWN
from wattproof.ledger.state import Reading

__all__ = ["latest_products", "latest_vehicles", "shipment", "shipped"]


def shipment(reading: Reading, shipper: str, id_: str) -> Shipment:
    """A shipment; raises ``emissions.shipment.unknown`` where there is none."""
    found = reading.get(SHIPMENTS, shipper, id_)
    if found is None:
        raise SHIPMENT_UNKNOWN(shipper=shipper, shipment=id_)
    return found


def shipped(reading: Reading, shipper: str) -> list[Shipped]:
    """What a party's shipments emitted, by set and scope of their factors."""
    return list(reading.scan(SHIPPED, shipper))


def latest_products(reading: Reading, party: str) -> dict[str, Product]:
    """The newest version of each product of a party, by id."""
    return {product.id: product for product in reading.scan(PRODUCTS, party)}


def latest_vehicles(reading: Reading, party: str) -> dict[str, Vehicle]:
    """The newest version of each class of vehicles of a party, by id."""
    return {vehicle.id: vehicle for vehicle in reading.scan(VEHICLES, party)}
