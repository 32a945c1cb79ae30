"""Reads over the book: assets, accounts, balances, and whether everything adds up."""

from __future__ import annotations

import msgspec

from wattproof.book.model import (
    ACCOUNTS,
    ASSETS,
    BALANCES,
    Account,
    Asset,
    Balance,
    issue_account,
    retired_account,
)
from wattproof.book.refusals import ACCOUNT_UNKNOWN, ASSET_UNKNOWN
from wattproof.ledger.state import Reading

__all__ = [
    "Conservation",
    "account",
    "accounts_of",
    "asset",
    "assets",
    "assets_of_issuer",
    "balance",
    "balances",
    "conservation",
    "holders",
    "payable",
]


class Conservation(msgspec.Struct, frozen=True, kw_only=True):
    """Where all of an asset is, in its unit: issued = retired + circulating, so `sum` is 0."""

    asset: str
    unit: str
    issued: int
    retired: int
    circulating: int
    sum: int


def asset(reading: Reading, id_: str) -> Asset:
    """The asset of that id; `NotFound` when there is none."""
    found = reading.get(ASSETS, id_)
    if found is None:
        raise ASSET_UNKNOWN(asset=id_)
    return found


def assets(reading: Reading) -> list[Asset]:
    """All assets, by id."""
    return list(reading.scan(ASSETS))


def assets_of_issuer(reading: Reading, issuer: str) -> list[Asset]:
    """The assets that a party issues, by id."""
    return reading.find(ASSETS, "issuer", issuer)


def account(reading: Reading, id_: str) -> Account:
    """The account of that id; `NotFound` when there is none."""
    found = reading.get(ACCOUNTS, id_)
    if found is None:
        raise ACCOUNT_UNKNOWN(account=id_)
    return found


def accounts_of(reading: Reading, *, kind: str, owner: str) -> list[Account]:
    """The accounts of a party, device or room (`kind`), by id."""
    return reading.find(ACCOUNTS, "owner", kind, owner)


def balance(reading: Reading, *, account: str, asset: str) -> int:
    """What an account holds of an asset, in its unit; 0 where nothing was ever posted."""
    found = reading.get(BALANCES, account, asset)
    return 0 if found is None else found.amount


def payable(reading: Reading, *, account: str, asset: str) -> int:
    """How much of an asset an account can pay, what it may owe included."""
    found = reading.get(BALANCES, account, asset)
    return 0 if found is None else found.amount + found.overdraft


def balances(reading: Reading, account: str) -> list[Balance]:
    """What an account holds or may owe, by asset."""
    return [row for row in reading.scan(BALANCES, account) if row.amount or row.overdraft]


def holders(reading: Reading, asset: str) -> list[Balance]:
    """Who holds or may owe an asset, by account; its issue and retired accounts are among them."""
    return [row for row in reading.find(BALANCES, "asset", asset) if row.amount or row.overdraft]


def conservation(reading: Reading) -> list[Conservation]:
    """How much of each asset was issued, is retired and circulates, by asset.

    Adds up every balance on its own, so a row that was changed behind the book's back shows as a
    `sum` other than 0, and one of an asset that was never defined shows without a unit.
    """
    units = {asset.id: asset.unit for asset in assets(reading)}
    totals = dict.fromkeys(units, 0)
    for row in reading.scan(BALANCES):
        totals[row.asset] = totals.get(row.asset, 0) + row.amount
    return [
        _conserved(reading, asset=id_, unit=units.get(id_, ""), total=totals[id_])
        for id_ in sorted(totals)
    ]


def _conserved(reading: Reading, *, asset: str, unit: str, total: int) -> Conservation:
    issued = -balance(reading, account=issue_account(asset), asset=asset)
    retired = balance(reading, account=retired_account(asset), asset=asset)
    return Conservation(
        asset=asset,
        unit=unit,
        issued=issued,
        retired=retired,
        circulating=total + issued - retired,
        sum=total,
    )
