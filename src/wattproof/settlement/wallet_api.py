"""Wallets, a meter's trades, and contracts over HTTP.

GET /api/v1/settlement/wallets[/{device}[/statement]]
GET /api/v1/settlement/meters/{device}/trades[/{id}]     a trade with the packets behind it
GET /api/v1/settlement/contracts[/{id}]

They are seen by who owns the meter (of a contract: both sides), by who settles its region, and by
roles that see everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import PathParameter, QueryParameter

from wattproof.book.statement import Statement
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Cursor, Id, Ledger, Limit, Page, page_of, shown
from wattproof.metering.model import PacketRow
from wattproof.settlement.packet_queries import packets_behind
from wattproof.settlement.queries import contract_of, contracts_of
from wattproof.settlement.records import CONTRACTS, Bilateral
from wattproof.settlement.sight import operates, operator_of, parties_of_contract, seen_meter
from wattproof.settlement.trade_queries import TradeView, trade_of, trades_of
from wattproof.settlement.wallet_queries import (
    WalletView,
    wallet_of,
    wallet_statement,
    wallets_of,
)

__all__ = ["TradeDetail", "wallet_routes"]

Device = Annotated[str, PathParameter(max_length=64, description="A meter's id.")]
TradeId = Annotated[str, PathParameter(max_length=40, description="A trade's id, 812-3.")]
Region = Annotated[str | None, QueryParameter(max_length=64, description="Trading there.")]
Owner = Annotated[str | None, QueryParameter(max_length=64, description="Of this party's meters.")]
Party = Annotated[str | None, QueryParameter(max_length=64, description="Either side's id.")]
Behind = Annotated[
    str | None,
    QueryParameter(name="cursor", max_length=64, description="`next` of the page before."),
]
AssetId = Annotated[str, QueryParameter(max_length=64, description="The asset's id.")]
Start = Annotated[  # the schema of what may be null loses a bound that is 0, so it is gt=-1
    int | None, QueryParameter(gt=-1, le=2**62, description="`next` of the page before.")
]


class TradeDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A trade and the metering packets whose readings it has, by sequence and log entry."""

    trade: TradeView
    packets: tuple[PacketRow, ...]


@get("/wallets", responses=problems(400, 404), summary="Wallets of meters")
async def list_wallets(
    ledger: Ledger,
    actor: Asker,
    region: Region = None,
    owner: Owner = None,
    cursor: Behind = None,
    limit: Limit = 100,
) -> Page[WalletView]:
    """One's own, or those of a region or owner as far as one may see them."""
    with ledger.snapshot():
        own_region = region is not None and may_see(actor, [operator_of(ledger, region)])
        if owner is None and not own_region and not may_see(actor, ()):
            owner = actor.id
        found = wallets_of(
            ledger,
            region=region if owner is None else None,
            owner=owner,
            after=cursor,
            limit=limit,
        )
        items = tuple(
            one
            for one in found
            if region in (None, one.region)
            and may_see(actor, (one.owner, operator_of(ledger, one.region)))
        )
    return Page(items=items, next=found[-1].device if len(found) == limit else None)


@get("/wallets/{device:str}", responses=problems(400, 403, 404), summary="One meter's wallet")
async def show_wallet(device: Device, ledger: Ledger, actor: Asker) -> WalletView:
    """What is in it, what may be paid from it, what is due and what waits to be settled."""
    with ledger.snapshot():
        return wallet_of(ledger, seen_meter(ledger, actor, device).id)


@get(
    "/wallets/{device:str}/statement",
    responses=problems(400, 403, 404),
    summary="What went into a wallet and out of it",
)
async def show_wallet_statement(
    device: Device,
    ledger: Ledger,
    actor: Asker,
    asset: AssetId,
    start: Start = None,
    limit: Limit = 100,
) -> Statement:
    """The postings of one asset, newest first."""
    with ledger.snapshot():
        id_ = seen_meter(ledger, actor, device).id
        return wallet_statement(ledger, id_, asset=asset, start=start, limit=limit)


@get(
    "/meters/{device:str}/trades",
    responses=problems(400, 403, 404),
    summary="A meter's trades, newest first",
)
async def list_trades(
    device: Device, ledger: Ledger, actor: Asker, cursor: Behind = None, limit: Limit = 100
) -> Page[TradeView]:
    """Energy against money, at most a local day in each; `cursor` is a trade's id."""
    with ledger.snapshot():
        id_ = seen_meter(ledger, actor, device).id
        found = trades_of(ledger, id_, before=cursor, limit=limit)
    more = len(found) == limit and found[-1].trade > 1
    return Page(items=tuple(found), next=found[-1].id if more else None)


@get(
    "/meters/{device:str}/trades/{id:str}",
    responses=problems(400, 403, 404),
    summary="One trade with its packets",
)
async def show_trade(
    device: Device,
    id: TradeId,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
) -> TradeDetail:
    """A trade, and the packets whose readings it has."""
    with ledger.snapshot():
        found = trade_of(ledger, seen_meter(ledger, actor, device).id, id)
        packets = packets_behind(ledger, found)
    return shown(TradeDetail(trade=found, packets=tuple(packets)))


@get("/contracts", responses=problems(400), summary="Bilateral contracts, by id")
async def list_contracts(
    ledger: Ledger, actor: Asker, party: Party = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[Bilateral]:
    """Contracts between two meters that one may see; `accepted_entry` is -1 until it holds."""

    def seen(one: Bilateral) -> bool:
        return may_see(actor, parties_of_contract(ledger, one))

    if party is None and (may_see(actor, ()) or operates(ledger, actor.id)):
        return page_of(ledger, CONTRACTS, cursor=cursor, limit=limit, keep=seen)
    after = None if cursor is None else cursor[:64]
    found = contracts_of(ledger, party or actor.id, after=after, limit=limit)
    items = tuple(shown(one) for one in found if seen(one))
    return Page(items=items, next=found[-1].id if len(found) == limit else None)


@get("/contracts/{id:str}", responses=problems(400, 403, 404), summary="One contract")
async def show_contract(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
) -> Bilateral:
    """A contract's meters, its energy an hour, its price, and from when to when it holds."""
    found = ledger.get(CONTRACTS, id)
    require_sight(actor, () if found is None else parties_of_contract(ledger, found))
    return shown(contract_of(ledger, id))


def wallet_routes() -> Sequence[Any]:
    """The routes, below ``/api/v1/settlement``."""
    return (
        list_wallets, show_wallet, show_wallet_statement, list_trades, show_trade,
        list_contracts, show_contract,
    )  # fmt: skip
