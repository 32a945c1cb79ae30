"""The ledger's one file: log, tiles, blocks and state in SQLite, committed together.

    entry   one row a log entry: its transaction's id, the leaf's bytes, the encoded result
    tile    one row a full tile of 256 node hashes
    block   one row a block: time, tree size, running hash, app hash, signed checkpoint
    state_* one table a collection: key and index columns, the value, the entry that wrote it last

A block is one SQLite transaction in WAL mode with synchronous=FULL: after a crash it is there
whole or not at all, and it is acknowledged only once it is durable.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from wattproof.core.errors import Broken, ErrorCode, Unavailable
from wattproof.ledger import merkle
from wattproof.ledger.schema import FORMAT, CollectionSql, schema
from wattproof.ledger.state import Collection, Key, Record, Row, Write
from wattproof.ledger.tiles import BAD_TILE, TILE_WIDTH, tile_path, tile_root

__all__ = ["Block", "Entry", "Store", "Tile"]


NO_LEDGER = ErrorCode(
    Unavailable,
    "store.missing",
    en="There is no ledger in {path}; make one with: wattproof init {path}",
    zh="{path} 中没有账本；请先运行：wattproof init {path}",
)
ALREADY = ErrorCode(
    Unavailable,
    "store.exists",
    en="There is a ledger in {path} already.",
    zh="{path} 中已经有一个账本。",
)
NOT_OURS = ErrorCode(
    Broken,
    "store.format",
    en="{path} is not a ledger that this version can read: {reason}.",
    zh="{path} 不是本版本可读取的账本：{reason}。",
)
MISSING_ENTRY = ErrorCode(
    Broken,
    "store.entry_missing",
    en="Log entry {index} is missing.",
    zh="日志条目 {index} 缺失。",
)

R = TypeVar("R", bound=Record)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A log entry: leaf index, transaction id, leaf bytes, encoded result."""

    index: int
    id: bytes
    leaf: bytes
    result: bytes


class Tile(msgspec.Struct, frozen=True):
    """A full tile: 256 node hashes of 32 bytes, at `level` (of tiles) and `index`."""

    level: int
    index: int
    hashes: bytes


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """What a block leaves behind it; `size` is the tree size after it."""

    height: int
    time_ms: int
    size: int
    writes_hash: bytes
    app_hash: bytes
    checkpoint: str


