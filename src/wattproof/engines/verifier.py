"""Signature verification: decodes and verifies transactions, on several cores where there are.

Threads do not help (libsodium's binding holds the interpreter's lock), so other processes check
signatures, in chunks, while this one decodes and runs contracts.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Final

from wattproof.core.errors import ErrorCode, Malformed, Refused, Unauthorised
from wattproof.keys import cose
from wattproof.ledger.transaction import Codec, Transaction

__all__ = ["CHUNK", "Verifier", "workers_here"]

CHUNK: Final = 256
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
        if self._workers == 0 or len(raws) < 2 * CHUNK:
            return [self.check(raw) for raw in raws]
        return self.collect(self.start(raws))

    def start(self, raws: Sequence[bytes]) -> list[tuple[Sequence[bytes], Future[bytes]]]:
        """Begin to verify signatures elsewhere; `collect` gives what came of it."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=multiprocessing.get_context("spawn")
            )
        pool, ledger_id = self._pool, self._ledger_id
        chunks = [raws[i : i + CHUNK] for i in range(0, len(raws), CHUNK)]
        return [(chunk, pool.submit(verify_signatures, chunk, ledger_id)) for chunk in chunks]

    def collect(self, started: list[tuple[Sequence[bytes], Future[bytes]]]) -> list[Checked]:
        """Decode what `start` was given, with the signatures' verdicts."""
        checked: list[Checked] = []
        for chunk, future in started:
            verdicts = future.result()
            checked.extend(map(self._decode, chunk, verdicts))
        return checked

    def warm_up(self) -> None:
        """Start the helping processes, so that the first large submission does not wait."""
        started = [self.start([b""])[0] for _ in range(self._workers)]
        self.collect(started)

    def close(self) -> None:
        """End the helping processes."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

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


def verify_signatures(raws: Sequence[bytes], ledger_id: bytes) -> bytes:
    """One byte a transaction: 1 where its signature holds for `ledger_id`, else 0."""
    verdicts = bytearray(len(raws))
    for position, raw in enumerate(raws):
        try:
            verdicts[position] = cose.verify(cose.parse(raw), aad=ledger_id)
        except Refused:
            verdicts[position] = 0
    return bytes(verdicts)
