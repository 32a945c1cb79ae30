"""A region's pool: what is left to who settles it, and when it may be drawn."""

from __future__ import annotations

import pytest
from tests.support.trading import DAY_S, HOUR_S, REGION, START_S, Trading

from wattproof.book.model import OpenAccount
from wattproof.core.errors import Refused
from wattproof.settlement.events import PoolDrawn
from wattproof.settlement.model import DrawPool


def draw(trading: Trading, amount: int) -> PoolDrawn:
    body = DrawPool(region=REGION, target="margin", amount=amount, memo="")
    return trading.submit(body, "grid").event(PoolDrawn)


def refused(code: str, trading: Trading, amount: int) -> None:
    with pytest.raises(Refused) as caught:
        draw(trading, amount)
    assert caught.value.code == code


def traded(*, pool_fen: int) -> tuple[Trading, int]:
    """2 kWh supplied for 80 fen, 2.6 kWh consumed for 130: the number of the supplying meter."""
    trading = Trading(pool_fen=pool_fen)
    trading.submit(OpenAccount(id="margin"), "grid")
    wind = trading.meter("wind-1", owner="wind", supply=True)
    trading.meter("works-1", owner="works", money=100)
    trading.report("wind-1", [2000], start_s=START_S)
    trading.report("works-1", [2600], start_s=START_S)
    trading.run(START_S + DAY_S)
    return trading, wind


def test_what_is_left_when_suppliers_are_paid_may_be_drawn() -> None:
    trading, wind = traded(pool_fen=0)
    assert (trading.fen(wind), trading.region.owed_fen) == (80, 0)
    refused("settlement.pool_amount", trading, 21)
    assert draw(trading, 20).amount == 20
    refused("settlement.pool_amount", trading, 1)
    assert trading.balance("margin", "CNY") == 20
    trading.check()


def test_what_the_bank_lends_is_not_drawn() -> None:
    trading, _ = traded(pool_fen=10**6)
    refused("settlement.pool_amount", trading, 21)


def test_nothing_is_drawn_while_suppliers_wait_or_a_run_is_open() -> None:
    trading, wind = traded(pool_fen=0)
    trading.report("wind-1", [3000], start_s=START_S + HOUR_S)
    trading.run(START_S + DAY_S)
    assert (trading.fen(wind), trading.region.owed_fen) == (100, 100)
    refused("settlement.pool_owes", trading, 1)
    trading.top_up("works-1", 1000)
    trading.report("works-1", [4000], start_s=START_S + HOUR_S)
    trading.run(START_S + DAY_S)
    assert (trading.fen(wind), trading.region.owed_fen) == (200, 0)
    trading.open(START_S + DAY_S)
    refused("settlement.run_open", trading, 1)
    trading.close()
    draw(trading, 130)
    trading.check()
