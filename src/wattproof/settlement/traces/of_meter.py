"""The trace codes of one meter's trades, as far as a party can open them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wattproof.core.trace_codes import trace_text
from wattproof.ledger.state import Reading
from wattproof.settlement.traces.queries import Held, RowsOf, Wanted, search
from wattproof.settlement.trade_queries import TradeView

__all__ = ["SealedCode", "codes_of_trades"]


class SealedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A trade's code as it was published: its text, the epoch's id in hex, and the log entry."""

    code: str
    epoch: str
    entry: int


def codes_of_trades(
    reading: Reading, rows: RowsOf, held: Iterable[Held], trades: Iterable[TradeView]
) -> dict[str, SealedCode]:
    """The published codes of trades of one meter, by the trades' ids, among the epochs that are
    open.

    A trade whose code was not published, or is in an epoch that is not open, is not there.
    """
    wanted = {(one.number, one.trade): one for one in trades if one.hours}
    if not wanted:
        return {}
    period = Wanted(
        kind=next(iter(wanted.values())).kind,
        from_s=min(one.first_s for one in wanted.values()),
        to_s=max(one.first_s for one in wanted.values()) + 1,
    )
    return {
        wanted[code.meter, code.record].id: SealedCode(
            code=trace_text(code), epoch=one.batch.key.hex(), entry=one.batch.entry
        )
        for one in search(reading, rows, held, period)
        for code in one.codes
        if (code.meter, code.record) in wanted
    }
