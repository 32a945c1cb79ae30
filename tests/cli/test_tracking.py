"""Tracking as a user calls it: a real house wired up, its error reported, filed and checked."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from tests.cli.conftest import Command
from tests.support.maps import OPSD, small
from tests.support.real_data import data_file

from wattproof.engines.folder import LedgerFolder

HOUSE: Final = "opsd_household_60min.csv"
PARTS: Final = (
    "export", "dishwasher", "ev", "freezer", "heat_pump", "refrigerator", "washing_machine",
)  # fmt: skip
ZONE: Final = "Europe/Berlin"
JUNE: Final = ("2016-05-31T21:00:00Z", "2016-06-30T21:00:00Z")
"""The last hours before and of June 2016 in Konstanz."""


def house_map() -> str:
    """The house's three registers, and those of its appliances."""
    more = "".join(
        f'\n[[series]]\nmeter = "house-{name.replace("_", "-")}"\n'
        f'column = "DE_KN_residential4_{name}"\nquantity = "electricity.consumption"\n'
        'unit = "kWh"\nkind = "register"\nregion = "DE"\n'
        for name in PARTS[1:]
    )
    return OPSD + more


def gained_wh(*names: str) -> int:
    """What registers gained in June 2016, straight from the file."""
    levels: dict[str, dict[str, int]] = {}
    with data_file(HOUSE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["utc_timestamp"] in JUNE:
                levels[row["utc_timestamp"]] = {
                    name: int(Decimal(row[f"DE_KN_residential4_{name}"]) * 1000) for name in names
                }
    return sum(levels[JUNE[1]][name] - levels[JUNE[0]][name] for name in names)


@pytest.fixture
def house(command: Command, ledger: LedgerFolder, tmp_path: Path) -> Path:
    """The house in Konstanz: what comes in at ports 1 and 2, where it goes at ports 3 to 9."""
    mapping = tmp_path / "house.toml"
    mapping.write_text(house_map(), encoding="utf-8")
    folder = ledger.path
    assert command("import", folder, data_file(HOUSE), "--mapping", mapping).code == 0
    names = ("import", "pv", *PARTS)
    for number, name in enumerate(names, start=1):
        meter = f"house-{name.replace('_', '-')}"
        ran = command("port", "add", folder, number, meter, "--plant", "house", "--process", name)
        assert ran.code == 0, ran.err
    assert command("bind", folder, "2－1/2—3/4/5/6/7/8/9", "--as", "total").code == 0
    return folder


def test_the_house_s_real_discrepancy(command: Command, house: Path) -> None:
    """What was bought and generated, less what was fed in and what appliances used, is what
    nobody metered: lights, the stove, and everything else."""
    june = ("--from", "2016-06", "--to", "2016-07", "--zone", ZONE)
    report = command("errors", house, 2, "--by", "day", *june, "--json").json
    total = report["total"]
    assert total["left"] == gained_wh("grid_import", "pv")
    assert total["right"] == gained_wh("grid_export", *PARTS[1:])
    assert (
        total["error"]
        == total["left"] - total["right"]
        == sum(row["error"] for row in report["rows"])
    )
    assert (report["text"], len(report["rows"]), report["unit"]) == (
        "2-1/2-3/4/5/6/7/8/9", 30, "Wh",
    )  # fmt: skip
    assert (total["error"], total["percent"]) == (161_493, 1_112)
    hours = command("errors", house, 2, "--by", "hour", *june, "--json").json
    assert hours["total"] == total and len(hours["rows"]) == 30 * 24
    table = command("errors", house, 2, "--by", "month", *june)
    assert table.code == 0 and "2016-06-01T00:00:00+02:00" in table.out
    chinese = command("errors", house, 2, "--by", "month", *june, lang="zh")
    assert "误差" in chinese.out
    lines = command("errors", house, 2, *june, "--csv").out.splitlines()
    assert len(lines) == 31 and lines[0].startswith("begins,ends,left,right,error")


def test_a_report_is_filed_and_comes_out_the_same_elsewhere(command: Command, house: Path) -> None:
    lines = command("lines", house, 2, "--line", "5.5kWh", "--line", "40%", "--window", "1d")
    assert lines.code == 0, lines.err
    june = ("--by", "day", "--set", 1, "--from", "2016-06", "--to", "2016-07", "--zone", ZONE)
    filed = command("errors", house, 2, *june, "--file", "--json").json
    assert filed["filed"]["events"][0]["report"] == 1
    assert 0 < len(filed["rows"]) < filed["buckets"] == 30
    assert all(row["line"] for row in filed["rows"])
    # More comes in and the wiring changes: the report stays what it was.
    command("unbind", house, 2)
    command("bind", house, "2-1-3", "--as", "total")
    for zone, seed in (("UTC", "1"), ("America/New_York", "77")):
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed}
        ran = subprocess.run(
            [sys.executable, "-m", "wattproof", "errors", str(house), "--check", "1", "--json"],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout) == {
            "host": "importer", "report": 1, "same": True,
            "filed": filed["digest"], "digest": filed["digest"],
        }  # fmt: skip
    assert command("errors", house, "--check", 2).code == 1


def test_what_is_filed_can_be_hashed_by_anyone(command: Command, house: Path) -> None:
    asked = ("errors", house, 2, "--by", "year", "--zone", ZONE)
    printed = command(*asked, "--bytes").out
    report = command(*asked, "--json").json
    assert sha256(printed.encode()).hexdigest() == report["digest"]
    read = json.loads(printed)
    assert printed == json.dumps(read, sort_keys=True, separators=(",", ":"))


