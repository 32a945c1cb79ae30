"""The embedded engine: one process orders the transactions of one ledger.

Submitters wait on a queue; one thread takes all that has gathered, runs it as a block and commits
it once, so that concurrent submitters share one durable write. A receipt is given only after it.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from wattproof.core.errors import ErrorCode, Refused, Unavailable, WattProofError
from wattproof.engines.verifier import Checked, Verifier
from wattproof.ledger.chain import Chain, Receipt, receipt_of
from wattproof.ledger.transaction import Transaction

__all__ = ["BLOCK_LIMIT", "QUEUE_LIMIT", "Answer", "EmbeddedEngine"]

BLOCK_LIMIT: Final = 1024
"""Transactions in one block at most."""

QUEUE_LIMIT: Final = 16_384
"""Transactions that may wait at once; more are turned away until some are done."""

_LOG: Final = logging.getLogger(__name__)

Answer = Receipt | WattProofError
Done = Callable[[Sequence[Answer]], None]

CLOSED = ErrorCode(Unavailable, "engine.closed", en="The ledger is closing.", zh="账本正在关闭。")
BUSY = ErrorCode(
    Unavailable,
    "engine.busy",
    en="{waiting} transactions are waiting; at most {limit} may. Try again.",
    zh="已有 {waiting} 笔交易等待处理，上限为 {limit} 笔，请稍后重试。",
)
NOT_WRITTEN = ErrorCode(
    Unavailable,
    "engine.not_written",
    en="The block could not be written and nothing of it was kept: {reason}.",
    zh="区块写入失败，未保留任何内容：{reason}。",
)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class _Ticket:
    """Transactions of one submitter, and where the answers go."""

    __slots__ = ("checked", "done", "raws")

    def __init__(self, raws: Sequence[bytes], checked: list[Checked] | None, done: Done) -> None:
        self.raws = raws
        self.checked = checked
        self.done = done


class EmbeddedEngine:
    """Orders, runs and commits; `chain` must not be touched by anyone else while it runs."""

    def __init__(
        self,
        chain: Chain,
        *,
        clock_ms: Callable[[], int] = _now_ms,
        workers: int | None = None,
    ) -> None:
        self._chain = chain
        self._clock_ms = clock_ms
        self._verifier = Verifier(chain.machine.codec, ledger_id=chain.ledger_id, workers=workers)
        self._queue: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._closed = False
        self._stale = False
        self._thread = threading.Thread(target=self._work, name="wattproof-engine", daemon=True)
        self._thread.start()

    @property
    def ledger_id(self) -> bytes:
        """The ledger's id, which every signature must name."""
        return self._chain.ledger_id

    def submit(self, raw: bytes) -> Receipt:
        """Submit one signed transaction and wait until it is durable.

        The same bytes again give the first receipt. Raises `Refused`, or `Unavailable`.
        """
        answer = self.submit_many([raw])[0]
        if isinstance(answer, Receipt):
            return answer
        raise answer

    def submit_many(self, raws: Sequence[bytes]) -> list[Answer]:
        """Submit transactions in this order and wait; an answer each, errors returned.

        While one block is run, the signatures of the next ones are verified elsewhere. What comes
        too late for an engine that is closing is answered with `Unavailable`.
        """
        answers: list[Sequence[Answer]] = []
        arrived = threading.Semaphore(0)

        def keep(position: int) -> Done:
            def done(given: Sequence[Answer]) -> None:
                answers[position] = given
                arrived.release()

            return done

        start = 0
        for checked in _blocks(self._verifier.stream(raws)):
            end = start + len(checked)
            answers.append(())
            done = keep(len(answers) - 1)
            try:
                self._enter(raws[start:end], checked, done, wait=True)
            except Unavailable as closed:
                done([closed] * len(checked))
            start = end
        for _ in answers:
            arrived.acquire()
        return [answer for given in answers for answer in given]

    def submit_soon(self, raw: bytes, done: Done) -> None:
        """Submit without waiting; `done` is called once, from the engine's thread.

        Raises `Unavailable` when the queue is full or the engine is closed.
        """
        self._enter([raw], None, done, wait=False)

    def warm_up(self) -> None:
        """Start the helping processes now rather than with the first large submission."""
        self._verifier.warm_up()

    def close(self) -> None:
        """Finish what is waiting, then stop. Calling it again does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._verifier.close()

    def _enter(
        self, raws: Sequence[bytes], checked: list[Checked] | None, done: Done, *, wait: bool
    ) -> None:
        while True:
            with self._lock:
                if self._closed:
                    raise CLOSED()
                if self._waiting + len(raws) <= QUEUE_LIMIT:
                    self._waiting += len(raws)
                    self._queue.put(_Ticket(raws, checked, done))
                    return
                waiting = self._waiting
            if not wait:
                raise BUSY(waiting=waiting, limit=QUEUE_LIMIT)
            time.sleep(0.001)

    def _work(self) -> None:
        """The engine's thread: gather, run, commit, answer, until closed."""
        ticket = self._queue.get()
        while ticket is not None:
            tickets, count = [ticket], len(ticket.raws)
            while True:
                try:
                    ticket = self._queue.get_nowait()
                except queue.Empty:
                    self._serve(tickets)
                    ticket = self._queue.get()
                    break
                if ticket is None or count + len(ticket.raws) > BLOCK_LIMIT:
                    self._serve(tickets)
                    break
                tickets.append(ticket)
                count += len(ticket.raws)

    def _serve(self, tickets: list[_Ticket]) -> None:
        """Answer all tickets, whatever happens: who waits must not wait for ever."""
        count = sum(len(ticket.raws) for ticket in tickets)
        try:
            if self._stale:
                self._chain.reload()
                self._stale = False
            answers = self._answers(tickets)
        except Exception as error:
            self._stale = True
            if isinstance(error, WattProofError):
                answers = [error.error(**error.params) for _ in range(count)]
            else:
                answers = [NOT_WRITTEN(reason=repr(error)) for _ in range(count)]
        with self._lock:
            self._waiting -= count
        start = 0
        for ticket in tickets:
            end = start + len(ticket.raws)
            try:
                ticket.done(answers[start:end])
            except Exception:  # a submitter's own fault must not reach its neighbours
                _LOG.exception("An answer could not be delivered")
            start = end

    def _answers(self, tickets: list[_Ticket]) -> list[Answer]:
        checked = [item for ticket in tickets for item in self._checked(ticket)]
        known = set(self._chain.store.known([t.id for t in checked if isinstance(t, Transaction)]))
        fresh: dict[bytes, Transaction] = {}
        for item in checked:
            if isinstance(item, Transaction) and item.id not in known:
                fresh.setdefault(item.id, item)
        given = self._block(list(fresh.values())) if fresh else {}
        answers: list[Answer] = []
        for item in checked:
            if isinstance(item, Refused):
                answers.append(item)
                continue
            answer = given.get(item.id)
            if answer is None:
                entry = self._chain.store.find_entry(item.id)
                assert entry is not None, f"known transaction {item.id.hex()} has no entry"
                answer = receipt_of(entry, first=False)
            elif isinstance(answer, Receipt) and fresh.get(item.id) is not item:
                answer = receipt_again(answer)
            answers.append(answer)
        return answers

    def _checked(self, ticket: _Ticket) -> list[Checked]:
        if ticket.checked is not None:
            return ticket.checked
        return self._verifier.check_many(ticket.raws)

    def _block(self, transactions: list[Transaction]) -> dict[bytes, Answer]:
        """Run and commit one block; the answer to each of its transactions."""
        chain = self._chain
        height = chain.height + 1
        time_ms = max(chain.time_ms, self._clock_ms())
        pending = chain.execute(transactions, height=height, time_ms=time_ms)
        given: dict[bytes, Answer] = {}
        index = chain.size
        for outcome in pending.outcomes:
            transaction_id = outcome.transaction.id
            if outcome.refusal is not None:
                given[transaction_id] = outcome.refusal
                continue
            given[transaction_id] = Receipt(
                id=transaction_id,
                index=index,
                height=height,
                time_ms=time_ms,
                result=outcome.result,
            )
            index += 1
        if pending.entries:
            chain.commit(pending)
        return given


def _blocks(stream: Iterable[list[Checked]]) -> Iterator[list[Checked]]:
    """The same in lists of a whole block, so that a block is one durable write."""
    block: list[Checked] = []
    for checked in stream:
        block += checked
        if len(block) >= BLOCK_LIMIT:
            yield block
            block = []
    if block:
        yield block


def receipt_again(receipt: Receipt) -> Receipt:
    """The same receipt, for bytes that were submitted more than once."""
    return Receipt(
        id=receipt.id,
        index=receipt.index,
        height=receipt.height,
        time_ms=receipt.time_ms,
        result=receipt.result,
        first=False,
    )
