"""Runs: usage becomes trades, to the watt-hour and the fen, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.trading import DAY_S, HOUR_S, REGION, START_S, Trading, price

from wattproof.core.errors import Refused
from wattproof.identity.model import RevokeDevice
from wattproof.keys.uint_array import UintArray
from wattproof.metering.model import ReplaceMeter
from wattproof.settlement.model import (
    REGION_HOURS,
    UFEN_PER_FEN,
    USAGE,
    AcceptContract,
    AssignTariff,
    BatchRun,
    CloseRun,
    FileStatement,
    OfferContract,
    OpenRun,
)


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.text("en") and caught.value.text("zh")


def two(*, money: int = 10**9, pool_fen: int = 10**12) -> tuple[Trading, int, int]:
    trading = Trading(pool_fen=pool_fen)
    wind = trading.meter("wind-1", owner="wind", supply=True)
    works = trading.meter("works-1", owner="works", money=money)
    return trading, wind, works


@pytest.mark.parametrize(
    ("supplied_kwh", "consumed_kwh"), [(1200, 1000), (1000, 1000), (900, 1000)]
)
def test_the_worked_cases(supplied_kwh: int, consumed_kwh: int) -> None:
    trading, wind, works = two()
    trading.report("wind-1", [supplied_kwh * 1000], start_s=START_S)
    trading.report("works-1", [consumed_kwh * 1000], start_s=START_S)
    (settled,) = trading.run(START_S + HOUR_S)
    assert (settled.supply_wh, settled.consumption_wh) == (
        supplied_kwh * 1000, consumed_kwh * 1000,
    )  # fmt: skip
    assert trading.net_wh == (supplied_kwh - consumed_kwh) * 1000
    hour = trading.ledger.one(REGION_HOURS, REGION, START_S)
    assert hour.supplied_wh - hour.consumed_wh == trading.net_wh
    assert trading.fen(wind) == supplied_kwh * 40
    assert trading.fen(works) == 10**9 - consumed_kwh * 50
    trading.check()


def test_a_day_of_quarters_is_settled_by_the_hour() -> None:
    trading, _, works = two()
    trading.tariff("retail", (0, price(300)), (8 * HOUR_S, price(900)), (22 * HOUR_S, price(300)),
                   from_s=START_S)  # fmt: skip
    quarters = [100 + at for at in range(96)]
    trading.report("works-1", quarters, start_s=START_S, interval_s=900)
    (settled,) = trading.run(START_S + DAY_S)
    (trade,) = settled.consumption
    hours = [sum(quarters[at : at + 4]) for at in range(0, 96, 4)]
    ufen = sum(wh * price(900 if 8 <= hour < 22 else 300) for hour, wh in enumerate(hours))
    assert (trade.wh, trade.hours, trade.fen) == (sum(quarters), 24, ufen // UFEN_PER_FEN)
    assert trading.usage(works).carry_ufen == ufen % UFEN_PER_FEN
    rows = list(trading.ledger.state.scan(REGION_HOURS, REGION))
    assert [row.consumed_wh for row in rows] == hours
    assert [(row.start_s, row.consumed_wh) for row in settled.hours] == [
        (START_S + at * HOUR_S, wh) for at, wh in enumerate(hours)
    ]
    assert settled.previous == -1 and trading.region.last_entry == trading.ledger.size - 2
    trading.check()


def test_only_hours_that_are_over_are_settled_and_the_rest_waits() -> None:
    trading, _, works = two()
    trading.report("works-1", [10, 20, 30], start_s=START_S)
    trading.run(START_S + 2 * HOUR_S)
    left = trading.usage(works)
    assert (left.hours_wh, left.start_s) == ((30,), START_S + 2 * HOUR_S)
    trading.run(START_S + 3 * HOUR_S)
    assert trading.usage(works).settled_wh == 60 and trading.usage(works).trades == 2
    trading.run(START_S + 3 * HOUR_S)
    assert trading.usage(works).trades == 2, "settled once"


def test_a_run_is_one_at_a_time_and_in_order() -> None:
    trading, wind, works = two()
    trading.report("wind-1", [5], start_s=START_S)
    trading.report("works-1", [5], start_s=START_S)
    trading.open(START_S + HOUR_S)
    refused("settlement.run_open", lambda: trading.open(START_S + HOUR_S))
    trading.batch([wind])
    refused("settlement.batch_order", lambda: trading.batch([wind]))
    refused("settlement.batch_order", lambda: trading.batch([works, wind]))
    refused("settlement.batch_size", lambda: trading.batch([]))
    jump = BatchRun(region=REGION, run=1, after=0, meters=UintArray.from_ints([works]))
    refused("settlement.batch_order", lambda: trading.submit(jump, "grid"))
    trading.batch([works])
    run = trading.last_run
    assert (run.batches, run.trades_supply, run.trades_consumption) == (2, 1, 1)
    trading.close()
    refused("settlement.run_not_open", lambda: trading.submit(CloseRun(region=REGION, run=1),
                                                              "grid"))  # fmt: skip
    gone = BatchRun(region=REGION, run=1, after=0, meters=UintArray.from_ints([works]))
    refused("settlement.run_not_open", lambda: trading.submit(gone, "grid"))


def test_only_the_operator_runs_and_only_what_is_over() -> None:
    trading, _, _ = two()
    refused("settlement.run_ahead", lambda: trading.open(4 * 10**9 // HOUR_S * HOUR_S))
    refused("settlement.period", lambda: trading.open(START_S + 1))
    refused("identity.role.missing", lambda: trading.open(START_S, by="wind"))
    other = OpenRun(region="CN-BJ", until_s=START_S)
    refused("settlement.region_unknown", lambda: trading.submit(other, "grid"))


def test_who_cannot_pay_is_in_arrears_and_pays_first_next_time() -> None:
    trading, _, works = two(money=700)
    trading.report("works-1", [100_000], start_s=START_S)  # 5 000 fen
    (settled,) = trading.run(START_S + HOUR_S)
    (trade,) = settled.consumption
    assert (trade.fen, trade.paid_fen, trade.due_fen) == (5000, 700, 4300)
    assert trading.fen(works) == 0 and trading.usage(works).due_fen == 4300
    trading.top_up("works-1", 5_000)
    trading.report("works-1", [10_000], start_s=START_S + HOUR_S)  # 500 fen
    (settled,) = trading.run(START_S + 2 * HOUR_S)
    assert settled.consumption[0].paid_fen == 4800
    assert trading.fen(works) == 200 and trading.usage(works).due_fen == 0
    trading.check()


def test_a_pool_without_money_owes_its_suppliers() -> None:
    trading, wind, works = two(pool_fen=0)
    trading.report("wind-1", [100_000], start_s=START_S)  # 4 000 fen
    trading.report("works-1", [50_000], start_s=START_S)  # 2 500 fen
    trading.run(START_S + HOUR_S)
    assert (trading.fen(wind), trading.usage(wind).due_fen) == (2500, 1500)
    trading.report("works-1", [50_000], start_s=START_S + HOUR_S)
    trading.run(START_S + 2 * HOUR_S)
    assert (trading.fen(wind), trading.usage(wind).due_fen) == (4000, 0)
    assert trading.fen(works) == 10**9 - 5000
    assert trading.balance(f"pool:{REGION}", "CNY") == 1000
    trading.check()


def test_late_packets_are_a_supplementary_run() -> None:
    trading, wind, _ = two()
    trading.report("works-1", [10] * 24, start_s=START_S)
    trading.run(START_S + DAY_S)
    trading.report("wind-1", [7] * 24, start_s=START_S)
    trading.run(START_S + DAY_S)
    assert trading.usage(wind).settled_wh == 7 * 24
    first = trading.ledger.one(REGION_HOURS, REGION, START_S)
    assert (first.supplied_wh, first.consumed_wh) == (7, 10)


def test_a_meter_replaced_and_one_revoked_are_settled_for_what_they_measured() -> None:
    trading, wind, works = two()
    trading.report("works-1", [10, 20], start_s=START_S)
    at_s = START_S + 4 * HOUR_S
    swap = ReplaceMeter(device="works-1", at_s=at_s, old_closing=70, new_opening=5, new_modulus=0)
    trading.submit(swap, "works")
    trading.report("works-1", [3], start_s=at_s)
    trading.report("wind-1", [9], start_s=START_S)
    trading.submit(RevokeDevice(device="wind-1"), "wind")
    trading.run(START_S + DAY_S)
    assert trading.usage(works).settled_wh == 10 + 20 + 40 + 3
    assert trading.usage(wind).settled_wh == 9
    trading.check()


def test_a_contract_holds_for_so_much_an_hour_on_both_sides() -> None:
    trading, _, _ = two()
    trading.report("wind-1", [0], start_s=START_S)
    trading.report("works-1", [0], start_s=START_S)
    offer = OfferContract(
        id="ppa", supply="wind-1", consumption="works-1", wh_per_hour=1000,
        price_ufen=price(450), from_s=START_S, to_s=START_S + 3 * HOUR_S,
    )  # fmt: skip
    refused("settlement.not_yours", lambda: trading.submit(offer, "house"))
    trading.submit(offer, "wind")
    refused("settlement.contract_taken", lambda: trading.submit(offer, "wind"))
    accept = AcceptContract(id="ppa")
    refused("settlement.contract_unknown", lambda: trading.submit(accept, "house"))
    trading.submit(accept, "works")
    refused("settlement.contract_unknown", lambda: trading.submit(accept, "works"))
    later = START_S + HOUR_S
    trading.report("wind-1", [600_000, 600_000, 600_000], start_s=later)
    trading.report("works-1", [400, 2_000_000, 2_000_000], start_s=later)
    (settled,) = trading.run(START_S + DAY_S)
    sold = [(400 * 450), (1000 * 450 + 1_999_000 * 500), (2_000_000 * 500)]
    bought = [(1000 * 450 + 599_000 * 400)] * 2 + [600_000 * 400]
    assert settled.consumption[0].fen == sum(sold) * 100 // UFEN_PER_FEN
    assert settled.supply[0].fen == sum(bought) * 100 // UFEN_PER_FEN
    trading.check()


def test_a_meter_may_have_a_tariff_of_its_own() -> None:
    trading, _, _ = two()
    trading.report("works-1", [1_000_000], start_s=START_S)
    own = AssignTariff(device="works-1", tariff="industry")
    refused("settlement.tariff_unknown", lambda: trading.submit(own, "grid"))
    trading.tariff("industry", (0, price(1000)))
    trading.submit(own, "grid")
    (settled,) = trading.run(START_S + HOUR_S)
    assert settled.consumption[0].fen == 100_000


def test_prices_cannot_change_behind_what_is_settled() -> None:
    trading, _, _ = two()
    trading.run(START_S + DAY_S)
    refused(
        "settlement.settled_already",
        lambda: trading.tariff("retail", (0, 1), from_s=START_S),
    )
    trading.tariff("retail", (0, 1), from_s=START_S + DAY_S)
    refused("settlement.bands", lambda: trading.tariff("x", (HOUR_S, 1)))
    refused("settlement.bands", lambda: trading.tariff("x", (0, 1), (1800, 2)))
    refused("settlement.bands", lambda: trading.tariff("x", (0, 1), (0, 2)))


def test_an_hour_without_a_price_is_named() -> None:
    trading, _, works = two()
    trading.tariff("late", (0, 1), from_s=START_S + HOUR_S)
    trading.report("works-1", [5], start_s=START_S)
    trading.submit(AssignTariff(device="works-1", tariff="late"), "grid")
    trading.open(START_S + DAY_S)
    refused("settlement.no_price", lambda: trading.batch([works]))


def test_a_statement_is_the_operators_word() -> None:
    trading, _, _ = two()

    def statement(*, entries: int = 3, to_s: int = START_S + DAY_S) -> FileStatement:
        return FileStatement(
            region=REGION, from_s=START_S, to_s=to_s, entries=entries, supplied_wh=1,
            consumed_wh=2, digest=bytes(32),
        )  # fmt: skip

    trading.submit(statement(), "grid")
    assert trading.region.statements == 1
    refused("settlement.statement_entries", lambda: trading.submit(statement(entries=999), "grid"))
    refused("settlement.period", lambda: trading.submit(statement(to_s=START_S), "grid"))


def test_a_batch_of_many_meters_is_posted_in_parts() -> None:
    trading = Trading()
    for at in range(250):
        trading.meter(f"m{at}", owner="works", money=1000)
        trading.report(f"m{at}", [2000 + at], start_s=START_S)
    (settled,) = trading.run(START_S + HOUR_S)
    assert len(settled.consumption) == 250
    assert sum(trade.paid_fen for trade in settled.consumption) == sum(
        (2000 + at) * price(500) // UFEN_PER_FEN for at in range(250)
    )
    trading.check()


report = st.tuples(st.just("report"), st.integers(0, 3), st.lists(st.integers(0, 50_000),
                   min_size=1, max_size=5))  # fmt: skip
run = st.tuples(st.just("run"), st.integers(0, 12), st.integers(1, 4))
money = st.tuples(st.just("money"), st.integers(0, 3), st.integers(1, 5000))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(report, run, money), max_size=25))
def test_nothing_is_created_or_lost_or_sold_twice(steps: list[tuple[str, int, object]]) -> None:
    """Whatever comes in whatever order: Wh and fen are where they must be."""
    trading = Trading(pool_fen=1000)
    names = ("a", "b", "c", "d")
    numbers = [
        trading.meter(name, owner="house", supply=at % 2 == 0) for at, name in enumerate(names)
    ]
    reported, ends, topped_up = [0] * 4, [START_S] * 4, 0
    for what, at, given_ in steps:
        if what == "report":
            assert isinstance(given_, list)
            trading.report(names[at], given_, start_s=ends[at])
            reported[at] += sum(given_)
            ends[at] += len(given_) * HOUR_S
        elif what == "money":
            assert isinstance(given_, int)
            trading.top_up(names[at], given_)
            topped_up += given_
        else:
            assert isinstance(given_, int)
            trading.run(START_S + at * HOUR_S, batch=given_)
        trading.check()
    usages = [trading.ledger.state.get(USAGE, number) for number in numbers]
    settled = [0 if usage is None else usage.settled_wh for usage in usages]
    waiting = [0 if usage is None else sum(usage.hours_wh) for usage in usages]
    assert [one + other for one, other in zip(settled, waiting, strict=True)] == reported
    assert trading.net_wh == settled[0] + settled[2] - settled[1] - settled[3]
    in_wallets = sum(trading.fen(number) for number in numbers)
    assert in_wallets + trading.balance(f"pool:{REGION}", "CNY") == topped_up
    for at, usage in enumerate(usages):
        if usage is None:
            continue
        rate = price(400 if at % 2 == 0 else 500)
        assert usage.settled_fen * UFEN_PER_FEN + usage.carry_ufen == usage.settled_wh * rate
        assert trading.fen(numbers[at]) >= 0
    rows = list(trading.ledger.state.scan(REGION_HOURS, REGION))
    assert sum(row.supplied_wh for row in rows) == settled[0] + settled[2]
    assert sum(row.consumed_wh for row in rows) == settled[1] + settled[3]
