"""The node's one SQLite file: durable changes, all of a block or nothing of it.

The file may be used by several threads and processes: the agent, its sender, and the commands.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from wattproof.core.errors import Broken, ErrorCode, Unavailable

__all__ = ["DAMAGED", "Store"]

UNUSABLE = ErrorCode(
    Unavailable,
    "edge.queue.unusable",
    en="The queue {path} cannot be used now: {reason}.",
    zh="队列 {path} 暂时无法使用：{reason}。",
)
DAMAGED = ErrorCode(
    Broken,
    "edge.queue.damaged",
    en="The queue {path} is damaged: {reason}.",
    zh="队列 {path} 已损坏：{reason}。",
)

_BUSY_S: Final = 30


class Store:
    """The open file, with the tables of `schema`; threads may share it.

    Everything raises `Unavailable` where the file cannot be used now, and `Broken` where it is
    damaged.
    """

    def __init__(self, path: Path, *, schema: str) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._open = False
        with self._guarded():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                with self.changing():
                    for statement in schema.split(";")[:-1]:
                        self._connection.execute(statement)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Everything in the block becomes durable together, or not at all."""
        with self._lock, self._guarded():
            if self._open:  # part of a larger change
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._open = True
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._open = False

    def run(self, query: str, values: Sequence[object] = ()) -> int:
        """Change rows, in a `changing` block of its own or of the caller; how many."""
        with self.changing():
            return self._connection.execute(query, tuple(values)).rowcount

    def run_many(self, query: str, many: Sequence[Sequence[object]]) -> None:
        """The same change for each of these values."""
        with self.changing():
            self._connection.executemany(query, many)

    def row(self, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """The first row that is found."""
        rows = self.rows(query, values)
        return rows[0] if rows else None

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows that are found."""
        with self._lock, self._guarded():
            return self._connection.execute(query, tuple(values)).fetchall()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Give what SQLite and the operating system report as our errors."""
        try:
            yield
        except sqlite3.DatabaseError as failed:
            ours = isinstance(failed, sqlite3.OperationalError | sqlite3.ProgrammingError)
            code = UNUSABLE if ours else DAMAGED
            raise code(path=self.path, reason=str(failed)) from failed
        except OSError as failed:
            raise UNUSABLE(path=self.path, reason=failed.strerror or "?") from failed
