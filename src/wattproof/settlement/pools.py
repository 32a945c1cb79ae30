"""The rule of a region's pool: who settles the region draws what is left to it.

What consumers pay stays in the pool until suppliers are paid; a run that is open may have charged
the ones and not yet paid the others. Only what is there after that is the grid company's.
"""

from __future__ import annotations

from wattproof.book.contract import find_account, post
from wattproof.book.queries import balance
from wattproof.book.refusals import NOT_OWNER
from wattproof.ledger.machine import Context
from wattproof.settlement.events import PoolDrawn
from wattproof.settlement.model import DrawPool
from wattproof.settlement.refusals import POOL_EMPTY, POOL_OWES, RUN_OPEN
from wattproof.settlement.regions import operated

__all__ = ["draw_pool"]


def draw_pool(ctx: Context, body: DrawPool) -> None:
    """Move money from the pool to an account of the operator's, if nobody waits for it."""
    region = operated(ctx, body.region)
    if region.open_run:
        raise RUN_OPEN(run=region.open_run, region=region.region)
    if region.owed_fen:
        raise POOL_OWES(region=region.region, owed=region.owed_fen)
    target = find_account(ctx, body.target)
    if (target.owner_kind, target.owner) != (ctx.actor.kind, ctx.actor.id):
        raise NOT_OWNER(holder=ctx.actor.id, account=target.id)
    held_fen = balance(ctx.state, account=region.pool, asset=region.money)
    if body.amount > held_fen:  # what the bank lends the pool is not to be drawn
        raise POOL_EMPTY(region=region.region, held=held_fen, amount=body.amount)
    entries = [(region.pool, region.money, -body.amount), (target.id, region.money, body.amount)]
    post(ctx, entries, memo=body.memo)
    ctx.emit(
        PoolDrawn(
            region=region.region,
            by=ctx.actor.id,
            target=target.id,
            asset=region.money,
            amount=body.amount,
        )
    )