class _Held:
    """A connection that is closed when the thread that it belongs to ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Store:
    """The ledger's file, open for reading from any thread, and for writing if asked for.

    Each thread reads over its own connection and sees the latest committed block; `snapshot`
    holds one block in view over several reads.
    """

    def __init__(self, path: Path | str, collections: Iterable[Collection[Any]], *, write: bool):
        self.path: Final = path
        self.collections: Final = tuple(collections)
        self._write = write
        self._threads = threading.local()
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._memory: _Held | None = None
        self._sql = {collection: CollectionSql(collection) for collection in self.collections}

    @classmethod
    def create(cls, path: Path | str, collections: Iterable[Collection[Any]]) -> Store:
        """Make an empty store; `path` is a file that does not exist, or ``:memory:``."""
        store = cls(path, collections, write=True)
        connection = store._connect()
        connection.executescript(schema(store.collections))
        return store

    @classmethod
    def open(
        cls, path: Path, collections: Iterable[Collection[Any]], *, write: bool = False
    ) -> Store:
        """Open an existing ledger's store. Raises `Unavailable`, or `Broken` for a bad file."""
        if not path.is_file():
            raise NO_LEDGER(path=str(path.parent))
        store = cls(path, collections, write=write)
        try:
            found = store._connect().execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            store.close()
            raise NOT_OURS(path=str(path), reason=str(error)) from None
        if found != FORMAT:
            store.close()
            raise NOT_OURS(path=str(path), reason=f"format {found}")
        return store

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for held in tuple(self._open):
                held.connection.close()
            self._open.clear()
        self._threads = threading.local()
        if self._memory is not None:
            self._memory.connection.close()

    # --- the log ---------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many entries the log has."""
        row = self._connect().execute("SELECT size FROM block ORDER BY height DESC LIMIT 1")
        found = row.fetchone()
        return 0 if found is None else int(found[0])

    def entry(self, index: int) -> Entry:
        """The log entry at `index`; `Broken` when it is missing."""
        for entry in self.entries(index, 1):
            return entry
        raise MISSING_ENTRY(index=index)

    def entries(self, first: int, count: int) -> list[Entry]:
        """Up to `count` entries from `first` on, in order."""
        rows = self._connect().execute(
            "SELECT idx, id, leaf, result FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?",
            (first, count),
        )
        return [Entry(*row) for row in rows]

    def find_entry(self, transaction_id: bytes) -> Entry | None:
        """The log entry of a transaction."""
        row = self._connect().execute(
            "SELECT idx, id, leaf, result FROM entry WHERE id = ?", (transaction_id,)
        )
        found = row.fetchone()
        return None if found is None else Entry(*found)

    def known(self, ids: Sequence[bytes]) -> list[bytes]:
        """Those of the transaction ids that are in the log."""
        connection = self._connect()
        found: list[bytes] = []
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            marks = ",".join("?" * len(part))
            rows = connection.execute(f"SELECT id FROM entry WHERE id IN ({marks})", part)
            found.extend(row[0] for row in rows)
        return found

    def tile(self, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
        """The first `width` hashes of a tile; partial tiles are computed from what is below.

        Raises `Broken` where an entry or a tile that must exist is missing.
        """
        stored = self.stored_tile(level, index)
        if stored is not None:
            expected = merkle.HASH_BYTES * TILE_WIDTH
            if len(stored) != expected:
                raise BAD_TILE(path=tile_path(level, index), expected=expected, found=len(stored))
            return stored[: merkle.HASH_BYTES * width]
        first = index * TILE_WIDTH
        if level == 0:
            entries = self.entries(first, width)
            for position, entry in enumerate(entries):
                if entry.index != first + position:
                    raise MISSING_ENTRY(index=first + position)
            if len(entries) < width:
                raise MISSING_ENTRY(index=first + len(entries))
            return b"".join(merkle.leaf_hash(entry.leaf) for entry in entries)
        return b"".join(tile_root(self.tile(level - 1, first + i)) for i in range(width))

    def stored_tile(self, level: int, index: int) -> bytes | None:
        """A full tile as it is stored; None where there is none."""
        row = self._connect().execute(
            "SELECT hashes FROM tile WHERE level = ? AND idx = ?", (level, index)
        )
        found = row.fetchone()
        return None if found is None else bytes(found[0])

    def block(self, height: int) -> Block | None:
        """The block at `height`."""
        return self._block("WHERE height = ?", (height,))

    def latest_block(self) -> Block | None:
        """The newest block; None in an empty store."""
        return self._block("ORDER BY height DESC LIMIT 1", ())

    def blocks(self) -> Iterator[Block]:
        """All blocks in order."""
        rows = self._connect().execute(
            "SELECT height, time_ms, size, writes_hash, app_hash, checkpoint FROM block"
            " ORDER BY height"
        )
        return (_to_block(row) for row in rows)

    def tiles(self) -> Iterator[Tile]:
        """All stored tiles, by level and index."""
        rows = self._connect().execute("SELECT level, idx, hashes FROM tile ORDER BY level, idx")
        return (Tile(*row) for row in rows)

    # --- the state -------------------------------------------------------------------------

    def row(self, collection: Collection[Any], key: Key) -> Row | None:
        """The committed row with this key."""
        found = self._connect().execute(self._sql[collection].get, key).fetchone()
        return None if found is None else Row(found[0], found[1])

    def rows(
        self, collection: Collection[Any], fields: tuple[str, ...], values: Key
    ) -> list[bytes]:
        """The values of committed rows whose `fields` equal `values`, by key."""
        sql = self._sql[collection].select(fields)
        return [row[0] for row in self._connect().execute(sql, values)]

    def get(self, collection: Collection[R], *key: int | str | bytes) -> R | None:
        """The record with this key, or None."""
        row = self.row(collection, key)
        return None if row is None else collection.decode(row.value)

    def find(self, collection: Collection[R], index: str, *values: int | str | bytes) -> list[R]:
        """The records whose indexed fields equal `values` (a prefix will do), by key."""
        fields = collection.indexes[index][: len(values)]
        return [collection.decode(value) for value in self.rows(collection, fields, values)]

    def scan(self, collection: Collection[R], *prefix: int | str | bytes) -> Iterator[R]:
        """All records whose key starts with `prefix`, by key."""
        sql = self._sql[collection].select(collection.key[: len(prefix)])
        for row in self._connect().execute(sql, prefix):
            yield collection.decode(row[0])

    def page(
        self,
        collection: Collection[R],
        index: str | None = None,
        values: Key = (),
        *,
        after: Key | None,
        limit: int,
    ) -> list[R]:
        """Up to `limit` records by key, from behind the key `after`, at the cost of those alone.

        Only those whose indexed fields equal `values`; without an index, whose key starts so.
        """
        fields = (collection.key if index is None else collection.indexes[index])[: len(values)]
        sql = self._sql[collection].page(fields, after=after is not None)
        rows = self._connect().execute(sql, (*values, *(after or ()), limit))
        return [collection.decode(row[0]) for row in rows]

    def keys(
        self,
        collection: Collection[Any],
        index: str | None = None,
        values: Key = (),
        *,
        after: Key | None,
        limit: int,
    ) -> list[Key]:
        """The keys of what `page` gives; cheap where an index holds them."""
        fields = (collection.key if index is None else collection.indexes[index])[: len(values)]
        sql = self._sql[collection].keys(fields, after=after is not None)
        return list(self._connect().execute(sql, (*values, *(after or ()), limit)))

    def columns(self, collection: Collection[Any]) -> Iterator[tuple[Any, ...]]:
        """Every row as it is stored: key and index columns, value, entry; by key.

        Texts come as their bytes, so that even those that are no longer UTF-8 can be compared.
        """
        return iter(self._connect().execute(self._sql[collection].everything))

    def tables(self) -> list[tuple[str, str, str]]:
        """Type, name and definition of every table and index, by name."""
        rows = self._connect().execute(
            "SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY name"
        )
        return [(str(kind), str(name), str(sql)) for kind, name, sql in rows]

    def integrity_problems(self) -> list[str]:
        """What SQLite itself finds wrong with the file, its indexes included."""
        try:
            rows = self._connect().execute("PRAGMA integrity_check(10)").fetchall()
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [str(row[0]) for row in rows if row[0] != "ok"]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold one committed block in view for the reads of this thread."""
        connection = self._connect()
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("COMMIT")

    # --- writing ---------------------------------------------------------------------------

    def commit(
        self,
        block: Block,
        *,
        entries: Sequence[Entry],
        tiles: Sequence[Tile],
        writes: Sequence[Write],
    ) -> None:
        """Write a block whole and durably; an error leaves the store as it was."""
        connection = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT INTO entry(idx, id, leaf, result) VALUES (?, ?, ?, ?)",
                [(entry.index, entry.id, entry.leaf, entry.result) for entry in entries],
            )
            connection.executemany(
                "INSERT INTO tile(level, idx, hashes) VALUES (?, ?, ?)",
                [(tile.level, tile.index, tile.hashes) for tile in tiles],
            )
            self._put_rows(connection, writes)
            connection.execute(
                "INSERT INTO block(height, time_ms, size, writes_hash, app_hash, checkpoint)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                msgspec.structs.astuple(block),
            )
            connection.execute("COMMIT")
        except BaseException:
            # SQLite undoes a transaction by itself when the disk is full or fails, not otherwise.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _put_rows(self, connection: sqlite3.Connection, writes: Sequence[Write]) -> None:
        position = 0
        while position < len(writes):
            collection = writes[position].collection
            end = position
            put: list[tuple[Any, ...]] = []
            drop: list[Key] = []
            while end < len(writes) and writes[end].collection is collection:
                write = writes[end]
                if write.record is None:
                    drop.append(write.key)
                else:
                    columns = collection.column_values(write.record)
                    put.append((*columns, write.value, write.entry))
                end += 1
            connection.executemany(self._sql[collection].put, put)
            connection.executemany(self._sql[collection].drop, drop)
            position = end

    def _block(self, tail: str, values: tuple[int, ...]) -> Block | None:
        row = self._connect().execute(
            "SELECT height, time_ms, size, writes_hash, app_hash, checkpoint FROM block " + tail,
            values,
        )
        found = row.fetchone()
        return None if found is None else _to_block(found)

    def _connect(self) -> sqlite3.Connection:
        if self._memory is not None:
            return self._memory.connection
        held: _Held | None = getattr(self._threads, "held", None)
        if held is None:
            held = self._threads.held = _Held(self._new_connection())
            with self._lock:
                self._open.add(held)
        return held.connection

    def _new_connection(self) -> sqlite3.Connection:
        if self.path == ":memory:":
            self._memory = _Held(sqlite3.connect(":memory:", isolation_level=None))
            return self._memory.connection
        mode = "rwc" if self._write else "ro"
        uri = f"{Path(self.path).absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30.0
        )
        if self._write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        return connection


def _to_block(row: tuple[Any, ...]) -> Block:
    return Block(
        height=row[0],
        time_ms=row[1],
        size=row[2],
        writes_hash=row[3],
        app_hash=row[4],
        checkpoint=row[5],
    )
