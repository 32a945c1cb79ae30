"""The ledger explorer: entries, one transaction in words, its receipt, checkpoints."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.frame import Frame
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, NotFound
from wattproof.gateway.ledger import LedgerFacts, latest_block
from wattproof.gateway.reading import Asker, Ledger
from wattproof.gateway.sight import Sight
from wattproof.gateway.words import Sentence, decode_entry, events_of, sentence_of, signer_of
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Entry, Store
from wattproof.ledger.transaction import Transaction

__all__ = ["router"]

PER_PAGE: Final = 50

NO_ENTRY = ErrorCode(
    NotFound, "console.no_entry", en="The log has no entry {index}.", zh="日志中没有条目 {index}。"
)
NO_TRANSACTION = ErrorCode(
    NotFound,
    "console.no_transaction",
    en="The ledger has no transaction {id}.",
    zh="账本中没有交易 {id}。",
)


@get("/ledger", include_in_schema=False)
async def show_ledger(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    machine: NamedDependency[Machine],
    facts: NamedDependency[LedgerFacts],
    actor: Asker,
    sight: NamedDependency[Sight],
    before: Annotated[int | None, QueryParameter(name="before", ge=1)] = None,
) -> Response[Any]:
    """The newest entries first, page by page, and the newest checkpoint."""
    block = latest_block(ledger)
    end = min(before or block.size, block.size)
    first = max(0, end - PER_PAGE)
    entries = ledger.entries(first, end - first)
    return frame.page(
        visitor,
        "console/ledger.html",
        block=block,
        facts=facts,
        rows=[_line(ledger, machine, sight, actor, entry) for entry in reversed(entries)],
        before=first or None,
        newest=end == block.size,
    )


@get("/ledger/entries/{index:int}", include_in_schema=False)
async def show_entry(
    index: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    machine: NamedDependency[Machine],
    actor: Asker,
    sight: NamedDependency[Sight],
) -> Response[Any]:
    """One entry, by its index."""
    found = ledger.entries(index, 1) if 0 <= index < 2**62 else []
    if not found or found[0].index != index:
        raise NO_ENTRY(index=index)
    decoded = decode_entry(machine.codec, found[0])
    sight.require(actor, ledger, decoded)
    return _transaction(frame, visitor, ledger, found[0], decoded)


@get("/ledger/transactions/{transaction_id:str}", include_in_schema=False)
async def show_transaction(
    transaction_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    machine: NamedDependency[Machine],
    actor: Asker,
    sight: NamedDependency[Sight],
) -> Response[Any]:
    """One entry, by its transaction's id."""
    try:
        entry = ledger.find_entry(bytes.fromhex(transaction_id[:80]))
    except ValueError:
        entry = None
    if entry is None:
        raise NO_TRANSACTION(id=transaction_id[:80])
    decoded = decode_entry(machine.codec, entry)
    sight.require(actor, ledger, decoded)
    return _transaction(frame, visitor, ledger, entry, decoded)


def router() -> Router:
    """The routes."""
    return Router("/", route_handlers=[show_ledger, show_entry, show_transaction])


def _line(
    ledger: Store, machine: Machine, sight: Sight, actor: Actor, entry: Entry
) -> dict[str, Any]:
    """An entry as a line of the list; what it says is left out where `actor` may not see it."""
    decoded = decode_entry(machine.codec, entry)
    if not sight.allows(actor, ledger, decoded):
        return {**_row(decoded, entry), "signer": "", "events": [], "hidden": True}
    return {**_row(decoded, entry), "hidden": False}


def _row(decoded: Transaction, entry: Entry) -> dict[str, Any]:
    _, time_ms, _ = leaf_parts(entry.leaf)
    spec = decoded.body.spec
    return {
        "index": entry.index,
        "id": entry.id.hex(),
        "time_s": time_ms // 1000,
        "what": Sentence(en=spec.en, zh=spec.zh),
        "type": spec.type,
        "signer": signer_of(decoded),
        "events": [sentence_of(event) for event in events_of(entry)],
    }


def _transaction(
    frame: Frame, visitor: Visitor, ledger: Store, entry: Entry, decoded: Transaction
) -> Response[Any]:
    height, _, raw = leaf_parts(entry.leaf)
    return frame.page(
        visitor,
        "console/transaction.html",
        row=_row(decoded, entry),
        version=decoded.body.spec.version,
        height=height,
        fields=frame.words.fields(
            decoded.body, lang=visitor.lang, reading=ledger, signer=decoded.signer
        ),
        nonce=decoded.nonce.hex(),
        bytes=raw.hex(),
    )
