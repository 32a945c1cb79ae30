"""Nodes: their own factors, the emission they say, and what the host makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.memory_ledger import Accepted, key_of
from tests.support.meters import QUARTER_S, START_S, Meters, packet_of, statement

from wattproof.core.errors import Refused
from wattproof.emissions.carry import UG_PER_G, emissions_g
from wattproof.emissions.model import EMISSION_STREAMS, AssignFactor
from wattproof.emissions.tracking.events import NodeEmitted, NodeFactorEntered
from wattproof.emissions.tracking.model import NODE_FACTORS, NODES, DeclareFactor, NodePacket
from wattproof.keys.uint_array import UintArray
from wattproof.metering.model import ReplaceMeter

GRID_UG = 530_600


def entry(value_ug: int = GRID_UG, *, from_s: int = 0, factor: str = "") -> DeclareFactor:
    return DeclareFactor(
        factor=factor,
        value="0.5306",
        unit="kgCO2/kWh",
        value_ug=value_ug,
        entered_by="badge-7",
        entered_s=START_S,
        from_s=from_s,
    )


def node_packet(
    amounts: Sequence[int],
    *,
    sequence: int = 1,
    start_s: int = START_S,
    opening: int = 0,
    factor: str = "",
    value_ug: int = GRID_UG,
    opening_g: int = 0,
    carry_ug: int = 0,
    emissions: Sequence[int] | None = None,
) -> NodePacket:
    if emissions is None:
        emissions = emissions_g(amounts, value_ug=value_ug, carry_ug=carry_ug)
    return NodePacket(
        sequence=sequence,
        start_s=start_s,
        interval_s=QUARTER_S,
        kind="register",
        opening=opening,
        increments=UintArray.from_ints(amounts),
        quality=UintArray.from_ints(()),
        factor=factor,
        value_ug=value_ug,
        opening_g=opening_g,
        carry_ug=carry_ug,
        emissions=UintArray.from_ints(emissions),
    )


def ready(quantity: str = "electricity.import", *, enter: bool = True) -> Meters:
    meters = Meters()
    meters.add(quantity=quantity)
    meters.publish(statement(), statement("steam", quantity="heat"))
    if enter:
        meters.ledger.submit(entry(), key_of("m1"))
    return meters


def send(meters: Meters, packet: NodePacket) -> NodeEmitted:
    return accept(meters, packet).event(NodeEmitted)


def accept(meters: Meters, packet: NodePacket) -> Accepted:
    return meters.ledger.submit(packet, key_of("m1"))


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.text("en") and caught.value.text("zh")


def test_a_node_says_what_it_emitted_and_the_host_adds_it_up() -> None:
    meters = ready()
    first = send(meters, node_packet([1000, 1, 2]))
    assert first == NodeEmitted(number=1, emission_g=532, factor="", value_ug=GRID_UG)
    carry_ug = 1003 * GRID_UG % UG_PER_G
    second = send(
        meters,
        node_packet(
            [5, 5],
            sequence=2,
            start_s=START_S + 3 * QUARTER_S,
            opening=1003,
            opening_g=532,
            carry_ug=carry_ug,
        ),
    )
    assert second.fault == ""
    node = meters.ledger.one(NODES, 1)
    assert node.total_g == (1013 * GRID_UG) // UG_PER_G == node.closing_g
    assert meters.ledger.one(EMISSION_STREAMS, 1).total_g == node.total_g
    assert node.packets == 2 and node.wrong == 0


def test_an_entry_is_a_record_of_who_and_when() -> None:
    meters = ready(enter=False)
    said = meters.ledger.submit(entry(from_s=START_S), key_of("m1")).event(NodeFactorEntered)
    assert (said.value_ug, said.entered_by, said.from_s) == (GRID_UG, "badge-7", START_S)
    kept = meters.ledger.one(NODE_FACTORS, 1, START_S)
    assert (kept.value, kept.unit, kept.entered_s) == ("0.5306", "kgCO2/kWh", START_S)


@pytest.mark.parametrize("grams", [[531, 0, 1], [532, 0, 0], [0, 0, 0]])
def test_wrong_arithmetic_is_flagged_and_counted_as_it_is(grams: list[int]) -> None:
    meters = ready()
    said = send(meters, node_packet([1000, 1, 2], emissions=grams))
    assert said.fault == "arithmetic"
    assert said.emission_g == sum(grams)
    node = meters.ledger.one(NODES, 1)
    assert node.wrong == 1 and node.wrong_entry == meters.ledger.size - 1
    assert node.total_g == sum(grams)


def test_an_emission_register_that_does_not_go_on_is_flagged() -> None:
    meters = ready()
    send(meters, node_packet([1000]))
    carry_ug = 1000 * GRID_UG % UG_PER_G
    after = START_S + QUARTER_S
    back = node_packet(
        [0], sequence=2, start_s=after, opening=1000, opening_g=10, carry_ug=carry_ug
    )
    said = send(meters, back)
    assert said.fault == "register" and said.catch_up_g == 0
    ahead = node_packet([0], sequence=3, start_s=after + QUARTER_S, opening=1000, opening_g=99)
    assert send(meters, ahead).catch_up_g == 89
    assert meters.ledger.one(NODES, 1).wrong == 2


def test_a_gap_is_emitted_by_the_nodes_register() -> None:
    meters = ready()
    send(meters, node_packet([1000]))
    # Ten quarters without power, in which the register gained 400.
    carried = 1400 * GRID_UG
    packet = node_packet(
        [7],
        sequence=2,
        start_s=START_S + 11 * QUARTER_S,
        opening=1400,
        opening_g=carried // UG_PER_G,
        carry_ug=carried % UG_PER_G,
    )
    said = send(meters, packet)
    assert said.fault == ""
    assert said.catch_up_g == carried // UG_PER_G - 1000 * GRID_UG // UG_PER_G
    assert meters.ledger.one(NODES, 1).total_g == 1407 * GRID_UG // UG_PER_G


def test_a_replaced_register_is_owed() -> None:
    meters = ready()
    send(meters, node_packet([1000]))
    at_s = START_S + 4 * QUARTER_S
    swap = ReplaceMeter(device="m1", at_s=at_s, old_closing=1200, new_opening=50, new_modulus=0)
    meters.ledger.submit(swap, key_of("importer"))
    carried = 1200 * GRID_UG
    packet = node_packet(
        [3],
        sequence=2,
        start_s=at_s,
        opening=50,
        opening_g=carried // UG_PER_G,
        carry_ug=carried % UG_PER_G,
    )
    said = send(meters, packet)
    assert said.fault == ""
    assert meters.ledger.one(NODES, 1).total_g == 1203 * GRID_UG // UG_PER_G
    assert meters.ledger.one(NODES, 1).owed == 0


def test_a_new_factor_begins_a_new_packet() -> None:
    meters = ready()
    change = START_S + 2 * QUARTER_S
    meters.ledger.submit(entry(700_000, from_s=change), key_of("m1"))
    refused("emissions.node_factor", lambda: send(meters, node_packet([1, 1, 1])))
    refused("emissions.node_factor", lambda: send(meters, node_packet([1, 1], value_ug=700_000)))
    send(meters, node_packet([10, 10]))
    packet = node_packet(
        [10], sequence=2, start_s=change, opening=20, value_ug=700_000,
        opening_g=20 * GRID_UG // UG_PER_G, carry_ug=20 * GRID_UG % UG_PER_G,
    )  # fmt: skip
    assert send(meters, packet).fault == ""


def test_a_factor_of_the_ledger_is_checked_against_it() -> None:
    meters = ready(enter=False)
    node = key_of("m1")
    submit = meters.ledger.submit
    refused("emissions.no_factor", lambda: submit(entry(factor="grid@2"), node))
    refused("emissions.no_factor", lambda: submit(entry(factor="grid"), node))
    refused("emissions.node_factor_value", lambda: submit(entry(1, factor="grid@1"), node))
    refused("emissions.mismatch", lambda: submit(entry(factor="steam@1"), node))
    submit(entry(factor="grid@1"), node)
    assert send(meters, node_packet([1000], factor="grid@1")).fault == ""


def test_what_cannot_be_is_refused() -> None:
    meters = ready(enter=False)
    node = key_of("m1")
    refused("core.factor_absurd", lambda: meters.ledger.submit(entry(530_600_000), node))
    refused("emissions.node_factor", lambda: send(meters, node_packet([1])))
    meters.ledger.submit(entry(), node)
    refused("emissions.node_length", lambda: send(meters, node_packet([1, 2], emissions=[1])))
    refused("emissions.node_expected", lambda: meters.send(packet_of([1])))
    assign = AssignFactor(device="m1", factor="grid", version=1, from_s=START_S, to_s=0)
    refused("emissions.node_own_factor", lambda: meters.ledger.submit(assign, key_of("importer")))
    send(meters, node_packet([1]))
    refused("emissions.reported", lambda: meters.ledger.submit(entry(1, from_s=START_S), node))


def test_a_meter_with_an_assigned_factor_is_no_node() -> None:
    meters = ready(enter=False)
    assign = AssignFactor(device="m1", factor="grid", version=1, from_s=START_S, to_s=0)
    meters.ledger.submit(assign, key_of("importer"))
    refused("emissions.not_a_node", lambda: meters.ledger.submit(entry(), key_of("m1")))


def test_a_co2_probe_counts_as_it_is() -> None:
    meters = ready("co2.measured", enter=False)
    refused("emissions.co2_already", lambda: meters.ledger.submit(entry(10**6), key_of("m1")))
    said = send(meters, node_packet([40, 2], factor="unity@1", value_ug=UG_PER_G))
    assert said.emission_g == 42 and said.fault == ""


@given(st.lists(st.lists(st.integers(0, 10**7), min_size=1, max_size=8), min_size=1, max_size=6),
       st.integers(0, 3_000_000))  # fmt: skip
def test_however_it_is_cut_the_grams_are_those_of_the_whole(
    cuts: list[list[int]], value_ug: int
) -> None:
    meters = ready(enter=False)
    meters.ledger.submit(entry(value_ug), key_of("m1"))
    amount, start_s = 0, START_S
    for sequence, amounts in enumerate(cuts, start=1):
        opening_g, carry_ug = divmod(amount * value_ug, UG_PER_G)
        packet = node_packet(
            amounts, sequence=sequence, start_s=start_s, opening=amount, value_ug=value_ug,
            opening_g=opening_g, carry_ug=carry_ug,
        )  # fmt: skip
        assert send(meters, packet).fault == ""
        amount, start_s = amount + sum(amounts), start_s + len(amounts) * QUARTER_S
    assert meters.ledger.one(NODES, 1).total_g == amount * value_ug // UG_PER_G
