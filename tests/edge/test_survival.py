"""Laws of a node: whatever happens, the host has what the meter counted, once and in order."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.beside_meter import NOON_S, CountingMeter, LedgerLink, Node, Time
from tests.support.meters import Meters

from wattproof.edge.factors import typed
from wattproof.edge.queue import Queue
from wattproof.edge.sender import Sender
from wattproof.edge.source import Mode
from wattproof.emissions.tracking.model import NODES
from wattproof.metering.model import PACKETS

ROOT = Path(__file__).parents[2]
KILLS = 12
MODULUS = 10_000

ACTIONS = st.one_of(
    st.tuples(st.just("count"), st.integers(0, 400)),
    st.tuples(st.sampled_from(("tick", "tick", "tick", "send")), st.just(0)),
    st.tuples(st.just("skip"), st.integers(1, 5)),
    st.tuples(
        st.sampled_from(("silence", "speak", "cut", "join", "lose", "power", "back", "odd")),
        st.just(0),
    ),
    st.tuples(st.just("factor"), st.integers(1, 2_000)),
)


@settings(max_examples=150, deadline=None, report_multiple_bugs=False)
@given(
    st.lists(ACTIONS, max_size=60),
    st.sampled_from(("register", "increment")),
    st.integers(1, 6),
    st.integers(2, 30),
)
def test_the_host_ends_up_with_what_the_meter_counted(
    actions: list[tuple[str, int]], mode: Mode, readings: int, capacity: int
) -> None:
    with TemporaryDirectory() as folder:
        modulus = MODULUS if mode == "register" else 0
        node = Node(
            Path(folder), meter=CountingMeter(mode), readings=readings, capacity=capacity,
            register_modulus=modulus,
        )  # fmt: skip
        node.meters.add("m1", modulus=modulus)
        try:
            counted = _live(node, actions, modulus)
            _check(node, counted, modulus)
        finally:
            node.close()


def _live(node: Node, actions: list[tuple[str, int]], modulus: int) -> int:
    """Do all of it, then let everything be well again; what the meter counted from the start."""
    choice = typed("0.5306", unit="kgCO2e/kWh", quantity="electricity.import")
    node.agent.enter(choice, by="badge-7")
    node.quarter(0)
    counted, quarter = 0, 0
    for what, number in actions:
        match what:
            case "count":
                counted += number
                node.meter.count(number, modulus=modulus)
            case "tick" | "skip":
                quarter += max(1, number)
                node.quarter(quarter)
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
                node.at(-4000)
            case "odd":
                value, node.meter.value = node.meter.value, node.meter.value.__class__("NaN")
                node.agent.once()
                node.meter.value = value
            case "factor":
                text = f"0.{number:04d}"
                node.agent.enter(
                    typed(text, unit="kgCO2e/kWh", quantity="electricity.import"), by="badge-8"
                )
            case _:
                node.send()
    node.meter.error, node.link.cut, node.link.lose = None, False, False
    for _ in range(10):  # time enough for a packet, and for the host
        quarter += 1
        node.quarter(quarter)
        node.send()
    return counted


def _check(node: Node, counted: int, modulus: int) -> None:
    state = node.meters.ledger.state
    stream, emitted = node.meters.stream(), node.meters.ledger.one(NODES, 1)
    rows = list(state.scan(PACKETS, 1))
    assert node.queue.refused() == []
    assert stream.register == (counted % modulus if modulus else counted)
    assert stream.total == counted
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert [row.entry for row in rows] == sorted(row.entry for row in rows)
    assert emitted.wrong == 0
    assert node.queue.length == 0
    assert node.codes() == {}


def test_a_killed_agent_loses_nothing_and_makes_nothing_twice(tmp_path: Path) -> None:
    from tests.edge.counting_child import shown

    meters = Meters()
    meters.add("m1")
    command = [sys.executable, "-m", "tests.edge.counting_child", str(tmp_path)]
    for seed in range(KILLS):
        with subprocess.Popen(
            [*command, meters.ledger.ledger_id.hex()], cwd=ROOT, stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"runs\n"
            time.sleep(random.Random(seed).uniform(0.0, 0.1))
            child.kill()
            assert child.wait() == -9
    clock = Time(2**34)
    with Queue(tmp_path / "queue.sqlite") as queue:
        state = queue.state()
        sender = Sender(queue, LedgerLink(meters, clock), clock=lambda: clock.now_s, batch=64)
        while sender.once() == 0:
            pass
        assert queue.refused() == []
        assert queue.length == 0
    rows = list(meters.ledger.state.scan(PACKETS, 1))
    assert len(rows) > KILLS
    assert [row.sequence for row in rows] == list(range(1, state.next_sequence))
    assert all(row.closing - shown(row.end_s) in range(70) for row in rows)  # read a little late
    assert meters.stream().register == state.reported
    assert meters.ledger.one(NODES, 1).wrong == 0
    assert rows[0].start_s > NOON_S
