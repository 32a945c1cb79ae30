"""Metering against a small reference model, over random lives of a meter.

The model knows a dial that only ever moves forward and a list of what was reported. It says what
must become of each packet, and the laws that hold whatever happens.
"""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.support.memory_ledger import key_of
from tests.support.meters import START_S, Meters, packet_of

from wattproof.core.errors import Refused
from wattproof.metering.model import (
    PACKETS,
    STREAMS,
    MeterReplaced,
    Packet,
    PacketAccepted,
    ReplaceMeter,
)

AMOUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=4)
INTERVALS = st.sampled_from((60, 900))
SECONDS = st.integers(1, 3000)


class MeterLife(RuleBasedStateMachine):
    """A register meter of modulus 1000, or none, that reports well and badly."""

    @initialize(modulus=st.sampled_from((0, 1000)), opening=st.integers(0, 999))
    def begin(self, modulus: int, opening: int) -> None:
        self.meters = Meters()
        self.meters.add(modulus=modulus)
        self.modulus = modulus
        self.dial, self.clock_s, self.sequence = opening, START_S, 1
        self.counted = 0
        self.reported: list[Packet] = []

    def shown(self, dial: int) -> int:
        return dial % self.modulus if self.modulus else dial

    def packet(
        self,
        amounts: list[int],
        interval_s: int,
        *,
        after_s: int = 0,
        moved: int = 0,
        lost: int = 0,
    ) -> Packet:
        return packet_of(
            amounts,
            sequence=self.sequence + lost,
            start_s=self.clock_s + after_s,
            interval_s=interval_s,
            kind="register",
            opening=self.shown(self.dial + moved),
        )

    def take(self, packet: Packet, moved: int = 0) -> PacketAccepted:
        event = self.meters.send(packet)
        amount = sum(packet.increments)
        assert event.amount == amount + (moved if self.reported else 0)
        assert event.catch_up == event.amount - amount
        self.counted += event.amount
        self.dial += moved + amount
        self.sequence = packet.sequence + 1
        self.clock_s = packet.start_s + len(packet.increments) * packet.interval_s
        self.reported.append(packet)
        return event

    def refuse(self, packet: Packet, code: str) -> None:
        before = self.meters.ledger.state.get(STREAMS, 1)
        try:
            self.meters.send(packet)
        except Refused as error:
            assert error.code == f"metering.{code}", error.code
        else:
            raise AssertionError(f"accepted in place of {code}")
        assert self.meters.ledger.state.get(STREAMS, 1) == before

    @rule(amounts=AMOUNTS, interval_s=INTERVALS)
    def goes_on(self, amounts: list[int], interval_s: int) -> None:
        first = not self.reported
        wraps = bool(self.modulus) and self.shown(self.dial) + sum(amounts) >= self.modulus
        event = self.take(self.packet(amounts, interval_s))
        assert ("first" in event.outcomes) == first
        assert ("rollover" in event.outcomes) == wraps
        assert first or "continuous" in event.outcomes

    @precondition(lambda self: self.reported)
    @rule(
        amounts=AMOUNTS,
        interval_s=INTERVALS,
        after_s=SECONDS,
        moved=st.integers(0, 499),
        lost=st.integers(0, 2),
    )
    def falls_silent(
        self, amounts: list[int], interval_s: int, after_s: int, moved: int, lost: int
    ) -> None:
        packet = self.packet(amounts, interval_s, after_s=after_s, moved=moved, lost=lost)
        event = self.take(packet, moved)
        assert event.gap_s == after_s
        assert event.missing == lost
        assert ("catch_up" in event.outcomes) == (moved > 0)
        assert ("sequence_gap" in event.outcomes) == (lost > 0)

    @precondition(lambda self: self.reported)
    @rule(data=st.data())
    def repeats_itself(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.reported))
        self.refuse(old, "duplicate")
        changed = packet_of(
            [*old.increments, 1],
            sequence=old.sequence,
            start_s=old.start_s,
            interval_s=old.interval_s,
            kind="register",
            opening=old.opening,
        )
        self.refuse(changed, "conflict")

    @precondition(lambda self: self.reported)
    @rule(amounts=AMOUNTS, back_s=SECONDS, moved=st.integers(0, 5))
    def goes_back_in_time(self, amounts: list[int], back_s: int, moved: int) -> None:
        packet = self.packet(amounts, 60, after_s=-back_s, moved=moved)
        self.refuse(packet, "overlap" if moved else "clock_back")

    @precondition(lambda self: self.reported)
    @rule(amounts=AMOUNTS, moved=st.integers(1, 400))
    def jumps(self, amounts: list[int], moved: int) -> None:
        self.refuse(self.packet(amounts, 60, moved=moved), "register_jump")

    @precondition(lambda self: self.reported)
    @rule(amounts=AMOUNTS, after_s=SECONDS, down=st.integers(1, 500))
    def runs_backwards(self, amounts: list[int], after_s: int, down: int) -> None:
        shown = self.shown(self.dial)
        if down <= shown:
            packet = self.packet(amounts, 60, after_s=after_s, moved=-down)
            self.refuse(packet, "negative_step")

    @precondition(lambda self: self.reported)
    @rule(after_s=SECONDS, moved=st.integers(0, 300), opening=st.integers(0, 999))
    def is_replaced(self, after_s: int, moved: int, opening: int) -> None:
        body = ReplaceMeter(
            device="m1",
            at_s=self.clock_s + after_s,
            old_closing=self.shown(self.dial + moved),
            new_opening=opening,
            new_modulus=self.modulus,
        )
        event = self.meters.ledger.submit(body, key_of("importer")).event(MeterReplaced)
        assert (event.catch_up, event.gap_s) == (moved, after_s)
        self.counted += moved
        self.dial, self.clock_s = opening, body.at_s

    @rule()
    def restarts(self) -> None:
        self.meters.ledger.forget()

    @precondition(lambda self: self.reported)
    @invariant()
    def the_stream_is_what_was_reported(self) -> None:
        stream = self.meters.stream()
        assert stream.register == self.shown(self.dial)
        assert (stream.end_s, stream.next_sequence) == (self.clock_s, self.sequence)
        assert stream.total == self.counted
        assert stream.packets == len(self.reported)
        assert stream.readings == sum(len(packet.increments) for packet in self.reported)
        rows = list(self.meters.ledger.state.scan(PACKETS, 1))
        assert [row.sequence for row in rows] == [packet.sequence for packet in self.reported]
        for before, after in itertools.pairwise(rows):
            assert before.end_s <= after.start_s
            assert before.entry < after.entry


MeterLife.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestMeterLife = MeterLife.TestCase
