"""A meter's trades page by page, and a period's energy by who owns the meters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.support.refusals import refused
from tests.support.settled_region import DAY_S, HOUR_S, REGION, START_S
from tests.support.street import METERS, Street, new_street

from wattproof.settlement import trade_queries
from wattproof.settlement.model import TopUpWallet
from wattproof.settlement.records import USAGE
from wattproof.settlement.trade_queries import Flow, flows_of, trade_of, trades_of

NOON_S = START_S + DAY_S + 12 * HOUR_S


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Settled in two runs, and a third of what came late."""
    made = new_street(tmp_path_factory.mktemp("street") / "ledger")
    with made:
        made.run(START_S + 5 * HOUR_S, batch=2)
        made.run(NOON_S, batch=3)
        made.late()
        made.run(NOON_S)
        yield made


def test_newest_first_and_page_by_page(street: Street) -> None:
    store = street.store
    found = trades_of(store, "kitchen")
    assert [one.trade for one in found] == [4, 3, 2, 1]
    assert [one.run for one in found] == [3, 2, 2, 1]
    assert [one.hours for one in found] == [6, 6, 19, 5]
    assert [one.first_s for one in found] == [
        START_S + DAY_S + 6 * HOUR_S, START_S + DAY_S, START_S + 5 * HOUR_S, START_S,
    ]  # fmt: skip
    assert all(one.end_s == one.first_s + one.hours * HOUR_S for one in found)
    assert sum(one.wh for one in found) == 36 * METERS["kitchen"][1]
    usage = store.get(USAGE, found[0].number)
    assert usage is not None and usage.settled_fen == sum(one.fen for one in found)
    assert found[0].time_s <= street.writer.store.size * 10**12

    for limit in (1, 2, 3):
        pages, before = [], None
        while page := trades_of(store, "kitchen", before=before, limit=limit):
            assert len(page) <= limit
            pages += page
            before = page[-1].id
        assert pages == found, limit
    for one in found:
        assert trade_of(store, "kitchen", one.id) == one


def test_what_is_no_trade_of_the_meter(street: Street) -> None:
    store = street.store
    (mills,) = trades_of(store, "mill", limit=1)
    beside = f"{mills.entry}-99"
    for text in ("", "5", "5-", "-5-1", "x", "0-1", "999999-1", "9" * 30, beside, "٥-١"):
        refused("settlement.trade_text", partial(trade_of, store, "kitchen", text))
        refused("settlement.trade_text", partial(trades_of, store, "kitchen", before=text))
    refused("identity.device.unknown", lambda: trades_of(store, "unheard"))
    assert trades_of(store, "mill", before=trades_of(store, "mill")[-1].id) == []


def test_flows_by_owner(street: Street) -> None:
    store = street.store
    flows = flows_of(store, REGION)
    assert flows == [
        Flow(party="wind", kind="supply", wh=36 * 6_000, fen=8_640, meters=1, parties=1),
        Flow(party="house", kind="supply", wh=36 * 300, fen=432, meters=1, parties=1),
        Flow(party="works", kind="consumption", wh=36 * 4_500, fen=8_100, meters=2, parties=1),
        Flow(party="house", kind="consumption", wh=36 * 700, fen=1_260, meters=1, parties=1),
    ]
    first = flows_of(store, REGION, START_S, START_S + DAY_S)
    assert [flow.wh for flow in first] == [24 * wh for wh in (6_000, 300, 4_500, 700)]
    assert flows_of(store, REGION, NOON_S, None) == []


def test_the_largest_are_named_and_the_rest_are_one(street: Street) -> None:
    rest = flows_of(street.store, REGION, named=1)
    assert [(flow.party, flow.wh) for flow in rest] == [
        ("wind", 36 * 6_000), ("", 36 * 300), ("works", 36 * 4_500), ("", 36 * 700),
    ]  # fmt: skip
    nobody = flows_of(street.store, REGION, may_name=lambda _party: False)
    assert [(flow.party, flow.parties, flow.meters) for flow in nobody] == [("", 2, 2), ("", 2, 3)]
    own = flows_of(street.store, REGION, may_name=lambda party: party == "house")
    assert [flow.party for flow in own] == ["house", "", "house", ""]
    assert sum(flow.wh for flow in own) == sum(flow.wh for flow in nobody)


def test_flows_of_too_many_trades_are_refused(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trade_queries, "MAX_FLOW_TRADES", 14)
    refused("settlement.flow_trades", lambda: flows_of(street.store, REGION))
    assert flows_of(street.store, REGION, START_S + 5 * HOUR_S)  # the first run is not read


def test_a_region_that_is_not_settled(street: Street) -> None:
    refused("settlement.region_unknown", lambda: flows_of(street.store, "CN-ZJ"))


def test_arrears_alone_are_a_trade_of_no_hours(tmp_path: Path) -> None:
    street = new_street(tmp_path / "ledger")
    with street:
        street.run(NOON_S)
        street.submit(TopUpWallet(device="poor", asset="CNY", amount=600, source="", memo=""))
        street.run(NOON_S)
        last, *_ = trades_of(street.store, "poor")
        assert (last.hours, last.wh, last.fen, last.paid_fen, last.due_fen) == (0, 0, 0, 600, 300)
        assert last.end_s == last.first_s
        before = [flow for flow in flows_of(street.store, REGION) if flow.party == "works"]
        assert [flow.meters for flow in before] == [2]
