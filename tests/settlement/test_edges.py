"""Edges of settlement: where a rule ends, an hour is cut, or somebody tries what is not meant."""

from __future__ import annotations

from functools import partial

from tests.support.refusals import refused
from tests.support.trading import DAY_S, HOUR_S, REGION, START_S, Trading, price
from tests.support.two_regions import OTHER, TwoRegions

from wattproof.settlement.model import (
    MAX_METER_WH,
    AcceptContract,
    AssignTariff,
    FreezeWallet,
    OfferContract,
    UnfreezeWallet,
)
from wattproof.settlement.records import CONTRACTS
from wattproof.settlement.regions import MAX_CONTRACTS


def test_arrears_that_nobody_can_pay_make_no_trades() -> None:
    trading = Trading(pool_fen=0)
    works = trading.meter("works-1", owner="works")
    wind = trading.meter("wind-1", owner="wind", supply=True)
    for name in ("works-1", "wind-1"):
        trading.report(name, [1_000_000], start_s=START_S)
    trading.run(START_S + HOUR_S)
    (settled,) = trading.run(START_S + HOUR_S)
    assert (settled.supply, settled.consumption) == ((), ())
    assert trading.usage(works).due_fen == 50_000 and trading.usage(wind).due_fen == 40_000
    assert (trading.usage(works).trades, trading.last_run.trades_consumption) == (1, 0)
    trading.top_up("works-1", 30_000)
    (settled,) = trading.run(START_S + HOUR_S)
    (paid,), (passed_on,) = settled.consumption, settled.supply
    assert (paid.hours, paid.paid_fen, paid.due_fen) == (0, 30_000, 20_000)
    assert (passed_on.hours, passed_on.paid_fen, passed_on.due_fen) == (0, 30_000, 10_000)
    trading.check()


def test_a_contract_covers_an_hour_once_though_runs_cut_it() -> None:
    """Half an hour is settled, then the rest comes late: the contract is of the whole hour."""
    trading = two_meters()
    agree(trading, "ppa-1", wh_per_hour=100_000, cny_per_mwh=450)
    agree(trading, "ppa-2", wh_per_hour=40_000, cny_per_mwh=420)
    fen = {"supply": 0, "consumption": 0}
    for quarter in range(4):
        for name in ("wind-1", "works-1"):
            trading.report(name, [50_000], start_s=START_S + quarter * 900, interval_s=900)
        (settled,) = trading.run(START_S + HOUR_S)
        fen["supply"] += settled.supply[0].fen
        fen["consumption"] += settled.consumption[0].fen
    covered = 100 * 45 + 40 * 42
    assert fen == {"supply": covered + 60 * 40, "consumption": covered + 60 * 50}
    trading.check()


def test_a_contract_may_begin_before_what_waits_if_nothing_of_it_is_settled() -> None:
    """A run that only collects arrears settles no hours."""
    trading = Trading()
    trading.meter("wind-1", owner="wind", supply=True)
    works = trading.meter("works-1", owner="works")
    trading.report("wind-1", [0], start_s=START_S)
    trading.report("works-1", [1_000_000], start_s=START_S)
    trading.run(START_S + HOUR_S)
    trading.report("works-1", [500], start_s=START_S + 9 * HOUR_S)
    trading.top_up("works-1", 7)
    trading.run(START_S + HOUR_S)
    assert trading.usage(works).settled_s == START_S + HOUR_S
    agree(trading, "ppa", wh_per_hour=400, cny_per_mwh=450, from_s=START_S + HOUR_S)


def test_a_contract_offered_in_a_region_is_not_accepted_in_another() -> None:
    trading = two_meters()
    trading.region_like("CN-BJ")
    trading.submit(offer_of("ppa", wh_per_hour=400, cny_per_mwh=450), "wind")
    trading.associate("works-1", "CN-BJ")
    refused("settlement.not_this_kind", lambda: trading.submit(AcceptContract(id="ppa"), "works"))
    trading.associate("works-1", REGION)
    trading.submit(AcceptContract(id="ppa"), "works")


