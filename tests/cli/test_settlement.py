"""region, tariff, contract, settle and trades as a user calls them; each a second time, too."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Command, Ran
from tests.support.settled_region import DAY_S, HOUR_S, OFFSET_S, REGION, START_S
from tests.support.street import METERS, Street, new_street

from wattproof.book.model import OpenAccount
from wattproof.settlement.events import Settled
from wattproof.settlement.model import OpenRun

NOON = "2025-01-02T12:00"
NOON_S = START_S + DAY_S + 12 * HOUR_S


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_street(tmp_path_factory.mktemp("street") / "ledger").folder.path


@pytest.fixture
def at(made: Path, tmp_path: Path) -> Path:
    """The street's ledger; nothing is settled yet."""
    shutil.copytree(made, tmp_path / "ledger")
    return tmp_path / "ledger"


def size(at: Path) -> int:
    """How many entries the log has."""
    street = Street(at)
    with street:
        return street.store.size


def refused(ran: Ran, code: str) -> None:
    """A command ended with this code, said in one line, and with nothing else on its output."""
    assert ran.code in (1, 2) and ran.out == ""
    assert ran.err.rstrip().endswith(f"[{code}]"), ran.err


def settle(command: Command, at: Path, *more: object, until: str = NOON, lang: str = "en") -> Ran:
    return command("settle", at, REGION, "--until", until, "--as", "grid", *more, lang=lang)


def test_a_region_is_settled_and_shown(command: Command, at: Path) -> None:
    first = settle(command, at, "--json", until="2025-01-02").json
    assert (first["added"], first["gone_on_with"]) == (True, None)
    (run,) = first["runs"]
    assert (run["number"], run["state"], run["supplied_wh"]) == (1, "closed", 24 * 6_300)
    second = settle(command, at)
    assert second.code == 0 and second.err == ""
    assert "Run 2 up to 2025-01-02T12:00:00+08:00: bought 75.6 kWh (trades: 2, paid 30.24 CNY)" in (
        second.out
    )
    (listed,) = command("region", "list", at, "--json").json
    assert (listed["runs"], listed["settled_s"], listed["open_run"]) == (2, NOON_S, 0)
    shown = command("region", "show", at, REGION, "--json").json
    assert shown["region"] == listed
    assert shown["value"]["sums"]["supplied_wh"] == 36 * 6_300
    day = command("region", "show", at, REGION, "--from", "2025-01-02", "--json").json
    assert day["value"]["sums"]["supplied_wh"] == 12 * 6_300
    english = command("region", "show", at, REGION).out
    assert "net value: 43.8 kWh (positive)" in english and "(rest@1)" in english
    chinese = command("region", "show", at, REGION, lang="zh").out
    assert "净值：43.8 千瓦时（正值）" in chinese
    assert not re.search("[a-z]{4,}(?!@)", chinese.replace("grid", "").replace("rest", ""))


def test_what_is_left_in_the_pool_is_drawn(command: Command, at: Path) -> None:
    settle(command, at)
    street = Street(at)
    with street:
        street.submit(OpenAccount(id="margin"))
    due = [one for one in command("wallet", "list", at, "--json").json if one["due_fen"]]
    for one in due:
        command("wallet", "top-up", at, one["device"], "20", "--as", "grid")
    settle(command, at)
    assert "in the pool: 0.78 CNY" in command("region", "show", at, REGION).out
    draw = ("region", "draw", at, REGION)
    to = ("--to", "margin", "--as", "grid")
    refused(command(*draw, "0.79", *to), "settlement.pool_amount")
    refused(command(*draw, "0.785", *to), "book.amount")
    told = command(*draw, "0.50", *to, "--once").out
    assert told.startswith("0.50 CNY from the pool of CN-SH to margin.")
    assert command(*draw, "0.50", *to, "--once", "--json").json["added"] is False
    assert "资金池余额：0.28 元" in command("region", "show", at, REGION, lang="zh").out


