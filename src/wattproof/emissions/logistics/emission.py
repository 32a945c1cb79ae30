"""What a shipment emitted, exactly: the factor that it names, and the method that it says."""

from __future__ import annotations

from typing import Final

import msgspec

from wattproof.core.units import family
from wattproof.emissions.logistics.model import (
    OWN_SET,
    PRODUCTS,
    VEHICLES,
    Method,
    Product,
    RecordShipment,
    Vehicle,
    VehicleQuantity,
)
from wattproof.emissions.logistics.refusals import (
    NO_DISTANCE,
    NO_PRODUCT,
    NO_PRODUCT_FACTOR,
    NO_RATE,
    NO_UNITS,
    NO_WEIGHT,
    OTHER_FACTOR,
    PRODUCT_UNKNOWN,
    SCOPES_MIXED,
    VEHICLE_MISMATCH,
    VEHICLE_UNKNOWN,
)
from wattproof.emissions.model import FACTORS, Factor
from wattproof.emissions.refusals import NO_FACTOR
from wattproof.ledger.state import Reading

__all__ = ["Rate", "WorkedOut", "factor_applies", "known_factor", "work_out"]

_PG_PER_UG: Final = 10**6

_NEEDED: Final[dict[Method, VehicleQuantity]] = {
    "product-vehicle": "distance",
    "vehicle-km": "distance",
    "tonne-km": "freight",
}
"""To what a factor must apply, by method."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A factor in micrograms per base unit of `quantity`; `factor` is empty if it is one's own."""

    value_ug: int
    quantity: str
    set: str
    scope: str
    mode: str
    factor: str
    factor_version: int
    name: str


class WorkedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment's emission in picograms, exactly, and what it was worked out with."""

    emission_pg: int
    rate: Rate
    product_ug: int


def work_out(reading: Reading, shipper: str, body: RecordShipment) -> WorkedOut:
    """The exact emission of a shipment of `shipper`.

    Raises the refusal that names what is missing or does not fit: a distance, a weight, units, a
    product, a factor, or factors of two scopes.
    """
    product = _product(reading, shipper, body)
    if not body.distance_m:
        raise NO_DISTANCE()
    rate = _rate(reading, shipper, body)
    needed = _NEEDED[body.method]
    if rate.quantity != needed:
        raise VEHICLE_MISMATCH(factor=rate.name, applies=rate.quantity, needed=needed)
    if body.method == "tonne-km":
        if not body.weight_g:
            raise NO_WEIGHT()
        emission_pg = rate.value_ug * body.weight_g * body.distance_m
        return WorkedOut(emission_pg=emission_pg, rate=rate, product_ug=0)
    per_m, product_ug = rate.value_ug, 0
    if body.method == "product-vehicle":
        product_ug = _product_ug(body, product, rate)
        per_m += body.units * product_ug
    emission_pg = per_m * body.distance_m * _PG_PER_UG
    return WorkedOut(emission_pg=emission_pg, rate=rate, product_ug=product_ug)


def known_factor(reading: Reading, factor: str, version: int) -> Factor:
    """A version of a factor of the ledger; raises ``emissions.no_factor`` where there is none."""
    found = reading.get(FACTORS, factor, version)
    if found is None:
        raise NO_FACTOR(factor=factor, version=version)
    return found


def factor_applies(factor: Factor) -> str:
    """The family of quantities to which a factor of the ledger applies."""
    return family(factor.stated.quantity)


def _product(reading: Reading, shipper: str, body: RecordShipment) -> Product | None:
    if not body.product:
        if body.method == "product-vehicle":
            raise NO_PRODUCT()
        return None
    product = reading.get(PRODUCTS, shipper, body.product, body.product_version)
    if product is None:
        raise PRODUCT_UNKNOWN(party=shipper, product=body.product, version=body.product_version)
    return product


def _product_ug(body: RecordShipment, product: Product | None, rate: Rate) -> int:
    """What a unit of the product emits a metre; it must be of the vehicle's scope."""
    assert product is not None, "the method was checked to have a product"
    if product.value_ug is None:
        raise NO_PRODUCT_FACTOR(product=product.id, version=product.version)
    if not body.units:
        raise NO_UNITS()
    if product.scope != rate.scope:
        raise SCOPES_MIXED(product=product.scope, vehicle=rate.scope)
    return product.value_ug


def _rate(reading: Reading, shipper: str, body: RecordShipment) -> Rate:
    """The factor of the shipment's vehicle, or the one that it names itself."""
    if body.vehicle:
        vehicle = reading.get(VEHICLES, shipper, body.vehicle, body.vehicle_version)
        if vehicle is None:
            raise VEHICLE_UNKNOWN(party=shipper, vehicle=body.vehicle, version=body.vehicle_version)
        named = (body.factor, body.factor_version)
        if body.factor and named != (vehicle.factor, vehicle.factor_version):
            raise OTHER_FACTOR(factor=f"{body.factor}@{body.factor_version}", vehicle=body.vehicle)
        return _of_vehicle(vehicle)
    if not body.factor:
        raise NO_RATE()
    factor = known_factor(reading, body.factor, body.factor_version)
    stated = factor.stated
    return Rate(
        value_ug=stated.value_ug,
        quantity=factor_applies(factor),
        set=stated.set,
        scope=stated.kind,
        mode=stated.level,
        factor=factor.id,
        factor_version=factor.version,
        name=f"{factor.id}@{factor.version}",
    )


def _of_vehicle(vehicle: Vehicle) -> Rate:
    own = f"{OWN_SET}:{vehicle.id}@{vehicle.version}"
    return Rate(
        value_ug=vehicle.value_ug,
        quantity=vehicle.quantity,
        set=vehicle.set,
        scope=vehicle.scope,
        mode=vehicle.mode,
        factor=vehicle.factor,
        factor_version=vehicle.factor_version,
        name=f"{vehicle.factor}@{vehicle.factor_version}" if vehicle.factor else own,
    )
