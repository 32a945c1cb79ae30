"""Postings: the one way in which a balance changes, for the rules of every room.

What is wrong here because of what somebody handed in is refused; a posting that does not sum to
zero is a mistake in a rule, and breaks.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from wattproof.book.model import (
    ACCOUNTS,
    ASSETS,
    BALANCES,
    KINDS,
    MAX_AMOUNT,
    MAX_ENTRIES,
    MAX_MEMO,
    Account,
    AccountOpened,
    Asset,
    AssetDefined,
    Balance,
    Entry,
    Posted,
    issue_account,
    retired_account,
)
from wattproof.book.refusals import (
    ACCOUNT_TAKEN,
    ACCOUNT_UNKNOWN,
    ASSET_TAKEN,
    ASSET_UNKNOWN,
    BALANCE_RANGE,
    KIND_UNKNOWN,
    NAME_RESERVED,
    OVERDRAFT,
    POSTING_SHAPE,
    TOO_MANY_ENTRIES,
    UNBALANCED,
    UNIT_OF_KIND,
)
from wattproof.core.codes import check_id
from wattproof.ledger.machine import Context

__all__ = [
    "define_asset",
    "find_account",
    "find_asset",
    "issue",
    "open_account",
    "post",
    "put_balance",
    "retire",
]


def define_asset(ctx: Context, asset: Asset) -> None:
    """Add an asset. A room's rule may give it any issuer, and an id with a colon."""
    check_id(asset.id)
    if asset.kind not in KINDS:
        raise KIND_UNKNOWN(kind=asset.kind, allowed=", ".join(KINDS))
    units = KINDS[asset.kind][0]
    if asset.unit not in units:
        raise UNIT_OF_KIND(kind=asset.kind, unit=asset.unit, allowed=", ".join(units))
    if ctx.state.get(ASSETS, asset.id) is not None:
        raise ASSET_TAKEN(asset=asset.id)
    ctx.state.put(ASSETS, asset)
    ctx.emit(AssetDefined(asset=asset.id, kind=asset.kind, unit=asset.unit, issuer=asset.issuer))


def open_account(ctx: Context, account: Account) -> None:
    """Add an empty account. A room's rule may give it any owner, and an id with a colon."""
    check_id(account.id)
    if account.id.startswith(("issue:", "retired:")):
        raise NAME_RESERVED(name=account.id)
    if ctx.state.get(ACCOUNTS, account.id) is not None:
        raise ACCOUNT_TAKEN(account=account.id)
    ctx.state.put(ACCOUNTS, account)
    ctx.emit(AccountOpened(account=account.id, owner_kind=account.owner_kind, owner=account.owner))


def post(ctx: Context, entries: Sequence[tuple[str, str, int]], *, memo: str = "") -> None:
    """Add amounts to balances: each entry is (account, asset, amount), all of them or none.

    Whether the signer may move what is moved is for the calling rule to check. Entries of one
    account and asset are taken together before overdrafts are looked at. Refuses an unknown
    account or asset, an overdraft, a balance beyond 2^62 and more than 256 entries. Raises
    `Broken` when the amounts of an asset do not sum to zero, when an entry is 0, when something
    would return to an issue account or leave a retired one, and for a memo over 128 characters.
    """
    if len(entries) > MAX_ENTRIES:
        raise TOO_MANY_ENTRIES(count=len(entries), limit=MAX_ENTRIES)
    if not entries or len(memo) > MAX_MEMO:
        raise POSTING_SHAPE(reason="it is empty, or its memo is too long")
    changes = _netted(entries)
    for asset in dict.fromkeys(asset for _, asset, _ in entries):
        find_asset(ctx, asset)
    # All is looked at before anything is written: a rule may catch a refusal and go another way.
    lines, balances = [], []
    for (account, asset), amount in changes.items():
        before, after = _changed(ctx, account=account, asset=asset, amount=amount)
        lines.append(Entry(account=account, asset=asset, amount=amount, previous=before.last_entry))
        balances.append(after)
    for balance in balances:
        put_balance(ctx, balance)
    ctx.emit(Posted(count=len(lines), entries=tuple(lines), memo=memo))


def issue(ctx: Context, *, asset: str, account: str, amount: int, memo: str = "") -> None:
    """Bring `amount` of an asset into being, in `account`."""
    post(ctx, [(issue_account(asset), asset, -amount), (account, asset, amount)], memo=memo)


def retire(ctx: Context, *, asset: str, account: str, amount: int, memo: str = "") -> None:
    """Take `amount` of an asset out of `account` for good."""
    post(ctx, [(account, asset, -amount), (retired_account(asset), asset, amount)], memo=memo)


def find_asset(ctx: Context, id_: str) -> Asset:
    """The asset of that id, or ``book.asset.unknown``."""
    asset = ctx.state.get(ASSETS, id_)
    if asset is None:
        raise ASSET_UNKNOWN(asset=id_)
    return asset


def find_account(ctx: Context, id_: str) -> Account:
    """The opened account of that id, or ``book.account.unknown``."""
    account = ctx.state.get(ACCOUNTS, id_)
    if account is None:
        raise ACCOUNT_UNKNOWN(account=id_)
    return account


def put_balance(ctx: Context, balance: Balance) -> None:
    """Write a balance; one that says nothing, not even where its postings are, is not kept."""
    if balance.amount or balance.overdraft or balance.last_entry >= 0:
        ctx.state.put(BALANCES, balance)
    elif ctx.state.get(BALANCES, balance.account, balance.asset) is not None:
        ctx.state.delete(BALANCES, balance.account, balance.asset)


def _netted(entries: Sequence[tuple[str, str, int]]) -> dict[tuple[str, str], int]:
    """What each account gains of each asset; checked to sum to zero per asset."""
    changes: dict[tuple[str, str], int] = {}
    sums: dict[str, int] = {}
    for account, asset, amount in entries:
        if not amount:
            raise POSTING_SHAPE(reason="an entry is 0")
        if abs(amount) > MAX_AMOUNT:
            raise BALANCE_RANGE(account=account, asset=asset)
        changes[account, asset] = changes.get((account, asset), 0) + amount
        sums[asset] = sums.get(asset, 0) + amount
    for asset, total in sums.items():
        if total:
            raise UNBALANCED(asset=asset, sum=total)
    return {place: amount for place, amount in changes.items() if amount}


def _changed(ctx: Context, *, account: str, asset: str, amount: int) -> tuple[Balance, Balance]:
    """The balance before and after the change; raises where it may not be changed so."""
    if account == issue_account(asset):
        limited = False
        _demand_direction(amount < 0, account)
    elif account == retired_account(asset):
        limited = False
        _demand_direction(amount > 0, account)
    else:
        limited = True
    before = ctx.state.get(BALANCES, account, asset)
    if before is None:  # whoever has a balance has an account
        if limited:
            find_account(ctx, account)
        before = Balance(account=account, asset=asset)
    after = before.amount + amount
    if limited and after < -before.overdraft:
        raise OVERDRAFT(
            account=account,
            asset=asset,
            amount=before.amount,
            limit=before.overdraft,
            needed=-amount,
        )
    if abs(after) > MAX_AMOUNT:
        raise BALANCE_RANGE(account=account, asset=asset)
    return before, replace(before, amount=after, last_entry=ctx.index)


def _demand_direction(right: bool, account: str) -> None:
    if not right:
        raise POSTING_SHAPE(reason=f"it goes the wrong way through {account}")
