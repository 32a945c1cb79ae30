"""Private keys at rest: one SQLite file, every key sealed, opened with a passphrase.

    passphrase --argon2id--> unlock key --opens--> master key --opens--> each key's seed

So a store of thousands of keys costs one argon2id per opening, and a new passphrase rewraps the
master key only. Sealing is XChaCha20-Poly1305 with the name and the public key as associated data:
a sealed key that was moved to another name does not open. What sealing cannot show is that a whole
key is missing, or that the file is an older copy of itself.

SQLite gives the atomic, durable write: a key is added whole or not at all, in whichever step the
power fails, and two processes may use one store.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from wattproof.core.errors import Broken, Conflict, ErrorCode, Malformed, NotFound, Unavailable
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import MODERATE, Cost, unwrap, wrap

__all__ = ["KeyStore"]

EXISTS: Final = ErrorCode(
    Conflict,
    "keys.store.exists",
    en="{path} already holds a key store.",
    zh="{path} 中已有密钥库。",
)
MISSING: Final = ErrorCode(
    Unavailable,
    "keys.store.missing",
    en="{path} holds no key store.",
    zh="{path} 中没有密钥库。",
)
UNUSABLE: Final = ErrorCode(
    Unavailable,
    "keys.store.unusable",
    en="The key store {path} cannot be used now: {why}.",
    zh="密钥库 {path} 暂时无法使用：{why}。",
)
DAMAGED: Final = ErrorCode(
    Broken,
    "keys.store.damaged",
    en="The key store {path} is damaged: {why}.",
    zh="密钥库 {path} 已损坏：{why}。",
)
NAME: Final = ErrorCode(
    Malformed,
    "keys.store.name",
    en="A key's name has 1 to {limit} printable characters and no space at its ends.",
    zh="密钥名称应为 1 至 {limit} 个可打印字符，首尾不得有空格。",
)
UNKNOWN: Final = ErrorCode(
    NotFound,
    "keys.store.unknown",
    en="The key store has no key named {name}.",
    zh="密钥库中没有名为 {name} 的密钥。",
)
TAKEN: Final = ErrorCode(
    Conflict,
    "keys.store.taken",
    en="The key store already has a key named {name}.",
    zh="密钥库中已有名为 {name} 的密钥。",
)

_FILE: Final = "keys.sqlite"
_NAME_CHARACTERS: Final = 128
_BUSY_S: Final = 10
_KEY_AAD: Final = b"wattproof sealed key v1"
_SCHEMA: Final = """
    CREATE TABLE master (one INTEGER PRIMARY KEY CHECK (one = 1), wrapped BLOB);
    CREATE TABLE keys (name TEXT PRIMARY KEY, public BLOB, sealed BLOB) WITHOUT ROWID;
