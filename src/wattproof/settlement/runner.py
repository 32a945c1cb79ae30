"""A whole run: opened, batch after batch, closed; gone on with wherever it stopped.

The ledger knows how far a run is. Whoever starts it again, after a kill or beside another who runs
it too, goes on behind the last meter that was settled; what was handed in twice is answered with
the first receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from wattproof.core.errors import WattProofError
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import Receipt
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body, content_nonce, sign_transaction
from wattproof.settlement.model import (
    HOUR_S,
    BatchRun,
    CloseRun,
    OpenRun,
)
from wattproof.settlement.queries import region_of, run_of
from wattproof.settlement.records import (
    USAGE,
    Run,
)
from wattproof.settlement.refusals import BATCH_ORDER, RUN_GONE, RUN_OPEN

__all__ = ["BATCH", "Engine", "Told", "settle_region"]

BATCH: Final = 2_000
"""Meters in a batch."""
AHEAD: Final = 4
"""Batches that are handed in together."""

Told = Callable[[Run, int], None]
"""Is told how far the run is, and how many meters there are in all."""


_OVERTAKEN: Final = (RUN_OPEN.code, RUN_GONE.code, BATCH_ORDER.code)
"""Refusals that mean that somebody else runs it as well."""


class Engine(Protocol):
    """What transactions are handed in to."""

    def submit_many(self, raws: Sequence[bytes]) -> Sequence[Any]:
        """For each a receipt, or what refuses it."""


def settle_region(
    store: Store,
    engine: Engine,
    *,
    region: str,
    key: SigningKey,
    ledger_id: bytes,
    until_s: int,
    batch: int = BATCH,
    tell: Told = lambda _run, _meters: None,
) -> Run:
    """Settle the region's meters for hours that end up to `until_s`, and give the run as it ended.

    `key` is the operator's. A run that is open is gone on with first, to its own end; if that is
    far enough, it is the one. Raises what the contract refuses.
    """
    runner = _Runner(store, engine, region, key, ledger_id, batch, tell)
    found = region_of(store, region)
    local_s = (until_s + found.offset_s) // HOUR_S * HOUR_S - found.offset_s
    while True:
        found = region_of(store, region)
        number = found.open_run or runner.open(found.runs + 1, local_s)
        if number:
            run = runner.finish(number)
            if run.until_s >= local_s:
                return run


class _Runner:
    """Hands in the transactions of runs; others may be doing the same."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        region: str,
        key: SigningKey,
        ledger_id: bytes,
        batch: int,
        tell: Told,
    ) -> None:
        self._store = store
        self._engine = engine
        self._region = region
        self._key = key
        self._ledger_id = ledger_id
        self._batch = batch
        self._tell = tell

    def open(self, number: int, until_s: int) -> int:
        """Open the run of this number; 0 where somebody else was quicker.

        The nonce follows from the number, so that two who open the same open one.
        """
        body = OpenRun(region=self._region, until_s=until_s)
        nonce = content_nonce(CloseRun(region=self._region, run=number))
        return number if self._submit([(body, nonce)]) else 0

    def finish(self, number: int) -> Run:
        """Settle the meters behind the last that was, and close the run."""
        run = run_of(self._store, self._region, number)
        meters = _count(self._store, self._region)
        while run.state == "open":
            self._tell(run, meters)
            bodies: list[Body] = list(self._batches(run))
            if not bodies:
                bodies = [CloseRun(region=run.region, run=run.number)]
            self._submit([(body, content_nonce(body)) for body in bodies])
            run = run_of(self._store, self._region, number)
        self._tell(run, meters)
        return run

    def _batches(self, run: Run) -> Iterator[BatchRun]:
        reached = run.reached
        for _ in range(AHEAD):
            keys = self._store.keys(
                USAGE, "region", (run.region,), after=(reached,), limit=self._batch
            )
            if not keys:
                return
            numbers = [int(number) for (number,) in keys]
            meters = UintArray.from_ints(numbers)
            yield BatchRun(region=run.region, run=run.number, after=reached, meters=meters)
            reached = numbers[-1]

    def _submit(self, steps: Sequence[tuple[Body, bytes]]) -> bool:
        """Hand in transactions; False where another who runs it too has been there before."""
        raws = [
            sign_transaction(body, self._key, ledger_id=self._ledger_id, nonce=nonce)
            for body, nonce in steps
        ]
        for answer in self._engine.submit_many(raws):
            if isinstance(answer, Receipt):
                continue
            if isinstance(answer, WattProofError) and answer.code in _OVERTAKEN:
                return False
            raise answer
        return True


def _count(store: Store, region: str) -> int:
    """How many meters trade in a region."""
    count, after = 0, None
    while keys := store.keys(USAGE, "region", (region,), after=after, limit=100_000):
        count, after = count + len(keys), keys[-1]
    return count
