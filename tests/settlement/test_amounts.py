"""Amounts to the fen: prices of nothing, prices that change within a day, contracts and their ends.

And parties as they are: with several meters, on both sides, with a meter replaced or taken away.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.support.trading import DAY_S, HOUR_S, REGION, START_S, Trading, price
from tests.support.two_regions import TwoRegions

from wattproof.identity.model import RevokeDevice, SuspendParty
from wattproof.metering.model import ReplaceMeter
from wattproof.settlement.events import Settled, Trade
from wattproof.settlement.model import (
    MAX_PRICE_UFEN,
    UFEN_PER_FEN,
    AcceptContract,
    AssignTariff,
    OfferContract,
)
from wattproof.settlement.records import REGION_DAYS, REGION_HOURS


def trades(batches: list[Settled]) -> dict[int, list[Trade]]:
    """The trades of a run by meter."""
    found: dict[int, list[Trade]] = {}
    for settled in batches:
        for trade in (*settled.supply, *settled.consumption):
            found.setdefault(trade.meter, []).append(trade)
    return found


def contract(
    trading: Trading, id_: str, *, wh: int, cny_per_mwh: int, from_s: int, to_s: int
) -> None:
    """Agreed between the wind farm's and the works' first meters."""
    offer = OfferContract(
        id=id_, supply="wind-1", consumption="works-1", wh_per_hour=wh,
        price_ufen=price(cny_per_mwh), from_s=from_s, to_s=to_s,
    )  # fmt: skip
    trading.submit(offer, "wind")
    trading.submit(AcceptContract(id=id_), "works")


@pytest.fixture
def trading() -> Trading:
    trading = Trading()
    trading.meter("wind-1", owner="wind", supply=True)
    trading.meter("works-1", owner="works", money=10**9)
    return trading


def test_a_price_of_nothing(trading: Trading) -> None:
    """Energy moves, money does not, and nothing is due or carried."""
    for id_ in ("feed-in", "retail"):
        trading.tariff(id_, (0, 0), from_s=START_S)
    for name in ("wind-1", "works-1"):
        trading.report(name, [123_457], start_s=START_S)
    made = trades(trading.run(START_S + HOUR_S))
    assert [(one.wh, one.fen, one.paid_fen, one.due_fen) for (one,) in made.values()] == [
        (123_457, 0, 0, 0)
    ] * 2
    assert (trading.fen(1), trading.fen(2), trading.net_wh) == (0, 10**9, 0)
    trading.check()


def test_the_highest_price_there_is(trading: Trading) -> None:
    trading.tariff("retail", (0, MAX_PRICE_UFEN), from_s=START_S)
    trading.report("works-1", [10**12 + 1], start_s=START_S)
    ((trade,),) = trades(trading.run(START_S + HOUR_S)).values()
    assert trade.fen == (10**12 + 1) * 1000
    assert (trade.paid_fen, trade.due_fen) == (10**9, trade.fen - 10**9)
    trading.check()


def test_micro_fen_are_carried_from_trade_to_trade_and_never_lost(trading: Trading) -> None:
    """A Wh an hour at 0.333 fen a kWh: a fen comes every third thousand hours, not never."""
    trading.tariff("retail", (0, 333_333), from_s=START_S)
    trading.report("works-1", [1] * 10, start_s=START_S)
    fen = []
    for hour in range(1, 11):
        ((trade,),) = trades(trading.run(START_S + hour * HOUR_S)).values()
        fen.append(trade.fen)
    assert fen == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]
    assert trading.usage(2).carry_ufen == 333_333 * 10 - 3 * UFEN_PER_FEN


def test_a_tariff_that_changes_in_the_middle_of_a_day(trading: Trading) -> None:
    """From 13:00 on other bands hold; whoever is settled late pays what held at the time."""
    trading.tariff("retail", (0, price(300)), (8 * HOUR_S, price(800)), from_s=START_S)
    trading.tariff("retail", (0, price(200)), (12 * HOUR_S, price(900)), (20 * HOUR_S, price(100)),
                   from_s=START_S + 13 * HOUR_S)  # fmt: skip
    hours = [1_000 * (at + 1) for at in range(30)]
    trading.report("works-1", hours, start_s=START_S)
    rates = [300] * 8 + [800] * 5 + [900] * 7 + [100] * 4 + [200] * 6
    first, second = trades(trading.run(START_S + 2 * DAY_S))[2]
    ufen = [wh * price(rate) for wh, rate in zip(hours, rates, strict=True)]
    assert first.fen == sum(ufen[:24]) // UFEN_PER_FEN
    assert first.fen + second.fen == sum(ufen) // UFEN_PER_FEN


@pytest.mark.parametrize("offset_s", [19_800, -12_600, 20_700, -43_200, 50_400, 0])
def test_a_night_tariff_goes_over_a_local_midnight(offset_s: int) -> None:
    """22:00 to 06:00 at the night's price, by the region's own clock, in two trades."""
    market = TwoRegions(offsets_s=(offset_s, 0))
    market.meter_of("works-1", owner="works", supply=False, region=REGION)
    market.top_up("works-1", 10**6)
    midnight_s = START_S - START_S % DAY_S + DAY_S - offset_s
    night = ((0, price(200)), (6 * HOUR_S, price(800)), (22 * HOUR_S, price(200)))
    market.publish(REGION, "retail", midnight_s - DAY_S, *night)
    market.report("works-1", [1_000_000] * 12, start_s=midnight_s - 4 * HOUR_S)
    evening, morning = trades(market.run(midnight_s + 8 * HOUR_S))[1]
    assert (evening.first_s, evening.hours) == (midnight_s - 4 * HOUR_S, 4)
    assert (morning.first_s, morning.hours) == (midnight_s, 8)
    assert evening.fen == 2 * 80_000 + 2 * 20_000
    assert morning.fen == 6 * 20_000 + 2 * 80_000
    days = list(market.ledger.state.scan(REGION_DAYS, REGION))
    assert [(day.day_s, day.consumed_wh) for day in days] == [
        (midnight_s - DAY_S, 4_000_000), (midnight_s, 8_000_000),
    ]  # fmt: skip


def test_quarters_that_do_not_lie_in_whole_local_hours() -> None:
    """In Nepal's time an hour of UTC lies in two; a reading counts in the one it begins in."""
    market = TwoRegions(offsets_s=(20_700, 0))
    market.meter_of("works-1", owner="works", supply=False, region=REGION)
    start_s = START_S - START_S % DAY_S
    market.report("works-1", [1, 10, 100, 1000, 10_000], start_s=start_s, interval_s=900)
    market.run(start_s + DAY_S - 20_700 % HOUR_S)
    rows = list(market.ledger.state.scan(REGION_HOURS, REGION))
    assert [(row.start_s, row.consumed_wh) for row in rows] == [
        (start_s - 2_700, 1), (start_s + 900, 11_110),
    ]  # fmt: skip


