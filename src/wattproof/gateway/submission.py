"""Handing transactions from many connections to the engine, which shares commits among them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from wattproof.core.errors import ErrorCode, Unavailable, WattProofError
from wattproof.gateway.limits import Buckets, RateLimit
from wattproof.ledger.chain import Receipt

__all__ = ["BATCHES_AT_ONCE", "Engine", "Submitter"]

BATCHES_AT_ONCE: Final = 4
"""Batches that may be in work at once; each may hold 16 MiB."""

TOO_MANY_BATCHES = ErrorCode(
    Unavailable,
    "gateway.busy",
    en="{limit} batches are in work; try again.",
    zh="已有 {limit} 批交易正在处理，请稍后重试。",
)


Answer = Receipt | WattProofError


class Done(Protocol):
    """Called once, from any thread, with the answers to what was submitted."""

    def __call__(self, answers: Sequence[Answer], /) -> None: ...


class Engine(Protocol):
    """What the gateway needs of an engine."""

    def submit_soon(self, raw: bytes, done: Done) -> None:
        """Submit without waiting; raises `Unavailable` when it cannot be taken."""
        ...

    def submit_many(self, raws: Sequence[bytes]) -> list[Answer]:
        """Submit in this order and wait; an answer each."""
        ...


class Submitter:
    """Submits from the handlers of one event loop; each waits for its own answer only.

    The engine answers from its own thread. The answers to a block arrive in one go, so the loop is
    woken once for many, not once for each.
    """

    def __init__(self, engine: Engine, limit: RateLimit) -> None:
        self._engine = engine
        self._buckets = Buckets(limit)
        self._arrived: deque[tuple[asyncio.Future[Answer], Answer]] = deque()
        self._awake = False
        self._batches = 0
        self.waiting = 0

    def admit(self, host: str | None, count: int) -> None:
        """Let a client submit `count` transactions, or raise `TOO_MANY`."""
        self._buckets.take(host, count)

    async def submit(self, raw: bytes) -> Receipt:
        """Submit one transaction and wait until it is durable. Raises `WattProofError`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()

        def done(answers: Sequence[Answer]) -> None:
            self._arrived.append((future, answers[0]))
            if not self._awake:
                self._awake = True
                self._wake(loop)

        self._engine.submit_soon(raw, done)
        self.waiting += 1
        try:
            answer = await future
        finally:
            self.waiting -= 1
        if isinstance(answer, Receipt):
            return answer
        raise answer.error(**answer.params)  # one failed block gives many waiters the same error

    async def submit_batch(self, raws: Sequence[bytes]) -> list[Answer]:
        """Submit a batch in its order and wait until it is durable; an answer each.

        Raises `TOO_MANY_BATCHES`.
        """
        if self._batches >= BATCHES_AT_ONCE:
            raise TOO_MANY_BATCHES(limit=BATCHES_AT_ONCE)
        self._batches += 1
        self.waiting += len(raws)
        try:
            return await asyncio.to_thread(self._engine.submit_many, raws)
        finally:
            self.waiting -= len(raws)
            self._batches -= 1

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:  # the loop has ended, and with it whoever waited
            self._arrived.clear()
            self._awake = False

    def _deliver(self) -> None:
        """Give out what has arrived; `done` runs in another thread meanwhile."""
        self._awake = False  # before the queue is emptied: what comes now wakes the loop again
        while self._arrived:
            future, answer = self._arrived.popleft()
            if not future.done():  # it is when its handler was cancelled
                future.set_result(answer)