def test_sixteen_contracts_at_a_time_and_those_that_are_over_make_room() -> None:
    trading = two_meters()
    fen = 0
    for at in range(MAX_CONTRACTS):
        agree(trading, f"ppa-{at}", wh_per_hour=2000, cny_per_mwh=400 + at * 5, days=1)
        fen += 80 + at
    one_more = offer_of("ppa-more", wh_per_hour=5000, cny_per_mwh=480, from_s=START_S + DAY_S)
    trading.submit(one_more, "wind")
    accept = AcceptContract(id="ppa-more")
    refused("settlement.contracts", lambda: trading.submit(accept, "works"))
    for name in ("wind-1", "works-1"):
        trading.report(name, [MAX_CONTRACTS * 2000 + 500], start_s=START_S)
        trading.report(name, [0] * 23, start_s=START_S + HOUR_S)
    (settled,) = trading.run(START_S + DAY_S)
    assert (settled.consumption[0].fen, settled.supply[0].fen) == (fen + 25, fen + 20)
    refused("settlement.contracts", lambda: trading.submit(accept, "works"))
    for name in ("wind-1", "works-1"):
        trading.report(name, [0], start_s=START_S + DAY_S)
    trading.run(START_S + DAY_S + HOUR_S)  # so that nothing of the day before can still come
    trading.submit(offer_of("ppa-next", wh_per_hour=5000, cny_per_mwh=480,
                            from_s=START_S + 2 * DAY_S), "wind")  # fmt: skip
    trading.submit(AcceptContract(id="ppa-next"), "works")
    assert trading.usage(2).contracts == ("ppa-next",)


def test_a_contract_ends_with_the_hour_of_its_regions_local_time() -> None:
    market = TwoRegions(offsets_s=(19_800, 0))
    market.meter_of("wind-1", owner="wind", supply=True, region=REGION)
    works = market.meter_of("works-1", owner="works", supply=False, region=REGION)
    first_s = market.first_s(REGION) + START_S
    for name in ("wind-1", "works-1"):
        market.report(name, [0], start_s=first_s)
    agree(market, "ppa", wh_per_hour=400, cny_per_mwh=450, from_s=first_s, days=400)
    market.run(first_s + HOUR_S)
    market.associate("works-1", OTHER)
    contract = market.ledger.one(CONTRACTS, "ppa")
    assert (contract.to_s + 19_800) % HOUR_S == 0
    assert 0 <= contract.to_s - market.ledger.time_ms // 1000 < HOUR_S
    assert market.usage(works).contracts == ()


def test_a_contract_takes_nothing_out_of_the_pool_that_nobody_pays() -> None:
    """Two meters of one owner could else agree on any price: one sells, the other is never on."""
    trading = two_meters()
    trading.tariff("feed-in", (0, price(300)), (HOUR_S, price(400)), from_s=START_S + 2 * DAY_S)
    for cny_per_mwh in (0, 399, 501, 10_000_000):
        body = offer_of("x", wh_per_hour=2**53, cny_per_mwh=cny_per_mwh, days=1)
        refused("settlement.contract_price", partial(trading.submit, body, "wind"))
    body = offer_of("x", wh_per_hour=5, cny_per_mwh=350, from_s=START_S + DAY_S, days=1)
    refused("settlement.contract_price", partial(trading.submit, body, "wind"))
    body = offer_of("x", wh_per_hour=5, cny_per_mwh=350, from_s=START_S + DAY_S, days=2)
    trading.submit(body, "wind")
    trading.tariff("feed-in", (0, price(390)), from_s=START_S + 2 * DAY_S)
    refused("settlement.contract_price", lambda: trading.submit(AcceptContract(id="x"), "works"))
    for at, cny_per_mwh in enumerate((400, 500)):
        agree(trading, f"edge-{at}", wh_per_hour=5, cny_per_mwh=cny_per_mwh, days=1)


