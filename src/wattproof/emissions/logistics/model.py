"""Products, vehicle classes and shipments on the ledger, and what each shipment emitted.

A shipper defines its products and vehicle classes once, in versions; a shipment names the version
that it used, so an old report comes out the same. The emission follows by one of three methods:

- ``product-vehicle``: (units x product's factor + vehicle's factor) x distance
- ``vehicle-km``: vehicle's factor x distance
- ``tonne-km``: weight x distance x factor

What is not a whole gram is carried, for each shipper, set of factors and scope apart, so that the
grams of all shipments add up to those of the exact sum. Sets and scopes are never added together.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from wattproof.emissions.model import MAX_VALUE_UG
from wattproof.ledger.machine import Event, event
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, transaction

__all__ = [
    "DIGEST_BYTES",
    "MAX_DISTANCE_M",
    "MAX_UNITS",
    "MAX_WEIGHT_G",
    "METHODS",
    "MODES",
    "OWN_SET",
    "PG_PER_G",
    "PRODUCTS",
    "SCOPES",
    "SHIPMENTS",
    "SHIPPED",
    "VEHICLES",
    "DefineProduct",
    "DefineVehicle",
    "DistanceFrom",
    "Method",
    "Mode",
    "Product",
    "ProductDefined",
    "RecordShipment",
    "Scope",
    "Shipment",
    "ShipmentRecorded",
    "Shipped",
    "Vehicle",
    "VehicleDefined",
    "VehicleQuantity",
]

PG_PER_G: Final = 10**12
"""Picograms in a gram: micrograms per kg and km, times grams, times metres, are picograms."""

DIGEST_BYTES: Final = 32
MAX_DISTANCE_M: Final = 10**9
"""The longest way of one shipment: a million kilometres."""
MAX_WEIGHT_G: Final = 10**12
"""The heaviest shipment: a million tonnes."""
MAX_UNITS: Final = 10**12
"""The most units in one shipment."""

OWN_SET: Final = "own"
"""The set of factors that a shipper stated itself."""

Method = Literal["product-vehicle", "vehicle-km", "tonne-km"]
"""How a shipment's emission is worked out."""
METHODS: Final[tuple[Method, ...]] = ("product-vehicle", "vehicle-km", "tonne-km")

Mode = Literal["road", "rail", "sea", "inland", "air"]
"""How something is moved."""
MODES: Final[tuple[Mode, ...]] = ("road", "rail", "sea", "inland", "air")

Scope = Literal["ttw", "wtt", "wtw"]
"""From the tank to the wheel, from the well to the tank, or both."""
SCOPES: Final[tuple[Scope, ...]] = ("ttw", "wtt", "wtw")

VehicleQuantity = Literal["distance", "freight"]
"""What a vehicle's factor applies to: the metre of the whole vehicle, or kilogram and kilometre."""

DistanceFrom = Literal["given", "geodesic"]
"""Whether a distance was stated, or follows from tracking points on the WGS84 ellipsoid."""

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Word = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=500)]
Instant = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Version = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Value = Annotated[int, Meta(ge=0, le=MAX_VALUE_UG)]


@transaction(
    "emissions.product.define",
    1,
    by=("party",),
    en="Define a product that is shipped",
    zh="定义所运产品",
)
class DefineProduct(Body):
    """Define a product model of one's own; an id that exists gets its next version.

    `unit` is what is counted, `value_ug` the micrograms that a unit emits for each metre on the
    way (None: the product has no factor), `scope` of which scope they are.
    """

    id: Id
    name: Text
    unit: Word
    value_ug: Value | None
    scope: Literal["", "ttw", "wtt", "wtw"]
    source: Text


@transaction(
    "emissions.vehicle.define",
    1,
    by=("party",),
    en="Define a class of vehicles",
    zh="定义车辆类别",
)
class DefineVehicle(Body):
    """Define a class of vehicles of one's own; an id that exists gets its next version.

    It has a factor of the ledger (`factor` in `factor_version`), or one that the shipper states
    itself: `value_ug` micrograms per metre (`quantity` is ``distance``) or per kilogram and
    kilometre (``freight``), of this `scope`, from this `source`.
    """

    id: Id
    name: Text
    mode: Mode
    quantity: VehicleQuantity
    factor: Word
    factor_version: Version
    value_ug: Value | None
    scope: Literal["", "ttw", "wtt", "wtw"]
    source: Text


