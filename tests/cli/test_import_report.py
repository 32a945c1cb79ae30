"""import and report as a user calls them: real files exact, bad ones refused whole, a cut import
gone on with."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from tests.cli.conftest import Command
from tests.support.maps import OPSD, SMALL, STEEL, small
from tests.support.real_data import data_file

from wattproof.cli.output import LISTED
from wattproof.engines.folder import LedgerFolder

STEEL_FILE: Final = "steel_industry_kr_2018_15min.csv"
OPSD_FILE: Final = "opsd_household_60min.csv"
STEEL_TOTALS: Final = {"steel-main": 959_636_710, "steel-co2": 403_810_000}
OPSD_TOTALS: Final = {"house-import": 6_321_316, "house-export": 9_563_098, "house-pv": 12_336_971}
UG_PER_WH: Final = 536_600
"""cn-grid-2022-national: 0.5366 kg/kWh."""
STEPS: Final = ("hour", "day", "month", "year")


def entries(ledger: LedgerFolder) -> int:
    store = ledger.read()
    try:
        return store.size
    finally:
        store.close()


def saved(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def sums(rows: list[dict[str, Any]]) -> dict[str, tuple[int, int | None]]:
    """Amount and emission of each meter; no emission where no row has one."""
    amounts: dict[str, int] = defaultdict(int)
    grams: dict[str, int | None] = {}
    for row in rows:
        amounts[row["meter"]] += row["amount"]
        if row["emission_g"] is not None:
            grams[row["meter"]] = (grams.get(row["meter"]) or 0) + row["emission_g"]
    return {meter: (amount, grams.get(meter)) for meter, amount in amounts.items()}


def steel_days() -> dict[str, int]:
    """Watt-hours of each day, straight from the file: its 0:00 row closes the day that it names."""
    days: dict[str, Decimal] = defaultdict(Decimal)
    with data_file(STEEL_FILE).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            day, month, year = row["date"].split(" ")[0].split("/")
            days[f"{year}-{int(month):02}-{int(day):02}"] += Decimal(row["Usage_kWh"]) * 1000
    return {day: int(amount) for day, amount in days.items()}


def test_the_steel_plant(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    mapping = saved(tmp_path, STEEL, "steel.toml")
    call = ("import", ledger.path, data_file(STEEL_FILE), "--mapping", mapping)
    first = command(*call, "--json")
    assert first.code == 0, first.err
    assert {one["meter"]: one["total"] for one in first.json["meters"]} == STEEL_TOTALS
    assert [one["added"] for one in first.json["meters"]] == [35_040, 35_040]
    assert first.json["packets"] == 730

    reports = {step: command("report", ledger.path, "emissions", "--by", step, "--json").json
               for step in STEPS}  # fmt: skip
    expected = {
        "steel-main": (959_636_710, 959_636_710 * UG_PER_WH // 10**6),
        "steel-co2": (403_810_000, 403_810_000),
    }
    assert {step: sums(rows) for step, rows in reports.items()} == dict.fromkeys(STEPS, expected)
    assert [len(reports[step]) for step in STEPS] == [2 * 8760, 2 * 365, 2 * 12, 2]
    shown = {row["start"]: row["amount"] for row in reports["day"] if row["meter"] == "steel-main"}
    assert shown == {f"{day}T00:00:00+09:00": amount for day, amount in steel_days().items()}

    size = entries(ledger)
    again = command(*call, "--json")
    assert (again.code, again.json["packets"], entries(ledger)) == (0, 0, size)
    assert [one["added"] for one in again.json["meters"]] == [0, 0]
    assert "Nothing was added" in command(*call).out
    assert "未新增内容" in command(*call, lang="zh").out
    assert command("audit", ledger.path, "--json").json["ok"] is True


def test_the_house_in_konstanz(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    mapping = saved(tmp_path, OPSD, "opsd.toml")
    call = ("import", ledger.path, data_file(OPSD_FILE), "--mapping", mapping)
    first = command(*call, "--json")
    assert first.code == 0, first.err
    assert {one["meter"]: one["total"] for one in first.json["meters"]} == OPSD_TOTALS
    expected = {meter: (total, None) for meter, total in OPSD_TOTALS.items()}
    for step in STEPS:
        rows = command("report", ledger.path, "emissions", "--by", step, "--json").json
        assert sums(rows) == expected, step
    size = entries(ledger)
    assert command(*call, "--json").json["packets"] == 0
    assert entries(ledger) == size


def test_a_report_for_people(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    file = saved(tmp_path, "time,kWh\n2023-05-01T00:15,1.5\n2023-05-01T00:30,0.5\n", "f.csv")
    mapping = saved(tmp_path, SMALL + 'factor = "cn-grid-2022-national"\n', "m.toml")
    told = command("import", ledger.path, file, "--mapping", mapping)
    assert (told.code, "1 packets added" in told.out) == (0, True)
    english = command("report", ledger.path, "emissions", "--by", "month").out
    chinese = command("report", ledger.path, "emissions", "--by", "month", lang="zh").out
    assert "2 kWh" in english and "1.073 kg" in english
    assert "2 千瓦时" in chinese and "受电量" in chinese


BAD: Final = (
    ("2023-05-01T00:15,x", (2, "kWh", "core.number")),
    ("2023-05-01T00:15,-1", (2, "kWh", "import.negative")),
    ("yesterday,1", (2, "time", "import.stamp")),
    ("2023-05-01T00:15,1\n2023-05-01T00:15,2", (3, "time", "import.duplicate_stamp")),
    ("2023-05-01T00:30,1\n2023-05-01T00:15,2", (3, "time", "import.out_of_order")),
    ("2023-05-01T00:15,1\n2023-05-01T00:20,2", (3, "time", "import.off_grid")),
    ("2023-05-01T00:15", (2, "", "import.row_length")),
    ("2023-05-01T00:15,1,2", (2, "", "import.row_length")),
)


@pytest.mark.parametrize(("rows", "problem"), BAD)
def test_a_bad_file(
    command: Command,
    ledger: LedgerFolder,
    tmp_path: Path,
    rows: str,
    problem: tuple[int, str, str],
) -> None:
    file = saved(tmp_path, f"time,kWh\n{rows}\n", "bad.csv")
    mapping = saved(tmp_path, SMALL, "m.toml")
    size, call = entries(ledger), ("import", ledger.path, file, "--mapping", mapping)
    ran = command(*call, "--json")
    assert (ran.code, ran.json["error"]["code"], entries(ledger)) == (1, "import.file", size)
    (found,) = ran.json["error"]["params"]["problems"]
    assert (found["line"], found["column"], found["code"]) == problem
    line, column, _ = problem
    english, chinese = command(*call).err, command(*call, lang="zh").err
    assert f"line {line}" in english and found["en"] in english
    assert f"第 {line} 行" in chinese and found["zh"] in chinese
    assert column in english and column in chinese
    assert "[import.file]" in english and "[import.file]" in chinese


def test_every_problem_is_listed_up_to_a_limit(
    command: Command, ledger: LedgerFolder, tmp_path: Path
) -> None:
    good = "2023-05-01T00:15,1\n"
    rows = "".join(f"2023-05-{day:02}T01:00,x\n" for day in range(1, 29)) * 2
    mapping = saved(tmp_path, SMALL, "m.toml")
    call = ("import", ledger.path, tmp_path / "bad.csv", "--mapping", mapping)
    saved(tmp_path, f"time,kWh\n{good}{rows}", "bad.csv")
    count = command(*call, "--json").json["error"]["params"]["count"]
    lines = command(*call).err.splitlines()
    assert count > LISTED
    assert lines[0] == f"Nothing of bad.csv was imported: {count} problems, 1 good rows. " \
                       "[import.file]"  # fmt: skip
    assert len(lines) == 1 + LISTED + 1
    assert lines[1].startswith("  line 3, column kWh: ")
    assert lines[-1] == f"  and {count - LISTED} more problems"
    assert command(*call, lang="zh").err.splitlines()[-1] == f"  另有 {count - LISTED} 处问题"


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        (small(unit='"m3"'), "import.map_value"),
        (small(interval_s="0"), "import.map_number"),
        (SMALL + 'factor = "nothing"\n', "emissions.factor_unknown"),
        (SMALL + 'factor = "cn-heat-default"\n', "emissions.mismatch"),
        ("[file", "import.map_syntax"),
    ],
)
def test_a_bad_mapping(
    command: Command, ledger: LedgerFolder, tmp_path: Path, mapping: str, code: str
) -> None:
    file = saved(tmp_path, "time,kWh\n2023-05-01T00:15,1\n", "f.csv")
    size = entries(ledger)
    ran = command("import", ledger.path, file, "--mapping", saved(tmp_path, mapping, "m"), "--json")
    assert (ran.code, ran.json["error"]["code"], entries(ledger)) == (1, code, size)
    assert ran.json["error"]["zh"] != ran.json["error"]["en"]


def test_missing_files_and_strangers(
    command: Command, ledger: LedgerFolder, tmp_path: Path
) -> None:
    file = saved(tmp_path, "time,kWh\n2023-05-01T00:15,1\n", "f.csv")
    mapping = saved(tmp_path, SMALL, "m.toml")
    size = entries(ledger)
    for call, code, exit_code in (
        ((tmp_path / "none.csv", "--mapping", mapping), "import.unreadable", 2),
        ((file, "--mapping", tmp_path / "none.toml"), "import.map_file", 2),
        ((file, "--mapping", mapping, "--party", "operator"), "import.importer", 1),
        ((file, "--mapping", mapping, "--party", "nobody"), "keys.store.unknown", 1),
    ):
        ran = command("import", ledger.path, *call, "--json")
        assert (ran.code, ran.json["error"]["code"]) == (exit_code, code)
    assert entries(ledger) == size


def test_a_killed_import_goes_on_where_it_stopped(
    command: Command, ledger: LedgerFolder, tmp_path: Path
) -> None:
    days, zone_day = 1500, 1_577_808_000  # from 2020-01-01 in Shanghai
    with (tmp_path / "long.csv").open("w", encoding="utf-8") as file:
        file.write("time,kWh\n")
        for quarter in range(96 * days):
            stamp = time.gmtime(zone_day + 8 * 3600 + (quarter + 1) * 900)
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M', stamp)},{quarter % 7}.25\n")
    mapping = saved(tmp_path, SMALL + 'factor = "cn-grid-2022-national"\n', "m.toml")
    call = ("import", ledger.path, tmp_path / "long.csv", "--mapping", mapping)
    total = sum(quarter % 7 * 1000 + 250 for quarter in range(96 * days))
    before = entries(ledger)
    _kill_in_the_middle(ledger, call, beyond=before)
    cut = entries(ledger)
    assert before < cut < before + days
    ran = command(*call, "--json")
    assert ran.code == 0, ran.err
    assert 0 < ran.json["packets"] < days
    rows = command("report", ledger.path, "emissions", "--by", "year", "--json").json
    assert sums(rows) == {"m1": (total, total * UG_PER_WH // 10**6)}
    assert entries(ledger) == before + days + 4  # enrol, authenticate, confirm, assign
    assert command(*call, "--json").json["packets"] == 0
    assert command("audit", ledger.path, "--json").json["ok"] is True


def _kill_in_the_middle(ledger: LedgerFolder, call: tuple[object, ...], *, beyond: int) -> None:
    """Run a command and kill it (SIGKILL) as soon as the log has grown."""
    environment = {name: value for name, value in os.environ.items()
                   if name != "WATTPROOF_PASSPHRASE"}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "wattproof", *map(str, call)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    store = ledger.read()
    try:
        deadline = time.monotonic() + 60
        while store.size == beyond and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    finally:
        store.close()
        assert process.wait() == -signal.SIGKILL, "it ended by itself"
