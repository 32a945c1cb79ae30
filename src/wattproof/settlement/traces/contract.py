"""The rules of sealed trace codes: who opens an epoch, who holds its key, how batches follow."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wattproof.identity.model import PARTIES
from wattproof.ledger.machine import Context, Contract
from wattproof.settlement.traces.model import (
    BATCHES,
    COPIES,
    EPOCHS,
    MAX_CODES,
    MAX_TOKENS,
    ROW_BYTES,
    STEP_TOKENS,
    TOKEN_BYTES,
    Batch,
    Copy,
    Epoch,
    GrantKey,
    KeyCopy,
    KeyGranted,
    KeyOpened,
    OpenKey,
    PublishTraces,
    TracesPublished,
)
from wattproof.settlement.traces.refusals import (
    COPY_TWICE,
    EPOCH_TWICE,
    EPOCH_UNKNOWN,
    HOLDER,
    NOT_OPENER,
    NUMBER,
    ROWS,
    TOKENS,
)

__all__ = ["CONTRACT", "grant_key", "open_key", "publish_traces"]

CONTRACT: Final = Contract("traces", collections=(EPOCHS, COPIES, BATCHES))


@CONTRACT.rule(OpenKey)
def open_key(ctx: Context, body: OpenKey) -> None:
    """Open an epoch that is the signer's, and keep the copies of its key."""
    if ctx.state.get(EPOCHS, body.key) is not None:
        raise EPOCH_TWICE(key=body.key.hex())
    ctx.state.put(
        EPOCHS,
        Epoch(
            key=body.key, opener=ctx.actor.id, entry=ctx.index, check=body.check, about=body.about
        ),
    )
    _keep_copies(ctx, body.key, body.copies)
    ctx.emit(KeyOpened(key=body.key.hex(), opener=ctx.actor.id, holders=len(body.copies)))


@CONTRACT.rule(GrantKey)
def grant_key(ctx: Context, body: GrantKey) -> None:
    """Keep more copies of an epoch's key; only its opener can have made them."""
    _own_epoch(ctx, body.key)
    _keep_copies(ctx, body.key, body.copies)
    ctx.emit(KeyGranted(key=body.key.hex(), holders=len(body.copies)))


@CONTRACT.rule(PublishTraces)
def publish_traces(ctx: Context, body: PublishTraces) -> None:
    """Take the next batch of an epoch, whose rows and tokens are checked for their shape alone."""
    epoch = _own_epoch(ctx, body.key)
    if body.number != epoch.batches:
        raise NUMBER(key=body.key.hex(), expected=epoch.batches, number=body.number)
    codes = _count_ascending(body.rows, ROW_BYTES)
    if not 1 <= codes <= MAX_CODES:
        raise ROWS(limit=MAX_CODES, bytes=ROW_BYTES)
    tokens = _count_ascending(body.tokens, TOKEN_BYTES)
    if not STEP_TOKENS <= tokens <= MAX_TOKENS or tokens % STEP_TOKENS:
        raise TOKENS(limit=MAX_TOKENS, bytes=TOKEN_BYTES, step=STEP_TOKENS)
    ctx.state.put(
        BATCHES,
        Batch(key=body.key, number=body.number, entry=ctx.index, codes=codes, tokens=body.tokens),
    )
    ctx.state.put(EPOCHS, replace(epoch, batches=epoch.batches + 1, codes=epoch.codes + codes))
    ctx.emit(TracesPublished(key=body.key.hex(), number=body.number, codes=codes))


def _own_epoch(ctx: Context, key: bytes) -> Epoch:
    """The epoch with this id, which must be the signer's."""
    epoch = ctx.state.get(EPOCHS, key)
    if epoch is None:
        raise EPOCH_UNKNOWN(key=key.hex())
    if epoch.opener != ctx.actor.id:
        raise NOT_OPENER(key=key.hex())
    return epoch


def _keep_copies(ctx: Context, key: bytes, copies: tuple[KeyCopy, ...]) -> None:
    named: dict[str, None] = {}
    for copy in copies:
        if copy.party in named:
            raise COPY_TWICE(party=copy.party)
        named[copy.party] = None
        party = ctx.state.get(PARTIES, copy.party)
        if party is None or party.status != "active":
            raise HOLDER(party=copy.party)
        ctx.state.put(
            COPIES, Copy(key=key, party=copy.party, wrapped=copy.wrapped, entry=ctx.index)
        )


def _count_ascending(items: bytes, size: int) -> int:
    """How many items of `size` bytes these are; 0 where they are not whole and in order."""
    count, rest = divmod(len(items), size)
    if rest:
        return 0
    before = b""
    for at in range(0, len(items), size):
        item = items[at : at + size]
        if item <= before:
            return 0
        before = item
    return count
