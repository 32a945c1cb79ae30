"""The mapping's form: filled in, sent as it stands, and what is wrong at its field."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.maps import OPSD, STEEL, small
from tests.support.real_data import data_file
from tests.support.refusals import refused

from wattproof.console.filled import Filled
from wattproof.core.errors import Refused
from wattproof.emissions.import_form import (
    columns_of,
    fields_of_guess,
    fields_of_map,
    mapping_of,
)
from wattproof.metering.guess import Guess, look_at
from wattproof.metering.mapping import ImportMap, read_map

HEADER = ("time", "kWh", "m3")


@pytest.fixture
def guess(tmp_path: Path) -> Guess:
    rows = "".join(f"2023-05-01T00:{at * 15:02},{at % 2},{at}\n" for at in range(4))
    (tmp_path / "f.csv").write_text(f"{','.join(HEADER)}\n{rows}", encoding="utf-8")
    return look_at(tmp_path / "f.csv", zone="Asia/Shanghai")


def sent(guess: Guess, **changed: str) -> Filled:
    """The form as it was proposed, with some fields changed (`c1_unit` is ``c1.unit``)."""
    changes = {name.replace("_", ".", 1) if name.startswith("c") else name: text
               for name, text in changed.items()}  # fmt: skip
    return Filled({**fields_of_guess(guess), **changes})


@pytest.mark.parametrize(
    ("name", "text"),
    [("steel_industry_kr_2018_15min.csv", STEEL), ("opsd_household_60min.csv", OPSD)],
)
def test_a_mapping_comes_back_from_its_form(name: str, text: str) -> None:
    mapping = read_map(text)
    guess = look_at(data_file(name), zone="Asia/Shanghai")
    again = mapping_of(Filled(fields_of_map(mapping, guess)), guess.header)
    in_order = sorted(mapping.series, key=lambda one: guess.header.index(one.column))
    assert (again.file, again.series) == (mapping.file, tuple(in_order))


@pytest.mark.parametrize(
    "text",
    [
        small(kind='"register"', series="modulus = 100000\n"),
        small(delimiter='"\\t"', missing='["", "NA", "-"]', stamp='"start"'),
        small(missing='["x"]', encoding='"gb18030"', interpolated='"m3"'),
        small(series='zone = "UTC"\nregion = "CN-SH"\nfactor = "grid"\n'),
    ],
)
def test_every_key_comes_back(guess: Guess, text: str) -> None:
    mapping = read_map(text)
    fields = fields_of_map(mapping, guess)
    assert mapping_of(Filled(fields), guess.header) == mapping


def test_what_is_proposed_can_be_sent(guess: Guess) -> None:
    mapping = mapping_of(sent(guess, c1_meter="power", c2_meter="gas"), guess.header)
    assert isinstance(mapping, ImportMap)
    assert [(one.meter, one.quantity, one.unit) for one in mapping.series] == [
        ("power", "electricity.import", "kWh")
    ]
    assert [column.name for column in columns_of(guess, None)] == ["kWh", "m3"]
    both = sent(guess, c1_meter="power", c2_meter="gas", c2_take="yes", c2_quantity="gas.natural",
                c2_unit="m3")  # fmt: skip
    assert len(mapping_of(both, guess.header).series) == 2


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"timestamp": ""}, "timestamp", "console.field_needed"),
        ({"timestamp2": "time"}, "timestamp2", "import.form_stamps"),
        ({"interval_s": "soon"}, "interval_s", "import.form_whole"),
        ({"interval_s": "٣"}, "interval_s", "import.form_whole"),
        ({"interval_s": "0"}, "interval_s", "import.map_number"),
        ({"format": "%H:%M"}, "format", "import.format"),
        ({"timezone": "Mars"}, "timezone", "core.zone"),
        ({"encoding": "klingon"}, "encoding", "import.map_encoding"),
        ({"delimiter": "x"}, "delimiter", "import.form_delimiter"),
        ({"stamp": "start", "midnight": "end"}, "midnight", "import.map_midnight"),
        ({"c1_meter": ""}, "c1.meter", "console.field_needed"),
        ({"c1_meter": "a b"}, "c1.meter", "core.id"),
        ({"c1_quantity": "love"}, "c1.quantity", "core.quantity"),
        ({"c1_unit": "m3"}, "c1.unit", "core.unit_mismatch"),
        ({"c1_kind": "both"}, "c1.kind", "import.map_choice"),
        ({"c1_region": "Atlantis"}, "c1.region", "core.region"),
        ({"c1_modulus": "9"}, "c1.modulus", "import.map_modulus"),
        ({"c1_modulus": "1.5"}, "c1.modulus", "import.form_whole"),
        ({"c1_zone": "Mars"}, "c1.zone", "core.zone"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    guess: Guess, changed: dict[str, str], field: str, code: str
) -> None:
    form = sent(guess, **changed)
    with pytest.raises(Refused):
        mapping_of(form, guess.header)
    why = form.why(field, "en")
    assert why is not None
    assert why[1] == code


def test_every_column_is_told_at_once(guess: Guess) -> None:
    form = sent(guess, c1_unit="m3", c2_take="yes", c2_unit="kWh", c2_quantity="gas", format="x")
    with pytest.raises(Refused):
        mapping_of(form, guess.header)
    assert all(form.why(name, "zh") for name in ("format", "c1.unit", "c2.unit"))


def test_what_is_about_no_field(guess: Guess) -> None:
    refused("import.no_columns", lambda: mapping_of(sent(guess, c1_take=""), HEADER))
    twice = sent(guess, c1_meter="m", c2_meter="m", c2_take="yes", c2_quantity="gas", c2_unit="m3")
    refused("import.map_meter_twice", lambda: mapping_of(twice, HEADER))
