"""An account's postings, newest first, read along the chain that they form in the log.

There is no index from an account to its postings, which would cost every posting a row more for
ever. Instead a balance names the log entry that changed it last (`Balance.last_entry`), and each
line of a posting the one before it in the same account and asset (`Entry.previous`).
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from wattproof.book.model import BALANCES, Posted
from wattproof.book.refusals import STATEMENT_START
from wattproof.ledger import store
from wattproof.ledger.chain import receipt_of
from wattproof.ledger.state import Reading

__all__ = ["MAX_SHOWN_ACCOUNTS", "Line", "Log", "Statement", "statement"]

MAX_SHOWN_ACCOUNTS = 8
"""Accounts on the other side that a line names at most."""


class Log(Reading, Protocol):
    """What a statement is read from: the state, and the log's entries."""

    def entries(self, first: int, count: int) -> list[store.Entry]:
        """Up to `count` entries from `first` on, in order."""
        ...


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What one posting changed: `amount` in the asset's unit, below zero where it was taken out.

    `entry` is its place in the log, `time_s` its block's time. `others` are the accounts on the
    other side, the first few of them; where there are more, `others_count` says how many in all.
    """

    entry: int
    time_s: int
    amount: int
    memo: str
    others: tuple[str, ...]
    others_count: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Postings of one account and asset, newest first; `next` is where the older ones begin."""

    lines: tuple[Line, ...]
    next: int | None


def statement(
    log: Log, *, account: str, asset: str, start: int | None = None, limit: int
) -> Statement:
    """The postings from the log entry `start` back, or from the newest one.

    Reads as many log entries as there are postings shown, at least `limit` where there are more:
    those of one transaction stay together. An account that there is not has none. Raises
    ``book.statement.start`` where `start` is not one of its postings.
    """
    balance = log.get(BALANCES, account, asset)
    at = start if start is not None else -1 if balance is None else balance.last_entry
    lines: list[Line] = []
    while at >= 0 and len(lines) < limit:
        found = log.entries(at, 1) if at < 2**62 else []
        posted, previous = _lines(found, at, account=account, asset=asset)
        if not posted:
            raise STATEMENT_START(entry=at, account=account, asset=asset)
        lines += posted
        at = previous
    return Statement(lines=tuple(lines), next=at if at >= 0 else None)


def _lines(
    found: list[store.Entry], at: int, *, account: str, asset: str
) -> tuple[list[Line], int]:
    """What the log entry `at` posted to an account, last first, and the entry to go on with."""
    lines: list[Line] = []
    previous = -1
    if not found or found[0].index != at:
        return lines, previous
    receipt = receipt_of(found[0], first=False)
    for name, fields in receipt.events:
        if name != Posted.name:
            continue
        posted = msgspec.convert(fields, Posted)
        mine = next((e for e in posted.entries if (e.account, e.asset) == (account, asset)), None)
        if mine is None:
            continue
        others = [
            entry.account
            for entry in posted.entries
            if entry.asset == asset and (entry.amount < 0) != (mine.amount < 0)
        ]
        line = Line(
            entry=at,
            time_s=receipt.time_ms // 1000,
            amount=mine.amount,
            memo=posted.memo,
            others=tuple(others[:MAX_SHOWN_ACCOUNTS]),
            others_count=len(others),
        )
        # Where one transaction posts twice, its first posting knows what came before it.
        previous = previous if lines else mine.previous
        lines.append(line)
    return lines[::-1], previous
