"""Factors, their assignment, and the grams that follow from packets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import asdict
from tests.support.memory_ledger import key_of
from tests.support.meters import QUARTER_S, START_S, Meters, packet_of, statement

from wattproof.core.errors import Refused
from wattproof.core.units import MAX_AMOUNT
from wattproof.emissions.library import packaged_factors
from wattproof.emissions.model import (
    ASSIGNMENTS,
    EMISSION_STREAMS,
    FACTORS,
    MAX_SPANS,
    MAX_VALUE_UG,
    AssignFactor,
    Emitted,
    FactorAssigned,
    FactorPublished,
    FactorStatement,
    PublishFactors,
    Segment,
    Span,
)
from wattproof.emissions.queries import (
    assignments_of,
    emission_stream,
    factor,
    factors,
    latest_factor,
)
from wattproof.metering.model import Packet, ReplaceMeter

FIVE_S = START_S + 5 * QUARTER_S


def ready(*, value_ug: int = 530_600) -> Meters:
    """A meter of electricity, and the published factors ``grid``, ``coal`` and ``steam``."""
    meters = Meters()
    meters.add()
    meters.publish(
        statement(value_ug=value_ug),
        statement("coal", quantity="fuel"),
        statement("steam", quantity="electricity.export"),
        statement("import", value_ug=700_000, quantity="electricity.import"),
    )
    return meters


def assign(
    meters: Meters,
    factor: str = "grid",
    *,
    version: int = 1,
    from_s: int = START_S,
    to_s: int = 0,
    device: str = "m1",
    by: str = "importer",
) -> FactorAssigned:
    body = AssignFactor(device=device, factor=factor, version=version, from_s=from_s, to_s=to_s)
    return meters.ledger.submit(body, key_of(by)).event(FactorAssigned)


def emitted(meters: Meters, packet: Packet) -> Emitted:
    return meters.accept(packet).event(Emitted)


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.text("en") and caught.value.text("zh")


def test_emission_is_amount_times_factor_with_the_remainder_carried() -> None:
    meters = ready()
    assign(meters)
    first = emitted(meters, packet_of([3, 0, 1]))
    assert first.emission_g == 2
    assert first.segments == (
        Segment(first=0, count=3, factor="grid", version=1, value_ug=530_600),
    )
    second = emitted(
        meters, packet_of([100], sequence=2, start_s=START_S + 3 * QUARTER_S, opening=4)
    )
    assert second.segments[0].carry_ug == 122_400
    assert second.emission_g == 53
    stream = meters.ledger.one(EMISSION_STREAMS, 1)
    assert (stream.total_g, stream.carry_ug) == (55, 104 * 530_600 % 10**6)


def test_without_a_factor_there_is_no_emission() -> None:
    meters = ready()
    accepted = meters.accept(packet_of([5]))
    assert not [event for event in accepted.events if isinstance(event, Emitted)]
    assert meters.ledger.one(EMISSION_STREAMS, 1).total_g == 0


def test_what_is_co2_already_counts_as_it_is() -> None:
    meters = Meters()
    meters.add("probe", quantity="co2.measured")
    event = meters.accept(packet_of([7, 8]), meter="probe").event(Emitted)
    assert event.emission_g == 15
    assert event.segments[0].factor == "unity"
    again = packet_of([5], sequence=2, start_s=START_S + 2 * QUARTER_S, opening=15)
    assert meters.accept(again, meter="probe").event(Emitted).emission_g == 5
    meters.publish(statement("flue", quantity="co2"))
    refused(
        "emissions.co2_already",
        lambda: assign(meters, "flue", device="probe", from_s=START_S + 10**6),
    )


def test_a_packet_is_cut_where_the_factor_changes() -> None:
    meters = ready(value_ug=500_000)
    assign(meters, to_s=START_S + 2 * QUARTER_S)
    # A border within a reading: the reading belongs to the factor at its start.
    assign(meters, "import", from_s=START_S + 3 * QUARTER_S + 1, to_s=FIVE_S)
    event = emitted(meters, packet_of([1, 2, 4, 8, 16, 32]))
    assert event.segments == (
        Segment(first=0, count=2, factor="grid", version=1, value_ug=500_000),
        Segment(first=4, count=1, factor="import", version=1, value_ug=700_000, carry_ug=500_000),
    )
    assert event.emission_g == 1 + 11
    assert event.unassigned == 4 + 8 + 32
    assert meters.ledger.one(EMISSION_STREAMS, 1).spans == ()


def test_a_later_packet_finds_the_later_factor() -> None:
    meters = ready()
    assign(meters)
    assign(meters, "import", from_s=FIVE_S)
    assert emitted(meters, packet_of([1] * 5)).segments[0].factor == "grid"
    spans = meters.ledger.one(EMISSION_STREAMS, 1).spans
    assert [span.factor for span in spans] == ["import"]
    event = emitted(meters, packet_of([10], sequence=2, start_s=FIVE_S, opening=5))
    assert event.segments[0].factor == "import"
    assert event.emission_g == 7  # 5 x 530 600 + 10 x 700 000 = 9 653 000, of which 2 g before


def test_what_was_caught_up_takes_the_factor_at_the_end_of_the_gap() -> None:
    meters = ready(value_ug=1_000_000)
    assign(meters)
    assign(meters, "import", from_s=FIVE_S)
    emitted(meters, packet_of([1]))
    late = packet_of([10], sequence=2, start_s=FIVE_S, opening=101)
    event = emitted(meters, late)
    assert [(s.first, s.count, s.factor) for s in event.segments] == [
        (-1, 1, "grid"),
        (0, 1, "import"),
    ]
    assert event.emission_g == 100 + 7
    assert event.unassigned == 0


def test_what_was_caught_up_and_the_readings_share_a_segment() -> None:
    meters = ready(value_ug=1_000_000)
    assign(meters)
    emitted(meters, packet_of([1]))
    event = emitted(meters, packet_of([10, 2], sequence=2, start_s=FIVE_S, opening=101))
    assert [(s.first, s.count) for s in event.segments] == [(-1, 3)]
    assert event.emission_g == 112
    # The same through the cut: the factor ends within the packet.
    meters = ready(value_ug=1_000_000)
    assign(meters, to_s=FIVE_S + QUARTER_S)
    emitted(meters, packet_of([1]))
    event = emitted(meters, packet_of([10, 2], sequence=2, start_s=FIVE_S, opening=101))
    assert [(s.first, s.count) for s in event.segments] == [(-1, 2)]
    assert (event.emission_g, event.unassigned) == (110, 2)


def test_a_register_stated_alone_emits_only_what_it_caught_up() -> None:
    meters = ready(value_ug=1_000_000)
    assign(meters)
    first = meters.accept(packet_of([], kind="register", opening=7))
    assert not [event for event in first.events if isinstance(event, Emitted)]
    alone = packet_of([], sequence=2, kind="register", start_s=FIVE_S, opening=12)
    event = emitted(meters, alone)
    assert [(s.first, s.count) for s in event.segments] == [(-1, 1)]
    assert event.emission_g == 5


def test_a_replacement_emits_what_the_old_register_gained() -> None:
    meters = ready(value_ug=1_500_000)
    assign(meters)
    emitted(meters, packet_of([1]))

    def replace(at_s: int, old_closing: int) -> list[Emitted]:
        body = ReplaceMeter(
            device="m1", at_s=at_s, old_closing=old_closing, new_opening=0, new_modulus=0
        )
        events = meters.ledger.submit(body, key_of("importer")).events
        return [event for event in events if isinstance(event, Emitted)]

    (event,) = replace(FIVE_S, 4)
    assert event.emission_g == 5  # 0.5 g carried and 3 x 1.5 g
    assert [(s.first, s.count, s.carry_ug) for s in event.segments] == [(-1, 1, 500_000)]
    assert replace(FIVE_S + 1, 0) == []


def test_a_replacement_without_a_factor() -> None:
    meters = ready()
    meters.send(packet_of([1]))
    body = ReplaceMeter(device="m1", at_s=FIVE_S, old_closing=9, new_opening=0, new_modulus=0)
    events = meters.ledger.submit(body, key_of("importer")).events
    assert not [event for event in events if isinstance(event, Emitted)]


def test_a_published_id_gets_its_next_version() -> None:
    meters = ready()
    meters.publish(statement(value_ug=1), statement(value_ug=2))
    state = meters.ledger.state
    assert latest_factor(state, "grid").stated.value_ug == 2
    assert [found.version for found in factors(state) if found.id == "grid"] == [1, 2, 3]
    second = factor(state, "grid", 2)
    assert second is not None
    assert (second.publisher, second.stated.value_ug) == ("publisher", 1)
    refused("emissions.factor_unknown", lambda: latest_factor(state, "gird"))
    # What was assigned before keeps the version that it named.
    assign(meters, version=1)
    assert emitted(meters, packet_of([10])).segments[0].value_ug == 530_600


def test_the_packaged_factors_can_be_published() -> None:
    meters = Meters()
    stated = [FactorStatement(**asdict(packaged)) for packaged in packaged_factors()]
    for start in range(0, len(stated), 64):
        body = PublishFactors(factors=tuple(stated[start : start + 64]))
        events = meters.ledger.submit(body, key_of("publisher")).events
        assert len([event for event in events if isinstance(event, FactorPublished)]) <= 64
    assert len(list(meters.ledger.state.scan(FACTORS))) == len(stated)


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        (statement("unity"), "emissions.unity"),
        (statement("unity", quantity="co2", value_ug=2), "emissions.unity"),
        (statement("a b"), "core.id"),
        (statement(quantity="power"), "emissions.quantity"),
        (statement(quantity="noise"), "core.quantity"),
        (statement(value_ug=MAX_VALUE_UG + 1), "transaction.fields"),
    ],
)
def test_factors_that_cannot_be_published(stated: FactorStatement, code: str) -> None:
    refused(code, lambda: Meters().publish(stated))


def test_only_a_factor_authority_publishes() -> None:
    body = PublishFactors(factors=(statement(),))
    refused("identity.role.missing", lambda: Meters().ledger.submit(body, key_of("importer")))


def test_who_may_assign() -> None:
    meters = ready()
    refused("identity.device.not_yours", lambda: assign(meters, by="stranger"))
    assert assign(meters, by="authority").party == "authority"
    meters.add("m2", owner="stranger")
    assert assign(meters, device="m2", by="stranger").number == 2


def test_a_factor_fits_its_quantity() -> None:
    meters = ready()
    refused("emissions.mismatch", lambda: assign(meters, "coal"))
    refused("emissions.mismatch", lambda: assign(meters, "steam"))
    refused("emissions.no_factor", lambda: assign(meters, version=2))
    refused("identity.device.unknown", lambda: assign(meters, device="m9"))
    assert assign(meters, "import").factor == "import"


def test_nothing_that_is_reported_changes() -> None:
    meters = ready()
    meters.send(packet_of([1]))
    refused("emissions.reported", lambda: assign(meters))
    assert assign(meters, from_s=START_S + QUARTER_S).from_s == START_S + QUARTER_S


def test_assignments_of_a_meter_never_overlap() -> None:
    meters = ready()
    refused("emissions.period", lambda: assign(meters, from_s=100, to_s=100))
    assign(meters, from_s=100, to_s=200)
    assign(meters, from_s=300)
    for from_s, to_s in ((199, 201), (100, 0), (50, 101), (150, 160), (0, 0), (200, 301)):
        refused("emissions.overlap", lambda f=from_s, t=to_s: assign(meters, from_s=f, to_s=t))  # type: ignore[misc]
    assign(meters, from_s=200, to_s=300)
    assign(meters, "import", from_s=400, to_s=500)
    assert [(found.from_s, found.to_s) for found in assignments_of(meters.ledger.state, 1)] == [
        (100, 200),
        (200, 300),
        (300, 400),
        (400, 500),
    ]
    stream = emission_stream(meters.ledger.state, 1)
    assert stream is not None
    assert [(span.from_s, span.to_s) for span in stream.spans] == [
        (100, 200),
        (200, 300),
        (300, 400),
        (400, 500),
    ]


def test_an_open_assignment_that_never_came_into_force_is_replaced() -> None:
    meters = ready()
    assign(meters)
    assign(meters, "import")
    (found,) = assignments_of(meters.ledger.state, 1)
    assert found.factor == "import"
    assert meters.ledger.one(EMISSION_STREAMS, 1).spans == (
        Span(factor="import", version=1, value_ug=700_000, from_s=START_S),
    )
    assert meters.ledger.one(ASSIGNMENTS, 1, START_S).party == "importer"


def test_limits() -> None:
    meters = ready(value_ug=MAX_VALUE_UG)
    for span in range(MAX_SPANS):
        assign(meters, "import", from_s=START_S + span, to_s=START_S + span + 1)
    refused("emissions.too_many", lambda: assign(meters, from_s=FIVE_S))
    meters = ready(value_ug=MAX_VALUE_UG)
    assign(meters)
    least = MAX_AMOUNT // MAX_VALUE_UG
    refused("emissions.limit", lambda: meters.send(packet_of([least + 1])))
    assert emitted(meters, packet_of([least])).emission_g == least * 10**9
