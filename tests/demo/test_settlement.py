"""The demonstration's settled month, against what its meters were made to report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wattproof.book.model import BALANCES
from wattproof.book.queries import conservation
from wattproof.cli.host import Opening
from wattproof.demo import market
from wattproof.demo.market import BAKERY, END_S, GRID, LATE_DAY, opening
from wattproof.demo.plant import MILL, made_mill
from wattproof.demo.region import DAYS, METERS, PER_DAY, REGION, START_S, readings
from wattproof.demo.settlement import Settlement
from wattproof.demo.story import OPERATOR, Story
from wattproof.demo.tracking import Tracking
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.store import Store
from wattproof.node import create_ledger, machine
from wattproof.settlement.model import TopUpWallet
from wattproof.settlement.queries import hours_of, region_of, run_of, statements_of
from wattproof.settlement.records import USAGE
from wattproof.settlement.traces.queries import Wanted, opened_epochs, rows_of, search
from wattproof.settlement.trade_queries import trades_of

HOUR_S = 3600


class Told:
    """A ledger, what was said of it in both languages, and the facts."""

    def __init__(self, folder: LedgerFolder) -> None:
        self.folder = folder
        self.said: list[tuple[str, str]] = []
        self.facts: dict[str, Any] = {}

    def tell(self) -> None:
        self.said = []
        chapter = Settlement(
            self.folder, lambda en, zh: self.said.append((en, zh)), operator=OPERATOR
        )
        chapter.live()
        self.facts = chapter.facts()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = LedgerFolder(tmp_path_factory.mktemp("demo") / "ledger", machine())
    create_ledger(folder, Opening(name="demo", organisation="Demo", uscc="", zone="Asia/Shanghai"))
    Story(folder, lambda _en, _zh: None).live(before=opening())
    Tracking(folder, lambda _en, _zh: None, MILL, operator=OPERATOR).live(made_mill())
    told = Told(folder)
    told.tell()
    return told


@pytest.fixture
def store(told: Told) -> Any:
    store = told.folder.read()
    yield store
    store.close()


def made() -> dict[str, list[int]]:
    """What each trading meter was made to report, by the hour."""
    quarters = {
        meter.id: readings(meter)
        for meter in (*METERS, *market.METERS)
        if meter.quantity in ("electricity.export", "electricity.import")
    }
    (mill,) = made_mill().runs["mill-total"]
    quarters["mill-total"] = list(mill.amounts)
    office = next(meter for meter in METERS if any(meter.silent))
    first, count = office.silent
    missed = sum(quarters[office.id][first : first + count])
    quarters[office.id][first : first + count] = [0] * (count - 1) + [missed]
    return {
        id_: [sum(values[at : at + 4]) for at in range(0, len(values), 4)]
        for id_, values in quarters.items()
    }


def test_the_month_comes_to_what_was_reported(told: Told, store: Store) -> None:
    amounts = made()
    supplied = sum(sum(amounts[id_]) for id_ in ("wind-1", "solar-1"))
    consumed = sum(sum(values) for values in amounts.values()) - supplied
    net = supplied - consumed
    assert told.facts == {
        "region": REGION,
        "supplied_wh": supplied,
        "consumed_wh": consumed,
        "net_wh": net,
        "verdict": "positive",
        "net_emission_g": rounded(net * 573_700),
        "location_based_g": rounded(consumed * 573_700),
        "market_based_g": rounded(consumed * 609_600),
        "trades_first": 2 * DAYS,
        "trades_second": 5 * DAYS,
        "differences": 0,
    }
    assert json.loads(json.dumps(told.facts)) == told.facts
    by_hour = {
        hour.start_s: (hour.supplied_wh, hour.consumed_wh) for hour in hours_of(store, REGION)
    }
    for at in range(DAYS * 24):
        sides = [0, 0]
        for id_, values in amounts.items():
            sides[id_ not in ("wind-1", "solar-1")] += values[at]
        assert by_hour.get(START_S + at * HOUR_S, (0, 0)) == tuple(sides)


def rounded(micrograms: int) -> int:
    return round(micrograms / 1_000_000)


def test_told_again_it_adds_nothing_and_says_the_same(told: Told, store: Store) -> None:
    size, said, facts = store.size, told.said, told.facts
    told.tell()
    assert (store.size, told.said, told.facts) == (size, said, facts)
    for en, zh in said:
        assert en.isascii() and en != zh
    numbers = [
        {word.strip(".,;:") for word in text.split() if word[0].isdigit()} for text, _ in said
    ]
    for wanted, (_, zh) in zip(numbers, said, strict=True):
        assert all(number in zh for number in wanted), zh


def test_the_late_bakery_owes_and_then_pays(told: Told, store: Store) -> None:
    trades = list(reversed(trades_of(store, BAKERY.id)))
    first = [trade for trade in trades if trade.run == 1]
    second = [trade for trade in trades if trade.run == 2]
    assert (len(first), len(second)) == (LATE_DAY, DAYS - LATE_DAY)
    assert sum(trade.paid_fen for trade in first) == 300_000
    owed = first[-1].due_fen
    assert owed == sum(trade.fen for trade in first) - 300_000 > 0
    assert second[0].paid_fen == owed + second[0].fen, "what is due is paid first"
    assert second[-1].due_fen == 0
    assert f"{owed / 100:.2f}" in " ".join(en for en, _ in told.said)
    run = run_of(store, REGION, 2)
    assert (run.trades_supply, run.trades_consumption) == (0, DAYS - LATE_DAY)
    late = readings(BAKERY)[LATE_DAY * PER_DAY :]
    assert run.consumed_wh == sum(late)


def test_a_contract_is_paid_before_the_tariff(store: Store) -> None:
    wind = made()["wind-1"]
    ufen = sum(300_000 * 45_000 + (wh - 300_000) * 39_000 for wh in wind)
    assert sum(trade.fen for trade in trades_of(store, "wind-1")) == ufen // 1_000_000


def test_no_fen_and_no_watt_hour_is_lost(told: Told, store: Store) -> None:
    assert all(row.sum == 0 for row in conservation(store))
    region = region_of(store, REGION)
    accounts = [region.pool, *(f"wallet:{usage.number}" for usage in store.scan(USAGE))]
    money = 0
    for account in accounts:
        found = store.get(BALANCES, account, region.money)
        money += 0 if found is None else found.amount
    steps = [*market.top_ups(), market.rest_of_money()]
    topped_up = sum(body.amount for body, _ in steps if isinstance(body, TopUpWallet))
    assert money == topped_up
    energy = store.get(BALANCES, region.pool, region.energy)
    assert energy is not None and energy.amount == told.facts["net_wh"]


def test_the_statement_is_on_the_ledger(told: Told, store: Store) -> None:
    (filed,) = statements_of(store, REGION)
    assert (filed.from_s, filed.to_s) == (START_S, END_S)
    assert (filed.net_wh, filed.verdict) == (told.facts["net_wh"], told.facts["verdict"])
    assert any("without the ledger it verifies" in en for en, _ in told.said)


def test_readers_find_the_codes_and_others_none(told: Told, store: Store) -> None:
    with told.folder.keys() as keys:
        wind, bakery, grid = (keys.get(id_) for id_ in ("wind-farm", "bakery", GRID))
    ledger_id = store.entry(0).id
    held, closed = opened_epochs(store, "wind-farm", wind, ledger_id=ledger_id)
    assert len(held) == 1 and not closed
    for wanted, count in (
        (Wanted(region=REGION, kind="supply", technology="T020000"), DAYS),
        (Wanted(region=REGION, kind="supply", technology="T010000"), DAYS),
        (Wanted(region=REGION, kind="consumption"), told.facts["trades_second"]),
    ):
        found = list(search(store, rows_of(store), held, wanted))
        assert sum(len(one.codes) for one in found) == count
    assert opened_epochs(store, "bakery", bakery, ledger_id=ledger_id) == ([], [])
    assert opened_epochs(store, GRID, grid, ledger_id=ledger_id)[0][0].epoch == held[0].epoch


def test_the_command_gives_the_settlement_and_adds_nothing_twice(tmp_path: Path) -> None:
    def run() -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "wattproof", "demo", "ledger", "--no-serve", "--json"],
            cwd=tmp_path, check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    first, second = run(), run()
    assert first["settlement"] == second["settlement"]
    assert first["settlement"]["region"] == REGION
    assert first["audit"] == second["audit"] and first["audit"]["ok"]
    assert second["written"] == 0