@transaction(
    "emissions.shipment.record",
    1,
    by=("party",),
    en="Record a shipment",
    zh="登记一批运输",
)
class RecordShipment(Body):
    """Record a shipment that the signer sent.

    `weight_g` and `units` are 0 where they are not known, `departure_s` and `arrival_s` likewise,
    of which one must be. `product` and `vehicle` are the signer's own, in the versions named; a
    shipment without a vehicle names a `factor` of the ledger. `customer` is an id or a salted
    hash, never a name. `points` is the SHA-256 of the tracking points (`tracking.digest_of`),
    which stay off the log, or empty.
    """

    shipment: Id
    product: Word
    product_version: Version
    units: Annotated[int, Meta(ge=0, le=MAX_UNITS)]
    weight_g: Annotated[int, Meta(ge=0, le=MAX_WEIGHT_G)]
    vehicle: Word
    vehicle_version: Version
    factor: Word
    factor_version: Version
    customer: Word
    departure_s: Instant
    arrival_s: Instant
    distance_m: Annotated[int, Meta(ge=0, le=MAX_DISTANCE_M)]
    distance_from: DistanceFrom
    points: Annotated[bytes, Meta(max_length=DIGEST_BYTES)]
    method: Method


class Product(Record):
    """A version of a party's product, and the log entry that defined it."""

    party: str
    id: str
    version: int
    entry: int
    name: str
    unit: str
    value_ug: int | None
    scope: str
    source: str


class Vehicle(Record):
    """A version of a party's class of vehicles: micrograms per base unit of `quantity`.

    `set` and `scope` are those of its factor; `factor` is empty where the party stated the value.
    """

    party: str
    id: str
    version: int
    entry: int
    name: str
    mode: str
    quantity: VehicleQuantity
    factor: str
    factor_version: int
    value_ug: int
    set: str
    scope: str
    source: str


class Shipment(Record):
    """A shipment, what its emission was worked out with, and the log entry that recorded it.

    `at_s` is when it counts in reports: its departure, or its arrival where that alone is known.
    `rate_ug` is the vehicle's or the ledger's factor, `product_ug` the product's (0 where the
    method does not use it).
    """

    shipper: str
    shipment: str
    entry: int
    at_s: int
    method: str
    emission_g: int
    distance_m: int
    distance_from: str
    set: str
    scope: str
    mode: str
    rate_ug: int
    product_ug: int = 0
    product: str = ""
    product_version: int = 0
    units: int = 0
    weight_g: int = 0
    vehicle: str = ""
    vehicle_version: int = 0
    factor: str = ""
    factor_version: int = 0
    customer: str = ""
    departure_s: int = 0
    arrival_s: int = 0
    points: bytes = b""


class Shipped(Record):
    """All that a shipper's shipments emitted by factors of one set and scope.

    `carry_pg`, from 0 to 10^12 - 1, is what they left below a gram.
    """

    shipper: str
    set: str
    scope: str
    shipments: int = 0
    emission_g: int = 0
    carry_pg: int = 0


PRODUCTS: Final = Collection("logistics.products", Product, key=("party", "id", "version"))
VEHICLES: Final = Collection("logistics.vehicles", Vehicle, key=("party", "id", "version"))
SHIPMENTS: Final = Collection(
    "logistics.shipments",
    Shipment,
    key=("shipper", "shipment"),
    indexes={"customer": ("customer",)},
)
SHIPPED: Final = Collection("logistics.shipped", Shipped, key=("shipper", "set", "scope"))


@event(
    "emissions.product.defined",
    en="{party} defined product {id}, version {version}",
    zh="{party} 定义了产品 {id} 第 {version} 版",
)
class ProductDefined(Event):
    """A version of a product is on the ledger."""

    party: str
    id: str
    version: int


@event(
    "emissions.vehicle.defined",
    en="{party} defined vehicle class {id}, version {version}",
    zh="{party} 定义了车辆类别 {id} 第 {version} 版",
)
class VehicleDefined(Event):
    """A version of a class of vehicles is on the ledger."""

    party: str
    id: str
    version: int


@event(
    "emissions.shipment.recorded",
    en="Shipment {shipment} of {shipper} emitted {emission_g} g over {distance_m} m ({method})",
    zh="{shipper} 的运输 {shipment}：排放 {emission_g} 克，里程 {distance_m} 米（{method}）",
)
class ShipmentRecorded(Event):
    """A shipment is on the ledger: its whole grams, the method, and the factor in full."""

    shipper: str
    shipment: str
    method: str
    distance_m: int
    emission_g: int
    set: str
    scope: str
    factor: str
