"""Standing orders: each period is paid once, whatever becomes of machine, line, meter and clock."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.edge.paying import HALF_HOUR_S, MIDNIGHT, Paying, paid, payment
from tests.support.beside_meter import INTERVAL_S, NOON_S, CountingMeter
from tests.support.refusals import refused
from tests.vectors.make_payments import standing_nonce

from wattproof.core.periods import bucket_bounds
from wattproof.edge.changes import swap_meter
from wattproof.edge.clock import take_back
from wattproof.edge.orders import MAX_MISSED, PaySettings, begun, due_amounts, order_of
from wattproof.edge.source import Mode, Sample
from wattproof.edge.status import lines_of, payment_lines, status_of
from wattproof.keys import cbor, cose

RENT = {"to": "landlord", "amount": "3.00", "every": "day", "memo": "rent"}
POWER = {"to": "landlord", "per_kwh": "0.65", "memo": "power"}
HOURLY = {**POWER, "every": "hour"}
DAY = 96


def test_an_amount_is_paid_as_each_period_begins(make: Any) -> None:
    node = make(RENT)
    node.live(0, MIDNIGHT - 1)
    assert node.queue.payments.last(1) == []  # the day that has begun is not paid
    node.live(MIDNIGHT, MIDNIGHT + 2 * DAY + 1)
    assert paid(node) == [(300, "rent 2023-07-23"), (300, "rent 2023-07-24"),
                          (300, "rent 2023-07-25")]  # fmt: skip
    assert (node.purses.got, node.codes(), node.queue.refused()) == (900, {}, [])


def test_what_was_measured_is_paid_when_the_period_is_over(make: Any) -> None:
    node = make(POWER, fen=10_000)
    node.live(0, MIDNIGHT - 1, amount=10)
    assert node.purses.got == 0
    node.live(MIDNIGHT, MIDNIGHT + DAY, amount=10)
    # 46 readings up to midnight: 29.9 fen, of which 0.9 are carried to 96 readings more: 62.4
    assert paid(node) == [
        (29, "power 2023-07-22 460 Wh * 0.65/kWh"),
        (63, "power 2023-07-23 960 Wh * 0.65/kWh"),
    ]
    assert node.purses.got == (460 + 960) * 65 // 1000


def test_nothing_is_paid_for_nothing(make: Any) -> None:
    node = make(HOURLY)
    node.live(0, 20)
    node.live(21, 40, amount=1)  # 0.26 fen an hour
    assert [fen for fen, _ in paid(node)] == [1]


def test_water_has_its_price_too(make: Any) -> None:
    node = make(
        {"to_device": "m2", "per_m3": "4.1", "every": "hour"},
        quantity="water.cold", meter=CountingMeter(unit="dm3"),
    )  # fmt: skip
    node.purses.add("m2")
    node.live(0, 6, amount=100)
    assert paid(node) == [
        (82, "2023-07-22T12:00+08:00 200 dm3 * 4.1/m3"),
        (164, "2023-07-22T13:00+08:00 400 dm3 * 4.1/m3"),
    ]
    assert node.purses.fen("wallet:2") == 246


def test_a_silent_meter_pays_what_it_had_measured(make: Any) -> None:
    node = make(HOURLY)
    node.live(0, 1, amount=1000)
    node.meter.silence()
    node.live(2, 3)  # the hour is over, the reading of its last moment never came
    node.meter.error = None
    node.meter.count(3000)
    node.live(4, 6)
    # What was counted in the silence belongs to where it ended, as in the ledger's own reports.
    assert [fen for fen, _ in paid(node)] == [65, 195]


def test_a_reading_that_comes_late_is_waited_for(make: Any) -> None:
    node = make(HOURLY)
    node.live(0, 1, amount=1000)
    node.meter.silence()
    node.quarter(2)
    assert node.queue.payments.last(1) == []
    node.meter.error = None
    node.meter.count(1000)
    node.at(2 * INTERVAL_S + 30)
    node.send()
    assert [fen for fen, _ in paid(node)] == [130]


def test_an_exchanged_meter_and_a_roll_over_are_counted_on(make: Any) -> None:
    node = make(HOURLY, register_modulus=100_000, meter=CountingMeter(value=99_500))
    node.meter.count(0)
    for number in range(4):
        node.meter.count(250 if number else 0, modulus=100_000)
        node.quarter(number)
    last, began = (Sample(time_s=0, value=Decimal(v), unit="Wh") for v in (300, 7_000))
    swap_meter(node.queue, node.config, node.key, closing=last, opening=began)
    node.meter.value = Decimal(7_100)
    node.quarter(5)
    node.quarter(6)
    assert node.queue.state().measured == 500 + 250 + 50 + 100
    assert [each.fen for each in node.queue.payments.last(9)][::-1] == [32, 26]


def test_a_node_that_was_off_pays_on_its_return(make: Any) -> None:
    node = make(RENT, POWER)
    node.live(0, MIDNIGHT + 4, amount=1000)
    node.restart()
    node.meter.count(500_000)  # while it was off
    node.live(MIDNIGHT + 3 * DAY + 8, MIDNIGHT + 3 * DAY + 9)
    assert [fen for fen, memo in paid(node) if "rent" in memo] == [300] * 4
    powered = [(fen, memo.split()[1]) for fen, memo in paid(node) if "power" in memo]
    assert powered == [(46 * 65, "2023-07-22"), (4 * 65, "2023-07-23/2023-07-25")]
    node.live(MIDNIGHT + 4 * DAY, MIDNIGHT + 4 * DAY)
    assert payment(node).fen == 500_000 * 65 // 1000


def test_too_many_missed_periods_are_named_and_not_paid(make: Any) -> None:
    node = make(RENT)
    node.live(0, 1)
    node.restart()
    node.quarter(100 * DAY)
    node.send()
    assert [fen for fen, _ in paid(node)] == [300] * MAX_MISSED
    assert paid(node)[-1][1] == "rent 2023-10-30"
    (missed,) = [each for each in node.queue.payments.last(99) if each.state == "skipped"]
    assert (missed.fen, missed.code) == (69 * 300, "edge.pay.missed")
    assert missed.memo == "rent 2023-07-23/2023-09-29"
    assert node.queue.refused() == []


def test_a_clock_that_is_set_back_pays_nothing_twice(make: Any) -> None:
    node = make(HOURLY, {**RENT, "every": "hour"})
    node.live(0, 10, amount=100)
    got = node.purses.got
    node.live(3, 9)
    assert node.codes()["clock"] == "edge.clock.back"
    node.restart()
    node.live(4, 10)
    assert node.purses.got == got
    node.live(11, 12)
    assert node.codes() == {}
    rents = [each.due_s for each in node.queue.payments.last(99) if "rent" in each.memo]
    assert rents == [NOON_S + HALF_HOUR_S + hour * 3600 for hour in (2, 1, 0)]


def test_orders_of_a_node_that_never_read_wait_for_the_clock_too(make: Any) -> None:
    node = make(RENT)
    node.meter.silence()
    node.live(0, 5 * DAY, every=DAY)
    node.quarter(2 * DAY)
    assert node.codes()["pay"] == "edge.pay.clock"
    node.quarter(6 * DAY)
    node.send()
    assert "pay" not in node.codes()
    assert node.purses.got == 6 * 300


@pytest.mark.parametrize("sent", [True, False])
def test_a_clock_that_was_ahead_is_put_right(make: Any, sent: bool) -> None:
    node = make(RENT, POWER)
    node.live(0, MIDNIGHT + 1, amount=100)
    node.link.cut = not sent
    for number in (MIDNIGHT + 5 * DAY, MIDNIGHT + 5 * DAY + 1):  # five days too early
        node.meter.count(100)
        node.quarter(number)
        node.send()
    node.link.cut = False
    node.time.now_s = NOON_S + (MIDNIGHT + 4) * INTERVAL_S
    take_back(node.queue, now_s=node.time.now_s, interval_s=INTERVAL_S)
    assert all(each.state != "waiting" for each in node.queue.payments.last(99)) or sent
    node.live(MIDNIGHT + 5, MIDNIGHT + 7 * DAY, amount=100)
    rents = [memo for _, memo in paid(node) if "rent" in memo]
    assert rents == [f"rent 2023-07-{day}" for day in range(23, 31)]
    powered = sum(fen for fen, memo in paid(node) if "power" in memo)
    assert powered == node.queue.state().measured * 65 // 1000
    assert node.purses.got == powered + 8 * 300
    refused(
        "edge.clock.not_ahead",
        lambda: take_back(node.queue, now_s=node.time.now_s, interval_s=INTERVAL_S),
    )


def test_what_was_refused_for_want_of_money_goes_with_the_next_payment(make: Any) -> None:
    node = make(RENT, fen=0)
    node.live(0, MIDNIGHT + 2 * DAY)
    assert [row.code for row in node.queue.refused()] == ["book.overdraft"] * 3
    node.purses.top_up(1_000)
    node.live(MIDNIGHT + 2 * DAY + 1, MIDNIGHT + 3 * DAY - 1)
    assert node.purses.got == 0
    node.live(MIDNIGHT + 3 * DAY, MIDNIGHT + 3 * DAY)
    assert [memo for _, memo in paid(node)] == [f"rent 2023-07-{day}" for day in (23, 24, 25)]
    assert [row.what for row in node.queue.refused()] == ["pay 3.00 CNY landlord"]


def test_another_refusal_is_for_a_person(make: Any) -> None:
    node = make({**RENT, "to": "nobody"})
    node.live(0, MIDNIGHT + DAY)
    before = [(row.position, row.code) for row in node.queue.refused()]
    assert [code for _, code in before] == ["book.account.unknown"] * 2
    node.live(MIDNIGHT + DAY + 1, MIDNIGHT + 2 * DAY)
    assert [(row.position, row.code) for row in node.queue.refused()][:2] == before


def test_other_settings_go_on_from_where_the_order_is(make: Any) -> None:
    node = make(RENT)
    node.live(0, MIDNIGHT)
    config = node.config

    def say(*orders: dict[str, Any]) -> None:
        wanted = tuple(msgspec.convert(order, PaySettings) for order in orders)
        node.config = msgspec.structs.replace(config, pay=wanted)
        node.restart()

    say({**RENT, "amount": "4.00"})
    node.live(MIDNIGHT + 1, MIDNIGHT + DAY)
    assert [fen for fen, _ in paid(node)] == [300, 400]
    say()
    node.live(MIDNIGHT + DAY + 1, MIDNIGHT + 3 * DAY)
    say(RENT)  # from here on, not for the time in which there was none
    node.live(MIDNIGHT + 3 * DAY + 1, MIDNIGHT + 4 * DAY)
    assert [fen for fen, _ in paid(node)] == [300, 400, 300]


def test_an_order_has_a_beginning_and_an_end(make: Any) -> None:
    dates = {"from": "2023-07-21", "until": "2023-07-25"}
    later = {**RENT, "name": "later", "from": "2023-07-24", "memo": "later"}
    power = {**POWER, "from": "2023-07-24", "until": "2023-07-25"}
    node = make({**RENT, **dates}, later, power)
    node.live(0, MIDNIGHT + 5 * DAY, amount=10)
    days = [memo[-2:] for _, memo in paid(node) if memo.startswith("rent")]
    assert days == ["21", "22", "23", "24"]
    days = [memo[-2:] for _, memo in paid(node) if memo.startswith("later")]
    assert days == ["24", "25", "26", "27", "28"]
    powered = [(fen, memo) for fen, memo in paid(node) if memo.startswith("power")]
    assert powered == [(62, "power 2023-07-24 960 Wh * 0.65/kWh")]
    status = status_of(node.config, node.queue, now_s=node.time.now_s)
    assert [order.next_s is None for order in status.orders] == [True, False, True]


def test_a_payment_of_an_order_has_the_bytes_that_the_docs_say(make: Any) -> None:
    node = make(RENT, {**RENT, "name": "second"})
    node.link.cut = True
    node.live(0, MIDNIGHT)
    nonces = []
    for item in node.queue.first(99):
        fields = cbor.decode(cose.parse(item.raw).payload)
        assert isinstance(fields, list)
        if item.what.startswith("pay "):
            nonces.append(fields[2])
    midnight_s = NOON_S + MIDNIGHT * INTERVAL_S
    names = ("landlord/CNY/day/amount", "second:landlord/CNY/day/amount")
    assert nonces == [standing_nonce(name, midnight_s) for name in names]


def test_an_order_of_another_kind_is_another_order(make: Any) -> None:
    node = make({**RENT, "name": "due"})
    node.live(0, MIDNIGHT + 1, amount=1_000)
    given = tuple(msgspec.convert(order, PaySettings) for order in ({**POWER, "name": "due"},))
    node.config = msgspec.structs.replace(node.config, pay=given)
    node.restart()
    node.live(MIDNIGHT + 2, MIDNIGHT + DAY, amount=10)
    assert [fen for fen, _ in paid(node)] == [300, 95 * 10 * 65 // 1000]


def test_months_are_those_of_the_zone(make: Any) -> None:
    node = make({**RENT, "every": "month"}, zone="America/New_York")
    node.live(0, 110 * DAY, every=2 * DAY)
    assert [memo for _, memo in paid(node)] == [
        "rent 2023-08", "rent 2023-09", "rent 2023-10", "rent 2023-11",
    ]  # fmt: skip
    due = [each.due_s for each in node.queue.payments.last(9)]
    assert due[0] - due[1] == 31 * 86_400


def test_an_hour_that_comes_twice_is_two_hours() -> None:
    given = msgspec.convert({**RENT, "every": "hour"}, PaySettings)
    order = order_of(given, node="m1", quantity="electricity", zone="Europe/Berlin")
    night_s = 1_698_526_800  # 2023-10-28 23:00 in Berlin, before the clock is put back
    reached, dues = due_amounts(
        order, begun(order, now_s=night_s, measured=0), now_s=night_s + 6 * 3600
    )
    assert [due.memo[-11:] for due in dues] == [
        "00:00+02:00", "01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00", "04:00+01:00",
    ]  # fmt: skip
    assert reached.through_s == night_s + 6 * 3600


def test_status_says_what_is_paid_and_what_comes_next(make: Any) -> None:
    node = make(RENT, POWER, fen=300)
    node.live(0, MIDNIGHT + 4, amount=1000)
    status = status_of(node.config, node.queue, now_s=node.time.now_s)
    rows = payment_lines(status, zone="Asia/Shanghai", lang="en")
    assert rows[:2] == [
        ("Standing order", "3.00 CNY to landlord, every day, next 2023-07-24T00:00:00+08:00"),
        (
            "Standing order",
            "0.65/kWh to landlord, every day, next 2023-07-24T00:00:00+08:00, so far 2.60 CNY",
        ),
    ]
    assert rows[2][1].startswith("29.90 CNY to landlord (power 2023-07-22 46 kWh * 0.65/kWh):")
    assert rows[2][1].endswith("[book.overdraft]")
    assert rows[3][1].startswith("3.00 CNY to landlord (rent 2023-07-23): paid, 2023-07-23T00:00")
    zh = payment_lines(status, zone="Asia/Shanghai", lang="zh")
    assert zh[0][1] == "每天 3.00 元 → landlord，下次 2023-07-24T00:00:00+08:00"
    assert "被拒绝" in zh[2][1]
    assert ("Refused", "1") in lines_of(status, zone="UTC", lang="en")
    assert msgspec.json.decode(msgspec.json.encode(status))["orders"][1]["owed_fen"] == 260


ACTIONS = st.one_of(
    st.tuples(st.just("count"), st.integers(0, 3_000)),
    st.tuples(st.just("top up"), st.integers(1, 2_000)),
    st.tuples(st.sampled_from(("tick", "tick", "tick", "send")), st.just(0)),
    st.tuples(st.just("skip"), st.integers(1, 9)),
    st.tuples(
        st.sampled_from(("silence", "speak", "cut", "join", "lose", "power", "back")), st.just(0)
    ),
)


@settings(max_examples=25, deadline=None, report_multiple_bugs=False)
@given(st.lists(ACTIONS, max_size=60), st.sampled_from(("register", "increment")))
def test_each_period_is_paid_once_and_each_watt_hour(
    actions: list[tuple[str, int]], mode: Mode
) -> None:
    with TemporaryDirectory() as folder:
        rent = {**RENT, "every": "hour"}
        node = Paying(Path(folder), rent, HOURLY, meter=CountingMeter(mode), fen=0)
        try:
            quarter = _live(node, actions)
            bounds = bucket_bounds(NOON_S, NOON_S + quarter * INTERVAL_S, "hour", "Asia/Shanghai")
            rents = [each for each in node.queue.payments.last(999) if "rent" in each.memo]
            assert [each.due_s for each in rents][::-1] == bounds[1:-1]
            assert {each.state for each in rents} <= {"paid"}
            measured = node.queue.state().measured
            assert measured == node.purses.stream().total
            powered = sum(fen for fen, memo in paid(node, 999) if "power" in memo)
            assert powered == measured * 65 // 1000
            assert node.purses.got == powered + 300 * len(rents)
            assert (node.queue.refused(), node.queue.length, node.codes()) == ([], 0, {})
            node.purses.check()
        finally:
            node.close()


def _live(node: Paying, actions: list[tuple[str, int]]) -> int:
    """Do all of it, then let everything be well again up to a whole hour; the last quarter."""
    quarter = 0
    node.quarter(0)
    for what, number in actions:
        match what:
            case "count":
                node.meter.count(number)
            case "tick" | "skip":
                quarter += max(1, number)
                node.quarter(quarter)
            case "top up":
                node.purses.top_up(number)
            case "silence":
                node.meter.silence()
            case "speak":
                node.meter.error = None
            case "cut" | "join":
                node.link.cut = what == "cut"
            case "lose":
                node.link.lose = not node.link.lose
            case "power":
                node.restart()
            case "back":
                node.at(quarter * INTERVAL_S - 4000)
            case _:
                node.send()
    node.meter.error, node.link.cut, node.link.lose = None, False, False
    node.purses.top_up(10**9)
    for _ in range(34 + (-quarter) % 4):  # time enough for what was refused, 31 an hour
        quarter += 1
        node.quarter(quarter)
        node.send()
    assert (quarter * INTERVAL_S - HALF_HOUR_S) % 3600 == 0
    return quarter
