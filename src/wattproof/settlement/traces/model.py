"""Sealed trace codes on the ledger: epochs of a region's key, their holders, batches of codes.

Codes are sealed under the key of an *epoch*, which is known on the log by a random id alone. A
party holds the key if a copy was wrapped for its own key. Codes come in *batches*, numbered from 0
in each epoch: the number is the place for which codes and tokens are made (`keys.sealed`,
`keys.blind_index`), so a batch cannot be put in another's stead. A batch's tokens say, to those
who hold the key, which provinces, kinds, technologies and days are in it; a code has no tokens of
its own. The sealed codes stay in the log; the state keeps what a search needs to find them.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from wattproof.ledger.machine import Event, event
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, Part, transaction

__all__ = [
    "ABOUT_BYTES",
    "BATCHES",
    "CHECK_BYTES",
    "COPIES",
    "EPOCHS",
    "KEY_ID_BYTES",
    "MAX_CODES",
    "MAX_COPIES",
    "MAX_TOKENS",
    "PLAIN_ABOUT_BYTES",
    "ROW_BYTES",
    "STEP_TOKENS",
    "TOKEN_BYTES",
    "WRAPPED_BYTES",
    "Batch",
    "Copy",
    "Epoch",
    "GrantKey",
    "KeyCopy",
    "KeyGranted",
    "KeyOpened",
    "OpenKey",
    "PublishTraces",
    "TracesPublished",
]

KEY_ID_BYTES: Final = 16
CHECK_BYTES: Final = 32
WRAPPED_BYTES: Final = 80
"""A key of 32 bytes, wrapped."""
MAX_COPIES: Final = 256
"""Parties to which one transaction gives a key at most."""

ROW_BYTES: Final = 48
"""A sealed trace code, 32 bytes and a tag of 16: all of them are of one size."""
MAX_CODES: Final = 1_250
"""Codes in one batch at most: 60 000 of the 61 440 bytes of a transaction."""
TOKEN_BYTES: Final = 4
STEP_TOKENS: Final = 8
MAX_TOKENS: Final = 64
"""Tokens of one batch at most, those that fill up to a multiple of `STEP_TOKENS` included."""

PLAIN_ABOUT_BYTES: Final = 128
"""What an epoch is about, filled up with zero bytes before it is sealed."""
ABOUT_BYTES: Final = PLAIN_ABOUT_BYTES + 16

# The sizes are those of `keys`, written out: rules do not depend on the code that seals.

Id = Annotated[str, Meta(min_length=1, max_length=64)]
KeyId = Annotated[bytes, Meta(min_length=KEY_ID_BYTES, max_length=KEY_ID_BYTES)]


class KeyCopy(Part):
    """An epoch's key, wrapped for the present key of a party (`keys.wrapping`)."""

    party: Id
    wrapped: Annotated[bytes, Meta(min_length=WRAPPED_BYTES, max_length=WRAPPED_BYTES)]


Copies = Annotated[tuple[KeyCopy, ...], Meta(min_length=1, max_length=MAX_COPIES)]


@transaction(
    "settlement.key.open",
    1,
    by=("grid_company",),
    en="Open an epoch of a trace key",
    zh="启用溯源码密钥的新周期",
)
class OpenKey(Body):
    """Open an epoch under a new key. Its signer alone publishes in it and grants it.

    `key` is 16 random bytes, `check` follows from the key itself, so that whoever unwraps a copy
    knows that it is this one (`keys.sealed.EpochKey`). `about` says, sealed, which region it is
    for. Leaving a party out is how it is removed: it reads what came before and nothing new.
    """

    key: KeyId
    check: Annotated[bytes, Meta(min_length=CHECK_BYTES, max_length=CHECK_BYTES)]
    about: Annotated[bytes, Meta(min_length=ABOUT_BYTES, max_length=ABOUT_BYTES)]
    copies: Copies


@transaction(
    "settlement.key.grant",
    1,
    by=("grid_company",),
    en="Give a trace key to more parties",
    zh="向更多主体授予溯源码密钥",
)
class GrantKey(Body):
    """Give an epoch's key to parties: all of its codes, the older ones too, are theirs to read.

    A party that has a copy gets another in its stead, as it needs after it changed its own key.
    """

    key: KeyId
    copies: Copies


@transaction(
    "settlement.trace.publish",
    1,
    by=("grid_company",),
    en="Publish sealed trace codes",
    zh="发布加密溯源码",
)
class PublishTraces(Body):
    """Publish the next batch of an epoch.

    `number` counts the epoch's batches from 0. `rows` are sealed codes of `ROW_BYTES` each, and
    `tokens` are tokens of `TOKEN_BYTES` each, a multiple of `STEP_TOKENS`; both stand in ascending
    order, none twice, so that their order tells nothing.
    """

    key: KeyId
    number: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    rows: Annotated[bytes, Meta(min_length=ROW_BYTES, max_length=MAX_CODES * ROW_BYTES)]
    tokens: Annotated[
        bytes,
        Meta(min_length=STEP_TOKENS * TOKEN_BYTES, max_length=MAX_TOKENS * TOKEN_BYTES),
    ]


class Epoch(Record):
    """An epoch of a key: who opened it with which entry, how many batches and codes it has."""

    key: bytes
    opener: str
    entry: int
    check: bytes
    about: bytes
    batches: int = 0
    codes: int = 0


class Copy(Record):
    """The key of an epoch, wrapped for a party, and the entry that gave it."""

    key: bytes
    party: str
    wrapped: bytes
    entry: int


class Batch(Record):
    """A batch: the entry that has its rows, how many they are, and its tokens."""

    key: bytes
    number: int
    entry: int
    codes: int
    tokens: bytes


EPOCHS: Final = Collection("traces.epochs", Epoch, key=("key",), indexes={"opener": ("opener",)})
COPIES: Final = Collection(
    "traces.copies", Copy, key=("key", "party"), indexes={"party": ("party",)}
)
BATCHES: Final = Collection("traces.batches", Batch, key=("key", "number"))


@event(
    "settlement.key.opened",
    en="{opener} opened epoch {key} of a trace key for {holders} parties",
    zh="{opener} 启用了溯源码密钥周期 {key}，授予 {holders} 个主体",
)
class KeyOpened(Event):
    """An epoch is open; `key` is its id in hex."""

    key: str
    opener: str
    holders: int


@event(
    "settlement.key.granted",
    en="{holders} parties were given the trace key of epoch {key}",
    zh="溯源码密钥周期 {key} 已授予 {holders} 个主体",
)
class KeyGranted(Event):
    """More parties hold the key; `key` is its id in hex."""

    key: str
    holders: int


@event(
    "settlement.trace.published",
    en="Batch {number} of epoch {key}: {codes} sealed trace codes",
    zh="周期 {key} 第 {number} 批：{codes} 个加密溯源码",
)
class TracesPublished(Event):
    """A batch is on the log; `key` is its epoch's id in hex."""

    key: str
    number: int
    codes: int
