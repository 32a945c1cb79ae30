"""shipments import and report as a user calls them, over real shipments and small files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Command
from tests.emissions.logistics.files import (
    DISTANCES,
    POINTS,
    SCMS,
    SCMS_MAP,
    SMALL,
    SMALL_MAP,
    TRACKED_MAP,
)
from tests.support.real_data import data_file

from wattproof.engines.folder import LedgerFolder


def saved(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_small_file(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    file, mapping = saved(tmp_path, SMALL, "out.csv"), saved(tmp_path, SMALL_MAP, "M.toml")
    call = ("shipments", "import", ledger.path, file, "--mapping", mapping)
    checked = command(*call, "--check", "--json").json
    assert (checked["rows"], checked["added"], checked["left_rows"]) == (8, 0, 7)
    done = command(*call)
    assert "out.csv: 8 rows; added: 1; in the ledger already: 0; left: 7." in done.out
    assert "out.csv, line 3, kg “heavy”:" in done.out
    assert "tonne-kilometre, defra-2025, tank to wheel: 1 shipments, 300 km, 115.545 kg" in done.out
    again = command(*call, lang="zh")
    assert "新增 0；已在账本 1；未采用 7。" in again.out
    assert "out.csv 第 3 行，kg“heavy”" in again.out
    (row,) = command("shipments", "report", ledger.path, "--by", "customer", "--json").json
    assert (row["key"], row["emission_g"], row["methods"]) == ("c-1", 115_545, ["tonne-km"])
    shown = command("shipments", "report", ledger.path, "--by", "period", lang="zh")
    assert "吨公里" in shown.out and "油箱到车轮" in shown.out


def test_tracking_points(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    files = [
        saved(tmp_path, text, name)
        for text, name in ((SMALL, "out.csv"), (POINTS, "points.csv"), (TRACKED_MAP, "M.toml"))
    ]
    call = ("shipments", "import", ledger.path, files[0], "--tracking", files[1])
    done = command(*call, "--mapping", files[2], "--json").json
    (total,) = done["sums"]
    assert (total["distance_m"], total["emission_g"]) == (556_675, 214_403)


def test_real_shipments_are_reported_alike_however_they_are_cut(
    command: Command, ledger: LedgerFolder, tmp_path: Path
) -> None:
    mapping = saved(tmp_path, SCMS_MAP + DISTANCES, "M.toml")
    call = ("shipments", "import", ledger.path, data_file(SCMS), "--mapping", mapping, "--json")
    done = command(*call).json
    assert done["rows"] == 5162
    assert done["added"] > 800
    assert done["added"] + done["left_rows"] == 5162
    assert done["reasons"]["core.number"] == 1951
    assert done["reasons"]["emissions.shipment.no_weight"] == 1
    told = {(one["set"], one["scope"]): 0 for one in done["sums"]}
    for one in done["sums"]:
        told[one["set"], one["scope"]] += one["emission_g"]
    for by in ("shipment", "customer", "method", "mode", "product"):
        rows = command("shipments", "report", ledger.path, "--by", by, "--json").json
        assert {basis: sum(row["emission_g"] for row in rows if (row["set"], row["scope"]) == basis)
                for basis in told} == told, by  # fmt: skip
    for step in ("hour", "day", "month", "year"):
        options = ("--by", "period", "--step", step, "--zone", "UTC", "--json")
        rows = command("shipments", "report", ledger.path, *options).json
        assert sum(row["emission_g"] for row in rows) == sum(told.values()), step
    assert command(*call).json["added"] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("report", "--by", "colour"), "shipments.report_by"),
        (("report", "--step", "week"), "core.step"),
        (("report", "--zone", "Moon"), "core.zone"),
    ],
)
def test_bad_calls(
    command: Command, ledger: LedgerFolder, arguments: tuple[str, ...], code: str
) -> None:
    name, *options = arguments
    answer = command("shipments", name, ledger.path, *options)
    assert answer.code != 0
    assert code in answer.err + answer.out


def test_files_that_are_not_there(command: Command, ledger: LedgerFolder, tmp_path: Path) -> None:
    mapping = saved(tmp_path, SMALL_MAP, "M.toml")
    answer = command(
        "shipments", "import", ledger.path, tmp_path / "none.csv", "--mapping", mapping
    )
    assert answer.code != 0
    assert "none.csv" in answer.err + answer.out
