"""From the fields of a form to the transaction that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wattproof.book import queries
from wattproof.book.amounts import parse_amount, parse_limit
from wattproof.book.model import (
    KINDS,
    Asset,
    DefineAsset,
    Issue,
    Movement,
    OpenAccount,
    Retire,
    SetOverdraft,
    Transfer,
)
from wattproof.book.refusals import KIND_UNKNOWN
from wattproof.console.filled import Filled
from wattproof.core.codes import check_id
from wattproof.ledger.state import Reading

__all__ = ["ABOUT_FIELDS", "DECIMALS", "define_body", "issue_body", "open_body", "overdraft_body",
           "retire_body", "transfer_body"]  # fmt: skip

ABOUT_FIELDS: Final[Mapping[str, str]] = {
    "book.account.taken": "id",
    "book.asset.taken": "id",
    "book.name_reserved": "id",
    "book.asset.kind": "kind",
    "book.asset.unit": "counted",
    "book.account.unknown": "account",
    "book.transfer.same_account": "account",
    "book.overdraft": "amount",
    "book.balance.range": "amount",
    "book.overdraft.below_debt": "limit",
}
"""Which field of a form a refusal of the ledger is about."""

DECIMALS: Final[Mapping[str, tuple[int, ...]]] = {
    "Wh": (3, 6, 0),
    "fen": (2,),
    "pc": (0,),
    "g": (6, 3, 0),
}
"""The decimals that the form for an asset offers, by its unit; the usual ones first."""


def open_body(form: Filled) -> OpenAccount:
    """The opening of an account of one's own. Raises `Malformed`."""
    id_ = form.take("id", check_id)
    form.finish()
    return form.bounded(OpenAccount(id=id_))


def define_body(form: Filled) -> DefineAsset:
    """The definition of an asset; ``counted`` holds its unit and decimals. Raises `Malformed`."""
    id_, kind = form.take("id", check_id), form.take("kind", _kind)
    unit, _, decimals = form["counted"].partition(":")
    form.finish()
    places = int(decimals) if decimals.isascii() and decimals.isdigit() else 0
    return form.bounded(DefineAsset(id=id_, kind=kind, unit=unit, decimals=min(places, 18)))


def transfer_body(form: Filled, *, source: str, reading: Reading) -> Transfer:
    """A transfer of one amount out of `source`, to ``account``."""
    asset = _asset(form, reading)
    target = form.take("account", check_id)
    amount = form.take("amount", lambda text: parse_amount(text, asset))
    form.finish()
    movement = Movement(source=source, target=target, asset=asset.id, amount=amount)
    return form.bounded(Transfer(movements=(movement,), memo=form["memo"]))


def retire_body(form: Filled, *, source: str, reading: Reading) -> Retire:
    """The retirement of an amount out of `source`."""
    asset = _asset(form, reading)
    amount = form.take("amount", lambda text: parse_amount(text, asset))
    form.finish()
    return form.bounded(Retire(account=source, asset=asset.id, amount=amount, memo=form["memo"]))


def issue_body(form: Filled, *, asset: Asset) -> Issue:
    """The issue of an amount into ``account``."""
    account = form.take("account", check_id)
    amount = form.take("amount", lambda text: parse_amount(text, asset))
    form.finish()
    return form.bounded(Issue(asset=asset.id, account=account, amount=amount, memo=form["memo"]))


def overdraft_body(form: Filled, *, asset: Asset) -> SetOverdraft:
    """The limit to which ``account`` may be overdrawn; 0 ends it."""
    account = form.take("account", check_id)
    limit = form.take("limit", lambda text: parse_limit(text, asset))
    form.finish()
    return form.bounded(SetOverdraft(account=account, asset=asset.id, limit=limit))


def _asset(form: Filled, reading: Reading) -> Asset:
    """The asset chosen; without one the amount cannot be read."""
    asset = form.take("asset", lambda text: queries.asset(reading, text))
    form.finish()
    return asset


def _kind(text: str) -> str:
    if text not in KINDS:
        raise KIND_UNKNOWN(kind=text[:40], allowed=", ".join(KINDS))
    return text
