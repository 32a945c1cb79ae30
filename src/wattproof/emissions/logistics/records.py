"""Warehouse records and tracking points, read row by row: what can be taken, and what cannot.

A row of which anything cannot be read as it stands is left, with its line, the value and the
reason; nothing is filled in for it. The rest of the file is taken all the same.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec

from wattproof.core.codes import check_id
from wattproof.core.errors import ErrorCode, Lang, Malformed, NotFound, WattProofError
from wattproof.core.units import Converter, parse_decimal
from wattproof.emissions.logistics.mapping import (
    ColumnMap,
    How,
    Named,
    ShipmentMap,
    TrackingMap,
)
from wattproof.emissions.logistics.model import (
    MAX_DISTANCE_M,
    MAX_UNITS,
    MAX_WEIGHT_G,
    DistanceFrom,
    RecordShipment,
)
from wattproof.emissions.logistics.refusals import CUSTOMER, NO_DISTANCE
from wattproof.emissions.logistics.rows import rows_of
from wattproof.emissions.logistics.track import (
    Point,
    check_step,
    digest_of,
    distance_m,
    parse_point,
)
from wattproof.metering.csvfile import EMPTY, TOO_MANY
from wattproof.metering.stamps import StampReader

__all__ = ["MAX_RECORDS", "Left", "Records", "Taken", "Tracks", "left_because", "read_records",
           "read_tracks"]  # fmt: skip

MAX_RECORDS: Final = 200_000
"""Rows of one file of records at most."""
MAX_POINTS: Final = 5_000_000
"""Tracking points of one file at most."""

NOT_WHOLE = ErrorCode(
    Malformed,
    "shipments.not_whole",
    en="{text!r} is not a whole number.",
    zh="“{text}”不是整数。",
)
NEGATIVE = ErrorCode(
    Malformed,
    "shipments.negative",
    en="{text!r} is below zero.",
    zh="“{text}”小于零。",
)
TOO_EARLY = ErrorCode(
    Malformed,
    "shipments.too_early",
    en="{text!r} lies before 1970.",
    zh="“{text}”早于 1970 年。",
)
TOO_LARGE = ErrorCode(
    Malformed,
    "shipments.too_large",
    en="{text!r} is more than one shipment can have.",
    zh="“{text}”超出一批运输的上限。",
)
NOT_NAMED = ErrorCode(
    NotFound,
    "shipments.not_in_mapping",
    en="The mapping says nothing of {text!r} in [{table}].",
    zh="映射的 [{table}] 中没有“{text}”。",
)
TWICE = ErrorCode(
    Malformed,
    "shipments.twice_in_file",
    en="The file has shipment {shipment} on line {line} already.",
    zh="文件第 {line} 行已有运输 {shipment}。",
)
BAD_TRACK = ErrorCode(
    Malformed,
    "shipments.bad_track",
    en="The tracking points of shipment {shipment} give no distance: see line {line} of them.",
    zh="运输 {shipment} 的轨迹点不能得到里程：见轨迹文件第 {line} 行。",
)

T = TypeVar("T")


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What was not taken: the file's line, the shipment, the column and its value, and why."""

    file: str
    line: int
    shipment: str
    column: str
    value: str
    code: str
    en: str
    zh: str

    def text(self, lang: Lang) -> str:
        """The reason for a person."""
        return self.zh if lang == "zh" else self.en


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A row that can be read: its line, its cells by field, and the shipment that it tells of."""

    line: int
    cells: Mapping[str, str]
    body: RecordShipment


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file: how many rows it has, those that can be read, and what stands in others."""

    file: str
    rows: int
    taken: tuple[Taken, ...]
    left: tuple[Left, ...]


class Tracks(msgspec.Struct, frozen=True, kw_only=True):
    """Tracking points by shipment; `bad` has the line of the first bad one of each that has any."""

    points: Mapping[str, tuple[Point, ...]]
    bad: Mapping[str, int]
    left: tuple[Left, ...]


