"""Sums of a region by hour, day and month; contracts; wallets; and whether anything waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from tests.support.refusals import refused
from tests.support.settled_region import DAY_S, HOUR_S, OFFSET_S, REGION, START_S, SettledRegion
from tests.support.street import METERS, SUPPLY, Street, new_street

from wattproof.settlement.model import (
    FreezeWallet,
    OfferContract,
    PayFromWallet,
    PublishTariff,
    StatementStep,
    TopUpWallet,
)
from wattproof.settlement.price_text import parse_bands
from wattproof.settlement.queries import (
    contract_of,
    contracts_of,
    days_of,
    filed_statement,
    hours_of,
    periods_of,
    region_of,
    regions,
    run_of,
    runs_of,
    statements_of,
    sums_of,
    tariffs_in_force,
    tariffs_of,
)
from wattproof.settlement.region_value import value_of
from wattproof.settlement.waiting import waits
from wattproof.settlement.wallet_queries import wallet_of, wallet_statement, wallets_of

NOON_S = START_S + DAY_S + 12 * HOUR_S
SUPPLIED = sum(METERS[id_][1] for id_ in SUPPLY)
CONSUMED = sum(wh for id_, (_, wh) in METERS.items() if id_ not in SUPPLY)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    made = new_street(tmp_path_factory.mktemp("street") / "ledger")
    with made:
        made.run(NOON_S, batch=2)
        made.late()
        made.run(NOON_S)
        yield made


def test_sums_of_days_that_begin_in_the_period(street: Street) -> None:
    store = street.store
    every = sums_of(store, REGION)
    assert (every.days, every.first_s, every.end_s) == (2, START_S, START_S + 2 * DAY_S)
    assert (every.supplied_wh, every.consumed_wh) == (36 * SUPPLIED, 36 * CONSUMED)
    assert every.net_wh == 36 * (SUPPLIED - CONSUMED) and every.verdict == "positive"
    assert (every.trades_supply, every.trades_consumption) == (4, 7)  # one of them late
    assert every.supply_fen == 36 * SUPPLIED * 4 // 100
    assert every.consumption_fen == 36 * CONSUMED * 5 // 100
    assert every.paid_consumption_fen == every.consumption_fen - 36 * 500 * 5 // 100
    first = sums_of(store, REGION, START_S, START_S + 1)
    assert first.supplied_wh == 24 * SUPPLIED
    assert sums_of(store, REGION, START_S + 1, NOON_S).supplied_wh == 12 * SUPPLIED
    none = sums_of(store, REGION, NOON_S, None)
    assert (none.days, none.first_s, none.verdict) == (0, 0, "neutral")
    refused("settlement.region_unknown", lambda: sums_of(store, "CN-ZJ"))


def test_hours_and_days_of_a_period(street: Street) -> None:
    store = street.store
    assert [one.start_s for one in hours_of(store, REGION)] == list(range(START_S, NOON_S, HOUR_S))
    some = hours_of(store, REGION, START_S + HOUR_S, START_S + 3 * HOUR_S)
    assert [one.start_s - START_S for one in some] == [HOUR_S, 2 * HOUR_S]
    assert {one.consumed_wh for one in some} == {CONSUMED}
    assert len(hours_of(store, REGION, limit=5)) == 5
    assert [one.day_s for one in days_of(store, REGION)] == [START_S, START_S + DAY_S]
    assert [one.day_s for one in days_of(store, REGION, START_S + 1)] == [START_S + DAY_S]
    assert days_of(store, REGION, START_S + DAY_S + 1) == []
    assert not days_of(store, "CN-ZJ") and not hours_of(store, "CN-ZJ")


def test_hours_days_and_months_add_up_to_the_same(street: Street) -> None:
    every = sums_of(street.store, REGION)
    steps: tuple[tuple[StatementStep, int], ...] = (("hour", 36), ("day", 2), ("month", 1))
    for step, count in steps:
        periods = periods_of(street.store, REGION, step)
        assert len(periods) == count
        assert sum(one.net_wh for one in periods) == every.net_wh
        assert all(one.net_wh == one.supplied_wh - one.consumed_wh for one in periods)
    (month,) = periods_of(street.store, REGION, "month")
    assert month.start_s == START_S
    assert datetime.fromtimestamp(month.end_s + OFFSET_S, UTC) == datetime(2025, 2, 1, tzinfo=UTC)


def test_emissions_stand_beside_the_net_value_by_name(street: Street) -> None:
    value = value_of(street.store, REGION)
    assert (value.location_factor, value.residual_factor) == ("grid@1", "rest@1")
    assert value.net_emission_g == round(value.sums.net_wh * 0.5306)
    assert value.location_based_g == round(value.sums.consumed_wh * 0.5306)
    assert value.market_based_g == round(value.sums.consumed_wh * 0.6)


def test_regions_runs_and_statements_by_name(street: Street) -> None:
    store = street.store
    assert [one.region for one in regions(store)] == [REGION]
    assert [one.number for one in runs_of(store, REGION)] == [1, 2]
    assert run_of(store, REGION, 1).batches == 3
    assert statements_of(store, REGION) == []
    for number in (0, -1, 3, 2**70):
        refused("settlement.run_unknown", partial(run_of, store, REGION, number))
        refused("settlement.statement_unknown", partial(filed_statement, store, REGION, number))
    refused("settlement.region_unknown", lambda: region_of(store, "CN-ZJ"))


def test_the_tariffs_that_are_in_force(street: Street) -> None:
    store, from_s = street.store, START_S + 40 * DAY_S
    bands = parse_bands("00:00=0.30 08:00=0.90")
    street.submit(PublishTariff(region=REGION, id="sell", from_s=from_s, bands=bands))
    assert [(one.id, one.from_s) for one in tariffs_of(store, REGION)] == [
        ("buy", 0), ("sell", 0), ("sell", from_s),
    ]  # fmt: skip
    assert len(tariffs_of(store, REGION, "sell")) == 2
    now, then = tariffs_in_force(store, REGION, from_s - 1), tariffs_in_force(store, REGION, from_s)
    assert [one.from_s for one in now] == [0, 0] and [one.from_s for one in then] == [0, from_s]


def test_contracts_of_either_side_page_by_page(street: Street) -> None:
    def offer(id_: str, supply: str, consumption: str, by: str) -> None:
        body = OfferContract(
            id=id_, supply=supply, consumption=consumption, wh_per_hour=100, price_ufen=45_000,
            from_s=NOON_S, to_s=NOON_S + DAY_S,
        )  # fmt: skip
        street.submit(body, by)

    for at in range(4):
        offer(f"c{at}", "turbine", "mill" if at % 2 else "kitchen", "wind")
    offer("b0", "roof", "mill", "house")
    offer("b1", "roof", "kitchen", "house")  # with itself
    store = street.store
    expected = {
        None: ["b0", "b1", "c0", "c1", "c2", "c3"],
        "house": ["b0", "b1", "c0", "c2"],
        "works": ["b0", "c1", "c3"],
        "wind": ["c0", "c1", "c2", "c3"],
        "unheard": [],
    }
    for party, ids in expected.items():
        assert [one.id for one in contracts_of(store, party)] == ids
        paged: list[str] = []
        while page := contracts_of(store, party, after=paged[-1] if paged else None, limit=2):
            assert len(page) <= 2
            paged += [one.id for one in page]
        assert paged == ids
    assert contract_of(store, "c0").consumer == "house"
    refused("settlement.no_contract", lambda: contract_of(store, "c9"))


def test_a_wallet_with_all_that_is_known_of_it(street: Street) -> None:
    store = street.store
    mill = wallet_of(store, "mill")
    assert (mill.owner, mill.kind, mill.region) == ("works", "consumption", REGION)
    assert mill.held("CNY") == 10**6 - mill.settled_fen and mill.held("gold") == 0
    assert (mill.trades, mill.due_fen, mill.waiting_hours) == (2, 0, 0)
    poor = wallet_of(store, "poor")
    assert poor.due_fen == poor.settled_fen == 900 and poor.balances == ()
    street.submit(
        PayFromWallet(device="mill", target="", to_device="roof", asset="CNY", amount=7, memo="x"),
        "works",
    )
    street.submit(
        PayFromWallet(device="mill", target="", to_device="roof", asset="CNY", amount=5, memo="y"),
        "mill",
    )
    street.submit(FreezeWallet(device="mill", reason="why"))
    paid = wallet_of(store, "mill")
    assert (paid.owner_paid_fen, paid.device_paid_fen) == (7, 5)
    assert (paid.frozen_by, paid.frozen_why) == ("grid", "why")
    tomorrow = wallet_of(store, "mill", now_s=2**33)
    assert (tomorrow.owner_paid_fen, tomorrow.device_paid_fen) == (0, 0)
    lines = wallet_statement(store, "roof", asset="CNY").lines
    assert [(line.amount, line.memo) for line in lines[:2]] == [(5, "y"), (7, "x")]
    refused("identity.device.unknown", lambda: wallet_of(store, "unheard"))


def test_wallets_page_by_page(street: Street) -> None:
    store = street.store
    by_number, by_id = list(METERS), sorted(METERS)
    asked: tuple[tuple[str | None, str | None, list[str]], ...] = (
        (None, None, by_number),
        (REGION, None, by_number),
        (None, "house", ["kitchen", "roof"]),
        (REGION, "house", ["kitchen", "roof"]),
        ("CN-ZJ", "house", []),
        ("CN-ZJ", None, []),
    )
    for limit in (1, 2, 5, 500):
        for region, owner, expected in asked:
            found: list[str] = []
            after = None
            while page := wallets_of(store, region=region, owner=owner, after=after, limit=limit):
                found += [one.device for one in page]
                after = found[-1]
            assert found == expected, (region, owner, limit)
    assert by_id != by_number
    refused("identity.device.unknown", lambda: wallets_of(store, after="unheard"))


def test_a_device_before_it_is_confirmed_has_no_wallet(tmp_path: Path) -> None:
    region = SettledRegion.made(tmp_path / "ledger")
    with region:
        region.meter("m", region="")
        assert wallet_of(region.store, "m").kind is None
        region.report("m", [5])
        assert wallet_of(region.store, "m").waiting_wh == 0
        assert wallets_of(region.store, region=REGION) == []


def test_whether_anything_waits(tmp_path: Path) -> None:
    region = SettledRegion.made(tmp_path / "ledger")
    with region:
        store = region.store
        assert not waits(store, REGION, START_S + DAY_S)
        region.meter("m", money=0)
        region.report("m", [1_000] * 2, start_s=START_S + HOUR_S)
        assert not waits(store, REGION, START_S + HOUR_S)
        assert waits(store, REGION, START_S + 2 * HOUR_S)
        region.run(START_S + 2 * HOUR_S)
        assert not waits(store, REGION, START_S + 2 * HOUR_S)  # it owes, and has nothing
        assert waits(store, REGION, START_S + 3 * HOUR_S)
        region.run(START_S + 3 * HOUR_S)
        assert not waits(store, REGION, START_S + DAY_S)
        region.submit(TopUpWallet(device="m", asset="CNY", amount=1, source="", memo=""))
        assert waits(store, REGION, START_S)
        refused("settlement.region_unknown", lambda: waits(store, "CN-ZJ", 0))
