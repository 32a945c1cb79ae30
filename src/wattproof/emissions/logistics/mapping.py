"""M.toml: how the columns of warehouse and tracking files become shipments.

    [file]
    format = "%d-%b-%y"             # of its times: strptime, or "iso8601"
    timezone = "UTC"                # where times carry no offset
    missing = ["", "N/A"]           # tokens for no value
    weight_unit = "kg"
    distance_unit = "km"            # of the column and of [distances]
    encoding = "utf-8-sig"
    delimiter = ","

    [columns]                       # all but `shipment` and one time may be left out
    shipment = "ID"
    departure = "Left the warehouse"
    arrival = "Delivered"
    product = "Product"             # looked up in [products]
    units = "Quantity"
    weight = "Weight (kg)"
    customer = "Customer"
    distance = "Distance"
    place = "Country"               # looked up in [distances], where there is no distance
    mode = "Mode"                   # looked up in [modes]

    [method]                        # for every row without a mode of its own
    method = "tonne-km"             # or "vehicle-km", "product-vehicle"
    factor = "uk-2025-hgv-artic-33t-plus-tkm-ttw@1"    # or: vehicle = "lorry@1"

    [modes.Air]                     # for rows of this mode
    method = "tonne-km"
    factor = "glec-air-freighter-fleet-tkm-wtw@1"

    [products]
    "Box, large" = "box-l@1"

    [distances]
    Vietnam = 9500                  # or a text: "9500.5"

    [customer]                      # optional: customers go onto the log as salted hashes
    salt = "at least sixteen characters that nobody else knows"

    [tracking]                      # the columns of the second file
    shipment = "shipment"
    time = "time"
    latitude = "lat"
    longitude = "lon"
    format = "iso8601"              # and timezone, encoding, delimiter: those of [file] otherwise
    max_speed_kmh = 1200

Anything else is refused, with the key named.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from wattproof.core.codes import check_id
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import load_zone
from wattproof.core.units import Converter, parse_decimal, unit_for
from wattproof.emissions.logistics.model import MAX_DISTANCE_M, METHODS, Method
from wattproof.emissions.logistics.track import MAX_SPEED_KMH
from wattproof.metering.map_keys import (
    Check,
    a_text,
    canonical_by,
    caused,
    check_keys,
    delimiter,
    one_of,
    read_table,
    text_encoding,
    tokens,
    valid_by,
    whole_number,
)
from wattproof.metering.mapping import NO_MAP, SYNTAX
from wattproof.metering.stamps import ISO, check_format

__all__ = ["ColumnMap", "How", "Named", "ShipmentFile", "ShipmentMap", "TrackingMap",
           "load_shipment_map", "read_shipment_map"]  # fmt: skip

MIN_SALT: Final = 16

NOT_TABLE = ErrorCode(
    Malformed,
    "shipments.map_table",
    en="{key} in the mapping must be a table.",
    zh="映射中的 {key} 须为表。",
)
NO_METHOD = ErrorCode(
    Malformed,
    "shipments.map_method",
    en="The mapping says neither in [method] nor in [modes] how emissions are worked out.",
    zh="映射的 [method] 和 [modes] 均未说明如何计算排放。",
)
ONE_RATE = ErrorCode(
    Malformed,
    "shipments.map_rate",
    en="{key} in the mapping names one vehicle class or one factor.",
    zh="映射中的 {key} 须指明一个车辆类别或一个因子。",
)
NO_VERSION = ErrorCode(
    Malformed,
    "shipments.map_version",
    en="“{text}” names no version: write id@version.",
    zh="“{text}”未注明版本：应写作“标识@版本”。",
)
NO_TIME = ErrorCode(
    Malformed,
    "shipments.map_time",
    en="[columns] in the mapping needs departure, arrival or both.",
    zh="映射的 [columns] 须有 departure、arrival 或两者。",
)
SALT = ErrorCode(
    Malformed,
    "shipments.map_salt",
    en="{key} in the mapping must be a text of at least {least} characters.",
    zh="映射中的 {key} 须为至少 {least} 个字符的文本。",
)
FAR = ErrorCode(
    Malformed,
    "shipments.map_distance",
    en="{key} in the mapping must be a distance above zero, at most a million kilometres.",
    zh="映射中的 {key} 须为大于零、不超过一百万公里的里程。",
)

T = TypeVar("T")


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a version: ``id@version``."""

    id: str
    version: int


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How an emission is worked out, with a class of vehicles or a factor of the ledger."""

    method: Method
    vehicle: Named | None = None
    factor: Named | None = None


class ShipmentFile(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is written, and in which units."""

    format: str = ISO
    timezone: str | None = None
    missing: tuple[str, ...] = ("",)
    weight_unit: str = "kg"
    distance_unit: str = "km"
    encoding: str = "utf-8-sig"
    delimiter: str = ","


class ColumnMap(msgspec.Struct, frozen=True, kw_only=True):
    """Which column holds what; None where none does."""

    shipment: str
    departure: str | None = None
    arrival: str | None = None
    product: str | None = None
    units: str | None = None
    weight: str | None = None
    customer: str | None = None
    distance: str | None = None
    place: str | None = None
    mode: str | None = None


