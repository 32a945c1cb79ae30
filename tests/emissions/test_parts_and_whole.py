"""The law of the carry, through the ledger: any cut of a series, in packets, hours or days, gives
parts that add up to the floor of the exact whole."""

from __future__ import annotations

from collections import Counter

import hypothesis.strategies as st
from hypothesis import given, settings
from tests.support.memory_ledger import key_of
from tests.support.meters import START_S, Meters, packet_of, statement

from wattproof.emissions.carry import UG_PER_G, emissions_g
from wattproof.emissions.model import EMISSION_STREAMS, AssignFactor, Emitted
from wattproof.metering.model import PacketAccepted, catch_up_span

INTERVAL_S = 1200

PACKETS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 5000), min_size=1, max_size=8),
        st.integers(0, 3),  # intervals of silence before it
        st.integers(0, 5000),  # what the register gained in them
    ),
    min_size=1,
    max_size=6,
)


def reading_grams(
    accepted: PacketAccepted, event: Emitted, amounts: list[int]
) -> list[tuple[int, int]]:
    """(when a reading begins, its grams) for each reading, from what the events say alone."""
    rows = []
    with_catch_up = [accepted.catch_up, *amounts]
    caught_s, _ = catch_up_span(
        end_s=accepted.start_s, gap_s=accepted.gap_s, interval_s=accepted.interval_s
    )
    for segment in event.segments:
        taken = range(segment.first, segment.first + segment.count)
        parts = [with_catch_up[index + 1] for index in taken]
        grams = emissions_g(parts, value_ug=segment.value_ug, carry_ug=segment.carry_ug)
        for index, gram in zip(taken, grams, strict=True):
            at_s = caught_s if index < 0 else accepted.start_s + index * accepted.interval_s
            rows.append((at_s, gram))
    return rows


@settings(max_examples=40, deadline=None)
@given(PACKETS, st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 60))
def test_parts_add_up_to_the_whole(
    packets: list[tuple[list[int], int, int]], value_ug: int, later_ug: int, change: int
) -> None:
    meters = Meters()
    meters.add()
    meters.publish(statement("a", value_ug=value_ug), statement("b", value_ug=later_ug))
    change_s = START_S + change * INTERVAL_S
    for factor, from_s in (("a", 0), ("b", change_s)):
        body = AssignFactor(device="m1", factor=factor, version=1, from_s=from_s, to_s=0)
        meters.ledger.submit(body, key_of("importer"))
    rows: list[tuple[int, int]] = []
    exact_ug = 0
    register, at_s = 0, START_S
    for sequence, (amounts, silence, gained) in enumerate(packets, start=1):
        caught = gained if silence and sequence > 1 else 0
        at_s += silence * INTERVAL_S
        packet = packet_of(
            amounts,
            sequence=sequence,
            start_s=at_s,
            interval_s=INTERVAL_S,
            opening=register + caught,
        )
        accepted = meters.accept(packet)
        event = accepted.event(Emitted)
        grams = reading_grams(accepted.event(PacketAccepted), event, amounts)
        assert sum(gram for _, gram in grams) == event.emission_g
        assert event.unassigned == 0
        rows += grams
        parts = [(at_s - INTERVAL_S, caught)] if caught else []
        parts += [(at_s + i * INTERVAL_S, amount) for i, amount in enumerate(amounts)]
        exact_ug += sum(n * (later_ug if t >= change_s else value_ug) for t, n in parts)
        register += caught + sum(amounts)
        at_s += len(amounts) * INTERVAL_S
    whole_g = exact_ug // UG_PER_G
    stream = meters.ledger.one(EMISSION_STREAMS, 1)
    assert (stream.total_g, stream.carry_ug) == (whole_g, exact_ug % UG_PER_G)
    for step_s in (3600, 86_400):
        buckets: Counter[int] = Counter()
        for row_s, gram in rows:
            buckets[row_s // step_s] += gram
        assert sum(buckets.values()) == whole_g