def test_hours_before_a_tariffs_first_prices_can_be_priced_later() -> None:
    """Late readings of a time that has no price yet would else wait for ever."""
    trading = Trading()
    works = trading.meter("works-1", owner="works", money=10**6)
    trading.tariff("industry", (0, price(900)), from_s=START_S + HOUR_S)
    trading.report("works-1", [1000, 1000], start_s=START_S)
    trading.submit(AssignTariff(device="works-1", tariff="industry"), "grid")
    assert trading.run(START_S + DAY_S)[0].left_out == (works,)
    refused(
        "settlement.settled_already",
        lambda: trading.tariff("industry", (0, 1), from_s=START_S + HOUR_S),
    )
    trading.tariff("industry", (0, price(600)), from_s=START_S)
    trading.open(START_S + DAY_S)
    assert trading.batch([works]).consumption[0].fen == 90 + 60
    refused(
        "settlement.settled_already", lambda: trading.tariff("industry", (0, 1), from_s=START_S)
    )


def test_an_owner_does_not_lift_what_others_froze() -> None:
    """Not even one that is a grid company or a bank itself."""
    trading = Trading()
    trading.meter("loss-1", owner="grid", money=500)
    freeze, unfreeze = FreezeWallet(device="loss-1", reason=""), UnfreezeWallet(device="loss-1")
    trading.submit(freeze, "registrar")
    refused("settlement.wallet_frozen", lambda: trading.submit(unfreeze, "grid"))
    trading.submit(unfreeze, "bank")
    trading.submit(freeze, "grid")
    trading.submit(unfreeze, "grid")


def test_what_one_meter_says_stops_nobody_elses_settlement() -> None:
    """A register gone mad, or a thief of a key, would fill up the region's energy for ever."""
    trading = Trading()
    mad = trading.meter("mad-1", owner="house", money=5)
    trading.meter("works-1", owner="works", money=10**6)
    for wh in (2**62 - 1, MAX_METER_WH + 1):
        absurd = partial(trading.report, "mad-1", [wh], start_s=START_S)
        refused("settlement.too_much", absurd)
    trading.report("mad-1", [MAX_METER_WH - 1], start_s=START_S)
    trading.report("works-1", [100_000], start_s=START_S)
    (settled,) = trading.run(START_S + HOUR_S)
    assert [trade.fen for trade in settled.consumption] == [(MAX_METER_WH - 1) // 20, 5000]
    assert trading.usage(mad).due_fen == (MAX_METER_WH - 1) // 20 - 5
    refused("settlement.too_much", lambda: trading.report("mad-1", [2], start_s=START_S + HOUR_S))
    trading.report("mad-1", [1], start_s=START_S + HOUR_S)
    assert trading.net_wh == -(MAX_METER_WH - 1) - 100_000
    trading.check()


def test_numbers_that_no_meter_can_have_are_refused() -> None:
    trading = two_meters()
    trading.open(START_S)
    for number in (2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1):
        refused("settlement.batch_order", partial(trading.batch, [1, number]))
    assert trading.last_run.reached == 0
    trading.batch([1, 2**53])
    refused("settlement.batch_order", partial(trading.batch, [2]))
    trading.close()


def two_meters() -> Trading:
    """A wind farm and the works, both trading."""
    trading = Trading()
    for name, supply in (("wind-1", True), ("works-1", False)):
        trading.meter(name, owner=name.split("-")[0], supply=supply, money=0 if supply else 10**6)
        trading.report(name, [], start_s=START_S, interval_s=900)
    return trading


def offer_of(
    id_: str, *, wh_per_hour: int, cny_per_mwh: int, from_s: int = START_S, days: int = 30
) -> OfferContract:
    return OfferContract(
        id=id_, supply="wind-1", consumption="works-1", wh_per_hour=wh_per_hour,
        price_ufen=price(cny_per_mwh), from_s=from_s, to_s=from_s + days * DAY_S,
    )  # fmt: skip


def agree(
    trading: Trading, id_: str, *, wh_per_hour: int, cny_per_mwh: int, from_s: int = START_S,
    days: int = 30,
) -> None:  # fmt: skip
    """A contract between the wind farm and the works."""
    offer = offer_of(
        id_, wh_per_hour=wh_per_hour, cny_per_mwh=cny_per_mwh, from_s=from_s, days=days
    )
    trading.submit(offer, "wind")
    trading.submit(AcceptContract(id=id_), "works")
