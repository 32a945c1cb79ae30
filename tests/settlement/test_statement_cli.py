"""The command statement, in both languages: shown, filed, made again, taken elsewhere."""

from __future__ import annotations

import csv
import io
import json
from hashlib import sha256
from pathlib import Path

import pytest
from tests.cli.conftest import Command, command  # noqa: F401
from tests.support.settled_region import DAY_S, HOUR_S, OFFSET_S, REGION, START_S, SettledRegion

from wattproof.settlement.records import STATEMENTS

PERIOD = ("--from", "2025-01-01", "--to", "2025-01-03")


@pytest.fixture
def region(tmp_path: Path) -> SettledRegion:
    """Two settled days, and a meter that came too late for them."""
    with SettledRegion.made(tmp_path / "ledger") as found:
        found.meter("wind", supply=True)
        found.meter("works")
        found.meter("late")
        found.report("wind", [1200_000, *[100] * 29])
        found.report("works", [1000_000, *[100] * 29])
        found.run(START_S + 2 * DAY_S)
        found.report("late", [7])
    return found


def test_shown_in_both_languages(region: SettledRegion, command: Command) -> None:  # noqa: F811
    ran = command("statement", region.folder.path, REGION, *PERIOD)
    assert ran.code == 0
    for words in (
        "Settlement statement of CN-SH, 2025-01-01 to 2025-01-02 (UTC+08:00)",
        "1,202.9 kWh", "1,002.9 kWh", "200 kWh", "positive", "106.12 kg", "grid@1: 530,600 µg/Wh",
        "532.139 kg", "601.74 kg", "no certificate covers any of it", "2025-01-02", "late",
    ):  # fmt: skip
        assert words in ran.out, words
    ran = command("statement", region.folder.path, REGION, *PERIOD, lang="zh")
    for words in ("CN-SH 地区结算单", "净能碳值", "正值", "基于位置", "基于市场", "未以绿证抵扣"):
        assert words in ran.out, words


def test_rows_by_hour_and_what_differs_as_csv(
    region: SettledRegion, command: Command  # noqa: F811
) -> None:  # fmt: skip
    ran = command("statement", region.folder.path, REGION, *PERIOD, "--by", "hour", "--csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert len(rows) == 30
    assert rows[0] == {
        "begins": "2025-01-01T00:00:00+08:00", "ends": "2025-01-01T01:00:00+08:00",
        "supplied_wh": "1200000", "consumed_wh": "1000000", "net_wh": "200000",
        "verdict": "positive",
    }  # fmt: skip
    ran = command("statement", region.folder.path, REGION, "--csv", "--differences")
    assert [row["meter"] for row in csv.DictReader(io.StringIO(ran.out))] == ["late"]


def test_filed_made_again_and_checked_elsewhere(
    region: SettledRegion, command: Command, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    folder, out = region.folder.path, tmp_path / "statement.json"
    ran = command("statement", folder, REGION, *PERIOD, "--file", "--bundle", out, "--json")
    assert ran.code == 0, ran.err
    made = ran.json
    assert (made["number"], made["net_wh"], made["meters_differing"]) == (1, 200_000, 1)
    again = command("statement", folder, REGION, *PERIOD, "--file", "--json").json
    assert again["number"] == 2, "the log has grown, and says so"
    ran = command("statement", folder, REGION, "--number", 1, "--bytes")
    assert sha256(ran.out.encode()).hexdigest() == made["digest"]
    ran = command("statement", folder, REGION, "--check", 1)
    assert ran.code == 0 and made["digest"] in ran.out
    assert command("statement", folder, REGION, "--check", 2, "--json").json["same"] is True
    folder.rename(tmp_path / "away")
    ran = command("verify", out)
    assert ran.code == 0 and "200,000 Wh: positive" in ran.out
    ran = command("verify", out, "--ledger", made["ledger"], lang="zh")
    assert ran.code == 0 and "供电减用电为 200,000 瓦时：正值" in ran.out
    (tmp_path / "away").rename(folder)
    ran = command(
        "statement", folder, REGION, "--number", 2, "--bundle", tmp_path / "two", lang="zh"
    )
    assert ran.code == 0 and "验证" in ran.out
    assert command("verify", tmp_path / "two").code == 0


def test_a_statement_that_does_not_come_out_the_same(
    region: SettledRegion, command: Command, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    folder = region.folder.path
    assert command("statement", folder, REGION, *PERIOD, "--file").code == 0
    monkeypatch.setattr("wattproof.settlement.statement.FORMAT", "other")
    ran = command("statement", folder, REGION, "--check", 1)
    assert ran.code == 1 and "comes out as" in ran.out
    ran = command("statement", folder, REGION, "--number", 1, "--bundle", folder / "x")
    assert ran.code == 1 and "settlement.statement_changed" in ran.err
    assert not (folder / "x").exists()


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("settlement.region_unknown", ("CN-BJ", *PERIOD)),
        ("core.time", (REGION, "--from", "yesterday")),
        ("settlement.statement_days", (REGION, "--from", "2025-01-01T08:00:00")),
        ("settlement.statement_days", (REGION, "--from", "2025-01-03", "--to", "2025-01-01")),
        ("settlement.statement_days", (REGION, "--from", "1990", "--to", "2025")),
        ("settlement.time_before", (REGION, "--from", "1950")),
        ("settlement.step", (REGION, *PERIOD, "--by", "year")),
        ("settlement.statement_unknown", (REGION, "--number", "3")),
        ("settlement.statement_unknown", (REGION, "--check", "3")),
        ("settlement.statement_options", (REGION, *PERIOD, "--number", "1")),
        ("settlement.bundle_number", (REGION, *PERIOD, "--bundle", "x.json")),
        ("identity.role.missing", (REGION, *PERIOD, "--file", "--as", "importer")),
        ("settlement.nothing_settled", ("CN-ZJ",)),
    ],
)
def test_bad_calls_have_a_code(
    region: SettledRegion, command: Command, code: str, arguments: tuple[str, ...]  # noqa: F811
) -> None:  # fmt: skip
    if "CN-ZJ" in arguments:
        with region:
            region.define("CN-ZJ")
    ran = command("statement", region.folder.path, *arguments, "--json")
    assert ran.code in (1, 2)
    assert json.loads(ran.out)["error"]["code"] == code


def test_without_a_period_it_is_all_that_was_settled(
    region: SettledRegion, command: Command  # noqa: F811
) -> None:  # fmt: skip
    made = command("statement", region.folder.path, REGION, "--json").json
    assert (made["from_s"], made["to_s"]) == (START_S, START_S + 2 * DAY_S)
    assert (START_S + OFFSET_S) % DAY_S == 0 and made["offset_s"] == 8 * HOUR_S
    store = region.folder.read()
    assert list(store.scan(STATEMENTS)) == []
    store.close()
