"""Mappings: every key, and every way in which one can be wrong, with the key named."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.maps import OPSD, SMALL, STEEL, small
from tests.support.refusals import refused

from wattproof.core.errors import WattProofError
from wattproof.metering.mapping import MAX_SERIES, FileMap, SeriesMap, load_map, read_map


def test_a_full_mapping() -> None:
    mapping = read_map(STEEL)
    assert mapping.file == FileMap(
        timestamp=("date",),
        interval_s=900,
        stamp="end",
        format="%d/%m/%Y %H:%M",
        timezone="Asia/Seoul",
        midnight="end",
        missing=("", "Null", "NA"),
    )
    assert mapping.series[1] == SeriesMap(
        meter="steel-co2",
        column="CO2(tCO2)",
        quantity="co2.measured",
        unit="tCO2",
        kind="increment",
        region="KR",
        zone="Asia/Seoul",
    )
    assert [one.kind for one in read_map(OPSD).series] == ["register"] * 3


def test_what_is_left_out_has_a_default() -> None:
    mapping = read_map(small(timezone='"UTC"'))
    file, series = mapping.file, mapping.series[0]
    assert (file.format, file.encoding, file.delimiter) == ("iso8601", "utf-8-sig", ",")
    assert (file.missing, file.midnight, file.interpolated) == (("",), "start", None)
    assert (series.region, series.factor, series.modulus, series.zone) == (None, None, 0, "UTC")
    without = read_map(SMALL.replace('timezone = "Asia/Shanghai"\n', ""))
    assert without.file.timezone is None
    assert without.series[0].zone == "Asia/Shanghai"


def test_names_become_canonical() -> None:
    series = read_map(small(quantity='"Power.Import"', unit='"度"')).series[0]
    assert (series.quantity, series.unit) == ("electricity.import", "kWh")
    sichuan = read_map(SMALL + 'region = "510000"\n')
    assert sichuan.series[0].region == "CN-SC"


def test_two_columns_make_a_stamp() -> None:
    assert read_map(small(timestamp='["day", "time"]')).file.timestamp == ("day", "time")


def test_a_modulus_is_in_the_unit_of_the_series() -> None:
    mapping = read_map(small(kind='"register"') + "modulus = 100000\n")
    assert mapping.series[0].modulus == 100_000_000
    assert read_map(SMALL + 'zone = "UTC"\n').series[0].zone == "UTC"


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("[file", "import.map_syntax", ""),
        ("x = 1\n" + SMALL, "import.map_unknown_key", "x"),
        ("[file]\n", "import.map_missing_key", "series"),
        ('file = "x"\nseries = []', "import.map_table", "file"),
        ("series = []\n" + SMALL.partition("[[")[0], "import.map_table", "series"),
        ("series = [1]\n" + SMALL.partition("[[")[0], "import.map_table", "series[1]"),
        (small(colour='"red"'), "import.map_unknown_key", "file.colour"),
        (SMALL + 'colour = "red"', "import.map_unknown_key", "series[1].colour"),
        (SMALL.replace("interval_s = 900\n", ""), "import.map_missing_key", "file.interval_s"),
        (SMALL.replace('meter = "m1"\n', ""), "import.map_missing_key", "series[1].meter"),
        (small(interval_s='"900"'), "import.map_number", "file.interval_s"),
        (small(interval_s="0"), "import.map_number", "file.interval_s"),
        (small(interval_s="true"), "import.map_number", "file.interval_s"),
        (small(interval_s="2678401"), "import.map_number", "file.interval_s"),
        (small(stamp='"middle"'), "import.map_choice", "file.stamp"),
        (small(midnight='"noon"'), "import.map_choice", "file.midnight"),
        (small(delimiter='"xx"'), "import.map_choice", "file.delimiter"),
        (small(kind='"total"'), "import.map_choice", "series[1].kind"),
        (small(timestamp="3"), "import.map_columns", "file.timestamp"),
        (small(timestamp='["a", "b", "c"]'), "import.map_columns", "file.timestamp"),
        (small(missing='"NA"'), "import.map_tokens", "file.missing"),
        (small(missing="[1]"), "import.map_tokens", "file.missing"),
        (small(encoding='"latin-99"'), "import.map_encoding", "file.encoding"),
        (small(encoding='"rot13"'), "import.map_encoding", "file.encoding"),
        (small(column='""'), "import.map_text", "series[1].column"),
        (small(interpolated="1"), "import.map_text", "file.interpolated"),
        (small(timezone='"Asia/Atlantis"'), "import.map_value", "file.timezone"),
        (small(format='"%H:%M"'), "import.map_value", "file.format"),
        (small(format='"%"'), "import.map_value", "file.format"),
        (small(quantity='"noise"'), "import.map_value", "series[1].quantity"),
        (small(unit='"kWx"'), "import.map_value", "series[1].unit"),
        (small(unit='"kg"'), "import.map_value", "series[1].unit"),
        (small(meter='"a b"'), "import.map_value", "series[1].meter"),
        (SMALL + 'region = "Mars"', "import.map_value", "series[1].region"),
        (SMALL + 'factor = "a b"', "import.map_value", "series[1].factor"),
        (SMALL + "modulus = 100000", "import.map_modulus", "series[1].modulus"),
        (
            small(kind='"register"', unit='"mWh"') + "modulus = 1",
            "import.map_modulus",
            "series[1].modulus",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, code: str, key: str) -> None:
    refused(code, lambda: read_map(text))
    with pytest.raises(WattProofError) as caught:
        read_map(text)
    if key:
        assert caught.value.params["key"] == key


def test_the_cause_is_told_in_both_languages() -> None:
    with pytest.raises(WattProofError) as caught:
        read_map(small(timezone='"Asia/Atlantis"'))
    assert "file.timezone" in caught.value.text("en")
    assert "IANA" in caught.value.text("en") and "时区" in caught.value.text("zh")


def test_midnight_closes_a_day_only_where_stamps_close_intervals() -> None:
    refused("import.map_midnight", lambda: read_map(small(stamp='"start"', midnight='"end"')))


def test_a_meter_has_one_series() -> None:
    twice = SMALL + SMALL[SMALL.index("[[series]]") :]
    refused("import.map_meter_twice", lambda: read_map(twice))
    series = SMALL[SMALL.index("[[series]]") :]
    head = SMALL[: SMALL.index("[[series]]")]
    refused("import.map_table", lambda: read_map(head + series * (MAX_SERIES + 1)))


def test_a_mapping_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(b"\xef\xbb\xbf" + STEEL.encode())
    assert load_map(path) == read_map(STEEL)
    refused("import.map_file", lambda: load_map(tmp_path / "none.toml"))
    path.write_bytes(b"\xff\xfe")
    refused("import.map_file", lambda: load_map(path))
