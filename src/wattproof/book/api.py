"""Assets, accounts and the balance of the whole book over HTTP.

GET /api/v1/assets[/{id}]
GET /api/v1/accounts[/{id}[/postings]]
GET /api/v1/conservation
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.params import QueryParameter

from wattproof.book import queries
from wattproof.book.model import ACCOUNTS, ASSETS, Account, Asset, Balance
from wattproof.book.queries import Conservation
from wattproof.book.statement import Statement, statement
from wattproof.core.actor import Actor
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Cursor, Id, Ledger, Limit, Long, Page, page_of, shown
from wattproof.ledger.store import Store

__all__ = ["AccountDetail", "parties_of", "router", "seen_account"]

Owner = Annotated[str | None, QueryParameter(max_length=64, description="The owner's id.")]
OwnerKind = Annotated[
    str | None, QueryParameter(max_length=16, description="party, device or room.")
]


AssetId = Annotated[str, QueryParameter(max_length=64, description="The asset's id.")]
Start = Annotated[  # the schema of what may be null loses a bound that is 0, so it is gt=-1
    int | None, QueryParameter(gt=-1, le=2**62, description="`next` of the page before.")
]


class AccountDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An account and what it holds or may owe, by asset."""

    account: Account
    balances: tuple[Balance, ...]


@get("/assets", responses=problems(400), summary="Assets, by id")
async def list_assets(ledger: Ledger, cursor: Cursor = None, limit: Limit = 100) -> Page[Asset]:
    """Everything that can be owned."""
    return page_of(ledger, ASSETS, cursor=cursor, limit=limit)


@get("/assets/{id:str}", responses=problems(400, 404), summary="One asset")
async def show_asset(
    id: Id,  # noqa: A002
    ledger: Ledger,
) -> Asset:
    """An asset, its unit and its issuer."""
    return shown(queries.asset(ledger, id))


@get("/accounts", responses=problems(400), summary="Accounts, by id")
async def list_accounts(
    ledger: Ledger,
    actor: Asker,
    owner: Owner = None,
    owner_kind: OwnerKind = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[Account]:
    """All accounts, or those of one owner."""
    if owner_kind is None:
        owner_kind = "party" if owner is not None else None
    values = tuple(value for value in (owner_kind, owner) if value is not None)
    return page_of(
        ledger,
        ACCOUNTS,
        "owner" if values else None,
        values,
        cursor=cursor,
        limit=limit,
        keep=lambda account: may_see(actor, parties_of(account)),
    )


@get("/accounts/{id:str}", responses=problems(400, 404), summary="One account")
async def show_account(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
) -> AccountDetail:
    """An account and its balances."""
    with ledger.snapshot():
        account = seen_account(ledger, actor, id)
        balances = queries.balances(ledger, id)
    return shown(AccountDetail(account=account, balances=tuple(balances)))


@get("/accounts/{id:str}/postings", responses=problems(400, 404), summary="Postings of an account")
async def show_postings(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
    asset: AssetId,
    start: Start = None,
    limit: Limit = 100,
) -> Statement:
    """What changed an account's balance of an asset, newest first."""
    with ledger.snapshot():
        account = seen_account(ledger, actor, id)
        return statement(ledger, account=account.id, asset=asset, start=start, limit=limit)


@get("/conservation", responses=problems(503), summary="Whether everything adds up")
async def show_conservation(ledger: Ledger, long_reads: Long) -> list[Conservation]:
    """Of each asset: issued, retired, circulating, and their sum, which is 0."""

    def read() -> list[Conservation]:
        with ledger.snapshot():
            return queries.conservation(ledger)

    return await long_reads.run(read)


def parties_of(account: Account) -> Sequence[str]:
    """The parties whose own an account is: devices and rooms are none, whatever they are called."""
    return (account.owner,) if account.owner_kind == "party" else ()


def seen_account(ledger: Store, actor: Actor, id_: str) -> Account:
    """The account, if `actor` may see it; else the same answer whether there is one or not."""
    found = ledger.get(ACCOUNTS, id_)
    require_sight(actor, () if found is None else parties_of(found))
    return queries.account(ledger, id_)


def router() -> Router:
    """The routes, below ``/api/v1``."""
    handlers = [
        list_assets, show_asset, list_accounts, show_account, show_postings, show_conservation,
    ]  # fmt: skip
    return Router("/api/v1", route_handlers=handlers, tags=["book"])
