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
from wattproof.settlement import batch
from wattproof.settlement.events import StatementFiled
from wattproof.settlement.model import (
    UFEN_PER_FEN,
    AcceptContract,
    AssignTariff,
    BatchRun,
    CloseRun,
    FileStatement,
    OfferContract,
    OpenRun,
)
from wattproof.settlement.records import (
    CONTRACTS,
    REGION_DAYS,
    REGION_HOURS,
    STATEMENTS,
    USAGE,
    verdict_of,
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


def test_a_meter_with_an_hour_without_a_price_is_left_out_and_waits() -> None:
    trading, _, works = two()
    other = trading.meter("works-2", owner="works", money=1000)
    trading.tariff("late", (0, price(100)), from_s=START_S + HOUR_S)
    for name in ("works-1", "works-2"):
        trading.report(name, [5000, 5000], start_s=START_S)
    trading.submit(AssignTariff(device="works-1", tariff="late"), "grid")
    (settled,) = trading.run(START_S + DAY_S)
    assert settled.left_out == (works,) and trading.last_run.left_out == 1
    assert [trade.meter for trade in settled.consumption] == [other]
    assert trading.usage(works).hours_wh == (5000, 5000)
    trading.tariff("late", (0, price(200)), from_s=START_S)
    (settled,) = trading.run(START_S + DAY_S)
    assert settled.left_out == () and settled.consumption[0].fen == 100 + 50
    trading.check()


def test_a_statement_is_filed_if_the_ledger_agrees_to_it() -> None:
    trading, _, _ = two()
    trading.report("wind-1", [1, 2], start_s=START_S)
    trading.report("works-1", [7, 8], start_s=START_S)
    trading.run(START_S + DAY_S)

    def statement(**changed: int) -> FileStatement:
        fields = {
            "from_s": START_S, "to_s": START_S + DAY_S, "entries": trading.ledger.size,
            "supplied_wh": 3, "consumed_wh": 15, "trades_supply": 1, "trades_consumption": 1,
        }  # fmt: skip
        return FileStatement(region=REGION, step="hour", digest=bytes(32), **(fields | changed))

    filed = trading.submit(statement(), "grid").event(StatementFiled)
    assert (filed.statement, filed.net_wh, filed.verdict) == (1, -12, "negative")
    assert trading.ledger.one(STATEMENTS, REGION, 1).net_wh == -12
    for code, wrong in (
        ("settlement.statement_entries", {"entries": 999}),
        ("settlement.statement_behind", {"entries": trading.region.last_entry}),
        ("settlement.statement_days", {"to_s": START_S}),
        ("settlement.statement_days", {"to_s": START_S + DAY_S + HOUR_S}),
        ("settlement.statement_days", {"from_s": START_S + HOUR_S}),
        ("settlement.statement_days", {"to_s": START_S + 2000 * DAY_S}),
        ("settlement.statement_sums", {"supplied_wh": 4}),
        ("settlement.statement_sums", {"consumed_wh": 14}),
        ("settlement.statement_sums", {"trades_supply": 2}),
        ("settlement.statement_sums", {"trades_consumption": 0}),
        ("settlement.statement_sums", {"from_s": START_S - DAY_S, "to_s": START_S}),
    ):
        refused(code, lambda wrong=wrong: trading.submit(statement(**wrong), "grid"))  # type: ignore[misc]
    refused("identity.role.missing", lambda: trading.submit(statement(), "wind"))


@pytest.mark.parametrize(
    ("net_wh", "tolerance_wh", "verdict"),
    [(1, 0, "positive"), (0, 0, "neutral"), (-1, 0, "negative"), (5, 5, "neutral"),
     (-5, 5, "neutral"), (6, 5, "positive"), (-6, 5, "negative")],
)  # fmt: skip
def test_the_verdict_is_neutral_within_the_tolerance(
    net_wh: int, tolerance_wh: int, verdict: str
) -> None:
    assert verdict_of(net_wh, tolerance_wh=tolerance_wh) == verdict


def test_a_trade_is_of_one_local_day_and_days_without_energy_make_none() -> None:
    trading, _, works = two(money=150)
    evening = START_S - 3 * HOUR_S
    hours = [20_000] * 3 + [0] * 24 + [30_000, 0, 40_000]
    trading.report("works-1", hours, start_s=evening)
    (settled,) = trading.run(START_S + 3 * DAY_S)
    first, second = settled.consumption
    assert (first.trade, first.first_s, first.hours, first.wh) == (1, evening, 3, 60_000)
    assert (second.trade, second.first_s, second.hours) == (2, START_S + DAY_S, 3)
    assert [(one.fen, one.paid_fen, one.due_fen) for one in settled.consumption] == [
        (3000, 150, 2850), (3500, 0, 6350),
    ]  # fmt: skip
    assert (first.previous, second.previous) == (-1, -1)
    assert trading.usage(works).due_fen == 6350 and trading.fen(works) == 0
    days = list(trading.ledger.state.scan(REGION_DAYS, REGION))
    assert [(day.day_s, day.trades_consumption, day.consumed_wh) for day in days] == [
        (START_S - DAY_S, 1, 60_000), (START_S + DAY_S, 1, 70_000),
    ]  # fmt: skip
    trading.top_up("works-1", 7000)
    (settled,) = trading.run(START_S + 3 * DAY_S)
    (arrears,) = settled.consumption
    assert (arrears.hours, arrears.wh, arrears.fen, arrears.paid_fen) == (0, 0, 0, 6350)
    assert arrears.first_s == START_S + 3 * DAY_S - HOUR_S
    assert arrears.previous == settled.previous
    trading.check()


def test_a_batch_that_has_enough_trades_leaves_the_rest_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "MAX_TRADES", 2)
    trading, wind, works = two()
    other = trading.meter("works-2", owner="works", money=10**6)
    for name in ("wind-1", "works-1", "works-2"):
        trading.report(name, [5] * 30, start_s=START_S)
    trading.open(START_S + 2 * DAY_S)
    for reached in (wind, works, other):
        trading.batch([one for one in (wind, works, other) if one > trading.last_run.reached])
        assert trading.last_run.reached == reached
    assert trading.last_run.supplied_wh == 150 and trading.last_run.consumed_wh == 300


