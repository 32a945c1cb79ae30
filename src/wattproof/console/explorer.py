"""The ledger explorer: entries, one transaction in words, its receipt, checkpoints."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.frame import Frame
from wattproof.console.visitor import Visitor
from wattproof.core.errors import ErrorCode, NotFound
from wattproof.gateway.ledger import LedgerFacts, latest_block
from wattproof.gateway.reading import Ledger
from wattproof.gateway.sight import Sight
from wattproof.gateway.words import Sentence, decode_entry, events_of, signer_of
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
        rows=[
            _line(frame, visitor, ledger, sight, decode_entry(machine.codec, entry), entry)
            for entry in reversed(entries)
        ],
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
    sight: NamedDependency[Sight],
) -> Response[Any]:
    """One entry, by its index."""
    found = ledger.entries(index, 1) if 0 <= index < 2**62 else []
    if not found or found[0].index != index:
        raise NO_ENTRY(index=index)
    decoded = decode_entry(machine.codec, found[0])
    return _transaction(frame, visitor, ledger, sight, found[0], decoded)


@get("/ledger/transactions/{transaction_id:str}", include_in_schema=False)
async def show_transaction(
    transaction_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    machine: NamedDependency[Machine],
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
    return _transaction(frame, visitor, ledger, sight, entry, decoded)


def router() -> Router:
    """The routes."""
    return Router("/", route_handlers=[show_ledger, show_entry, show_transaction])


def _line(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    sight: Sight,
    decoded: Transaction,
    entry: Entry,
) -> dict[str, Any]:
    """An entry as a line of the list; what it says is left out where it is not to be seen."""
    hidden = not sight.allows(visitor.actor, ledger, decoded)
    spec = decoded.body.spec
    line = {
        "index": entry.index,
        "id": entry.id.hex(),
        "time_s": leaf_parts(entry.leaf)[1] // 1000,
        "what": Sentence(en=spec.en, zh=spec.zh),
        "type": spec.type,
        "hidden": hidden,
    }
    if hidden:
        return line
    words, lang = frame.words, visitor.lang
    return {
        **line,
        "signer": signer_of(decoded),
        "holder": words.holder(ledger, decoded.signer),
        "events": [words.sentence(event, lang=lang, reading=ledger) for event in events_of(entry)],
    }


def _transaction(
    frame: Frame,
    visitor: Visitor,
    ledger: Store,
    sight: Sight,
    entry: Entry,
    decoded: Transaction,
) -> Response[Any]:
    sight.require(visitor.actor, ledger, decoded)
    height, _, raw = leaf_parts(entry.leaf)
    return frame.page(
        visitor,
        "console/transaction.html",
        row=_line(frame, visitor, ledger, sight, decoded, entry),
        version=decoded.body.spec.version,
        height=height,
        fields=frame.words.fields(
            decoded.body, lang=visitor.lang, reading=ledger, signer=decoded.signer
        ),
        nonce=decoded.nonce.hex(),
        bytes=raw.hex(),
    )
