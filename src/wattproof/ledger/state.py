"""State: typed collections of frozen Structs, with secondary indexes, written by contracts alone.

A `Collection` names the record type, the fields that are its key and the fields of its indexes.
Keys and index values are tuples of int, str or bytes; everything that is read comes in the order
of its key, so that no rule can depend on how rows happen to lie on disk.
"""

from __future__ import annotations

import hashlib
import operator
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar, dataclass_transform

import msgspec

__all__ = [
    "Collection",
    "Key",
    "Reading",
    "Record",
    "Row",
    "RowSource",
    "State",
    "Write",
    "hash_writes",
]

Key = tuple[int | str | bytes, ...]
_INT_LIMIT: Final = 2**63
"""Keys and index values are 64-bit integers with sign, as SQLite's are."""
Column = type[int] | type[str] | type[bytes]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """A record in the state. A field that holds its default is not stored, so that a field added
    later leaves the bytes of older records as they are."""


R = TypeVar("R", bound=Record)


class Collection(Generic[R]):
    """A typed collection: `name`, the Struct of its records, its key and its indexes.

    `key` and each index are names of fields of type int, str or bytes. Collections are declared
    once, at the top of a room's `model.py`.
    """

    def __init__(
        self,
        name: str,
        record: type[R],
        *,
        key: tuple[str, ...],
        indexes: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.name: Final = name
        self.record: Final = record
        self.key: Final = key
        self.indexes: Final = dict(indexes or {})
        hints = typing.get_type_hints(record, include_extras=False)
        _check_plain(record, set())
        named = dict.fromkeys(
            [*key, *(field for index in self.indexes.values() for field in index)]
        )
        self.columns: Final[dict[str, Column]] = {field: hints[field] for field in named}
        for field, kind in self.columns.items():
            assert kind in (int, str, bytes), f"{name}.{field} cannot be a key or an index"
        self._types: Final[tuple[type, ...]] = tuple(self.columns.values())
        self.key_of: Final[Callable[[R], Key]] = _getter(key)
        self.index_of: Final = {index: _getter(fields) for index, fields in self.indexes.items()}
        self.column_values: Final[Callable[[R], Key]] = _getter(tuple(self.columns))
        self.encode: Final[Callable[[R], bytes]] = msgspec.msgpack.Encoder().encode
        self.decode: Final[Callable[[bytes], R]] = msgspec.msgpack.Decoder(record).decode

    def __repr__(self) -> str:
        return f"Collection({self.name!r})"

    def check(self, fields: Iterable[str], values: Key) -> None:
        """Assert that `values` are of the exact types of `fields`.

        SQLite would compare "5" with 5 and find them equal where a dictionary does not, and True
        equals 1 for both: what a rule finds must not depend on where it is looked for.
        """
        for field, value in zip(fields, values, strict=False):
            assert type(value) is self.columns[field], f"{self.name}.{field} is never {value!r}"

    def encode_checked(self, record: R) -> bytes:
        """The record's bytes; an error where it could not be stored, keys included."""
        for value, kind in zip(self.column_values(record), self._types, strict=True):
            assert type(value) is kind, f"{self.name}: {record!r} has no {kind} in {value!r}"
            if isinstance(value, int) and not -_INT_LIMIT <= value < _INT_LIMIT:
                raise OverflowError(f"{self.name}: {value} does not fit into 64 bits")
        return self.encode(record)


def _getter(fields: tuple[str, ...]) -> Callable[[Any], Any]:
    if len(fields) == 1:
        get = operator.attrgetter(fields[0])
        return lambda record: (get(record),)
    return typing.cast("Callable[[Any], Any]", operator.attrgetter(*fields))


_PLAIN: Final = (int, str, bytes, bool, types.NoneType)


def _check_plain(hint: Any, seen: set[Any]) -> None:
    """Records hold int, str, bytes, bool, None, tuples and Structs of these: one encoding each."""
    if hint in seen or hint in _PLAIN or hint is Ellipsis:
        return
    seen.add(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for field in typing.get_type_hints(hint).values():
            _check_plain(field, seen)
        return
    origin = typing.get_origin(hint)
    assert origin in (tuple, typing.Union, types.UnionType, typing.Literal), f"{hint} in a record"
    if origin is not typing.Literal:
        for argument in typing.get_args(hint):
            _check_plain(argument, seen)


class Reading(Protocol):
    """Read access to the state, for contracts and queries alike."""

    def get(self, collection: Collection[R], *key: int | str | bytes) -> R | None:
        """The record with this key, or None."""
        ...

    def find(self, collection: Collection[R], index: str, *values: int | str | bytes) -> list[R]:
        """The records whose indexed fields equal `values` (a prefix will do), by key."""
        ...

    def scan(self, collection: Collection[R], *prefix: int | str | bytes) -> Iterator[R]:
        """All records whose key starts with `prefix`, by key."""
        ...


class Row(msgspec.Struct, frozen=True, gc=False):
    """A stored record: its value and the log index of the entry that wrote it last."""

    value: bytes
    entry: int


class RowSource(Protocol):
    """What the state reads its committed rows from."""

    def row(self, collection: Collection[Any], key: Key) -> Row | None:
        """The committed row with this key."""
        ...

    def rows(
        self, collection: Collection[Any], fields: tuple[str, ...], values: Key
    ) -> list[bytes]:
        """The values of committed rows whose `fields` equal `values`, by key."""
        ...


class Write(msgspec.Struct, frozen=True, gc=False):
    """One row as a block leaves it; `record` is None where the row is deleted."""

    collection: Collection[Any]
    key: Key
    record: Record | None
    value: bytes | None
    entry: int


_MISSING: Final = object()
_Cache = dict[Key, Any]
_Written = tuple[int, bytes | None]
"""The entry that wrote a row of the present block, and the row's value."""


class State:
    """The state as a contract sees it: committed rows under the writes of the present block.

    Reads go through a cache of decoded records; a transaction that is refused is undone with
    `undo`, one that is accepted is kept with `keep`; `take_writes` ends the block.
    """

    def __init__(self, source: RowSource, *, cache_records: int = 400_000) -> None:
        self._source = source
        self._limit = cache_records
        self._cache: dict[Collection[Any], _Cache] = {}
        self._dirty: dict[Collection[Any], dict[Key, _Written]] = {}
        self._undo: list[tuple[Collection[Any], Key, Any, _Written | None]] = []
        self.entry = 0

    def get(self, collection: Collection[R], *key: int | str | bytes) -> R | None:
        """The record with this key, or None."""
        cache = self._cache.get(collection)
        if cache is None:
            cache = self._cache[collection] = {}
        found = cache.get(key, _MISSING)
        if found is _MISSING:
            collection.check(collection.key, key)
            row = self._source.row(collection, key)
            found = None if row is None else collection.decode(row.value)
            cache[key] = found
        return typing.cast("R | None", found)

    def find(self, collection: Collection[R], index: str, *values: int | str | bytes) -> list[R]:
        """The records whose indexed fields equal `values` (a prefix will do), by key."""
        return self._merged(collection, collection.indexes[index], values)

    def scan(self, collection: Collection[R], *prefix: int | str | bytes) -> Iterator[R]:
        """All records whose key starts with `prefix`, by key."""
        return iter(self._merged(collection, collection.key, prefix))

    def put(self, collection: Collection[R], record: R) -> None:
        """Write `record` in place of whatever has its key.

        It is encoded at once, so that a record that cannot be fails the rule that made it and not
        the block.
        """
        value = collection.encode_checked(record)
        self._write(collection, collection.key_of(record), record, value)

    def delete(self, collection: Collection[Any], *key: int | str | bytes) -> None:
        """Remove the record with this key, which must exist."""
        assert self.get(collection, *key) is not None, f"no {collection.name} {key} to delete"
        self._write(collection, key, None, None)

    def undo(self) -> None:
        """Take back what was written since the last `keep`."""
        for collection, key, before, written in reversed(self._undo):
            if before is _MISSING:
                del self._cache[collection][key]
            else:
                self._cache[collection][key] = before
            if written is None:
                del self._dirty[collection][key]
            else:
                self._dirty[collection][key] = written
        self._undo.clear()

    def keep(self) -> None:
        """Make what was written since the last `keep` part of the block."""
        self._undo.clear()

    def take_writes(self) -> list[Write]:
        """End the block: its final writes, sorted by collection and key."""
        assert not self._undo, "a transaction is still open"
        writes = []
        for collection in sorted(self._dirty, key=lambda collection: collection.name):
            dirty, cache = self._dirty[collection], self._cache[collection]
            for key in sorted(dirty):
                entry, value = dirty[key]
                writes.append(Write(collection, key, cache[key], value, entry))
        self._dirty = {}
        self._trim()
        return writes

    def _write(
        self, collection: Collection[Any], key: Key, record: Record | None, value: bytes | None
    ) -> None:
        cache = self._cache.setdefault(collection, {})
        dirty = self._dirty.setdefault(collection, {})
        self._undo.append((collection, key, cache.get(key, _MISSING), dirty.get(key)))
        cache[key] = record
        dirty[key] = (self.entry, value)

    def _merged(self, collection: Collection[R], fields: tuple[str, ...], values: Key) -> list[R]:
        assert len(values) <= len(fields), f"{collection.name}: too many values for {fields}"
        collection.check(fields, values)
        stored = self._source.rows(collection, fields[: len(values)], values)
        dirty = self._dirty.get(collection)
        records = [collection.decode(value) for value in stored]
        if not dirty:
            return records
        key_of, matches = collection.key_of, _getter(fields)
        cache, count = self._cache[collection], len(values)
        kept = [record for record in records if key_of(record) not in dirty]
        changed = (cache[key] for key in dirty)
        kept += [r for r in changed if r is not None and matches(r)[:count] == values]
        return sorted(kept, key=key_of)

    def _trim(self) -> None:
        """Drop the older half of a cache that has outgrown its limit; nothing in it is dirty."""
        for cache in self._cache.values():
            if len(cache) > self._limit:
                for key in list(cache)[: len(cache) // 2]:
                    del cache[key]


def hash_writes(results: Iterable[bytes], writes: Iterable[Write]) -> bytes:
    """SHA-256 over a block's results, in order, and its sorted writes: 32 bytes.

    Each item is framed as MessagePack, so that no two different lists give the same bytes.
    """
    encode = msgspec.msgpack.Encoder().encode
    digest = hashlib.sha256()
    for result in results:
        digest.update(encode(result))
    for write in writes:
        digest.update(encode((write.collection.name, write.key, write.entry, write.value)))
    return digest.digest()
