"""Trace codes of the trades of settlement runs: what is published after a run.

A code names its trade by meter and number; the trade does not name its code, for it stands in the
log in plain. Publishing again adds what is missing and nothing else, whatever was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from wattproof.core.trace_codes import TraceCode, TraceKind
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Receipt
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import content_nonce, sign_transaction
from wattproof.settlement.events import Settled, Trade
from wattproof.settlement.model import HOUR_S
from wattproof.settlement.queries import run_of
from wattproof.settlement.runner import Engine
from wattproof.settlement.traces.queries import Held, Wanted, rows_of, search
from wattproof.settlement.traces.sealing import publishing
from wattproof.settlement.trade_records import batches_of

__all__ = ["UNSPECIFIED", "TechnologyOf", "codes_of_run", "publish_run", "trade_codes"]

UNSPECIFIED: Final = "F00000000"
"""The EECS energy source of which nothing is known."""

TechnologyOf = Callable[[TraceKind, int], str]
"""The technology or energy source of a meter, by kind and number."""


def trade_codes(
    settled: Settled, *, place: str, technology_of: TechnologyOf
) -> Iterator[TraceCode]:
    """The codes of a batch's trades; a trade without energy, which pays arrears alone, has none.

    `place` is the region's code in `core.codes`.
    """
    kinds: tuple[tuple[TraceKind, tuple[Trade, ...]], ...] = (
        ("supply", settled.supply),
        ("consumption", settled.consumption),
    )
    for kind, trades in kinds:
        for trade in trades:
            if trade.hours:
                yield TraceCode(
                    kind=kind,
                    region=place,
                    technology=technology_of(kind, trade.meter),
                    start_s=trade.first_s,
                    length_s=trade.hours * HOUR_S,
                    meter=trade.meter,
                    record=trade.trade,
                )


def codes_of_run(
    store: Store, *, region: str, run: int, place: str, technology_of: TechnologyOf
) -> list[TraceCode]:
    """The codes of all trades of a run so far; raises `NotFound` for a run that there is not."""
    run_of(store, region, run)
    found: list[TraceCode] = []
    for batch in batches_of(store, region):
        settled = batch.settled
        if settled.run < run:
            break
        if settled.run == run:
            found += trade_codes(settled, place=place, technology_of=technology_of)
    return found


def publish_run(
    store: Store, engine: Engine, codes: Sequence[TraceCode], *, held: Sequence[Held],
    key: SigningKey,
) -> list[Receipt]:  # fmt: skip
    """Publish codes in the last of the epochs, which is the signer's.

    A trade that has a code in any of the epochs gets no other. Raises what the ledger refuses.
    """
    if not codes:
        return []
    period = Wanted(
        from_s=min(code.start_s for code in codes), to_s=max(code.start_s for code in codes) + 1
    )
    there = {
        _trade_of(code) for one in search(store, rows_of(store), held, period) for code in one.codes
    }
    last = held[-1]
    bodies = publishing(
        last.key, (code for code in codes if _trade_of(code) not in there), first=last.epoch.batches
    )
    raws = [
        sign_transaction(body, key, ledger_id=last.key.ledger_id, nonce=content_nonce(body))
        for body in bodies
    ]
    receipts: list[Receipt] = []
    for answer in engine.submit_many(raws):
        if not isinstance(answer, Receipt):
            raise answer
        receipts.append(answer)
    return receipts


def _trade_of(code: TraceCode) -> tuple[TraceKind, int, int]:
    """Which trade a code names: meters count their trades."""
    return code.kind, code.meter, code.record
