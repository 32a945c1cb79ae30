"""Reads over wallets: what is in one, what may be paid from it, what its meter still owes."""

from __future__ import annotations

import time

import msgspec

from wattproof.book.queries import balances
from wattproof.book.statement import Statement, statement
from wattproof.core.errors import ErrorCode, NotFound
from wattproof.identity.model import DEVICES, Device
from wattproof.identity.queries import device as device_of
from wattproof.identity.queries import device_by_number
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.model import QUANTITIES, Kind
from wattproof.settlement.records import USAGE, WALLETS, Usage, Wallet
from wattproof.settlement.wallets import DAY_OFFSET_S, wallet_account

__all__ = ["Held", "WalletView", "wallet_of", "wallet_statement", "wallets_of"]

NO_WALLET = ErrorCode(
    NotFound,
    "settlement.no_wallet",
    en="{device} has no wallet; a device gets one when it is confirmed.",
    zh="{device} 没有钱包；设备确权后即有钱包。",
)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of an asset, in the asset's unit."""

    asset: str
    amount: int


class WalletView(msgspec.Struct, frozen=True, kw_only=True):
    """A meter's wallet with what is known of its meter's trades; money in fen, energy in Wh.

    `device_limit_fen` and `owner_limit_fen` are what may be paid a day by the meter's key and by
    its owner, `device_paid_fen` and `owner_paid_fen` what was paid today (days of UTC+8).
    `frozen_by` is the party that froze it, or empty. Where the meter trades: `kind`, `region`,
    `tariff` (its own, or empty), `due_fen` (by the meter where it consumes, to it where it
    supplies), `waiting_wh` of `waiting_hours` hours that no run has settled yet, and what was
    settled in `trades` trades, of hours up to `settled_s`. `kind` is None where it does not trade.
    """

    device: str
    number: int
    owner: str
    account: str
    balances: tuple[Held, ...]
    device_limit_fen: int
    owner_limit_fen: int
    device_paid_fen: int
    owner_paid_fen: int
    frozen_by: str
    frozen_why: str
    kind: Kind | None
    region: str
    tariff: str
    contracts: tuple[str, ...]
    due_fen: int
    waiting_wh: int
    waiting_hours: int
    trades: int
    settled_wh: int
    settled_fen: int
    settled_s: int

    def held(self, asset: str) -> int:
        """How much of an asset is in it."""
        return sum(one.amount for one in self.balances if one.asset == asset)


def wallet_of(reading: Reading, device: str, *, now_s: int | None = None) -> WalletView:
    """The wallet of a device, with what was paid on the day of `now_s` (else: today).

    Raises `NotFound` for a device that there is not, and ``settlement.no_wallet``.
    """
    found = device_of(reading, device)
    wallet = reading.get(WALLETS, found.number)
    if wallet is None:
        raise NO_WALLET(device=device)
    return _view(reading, found, wallet, _day(now_s))


def wallets_of(
    store: Store,
    *,
    region: str | None = None,
    owner: str | None = None,
    after: str | None = None,
    limit: int = 100,
    now_s: int | None = None,
) -> list[WalletView]:
    """Wallets of the meters that trade in a region, of an owner's devices, or of all; one page.

    A region's by number, an owner's by the device's id, all by number: the first `limit` behind the
    device `after`. Raises `NotFound` where there is no such device.
    """
    day = _day(now_s)
    if owner is not None:
        return _of_owner(store, owner, region, after, limit, day)
    number = None if after is None else (device_of(store, after).number,)
    if region is None:
        wallets = store.page(WALLETS, after=number, limit=limit)
    else:
        usages = store.page(USAGE, "region", (region,), after=number, limit=limit)
        found = [store.get(WALLETS, usage.number) for usage in usages]
        wallets = [wallet for wallet in found if wallet is not None]
    return [_view(store, device_by_number(store, one.number), one, day) for one in wallets]


def wallet_statement(
    store: Store, device: str, *, asset: str, start: int | None = None, limit: int = 100
) -> Statement:
    """What changed a wallet's balance of an asset, newest first, from log entry `start` back.

    Raises as `wallet_of` and `book.statement.statement` do.
    """
    account = wallet_account(wallet_of(store, device).number)
    return statement(store, account=account, asset=asset, start=start, limit=limit)


def _of_owner(
    store: Store, owner: str, region: str | None, after: str | None, limit: int, day: int
) -> list[WalletView]:
    views: list[WalletView] = []
    behind = None if after is None else (after,)
    while len(views) < limit:
        devices = store.page(DEVICES, "owner", (owner,), after=behind, limit=limit)
        for device in devices:
            wallet = store.get(WALLETS, device.number)
            if wallet is not None:
                view = _view(store, device, wallet, day)
                views += [view] if region in (None, view.region) else []
        if len(devices) < limit:
            break
        behind = (devices[-1].id,)
    return views[:limit]


def _view(reading: Reading, device: Device, wallet: Wallet, day: int) -> WalletView:
    account = wallet_account(device.number)
    usage = reading.get(USAGE, device.number) or _no_usage(device)
    today = wallet.day == day
    return WalletView(
        device=device.id,
        number=device.number,
        owner=device.owner,
        account=account,
        balances=tuple(
            Held(asset=one.asset, amount=one.amount) for one in balances(reading, account)
        ),
        device_limit_fen=wallet.device_limit_fen,
        owner_limit_fen=wallet.owner_limit_fen,
        device_paid_fen=wallet.device_paid_fen if today else 0,
        owner_paid_fen=wallet.owner_paid_fen if today else 0,
        frozen_by=wallet.frozen_by,
        frozen_why=wallet.frozen_why,
        kind=QUANTITIES.get(device.quantity) if usage.region else None,
        region=usage.region,
        tariff=usage.tariff,
        contracts=usage.contracts,
        due_fen=usage.due_fen,
        waiting_wh=sum(usage.hours_wh),
        waiting_hours=len(usage.hours_wh),
        trades=usage.trades,
        settled_wh=usage.settled_wh,
        settled_fen=usage.settled_fen,
        settled_s=usage.settled_s,
    )


def _no_usage(device: Device) -> Usage:
    """A meter that never traded."""
    return Usage(
        number=device.number, device=device.id, region="", kind="consumption", since_entry=-1
    )


def _day(now_s: int | None) -> int:
    """The day against whose limits payments count."""
    return ((int(time.time()) if now_s is None else now_s) + DAY_OFFSET_S) // 86_400
