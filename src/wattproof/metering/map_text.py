"""A mapping as the text of an M.toml, which `read_map` reads back to the same mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from wattproof.core.units import UNITS
from wattproof.metering.mapping import FileMap, ImportMap, SeriesMap

__all__ = ["map_text", "raw_map"]

_ALWAYS: Final = frozenset({"stamp", "format", "timezone", "delimiter", "encoding", "missing"})
"""Keys of the file that are written even where they say what would be taken anyway."""


def raw_map(mapping: ImportMap) -> dict[str, Any]:
    """What the mapping's TOML holds: texts, numbers and lists, `modulus` in the series' unit."""
    return {
        "file": dict(_file(mapping.file)),
        "series": [dict(_series(one, mapping.file)) for one in mapping.series],
    }


def map_text(mapping: ImportMap) -> str:
    """The TOML of a mapping."""
    raw = raw_map(mapping)
    parts = ["[file]", *_lines(raw["file"])]
    for one in raw["series"]:
        parts += ["", "[[series]]", *_lines(one)]
    return "\n".join(parts) + "\n"


def _file(file: FileMap) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(file):
        value = getattr(file, field.name)
        if field.name == "timestamp":
            yield "timestamp", value[0] if len(value) == 1 else list(value)
        elif value is not None and (field.name in _ALWAYS or value != field.default):
            yield field.name, list(value) if isinstance(value, tuple) else value


def _series(one: SeriesMap, file: FileMap) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(one):
        value = getattr(one, field.name)
        if field.name == "modulus" and value:
            unit = UNITS[one.unit]
            whole, rest = divmod(value * unit.denominator, unit.numerator)
            assert not rest, "a modulus is whole in the unit in which it was given"
            yield "modulus", whole
        elif field.name == "zone":
            if value != file.timezone:
                yield "zone", value
        elif value:
            yield field.name, value


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{name} = {_value(value)}" for name, value in table.items())


def _value(value: Any) -> str:
    """TOML of a text, a whole number or a list of texts."""
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, int):
        return str(value)
    # A JSON string is a basic string of TOML, which also wants DEL escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
