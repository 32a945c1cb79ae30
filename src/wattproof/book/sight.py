"""Whom a transaction concerns: the owners of the accounts that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wattproof.book.model import ACCOUNTS
from wattproof.ledger.state import Reading

__all__ = ["owners_named"]


def owners_named(reading: Reading, names: Iterable[str]) -> Iterator[str]:
    """The owners (parties, devices, rooms) of those texts that are ids of accounts."""
    for name in names:
        account = reading.get(ACCOUNTS, name)
        if account is not None:
            yield account.owner
