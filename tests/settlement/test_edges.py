"""Edges of settlement: where a rule ends, an hour is cut, or somebody tries what is not meant."""

from __future__ import annotations

from tests.support.trading import HOUR_S, START_S, Trading


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
