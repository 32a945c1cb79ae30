"""Every name that can come of a packet, and what a replacement does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.memory_ledger import START_MS, key_of
from tests.support.meters import QUARTER_S, START_S, Meters, packet_of

from wattproof.core.errors import Refused
from wattproof.core.units import MAX_AMOUNT
from wattproof.metering.model import (
    FUTURE_S,
    MAX_READINGS,
    OUTCOMES,
    PACKETS,
    QUALITIES,
    MeterReplaced,
    Packet,
    ReplaceMeter,
    catch_up_span,
)
from wattproof.metering.queries import packet_row, packets_of, stream_of, streams
from wattproof.metering.refusals import OUTCOME_REFUSALS

END_S = START_S + 4 * QUARTER_S
"""When the first packet of `begun` ends."""


@pytest.fixture
def meters() -> Meters:
    made = Meters()
    made.add()
    return made


def begun(*, modulus: int = 0) -> Meters:
    """A register meter with one packet: 1000 to 1100 in four readings."""
    made = Meters()
    made.add(modulus=modulus)
    made.send(packet_of([10, 20, 30, 40], kind="register", opening=1000))
    return made


def following(
    *,
    sequence: int = 2,
    start_s: int = END_S,
    opening: int = 1100,
    amounts: tuple[int, ...] = (5, 6),
) -> Packet:
    """A packet after the one of `begun`; it fits unless told otherwise."""
    return packet_of(amounts, sequence=sequence, start_s=start_s, opening=opening, kind="register")


def refused(code: str, act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.text("en") and caught.value.text("zh")
    return caught.value


def test_the_first_packet_opens_the_stream() -> None:
    meters = begun()
    stream = meters.stream()
    assert (stream.start_s, stream.end_s, stream.next_sequence) == (START_S, END_S, 2)
    assert (stream.register, stream.total, stream.readings, stream.packets) == (1100, 100, 4, 1)
    row = meters.ledger.one(PACKETS, 1, 1)
    assert (row.start_s, row.end_s, row.closing) == (START_S, END_S, 1100)
    assert row.entry == meters.ledger.size - 1


def test_a_first_packet_may_be_late_in_sequence() -> None:
    meters = Meters()
    meters.add()
    event = meters.send(packet_of([1], sequence=4))
    assert event.outcomes == ("first", "sequence_gap")
    assert event.missing == 3


def test_continuous() -> None:
    meters = begun()
    event = meters.send(following())
    assert event.outcomes == ("continuous",)
    assert (event.amount, event.catch_up, event.gap_s, event.missing) == (11, 0, 0, 0)
    assert meters.stream().total == 111


def test_gap_without_movement_of_the_register() -> None:
    meters = begun()
    event = meters.send(following(start_s=END_S + 2 * QUARTER_S))
    assert event.outcomes == ("gap",)
    assert (event.gap_s, event.amount) == (2 * QUARTER_S, 11)


def test_gap_whose_amount_is_caught_up() -> None:
    meters = begun()
    event = meters.send(following(start_s=END_S + QUARTER_S, opening=1150))
    assert event.outcomes == ("gap", "catch_up")
    assert (event.catch_up, event.amount) == (50, 61)
    assert meters.stream().total == 161


def test_a_gap_off_the_grid_is_a_clock_jump_too() -> None:
    meters = begun()
    event = meters.send(following(start_s=END_S + 400))
    assert event.outcomes == ("gap", "clock_jump")
    assert event.gap_s == 400


def test_lost_packets_are_counted_and_come_too_late() -> None:
    meters = begun()
    event = meters.send(following(sequence=5, start_s=END_S + QUARTER_S))
    assert event.outcomes == ("gap", "sequence_gap")
    assert event.missing == 3
    refused("metering.overlap", lambda: meters.send(following(sequence=3)))
    late = following(sequence=4, start_s=meters.stream().end_s)
    refused("metering.sequence_back", lambda: meters.send(late))


def test_lost_packets_without_a_gap_in_time() -> None:
    assert begun().send(following(sequence=3)).outcomes == ("continuous", "sequence_gap")


def test_duplicate_and_conflict_name_the_entry() -> None:
    meters = begun()
    again = packet_of([10, 20, 30, 40], kind="register", opening=1000)
    other = packet_of([10, 20, 30, 41], kind="register", opening=1000)
    entry = meters.ledger.one(PACKETS, 1, 1).entry
    assert refused("metering.duplicate", lambda: meters.send(again)).params["entry"] == entry
    assert refused("metering.conflict", lambda: meters.send(other)).params["entry"] == entry


@pytest.mark.parametrize(
    "other",
    [
        packet_of([10, 20, 30, 40], kind="increment", opening=1000),
        packet_of([10, 20, 30, 40], kind="register", opening=1001),
        packet_of([10, 20, 30, 40], kind="register", opening=1000, start_s=START_S - 1),
        packet_of([10, 20, 30, 40], kind="register", opening=1000, interval_s=901),
        packet_of([10, 20, 30, 40], kind="register", opening=1000, quality=[0, 0, 0, 1]),
        packet_of([10, 20, 30], kind="register", opening=1000),
    ],
)
def test_any_other_content_is_a_conflict(other: Packet) -> None:
    meters = begun()
    refused("metering.conflict", lambda: meters.send(other))


def test_overlap_and_a_clock_that_went_back() -> None:
    meters = begun()
    late = following(start_s=END_S - QUARTER_S, opening=1101)
    refused("metering.overlap", lambda: meters.send(late))
    back = following(start_s=END_S - 60)
    error = refused("metering.clock_back", lambda: meters.send(back))
    assert error.params["seconds"] == 60
    skipped = following(start_s=END_S - 60, sequence=3)
    refused("metering.overlap", lambda: meters.send(skipped))


def test_a_step_without_time_is_refused() -> None:
    refused("metering.register_jump", lambda: begun().send(following(opening=1101)))


def test_a_register_that_goes_down_is_refused() -> None:
    later = END_S + QUARTER_S
    refused("metering.negative_step", lambda: begun().send(following(opening=1099)))
    refused("metering.negative_step", lambda: begun().send(following(opening=1099, start_s=later)))
    down = following(opening=1099, start_s=later)
    refused("metering.negative_step", lambda: begun(modulus=10_000).send(down))


def test_a_register_rolls_over_within_a_packet() -> None:
    meters = begun(modulus=1120)
    event = meters.send(following(amounts=(15, 5)))
    assert event.outcomes == ("continuous", "rollover")
    assert meters.stream().register == 0
    assert meters.stream().total == 120


def test_a_register_rolls_over_in_a_gap() -> None:
    meters = begun(modulus=1120)
    event = meters.send(following(start_s=END_S + QUARTER_S, opening=30))
    assert event.outcomes == ("gap", "catch_up", "rollover")
    assert event.catch_up == 50
    assert meters.stream().register == 41


def test_a_roll_over_of_half_the_range_is_a_step_back() -> None:
    later = END_S + QUARTER_S
    just = following(start_s=later, opening=539)
    assert begun(modulus=1120).send(just).catch_up == 559
    half = following(start_s=later, opening=540)
    refused("metering.negative_step", lambda: begun(modulus=1120).send(half))


def test_a_register_cannot_show_its_modulus() -> None:
    meters = Meters()
    meters.add(modulus=1000)
    refused("metering.modulus", lambda: meters.send(packet_of([1], opening=1000)))
    gone = following(start_s=END_S + QUARTER_S, opening=1120)
    refused("metering.modulus", lambda: begun(modulus=1120).send(gone))


def test_a_first_packet_may_roll_over() -> None:
    meters = Meters()
    meters.add(modulus=1000)
    assert meters.send(packet_of([5], opening=998)).outcomes == ("first", "rollover")
    assert meters.stream().register == 3


def test_the_kind_of_readings_stays() -> None:
    meters = begun()
    other = packet_of([1], sequence=2, start_s=END_S, opening=1100, kind="increment")
    refused("metering.kind_change", lambda: meters.send(other))


def test_readings_from_the_future(meters: Meters) -> None:
    now_s = START_MS // 1000
    edge = packet_of([1], start_s=now_s + FUTURE_S - QUARTER_S)
    beyond = packet_of([1], start_s=now_s + FUTURE_S - QUARTER_S + 1)
    refused("metering.future", lambda: meters.send(beyond))
    assert meters.send(edge).count == 1


def test_limits(meters: Meters) -> None:
    refused("metering.too_many", lambda: meters.send(packet_of([0] * (MAX_READINGS + 1))))
    refused("metering.amount_limit", lambda: meters.send(packet_of([MAX_AMOUNT, 1])))
    refused("metering.amount_limit", lambda: meters.send(packet_of([1], opening=MAX_AMOUNT)))
    most = packet_of([1] * MAX_READINGS, interval_s=60)
    assert meters.send(most).count == MAX_READINGS


@pytest.mark.parametrize(
    "packet",
    [
        packet_of([1], sequence=0),
        packet_of([1], sequence=2**53),
        packet_of([1], start_s=-1),
        packet_of([1], interval_s=0),
        packet_of([1], interval_s=31 * 86_400 + 1),
        packet_of([1], opening=MAX_AMOUNT + 1),
        packet_of([1], kind="guess"),  # type: ignore[arg-type]
    ],
)
def test_fields_out_of_bounds(meters: Meters, packet: Packet) -> None:
    refused("transaction.fields", lambda: meters.send(packet))


def test_quality(meters: Meters) -> None:
    for bad in ([1], [0, len(QUALITIES)], [1, 1, 1], [0, 256]):
        packet = packet_of([1, 2], quality=bad)
        refused("metering.quality", lambda packet=packet: meters.send(packet))  # type: ignore[misc]
    # Two bytes that are two known codes, yet one element.
    refused("metering.quality", lambda: meters.send(packet_of([1, 2], quality=[256])))
    assert meters.send(packet_of([1, 2, 3], quality=[0, 1, 2])).flagged == 2


def test_a_register_may_be_stated_alone() -> None:
    meters = Meters()
    meters.add()
    event = meters.send(packet_of([], kind="register", opening=7))
    assert (event.outcomes, event.amount) == (("first",), 0)
    alone = packet_of([], sequence=2, kind="register", start_s=START_S + QUARTER_S, opening=12)
    event = meters.send(alone)
    assert (event.outcomes, event.amount, event.count) == (("gap", "catch_up"), 5, 0)
    assert meters.stream().end_s == START_S + QUARTER_S
    nothing = packet_of([], sequence=3, kind="register", start_s=START_S + QUARTER_S, opening=12)
    refused("metering.empty", lambda: meters.send(nothing))


def test_increments_cannot_be_empty(meters: Meters) -> None:
    refused("metering.empty", lambda: meters.send(packet_of([])))
    meters.send(packet_of([1]))
    nothing = packet_of([], sequence=2, start_s=START_S + 2 * QUARTER_S, opening=1)
    refused("metering.empty", lambda: meters.send(nothing))


def replacement(
    *,
    at_s: int = END_S + 400,
    old_closing: int = 1130,
    new_opening: int = 3,
    new_modulus: int = 0,
    device: str = "m1",
) -> ReplaceMeter:
    return ReplaceMeter(
        device=device,
        at_s=at_s,
        old_closing=old_closing,
        new_opening=new_opening,
        new_modulus=new_modulus,
    )


def test_a_replaced_register_goes_on_from_the_new_one() -> None:
    meters = begun()
    event = meters.ledger.submit(replacement(), key_of("importer")).event(MeterReplaced)
    assert (event.catch_up, event.gap_s, event.interval_s) == (30, 400, QUARTER_S)
    stream = meters.stream()
    assert (stream.register, stream.total, stream.end_s) == (3, 130, END_S + 400)
    assert stream.replaced
    # The new register's grid of times is its own: a gap, but no jump of the clock.
    first = meters.send(following(start_s=END_S + 1000, opening=8))
    assert first.outcomes == ("gap", "catch_up", "replacement")
    assert (first.gap_s, first.catch_up) == (600, 5)
    assert not meters.stream().replaced
    assert meters.stream().total == 146


def test_a_replacement_that_continues_at_once() -> None:
    meters = begun()
    at_once = replacement(at_s=END_S, old_closing=1100, new_opening=0, new_modulus=10)
    meters.ledger.submit(at_once, key_of("authority"))
    event = meters.send(following(opening=0))
    assert event.outcomes == ("continuous", "rollover", "replacement")
    assert meters.stream().modulus == 10


def test_a_replaced_register_may_roll_over_first() -> None:
    meters = begun(modulus=1120)
    event = meters.ledger.submit(replacement(old_closing=10), key_of("importer"))
    assert event.event(MeterReplaced).catch_up == 30


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (replacement(device="m2"), "identity.device.unknown"),
        (replacement(at_s=END_S - 1), "metering.overlap"),
        (replacement(at_s=START_MS // 1000 + FUTURE_S + 1), "metering.future"),
        (replacement(old_closing=1099), "metering.negative_step"),
        (replacement(at_s=END_S), "metering.register_jump"),
        (replacement(new_opening=10, new_modulus=10), "metering.modulus"),
        (replacement(old_closing=MAX_AMOUNT), "metering.amount_limit"),
    ],
)
def test_replacements_that_do_not_fit(body: ReplaceMeter, code: str) -> None:
    meters = begun()
    if code == "metering.amount_limit":
        meters.ledger.submit(replacement(old_closing=MAX_AMOUNT // 2), key_of("importer"))
        body = replacement(at_s=END_S + 800, old_closing=MAX_AMOUNT)
    refused(code, lambda: meters.ledger.submit(body, key_of("importer")))


def test_who_may_replace() -> None:
    meters = begun()
    refused(
        "identity.device.not_yours",
        lambda: meters.ledger.submit(replacement(), key_of("stranger")),
    )
    meters.add("m2")
    nothing = replacement(device="m2")
    refused("metering.no_stream", lambda: meters.ledger.submit(nothing, key_of("importer")))


def test_only_an_active_meter_reports(meters: Meters) -> None:
    refused("identity.signer.not_device", lambda: meters.send(packet_of([1]), meter="importer"))
    with pytest.raises(Refused, match="identity"):
        meters.send(packet_of([1]), meter="nobody")


def test_the_same_bytes_after_a_restart_are_a_duplicate() -> None:
    meters = begun()
    meters.ledger.forget()
    again = packet_of([10, 20, 30, 40], kind="register", opening=1000)
    refused("metering.duplicate", lambda: meters.send(again))


def test_the_table_of_outcomes_is_what_is_enforced() -> None:
    names = [row.name for row in OUTCOMES]
    assert len(set(names)) == len(names)
    assert {f"metering.{row.name}" for row in OUTCOMES if not row.accepted} == {
        code.code for code in OUTCOME_REFUSALS
    }
    assert [row.code for row in QUALITIES] == list(range(len(QUALITIES)))


def test_queries() -> None:
    meters = begun()
    state = meters.ledger.state
    stream = stream_of(state, "m1")
    assert stream is not None and list(streams(state)) == [stream]
    assert stream_of(state, "m2") is None
    assert [row.sequence for row in packets_of(state, 1)] == [1]
    assert packet_row(state, 1, 1) == next(packets_of(state, 1))


@pytest.mark.parametrize(
    ("gap_s", "span"), [(900, (100, 900)), (400, (600, 400)), (9000, (100, 900))]
)
def test_a_catch_up_amount_never_reaches_before_its_gap(gap_s: int, span: tuple[int, int]) -> None:
    assert catch_up_span(end_s=1000, gap_s=gap_s, interval_s=900) == span
