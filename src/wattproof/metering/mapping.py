"""M.toml: how the columns of a CSV file become the readings of meters.

    [file]
    timestamp = "date"              # a column, or two: ["day", "time"]
    format = "%d/%m/%Y %H:%M"       # strptime, or "iso8601"
    timezone = "Asia/Seoul"         # where stamps carry no offset
    stamp = "end"                   # the stamp closes ("end") or opens ("start") its interval
    midnight = "end"                # optional: a 0:00 stamp closes the day it names
    interval_s = 900
    missing = ["", "Null", "NA"]    # tokens for no value: a gap, never a zero
    encoding = "utf-8-sig"
    delimiter = ","
    interpolated = "interpolated_values"   # optional: a column that names, in each row, the
                                           # columns that were interpolated, parted by " | "
    [[series]]
    meter = "steel-main"
    column = "Usage_kWh"
    quantity = "electricity.import"
    unit = "kWh"
    kind = "increment"              # or "register" (cumulative)
    region = "KR"                   # optional
    factor = "cn-grid-2022-national"   # optional: a factor's id
    modulus = 100000                # optional, registers only: where it rolls over, in `unit`
    zone = "Asia/Seoul"             # optional: the meter's own zone; else `timezone`

Anything else is refused, with the key named.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from wattproof.core.codes import check_id, check_region
from wattproof.core.errors import ErrorCode, Malformed, Unavailable
from wattproof.core.periods import DEFAULT_ZONE, load_zone
from wattproof.core.units import MAX_AMOUNT, parse_quantity, unit_for
from wattproof.metering.map_keys import (
    Check,
    a_text,
    canonical_by,
    caused,
    check_keys,
    delimiter,
    one_of,
    one_or_two_columns,
    read_table,
    text_encoding,
    tokens,
    valid_by,
    whole_number,
)
from wattproof.metering.model import MAX_INTERVAL_S, Kind
from wattproof.metering.stamps import check_format

__all__ = [
    "INTERPOLATED",
    "MAX_SERIES",
    "NO_MAP",
    "SYNTAX",
    "FileMap",
    "ImportMap",
    "SeriesMap",
    "check_map",
    "load_map",
    "read_map",
]

INTERPOLATED: Final = "interpolated_values"
"""The column that names interpolated columns, where a file has it and the mapping names none."""

MAX_SERIES: Final = 256
"""Series of one file at most."""

NO_MAP = ErrorCode(
    Unavailable,
    "import.map_file",
    en="The mapping {path} cannot be read: {why}.",
    zh="无法读取映射文件 {path}：{why}。",
)
SYNTAX = ErrorCode(
    Malformed,
    "import.map_syntax",
    en="The mapping is not valid TOML: {why}.",
    zh="映射文件不是有效的 TOML：{why}。",
)
NOT_TABLE = ErrorCode(
    Malformed,
    "import.map_table",
    en="{key} in the mapping must be a table, or for series up to {most} tables.",
    zh="映射中的 {key} 须为表；series 须为 1 至 {most} 个表。",
)
METER_TWICE = ErrorCode(
    Malformed,
    "import.map_meter_twice",
    en="The mapping has two series for the meter {meter}.",
    zh="映射中表计 {meter} 有两个序列。",
)
MIDNIGHT = ErrorCode(
    Malformed,
    "import.map_midnight",
    en='midnight = "end" needs stamp = "end": a stamp that opens its interval closes no day.',
    zh='midnight = "end" 须与 stamp = "end" 同用：区间起始时标不会结束一天。',
)
MODULUS = ErrorCode(
    Malformed,
    "import.map_modulus",
    en="{key} in the mapping is for registers only, and must be whole in base units.",
    zh="映射中的 {key} 仅用于累计表底数，且折算为基本单位后须为整数。",
)


class FileMap(msgspec.Struct, frozen=True, kw_only=True):
    """How the file is written and what its stamps mean; `timezone` is None where none is named."""

    timestamp: tuple[str, ...]
    interval_s: int
    stamp: Literal["start", "end"]
    format: str = "iso8601"
    timezone: str | None = None
    midnight: Literal["start", "end"] = "start"
    missing: tuple[str, ...] = ("",)
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    interpolated: str | None = None


class SeriesMap(msgspec.Struct, frozen=True, kw_only=True):
    """One column, and the meter whose readings it is.

    `modulus` is in base units of the quantity; 0 where the register never starts again.
    """

    meter: str
    column: str
    quantity: str
    unit: str
    kind: Kind
    region: str | None = None
    factor: str | None = None
    modulus: int = 0
    zone: str = DEFAULT_ZONE


class ImportMap(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping."""

    file: FileMap
    series: tuple[SeriesMap, ...]


