"""The log as a projection reads it: entry by entry, its events, and its transaction if wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec

from wattproof.core.errors import Broken, ErrorCode
from wattproof.keys import cose
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.merkle import leaf_hash
from wattproof.ledger.transaction import Body, Codec

__all__ = ["Log", "LogEntry", "StoredEntries", "StoredEntry", "StoredLog"]

RESULT_DAMAGED = ErrorCode(
    Broken,
    "lake.result",
    en="The stored result of log entry {index} cannot be read; audit the ledger.",
    zh="日志条目 {index} 的存储结果无法读取；请审计账本。",
)

_decode_result = msgspec.msgpack.Decoder(tuple[int, list[tuple[str, dict[str, Any]]]]).decode


class LogEntry(Protocol):
    """An accepted transaction: its leaf index, the events it made happen, its fields."""

    @property
    def index(self) -> int:
        """The leaf index."""
        ...

    @property
    def events(self) -> Sequence[tuple[str, dict[str, Any]]]:
        """Names and fields of its events, in order; a field that holds its default is left out."""
        ...

    @property
    def body(self) -> Body:
        """The transaction's own fields."""
        ...

    @property
    def leaf_hash(self) -> bytes:
        """The hash of its leaf, 32 bytes."""
        ...


class Log(Protocol):
    """What can be projected."""

    @property
    def size(self) -> int:
        """How many entries there are."""
        ...

    def read(self, first: int, count: int) -> Iterable[LogEntry]:
        """Up to `count` entries from `first` on, in order."""
        ...


class StoredEntry(Protocol):
    """An entry as the ledger's store gives it."""

    @property
    def index(self) -> int:
        """The leaf index."""
        ...

    @property
    def leaf(self) -> bytes:
        """The leaf's bytes."""
        ...

    @property
    def result(self) -> bytes:
        """The encoded result."""
        ...


class StoredEntries(Protocol):
    """The part of the ledger's store that holds the log."""

    @property
    def size(self) -> int:
        """How many entries there are."""
        ...

    def entries(self, first: int, count: int) -> Sequence[StoredEntry]:
        """Up to `count` entries from `first` on, in order."""
        ...


class StoredLog:
    """The log of a store; `codec` is the machine's, which knows the transaction types."""

    def __init__(self, store: StoredEntries, codec: Codec) -> None:
        self._store: Final = store
        self._codec: Final = codec

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._store.size

    def read(self, first: int, count: int) -> Iterable[LogEntry]:
        """Up to `count` entries from `first` on, in order."""
        return [_Stored(entry, self._codec) for entry in self._store.entries(first, count)]


class _Stored:
    __slots__ = ("_codec", "_leaf", "events", "index")

    def __init__(self, entry: StoredEntry, codec: Codec) -> None:
        self.index = entry.index
        try:
            self.events: Sequence[tuple[str, dict[str, Any]]] = _decode_result(entry.result)[1]
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise RESULT_DAMAGED(index=entry.index) from None
        self._leaf = entry.leaf
        self._codec = codec

    @property
    def body(self) -> Body:
        raw = leaf_parts(self._leaf)[2]
        return self._codec.decode(cose.parse(raw), raw).body

    @property
    def leaf_hash(self) -> bytes:
        return leaf_hash(self._leaf)
