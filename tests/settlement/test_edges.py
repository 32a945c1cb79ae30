"""Edges of settlement: where a rule ends, an hour is cut, or somebody tries what is not meant."""

from __future__ import annotations

from tests.support.trading import DAY_S, HOUR_S, START_S, Trading, price

from wattproof.settlement.model import AcceptContract, OfferContract


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
    trading = Trading()
    for name, supply in (("wind-1", True), ("works-1", False)):
        trading.meter(name, owner=name.split("-")[0], supply=supply, money=0 if supply else 10**6)
        trading.report(name, [], start_s=START_S, interval_s=900)
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


def agree(
    trading: Trading, id_: str, *, wh_per_hour: int, cny_per_mwh: int, from_s: int = START_S
) -> None:
    """A contract of a month between the wind farm and the works."""
    offer = OfferContract(
        id=id_, supply="wind-1", consumption="works-1", wh_per_hour=wh_per_hour,
        price_ufen=price(cny_per_mwh), from_s=from_s, to_s=from_s + 30 * DAY_S,
    )  # fmt: skip
    trading.submit(offer, "wind")
    trading.submit(AcceptContract(id=id_), "works")