def load_map(path: Path) -> ImportMap:
    """Read a mapping from a file; raises ``import.map_file`` or what `read_map` raises."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as failed:
        why = getattr(failed, "strerror", None) or str(failed)
        raise NO_MAP(path=path, why=why) from failed
    return read_map(text)


def read_map(text: str) -> ImportMap:
    """Read a mapping; raises a `Malformed` error that names the key which is not as it must be."""
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as failed:
        raise SYNTAX(why=str(failed).rstrip(".")) from failed
    return check_map(raw)


def check_map(raw: Mapping[str, Any]) -> ImportMap:
    """Make a mapping from what its TOML holds; raises as `read_map` does."""
    check_keys(raw, ("file", "series"), required=("file", "series"), where="")
    if not isinstance(raw["file"], dict):
        raise NOT_TABLE(key="file", most=MAX_SERIES)
    file = FileMap(**read_table(raw["file"], _FILE, FileMap, where="file."))
    if file.midnight == "end" and file.stamp != "end":
        raise MIDNIGHT()
    tables = raw["series"]
    if not isinstance(tables, list) or not 0 < len(tables) <= MAX_SERIES:
        raise NOT_TABLE(key="series", most=MAX_SERIES)
    series = tuple(_series(table, f"series[{at}]", file) for at, table in enumerate(tables, 1))
    meters = [one.meter for one in series]
    for meter in meters:
        if meters.count(meter) > 1:
            raise METER_TWICE(meter=meter)
    return ImportMap(file=file, series=series)


def _series(table: object, where: str, file: FileMap) -> SeriesMap:
    if not isinstance(table, dict):
        raise NOT_TABLE(key=where, most=MAX_SERIES)
    fields = read_table(table, _SERIES, SeriesMap, where=f"{where}.")
    fields.setdefault("zone", file.timezone or DEFAULT_ZONE)
    quantity = fields["quantity"]
    key = f"{where}.unit"
    unit = caused(key, lambda: unit_for(unit=fields["unit"], quantity=quantity))
    fields["unit"] = unit.name
    if "modulus" in fields:
        whole, rest = divmod(fields["modulus"] * unit.numerator, unit.denominator)
        if rest or not 0 < whole <= MAX_AMOUNT or fields["kind"] != "register":
            raise MODULUS(key=f"{where}.modulus")
        fields["modulus"] = whole
    return SeriesMap(**fields)


_FILE: Final[Mapping[str, Check]] = {
    "timestamp": one_or_two_columns,
    "format": canonical_by(check_format),
    "timezone": valid_by(load_zone),
    "stamp": one_of("start", "end"),
    "midnight": one_of("start", "end"),
    "interval_s": whole_number(MAX_INTERVAL_S),
    "missing": tokens,
    "encoding": text_encoding,
    "delimiter": delimiter,
    "interpolated": a_text,
}
_SERIES: Final[Mapping[str, Check]] = {
    "meter": canonical_by(check_id),
    "column": a_text,
    "quantity": canonical_by(parse_quantity),
    "unit": a_text,
    "kind": one_of("increment", "register"),
    "region": canonical_by(check_region),
    "factor": canonical_by(check_id),
    "modulus": whole_number(MAX_AMOUNT),
    "zone": valid_by(load_zone),
}
