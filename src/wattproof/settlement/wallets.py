"""The rules of wallets: topping up, paying within limits, freezing.

A meter's wallet is an account of the book that no key owns: only these rules move what is in it.
The meter's own key pays up to a daily limit that its owner sets, the owner up to one that a bank or
a grid company sets. Settlement itself knows no limit: what was used is owed, and is paid before
anything else is.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wattproof.book.contract import find_account, find_asset, issue, open_account, post
from wattproof.book.model import ACCOUNTS, Account, Asset
from wattproof.identity.contract import find_device, find_party
from wattproof.identity.events import DeviceConfirmed
from wattproof.identity.lifecycle import party_after
from wattproof.identity.model import Device
from wattproof.ledger.machine import Context
from wattproof.settlement.events import (
    WalletFrozen,
    WalletLimited,
    WalletPaid,
    WalletToppedUp,
    WalletUnfrozen,
)
from wattproof.settlement.model import (
    FreezeWallet,
    LimitWallet,
    PayFromWallet,
    TopUpWallet,
    UnfreezeWallet,
)
from wattproof.settlement.records import (
    USAGE,
    WALLETS,
    Wallet,
)
from wattproof.settlement.refusals import (
    FROZEN,
    IN_ARREARS,
    NOT_MONEY,
    NOT_YOURS,
    OVER_LIMIT,
    SOURCE,
    TARGET,
)

__all__ = [
    "DAY_OFFSET_S",
    "DEVICE_FEN",
    "OWNER_FEN",
    "ROOM",
    "demand_money",
    "ensure_wallet",
    "freeze_wallet",
    "give_wallet",
    "limit_wallet",
    "pay_from_wallet",
    "top_up_wallet",
    "unfreeze_wallet",
    "wallet_account",
]

ROOM: Final = "settlement"
"""The owner of accounts that only these rules move."""
DEVICE_FEN: Final = 100_000_00
OWNER_FEN: Final = 10_000_00
"""What a meter's key and its owner may pay a day until somebody sets another limit, in fen."""
DAY_OFFSET_S: Final = 8 * 3600
"""A limit's day begins at midnight, eight hours ahead of UTC."""


def wallet_account(number: int) -> str:
    """The book's account of the wallet of device `number`."""
    return f"wallet:{number}"


def ensure_wallet(ctx: Context, device: Device) -> Wallet:
    """The wallet of a device, which is made if need be."""
    found = ctx.state.get(WALLETS, device.number)
    if found is not None:
        return found
    account = wallet_account(device.number)
    if ctx.state.get(ACCOUNTS, account) is None:
        open_account(ctx, Account(id=account, owner_kind="room", owner=ROOM))
    wallet = Wallet(
        number=device.number,
        device=device.id,
        device_limit_fen=DEVICE_FEN,
        owner_limit_fen=OWNER_FEN,
    )
    ctx.state.put(WALLETS, wallet)
    return wallet


def give_wallet(ctx: Context, event: DeviceConfirmed) -> None:
    """Give a device that was confirmed its wallet."""
    ensure_wallet(ctx, find_device(ctx, event.device))


def demand_money(ctx: Context, id_: str) -> Asset:
    """The asset, if it is money in fen."""
    asset = find_asset(ctx, id_)
    if (asset.kind, asset.unit) != ("money", "fen"):
        raise NOT_MONEY(asset=id_)
    return asset


def top_up_wallet(ctx: Context, body: TopUpWallet) -> None:
    """Put money into a wallet, issued by the signer or out of an account of its own."""
    asset = demand_money(ctx, body.asset)
    device = find_device(ctx, body.device)
    ensure_wallet(ctx, device)
    account = wallet_account(device.number)
    if not body.source:
        if asset.issuer != ctx.actor.id:
            raise SOURCE(party=ctx.actor.id, asset=body.asset, source="")
        issue(ctx, asset=asset.id, account=account, amount=body.amount, memo=body.memo)
    else:
        source = find_account(ctx, body.source)
        if (source.owner_kind, source.owner) != (ctx.actor.kind, ctx.actor.id):
            raise SOURCE(party=ctx.actor.id, asset=body.asset, source=body.source)
        entries = [(source.id, asset.id, -body.amount), (account, asset.id, body.amount)]
        post(ctx, entries, memo=body.memo)
    ctx.emit(WalletToppedUp(device=device.id, asset=asset.id, amount=body.amount))