def read_records(
    data: bytes, mapping: ShipmentMap, *, file: str, tracks: Tracks | None = None
) -> Records:
    """Read a file of shipments. Raises where the file as a whole cannot be read."""
    reader = _Reader(mapping, file, tracks)
    columns = {
        field: name
        for field in ColumnMap.__struct_fields__
        if (name := getattr(mapping.columns, field)) is not None
    }
    form = mapping.file
    count = 0
    for row in rows_of(data, columns, encoding=form.encoding, delimiter=form.delimiter):
        count += 1
        if count > MAX_RECORDS:
            raise TOO_MANY(limit=MAX_RECORDS)
        reader.take(row.line, row.cells, row.fault)
    if not count:
        raise EMPTY()
    left = (*(tracks.left if tracks else ()), *reader.left)
    return Records(file=file, rows=count, taken=tuple(reader.taken), left=left)


def read_tracks(data: bytes, mapping: TrackingMap, *, file: str) -> Tracks:
    """Read a file of tracking points, each shipment's in the order of time."""
    stamps = StampReader(mapping.format, zone=mapping.timezone, midnight_closes=False)
    columns = {name: getattr(mapping, name) for name in _TRACK_COLUMNS}
    points: dict[str, list[Point]] = {}
    bad: dict[str, int] = {}
    left: list[Left] = []
    rows = rows_of(data, columns, encoding=mapping.encoding, delimiter=mapping.delimiter)
    for count, row in enumerate(rows):
        if count >= MAX_POINTS:
            raise TOO_MANY(limit=MAX_POINTS)
        line, cells = row.line, row.cells
        shipment = cells["shipment"]
        before = points.setdefault(shipment, [])
        field = "time"
        try:
            if row.fault is not None:
                raise row.fault
            time_s = stamps.read(cells["time"])
            field = "latitude"
            here = parse_point(
                line=line,
                time_s=time_s,
                latitude=cells["latitude"],
                longitude=cells["longitude"],
            )
            if before:
                field = "time"
                check_step(before[-1], here, limit_kmh=mapping.max_speed_kmh)
            before.append(here)
        except WattProofError as error:
            bad.setdefault(shipment, line)
            value = f"{cells['latitude']}, {cells['longitude']}" if field != "time" else ""
            value = value or cells["time"]
            left.append(left_because(error, file, line, shipment, columns[field], value))
    whole = {shipment: tuple(found) for shipment, found in points.items()}
    return Tracks(points=whole, bad=bad, left=tuple(left))


def left_because(
    error: WattProofError, file: str, line: int, shipment: str, column: str, value: str
) -> Left:
    """What was left, and why."""
    return Left(
        file=file,
        line=line,
        shipment=shipment[:80],
        column=column,
        value=value[:200],
        code=error.code,
        en=error.text("en"),
        zh=error.text("zh"),
    )


_TRACK_COLUMNS: Final = ("shipment", "time", "latitude", "longitude")


