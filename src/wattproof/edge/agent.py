"""The agent: reads at every moment that is due, makes packets, queues them; another thread sends.

In between it pays what its standing orders say. What goes wrong has a place (``clock``, ``source``,
``register``, ``factor``, ``queue``, ``pay``, ``display``, ``keypad``, ``send``, ``payment``) and an
error with a name; it is kept with the queue until it is well again, and nothing of it stops the
agent. Time comes from `clock_ns`, so that tests can set it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from wattproof.core.errors import Conflict, ErrorCode, Refused, Unavailable, WattProofError
from wattproof.core.language import language
from wattproof.edge.changes import CLOCK_LOST, enter_factor, sign_reports, start_factor
from wattproof.edge.config import Config
from wattproof.edge.display import Display, line_of
from wattproof.edge.factors import Choice
from wattproof.edge.pay import PLACE as PAY_PLACE
from wattproof.edge.pay import pay_orders
from wattproof.edge.queue import LastReading, Queue
from wattproof.edge.register import NEGATIVE_STEP
from wattproof.edge.source import Sample, Source
from wattproof.edge.sources.table import open_source
from wattproof.edge.state import EnteredFactor, NodeState, factor_at
from wattproof.edge.stream import QUEUE_FULL, hold, moment, take
from wattproof.keys.ed25519 import SigningKey

__all__ = ["Agent"]

MS_PER_S: Final = 1_000
NS_PER_MS: Final = 1_000_000
RETRY_MS: Final = 1_000
"""When a source that failed is asked again, as long as the moment is not over."""

LONGEST_MS: Final = 5_000
"""The longest sleep: a clock that is set meanwhile must be noticed."""

NOTE_S: Final = 60
"""How often a fault that goes on is written down."""

BACK_S: Final = 5
"""How far a clock may be put back without being worth a word."""

CLOCK_BACK = ErrorCode(
    Conflict,
    "edge.clock.back",
    en="The clock went back by {seconds} s: nothing is read until it has caught up. If it was"
    " ahead before, say so with wattproof edge clock.",
    zh="时钟倒退了 {seconds} 秒：追上之前不读表。若此前时钟超前，请用 wattproof edge clock 说明。",
)
LATE = ErrorCode(
    Conflict,
    "edge.late",
    en="The reading took until {seconds} s after its moment; at most {limit} s count. Its time"
    " becomes a gap.",
    zh="读数在应读时刻后 {seconds} 秒才得到，上限为 {limit} 秒；该时段记为间隔。",
)

Open = Callable[[Mapping[str, Any]], Source]


class Agent:
    """One node at work. `once` does what is due; `run` does so until it is stopped.

    `made` is called after packets were queued. The caller closes the queue and the display.
    """

    def __init__(
        self,
        config: Config,
        *,
        key: SigningKey,
        queue: Queue,
        display: Display | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        made: Callable[[], None] = lambda: None,
        open_: Open = open_source,
    ) -> None:
        self._config = config
        self._key = key
        self._queue = queue
        self._display = display
        self._clock_ns = clock_ns
        self._made = made
        self._open = open_
        self._source: Source | None = None
        self._noted: dict[str, tuple[str, int]] = {}
        self._fine: set[str] = set()
        self._had_orders = True  # until those that the settings no longer have are ended
        self._stopping = threading.Event()

    @property
    def now_s(self) -> int:
        """The time by the agent's clock, in Unix seconds."""
        return self._clock_ns() // (MS_PER_S * NS_PER_MS)

    def run(self) -> None:
        """Work until `stop` is called; what is being read is finished first."""
        while not self._stopping.is_set():
            try:
                wait_ms = self.once()
            except Unavailable:  # the disk is full, or the queue's file is busy
                wait_ms = RETRY_MS
            self._stopping.wait(min(wait_ms, LONGEST_MS) / MS_PER_S)
        self.close()

    def stop(self) -> None:
        """End `run` in order; from a signal's handler or another thread."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the source."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def enter(self, choice: Choice, *, by: str) -> EnteredFactor:
        """Take a factor that was entered on the spot. Raises `Conflict`, `Malformed`."""
        entered = enter_factor(
            self._queue, self._config, self._key, choice, by=by, now_s=self.now_s
        )
        self._made()
        return entered

    def once(self) -> int:
        """Read if a reading is due; the milliseconds until there is something to do."""
        node, now_s = self._config.node, self.now_s
        due_s = moment(now_s, node.interval_s)
        state = self._queue.state()
        if not self._is_clock_sane(now_s, state):
            return RETRY_MS
        if node.emit and not state.factors:
            state = self._started(state, now_s)
        over = now_s - due_s > node.tolerance_s
        early = bool(node.emit and state.factors) and factor_at(state.factors, due_s) is None
        if (state.started and due_s <= state.end_s) or over or early:
            self._pay(now_s, complete_s=now_s)
            return self._until(due_s + node.interval_s)
        self._pay(now_s, complete_s=due_s - 1)
        if self._read(due_s):
            self._pay(now_s, complete_s=now_s)
            return self._until(due_s + node.interval_s)
        return RETRY_MS

    def _started(self, state: NodeState, now_s: int) -> NodeState:
        """The state with the factor of the settings, where they have one that can be."""
        try:
            start_factor(self._queue, self._config, self._key, now_s=now_s)
        except WattProofError as wrong:
            self.note("factor", wrong)
            return state
        return self._queue.state()

    def _pay(self, now_s: int, *, complete_s: int) -> None:
        """Pay what standing orders say; `complete_s` is up to when all readings are taken."""
        if not self._config.pay and not self._had_orders:
            return
        try:
            queued = pay_orders(
                self._queue, self._config, self._key, now_s=now_s, complete_s=complete_s
            )
        except WattProofError as wrong:
            self.note(PAY_PLACE, wrong)
            return
        self._had_orders = False
        self._well(PAY_PLACE)
        if queued:
            self._made()

    def _read(self, due_s: int) -> bool:
        """Read the source for this moment; whether that is done with."""
        try:
            if self._source is None:
                self._source = self._open(self._config.source)
            sample = self._source.read()
        except WattProofError as wrong:
            self.note("source", wrong)
            return False
        self._well("source")
        late_s = self.now_s - due_s
        limit_s = self._config.node.tolerance_s
        # An amount is gone once it was read, a register can be read again.
        if late_s > limit_s and self._source.mode == "register":
            self.note("source", LATE(seconds=late_s, limit=limit_s))
            return True
        try:
            self._take(sample, due_s)
        except WattProofError as wrong:
            self.note("factor" if wrong.code == "edge.no_factor" else "register", wrong)
            return not isinstance(wrong, Refused) or isinstance(wrong, Conflict)
        return True

    def _take(self, sample: Sample, due_s: int) -> None:
        """One sample into the state and the queue, durably, and then to the display."""
        node, queue, source = self._config.node, self._queue, self._source
        assert source is not None, "it was read"
        with queue.changing():
            state = queue.state()
            room = queue.room
            try:
                taken = take(state, sample, mode=source.mode, at_s=due_s, node=node, room=room)
            except WattProofError as wrong:
                if wrong.error is NEGATIVE_STEP:
                    found = wrong.params["found"]
                    assert isinstance(found, int), "a register"
                    queue.advance(hold(state, found=found, since_s=due_s))
                    self.note("register", wrong)
                    return
                raise
            queue.advance(taken.state, sign_reports(taken.reports, self._config, self._key))
            kept = taken.state.end_s == due_s
            reading = self._reading(taken.state, sample, before=state)
            if kept:
                queue.note_reading(reading)
        if kept:
            self._well("register", "factor")
        if room:
            self._well("queue")
        else:
            self.note("queue", QUEUE_FULL(limit=queue.capacity))
        if taken.reports:
            self._made()
        self._show(reading)

    def _reading(self, state: NodeState, sample: Sample, *, before: NodeState) -> LastReading:
        """The newest reading as people see it."""
        factor = factor_at(state.factors, state.start_s)
        value_ug = factor.value_ug if factor is not None and self._config.node.emit else 0
        pending_g = (state.carry_ug + value_ug * sum(state.pending)) // 1_000_000
        amount = state.closing - before.closing if before.started else sum(state.pending)
        if amount < 0 and self._config.node.register_modulus:
            amount %= self._config.node.register_modulus
        return LastReading(
            at_s=state.end_s,
            value=str(sample.value),
            unit=sample.unit,
            register=state.closing,
            amount=amount,
            emission_g=amount * value_ug // 1_000_000,
            total_g=state.grams + pending_g,
            doubt=sample.doubt,
        )

    def _show(self, reading: LastReading) -> None:
        if self._display is None:
            return
        node = self._config.node
        try:
            self._display.show(
                line_of(
                    reading,
                    quantity=node.quantity,
                    zone=node.zone,
                    lang=language(),
                    payment=next(iter(self._queue.payments.last(1)), None),
                )
            )
        except WattProofError as wrong:
            self.note("display", wrong)
        else:
            self._well("display")

    def _is_clock_sane(self, now_s: int, state: NodeState) -> bool:
        """Whether the clock can be believed; where not, the fault is noted."""
        if now_s < self._config.node.earliest_s:
            self.note("clock", CLOCK_LOST(now_s=now_s))
            return False
        if state.started and now_s + BACK_S < state.end_s:
            self.note("clock", CLOCK_BACK(seconds=state.end_s - now_s))
            return False
        self._well("clock")
        return True

    def note(self, place: str, error: WattProofError) -> None:
        """Keep a fault; one that goes on is written once a minute, for storage wears out."""
        now_s = self.now_s
        code, at_s = self._noted.get(place, ("", 0))
        if code != error.code or not 0 <= now_s - at_s < NOTE_S:
            self._queue.note_fault(place, error, at_s=now_s)
            self._noted[place] = (error.code, now_s)
            self._fine.discard(place)

    def _well(self, *places: str) -> None:
        for place in places:
            if place not in self._fine:  # a fault of the process before may be there still
                self._noted.pop(place, None)
                self._queue.clear_fault(place)
                self._fine.add(place)

    def _until(self, moment_s: int) -> int:
        """Milliseconds until a moment, at least one."""
        return max(1, -(-(moment_s * MS_PER_S * NS_PER_MS - self._clock_ns()) // NS_PER_MS))
