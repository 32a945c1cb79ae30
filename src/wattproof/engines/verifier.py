"""Signature verification: decodes and verifies transactions, on several cores where there are.

Threads do not help (libsodium's binding holds the interpreter's lock), so other processes check
signatures, in chunks, while this one decodes and runs contracts. They are no more than a help:
where they cannot be started, or die, this process does their work.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from typing import Final

from wattproof.core.errors import ErrorCode, Malformed, Refused, Unauthorised
from wattproof.keys import cose
from wattproof.ledger.transaction import Codec, Transaction

__all__ = ["CHUNK", "Checked", "Verifier", "workers_here"]

CHUNK: Final = 128
"""Transactions that are handed to another process at once."""

BAD_SIGNATURE = ErrorCode(
    Unauthorised,
    "transaction.signature",
    en="The signature does not hold for this transaction on this ledger.",
    zh="该交易在本账本上的签名无效。",
)
NOT_BYTES = ErrorCode(
    Malformed, "transaction.empty", en="The transaction is empty.", zh="交易内容为空。"
)

Checked = Transaction | Refused


def workers_here() -> int:
    """How many processes beside this one help to verify: the cores that are left."""
    return max(0, len(os.sched_getaffinity(0)) - 1)


class Verifier:
    """Turns raw bytes into verified transactions for one ledger."""

    def __init__(self, codec: Codec, *, ledger_id: bytes, workers: int | None = None) -> None:
        self._codec = codec
        self._ledger_id = ledger_id
        self._workers = workers_here() if workers is None else workers
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def check(self, raw: bytes) -> Checked:
        """Decode and verify one transaction; a `Refused` error is returned, not raised."""
        try:
            if not raw:
                raise NOT_BYTES()
            envelope = cose.parse(raw)
            transaction = self._codec.decode(envelope, raw)
            if not cose.verify(envelope, aad=self._ledger_id):
                raise BAD_SIGNATURE()
        except Refused as refusal:
            return refusal
        return transaction

    def check_many(self, raws: Sequence[bytes]) -> list[Checked]:
        """Decode and verify; the work is shared with other processes when there is enough."""
        return [item for checked in self.stream(raws) for item in checked]

    def stream(self, raws: Sequence[bytes]) -> Iterator[list[Checked]]:
        """Decode and verify in chunks, in order; later chunks are verified while one is used."""
        if self._workers == 0 or len(raws) < 2 * CHUNK:
            for start in range(0, len(raws), CHUNK):
                yield [self.check(raw) for raw in raws[start : start + CHUNK]]
            return
        tasks = [
            _Task(raws[start : start + CHUNK], self._ledger_id)
            for start in range(0, len(raws), CHUNK)
        ]
        ahead, untouched = 0, len(tasks)
        for position, task in enumerate(tasks):
            ahead = max(ahead, position)
            while True:
                # Only so much is handed out that no helper is idle: what is handed out cannot be
                # taken back. Rather than wait, this process takes the last chunk that is left.
                while ahead < untouched and sum(t.away() for t in tasks[position:ahead]) < (
                    2 * self._workers
                ):
                    tasks[ahead].hand_out(self._submit(tasks[ahead].raws))
                    ahead += 1
                if not task.away() or ahead >= untouched:
                    break
                untouched -= 1
                tasks[untouched].verify()
            yield list(map(self._decode, task.raws, task.verdicts()))

    def warm_up(self) -> None:
        """Start the helping processes, so that the first large submission does not wait."""
        tasks = [_Task([], b"") for _ in range(self._workers)]
        for task in tasks:
            task.hand_out(self._submit([]))
        for task in tasks:
            task.verdicts()

    def close(self) -> None:
        """End the helping processes; from now on this process does all by itself."""
        with self._lock:
            self._workers = 0
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def _submit(self, raws: Sequence[bytes]) -> Future[bytes] | None:
        """Hand a chunk to the helping processes; None where there are none to be had."""
        with self._lock:
            if self._workers == 0:
                return None
            try:
                if self._pool is None:
                    self._pool = _new_pool(self._workers)
                return self._pool.submit(verify_signatures, raws, self._ledger_id)
            except (BrokenExecutor, OSError, ImportError):
                # One of them was killed, or the system has no room for them. Try anew next time.
                self._pool = None
                return None

    def _decode(self, raw: bytes, verdict: int) -> Checked:
        try:
            if not raw:
                raise NOT_BYTES()
            transaction = self._codec.decode(cose.parse(raw), raw)
            if not verdict:
                raise BAD_SIGNATURE()
        except Refused as refusal:
            return refusal
        return transaction


class _Task:
    """A chunk whose signatures are verified by a helping process, or here."""

    __slots__ = ("_future", "_ledger_id", "_verdicts", "raws")

    def __init__(self, raws: Sequence[bytes], ledger_id: bytes) -> None:
        self.raws = raws
        self._ledger_id = ledger_id
        self._verdicts: bytes | None = None
        self._future: Future[bytes] | None = None

    def hand_out(self, future: Future[bytes] | None) -> None:
        """Note that a helping process has it; None where there was none to be had."""
        self._future = future

    def away(self) -> bool:
        """Whether a helping process has it and is not done."""
        return self._future is not None and not self._future.done()

    def verify(self) -> None:
        """Verify here."""
        self._verdicts = verify_signatures(self.raws, self._ledger_id)

    def verdicts(self) -> bytes:
        """The verdicts, waiting for them if need be."""
        if self._verdicts is None and self._future is not None:
            try:
                self._verdicts = self._future.result()
            except BrokenExecutor:  # the process was killed
                self._future = None
        if self._verdicts is None:
            self.verify()
        assert self._verdicts is not None, "verified above"
        return self._verdicts


def _new_pool(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """In a helping process: end when the process that it helps is gone, even by kill -9."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="wattproof-parent", daemon=True).start()


def verify_signatures(raws: Sequence[bytes], ledger_id: bytes) -> bytes:
    """One byte a transaction: 1 where its signature holds for `ledger_id`, else 0."""
    verdicts = bytearray(len(raws))
    for position, raw in enumerate(raws):
        try:
            verdicts[position] = cose.verify(cose.parse(raw), aad=ledger_id)
        except Refused:
            verdicts[position] = 0
    return bytes(verdicts)
