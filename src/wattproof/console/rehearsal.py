"""What the ledger would say to a transaction now, before anybody signs it.

The rule runs as it would in the next block, on the newest state, and everything that it does is
forgotten. A form can so be refused where it was filled in, with the ledger's own sentence. Whether
a transaction is accepted is decided when it is submitted, and only then.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.plugins import InitPlugin

from wattproof.console.visitor import Visitor
from wattproof.core.errors import ErrorCode, Unauthorised
from wattproof.ledger.machine import Event, Machine
from wattproof.ledger.state import State
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import NONCE_BYTES, Body, Transaction

__all__ = ["KeyOf", "Rehearsal"]

KeyOf = Callable[[str], bytes | None]
"""The public key with which a party signs at present; None for one that is not on the ledger."""

NO_PARTY = ErrorCode(
    Unauthorised,
    "console.no_party",
    en="{party}, for whom you act, is not registered on this ledger.",
    zh="您所代表的 {party} 未在本账本登记。",
)


class Rehearsal(InitPlugin):
    """Rehearses transactions on one ledger. Handlers ask for it by the name ``rehearsal``."""

    def __init__(self, *, machine: Machine, store: Store, key_of: KeyOf) -> None:
        self._machine = machine
        self._store = store
        self._key_of = key_of

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Give it to handlers (Litestar)."""
        app_config.dependencies["rehearsal"] = Provide(lambda: self, sync_to_thread=False)
        return app_config

    def check(self, visitor: Visitor, body: Body) -> list[Event]:
        """What would happen if the visitor's party signed `body` now; raises what would refuse it.

        Raises ``gateway.sign_in_needed`` where nobody is signed in.
        """
        party = visitor.signed_in_as.user.party
        store = self._store
        with store.snapshot():
            key, block = self._key_of(party), store.latest_block()
            if key is None or block is None:
                raise NO_PARTY(party=party)
            context = self._machine.context(
                State(store), height=block.height + 1, time_ms=_now_ms(block.time_ms)
            )
            outcome = self._machine.run(context, _unsigned(body, key), index=block.size)
        if outcome.refusal is not None:
            raise outcome.refusal
        return context.events


def _unsigned(body: Body, key: bytes) -> Transaction:
    return Transaction(id=bytes(32), raw=b"", signer=key, nonce=bytes(NONCE_BYTES), body=body)


def _now_ms(least_ms: int) -> int:
    """The time of the next block, which is never before the last one."""
    return max(least_ms, time.time_ns() // 1_000_000)