def test_a_contract_is_larger_than_what_there_is(trading: Trading) -> None:
    """Either side is settled by it for what it has; nobody owes energy that did not flow."""
    contract(trading, "large", wh=2**53, cny_per_mwh=450, from_s=START_S, to_s=START_S + DAY_S)
    trading.report("wind-1", [0, 700_000, 0], start_s=START_S)
    trading.report("works-1", [500_000, 0, 0], start_s=START_S)
    made = trades(trading.run(START_S + DAY_S))
    assert (made[1][0].wh, made[1][0].fen) == (700_000, 700 * 45)
    assert (made[2][0].wh, made[2][0].fen) == (500_000, 500 * 45)
    trading.check()


def test_a_contract_holds_from_its_first_hour_up_to_its_last(trading: Trading) -> None:
    contract(
        trading, "short", wh=10**6, cny_per_mwh=430, from_s=START_S + 2 * HOUR_S,
        to_s=START_S + 4 * HOUR_S,
    )  # fmt: skip
    for name in ("wind-1", "works-1"):
        trading.report(name, [1_000_000] * 6, start_s=START_S)
    made = trades(trading.run(START_S + DAY_S))
    assert made[1][0].fen == 4 * 40_000 + 2 * 43_000
    assert made[2][0].fen == 4 * 50_000 + 2 * 43_000


