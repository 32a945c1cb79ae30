"""Sends what waits, in its order, until the host has it or has refused it for good.

One goes first; once it is taken, as many as a batch holds follow together. Where the host cannot be
reached, or says that it is not the time yet, the same bytes are sent again later, ever more seldom.
What is refused for good is kept aside and does not hold up the rest: the next packet's register
tells the host what was counted meanwhile. A payment that is put off does not hold up readings.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from wattproof.core.errors import Unavailable
from wattproof.edge.changes import PACKET
from wattproof.edge.link import Answer, Link, verdict
from wattproof.edge.payments import is_payment
from wattproof.edge.queue import Queue, Waiting

__all__ = ["PAYMENT_PLACE", "PLACE", "RETRY_FIRST_S", "RETRY_MOST_S", "Sender"]

PLACE: Final = "send"
"""Where faults of sending are noted."""

PAYMENT_PLACE: Final = "payment"
"""Where it is noted that the host puts a payment off."""

RETRY_FIRST_S: Final = 1
RETRY_MOST_S: Final = 60
"""Seconds until the next try: doubled each time up to the most."""

IDLE_S: Final = 5
"""How long an empty queue is left alone: commands of other processes add to it too."""


class Sender:
    """Sends in a thread of its own, or step by step with `once`; `clock` gives Unix seconds.

    `set_aside` is told of each transaction that the host refused for good. What nobody foresaw
    ends the thread: it is kept in `failure`, and `failed` is called.
    """

    def __init__(
        self,
        queue: Queue,
        link: Link,
        *,
        clock: Callable[[], int],
        batch: int,
        set_aside: Callable[[Waiting, Answer], None] = lambda _item, _answer: None,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.failure: Exception | None = None
        self._failed = failed
        self._queue = queue
        self._link = link
        self._clock = clock
        self._batch = batch
        self._set_aside = set_aside
        self._flowing = False
        self._put_off = False
        self._only_payments = False
        self._retry_s = RETRY_FIRST_S
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Send from now on, in a thread."""
        self._thread = threading.Thread(target=self._run, name="wattproof-sender", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was queued; a wait for the host is not cut short."""
        self._wake.set()

    def stop(self, *, timeout_s: int = 10) -> None:
        """End after what is being sent, and let go of the connection."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        self._link.close()

    def once(self) -> int | None:
        """Send what is next; the seconds until it makes sense to try again, None: nothing waits."""
        count = self._batch if self._flowing else 1
        put_off, self._only_payments = self._put_off, False
        found = self._queue.first_others(count) if put_off else self._queue.first(count)
        items = _together(found)
        if not items:
            self._put_off, self._only_payments = False, put_off
            if put_off:
                return self._later()
            self._queue.clear_fault(PAYMENT_PLACE)
            return None
        try:
            answers = self._link.send([item.raw for item in items])
        except Unavailable as silent:
            self._flowing = False
            self._queue.note_fault(PLACE, silent, at_s=self._clock())
            return self._later()
        waiting = self._settle(items, answers)
        pays = is_payment(items[0].what)
        if waiting is not None and pays:
            self._put_off = True
            self._queue.clear_fault(PLACE)
            self._queue.note_refusal(PAYMENT_PLACE, _told(waiting), at_s=self._clock())
            return 0
        self._flowing = waiting is None
        if waiting is not None:
            self._queue.note_refusal(PLACE, _told(waiting), at_s=self._clock())
            return self._later()
        self._retry_s = RETRY_FIRST_S
        self._queue.clear_fault(PLACE)
        if pays:
            self._queue.clear_fault(PAYMENT_PLACE)
        return 0

    def _settle(self, items: list[Waiting], answers: list[Answer]) -> Answer | None:
        """Take note of the answers; the first that says later, after which none is set aside."""
        at_s = self._clock()
        waiting: Answer | None = None
        taken: list[tuple[Waiting, int]] = []
        for item, answer in zip(items, answers, strict=False):
            said = verdict(answer)
            if said == "taken":
                taken.append((item, answer.entry))
            elif said == "later":
                waiting = waiting or answer
            elif waiting is None:
                self._queue.set_aside(item, code=answer.code, en=answer.en, zh=answer.zh, at_s=at_s)
                self._set_aside(item, answer)
        self._queue.taken(taken, at_s=at_s)
        return waiting

    def _later(self) -> int:
        seconds, self._retry_s = self._retry_s, min(2 * self._retry_s, RETRY_MOST_S)
        return seconds

    def _run(self) -> None:
        try:
            self._send()
        except Exception as failure:
            self.failure = failure
            self._failed()

    def _send(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                seconds: int | None = self.once()
            except Unavailable:  # the queue's file is busy or the disk is full: try again
                seconds = self._later()
            if seconds is None:
                self._wake.wait(IDLE_S)
            elif seconds:
                (self._wake if self._only_payments else self._stopping).wait(seconds)


def _told(answer: Answer) -> dict[str, str]:
    return {"code": answer.code, "en": answer.en, "zh": answer.zh}


def _together(items: list[Waiting]) -> list[Waiting]:
    """The first ones that may go in one batch: packets in a row, anything else alone.

    Within a batch the host may take one after it has put off another: a factor must not overtake.
    """
    count = 0
    for item in items:
        if not item.what.startswith(PACKET):
            break
        count += 1
    return items[: max(1, count)]