def test_a_meter_moves_to_another_region_when_nothing_waits() -> None:
    trading, _, works = two(money=700)
    trading.region_like("CN-BJ")
    trading.report("works-1", [10_000], start_s=START_S)
    refused("settlement.region_waits", lambda: trading.associate("works-1", "CN-BJ"))
    trading.run(START_S + DAY_S)
    refused("settlement.move", lambda: trading.associate("works-1", "CN-BJ", by="works"))
    trading.associate("works-1", "CN-BJ")
    usage = trading.usage(works)
    assert (usage.region, usage.trades) == ("CN-BJ", 1)
    trading.report("works-1", [3], start_s=START_S + HOUR_S)
    trading.run(START_S + DAY_S)
    assert trading.usage(works).hours_wh == (3,), "it is the other region's to settle"
    refused("settlement.region_waits", lambda: trading.associate("works-1", "CN-SH"))


def test_a_meter_that_moves_where_nobody_settles_trades_no_more() -> None:
    trading, _, works = two()
    trading.report("works-1", [10_000], start_s=START_S)
    trading.run(START_S + DAY_S)
    trading.associate("works-1", "CN-GD")
    trading.report("works-1", [5], start_s=START_S + HOUR_S)
    assert (trading.usage(works).region, trading.usage(works).hours_wh) == ("", ())
    trading.associate("works-1", REGION)
    trading.report("works-1", [6], start_s=START_S + 2 * HOUR_S)
    assert (trading.usage(works).region, trading.usage(works).hours_wh) == (REGION, (6,))


def test_a_contract_ends_when_one_of_its_meters_moves_away() -> None:
    trading, wind, works = two()
    for name in ("wind-1", "works-1"):
        trading.report(name, [0], start_s=START_S)
    offer = OfferContract(
        id="ppa", supply="wind-1", consumption="works-1", wh_per_hour=1000,
        price_ufen=price(450), from_s=START_S, to_s=START_S + 10**4 * DAY_S,
    )  # fmt: skip
    trading.submit(offer, "wind")
    trading.submit(AcceptContract(id="ppa"), "works")
    trading.run(START_S + DAY_S)
    trading.associate("works-1", "CN-GD")
    contract = trading.ledger.one(CONTRACTS, "ppa")
    assert contract.to_s < START_S + 10**4 * DAY_S and not contract.to_s % HOUR_S
    assert trading.usage(works).contracts == () and trading.usage(wind).contracts == ("ppa",)


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
