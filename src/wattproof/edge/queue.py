"""What waits to be sent, and the node's state: one SQLite file, one transaction for both.

A packet is made and the state moves on in the same durable commit, so a kill or a power cut at any
instant loses nothing and makes nothing twice. The order is the order of making. What the host
refused for good is kept aside with the refusal, for a person to look at; it never blocks what
follows and never disappears by itself.

The file may be used by several threads and processes: the agent, its sender, and the commands.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from wattproof.core.errors import Broken, ErrorCode, Unavailable, WattProofError
from wattproof.edge.packets import transaction_id
from wattproof.edge.state import NodeState

__all__ = ["Fault", "LastReading", "Queue", "Refusal", "Sent", "Waiting"]

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
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB);
    CREATE TABLE IF NOT EXISTS queue (
        position INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB UNIQUE, what TEXT, raw BLOB
    );
    CREATE TABLE IF NOT EXISTS refused (
        position INTEGER PRIMARY KEY, id BLOB, what TEXT, raw BLOB,
        code TEXT, en TEXT, zh TEXT, at_s INTEGER
    );
    CREATE TABLE IF NOT EXISTS sent (
        one INTEGER PRIMARY KEY CHECK (one = 1), id BLOB, entry INTEGER, at_s INTEGER, count INTEGER
    );
    CREATE TABLE IF NOT EXISTS fault (
        place TEXT PRIMARY KEY, code TEXT, en TEXT, zh TEXT, since_s INTEGER, count INTEGER
    );
    CREATE TABLE IF NOT EXISTS reading (
        one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB
    );
"""


class Waiting(msgspec.Struct, frozen=True):
    """A signed transaction that waits: its place in the order, its id, what it is, its bytes."""

    position: int
    id: bytes
    what: str
    raw: bytes


class Refusal(msgspec.Struct, frozen=True):
    """A transaction that the host refused for good at `at_s`, kept aside."""

    position: int
    id: str
    what: str
    code: str
    en: str
    zh: str
    at_s: int
    size_bytes: int


class Sent(msgspec.Struct, frozen=True):
    """The last transaction that the host took, its log entry (-1: unknown), and how many in all."""

    id: str
    entry: int
    at_s: int
    count: int


class Fault(msgspec.Struct, frozen=True):
    """Something that is wrong now: where, which error, since when, and how often it was seen."""

    place: str
    code: str
    en: str
    zh: str
    since_s: int
    count: int


class LastReading(msgspec.Struct, frozen=True, kw_only=True):
    """The newest reading, for people: amounts in base units, emission in grams."""

    at_s: int
    value: str
    unit: str
    register: int
    amount: int
    emission_g: int
    total_g: int
    doubt: str = ""