def test_contracts_are_used_up_in_the_order_in_which_they_were_accepted(trading: Trading) -> None:
    for at, rate in enumerate((490, 410, 430)):
        contract(
            trading, f"c{at}", wh=1000, cny_per_mwh=rate, from_s=START_S + at * HOUR_S,
            to_s=START_S + DAY_S,
        )  # fmt: skip
    trading.report("works-1", [10_000_000, 10_000_000, 1_500_000], start_s=START_S)
    trading.report("wind-1", [500, 1500, 5000], start_s=START_S)
    made = trades(trading.run(START_S + DAY_S))
    ufen = 500 * 490 + (1000 * 490 + 500 * 410) + (1000 * (490 + 410 + 430) + 2000 * 400)
    assert made[1][0].fen == ufen * 100 // UFEN_PER_FEN
    ufen = 1000 * 490 + 9_999_000 * 500
    ufen += 1000 * 900 + 9_998_000 * 500 + 1000 * 1330 + 1_497_000 * 500
    assert made[2][0].fen == ufen * 100 // UFEN_PER_FEN


def test_a_tariff_of_ones_own_is_told_apart_from_the_regions(trading: Trading) -> None:
    trading.tariff("social", (0, price(90)))
    trading.meter("works-2", owner="works", money=10**6)
    for name in ("works-1", "works-2"):
        trading.report(name, [1_000_000, 1_000_000], start_s=START_S)
    trading.submit(AssignTariff(device="works-2", tariff="social"), "grid")
    made = trades(trading.run(START_S + HOUR_S))
    assert (made[2][0].fen, made[3][0].fen) == (50_000, 9_000)
    trading.submit(AssignTariff(device="works-2", tariff=""), "grid")
    made = trades(trading.run(START_S + 2 * HOUR_S))
    assert (made[2][0].fen, made[3][0].fen) == (50_000, 50_000)


def test_parties_with_several_meters_on_both_sides(trading: Trading) -> None:
    """A works with three meters, a house that buys and sells, one replaced, one revoked."""
    numbers = {
        name: trading.meter(name, owner=owner, supply=supply, money=0 if supply else 10**6)
        for name, owner, supply in (
            ("works-2", "works", False), ("works-3", "works", False),
            ("house-in", "house", False), ("house-out", "house", True), ("wind-2", "wind", True),
        )
    } | {"wind-1": 1, "works-1": 2}  # fmt: skip
    for name, hours in {
        "works-1": [1000, 2000], "works-2": [300, 0], "works-3": [0, 70],
        "house-in": [500, 0], "house-out": [0, 900], "wind-1": [2000, 2000], "wind-2": [1, 1],
    }.items():  # fmt: skip
        trading.report(name, hours, start_s=START_S)
    first = trades(trading.run(START_S + HOUR_S))
    assert sum_by_kind(first, numbers) == {"supply": 2001, "consumption": 1800}
    at_s = START_S + 3 * HOUR_S
    swap = ReplaceMeter(device="works-2", at_s=at_s, old_closing=350, new_opening=9,
                        new_modulus=1000)  # fmt: skip
    trading.submit(swap, "works")
    trading.report("works-2", [600, 600], start_s=at_s)  # over its roll-over
    trading.submit(RevokeDevice(device="wind-2"), "wind")
    trading.submit(SuspendParty(party="house", reason="bankrupt"), "registrar")
    second = trades(trading.run(START_S + DAY_S))
    assert sum_by_kind(second, numbers) == {"supply": 2901, "consumption": 2070 + 50 + 1200}
    trading.report("works-3", [5], start_s=START_S + 7 * HOUR_S)
    assert trades(trading.run(START_S + DAY_S)).keys() == {numbers["works-3"]}
    assert trading.net_wh == 2001 + 2901 - 1800 - 3320 - 5
    assert trading.fen(numbers["house-out"]) == 900 * price(400) // UFEN_PER_FEN
    trading.check()


def sum_by_kind(
    made: Mapping[int, list[Trade]], numbers: Mapping[str, int]
) -> dict[str, int]:  # fmt: skip
    """Wh of suppliers' and of consumers' meters, by their names."""
    supplying = {number for name, number in numbers.items() if name.startswith(("wind", "house-o"))}
    sums = {"supply": 0, "consumption": 0}
    for meter, some in made.items():
        kind = "supply" if meter in supplying else "consumption"
        sums[kind] += sum(trade.wh for trade in some)
    return sums
