"""What is told of a file from its beginning: the real ones, and forms that people's files have."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.maps import OPSD, STEEL
from tests.support.real_data import data_file
from tests.support.refusals import refused

from wattproof.core.errors import WattProofError
from wattproof.metering.column_guess import ColumnGuess
from wattproof.metering.csvfile import read_csv
from wattproof.metering.guess import MAX_COLUMNS, SHOWN_ROWS, Guess, look_at
from wattproof.metering.mapping import check_map, read_map
from wattproof.metering.stamps import ISO

ZONE = "Asia/Shanghai"


def look(folder: Path, text: str | bytes) -> Guess:
    path = folder / "f.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return look_at(path, zone=ZONE)


def column(guess: Guess, name: str) -> ColumnGuess:
    return next(one for one in guess.columns if one.name == name)


def quarters(form: str = "2023-05-{day:02} {hour:02}:{minute:02}", *, first: int = 1,
             rows: int = 200) -> list[str]:  # fmt: skip
    """Stamps a quarter of an hour apart, from the first quarter of the month on."""
    return [
        form.format(day=1 + quarter // 96, hour=quarter % 96 // 4, minute=quarter % 4 * 15)
        for quarter in range(first, first + rows)
    ]


def test_the_steel_plant() -> None:
    guess = look_at(data_file("steel_industry_kr_2018_15min.csv"), zone=ZONE)
    file = read_map(STEEL).file
    assert guess.encoding == file.encoding
    stamps = guess.stamps
    assert (stamps.columns, stamps.format) == (file.timestamp, file.format)
    assert (stamps.stamp, stamps.midnight, stamps.interval_s) == ("end", "end", 900)
    assert not stamps.day_or_month
    assert stamps.timezone == ZONE  # nothing in the file says where it was
    likely = {one.name: (one.quantity, one.unit, one.kind) for one in guess.columns if one.likely}
    assert likely == {
        "Usage_kWh": ("electricity.import", "kWh", "increment"),
        "CO2(tCO2)": ("co2.measured", "tCO2", "increment"),
    }
    assert [one.meter for one in guess.columns if one.likely] == ["usage", "co2"]
    assert not column(guess, "WeekStatus").numeric
    assert len(guess.rows) == SHOWN_ROWS and guess.rows[0][1] == "3.17"


def test_the_house_in_konstanz() -> None:
    guess = look_at(data_file("opsd_household_60min.csv"), zone=ZONE)
    file = read_map(OPSD).file
    assert guess.stamps.columns == file.timestamp
    assert (guess.stamps.format, guess.stamps.timezone) == (ISO, file.timezone)
    assert (guess.stamps.stamp, guess.stamps.interval_s) == (file.stamp, file.interval_s)
    assert guess.interpolated == "interpolated_values"
    for series in read_map(OPSD).series:
        found = column(guess, series.column)
        assert (found.quantity, found.kind, found.likely) == (series.quantity, series.kind, True)
        assert found.unit == ""  # the file names no unit, so none is proposed


def test_what_is_told_of_the_steel_plant_imports_it() -> None:
    path = data_file("steel_industry_kr_2018_15min.csv")
    guess = look_at(path, zone="Asia/Seoul")
    stamps = guess.stamps
    mapping = check_map(
        {
            "file": {
                "timestamp": list(stamps.columns), "format": stamps.format, "stamp": stamps.stamp,
                "timezone": stamps.timezone, "midnight": stamps.midnight,
                "interval_s": stamps.interval_s, "encoding": guess.encoding,
                "delimiter": guess.delimiter, "missing": ["", *guess.missing],
            },
            "series": [
                {"meter": one.meter, "column": one.name, "quantity": one.quantity,
                 "unit": one.unit, "kind": one.kind}
                for one in guess.columns if one.likely
            ],
        }
    )  # fmt: skip
    totals = [series.total for series in read_csv(path, mapping).series]
    assert totals == [959_636_710, 403_810_000]


@pytest.mark.parametrize(
    ("form", "format_"),
    [
        ("2023-05-{day:02} {hour:02}:{minute:02}", ISO),
        ("2023-05-{day:02}T{hour:02}:{minute:02}:00+08:00", ISO),
        ("2023-5-{day} {hour}:{minute:02}", "%Y-%m-%d %H:%M"),
        ("2023/5/{day} {hour}:{minute:02}", "%Y/%m/%d %H:%M"),
        ("{day}.5.2023 {hour:02}:{minute:02}:00", "%d.%m.%Y %H:%M:%S"),
        ("5/{day}/2023 {hour}:{minute:02}", "%m/%d/%Y %H:%M"),
        ("{day}/5/2023 {hour}:{minute:02}", "%d/%m/%Y %H:%M"),
        ("2023年5月{day}日 {hour}:{minute:02}", "%Y年%m月%d日 %H:%M"),
        ("202305{day:02}{hour:02}{minute:02}", "%Y%m%d%H%M"),
    ],
)
def test_forms_of_stamps(tmp_path: Path, form: str, format_: str) -> None:
    rows = quarters(form, rows=1400)
    text = "time,kWh\n" + "".join(f"{stamp},1.5\n" for stamp in rows)
    stamps = look(tmp_path, text).stamps
    assert (stamps.columns, stamps.format, stamps.interval_s) == (("time",), format_, 900)
    assert (stamps.stamp, stamps.midnight, stamps.day_or_month) == ("end", "start", False)


def test_day_and_month_that_cannot_be_told_apart(tmp_path: Path) -> None:
    text = "time,kWh\n" + "".join(f"1/{month}/2023 00:00,1\n" for month in range(1, 13))
    assert look(tmp_path, text).stamps.day_or_month


def test_a_date_and_a_time_of_day(tmp_path: Path) -> None:
    rows = [stamp.split(" ") for stamp in quarters(first=0)]
    text = "day,time,kWh\n" + "".join(f"{day},{clock},2\n" for day, clock in rows)
    stamps = look(tmp_path, text).stamps
    assert (stamps.columns, stamps.stamp, stamps.interval_s) == (("day", "time"), "start", 900)


def test_a_chinese_file(tmp_path: Path) -> None:
    rows = "".join(f"{stamp};1.5;2\n" for stamp in quarters())
    text = "时间;一号线电量（kWh）;二号线用水量(立方米)\n" + rows
    guess = look(tmp_path, text.encode("gb18030"))
    assert (guess.encoding, guess.delimiter) == ("gb18030", ";")
    power, water = guess.columns
    assert (power.quantity, power.unit, power.meter) == ("electricity.import", "kWh", "meter")
    assert (water.quantity, water.unit, water.meter) == ("water", "m3", "meter-2")


def test_other_encodings_and_delimiters(tmp_path: Path) -> None:
    rows = "".join(f"{stamp}\t1,5\n" for stamp in quarters())
    assert look(tmp_path, f"time\tWärme\n{rows}".encode("cp1252")).encoding == "cp1252"
    guess = look(tmp_path, f"time\tkWh\n{rows}".encode("utf-16"))
    assert (guess.encoding, guess.delimiter) == ("utf-16", "\t")
    assert not column(guess, "kWh").numeric  # a comma is no decimal point


def test_missing_values_and_registers(tmp_path: Path) -> None:
    rows = [
        f"{stamp},{'NA' if at == 3 else 100 + at},{at % 3},text\n"
        for at, stamp in enumerate(quarters())
    ]
    guess = look(tmp_path, "time,import kWh,pv kWh,note\n" + "".join(rows))
    assert guess.missing == ("NA",)
    assert [one.kind for one in guess.columns] == ["register", "increment", "increment"]
    assert column(guess, "pv kWh").quantity == "electricity.generation"


@pytest.mark.parametrize(
    "text", ["", "\n\n", "one\n1\n2\n", "%PDF-1.7\n\0\0", "{}", "<html>\n<body>\n"]
)
def test_what_is_no_table(tmp_path: Path, text: str) -> None:
    refused("import.no_table", lambda: look(tmp_path, text))


def test_odd_tables(tmp_path: Path) -> None:
    assert look(tmp_path, "2023-05-01 00:15,1.5\n2023-05-01 00:30,2\n").headless
    wide = ",".join(f"c{at}" for at in range(MAX_COLUMNS + 1)) + "\n"
    refused("import.too_wide", lambda: look(tmp_path, wide))
    refused("import.no_upload", lambda: look_at(tmp_path / "none.csv", zone=ZONE))
    no_stamps = look(tmp_path, "a,b\n1,2\n3,4\n")
    assert (no_stamps.stamps.columns, no_stamps.stamps.interval_s) == ((), 0)


def test_anything_is_looked_at_or_refused(tmp_path: Path) -> None:
    for text in ('a,b\n"1,2\n', "a,b\n1\n1,2,3\n", "a,a\n1,2\n", 'a,"b\n', "时间,值\n,\n"):
        try:
            assert look(tmp_path, text).header
        except WattProofError as error:
            assert error.text("zh")
