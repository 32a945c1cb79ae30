"""The pages of sealed trace codes: the epochs that a visitor opened or holds the key of.

GET /settlement/trace-keys         the epochs, and how to search by command
GET /settlement/trace-keys/{key}   one epoch: who opened it, who holds its key, its batches

The node does not know the keys, so nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.console.frame import Frame
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.reading import Asker, Cursor, Ledger, page_with
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.traces.model import BATCHES, COPIES, EPOCHS, KEY_ID_BYTES, Epoch
from wattproof.settlement.traces.queries import epoch_of, holders_of

__all__ = ["EpochRow", "pages"]

PER_PAGE: Final = 50
HOLDERS_NAMED: Final = 200
"""Holders of a key that an epoch's page names."""
BATCHES_PER_PAGE: Final = 50


class EpochRow(msgspec.Struct, frozen=True, kw_only=True):
    """An epoch in the list: when it was opened, and whether the visitor opened or holds it."""

    epoch: Epoch
    id: str
    time_s: int
    opened: bool
    held: bool


@get("/settlement/trace-keys", include_in_schema=False)
async def list_epochs(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
) -> Response[Any]:
    """The epochs that the visitor may see, newest first where they are one's own."""
    following = None
    if may_see(actor, ()):
        page = page_with(ledger, EPOCHS, cursor=cursor, limit=PER_PAGE,
                         show=lambda one: _row(ledger, actor, one))  # fmt: skip
        rows, following = list(page.items), page.next
    else:
        found = {one.key: one for one in _own(ledger, actor)}
        newest = sorted(found.values(), key=lambda one: -one.entry)
        rows = [_row(ledger, actor, one) for one in newest[:PER_PAGE]]
    return frame.page(
        visitor,
        "settlement/trace_keys.html",
        rows=rows,
        following=following,
        party=actor.id,
        opens=visitor.signed_in and visitor.has_role("grid_company"),
    )


@get("/settlement/trace-keys/{key:str}", include_in_schema=False)
async def show_epoch(
    key: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    before: Annotated[int | None, QueryParameter(ge=1, le=2**53)] = None,
) -> Response[Any]:
    """One epoch, with its newest batches."""
    epoch = _seen(ledger, actor, key)
    end = min(before or epoch.batches, epoch.batches)
    first = max(0, end - BATCHES_PER_PAGE)
    batches = ledger.page(
        BATCHES, None, (epoch.key,), after=(epoch.key, first - 1), limit=end - first
    ) if end > first else []  # fmt: skip
    holders = ledger.page(COPIES, None, (epoch.key,), after=None, limit=HOLDERS_NAMED)
    return frame.page(
        visitor,
        "settlement/trace_key.html",
        row=_row(ledger, actor, epoch),
        epoch=epoch,
        holders=holders,
        batches=batches[::-1],
        older=first or None,
        newest=end == epoch.batches,
        party=actor.id,
        opener_seen=may_see(actor, [epoch.opener]),
    )


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [list_epochs, show_epoch]


def _own(ledger: Reading, actor: Actor) -> Iterator[Epoch]:
    """The epochs that a party opened, or was given the key of."""
    yield from ledger.find(EPOCHS, "opener", actor.id)
    for copy in ledger.find(COPIES, "party", actor.id):
        yield epoch_of(ledger, copy.key)


def _row(ledger: Store, actor: Actor, epoch: Epoch) -> EpochRow:
    return EpochRow(
        epoch=epoch,
        id=epoch.key.hex(),
        time_s=leaf_parts(ledger.entry(epoch.entry).leaf)[1] // 1000,
        opened=epoch.opener == actor.id,
        held=ledger.get(COPIES, epoch.key, actor.id) is not None,
    )


def _seen(ledger: Reading, actor: Actor, text: str) -> Epoch:
    """The epoch with this id, if `actor` may see it; else the same answer as if there were none."""
    try:
        key = bytes.fromhex(text) if len(text) == 2 * KEY_ID_BYTES else bytes(KEY_ID_BYTES)
    except ValueError:
        key = bytes(KEY_ID_BYTES)
    found = ledger.get(EPOCHS, key)
    parties = () if found is None else (found.opener, *holders_of(ledger, key))
    require_sight(actor, parties)
    return epoch_of(ledger, key)
