"""Assets, accounts and balances: their records, and the transactions that move them.

Each asset has two accounts of its own beside those that are opened. ``issue:<asset>`` goes down by
what is issued, so its balance is minus all that ever came into being; ``retired:<asset>`` goes up
by what is retired, and nothing leaves it. All balances of an asset together are therefore zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wattproof.ledger.machine import Event, event
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, Part, transaction

__all__ = [
    "ACCOUNTS",
    "ASSETS",
    "BALANCES",
    "KINDS",
    "MAX_AMOUNT",
    "MAX_ENTRIES",
    "MAX_MEMO",
    "MAX_MOVEMENTS",
    "Account",
    "AccountOpened",
    "Asset",
    "AssetDefined",
    "Balance",
    "DefineAsset",
    "Entry",
    "Issue",
    "Movement",
    "OpenAccount",
    "OverdraftSet",
    "Posted",
    "Retire",
    "SetOverdraft",
    "Transfer",
    "issue_account",
    "retired_account",
]

MAX_AMOUNT: Final = 2**62
"""The largest amount of an entry and of a balance, either sign."""

MAX_ENTRIES: Final = 256
"""Entries in one posting at most."""

MAX_MOVEMENTS: Final = MAX_ENTRIES // 2
"""Movements in one transfer at most; each makes two entries."""

MAX_MEMO: Final = 128
"""Characters in a memo at most."""

KINDS: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "energy": (("Wh",), "energy", "电能"),
    "money": (("fen",), "money", "资金"),
    "certificate": (("Wh", "pc"), "green certificate", "绿证"),
    "allowance": (("g",), "emission allowance", "碳排放配额"),
    "offset": (("g",), "emission offset", "碳抵消量"),
}
"""What an asset may be: the units that it is counted in, and its name in English and Chinese."""

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Amount = Annotated[int, Meta(ge=1, le=2**62)]
Memo = Annotated[str, Meta(max_length=MAX_MEMO, pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]


class Asset(Record):
    """Something that can be owned, counted in whole units of `unit`.

    `kind` is one of `KINDS`; only `issuer` brings more of it into being. People see amounts with
    `decimals` places: 6 for an allowance kept in grams and shown in tonnes.
    """

    id: str
    kind: str
    unit: str
    issuer: str
    decimals: int = 0


class Account(Record):
    """A place where assets are held.

    `owner_kind` is ``party`` or ``device``, whose key moves them, or ``room``: then no key does,
    only the rules of the room named as `owner`.
    """

    id: str
    owner_kind: str
    owner: str


class Balance(Record):
    """What an account holds of an asset; it may go down to minus `overdraft`, and no further.

    `last_entry` is the log index of the posting that changed it last, or -1: the end of the chain
    along which `statement` reads.
    """

    account: str
    asset: str
    amount: int = 0
    overdraft: int = 0
    last_entry: int = -1


ASSETS: Final = Collection("assets", Asset, key=("id",), indexes={"issuer": ("issuer",)})
ACCOUNTS: Final = Collection(
    "accounts", Account, key=("id",), indexes={"owner": ("owner_kind", "owner")}
)
BALANCES: Final = Collection(
    "balances", Balance, key=("account", "asset"), indexes={"asset": ("asset",)}
)


def issue_account(asset: str) -> str:
    """The account from which an asset comes."""
    return f"issue:{asset}"


def retired_account(asset: str) -> str:
    """The account where an asset ends."""
    return f"retired:{asset}"


@transaction(
    "book.asset.define",
    1,
    by=("registrar", "issuer"),
    en="Define an asset and become its issuer",
    zh="定义资产并成为其发行方",
)
class DefineAsset(Body):
    """Define an asset; whoever signs is its issuer."""

    id: Id
    kind: Annotated[str, Meta(max_length=32)]
    unit: Annotated[str, Meta(max_length=16)]
    decimals: Annotated[int, Meta(ge=0, le=18)] = 0


@transaction("book.account.open", 1, by=("party", "device"), en="Open an account", zh="开立账户")
class OpenAccount(Body):
    """Open an account of one's own, which can hold every asset."""

    id: Id


@transaction(
    "book.overdraft.set",
    1,
    by=("registrar", "issuer"),
    en="Set how far an account may be overdrawn (the asset's issuer)",
    zh="设定账户透支限额（资产发行方）",
)
class SetOverdraft(Body):
    """Let the balance of `asset` in `account` go down to minus `limit`."""

    account: Id
    asset: Id
    limit: Annotated[int, Meta(ge=0, le=2**62)]


@transaction(
    "book.issue",
    1,
    by=("registrar", "issuer"),
    en="Issue an asset (its issuer)",
    zh="发行资产（资产发行方）",
)
class Issue(Body):
    """Bring `amount` of an asset into being, in `account`."""

    asset: Id
    account: Id
    amount: Amount
    memo: Memo = ""


class Movement(Part):
    """An amount of an asset on its way from one account to another."""

    source: Id
    target: Id
    asset: Id
    amount: Amount


@transaction(
    "book.transfer",
    1,
    by=("party", "device"),
    en="Transfer out of one's accounts",
    zh="从自有账户转出",
)
class Transfer(Body):
    """Make all `movements`, or none; the signer owns every source."""

    movements: Annotated[tuple[Movement, ...], Meta(min_length=1, max_length=MAX_MOVEMENTS)]
    memo: Memo = ""


@transaction(
    "book.retire",
    1,
    by=("party", "device"),
    en="Retire an asset from one's account",
    zh="从自有账户注销资产",
)
class Retire(Body):
    """Take `amount` of an asset out of circulation for good."""

    account: Id
    asset: Id
    amount: Amount
    memo: Memo = ""


@event(
    "book.asset.defined",
    en="{issuer} defined the asset {asset} ({kind}, in {unit})",
    zh="{issuer} 定义了资产 {asset}（{kind}，单位 {unit}）",
)
class AssetDefined(Event):
    """There is a new asset, of which nothing is issued yet."""

    asset: str
    kind: str
    unit: str
    issuer: str


@event(
    "book.account.opened",
    en="{owner} opened the account {account}",
    zh="{owner} 开立了账户 {account}",
)
class AccountOpened(Event):
    """There is a new, empty account."""

    account: str
    owner_kind: str
    owner: str


@event(
    "book.overdraft.set",
    en="The account {account} may be overdrawn by {limit} of {asset}",
    zh="账户 {account} 的 {asset} 透支限额为 {limit}",
)
class OverdraftSet(Event):
    """An overdraft limit is as given here."""

    account: str
    asset: str
    limit: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a posting: what an account gains (or, below zero, loses) of an asset.

    `previous` is the log index of the posting before in the same account and asset, or -1.
    """

    account: str
    asset: str
    amount: int
    previous: int = -1


@event(
    "book.posted", en="{count} entries were posted: “{memo}”", zh="已记入 {count} 笔分录：“{memo}”"
)
class Posted(Event):
    """A posting was made; `entries` are one for each account and asset, in the order given."""

    count: int
    entries: tuple[Entry, ...]
    memo: str = ""
