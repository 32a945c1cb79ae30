"""The rules of logistics: products, vehicle classes, and the emission of shipments."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wattproof.core.codes import check_id
from wattproof.core.units import MAX_AMOUNT
from wattproof.emissions.logistics.emission import (
    WorkedOut,
    factor_applies,
    known_factor,
    work_out,
)
from wattproof.emissions.logistics.model import (
    DIGEST_BYTES,
    OWN_SET,
    PG_PER_G,
    PRODUCTS,
    SHIPMENTS,
    SHIPPED,
    VEHICLES,
    DefineProduct,
    DefineVehicle,
    Product,
    ProductDefined,
    RecordShipment,
    Shipment,
    ShipmentRecorded,
    Shipped,
    Vehicle,
    VehicleDefined,
)
from wattproof.emissions.logistics.refusals import (
    BOTH_FACTORS,
    CUSTOMER,
    FUTURE,
    LIMIT,
    NO_POINTS,
    NO_TIME,
    PRODUCT_SCOPE,
    SHIPMENT_TWICE,
    TIMES,
    VEHICLE_FACTOR,
    VEHICLE_MISMATCH,
)
from wattproof.ledger.machine import Context, Contract
from wattproof.ledger.state import Reading
from wattproof.metering.model import FUTURE_S

__all__ = ["CONTRACT", "check_shipment", "define_product", "define_vehicle", "record_shipment"]

CONTRACT: Final = Contract("logistics", collections=(PRODUCTS, VEHICLES, SHIPMENTS, SHIPPED))


@CONTRACT.rule(DefineProduct)
def define_product(ctx: Context, body: DefineProduct) -> None:
    """Record a product of the signer's as the next version of its id."""
    party, id_ = ctx.actor.id, check_id(body.id)
    if (body.value_ug is None) != (not body.scope):
        raise PRODUCT_SCOPE()
    known = [product.version for product in ctx.state.scan(PRODUCTS, party, id_)]
    version = max(known, default=0) + 1
    ctx.state.put(
        PRODUCTS,
        Product(
            party=party,
            id=id_,
            version=version,
            entry=ctx.index,
            name=body.name,
            unit=body.unit,
            value_ug=body.value_ug,
            scope=body.scope,
            source=body.source,
        ),
    )
    ctx.emit(ProductDefined(party=party, id=id_, version=version))


@CONTRACT.rule(DefineVehicle)
def define_vehicle(ctx: Context, body: DefineVehicle) -> None:
    """Record a class of vehicles of the signer's as the next version of its id."""
    party, id_ = ctx.actor.id, check_id(body.id)
    value_ug, set_, scope = _vehicle_factor(ctx, body)
    known = [vehicle.version for vehicle in ctx.state.scan(VEHICLES, party, id_)]
    version = max(known, default=0) + 1
    ctx.state.put(
        VEHICLES,
        Vehicle(
            party=party,
            id=id_,
            version=version,
            entry=ctx.index,
            name=body.name,
            mode=body.mode,
            quantity=body.quantity,
            factor=body.factor,
            factor_version=body.factor_version,
            value_ug=value_ug,
            set=set_,
            scope=scope,
            source=body.source,
        ),
    )
    ctx.emit(VehicleDefined(party=party, id=id_, version=version))


@CONTRACT.rule(RecordShipment)
def record_shipment(ctx: Context, body: RecordShipment) -> None:
    """Work out what a shipment emitted, and keep it with the sums of its shipper."""
    shipper = ctx.actor.id
    worked = check_shipment(ctx.state, shipper, body, now_s=ctx.time_s)
    rate = worked.rate
    before = ctx.state.get(SHIPPED, shipper, rate.set, rate.scope)
    if before is None:
        before = Shipped(shipper=shipper, set=rate.set, scope=rate.scope)
    emission_g, carry_pg = divmod(before.carry_pg + worked.emission_pg, PG_PER_G)
    if before.emission_g + emission_g > MAX_AMOUNT:
        raise LIMIT()
    ctx.state.put(
        SHIPPED,
        replace(
            before,
            shipments=before.shipments + 1,
            emission_g=before.emission_g + emission_g,
            carry_pg=carry_pg,
        ),
    )
    ctx.state.put(SHIPMENTS, _recorded(ctx, body, worked, emission_g))
    ctx.emit(
        ShipmentRecorded(
            shipper=shipper,
            shipment=body.shipment,
            method=body.method,
            distance_m=body.distance_m,
            emission_g=emission_g,
            set=rate.set,
            scope=rate.scope,
            factor=rate.name,
        )
    )


def check_shipment(
    reading: Reading, shipper: str, body: RecordShipment, *, now_s: int
) -> WorkedOut:
    """The exact emission of a shipment that may be recorded at `now_s`; raises why it may not."""
    check_id(body.shipment)
    if reading.get(SHIPMENTS, shipper, body.shipment) is not None:
        raise SHIPMENT_TWICE(shipper=shipper, shipment=body.shipment)
    _check_customer(body.customer)
    _check_times(body, now_s)
    if len(body.points) not in (0, DIGEST_BYTES):
        raise NO_POINTS()
    if body.distance_from == "geodesic" and not body.points:
        raise NO_POINTS()
    return work_out(reading, shipper, body)


def _vehicle_factor(ctx: Context, body: DefineVehicle) -> tuple[int, str, str]:
    """The micrograms per base unit of a class of vehicles, their set and scope."""
    if not body.factor:
        if body.value_ug is None or not body.scope or body.factor_version:
            raise VEHICLE_FACTOR()
        return body.value_ug, OWN_SET, body.scope
    if body.value_ug is not None or body.scope:
        raise BOTH_FACTORS()
    factor = known_factor(ctx.state, body.factor, body.factor_version)
    applies = factor_applies(factor)
    if applies != body.quantity:
        raise VEHICLE_MISMATCH(factor=body.factor, applies=applies, needed=body.quantity)
    return factor.stated.value_ug, factor.stated.set, factor.stated.kind


def _check_customer(customer: str) -> None:
    if customer and "@" in check_id(customer):
        raise CUSTOMER(customer=customer)


def _check_times(body: RecordShipment, now_s: int) -> None:
    departure_s, arrival_s = body.departure_s, body.arrival_s
    if not departure_s and not arrival_s:
        raise NO_TIME()
    if departure_s and arrival_s and arrival_s < departure_s:
        raise TIMES(departure_s=departure_s, arrival_s=arrival_s)
    ahead_s = max(departure_s, arrival_s) - now_s
    if ahead_s > FUTURE_S:
        raise FUTURE(seconds=ahead_s)


def _recorded(ctx: Context, body: RecordShipment, worked: WorkedOut, emission_g: int) -> Shipment:
    rate = worked.rate
    return Shipment(
        shipper=ctx.actor.id,
        shipment=body.shipment,
        entry=ctx.index,
        at_s=body.departure_s or body.arrival_s,
        method=body.method,
        emission_g=emission_g,
        distance_m=body.distance_m,
        distance_from=body.distance_from,
        set=rate.set,
        scope=rate.scope,
        mode=rate.mode,
        rate_ug=rate.value_ug,
        product_ug=worked.product_ug,
        product=body.product,
        product_version=body.product_version,
        units=body.units,
        weight_g=body.weight_g,
        vehicle=body.vehicle,
        vehicle_version=body.vehicle_version,
        factor=rate.factor,
        factor_version=rate.factor_version,
        customer=body.customer,
        departure_s=body.departure_s,
        arrival_s=body.arrival_s,
        points=body.points,
    )
