"""Reading the ledger in a handler.

A handler that declares ``ledger: Ledger`` is given the gateway's own reader, which cannot write.
Reads of a few rows cost microseconds, less than a hop into another thread, so handlers are plain
coroutines that read where they stand. What goes through a whole collection or the lake must not
hold up everyone else: ``await long_reads.run(work)``, with ``long_reads: Long``, has it done in one
of a few threads.

A read sees the newest block. Where several reads must see the same one, hold it with
``ledger.snapshot()``, without an ``await`` inside.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar, cast

import msgspec
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.gateway.long_reads import LongReads
from wattproof.gateway.words import plain
from wattproof.ledger.state import Collection, Key, Record
from wattproof.ledger.store import Store

__all__ = [
    "BAD_CURSOR",
    "LOOKED_AT_ONCE",
    "MAX_LIMIT",
    "MAX_LOOKED_AT",
    "Asker",
    "Cursor",
    "Id",
    "Ledger",
    "Limit",
    "Long",
    "Page",
    "page_of",
    "page_with",
    "shown",
]

MAX_LIMIT: Final = 500
"""Records on one page at most."""

MAX_LOOKED_AT: Final = 5_000
"""Records that are looked at for one page, where a filter has no index of its own."""

LOOKED_AT_ONCE: Final = 100
"""Records that are read at a time for a filter."""

Ledger: TypeAlias = NamedDependency[Store]
"""``ledger: Ledger`` in a handler: the gateway's reader."""

Asker: TypeAlias = NamedDependency[Actor]
"""``actor: Asker`` in a handler: who asks, for `access.require_sight`."""

Long: TypeAlias = NamedDependency[LongReads]
"""``long_reads: Long`` in a handler: where reads go that take their time."""

Cursor = Annotated[
    str | None,
    QueryParameter(
        name="cursor", max_length=400, description="Where to go on: `next` of the page before."
    ),
]
Limit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=MAX_LIMIT, description="Records on the page.")
]
Id = Annotated[str, PathParameter(max_length=64, description="An id that people chose.")]

BAD_CURSOR = ErrorCode(
    Malformed,
    "gateway.cursor",
    en="“{cursor}” does not say where to go on in this list.",
    zh="“{cursor}”不是此列表的续读位置。",
)

R = TypeVar("R", bound=Record)
S = TypeVar("S")
T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list; `next` is the cursor of the next, or null at the end.

    A page may hold fewer items than asked for, even none, although there is a next one.
    """

    items: tuple[T, ...]
    next: str | None


def shown(record: S) -> S:
    """A record as JSON shows it: fields at their defaults too, byte strings in hex."""
    return cast("S", plain(record))


def page_with(
    ledger: Store,
    collection: Collection[R],
    index: str | None = None,
    values: Key = (),
    *,
    cursor: str | None,
    limit: int,
    show: Callable[[R], T],
    keep: Callable[[R], bool] | None = None,
) -> Page[T]:
    """What `show` makes of the records whose indexed fields equal `values`, a page of it, by key.

    Those that `keep` does not keep are passed over. Raises `BAD_CURSOR`.
    """
    after = None if cursor is None else _key(collection, cursor)
    chunk = limit if keep is None else max(limit, LOOKED_AT_ONCE)
    found: list[R] = []
    looked_at, at_end = 0, False
    while not at_end and len(found) < limit and looked_at < MAX_LOOKED_AT:
        records = ledger.page(collection, index, values, after=after, limit=chunk)
        looked_at += len(records)
        at_end = len(records) < chunk
        for position, record in enumerate(records, start=1):
            after = collection.key_of(record)
            if keep is None or keep(record):
                found.append(record)
            if len(found) == limit:
                at_end = at_end and position == len(records)
                break
    following = None if at_end or after is None else _cursor(after)
    return Page(items=tuple(show(record) for record in found), next=following)


def page_of(
    ledger: Store,
    collection: Collection[R],
    index: str | None = None,
    values: Key = (),
    *,
    cursor: str | None,
    limit: int,
    keep: Callable[[R], bool] | None = None,
) -> Page[R]:
    """`page_with` of the records as they are."""
    return page_with(
        ledger, collection, index, values, cursor=cursor, limit=limit, show=shown, keep=keep
    )


def _cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).decode().rstrip("=")


def _key(collection: Collection[Any], cursor: str) -> Key:
    """The key that a cursor holds; it must fit the collection's."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = msgspec.msgpack.decode(data)
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise BAD_CURSOR(cursor=cursor[:80]) from None
    kinds = [collection.columns[field] for field in collection.key]
    if not isinstance(values, list) or [type(value) for value in values] != kinds:
        raise BAD_CURSOR(cursor=cursor[:80])
    return tuple(values)