class _Reader:
    """Turns rows into shipments, and keeps what cannot be."""

    def __init__(self, mapping: ShipmentMap, file: str, tracks: Tracks | None) -> None:
        self.taken: list[Taken] = []
        self.left: list[Left] = []
        self._map = mapping
        self._file = file
        self._tracks = tracks
        self._missing = frozenset(mapping.file.missing)
        form = mapping.file
        self._stamps = {
            name: StampReader(form.format, zone=form.timezone, midnight_closes=False)
            for name in ("departure", "arrival")
        }
        self._seen: dict[str, int] = {}
        self._line = 0
        self._cells: Mapping[str, str] = {}
        self._good = True

    def take(self, line: int, cells: Mapping[str, str], fault: WattProofError | None) -> None:
        """Read one row; `fault` says why it is none."""
        self._line, self._cells, self._good = line, cells, True
        if fault is not None:
            self._leave(fault, "shipment", cells["shipment"])
            return
        id_ = self._of("shipment", self._id, "")
        how = self._of("mode", self._how, None)
        named = self._of("product", self._product, None)
        weight_g = self._of("weight", self._weight_g, 0)
        units = self._of("units", _units, 0)
        customer = self._of("customer", self._customer, "")
        times = {name: self._of(name, self._time(name), 0) for name in self._stamps}
        way = self._way(cells.get("shipment", ""))
        if not self._good or how is None:
            return
        metres, distance_from, points = way
        body = RecordShipment(
            shipment=id_,
            product=named.id if named else "",
            product_version=named.version if named else 0,
            units=units,
            weight_g=weight_g,
            vehicle=how.vehicle.id if how.vehicle else "",
            vehicle_version=how.vehicle.version if how.vehicle else 0,
            factor=how.factor.id if how.factor else "",
            factor_version=how.factor.version if how.factor else 0,
            customer=customer,
            departure_s=times["departure"],
            arrival_s=times["arrival"],
            distance_m=metres,
            distance_from=distance_from,
            points=points,
            method=how.method,
        )
        self.taken.append(Taken(line=line, cells=cells, body=body))

    def _of(self, field: str, read: Callable[[str], T], missing: T) -> T:
        """What `read` makes of a cell; `missing` where it is a token for no value."""
        text = self._cells.get(field, "")
        try:
            empty = text in self._missing or not text
            if empty and field not in ("shipment", "mode"):
                return missing
            return read(text)
        except WattProofError as error:
            self._leave(error, field, text)
            return missing

    def _leave(self, error: WattProofError, field: str, value: str) -> None:
        self._good = False
        shipment = self._cells.get("shipment", "")
        column = getattr(self._map.columns, field) or ""
        self.left.append(left_because(error, self._file, self._line, shipment, column, value))

    def _id(self, text: str) -> str:
        id_ = check_id(text)
        if id_ in self._seen:
            raise TWICE(shipment=id_, line=self._seen[id_])
        self._seen[id_] = self._line
        return id_

    def _how(self, text: str) -> How | None:
        if self._map.columns.mode is None:
            return self._map.how
        how = self._map.modes.get(text, self._map.how)
        if how is None:
            raise NOT_NAMED(text=text[:80], table="modes")
        return how

    def _product(self, text: str) -> Named | None:
        found = self._map.products.get(text)
        if found is None:
            raise NOT_NAMED(text=text[:80], table="products")
        return found

    def _weight_g(self, text: str) -> int:
        return _base_units(text, unit=self._map.file.weight_unit, quantity="mass",
                           most=MAX_WEIGHT_G)  # fmt: skip

    def _customer(self, text: str) -> str:
        if self._map.salt:
            return hmac.new(self._map.salt.encode(), text.encode(), hashlib.sha256).hexdigest()
        if "@" in text:
            raise CUSTOMER(customer=text[:80])
        return check_id(text)

    def _time(self, field: str) -> Callable[[str], int]:
        def read(text: str) -> int:
            at_s = self._stamps[field].read(text)
            if at_s <= 0:
                raise TOO_EARLY(text=text[:80])
            return at_s

        return read

    def _way(self, shipment: str) -> tuple[int, DistanceFrom, bytes]:
        """The distance: along tracking points, as the row says, or as the mapping's table does."""
        try:
            tracks = self._tracks
            if tracks is not None and shipment in tracks.bad:
                raise BAD_TRACK(shipment=shipment[:80], line=tracks.bad[shipment])
            if tracks is not None and shipment in tracks.points:
                points = tracks.points[shipment]
                return distance_m(points), "geodesic", digest_of(points)
        except WattProofError as error:
            self._leave(error, "shipment", shipment)
            return 0, "given", b""
        before = len(self.left)
        metres = self._of("distance", self._metres, 0)
        if not metres and self._map.columns.place is not None and len(self.left) == before:
            metres = self._of("place", self._from_table, 0)
        if not metres and len(self.left) == before:
            field = "place" if self._map.columns.place else "distance"
            self._leave(NO_DISTANCE(), field, self._cells.get(field, ""))
        return metres, "given", b""

    def _metres(self, text: str) -> int:
        return _base_units(text, unit=self._map.file.distance_unit, quantity="distance",
                           most=MAX_DISTANCE_M)  # fmt: skip

    def _from_table(self, text: str) -> int:
        found = self._map.distances.get(text)
        if found is None:
            raise NOT_NAMED(text=text[:80], table="distances")
        return found


def _base_units(text: str, *, unit: str, quantity: str, most: int) -> int:
    value = parse_decimal(text)
    if value < 0:
        raise NEGATIVE(text=text[:80])
    found = Converter(unit=unit, quantity=quantity).level(value)
    if found > most:
        raise TOO_LARGE(text=text[:80])
    return found


def _units(text: str) -> int:
    value = parse_decimal(text)
    if value < 0:
        raise NEGATIVE(text=text[:80])
    if value > MAX_UNITS:
        raise TOO_LARGE(text=text[:80])
    if value != value.to_integral_value():
        raise NOT_WHOLE(text=text[:80])
    return int(value)
