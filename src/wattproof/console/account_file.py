"""The SQLite file of accounts, sessions and drafts: its tables, and one connection to it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

__all__ = ["AccountFile"]

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS users (
        login TEXT PRIMARY KEY, party TEXT NOT NULL, password TEXT NOT NULL, sealed BLOB,
        lang TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS attempts (
        login TEXT PRIMARY KEY, failures INTEGER NOT NULL, last_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sessions (
        token_hash BLOB PRIMARY KEY, login TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        csrf TEXT NOT NULL, sealed BLOB, seen_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS drafts (
        id TEXT PRIMARY KEY, login TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        payload BLOB NOT NULL, back TEXT NOT NULL, made_s INTEGER NOT NULL,
        transaction_id TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS draft_keys (
        id TEXT PRIMARY KEY REFERENCES drafts ON DELETE CASCADE, purpose TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS successors (
        login TEXT PRIMARY KEY REFERENCES users ON DELETE CASCADE, public BLOB NOT NULL,
        sealed BLOB NOT NULL, token_hash BLOB NOT NULL, session_sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
"""


class AccountFile:
    """The file at `path` (or ``:memory:``), readable by its owner alone. Threads may share it."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        if path != ":memory:":
            Path(path).chmod(0o600)  # before there is anything in it
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA busy_timeout = 10000")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def one(self, sql: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """The first row that a query gives."""
        with self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
            return row

    def all(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Every row that a query gives."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def do(self, sql: str, values: tuple[Any, ...]) -> None:
        """Change something, durably."""
        with self._lock:
            self._connection.execute(sql, values)

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Several changes, all of them or none."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