"""
# What SQLite reports when the surroundings are at fault; all else means changed bytes.
_SURROUNDINGS: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    )
)


class KeyStore:
    """An opened key store. Close it, or use it in a ``with`` statement; threads may share it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, master: bytes) -> None:
        self._path = path
        self._connection = connection
        self._master = master
        self._box = Aead(master)
        self._lock = threading.Lock()

    @classmethod
    def create(cls, directory: Path, passphrase: str, *, cost: Cost = MODERATE) -> Self:
        """Make an empty store in `directory`, which is made when missing.

        The file has mode 0600. Raises `Conflict` when there is one already, and `Malformed` for an
        empty passphrase.
        """
        path = directory / _FILE
        master = os.urandom(Aead.KEY_SIZE)
        wrapped = wrap(master, passphrase, cost=cost)
        with _guarded(path):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            _sync_directory(directory)
            _sync_directory(directory.parent)
            connection = _connect(path)
            try:
                _lay_out(path, connection, wrapped)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, master)

    @classmethod
    def open(cls, directory: Path, passphrase: str) -> Self:
        """Open the store in `directory`.

        Raises `Unavailable` when there is none, `Unauthorised` for a wrong passphrase, `Broken`
        when the file was changed by other means.
        """
        path = directory / _FILE
        with _guarded(path):
            if not path.is_file():
                raise MISSING(path=path)
            connection = _connect(path)
            try:
                if _is_blank(connection):
                    raise MISSING(path=path)
                _check_pages(path, connection)
                master = _unlock(path, connection, passphrase)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, master)

    def add(self, name: str, key: SigningKey) -> None:
        """Keep a key under a new name; durable on return. Raises `Conflict` when it is taken."""
        self.add_many({name: key})

    def add_many(self, keys: Mapping[str, SigningKey]) -> None:
        """Keep all of these keys or, when one cannot be kept, none; one durable write."""
        rows = [self._row(name, key) for name, key in keys.items()]
        with self._writing() as connection:
            for row in rows:
                added = connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", row)
                if added.rowcount == 0:
                    raise TAKEN(name=row[0])

    def get(self, name: str) -> SigningKey:
        """The key kept under `name`; raises `NotFound`, or `Broken` when it does not open."""
        with self._lock, _guarded(self._path):
            row = self._connection.execute(
                "SELECT public, sealed FROM keys WHERE name = ?", (_checked_name(name),)
            ).fetchone()
        if row is None:
            raise UNKNOWN(name=name)
        return self._opened(name, *row)

    def get_or_create(self, name: str) -> SigningKey:
        """The key kept under `name`, made and kept now if there is none.

        Two callers who race for one name get the same key.
        """
        try:
            return self.get(name)
        except NotFound:
            row = self._row(name, SigningKey.generate())
        with self._writing() as connection:
            connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", row)
        return self.get(name)

    def names(self) -> tuple[str, ...]:
        """The names of all keys, sorted."""
        with self._lock, _guarded(self._path):
            rows = self._connection.execute("SELECT name FROM keys").fetchall()
        names = [name for (name,) in rows if isinstance(name, str)]
        if len(names) != len(rows):
            raise DAMAGED(path=self._path, why="names")
        return tuple(sorted(names))

    def change_passphrase(self, passphrase: str, *, cost: Cost = MODERATE) -> None:
        """From now on `passphrase` opens the store, at this cost; the keys stay as they are.

        A copy of the file made before still opens with the passphrase it had.
        """
        wrapped = wrap(self._master, passphrase, cost=cost)
        with self._writing() as connection:
            connection.execute("UPDATE master SET wrapped = ?", (wrapped,))

    def close(self) -> None:
        """Close the file; the store cannot be used any more."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _guarded(self._path), _transaction(self._connection):
            yield self._connection

    def _row(self, name: str, key: SigningKey) -> tuple[str, bytes, bytes]:
        aad = _key_aad(_checked_name(name), key.public)
        return name, key.public, bytes(self._box.encrypt(key.seed, aad))

    def _opened(self, name: str, public: object, sealed: object) -> SigningKey:
        if isinstance(public, bytes) and isinstance(sealed, bytes):
            try:
                key = SigningKey(self._box.decrypt(sealed, _key_aad(name, public)))
            except (CryptoError, Malformed, ValueError):
                pass
            else:
                if key.public == public:
                    return key
        raise DAMAGED(path=self._path, why=f"key {name}")


def _checked_name(name: str) -> str:
    if not 0 < len(name) <= _NAME_CHARACTERS or name != name.strip() or not name.isprintable():
        raise NAME(limit=_NAME_CHARACTERS)
    return name


def _key_aad(name: str, public: bytes) -> bytes:
    return _KEY_AAD + public + name.encode()


def _unlock(path: Path, connection: sqlite3.Connection, passphrase: str) -> bytes:
    """Open the master key with the passphrase."""
    row = connection.execute("SELECT wrapped FROM master").fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise DAMAGED(path=path, why="master")
    master = unwrap(row[0], passphrase, what=str(path))
    if len(master) != Aead.KEY_SIZE:
        raise DAMAGED(path=path, why="master")
    return master


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        # The rollback journal keeps all in one file at rest; EXTRA syncs its removal too.
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _lay_out(path: Path, connection: sqlite3.Connection, wrapped: bytes) -> None:
    with _transaction(connection):
        if not _is_blank(connection):
            raise EXISTS(path=path)
        for statement in _SCHEMA.split(";")[:-1]:
            connection.execute(statement)
        connection.execute("INSERT INTO master VALUES (1, ?)", (wrapped,))


def _is_blank(connection: sqlite3.Connection) -> bool:
    """Whether there are no tables: a creation that a crash cut short, to be begun again."""
    blank: bool = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    return blank


def _check_pages(path: Path, connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != ("ok",):
        raise DAMAGED(path=path, why=str(found and found[0]))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _guarded(path: Path) -> Iterator[None]:
    """Give what SQLite and the operating system report as our errors."""
    try:
        yield
    except sqlite3.Error as failed:
        # The low byte is the primary result code; a text that is not UTF-8 comes without any.
        primary = getattr(failed, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        closed = isinstance(failed, sqlite3.ProgrammingError)
        code = UNUSABLE if closed or primary in _SURROUNDINGS else DAMAGED
        raise code(path=path, why=str(failed)) from failed
    except UnicodeDecodeError as failed:  # in a message that quotes a damaged schema
        raise DAMAGED(path=path, why="schema") from failed
    except OSError as failed:
        raise UNUSABLE(path=path, why=failed.strerror or type(failed).__name__) from failed


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
