"""Mappings of the real data files, and of small ones made up for a test."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from wattproof.metering.csvfile import FileReadings, read_csv
from wattproof.metering.mapping import read_map

__all__ = ["OPSD", "SMALL", "STEEL", "read_text", "small"]

STEEL: Final = """
[file]
timestamp = "date"
format = "%d/%m/%Y %H:%M"
timezone = "Asia/Seoul"
stamp = "end"
midnight = "end"
interval_s = 900
missing = ["", "Null", "NA"]
encoding = "utf-8-sig"

[[series]]
meter = "steel-main"
column = "Usage_kWh"
quantity = "electricity.import"
unit = "kWh"
kind = "increment"
region = "KR"
factor = "cn-grid-2022-national"

[[series]]
meter = "steel-co2"
column = "CO2(tCO2)"
quantity = "co2.measured"
unit = "tCO2"
kind = "increment"
region = "KR"
"""
"""The Korean steel plant: electricity, and its CO2 as a stream of its own."""

OPSD: Final = """
[file]
timestamp = "utc_timestamp"
format = "iso8601"
timezone = "Europe/Berlin"
stamp = "start"
interval_s = 3600
missing = [""]

[[series]]
meter = "house-import"
column = "DE_KN_residential4_grid_import"
quantity = "electricity.import"
unit = "kWh"
kind = "register"
region = "DE"

[[series]]
meter = "house-export"
column = "DE_KN_residential4_grid_export"
quantity = "electricity.export"
unit = "kWh"
kind = "register"
region = "DE"

[[series]]
meter = "house-pv"
column = "DE_KN_residential4_pv"
quantity = "electricity.generation"
unit = "kWh"
kind = "register"
region = "DE"
"""
"""The house in Konstanz: three cumulative registers."""

SMALL: Final = """
[file]
timestamp = "time"
timezone = "Asia/Shanghai"
stamp = "end"
interval_s = 900

[[series]]
meter = "m1"
column = "kWh"
quantity = "electricity.import"
unit = "kWh"
kind = "increment"
"""
"""A file with the columns ``time`` and ``kWh``."""


def small(*, series: str = "", **keys: str) -> str:
    """`SMALL` with other values: keys of the file or, where they are its, of the series; raw TOML.

    `series` is added to the series as it is.
    """
    lines = SMALL.splitlines()
    for key, value in keys.items():
        for at, line in enumerate(lines):
            if line.startswith(f"{key} ="):
                lines[at] = f"{key} = {value}"
                break
        else:
            lines.insert(2, f"{key} = {value}")
    return "\n".join([*lines, series])


def read_text(folder: Path, text: str | bytes, mapping: str = SMALL) -> FileReadings:
    """Read a CSV file of this content."""
    path = folder / "readings.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_csv(path, read_map(mapping))