def test_a_second_run_says_that_nothing_was_added(command: Command, at: Path) -> None:
    settle(command, at)
    before = size(at)
    again = settle(command, at, "--json").json
    assert again == {
        "region": REGION, "until_s": NOON_S, "added": False, "gone_on_with": None, "runs": [],
        "left_out": [],
    }  # fmt: skip
    assert "nothing was added" in settle(command, at).out
    assert "未新增记录" in settle(command, at, lang="zh").out
    assert size(at) == before


def test_a_meter_without_a_price_is_left_out_and_named(command: Command, at: Path) -> None:
    prices = ("tariff", "publish", at, REGION, "later", "0.5", "--as", "grid")
    command(*prices, "--from", "2030-01-01")
    command("tariff", "assign", at, "mill", "later", "--as", "grid")
    told = settle(command, at).out
    assert "Left out" in told and "(meters: 1): mill." in told
    assert "nothing was added" in settle(command, at).out
    command("tariff", "assign", at, "mill", "--as", "grid")
    late = settle(command, at, "--json").json
    assert late["left_out"] == [] and late["runs"][0]["consumed_wh"] == 36 * 4_000


def test_what_came_late_is_settled_by_a_supplementary_run(command: Command, at: Path) -> None:
    settle(command, at)
    street = Street(at)
    with street:
        street.late()
    (run,) = settle(command, at, "--json").json["runs"]
    assert (run["number"], run["trades_consumption"]) == (2, 1)
    assert run["consumed_wh"] == 6 * METERS["kitchen"][1]


def test_goes_on_with_what_was_interrupted(command: Command, at: Path) -> None:
    street = Street(at)
    with street:
        street.submit(OpenRun(region=REGION, until_s=START_S + DAY_S))
    told = settle(command, at)
    assert told.out.startswith(
        "Went on with run 1, which was not finished.\nRun 1 up to 2025-01-02T"
    )
    assert "\nRun 2 up to 2025-01-02T12" in told.out
    listed = command("region", "list", at, "--json").json
    assert [one["runs"] for one in listed] == [2]
    (first,) = command("trades", at, "mill", "--limit", "1", "--json").json
    assert (first["run"], first["trade"], first["wh"]) == (2, 2, 12 * 4_000)


