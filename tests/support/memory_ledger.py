"""A ledger in memory for the tests of rooms: real keys, envelopes, codec, machine and state.

    ledger = MemoryLedger([identity.contract.CONTRACT], authorise=identity.contract.authorise)
    ledger.genesis()
    ledger.submit(RegisterParty(...), key_of("registrar"))

Only what lies outside a room is missing: there is no log on disk, no tree, no engine. Every
accepted transaction is a block of its own, whose writes go through their encoded form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from wattproof.core.errors import WattProofError
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.genesis import (
    GENESIS_AAD,
    PROFILE,
    Founder,
    Genesis,
    ledger_id_of,
    sign_genesis,
)
from wattproof.ledger.machine import Authorise, Context, Contract, Event, Machine
from wattproof.ledger.state import Collection, Key, Record, Row, State
from wattproof.ledger.transaction import (
    NONCE_BYTES,
    Body,
    sign_transaction,
)

__all__ = [
    "FOUNDERS",
    "START_MS",
    "Accepted",
    "MemoryLedger",
    "MemoryRows",
    "genesis_of",
    "key_of",
]

START_MS = 1_700_000_000_000
"""The time of genesis, unless a test sets another: 2023-11-14T22:13:20Z."""

FOUNDERS: Mapping[str, tuple[str, ...]] = {
    "registrar": ("registrar",),
    "importer": ("importer",),
}
"""Ids and roles of the founders that `genesis` takes unless it is told others."""

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Record)


@cache
def key_of(name: str) -> SigningKey:
    """The key that belongs to a name in tests, always the same."""
    return SigningKey.from_seed(hashlib.sha256(b"wattproof tests " + name.encode()).digest())


class MemoryRows:
    """Committed rows in a dictionary, in their encoded form."""

    def __init__(self) -> None:
        self._rows: dict[Collection[Any], dict[Key, Row]] = {}

    def row(self, collection: Collection[Any], key: Key) -> Row | None:
        return self._rows.get(collection, {}).get(key)

    def rows(
        self, collection: Collection[Any], fields: tuple[str, ...], values: Key
    ) -> list[bytes]:
        rows = self._rows.get(collection, {})
        found = []
        for key in sorted(rows):
            record = collection.decode(rows[key].value)
            if all(
                getattr(record, field) == value for field, value in zip(fields, values, strict=True)
            ):
                found.append(rows[key].value)
        return found

    def commit(self, state: State) -> None:
        """Take over the block's writes."""
        for write in state.take_writes():
            rows = self._rows.setdefault(write.collection, {})
            if write.value is None:
                rows.pop(write.key, None)
            else:
                rows[write.key] = Row(write.value, write.entry)


class Accepted(msgspec.Struct, frozen=True):
    """What came of a transaction: its id, its entry index, its events and its encoded result."""

    id: bytes
    index: int
    events: tuple[Event, ...]
    result: bytes

    def event(self, kind: type[E]) -> E:
        """The one event of this kind."""
        (found,) = (event for event in self.events if isinstance(event, kind))
        return found


class MemoryLedger:
    """A machine over `contracts`, and the state that its transactions leave.

    `time_ms` is the time of the next block and may be set; `size` is the number of entries.
    """

    def __init__(self, contracts: Iterable[Contract], authorise: Authorise) -> None:
        self.machine = Machine(contracts, authorise=authorise)
        self.rows = MemoryRows()
        self.state = State(self.rows)
        self.time_ms = START_MS
        self.size = 0
        self.ledger_id = bytes(32)
        self._nonce = 0

    def genesis(
        self,
        roles: Mapping[str, tuple[str, ...]] = FOUNDERS,
        *,
        registrar: str = "registrar",
        zone: str = "Asia/Shanghai",
    ) -> Accepted:
        """Open the ledger with a founder for each id in `roles`, each with `key_of` its id."""
        return self.open(genesis_of(roles, registrar=registrar, zone=zone), key_of(registrar))

    def open(self, genesis: Genesis, key: SigningKey) -> Accepted:
        """Open the ledger with this genesis transaction, signed by `key`."""
        raw = sign_genesis(genesis, key, nonce=bytes(NONCE_BYTES))
        self.ledger_id = ledger_id_of(raw)
        return self.submit_raw(raw, aad=GENESIS_AAD)

    def sign(self, body: Body, key: SigningKey) -> bytes:
        """The signed transaction, with a nonce that has not been used."""
        self._nonce += 1
        nonce = self._nonce.to_bytes(NONCE_BYTES, "big")
        return sign_transaction(body, key, ledger_id=self.ledger_id, nonce=nonce)

    def submit(self, body: Body, key: SigningKey) -> Accepted:
        """Sign, run and commit a transaction; raises the `Refused` error of its rule."""
        return self.submit_raw(self.sign(body, key))

    def submit_raw(self, raw: bytes, *, aad: bytes | None = None) -> Accepted:
        """Run and commit a signed transaction; raises `Malformed` or the rule's `Refused`."""
        envelope = cose.parse(raw)
        signed_for = self.ledger_id if aad is None else aad
        assert cose.verify(envelope, aad=signed_for), "the signature does not hold"
        transaction = self.machine.codec.decode(envelope, raw)
        context = self._context()
        outcome = self.machine.run(context, transaction, index=self.size)
        if outcome.refusal is not None:
            raise outcome.refusal
        self.rows.commit(self.state)
        accepted = Accepted(transaction.id, self.size, tuple(context.events), outcome.result)
        self.size += 1
        return accepted

    def refusal_of(self, body: Body, key: SigningKey) -> WattProofError | None:
        """Why it would be refused, None if it would not be; nothing of it is kept either way."""
        raw = self.sign(body, key)
        transaction = self.machine.codec.decode(cose.parse(raw), raw)
        outcome = self.machine.run(self._context(), transaction, index=self.size)
        self.forget()
        return outcome.refusal

    def forget(self) -> None:
        """Drop the cache of decoded records, as a restart would."""
        self.state = State(self.rows)

    def one(self, collection: Collection[R], *key: int | str | bytes) -> R:
        """The record with this key, which must exist."""
        record = self.state.get(collection, *key)
        assert record is not None, f"no {collection.name} {key}"
        return record

    def _context(self) -> Context:
        return self.machine.context(self.state, height=self.size + 1, time_ms=self.time_ms)


def genesis_of(
    roles: Mapping[str, tuple[str, ...]] = FOUNDERS,
    *,
    registrar: str = "registrar",
    zone: str = "Asia/Shanghai",
) -> Genesis:
    """A genesis with a founder for each id in `roles`."""
    founders = tuple(
        Founder(id=id_, name=f"Founder {id_}", uscc="", key=key_of(id_).public, roles=names)
        for id_, names in roles.items()
    )
    return Genesis(
        name="Test ledger",
        zone=zone,
        profile=PROFILE,
        log_key=key_of("log").public,
        founders=founders,
        registrar=registrar,
    )
