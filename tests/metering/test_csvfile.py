"""CSV files: exact sums, gaps, and every bad row by line and column, with nothing let through."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from tests.support.maps import OPSD, SMALL, STEEL, read_text, small
from tests.support.real_data import data_file
from tests.support.refusals import refused

from wattproof.core.periods import parse_time
from wattproof.metering import csvfile
from wattproof.metering.columns import Gap
from wattproof.metering.csvfile import read_csv
from wattproof.metering.mapping import load_map, read_map
from wattproof.metering.problems import PROBLEM_LIMIT, SHOWN, BadFile, Problem

REGISTER = small(kind='"register"')
HEAD = "time,kWh\n"


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return parse_time(text, zone)


def day(*values: str, first: int = 0) -> str:
    """A file with a value for each quarter of an hour, from 00:15 on."""
    rows = []
    for quarter, value in enumerate(values, start=first + 1):
        hour, minute = divmod(quarter * 15, 60)
        rows.append(f"2023-05-01T{hour:02}:{minute:02},{value}")
    return HEAD + "\n".join(rows) + "\n"


def problems(folder: Path, text: str | bytes, mapping: str = SMALL) -> list[Problem]:
    """What is wrong with a file."""
    with pytest.raises(BadFile) as caught:
        read_text(folder, text, mapping)
    assert caught.value.code == "import.file"
    assert caught.value.params["count"] == len(caught.value.problems)
    assert caught.value.text("en") and caught.value.text("zh")
    return list(caught.value.problems)


def found(folder: Path, text: str | bytes, mapping: str = SMALL) -> list[tuple[int, str, str]]:
    """(line, column, code) of everything that is wrong with a file."""
    return [(p.line, p.column, p.code) for p in problems(folder, text, mapping)]


def test_increments(tmp_path: Path) -> None:
    text = day("1.5", "0", "2")
    file = read_text(tmp_path, text)
    (series,) = file.series
    (run,) = series.runs
    assert list(run.amounts) == [1500, 0, 2000]
    assert (series.start_s, series.end_s) == (at("2023-05-01T00:00"), at("2023-05-01T00:45"))
    assert (series.total, series.readings, series.unit) == (3500, 3, "Wh")
    assert (file.rows, file.file) == (3, "readings.csv")
    assert file.digest == hashlib.sha256(text.encode()).digest()


def test_a_stamp_may_open_its_interval(tmp_path: Path) -> None:
    (series,) = read_text(tmp_path, day("1"), small(stamp='"start"')).series
    assert series.start_s == at("2023-05-01T00:15")


def test_what_is_finer_than_a_base_unit_is_carried(tmp_path: Path) -> None:
    (series,) = read_text(tmp_path, day("0.0004", "0.0004", "0.0004", "0.0009")).series
    assert list(series.runs[0].amounts) == [0, 0, 1, 1]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(0, 1000, places=5), min_size=1, max_size=90))
def test_a_total_is_the_floor_of_the_exact_sum(tmp_path: Path, values: list[Decimal]) -> None:
    (series,) = read_text(tmp_path, day(*map(str, values))).series
    assert series.total == sum(series.runs[0].amounts) == int(sum(values) * 1000)


def test_a_missing_value_is_a_gap(tmp_path: Path) -> None:
    mapping = small(missing='["", "NA"]')
    (series,) = read_text(tmp_path, day("", "1", " NA", "", "2", "3", "NA"), mapping).series
    assert [list(run.amounts) for run in series.runs] == [[1000], [2000, 3000]]
    assert series.gaps == (
        Gap(start_s=at("2023-05-01T00:30"), end_s=at("2023-05-01T01:00"), amount=None),
    )


def test_a_missing_row_is_a_gap_too(tmp_path: Path) -> None:
    text = HEAD + "2023-05-01T00:15,1\n\n2023-05-01T01:00,2\n"
    (series,) = read_text(tmp_path, text).series
    assert series.gaps[0].end_s - series.gaps[0].start_s == 30 * 60


def test_a_register_gives_differences(tmp_path: Path) -> None:
    (series,) = read_text(tmp_path, day("10.0005", "10.5", "12"), REGISTER).series
    (run,) = series.runs
    assert (run.start_s, run.opening) == (at("2023-05-01T00:15"), 10_000)
    assert list(run.amounts) == [500, 1500]
    assert (series.total, series.readings) == (2000, 2)


def test_what_a_register_gains_over_a_gap_stays_in_it(tmp_path: Path) -> None:
    (series,) = read_text(tmp_path, day("1", "2", "", "5", "", "6"), REGISTER).series
    assert [(run.opening, list(run.amounts)) for run in series.runs] == [
        (1000, [1000]),
        (5000, []),
        (6000, []),
    ]
    assert [gap.amount for gap in series.gaps] == [3000, 1000]
    assert (series.total, series.readings) == (5000, 1)


def test_a_register_rolls_over_where_the_mapping_says(tmp_path: Path) -> None:
    mapping = REGISTER + "modulus = 100\n"
    (series,) = read_text(tmp_path, day("99", "1"), mapping).series
    assert list(series.runs[0].amounts) == [2000]
    assert found(tmp_path, day("99", "49", "48", "100"), mapping) == [
        (3, "kWh", "import.decreasing"),  # half the range: no meter goes round unseen that far
        (5, "kWh", "import.modulus"),
    ]


def test_interpolated_values_are_flagged(tmp_path: Path) -> None:
    text = (
        "time,kWh,interpolated_values\n"
        "2023-05-01T00:15,1,other | kWh\n"
        "2023-05-01T00:30,2,\n"
        "2023-05-01T00:45,3,kWhs\n"
        "2023-05-01T01:00,,kWh\n"
    )
    (series,) = read_text(tmp_path, text).series
    assert list(series.runs[0].quality) == [1, 0, 0]
    assert series.flagged == 1
    named = small(interpolated='"guess"')
    assert found(tmp_path, text, named) == [(1, "guess", "import.missing_column")]
    (series,) = read_text(tmp_path, text.replace("interpolated_values", "guess"), named).series
    assert series.flagged == 1


def test_two_columns_and_other_forms(tmp_path: Path) -> None:
    mapping = small(
        timestamp='["day", "hour"]',
        format='"%d.%m.%Y %H:%M"',
        delimiter='";"',
        encoding='"gb18030"',
    )
    mapping = mapping.replace('column = "kWh"', 'column = "用电量"')
    text = 'day;hour;用电量\r\n1.5.2023;0:15;"1"\r\n01.05.2023;24:00;2\r\n'.encode("gb18030")
    (series,) = read_text(tmp_path, text, mapping).series
    assert [list(run.amounts) for run in series.runs] == [[1000], [2000]]
    assert series.end_s == at("2023-05-02")


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + day("1").encode()
    for encoding in ('"utf-8"', '"utf-8-sig"'):
        assert read_text(tmp_path, text, small(encoding=encoding)).rows == 1


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("abc", "core.number"),
        ("NaN", "core.number"),
        ("-inf", "core.number"),
        ("1_000", "core.number"),
        ("-0.001", "import.negative"),
        ("1e30", "core.number_range"),
        ("1e-31", "core.number_range"),
        ("1e999999999", "core.number_range"),
    ],
)
def test_bad_values(tmp_path: Path, value: str, code: str) -> None:
    for mapping in (SMALL, REGISTER):
        assert found(tmp_path, day("1", value, "2"), mapping) == [(3, "kWh", code)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["2023-05-01T00:15,1", "x,2"], (3, "time", "import.stamp")),
        (["2023-05-01T00:15,1", ",2"], (3, "time", "import.stamp")),
        (["2023-05-01T00:15,1", "2023-05-01T00:15,2"], (3, "time", "import.duplicate_stamp")),
        (["2023-05-01T00:15,1", "2023-05-01T00:00,2"], (3, "time", "import.out_of_order")),
        (["2023-05-01T00:15,1", "2023-05-01T00:31,2"], (3, "time", "import.off_grid")),
        (["2023-05-01T00:15,1", "2023-05-01T00:30Z,2"], (3, "time", "import.mixed_offsets")),
        (["2023-05-01T00:15,1", "2023-05-01T00:30"], (3, "", "import.row_length")),
        (["2023-05-01T00:15,1", "2023-05-01T00:30,1,234"], (3, "", "import.row_length")),
        (["2023-05-01T00:15,1", '2023-05-01T00:30,"1"2'], (3, "", "import.csv")),
        (["2023-05-01T00:15,1", '2023-05-01T00:30,"1'], (3, "", "import.csv")),
    ],
)
def test_bad_rows(tmp_path: Path, rows: list[str], expected: tuple[int, str, str]) -> None:
    assert found(tmp_path, HEAD + "\n".join(rows) + "\n") == [expected]


def test_cells_beyond_the_header_may_be_empty(tmp_path: Path) -> None:
    assert read_text(tmp_path, HEAD + "2023-05-01T00:15,1,,\n").rows == 1


def test_clock_changes_are_named_by_line(tmp_path: Path) -> None:
    mapping = small(timezone='"Europe/Berlin"', interval_s="1800")
    double = HEAD + "".join(f"2016-10-30T0{h}:{m:02},1\n" for h in (1, 2, 3) for m in (0, 30))
    assert found(tmp_path, double, mapping) == [
        (4, "time", "core.time_double"),
        (5, "time", "core.time_double"),
    ]
    skipped = double.replace("2016-10-30", "2016-03-27")
    assert found(tmp_path, skipped, mapping) == [
        (4, "time", "core.time_skipped"),
        (5, "time", "core.time_skipped"),
    ]


def test_a_register_that_goes_down(tmp_path: Path) -> None:
    bad = problems(tmp_path, day("1", "2", "1.9999999", "3"), REGISTER)
    assert [(p.line, p.code) for p in bad] == [(4, "import.decreasing")]
    assert "from 2 to 1.9999999" in bad[0].en


def test_bytes_that_do_not_decode(tmp_path: Path) -> None:
    text = day("1", "2", "3").encode()
    assert found(tmp_path, text.replace(b":30,2", b":30,\xff2")) == [(3, "", "import.encoding")]
    assert found(tmp_path, text.replace(b"00:30,2", b"\xe4\xb8,2")) == [(3, "", "import.encoding")]
    wide = small(encoding='"utf-16"')
    assert read_text(tmp_path, day("1").encode("utf-16"), wide).rows == 1
    assert found(tmp_path, day("1").encode("utf-16")[:-1], wide) == [(2, "", "import.encoding")]


def test_missing_and_repeated_columns_are_all_named(tmp_path: Path) -> None:
    assert found(tmp_path, "when,MWh\n1,2\n") == [
        (1, "time", "import.missing_column"),
        (1, "kWh", "import.missing_column"),
    ]
    assert found(tmp_path, "time,kWh,kWh\n1,2,3\n") == [(1, "kWh", "import.duplicate_column")]


@pytest.mark.parametrize("text", ["", "\n\n", HEAD])
def test_an_empty_file(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == [(1, "", "import.empty")]


def test_a_column_without_any_value(tmp_path: Path) -> None:
    assert found(tmp_path, day("", "")) == [(1, "kWh", "import.no_values")]


def test_a_total_beyond_the_limit(tmp_path: Path) -> None:
    huge = str(2**62 // 1000)
    assert found(tmp_path, day(huge, huge)) == [(1, "kWh", "import.total")]


def test_all_problems_are_found_and_the_good_rows_counted(tmp_path: Path) -> None:
    rows = ["1", "x", "-1", "2", "nan", "3", "y", "z", "4"]
    with pytest.raises(BadFile) as caught:
        read_text(tmp_path, day(*rows))
    error = caught.value
    assert [p.line for p in error.problems] == [3, 4, 6, 8, 9]
    assert (error.params["count"], error.params["good_rows"]) == (5, 4)
    assert "line 3, column kWh" in error.text("en")
    assert "第 3 行“kWh”列" in error.text("zh")
    assert "4 good rows" in error.text("en")


def test_only_so_many_problems_are_kept(tmp_path: Path) -> None:
    count = PROBLEM_LIMIT + 5
    text = HEAD + "".join("x,1\n" for _ in range(count))
    with pytest.raises(BadFile) as caught:
        read_text(tmp_path, text)
    assert len(caught.value.problems) == PROBLEM_LIMIT
    assert caught.value.params["count"] == count
    assert caught.value.text().count("column time") == SHOWN


def test_the_line_is_where_a_row_begins(tmp_path: Path) -> None:
    text = 'time,kWh,note\n2023-05-01T00:15,1,"a\nb"\n2023-05-01T00:30,x,"c\n\nd"\n,,\n'
    assert [p.line for p in problems(tmp_path, text)] == [4, 7]


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "MAX_ROWS", 2)
    refused("import.rows", lambda: read_text(tmp_path, day("1", "2", "3")))
    assert read_text(tmp_path, day("1", "2")).rows == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused("import.unreadable", lambda: read_csv(tmp_path / "none.csv", read_map(SMALL)))
    refused("import.unreadable", lambda: read_csv(tmp_path, read_map(SMALL)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_give_readings_or_a_coded_error(tmp_path: Path, junk: bytes) -> None:
    for text in (junk, HEAD.encode() + junk, day("1", "2").encode() + junk):
        try:
            assert read_text(tmp_path, text).series
        except BadFile as error:
            assert error.problems and error.text("zh")


def test_the_steel_plant(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(STEEL, encoding="utf-8")
    file = read_csv(data_file("steel_industry_kr_2018_15min.csv"), load_map(path))
    power, co2 = file.series
    assert (file.rows, power.readings, co2.readings) == (35_040, 35_040, 35_040)
    assert (power.total, power.unit) == (959_636_710, "Wh")
    assert (co2.total, co2.unit) == (403_810_000, "g")
    assert power.gaps == ()
    assert power.start_s == at("2018", "Asia/Seoul")
    assert power.end_s == at("2019", "Asia/Seoul")
    # The row "1/1/2018 0:00" closes the first of January: it is its 96th reading.
    assert power.runs[0].amounts[95] == 3420


def test_the_house_in_konstanz() -> None:
    file = read_csv(data_file("opsd_household_60min.csv"), read_map(OPSD))
    bought, sold, pv = file.series
    assert (bought.total, sold.total, pv.total) == (6_321_316, 9_563_098, 12_336_971)
    assert (bought.flagged, sold.flagged, pv.flagged) == (2837, 2770, 38)
    assert [len(series.gaps) for series in file.series] == [12, 12, 11]
    assert bought.gaps[0] == Gap(
        start_s=at("2015-11-06T19:00+01:00"), end_s=at("2015-11-07T11:00+01:00"), amount=3230
    )
    for series in file.series:
        measured = sum(sum(run.amounts) for run in series.runs)
        assert measured + sum(gap.amount or 0 for gap in series.gaps) == series.total
        assert (
            sum(len(run.amounts) + 1 for run in series.runs)
            == series.readings + len(series.gaps) + 1
        )
