"""What is still to be sent, kept on disk: every notice goes out at least once to every output.

A notice is put down before it is sent, together with how far the interrupts of its host were
looked through; a node that stops in between goes on where it was. Receivers tell doubles by the
notice's `id`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from wattproof.emissions.tracking.notices import Notice

__all__ = ["GIVE_UP_S", "Deliveries", "Due", "Waiting"]

GIVE_UP_S: Final = 7 * 86_400
"""After so long a delivery that always failed is left alone; it is still listed."""
LONGEST_PAUSE_S: Final = 300
KEPT: Final = 10_000
"""Deliveries that were made and are remembered."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS host (
    host TEXT PRIMARY KEY, seen INTEGER NOT NULL, open TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
    output TEXT NOT NULL, notice TEXT NOT NULL, body BLOB NOT NULL, made_s INTEGER NOT NULL,
    due_s REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '', PRIMARY KEY (output, notice)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS delivery_made ON delivery (output, done, made_s);
"""


class Waiting(msgspec.Struct, frozen=True):
    """How many deliveries wait, how many were given up, and the last error."""

    waiting: int
    given_up: int
    error: str


class Due(msgspec.Struct, frozen=True):
    """A delivery whose time has come: the notice's id, host and exact bytes."""

    notice: str
    host: str
    body: bytes


class Deliveries:
    """The file of deliveries, for several threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def hosts(self) -> dict[str, tuple[int, tuple[int, ...]]]:
        """For each host the last interrupt that was noticed, and those that were not over then."""
        with self._lock:
            rows = self._db.execute("SELECT host, seen, open FROM host").fetchall()
        return {host: (seen, tuple(msgspec.json.decode(still))) for host, seen, still in rows}

    def put(
        self,
        host: str,
        *,
        seen: int,
        still_open: Iterable[int],
        notices: Sequence[tuple[str, Notice]],
        now_s: float,
    ) -> None:
        """Remember how far a host was looked through, and what is to be sent: (output, notice)."""
        encoded = [
            (output, notice.id, msgspec.json.encode(notice), int(now_s), now_s)
            for output, notice in notices
        ]
        still = msgspec.json.encode(sorted(still_open)).decode()
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "INSERT OR IGNORE INTO delivery (output, notice, body, made_s, due_s)"
                " VALUES (?, ?, ?, ?, ?)",
                encoded,
            )
            self._db.execute(
                "INSERT INTO host VALUES (?, ?, ?)"
                " ON CONFLICT (host) DO UPDATE SET seen = excluded.seen, open = excluded.open",
                (host, seen, still),
            )
            self._db.execute("COMMIT")

    def due(self, output: str, *, now_s: float, limit: int = 100) -> list[Due]:
        """What is to be sent to an output now, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT notice, body FROM delivery WHERE output = ? AND done = 0 AND due_s <= ?"
                " AND made_s > ? ORDER BY made_s, notice LIMIT ?",
                (output, now_s, int(now_s) - GIVE_UP_S, limit),
            ).fetchall()
        return [Due(notice, notice.split("/")[1], body) for notice, body in rows]

    def sent(self, output: str, notice: str) -> None:
        """A delivery was made; the oldest such are forgotten."""
        with self._lock:
            self._db.execute(
                "UPDATE delivery SET done = 1, error = '' WHERE output = ? AND notice = ?",
                (output, notice),
            )
            self._db.execute(
                "DELETE FROM delivery WHERE output = ? AND done = 1 AND made_s < (SELECT made_s"
                " FROM delivery WHERE output = ? AND done = 1 ORDER BY made_s DESC"
                " LIMIT 1 OFFSET ?)",
                (output, output, KEPT),
            )

    def failed(self, output: str, notice: str, *, error: str, now_s: float) -> None:
        """A delivery failed; it is tried again after a pause that doubles up to five minutes."""
        with self._lock:
            (tries,) = self._db.execute(
                "SELECT tries FROM delivery WHERE output = ? AND notice = ?", (output, notice)
            ).fetchone()
            pause_s = min(LONGEST_PAUSE_S, 2 ** min(tries, 10))
            self._db.execute(
                "UPDATE delivery SET tries = tries + 1, due_s = ?, error = ?"
                " WHERE output = ? AND notice = ?",
                (now_s + pause_s, error[:300], output, notice),
            )

    def waiting(self, output: str, *, now_s: float) -> Waiting:
        """How an output stands."""
        with self._lock:
            late, waiting = self._db.execute(
                "SELECT COALESCE(SUM(made_s <= ?), 0), COUNT(*) FROM delivery"
                " WHERE output = ? AND done = 0",
                (int(now_s) - GIVE_UP_S, output),
            ).fetchone()
            row = self._db.execute(
                "SELECT error FROM delivery WHERE output = ? AND done = 0 AND error != ''"
                " ORDER BY due_s DESC LIMIT 1",
                (output,),
            ).fetchone()
        return Waiting(waiting - late, late, row[0] if row else "")
