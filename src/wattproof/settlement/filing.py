"""Statements on the ledger: the transaction that files one, and the check that it comes out the
same.

What is filed is the digest of the statement's bytes and all that is needed to make them again; the
contract compares its sums with those of the trades. A year later whoever has the log makes the
statement anew and compares.
"""

from __future__ import annotations

import msgspec

from wattproof.analytics.lake import Lake
from wattproof.ledger.store import Store
from wattproof.settlement.model import FileStatement
from wattproof.settlement.records import FiledStatement
from wattproof.settlement.statement import Statement, statement, statement_digest

__all__ = ["Remade", "filing_of", "made_again"]


class Remade(msgspec.Struct, frozen=True, kw_only=True):
    """A filed statement made again, the digest of what came of it, and whether it is the same."""

    statement: Statement
    digest: bytes
    same: bool


def filing_of(made: Statement) -> FileStatement:
    """The transaction that files a statement; the region's operator signs it."""
    return FileStatement(
        region=made.region,
        from_s=made.from_s,
        to_s=made.to_s,
        step=made.step,
        entries=made.entries,
        supplied_wh=made.supplied_wh,
        consumed_wh=made.consumed_wh,
        trades_supply=made.trades_first,
        trades_consumption=made.trades_second,
        digest=statement_digest(made),
    )


def made_again(store: Store, lake: Lake, filed: FiledStatement) -> Remade:
    """The statement that was filed, from the log as it was then, beside the digest on file."""
    made = statement(
        store,
        lake,
        region=filed.region,
        from_s=filed.from_s,
        to_s=filed.to_s,
        step=filed.step,
        entries=filed.entries,
    )
    digest = statement_digest(made)
    return Remade(statement=made, digest=digest, same=digest == filed.digest)