class TrackingMap(msgspec.Struct, frozen=True, kw_only=True):
    """How the file of tracking points is written, and the speed above which a point is wrong."""

    shipment: str
    time: str
    latitude: str
    longitude: str
    format: str = ISO
    timezone: str | None = None
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    max_speed_kmh: int = MAX_SPEED_KMH


class ShipmentMap(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping; `distances` are metres, `how` is for rows without a mode of their own."""

    file: ShipmentFile
    columns: ColumnMap
    how: How | None
    modes: Mapping[str, How]
    products: Mapping[str, Named]
    distances: Mapping[str, int]
    salt: str
    tracking: TrackingMap | None


def load_shipment_map(path: Path) -> ShipmentMap:
    """Read a mapping from a file; raises ``import.map_file`` or what `read_shipment_map` does."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as failed:
        why = getattr(failed, "strerror", None) or str(failed)
        raise NO_MAP(path=path, why=why) from failed
    return read_shipment_map(text)


def read_shipment_map(text: str) -> ShipmentMap:
    """Read a mapping; raises a `Malformed` error that names the key which is not as it must be."""
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as failed:
        raise SYNTAX(why=str(failed).rstrip(".")) from failed
    check_keys(raw, _TABLES, required=("columns",), where="")
    tables = {name: _table(raw.get(name, {}), name) for name in _TABLES}
    file = ShipmentFile(**read_table(tables["file"], _FILE, ShipmentFile, where="file."))
    columns = ColumnMap(**read_table(tables["columns"], _COLUMNS, ColumnMap, where="columns."))
    if columns.departure is None and columns.arrival is None:
        raise NO_TIME()
    modes = {
        mode: _how(_table(table, f"modes.{mode}"), f"modes.{mode}")
        for mode, table in tables["modes"].items()
    }
    how = _how(tables["method"], "method") if "method" in raw else None
    if how is None and (not modes or columns.mode is None):
        raise NO_METHOD()
    return ShipmentMap(
        file=file,
        columns=columns,
        how=how,
        modes=modes,
        products=_each(tables["products"], "products", _named),
        distances=_each(tables["distances"], "distances", _metres(file.distance_unit)),
        salt=_salt(tables["customer"]) if "customer" in raw else "",
        tracking=_tracking(tables["tracking"], file) if "tracking" in raw else None,
    )


def _table(value: object, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NOT_TABLE(key=key[:160])
    return value


def _each(
    table: Mapping[str, object], where: str, check: Callable[[str, object], T]
) -> dict[str, T]:
    return {name: check(f"{where}.{name}"[:160], value) for name, value in table.items()}


def _how(table: Mapping[str, object], where: str) -> How:
    fields = read_table(table, _HOW, How, where=f"{where}.")
    if ("vehicle" in fields) == ("factor" in fields):
        raise ONE_RATE(key=where[:160])
    return How(**fields)


def _named(key: str, value: object) -> Named:
    """``id@version``."""
    text = a_text(key, value)
    id_, _, version = text.rpartition("@")
    if not id_ or not version.isascii() or not version.isdigit() or len(version) > 9:
        raise NO_VERSION(text=text[:80])
    return Named(id=caused(key, lambda: check_id(id_)), version=int(version))


def _metres(unit: str) -> Callable[[str, object], int]:
    def metres(key: str, value: object) -> int:
        if type(value) is not int and not isinstance(value, str):
            raise FAR(key=key)
        decimal = caused(key, lambda: parse_decimal(str(value)))
        found = caused(key, lambda: Converter(unit=unit, quantity="distance").level(decimal))
        if not 0 < found <= MAX_DISTANCE_M:
            raise FAR(key=key)
        return found

    return metres


def _salt(table: Mapping[str, object]) -> str:
    check_keys(table, ("salt",), required=("salt",), where="customer.")
    salt = table["salt"]
    if not isinstance(salt, str) or len(salt) < MIN_SALT:
        raise SALT(key="customer.salt", least=MIN_SALT)
    return salt


def _tracking(table: Mapping[str, object], file: ShipmentFile) -> TrackingMap:
    fields = read_table(table, _TRACKING, TrackingMap, where="tracking.")
    for name in ("timezone", "encoding", "delimiter"):
        fields.setdefault(name, getattr(file, name))
    return TrackingMap(**fields)


def _unit_of(quantity: str) -> Check:
    return canonical_by(lambda text: unit_for(unit=text, quantity=quantity).name)


_TABLES: Final = (
    "file", "columns", "method", "modes", "products", "distances", "customer", "tracking",
)  # fmt: skip
_FILE: Final[Mapping[str, Check]] = {
    "format": canonical_by(check_format),
    "timezone": valid_by(load_zone),
    "missing": tokens,
    "weight_unit": _unit_of("mass"),
    "distance_unit": _unit_of("distance"),
    "encoding": text_encoding,
    "delimiter": delimiter,
}
_COLUMNS: Final[Mapping[str, Check]] = dict.fromkeys(ColumnMap.__struct_fields__, a_text)
_HOW: Final[Mapping[str, Check]] = {
    "method": one_of(*METHODS),
    "vehicle": _named,
    "factor": _named,
}
_TRACKING: Final[Mapping[str, Check]] = {
    **dict.fromkeys(("shipment", "time", "latitude", "longitude"), a_text),
    "format": canonical_by(check_format),
    "timezone": valid_by(load_zone),
    "encoding": text_encoding,
    "delimiter": delimiter,
    "max_speed_kmh": whole_number(100_000),
}