def test_another_digest_on_the_ledger_is_found_out(
    command: Command, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody filed what the log does not say."""
    module = sys.modules["wattproof.emissions.tracking.filing"]
    with monkeypatch.context() as changed:
        changed.setattr(module, "report_bytes", lambda _: b"made up")
        assert command("errors", house, 2, "--by", "year", "--file").code == 0
    ran = command("errors", house, "--check", 1)
    assert ran.code == 1 and "comes out as" in ran.out


def test_stages_rollup_nodes_and_forecast(command: Command, house: Path) -> None:
    stages = command("stages", house, "house-pv", "--by", "month", "--json").json
    assert sum(row["amount"] for row in stages["rows"]) == 12_336_971
    assert max(row["mean_count"] for row in stages["rows"]) == 12
    assert command("stages", house, "house-pv", "--by", "year").code == 0
    rolled = command("rollup", house, "--by", "process", "--json").json
    assert [label["label"] for label in rolled["labels"]] == sorted(PARTS)
    assert command("rollup", house, "--by", "region").code == 0
    health = command("nodes", house, "--json").json
    assert {node["device"]: node["wrong"] for node in health}["house-ev"] == 0
    ran = command("forecast", house, "house-import", "--as", "oracle", "--for", 24, "--json")
    made = ran.json
    assert (made["added"], made["packets"], len(made["amounts"])) == (24, 1, 24)
    naive, level = made["backtests"]
    assert (naive["method"], level["method"]) == ("naive", "level")
    assert 0 < level["wape"] < naive["wape"]
    again = command("forecast", house, "house-import", "--as", "oracle", "--for", 24, "--json")
    assert again.json["added"] == 0
    assert command("port", "add", house, 10, "oracle").code == 0
    assert command("bind", house, "1-10-1", "--as", "predicted").code == 0
    report = command("errors", house, 1, "--by", "hour", "--zone", ZONE, "--json").json
    assert report["kind"] == "predicted" and report["total"]["left"] == sum(made["amounts"])


def test_wiring_is_listed_and_taken_apart(command: Command, ledger: LedgerFolder) -> None:
    folder = ledger.path
    readings = folder.parent / "readings.csv"
    readings.write_text("time,kWh\n2023-05-01T00:15,1\n", encoding="utf-8")
    mapping = folder.parent / "small.toml"
    for meter in ("m1", "m2"):
        mapping.write_text(small(meter=f'"{meter}"'), encoding="utf-8")
        assert command("import", folder, readings, "--mapping", mapping).code == 0
    command("port", "add", folder, 1, "m1", "--plant", "north")
    command("port", "add", folder, 2, "m2")
    command("bind", folder, "7-1-2", "--as", "total", "--measure", "emission")
    assert [port["plant"] for port in command("port", "list", folder, "--json").json] == [
        "north", "",
    ]  # fmt: skip
    assert command("lines", folder, 7, "--line", "1.5 kg", "--set", 3).code == 0
    (bound,) = command("bindings", folder, "--json").json
    assert (bound["text"], bound["unit"]) == ("7-1-2", "g")
    assert bound["sets"][0]["lines"] == [{"value": 1500, "unit": "absolute"}]
    assert command("interrupts", folder, "--json").json == []
    for listed in ("interrupts", "nodes", "bindings"):
        assert command(listed, folder).code == 0
        assert command(listed, folder, "--host", "operator", lang="zh").code == 0
    assert command("lines", folder, 7, "--set", 3, "--remove").code == 0
    assert command("unbind", folder, 7).code == 0
    assert command("port", "remove", folder, 1).code == 0
    assert command("port", "list", folder).code == 0


BAD: Final[tuple[tuple[Any, ...], ...]] = (
    (1, "emissions.port_unknown", "port", "remove", "DIR", 9),
    (1, "emissions.binding_syntax", "bind", "DIR", "1-2", "--as", "total"),
    (1, "emissions.binding_kind", "bind", "DIR", "1-2-3", "--as", "sum"),
    (1, "emissions.port_unknown", "bind", "DIR", "1-2-3", "--as", "total"),
    (1, "emissions.binding_unknown", "lines", "DIR", 1, "--line", "5%"),
    (1, "emissions.binding_unknown", "errors", "DIR", 4),
    (1, "core.step", "errors", "DIR", 4, "--by", "week"),
    (1, "emissions.report_unknown", "errors", "DIR", "--check", 3),
    (1, "identity.device.unknown", "stages", "DIR", "nobody"),
    (1, "emissions.rollup_by", "rollup", "DIR", "--by", "colour"),
    (1, "emissions.forecast_method", "forecast", "DIR", "m", "--as", "x", "--for", 3,
     "--method", "magic"),
    (1, "identity.device.unknown", "forecast", "DIR", "m", "--as", "x", "--for", 3),
)  # fmt: skip


@pytest.mark.parametrize("asked", BAD, ids=lambda asked: " ".join(map(str, asked[2:])))
def test_what_cannot_be_done_is_said_by_name(
    command: Command, ledger: LedgerFolder, asked: tuple[Any, ...]
) -> None:
    code, name, *words = asked
    ran = command(*[ledger.path if word == "DIR" else word for word in words], "--json")
    assert (ran.code, ran.json["error"]["code"]) == (code, name)
