"""A mapping written as TOML is read back as it was."""

from __future__ import annotations

import tomllib
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.support.maps import OPSD, SMALL, STEEL, small

from wattproof.metering.map_text import map_text, raw_map
from wattproof.metering.mapping import check_map, read_map

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@pytest.mark.parametrize("text", [STEEL, OPSD, SMALL])
def test_known_mappings(text: str) -> None:
    mapping = read_map(text)
    written = map_text(mapping)
    assert read_map(written) == mapping
    assert map_text(read_map(written)) == written
    assert check_map(raw_map(mapping)) == mapping


def test_a_modulus_is_written_in_the_series_own_unit() -> None:
    mapping = read_map(small(kind='"register"', series="modulus = 100000"))
    assert mapping.series[0].modulus == 100_000_000
    assert tomllib.loads(map_text(mapping))["series"][0]["modulus"] == 100_000
    assert read_map(map_text(mapping)) == mapping


@settings(max_examples=150, deadline=None)
@given(
    columns=st.lists(names, min_size=1, max_size=2),
    column=names,
    missing=st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=3),
    zone=st.sampled_from([None, "Asia/Shanghai", "Europe/Berlin"]),
    own=st.sampled_from([None, "Asia/Shanghai", "Europe/Berlin"]),
    delimiter=st.sampled_from([",", ";", "\t", "|", " "]),
    stamp=st.sampled_from(["start", "end"]),
    marks=st.none() | names,
)
def test_any_mapping(
    columns: list[str],
    column: str,
    missing: list[str],
    zone: str | None,
    own: str | None,
    delimiter: str,
    stamp: str,
    marks: str | None,
) -> None:
    file: dict[str, Any] = {
        "timestamp": columns, "interval_s": 900, "stamp": stamp, "missing": missing,
        "delimiter": delimiter, "midnight": "end" if stamp == "end" else "start",
    }  # fmt: skip
    series: dict[str, Any] = {
        "meter": "m1", "column": column, "quantity": "weight.output", "unit": "t",
        "kind": "register", "modulus": 1000, "factor": "f", "region": "310000",
    }  # fmt: skip
    file |= {"timezone": zone} if zone else {}
    file |= {"interpolated": marks} if marks else {}
    series |= {"zone": own} if own else {}
    mapping = check_map({"file": file, "series": [series]})
    assert read_map(map_text(mapping)) == mapping
