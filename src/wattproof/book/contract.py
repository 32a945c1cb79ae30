"""The contract of the book: who may define, open, issue, transfer and retire."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wattproof.book.model import (
    ACCOUNTS,
    ASSETS,
    BALANCES,
    Account,
    Asset,
    Balance,
    DefineAsset,
    Issue,
    OpenAccount,
    OverdraftSet,
    Retire,
    SetOverdraft,
    Transfer,
)
from wattproof.book.posting import (
    define_asset,
    find_account,
    find_asset,
    issue,
    open_account,
    post,
    put_balance,
    retire,
)
from wattproof.book.refusals import (
    LIMIT_BELOW_DEBT,
    NAME_RESERVED,
    NOT_ISSUER,
    NOT_OWNER,
    SAME_ACCOUNT,
)
from wattproof.ledger.machine import Context, Contract

__all__ = [
    "CONTRACT",
    "define_asset",
    "demand_owner",
    "find_account",
    "find_asset",
    "issue",
    "open_account",
    "post",
    "retire",
]

CONTRACT: Final = Contract("book", collections=(ACCOUNTS, ASSETS, BALANCES))


@CONTRACT.rule(DefineAsset)
def define(ctx: Context, body: DefineAsset) -> None:
    """Define an asset that the signer issues."""
    _demand_free_name(body.id)
    asset = Asset(
        id=body.id,
        kind=body.kind,
        unit=body.unit,
        issuer=ctx.actor.id,
        decimals=body.decimals,
    )
    define_asset(ctx, asset)


@CONTRACT.rule(OpenAccount)
def open_own(ctx: Context, body: OpenAccount) -> None:
    """Open an account that the signer owns."""
    _demand_free_name(body.id)
    open_account(ctx, Account(id=body.id, owner_kind=ctx.actor.kind, owner=ctx.actor.id))


@CONTRACT.rule(SetOverdraft)
def set_overdraft(ctx: Context, body: SetOverdraft) -> None:
    """Set an account's limit for an asset that the signer issues; never below what is owed."""
    _demand_issuer(ctx, body.asset)
    find_account(ctx, body.account)
    balance = ctx.state.get(BALANCES, body.account, body.asset) or Balance(
        account=body.account, asset=body.asset
    )
    if balance.amount < -body.limit:
        raise LIMIT_BELOW_DEBT(account=body.account, asset=body.asset, debt=-balance.amount)
    put_balance(ctx, replace(balance, overdraft=body.limit))
    ctx.emit(OverdraftSet(account=body.account, asset=body.asset, limit=body.limit))


@CONTRACT.rule(Issue)
def issue_own(ctx: Context, body: Issue) -> None:
    """Issue an asset that is the signer's to issue."""
    _demand_issuer(ctx, body.asset)
    find_account(ctx, body.account)
    issue(ctx, asset=body.asset, account=body.account, amount=body.amount, memo=body.memo)


@CONTRACT.rule(Transfer)
def transfer(ctx: Context, body: Transfer) -> None:
    """Move assets out of accounts that the signer owns, into accounts that are open."""
    entries: list[tuple[str, str, int]] = []
    for movement in body.movements:
        if movement.source == movement.target:
            raise SAME_ACCOUNT(account=movement.source)
        demand_owner(ctx, movement.source)
        find_account(ctx, movement.target)
        entries.append((movement.source, movement.asset, -movement.amount))
        entries.append((movement.target, movement.asset, movement.amount))
    post(ctx, entries, memo=body.memo)


@CONTRACT.rule(Retire)
def retire_own(ctx: Context, body: Retire) -> None:
    """Retire an asset out of an account that the signer owns."""
    demand_owner(ctx, body.account)
    retire(ctx, asset=body.asset, account=body.account, amount=body.amount, memo=body.memo)


def demand_owner(ctx: Context, id_: str) -> Account:
    """The account, if the signer owns it; else ``book.account.unknown`` or ``.not_owner``."""
    account = find_account(ctx, id_)
    if (account.owner_kind, account.owner) != (ctx.actor.kind, ctx.actor.id):
        raise NOT_OWNER(holder=ctx.actor.id, account=id_)
    return account


def _demand_issuer(ctx: Context, id_: str) -> None:
    asset = find_asset(ctx, id_)
    if asset.issuer != ctx.actor.id:
        raise NOT_ISSUER(party=ctx.actor.id, asset=id_)


def _demand_free_name(name: str) -> None:
    if ":" in name:
        raise NAME_RESERVED(name=name)
