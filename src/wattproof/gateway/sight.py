"""Who may see what a log entry says.

That there is an entry, when it came and of which type is no secret. What it says is shown to those
whom it concerns, to roles that see everything, and to everybody where its type is public knowledge
(a published factor). What proves it (receipt, proof, checkpoint) is public anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final

import msgspec

from wattproof.core.actor import Actor
from wattproof.gateway.access import may_see, require_sight
from wattproof.ledger.state import Reading
from wattproof.ledger.transaction import Transaction

__all__ = ["Concerned", "Sight"]

NAME_CHARACTERS: Final = 64
"""Ids are no longer than this."""

Concerned = Callable[[Reading, bytes, Collection[str]], Iterable[str]]
"""The parties whom a transaction concerns, from its signer's key and the texts that it holds."""


class Sight:
    """Decides it; `public` names types of transactions that concern everybody.

    Left alone it lets only those see who see everything.
    """

    def __init__(
        self,
        *,
        public: Collection[str] = (),
        concerned: Concerned = lambda _reading, _signer, _names: (),
    ) -> None:
        self._public = frozenset(public)
        self._concerned = concerned

    def allows(self, actor: Actor, reading: Reading, transaction: Transaction) -> bool:
        """Whether `actor` may see what the transaction says and what it made happen."""
        return may_see(actor, self._parties(actor, reading, transaction))

    def require(self, actor: Actor, reading: Reading, transaction: Transaction) -> None:
        """Raise ``gateway.not_yours`` unless `actor` may see it."""
        require_sight(actor, self._parties(actor, reading, transaction))

    def _parties(self, actor: Actor, reading: Reading, transaction: Transaction) -> Iterable[str]:
        if transaction.body.spec.type in self._public or may_see(actor, ()):
            return [actor.id]
        return self._concerned(reading, transaction.signer, set(_names(transaction.body)))


def _names(value: Any) -> Iterator[str]:
    """The texts in a transaction's fields that can be ids."""
    if isinstance(value, str):
        if 0 < len(value) <= NAME_CHARACTERS:
            yield value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _names(getattr(value, field))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names(item)
