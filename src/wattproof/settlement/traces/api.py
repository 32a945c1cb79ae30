"""Sealed trace codes over HTTP: what a holder of a key needs to search by itself.

GET /api/v1/settlement/traces/epochs
GET /api/v1/settlement/traces/epochs/{key}/copies
GET /api/v1/settlement/traces/epochs/{key}/batches             tokens of each batch
GET /api/v1/settlement/traces/epochs/{key}/batches/{number}    its sealed codes

Nothing can be asked for by province, kind, technology or time: who has the key makes the tokens,
compares them with those of the batches, and fetches the rows of the batches that match. Epochs are
shown to who opened them, to who holds their key, and to roles that see everything.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import Router, get
from litestar.params import PathParameter

from wattproof.core.errors import ErrorCode, Malformed, NotFound
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Cursor, Ledger, Limit, Page, page_of, shown
from wattproof.ledger.state import Reading
from wattproof.settlement.traces.model import (
    BATCHES,
    COPIES,
    EPOCHS,
    KEY_ID_BYTES,
    ROW_BYTES,
    Batch,
    Copy,
    Epoch,
)
from wattproof.settlement.traces.queries import epoch_of, holders_of, rows_of

__all__ = ["BatchRows", "router"]

KEY_TEXT = ErrorCode(
    Malformed,
    "settlement.key.text",
    en="“{text}” is not the id of an epoch, which has {characters} hexadecimal digits.",
    zh="“{text}”不是周期标识，周期标识应为 {characters} 位十六进制数。",
)
BATCH_UNKNOWN = ErrorCode(
    NotFound,
    "settlement.trace.unknown",
    en="Epoch {key} has no batch {number}.",
    zh="周期 {key} 没有第 {number} 批。",
)

KeyText = Annotated[str, PathParameter(max_length=64, description="An epoch's id in hex.")]
Number = Annotated[int, PathParameter(ge=0, le=2**53 - 1, description="A batch's number.")]


class BatchRows(msgspec.Struct, frozen=True, kw_only=True):
    """A batch with its sealed codes, each in hex, in the order of the log."""

    key: str
    number: int
    entry: int
    rows: tuple[str, ...]


@get("/epochs", responses=problems(400), summary="Epochs of trace keys, by id")
async def list_epochs(
    ledger: Ledger, actor: Asker, cursor: Cursor = None, limit: Limit = 100
) -> Page[Epoch]:
    """The epochs that one may see; their ids are random, and so is their order."""
    return page_of(
        ledger,
        EPOCHS,
        cursor=cursor,
        limit=limit,
        keep=lambda one: may_see(actor, _parties(ledger, one)),
    )


@get(
    "/epochs/{key:str}/copies",
    responses=problems(400, 403, 404),
    summary="Who holds an epoch's key",
)
async def list_copies(
    key: KeyText, ledger: Ledger, actor: Asker, cursor: Cursor = None, limit: Limit = 100
) -> Page[Copy]:
    """The wrapped copies of an epoch's key, by party."""
    epoch = _seen(ledger, actor, key)
    return page_of(ledger, COPIES, None, (epoch.key,), cursor=cursor, limit=limit)


@get(
    "/epochs/{key:str}/batches",
    responses=problems(400, 403, 404),
    summary="The batches of an epoch and their tokens",
)
async def list_batches(
    key: KeyText, ledger: Ledger, actor: Asker, cursor: Cursor = None, limit: Limit = 100
) -> Page[Batch]:
    """The batches of an epoch in their order, with the tokens by which they are found."""
    epoch = _seen(ledger, actor, key)
    return page_of(ledger, BATCHES, None, (epoch.key,), cursor=cursor, limit=limit)


@get(
    "/epochs/{key:str}/batches/{number:int}",
    responses=problems(400, 403, 404),
    summary="The sealed codes of a batch",
)
async def show_batch(key: KeyText, number: Number, ledger: Ledger, actor: Asker) -> BatchRows:
    """The rows of a batch as they stand in the log."""
    epoch = _seen(ledger, actor, key)
    batch = ledger.get(BATCHES, epoch.key, number)
    if batch is None:
        raise BATCH_UNKNOWN(key=key, number=number)
    rows = rows_of(ledger)(batch.entry)
    return shown(
        BatchRows(
            key=epoch.key.hex(),
            number=number,
            entry=batch.entry,
            rows=tuple(rows[at : at + ROW_BYTES].hex() for at in range(0, len(rows), ROW_BYTES)),
        )
    )


def router() -> Router:
    """The routes, below ``/api/v1/settlement/traces``."""
    handlers = [list_epochs, list_copies, list_batches, show_batch]
    return Router("/api/v1/settlement/traces", route_handlers=handlers, tags=["traces"])


def _seen(ledger: Reading, actor: Asker, text: str) -> Epoch:
    """The epoch with this id, if `actor` may see it."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_ID_BYTES or key.hex() != text:
        raise KEY_TEXT(text=text[:_SHOWN_CHARACTERS], characters=2 * KEY_ID_BYTES)
    found = ledger.get(EPOCHS, key)
    require_sight(actor, () if found is None else _parties(ledger, found))
    return epoch_of(ledger, key)


def _parties(ledger: Reading, epoch: Epoch) -> list[str]:
    return [epoch.opener, *holders_of(ledger, epoch.key)]


_SHOWN_CHARACTERS: Final = 80
