"""One node at work, against the ledger's own rules: every way a meter or a clock can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.beside_meter import INTERVAL_S, NOON_S, CountingMeter, Node
from tests.support.memory_ledger import key_of
from tests.support.refusals import refused

from wattproof.core.errors import Conflict
from wattproof.edge.changes import enter_factor, same_meter, swap_meter
from wattproof.edge.clock import take_back
from wattproof.edge.factors import looked_up, typed
from wattproof.edge.source import Mode, Sample
from wattproof.emissions.tracking.model import NODES
from wattproof.metering.model import ReplaceMeter

FACTOR = {"factor": {"value": Decimal("0.5306"), "unit": "kgCO2e/kWh", "by": "badge-7"}}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    """Makes a node whose device is active; it is closed at the end."""
    made: list[Node] = []

    def make_(*, modulus: int = 0, quantity: str = "electricity.import", **given: Any) -> Node:
        given.setdefault("tables", {} if quantity.startswith("co2") else FACTOR)
        node = Node(tmp_path, register_modulus=modulus, quantity=quantity, **given)
        node.meters.add("m1", modulus=modulus, quantity=quantity)
        made.append(node)
        return node

    yield make_
    for node in made:
        node.close()


def run(node: Node, first: int, last: int, amount: int = 250) -> None:
    for number in range(first, last + 1):
        node.meter.count(amount if number else 0)
        node.quarter(number)


def test_readings_become_packets_with_their_emission(make: Any) -> None:
    node = make()
    run(node, 0, 8)
    node.send()
    stream, emitted = node.meters.stream(), node.meters.ledger.one(NODES, 1)
    assert (stream.packets, stream.readings, stream.total) == (3, 8, 2000)
    assert stream.end_s == NOON_S + 8 * INTERVAL_S
    assert emitted.total_g == 2000 * 530_600 // 1_000_000
    assert emitted.wrong == 0
    assert node.queue.length == 0
    assert node.codes() == {}


def test_a_node_without_emission_sends_metering_packets(make: Any) -> None:
    node = make(emit=False, tables={})
    run(node, 0, 4)
    node.send()
    assert node.meters.stream().total == 1000
    assert node.meters.ledger.state.get(NODES, 1) is None


def test_a_co2_probe_needs_no_factor(make: Any) -> None:
    node = make(quantity="co2.measured", meter=CountingMeter("increment", unit="g"))
    run(node, 0, 7, 77)
    node.send()
    emitted = node.meters.ledger.one(NODES, 1)
    assert emitted.total_g == node.meters.stream().total == 7 * 77
    assert emitted.wrong == 0


def test_without_a_factor_nothing_is_read_into_the_ledger(make: Any) -> None:
    node = make(tables={})
    run(node, 0, 3)
    assert node.codes() == {"factor": "edge.no_factor"}
    choice = looked_up("cn-grid-2023-national", quantity="electricity.import")
    enter_factor(node.queue, node.config, node.key, choice, by="badge-7", now_s=node.time.now_s)
    run(node, 4, 8)
    assert node.codes() == {}
    node.send()
    # The ledger of these tests has no packaged factors: the entry is set aside, by name.
    assert node.queue.refused()[0].code == "emissions.no_factor"


def test_a_new_factor_begins_a_new_packet(make: Any) -> None:
    node = make()
    run(node, 0, 2)
    node.time.now_s += 10
    choice = typed("0.6", unit="kgCO2e/kWh", quantity="electricity.import")
    entered = node.agent.enter(choice, by="badge-8")
    assert entered.from_s == NOON_S + 3 * INTERVAL_S
    run(node, 3, 7)
    node.send()
    emitted = node.meters.ledger.one(NODES, 1)
    assert node.meters.stream().packets == 3
    assert emitted.total_g == (750 * 530_600 + 1000 * 600_000) // 1_000_000
    assert (emitted.wrong, node.queue.refused()) == (0, [])


def test_a_silent_meter_leaves_a_gap_and_the_register_tells(make: Any) -> None:
    node = make()
    run(node, 0, 2)
    node.meter.silence()
    run(node, 3, 5)
    assert node.codes() == {"source": "edge.line.silent"}
    node.meter.error = None
    run(node, 6, 10)
    assert node.codes() == {}
    node.send()
    stream, emitted = node.meters.stream(), node.meters.ledger.one(NODES, 1)
    assert stream.total == 2500
    assert stream.readings == 6
    assert (emitted.wrong, emitted.total_g) == (0, 2500 * 530_600 // 1_000_000)


def test_a_source_that_fails_is_asked_again_within_its_moment(make: Any) -> None:
    node = make()
    node.quarter(0)
    node.meter.silence()
    node.quarter(1)
    node.meter.error = None
    node.meter.count(100)
    node.at(INTERVAL_S + 30)
    assert node.queue.state().pending == (100,)
    node.at(2 * INTERVAL_S + 91)  # past a tenth of the interval the moment is over
    assert node.meter.reads == 3


def test_a_reading_that_took_too_long_is_none(make: Any) -> None:
    node = make()
    node.quarter(0)
    node.meter.read_s = 200
    node.quarter(1)
    assert node.codes() == {"source": "edge.late"}
    assert node.queue.state().pending == ()


def test_a_register_rolls_over(make: Any) -> None:
    node = make(modulus=100_000, meter=CountingMeter(value=99_700))
    for number in range(9):
        node.meter.count(250 if number else 0, modulus=100_000)
        node.quarter(number)
    node.send()
    stream = node.meters.stream()
    assert (stream.total, stream.register) == (2000, 1_700)
    assert node.meters.ledger.one(NODES, 1).wrong == 0


def test_a_register_that_goes_down_stops_the_node_until_a_person_says_why(make: Any) -> None:
    node = make(meter=CountingMeter(value=5_000))
    run(node, 0, 5)
    node.meter.value = Decimal(10)
    node.quarter(6)
    assert node.codes() == {"register": "edge.register.negative_step"}
    run(node, 7, 9)
    assert node.codes() == {"register": "edge.held"}
    swapped_s = node.time.now_s
    sample = Sample(time_s=0, value=Decimal("0.005"), unit="kWh")
    last = Sample(time_s=0, value=Decimal("6.400"), unit="kWh")
    swap_meter(node.queue, node.config, node.key, closing=last, opening=sample)
    run(node, 10, 14)
    node.send()
    assert node.codes() == {"send": "metering.negative_step"}  # until the owner declares it
    replaced = ReplaceMeter(
        device="m1", at_s=swapped_s, old_closing=6_400, new_opening=5, new_modulus=0
    )
    node.meters.ledger.submit(replaced, key_of("importer"))
    node.send()
    stream, emitted = node.meters.stream(), node.meters.ledger.one(NODES, 1)
    assert stream.total == 1_400 + (10 + 8 * 250 - 5)
    assert (emitted.wrong, emitted.total_g) == (0, stream.total * 530_600 // 1_000_000)
    assert (node.codes(), node.queue.refused()) == ({}, [])


def test_a_wrong_reading_of_the_same_meter(make: Any) -> None:
    node = make(meter=CountingMeter(value=5_000))
    run(node, 0, 2)
    good = node.meter.value
    node.meter.value = Decimal(3)
    node.quarter(3)
    same_meter(node.queue)
    node.meter.value = good + 500
    run(node, 4, 8)
    node.send()
    assert node.meters.stream().total == 500 + 500 + 1250
    assert node.codes() == {}
    with pytest.raises(Conflict):
        same_meter(node.queue)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("NaN", "edge.register.not_finite"),
        ("Infinity", "edge.register.not_finite"),
        ("-1", "edge.register.negative"),
        ("100000", "edge.register.modulus"),
        ("1e50", "core.number_range"),
        ("9000", "edge.register.jump"),
    ],
)
def test_what_no_meter_shows_is_not_taken(make: Any, value: str, code: str) -> None:
    node = make(modulus=100_000, most_per_hour=4_000)
    run(node, 0, 1)
    before, node.meter.value = node.meter.value, Decimal(value)
    node.quarter(2)
    assert node.codes() == {"register": code}
    node.meter.value = before + 500
    run(node, 3, 7, 100)
    node.send()
    assert node.meters.stream().total == 250 + 500 + 500
    assert node.codes() == {}


def test_a_clock_in_1970_reads_nothing(make: Any) -> None:
    node = make()
    node.at(-NOON_S + 100)
    assert (node.codes(), node.meter.reads) == ({"clock": "edge.clock.lost"}, 0)
    choice = typed("0.6", unit="kgCO2e/kWh", quantity="electricity.import")
    with pytest.raises(Conflict, match=r"edge\.clock\.lost"):
        node.agent.enter(choice, by="badge-8")
    run(node, 0, 1)
    assert node.codes() == {}


def test_a_clock_that_goes_back_reads_nothing_until_it_has_caught_up(make: Any) -> None:
    node = make()
    run(node, 0, 3)
    reads = node.meter.reads
    node.at(INTERVAL_S)
    assert (node.codes(), node.meter.reads) == ({"clock": "edge.clock.back"}, reads)
    run(node, 4, 8)
    node.send()
    assert (node.meters.stream().total, node.codes()) == (2000, {})


def test_a_clock_that_was_ahead_is_put_right_and_nothing_is_lost(make: Any) -> None:
    node = make()
    run(node, 0, 5)
    node.send()
    years = 350_640  # ten of them, in quarters of an hour
    run(node, years, years + 6)
    node.agent.enter(typed("0.7", unit="kgCO2e/kWh", quantity="electricity.import"), by="b")
    run(node, years + 7, years + 9)
    node.time.now_s = NOON_S + 6 * INTERVAL_S
    node.send()
    assert node.codes()["send"] == "metering.future"
    node.quarter(7)
    assert node.codes()["clock"] == "edge.clock.back"
    # One packet of the present, the rest of that time: two packets and an entry.
    assert take_back(node.queue, now_s=node.time.now_s, interval_s=INTERVAL_S) == 3
    refused(
        "edge.clock.not_ahead",
        lambda: take_back(node.queue, now_s=node.time.now_s, interval_s=INTERVAL_S),
    )
    assert {row.code for row in node.queue.refused()} == {"edge.clock.ahead"}
    run(node, 8, 14)
    node.send()
    stream, emitted = node.meters.stream(), node.meters.ledger.one(NODES, 1)
    assert stream.register == node.queue.state().reported == (5 + 10 + 5) * 250
    assert (emitted.wrong, emitted.spans[-1].value_ug) == (0, 530_600)
    assert emitted.total_g == stream.total * 530_600 // 1_000_000
    assert node.codes() == {}


def test_a_power_cut_keeps_what_was_read(make: Any) -> None:
    node = make()
    run(node, 0, 2)
    node.restart()
    run(node, 3, 3)
    node.restart()
    run(node, 6, 9)  # two quarters without power
    node.restart()
    run(node, 10, 14)
    node.send()
    stream = node.meters.stream()
    assert (stream.total, stream.packets) == (12 * 250, 4)
    assert node.meters.ledger.one(NODES, 1).wrong == 0


def test_increments_keep_their_remainder_and_their_sum(make: Any) -> None:
    node = make(meter=CountingMeter("increment", unit="kWh"))
    for number in range(13):
        node.meter.count("0.1006")
        if number == 6:
            node.restart()
        node.quarter(number)
    node.send()
    stream = node.meters.stream()
    assert stream.kind == "increment"
    # What was counted before the factor was in force stands in the opening register.
    assert stream.register == 13 * 1006 // 10
    assert stream.total == 13 * 1006 // 10 - 100


def test_a_doubtful_reading_keeps_its_mark(make: Any) -> None:
    node = make()
    run(node, 0, 1)
    node.meter.doubt = "blurred"
    run(node, 2, 2)
    node.meter.doubt = "manual"
    run(node, 3, 3)
    assert node.queue.state().quality == (0, 2, 3)


@pytest.mark.parametrize("mode", ["register", "increment"])
def test_a_full_queue_makes_a_gap_and_loses_nothing(make: Any, mode: Mode) -> None:
    node = make(capacity=2, readings=1, meter=CountingMeter(mode))
    node.link.cut = True
    run(node, 0, 4)
    assert node.codes() == {"queue": "edge.queue.full"}
    run(node, 6, 9)
    assert node.queue.length == 2
    assert node.queue.state().end_s == NOON_S + 4 * INTERVAL_S  # a gap since then
    node.link.cut = False
    node.send()
    run(node, 10, 11)
    node.send()
    assert node.meters.stream().register == 10 * 250
    assert (node.codes(), node.queue.refused()) == ({}, [])
    assert node.meters.ledger.one(NODES, 1).wrong == 0