def pay_from_wallet(ctx: Context, body: PayFromWallet) -> None:
    """Pay as the meter itself or as its owner, who must be active, within the day's limit."""
    asset = demand_money(ctx, body.asset)
    device = find_device(ctx, body.device)
    if bool(body.target) == bool(body.to_device) or body.to_device == body.device:
        raise TARGET()
    by_device = ctx.actor.kind == "device"
    if ctx.actor.id != (device.id if by_device else device.owner):
        raise NOT_YOURS(device=device.id, party=ctx.actor.id)
    if by_device:  # a party that was stopped does not pay by its meters either
        party_after(find_party(ctx, device.owner), "sign")
    wallet = ensure_wallet(ctx, device)
    if wallet.frozen_by:
        raise FROZEN(device=device.id, party=wallet.frozen_by)
    usage = ctx.state.get(USAGE, device.number)
    if usage is not None and usage.kind == "consumption" and usage.due_fen:
        raise IN_ARREARS(device=device.id, due=usage.due_fen)
    ctx.state.put(WALLETS, _spent(ctx, wallet, body.amount, by_device=by_device))
    target = body.target
    if body.to_device:
        payee = find_device(ctx, body.to_device)
        ensure_wallet(ctx, payee)
        target = wallet_account(payee.number)
    find_account(ctx, target)
    account = wallet_account(device.number)
    if target == account:
        raise TARGET()
    entries = [(account, asset.id, -body.amount), (target, asset.id, body.amount)]
    post(ctx, entries, memo=body.memo)
    ctx.emit(
        WalletPaid(
            device=device.id,
            by=ctx.actor.id,
            target=body.to_device or body.target,
            asset=asset.id,
            amount=body.amount,
        )
    )


def limit_wallet(ctx: Context, body: LimitWallet) -> None:
    """Set a limit of the day."""
    device = find_device(ctx, body.device)
    wallet = ensure_wallet(ctx, device)
    roles = ctx.actor.roles
    if body.whose == "device":
        allowed = ctx.actor.id == device.owner
        changed = replace(wallet, device_limit_fen=body.fen_per_day)
    else:
        allowed = "bank" in roles or "grid_company" in roles
        changed = replace(wallet, owner_limit_fen=body.fen_per_day)
    if not allowed:
        raise NOT_YOURS(device=device.id, party=ctx.actor.id)
    ctx.state.put(WALLETS, changed)
    ctx.emit(WalletLimited(device=device.id, whose=body.whose, fen_per_day=body.fen_per_day))


def freeze_wallet(ctx: Context, body: FreezeWallet) -> None:
    """Stop payments from a wallet."""
    device = find_device(ctx, body.device)
    wallet = ensure_wallet(ctx, device)
    if wallet.frozen_by:
        raise FROZEN(device=device.id, party=wallet.frozen_by)
    ctx.state.put(WALLETS, replace(wallet, frozen_by=ctx.actor.id, frozen_why=body.reason))
    ctx.emit(WalletFrozen(device=device.id, by=ctx.actor.id))


def unfreeze_wallet(ctx: Context, body: UnfreezeWallet) -> None:
    """Let payments go again; an owner lifts only what it froze itself."""
    device = find_device(ctx, body.device)
    wallet = ensure_wallet(ctx, device)
    if not wallet.frozen_by:
        return
    if ctx.actor.id == device.owner and ctx.actor.id != wallet.frozen_by:
        raise FROZEN(device=device.id, party=wallet.frozen_by)
    ctx.state.put(WALLETS, replace(wallet, frozen_by="", frozen_why=""))
    ctx.emit(WalletUnfrozen(device=device.id, by=ctx.actor.id))


def _spent(ctx: Context, wallet: Wallet, amount: int, *, by_device: bool) -> Wallet:
    """The wallet with this payment counted against the day's limit."""
    day = (ctx.time_s + DAY_OFFSET_S) // 86_400
    if wallet.day != day:
        wallet = replace(wallet, day=day, device_paid_fen=0, owner_paid_fen=0)
    paid, limit = (
        (wallet.device_paid_fen, wallet.device_limit_fen)
        if by_device
        else (wallet.owner_paid_fen, wallet.owner_limit_fen)
    )
    if paid + amount > limit:
        raise OVER_LIMIT(amount=amount, limit=limit, paid=paid)
    if by_device:
        return replace(wallet, device_paid_fen=paid + amount)
    return replace(wallet, owner_paid_fen=paid + amount)
