"""The ledger itself over HTTP: what it is, its entries page by page, and every error it can give.

GET /api/v1/ledger             name, keys, newest checkpoint
GET /api/v1/entries            the log in order, a line an entry
GET /api/v1/errors[/{code}]    the codes, with their sentences
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, NotFound, codes
from wattproof.gateway.access import PUBLIC
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Ledger
from wattproof.gateway.sight import Sight
from wattproof.gateway.words import Sentence, decode_entry, events_of, signer_of
from wattproof.keys.did import did_of
from wattproof.ledger.chain import receipt_of
from wattproof.ledger.checkpoint import parse_body
from wattproof.ledger.genesis import Genesis, origin_of
from wattproof.ledger.machine import Machine
from wattproof.ledger.note import encode_vkey, parse_note
from wattproof.ledger.store import Block, Entry, Store
from wattproof.ledger.transaction import Codec

__all__ = [
    "EntryPage",
    "EntryView",
    "ErrorView",
    "LedgerFacts",
    "LedgerView",
    "facts_of",
    "latest_block",
    "router",
]

ENTRIES_LIMIT: Final = 256
"""Entries on one page at most."""

NO_CODE = ErrorCode(
    NotFound, "gateway.no_code", en="There is no error code {code}.", zh="没有错误代码 {code}。"
)

From = Annotated[
    int, QueryParameter(name="from", ge=0, le=2**53 - 1, description="Index of the first entry.")
]
EntryLimit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=ENTRIES_LIMIT, description="Entries on the page.")
]


class LedgerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What genesis says of a ledger, and what follows from it; it never changes.

    `id` is in hex; `vkey` is the log's verifier key in the form of C2SP signed notes.
    """

    id: str
    name: str
    origin: str
    zone: str
    profile: str
    registrar: str
    log_did: str
    vkey: str


class LedgerView(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger as its newest checkpoint shows it: `size` entries with the Merkle root `root`.

    `app_hash` commits to log and state after the block of `height`; hashes are in hex, `time_ms`
    is that block's time (UTC). `software` is the version that serves.
    """

    id: str
    name: str
    origin: str
    zone: str
    profile: str
    registrar: str
    log_did: str
    vkey: str
    size: int
    root: str
    app_hash: str
    height: int
    time_ms: int
    software: str


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log: where it stands, what it is, who signed (did:key), what happened.

    Of an entry that concerns only others, `id` and `signer` are null and `events` is empty.
    """

    index: int
    id: str | None
    height: int
    time_ms: int
    type: str
    version: int
    meaning: Sentence
    signer: str | None
    events: tuple[dict[str, Any], ...]


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in order; `next` is the index to go on from, or null at the end of `size`."""

    entries: tuple[EntryView, ...]
    size: int
    next: int | None


class ErrorView(msgspec.Struct, frozen=True, kw_only=True):
    """An error code: its HTTP status, and its sentences with the names of what they fill in."""

    code: str
    status: int
    en: str
    zh: str


def facts_of(ledger: Store, codec: Codec) -> LedgerFacts:
    """What genesis says."""
    entry = ledger.entry(0)
    genesis = decode_entry(codec, entry).body
    assert isinstance(genesis, Genesis), genesis
    origin = origin_of(entry.id)
    return LedgerFacts(
        id=entry.id.hex(),
        name=genesis.name,
        origin=origin,
        zone=genesis.zone,
        profile=genesis.profile,
        registrar=genesis.registrar,
        log_did=did_of(genesis.log_key),
        vkey=encode_vkey(origin, genesis.log_key),
    )


def latest_block(ledger: Store) -> Block:
    """The newest block; there is always one, that of genesis."""
    block = ledger.latest_block()
    assert block is not None, "a ledger has a genesis"
    return block


@get("/ledger", summary="The ledger and its newest checkpoint", opt=PUBLIC)
async def show_ledger(
    ledger: Ledger,
    facts: NamedDependency[LedgerFacts],
    software: NamedDependency[str],
) -> LedgerView:
    """What the ledger is, and how far it has come."""
    block = latest_block(ledger)
    checkpoint = parse_body(parse_note(block.checkpoint).body)
    return LedgerView(
        **msgspec.structs.asdict(facts),
        size=block.size,
        root=checkpoint.root.hex(),
        app_hash=block.app_hash.hex(),
        height=block.height,
        time_ms=block.time_ms,
        software=software,
    )


@get("/entries", responses=problems(400), summary="The log, page by page")
async def list_entries(
    ledger: Ledger,
    machine: NamedDependency[Machine],
    actor: Asker,
    sight: NamedDependency[Sight],
    first: From = 0,
    limit: EntryLimit = 50,
) -> EntryPage:
    """Entries from an index on, in the order of the log; of those of others, only that they are."""
    size = ledger.size
    entries = ledger.entries(first, limit)
    following = first + len(entries)
    return EntryPage(
        entries=tuple(_entry_view(ledger, machine.codec, sight, actor, entry) for entry in entries),
        size=max(size, following),
        next=following if entries and following < size else None,
    )


@get("/errors", summary="Every error code", opt=PUBLIC)
async def list_errors() -> list[ErrorView]:
    """The codes that this program declares, sorted."""
    return [_error_view(code) for code in codes()]


@get("/errors/{code:str}", responses=problems(400, 404), summary="One error code", opt=PUBLIC)
async def show_error(code: Annotated[str, PathParameter(max_length=100)]) -> ErrorView:
    """What a code means; problem details name this address as their `type`."""
    for known in codes():
        if known.code == code:
            return _error_view(known)
    raise NO_CODE(code=code)


def router() -> Router:
    """The routes, below ``/api/v1``."""
    handlers = [show_ledger, list_entries, list_errors, show_error]
    return Router("/api/v1", route_handlers=handlers, tags=["ledger"])


def _entry_view(ledger: Store, codec: Codec, sight: Sight, actor: Actor, entry: Entry) -> EntryView:
    decoded = decode_entry(codec, entry)
    receipt = receipt_of(entry, first=True)
    spec = decoded.body.spec
    # With its id anybody has an entry's proof, and so the entry.
    seen = sight.allows(actor, ledger, decoded)
    return EntryView(
        index=entry.index,
        id=entry.id.hex() if seen else None,
        height=receipt.height,
        time_ms=receipt.time_ms,
        type=spec.type,
        version=spec.version,
        meaning=Sentence(en=spec.en, zh=spec.zh),
        signer=signer_of(decoded) if seen else None,
        events=tuple(events_of(entry)) if seen else (),
    )


def _error_view(code: ErrorCode) -> ErrorView:
    return ErrorView(code=code.code, status=int(code.kind.http_status), en=code.en, zh=code.zh)