class Queue:
    """The open queue. Close it, or use it in a ``with`` statement; threads may share it.

    `told` may be set: it is called with each new fault's ``code``, ``en`` and ``zh``.
    """

    def __init__(self, path: Path, *, capacity: int = 100_000) -> None:
        self.path = path
        self.capacity = capacity
        self.told: Callable[[Mapping[str, str]], None] = lambda _fault: None
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
                    for statement in _SCHEMA.split(";")[:-1]:
                        self._connection.execute(statement)
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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

    def state(self) -> NodeState:
        """The node's state; a new node's where there is none."""
        row = self._row("SELECT value FROM state")
        if row is None:
            return NodeState()
        try:
            return msgspec.json.decode(row[0], type=NodeState)
        except (msgspec.DecodeError, TypeError) as wrong:
            raise DAMAGED(path=self.path, reason=str(wrong)) from wrong

    def advance(self, state: NodeState, made: Sequence[tuple[str, bytes]] = ()) -> None:
        """Keep the state and queue what was made with it (what it is, its bytes), in one commit."""
        with self.changing():
            self._connection.execute(
                "INSERT OR REPLACE INTO state VALUES (1, ?)", (msgspec.json.encode(state),)
            )
            self.add(made)

    def add(self, made: Sequence[tuple[str, bytes]]) -> None:
        """Queue transactions; one that waits already is not queued twice."""
        with self.changing():
            self._connection.executemany(
                "INSERT OR IGNORE INTO queue (id, what, raw) VALUES (?, ?, ?)",
                [(transaction_id(raw), what, raw) for what, raw in made],
            )

    @property
    def length(self) -> int:
        """How many transactions wait."""
        row = self._row("SELECT count(*) FROM queue")
        return 0 if row is None else int(row[0])

    @property
    def room(self) -> int:
        """How many more may surely wait; read often, so without counting each."""
        row = self._row("SELECT max(position) - min(position) + 1 FROM queue")
        return max(0, self.capacity - (row[0] or 0 if row else 0))

    def first(self, count: int) -> list[Waiting]:
        """The oldest ones that wait, in order."""
        return [
            Waiting(*row)
            for row in self._rows("SELECT * FROM queue ORDER BY position LIMIT ?", (count,))
        ]

    def taken(self, items: Sequence[tuple[Waiting, int]], *, at_s: int) -> None:
        """The host has these, with their log entries: they wait no longer."""
        if not items:
            return
        last, entry = items[-1]
        with self.changing():
            self._delete([item for item, _ in items])
            self._connection.execute(
                "INSERT INTO sent VALUES (1, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET"
                " id = excluded.id, entry = excluded.entry, at_s = excluded.at_s,"
                " count = count + excluded.count",
                (last.id, entry, at_s, len(items)),
            )

    def set_aside(self, item: Waiting, *, code: str, en: str, zh: str, at_s: int) -> None:
        """The host refused this one for good: keep it aside, with the refusal."""
        with self.changing():
            self._delete([item])
            self._connection.execute(
                "INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (item.position, item.id, item.what, item.raw, code, en, zh, at_s),
            )

    def refused(self) -> list[Refusal]:
        """What the host refused, oldest first."""
        rows = self._rows(
            "SELECT position, lower(hex(id)), what, code, en, zh, at_s, length(raw) FROM refused"
            " ORDER BY position"
        )
        return [Refusal(*row) for row in rows]

    def refused_bytes(self, position: int) -> bytes | None:
        """The bytes of a refused transaction."""
        row = self._row("SELECT raw FROM refused WHERE position = ?", (position,))
        return None if row is None else bytes(row[0])

    def forget_refused(self, position: int) -> bool:
        """A person has seen it: forget a refused transaction. Whether there was one."""
        with self.changing():
            deleted = self._connection.execute(
                "DELETE FROM refused WHERE position = ?", (position,)
            )
            return deleted.rowcount > 0

    def send_again(self, position: int) -> bool:
        """A person has put the cause right: let a refused one wait again, after the others."""
        with self.changing():
            moved = self._connection.execute(
                "INSERT OR IGNORE INTO queue (id, what, raw)"
                " SELECT id, what, raw FROM refused WHERE position = ?",
                (position,),
            )
            self.forget_refused(position)
            return moved.rowcount > 0

    def sent(self) -> Sent | None:
        """The last one that the host took."""
        row = self._row("SELECT lower(hex(id)), entry, at_s, count FROM sent")
        return None if row is None else Sent(*row)

    def note_fault(self, place: str, error: WattProofError, *, at_s: int) -> None:
        """Something is wrong at a place: ``source``, ``clock``, ``send`` and so on."""
        told = {"code": error.code, "en": error.text("en"), "zh": error.text("zh")}
        self.note_refusal(place, told, at_s=at_s)

    def note_refusal(self, place: str, answer: Mapping[str, str], *, at_s: int) -> None:
        """What the host says it waits for, as a fault under its own ``code``, ``en``, ``zh``.

        The same fault again only counts; a new one goes to `told` too.
        """
        with self.changing():
            row = self._row("SELECT code FROM fault WHERE place = ?", (place,))
            new = row is None or row[0] != answer["code"]
            self._connection.execute(
                "INSERT INTO fault VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (place) DO UPDATE SET"
                " since_s = CASE WHEN code = excluded.code THEN since_s ELSE excluded.since_s END,"
                " count = CASE WHEN code = excluded.code THEN count + 1 ELSE 1 END,"
                " code = excluded.code, en = excluded.en, zh = excluded.zh",
                (place, answer["code"], answer["en"], answer["zh"], at_s),
            )
        if new:
            self.told(answer)

    def clear_fault(self, place: str) -> None:
        """The place is well again."""
        if self._row("SELECT 1 FROM fault WHERE place = ?", (place,)) is not None:
            with self.changing():
                self._connection.execute("DELETE FROM fault WHERE place = ?", (place,))

    def faults(self) -> list[Fault]:
        """All that is wrong now, by place."""
        return [Fault(*row) for row in self._rows("SELECT * FROM fault ORDER BY place")]

    def note_reading(self, reading: LastReading) -> None:
        """Keep the newest reading for people to see."""
        with self.changing():
            self._connection.execute(
                "INSERT OR REPLACE INTO reading VALUES (1, ?)", (msgspec.json.encode(reading),)
            )

    def reading(self) -> LastReading | None:
        """The newest reading."""
        row = self._row("SELECT value FROM reading")
        return None if row is None else msgspec.json.decode(row[0], type=LastReading)

    def _delete(self, items: Sequence[Waiting]) -> None:
        self._connection.executemany(
            "DELETE FROM queue WHERE position = ?", [(item.position,) for item in items]
        )

    def _row(self, query: str, values: tuple[object, ...] = ()) -> tuple[Any, ...] | None:
        rows = self._rows(query, values)
        return rows[0] if rows else None

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._guarded():
            return self._connection.execute(query, values).fetchall()

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
