"""What the pages of wallets show: which wallets there are for a visitor, and what is in one."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from wattproof.book.amounts import shown_amount, shown_unit
from wattproof.book.model import Asset
from wattproof.book.queries import asset as asset_of
from wattproof.console.frame import Frame
from wattproof.console.i18n import marked
from wattproof.console.visitor import Visitor, now_s
from wattproof.core.actor import Actor
from wattproof.core.errors import Lang
from wattproof.gateway.access import may_see
from wattproof.ledger.store import Store
from wattproof.settlement.sight import operator_of
from wattproof.settlement.wallet_forms import moneys, own_accounts
from wattproof.settlement.wallet_queries import WalletView, wallets_of

__all__ = ["PER_PAGE", "ShownHeld", "payable", "run_of", "shown_held", "sources", "wallets_seen"]

PER_PAGE: Final = 50
LOOKED_AT: Final = 2_000
"""Wallets that are looked at for one page of a filtered list."""

_RUN: Final = re.compile(r"settlement run (\d{1,10})", re.ASCII)
"""What the rules write beside the movements of a run (`batch.Batch`)."""


class ShownHeld(msgspec.Struct, frozen=True, kw_only=True):
    """What a wallet holds of an asset, as pages show it."""

    asset: str
    amount: str
    unit: str


def wallets_seen(
    ledger: Store, actor: Actor, asked: dict[str, str]
) -> tuple[list[WalletView], str]:
    """The wallets of a page, and the device behind which the next one begins, empty at the end.

    `asked` says of which `region` and `owner` (empty: of all), whether ``frozen`` ones or those
    with money ``due`` `only`, and `after` which device.
    """
    found: list[WalletView] = []
    after, looked_at = asked["after"] or None, 0
    while looked_at < LOOKED_AT:
        some = wallets_of(
            ledger,
            region=asked["region"] or None,
            owner=asked["owner"] or None,
            after=after,
            limit=PER_PAGE + 1,
            now_s=now_s(),
        )
        looked_at += len(some)
        for one in some:
            after = one.device
            if _wanted(one, asked["only"]) and may_see(actor, _parties(ledger, one)):
                found.append(one)
            if len(found) == PER_PAGE:
                return found, "" if one is some[-1] and len(some) <= PER_PAGE else after
        if len(some) <= PER_PAGE:
            return found, ""
    return found, after or ""


def _wanted(one: WalletView, only: str) -> bool:
    if only == "frozen":
        return bool(one.frozen_by)
    return bool(one.due_fen) if only == "due" else True


def _parties(ledger: Store, one: WalletView) -> list[str]:
    return [one.owner, operator_of(ledger, one.region)]


def shown_held(ledger: Store, wallet: WalletView, lang: Lang) -> list[ShownHeld]:
    """What is in a wallet, as pages show it."""
    found = []
    for one in wallet.balances:
        asset = asset_of(ledger, one.asset)
        found.append(
            ShownHeld(
                asset=asset.id, amount=shown_amount(one.amount, asset), unit=shown_unit(asset, lang)
            )
        )
    return found


def sources(frame: Frame, visitor: Visitor, ledger: Store) -> list[tuple[str, str]]:
    """Out of what a bank tops wallets up: new money, or an account of its own."""
    issued = ("", frame.text(visitor.lang)(marked("newly issued money")))
    if not visitor.has_role("bank"):
        return [issued]
    return [issued, *((one.id, one.id) for one in own_accounts(ledger, visitor.actor.id))]


def run_of(memo: str) -> str:
    """The number of the settlement run of which a movement says that it is; empty for others."""
    found = _RUN.fullmatch(memo)
    return "" if found is None else found[1]


def payable(ledger: Store, wallet: WalletView, lang: Lang) -> list[tuple[str, str]]:
    """The money in a wallet that can be paid, each with how much there is."""
    return [
        (one.id, f"{one.id} · {_text(wallet.held(one.id), one, lang)}")
        for one in moneys(ledger)
        if wallet.held(one.id) > 0
    ]


def _text(amount: int, asset: Asset, lang: Lang) -> str:
    return f"{shown_amount(amount, asset)} {shown_unit(asset, lang)}"
