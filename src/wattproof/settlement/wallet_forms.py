"""What may be done with a wallet, by whom, and from its forms to their transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from wattproof.book.amounts import in_shown_unit, parse_amount, parse_limit
from wattproof.book.model import ACCOUNTS, ASSETS, Account, Asset
from wattproof.book.queries import asset as asset_of
from wattproof.book.queries import assets
from wattproof.book.refusals import NO_ACTION
from wattproof.console.filled import Filled
from wattproof.core.actor import Actor
from wattproof.core.codes import check_id
from wattproof.core.errors import WattProofError
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body
from wattproof.settlement.model import (
    FreezeWallet,
    LimitWallet,
    PayFromWallet,
    TopUpWallet,
    UnfreezeWallet,
)
from wattproof.settlement.refusals import NOT_MONEY

__all__ = ["ABOUT_FIELDS", "ACTIONS", "moneys", "offered", "own_accounts", "told",
           "wallet_body"]  # fmt: skip

MAX_ACCOUNTS: Final = 200
"""Accounts of one's own out of which the form for topping up offers to pay."""

ABOUT_FIELDS: Final[Mapping[str, str]] = {
    "book.account.unknown": "source",
    "book.asset.unknown": "asset",
    "book.balance.range": "amount",
    "book.overdraft": "amount",
    "identity.device.unknown": "device",
    "settlement.not_money": "asset",
    "settlement.top_up_source": "source",
    "settlement.wallet_limit": "amount",
}
"""Which field of a form a refusal of the ledger is about."""

_FEN: Final = Asset(id="CNY", kind="money", unit="fen", issuer="", decimals=2)
"""In what limits are given: no asset of the ledger."""


def wallet_body(action: str, device: str, form: Filled, reading: Reading) -> Body:
    """The transaction of an action on the wallet of `device`; raises ``book.no_action``."""
    make = ACTIONS.get(action)
    if make is None:
        raise NO_ACTION(action=action[:40])
    return make(form, device, reading)


def offered(actor: Actor, *, owner: str, frozen: bool) -> list[str]:
    """The actions that are for this visitor, in the order of the page."""
    found = []
    if actor.id and actor.id == owner:
        found += ["pay", "limit-device"]
    if "bank" in actor.roles:
        found.append("top-up")
    if {"bank", "grid_company"} & set(actor.roles):
        found.append("limit-owner")
    if {"bank", "grid_company", "registrar"} & set(actor.roles):
        found.append("unfreeze" if frozen else "freeze")
    return found


def moneys(reading: Reading) -> list[Asset]:
    """The assets that can be in a wallet as money."""
    return [one for one in assets(reading) if (one.kind, one.unit) == ("money", "fen")]


def own_accounts(ledger: Store, party: str) -> list[Account]:
    """The first accounts of a party, by id."""
    return ledger.page(ACCOUNTS, "owner", ("party", party), after=None, limit=MAX_ACCOUNTS)


def _top_up(form: Filled, device: str, reading: Reading) -> Body:
    asset = _asset(form, reading)
    amount = form.take("amount", lambda text: parse_amount(text, asset))
    form.finish()
    return form.bounded(
        TopUpWallet(
            device=device, asset=asset.id, amount=amount, source=form["source"], memo=form["memo"]
        )
    )


def _pay(form: Filled, device: str, reading: Reading) -> Body:
    asset = _asset(form, reading)
    amount = form.take("amount", lambda text: parse_amount(text, asset))
    to_device = form["to"] == "device"
    target = form.take("target", check_id)
    form.finish()
    return form.bounded(
        PayFromWallet(
            device=device,
            target="" if to_device else target,
            to_device=target if to_device else "",
            asset=asset.id,
            amount=amount,
            memo=form["memo"],
        )
    )


def _limit_device(form: Filled, device: str, reading: Reading) -> Body:  # noqa: ARG001
    limit = form.take("limit", lambda text: parse_limit(text, _FEN))
    form.finish()
    return form.bounded(LimitWallet(device=device, whose="device", fen_per_day=limit))


def _limit_owner(form: Filled, device: str, reading: Reading) -> Body:  # noqa: ARG001
    limit = form.take("limit", lambda text: parse_limit(text, _FEN))
    form.finish()
    return form.bounded(LimitWallet(device=device, whose="owner", fen_per_day=limit))


def _freeze(form: Filled, device: str, reading: Reading) -> Body:  # noqa: ARG001
    reason = form.take("reason", str)
    form.finish()
    return form.bounded(FreezeWallet(device=device, reason=reason))


def _unfreeze(form: Filled, device: str, reading: Reading) -> Body:  # noqa: ARG001
    return form.bounded(UnfreezeWallet(device=device))


def _asset(form: Filled, reading: Reading) -> Asset:
    """The money chosen; without it the amount cannot be read."""
    asset = form.take("asset", lambda text: _money(text, reading))
    form.finish()
    return asset


def _money(text: str, reading: Reading) -> Asset:
    asset = asset_of(reading, text)
    if (asset.kind, asset.unit) != ("money", "fen"):
        raise NOT_MONEY(asset=text)
    return asset


ACTIONS: Final[Mapping[str, Callable[[Filled, str, Reading], Body]]] = {
    "pay": _pay,
    "limit-device": _limit_device,
    "top-up": _top_up,
    "limit-owner": _limit_owner,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
}
"""The actions by name, as in the addresses of their forms."""


def told(refusal: WattProofError, reading: Reading, form: Filled) -> WattProofError:
    """A refusal with the amounts that it names as people read them."""
    asset = reading.get(ASSETS, form["asset"])
    return refusal if asset is None else in_shown_unit(refusal, asset)