@pytest.mark.parametrize("batch", [1, 2, 4_000])
def test_batches_of_any_size(command: Command, at: Path, batch: int) -> None:
    (run,) = settle(command, at, "--batch", batch, "--json").json["runs"]
    assert run["batches"] == -(-len(METERS) // batch)
    assert run["supplied_wh"] == 36 * 6_300


def test_what_settle_refuses(command: Command, at: Path) -> None:
    refused(settle(command, at, until="soon"), "core.time")
    refused(settle(command, at, until="2199-01-01"), "settlement.run_ahead")
    refused(
        command("settle", at, "CN-ZJ", "--until", NOON, "--as", "grid"), "settlement.region_unknown"
    )
    refused(
        command("settle", at, REGION, "--until", NOON, "--as", "north"), "settlement.not_operator"
    )
    refused(command("settle", at, REGION, "--until", NOON, "--as", "wind"), "identity.role.missing")
    told = command("settle", at, REGION, "--until", NOON, "--as", "north", "--json")
    assert told.code == 1 and told.json["error"]["code"] == "settlement.not_operator"
    assert settle(command, at, "--batch", 4_001).code == 2
    assert settle(command, at, "--batch", 0).code == 2


def test_a_region_is_defined_once(command: Command, at: Path) -> None:
    def define(region: str, *more: object) -> Ran:
        factors = ("--location", "grid@1", "--residual", "rest@1")
        return command("region", "define", at, region, "--as", "north", *factors, *more)

    first = define("CN-ZJ", "--tolerance", "1.5 kWh", "--offset", "+09:00", "--json").json
    assert first["added"] and first["region"] == "CN-ZJ"
    again = define("CN-ZJ", "--tolerance", "1.5 kWh", "--offset", "+09:00", "--json").json
    assert (again["added"], again["entry"]) == (False, first["entry"])
    assert (
        "nothing was added" in define("CN-ZJ", "--tolerance", "1.5 kWh", "--offset", "+09:00").out
    )
    region = command("region", "show", at, "CN-ZJ", "--json").json["region"]
    assert (region["tolerance_wh"], region["offset_s"]) == (1_500, OFFSET_S + HOUR_S)
    refused(define("CN-ZJ"), "settlement.region_taken")
    refused(define("Atlantis"), "core.region")
    refused(define("CN-JS", "--offset", "east"), "settlement.offset")
    refused(define("CN-JS", "--tolerance", "0.1 Wh"), "settlement.energy")
    refused(define("CN-JS", "--tolerance", "1 furlong"), "core.unit")
    refused(define("CN-JS", "--money", "gold"), "book.asset.unknown")


def test_tariffs_are_published_and_assigned(command: Command, at: Path) -> None:
    def publish(*prices: object, party: str = "grid", lang: str = "en") -> Ran:
        return command("tariff", "publish", at, REGION, "night", *prices, "--as", party, lang=lang)

    bands = ("00:00=0.30", "08:00=0.90", "22:00=0.30")
    first = publish(*bands, "--json").json
    assert first["added"] and first["prices"] == " ".join(bands)
    assert not publish(" ".join(bands), "--json").json["added"]
    assert "未新增记录" in publish(*bands, lang="zh").out
    assert publish("0.5", "--json").json["added"]  # nothing was settled by it yet
    assert publish("0.6", "--from", "2025-03-01", "--json").json["from_s"] == START_S + 59 * DAY_S
    shown = command("tariff", "list", at, REGION, "--all", "--json").json
    assert [(one["id"], one["prices"]) for one in shown] == [
        ("buy", "0.40"), ("night", "0.50"), ("night", "0.60"), ("sell", "0.50"),
    ]  # fmt: skip
    in_force = command("tariff", "list", at, REGION, "--json").json
    assert [one["prices"] for one in in_force] == ["0.40", "0.60", "0.50"]
    assert "0.40" in command("tariff", "list", at, REGION).out
    assert "供电" in command("tariff", "list", at, REGION, lang="zh").out

    assigned = command("tariff", "assign", at, "mill", "night", "--as", "grid", "--json").json
    assert assigned["added"]
    assert not command("tariff", "assign", at, "mill", "night", "--as", "grid", "--json").json[
        "added"
    ]
    settle(command, at, until="2025-01-02")
    (trade,) = command("trades", at, "mill", "--json").json
    assert trade["fen"] == 24 * 4_000 * 5 // 100
    assert command("tariff", "assign", at, "mill", "--as", "grid", "--json").json["added"]

    refused(publish("0.123456"), "settlement.price")
    refused(publish("08:00=0.5"), "settlement.bands_text")
    refused(publish("0.7"), "settlement.settled_already")
    refused(publish("0.7", party="north"), "settlement.not_operator")
    refused(publish("0.7", "--from", "2025-03-01T00:30"), "settlement.period")
    refused(
        command("tariff", "assign", at, "mill", "dear", "--as", "grid"), "settlement.tariff_unknown"
    )
    refused(command("tariff", "assign", at, "unheard", "--as", "grid"), "identity.device.unknown")


def test_a_contract_is_offered_accepted_and_settled(command: Command, at: Path) -> None:
    def offer(*more: object, id_: str = "c1", party: str = "wind") -> Ran:
        return command(
            "contract", "offer", at, id_, "--as", party, "--supply", "turbine", "--consumption",
            "mill", "--energy", "1 kWh", "--price", "0.45", "--from", "2025-01-01", "--to",
            "2025-02-01", *more,
        )  # fmt: skip

    assert offer("--json").json["added"]
    assert not offer("--json").json["added"]
    refused(command("contract", "accept", at, "c1", "--as", "house"), "settlement.contract_unknown")
    assert command("contract", "accept", at, "c1", "--as", "works", "--json").json["added"]
    assert not command("contract", "accept", at, "c1", "--as", "works", "--json").json["added"]
    (listed,) = command("contract", "list", at, "--json").json
    assert (listed["from_s"], listed["price_ufen"]) == (START_S, 45_000)
    assert command("contract", "list", at, "--party", "works", "--json").json == [listed]
    assert command("contract", "list", at, "--party", "house").out == "There are none.\n"
    table = command("contract", "list", at, "--limit", "1", lang="zh").out
    assert "turbine（wind）" in table and "--after c1" in table
    settle(command, at, until="2025-01-02")
    (bought,) = command("trades", at, "turbine", "--json").json
    (sold,) = command("trades", at, "mill", "--json").json
    assert sold["fen"] == 24 * (1_000 * 45_000 + 3_000 * 50_000) // 10**6
    assert bought["fen"] == 24 * (1_000 * 45_000 + 5_000 * 40_000) // 10**6

    refused(offer(id_="c2", party="house"), "settlement.not_yours")
    refused(offer("--price", "-1", id_="c2"), "settlement.price")
    refused(offer("--energy", "much", id_="c2"), "settlement.energy")
    refused(offer("--to", "2024", id_="c2"), "settlement.period")
    refused(offer("--energy", "2 kWh"), "settlement.contract_taken")
    refused(command("contract", "accept", at, "c9", "--as", "works"), "settlement.no_contract")


def test_trades_with_packets_and_trace_codes(command: Command, at: Path) -> None:
    assert command("trades", at, "roof").out == "roof has no trades.\n"
    assert command("trades", at, "roof", "--json").json == []
    settle(command, at, until="2025-01-01T05:00")
    settle(command, at)
    trades: list[dict[str, Any]] = command("trades", at, "roof", "--json").json
    assert [(one["trade"], one["hours"], one["wh"]) for one in trades] == [
        (3, 12, 3_600), (2, 19, 5_700), (1, 5, 1_500),
    ]  # fmt: skip
    assert [[packet["sequence"] for packet in one["packets"]] for one in trades] == [[2], [1], [1]]
    assert all(one["trace_code"] is one["sealed"] is None for one in trades)
    rest = command("trades", at, "roof", "--before", trades[0]["id"], "--json").json
    assert rest == trades[1:]

    sealed = ("--as", "grid", "--region", REGION, "--for", "house")
    epoch = command("trace", "new", at, *sealed, "--json").json["epoch"]
    command("trace", "publish-run", at, REGION, 2, "--as", "grid", "--supply", "T010100")
    known = command("trades", at, "roof", "--as", "house", "--json").json
    assert [one["sealed"] and one["sealed"]["epoch"] for one in known] == [epoch, epoch, None]
    assert [one["trace_code"] and one["trace_code"].split("-")[2] for one in known] == [
        "T01010000", "T01010000", None,
    ]  # fmt: skip
    assert [
        one["sealed"] for one in command("trades", at, "roof", "--as", "wind", "--json").json
    ] == ([None, None, None])
    told = command("trades", at, "roof", "--as", "house").out
    assert f"trace code {known[0]['trace_code']} (sealed in entry" in told
    assert "packets 2 (entry" in told
    chinese = command("trades", at, "roof", "--limit", "2", lang="zh").out
    assert "溯源码" in chinese and "数据包 2（第" in chinese and "--before" in chinese

    refused(command("trades", at, "unheard"), "identity.device.unknown")
    refused(command("trades", at, "roof", "--before", "x"), "settlement.trade_text")
    refused(command("trades", at, "roof", "--as", "nobody"), "keys.store.unknown")


def test_every_answer_in_json_is_one_document(command: Command, at: Path) -> None:
    settle(command, at)
    for arguments in (
        ("region", "list", at), ("region", "show", at, REGION), ("tariff", "list", at, REGION),
        ("wallet", "list", at), ("wallet", "show", at, "mill"), ("wallet", "statement", at, "mill"),
        ("contract", "list", at), ("trades", at, "mill"),
    ):  # fmt: skip
        for lang in ("en", "zh"):
            ran = command(*arguments, "--json", lang=lang)
            assert ran.out.count("\n") == 1 and ran.err == ""
            json.loads(ran.out)


def test_the_trades_are_those_of_the_log(command: Command, at: Path) -> None:
    settle(command, at)
    street = Street(at)
    with street:
        entry = command("trades", at, "mill", "--limit", "1", "--json").json[0]["entry"]
        assert Settled.name.encode() in street.store.entry(entry).result
