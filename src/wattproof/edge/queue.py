"""What waits to be sent, and the node's state: one SQLite file, one transaction for both.

A packet is made and the state moves on in the same durable commit, so a kill or a power cut at any
instant loses nothing and makes nothing twice. The order is the order of making. What the host
refused for good is kept aside with the refusal, for a person to look at; it never blocks what
follows and never disappears by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from wattproof.core.errors import WattProofError
from wattproof.edge.packets import transaction_id
from wattproof.edge.payments import PAY_LIKE, PAYMENT_TABLES, Payments, is_payment
from wattproof.edge.state import NodeState
from wattproof.edge.store import DAMAGED, Store

__all__ = ["Fault", "LastReading", "Queue", "Refusal", "Sent", "Waiting"]

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
        self._store = Store(path, schema=_SCHEMA + PAYMENT_TABLES)
        self.payments = Payments(self._store)

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
        self._store.close()

    def changing(self) -> AbstractContextManager[None]:
        """Everything in the block becomes durable together, or not at all."""
        return self._store.changing()

    def state(self) -> NodeState:
        """The node's state; a new node's where there is none."""
        row = self._store.row("SELECT value FROM state")
        if row is None:
            return NodeState()
        try:
            return msgspec.json.decode(row[0], type=NodeState)
        except (msgspec.DecodeError, TypeError) as wrong:
            raise DAMAGED(path=self.path, reason=str(wrong)) from wrong

    def advance(self, state: NodeState, made: Sequence[tuple[str, bytes]] = ()) -> None:
        """Keep the state and queue what was made with it (what it is, its bytes), in one commit."""
        with self.changing():
            self._store.run(
                "INSERT OR REPLACE INTO state VALUES (1, ?)", (msgspec.json.encode(state),)
            )
            self.add(made)

    def add(self, made: Sequence[tuple[str, bytes]]) -> None:
        """Queue transactions; one that waits already is not queued twice."""
        with self.changing():
            self._store.run_many(
                "INSERT OR IGNORE INTO queue (id, what, raw) VALUES (?, ?, ?)",
                [(transaction_id(raw), what, raw) for what, raw in made],
            )

    @property
    def length(self) -> int:
        """How many transactions wait."""
        row = self._store.row("SELECT count(*) FROM queue")
        return 0 if row is None else int(row[0])

    @property
    def room(self) -> int:
        """How many more may surely wait beside payments; read often, so without counting each."""
        last, first = (
            self._store.row(
                f"SELECT position FROM queue WHERE what NOT LIKE ? ORDER BY position {way} LIMIT 1",
                (PAY_LIKE,),
            )
            for way in ("DESC", "ASC")
        )
        if last is None or first is None:
            return self.capacity
        between = self._store.row(
            "SELECT count(*) FROM payment JOIN queue USING (id)"
            " WHERE state = 'waiting' AND position BETWEEN ? AND ?",
            (first[0], last[0]),
        )
        assert between is not None, "a count"
        return max(0, self.capacity - int(last[0] - first[0] + 1 - between[0]))

    def first(self, count: int) -> list[Waiting]:
        """The oldest ones that wait, in order."""
        return [
            Waiting(*row)
            for row in self._store.rows("SELECT * FROM queue ORDER BY position LIMIT ?", (count,))
        ]

    def first_others(self, count: int) -> list[Waiting]:
        """The oldest ones that wait and are no payments, in order."""
        rows = self._store.rows(
            "SELECT * FROM queue WHERE what NOT LIKE ? ORDER BY position LIMIT ?",
            (PAY_LIKE, count),
        )
        return [Waiting(*row) for row in rows]

    def taken(self, items: Sequence[tuple[Waiting, int]], *, at_s: int) -> None:
        """The host has these, with their log entries: they wait no longer."""
        if not items:
            return
        last, entry = items[-1]
        with self.changing():
            self._delete([item for item, _ in items])
            self.payments.settled(
                [(item.id, place) for item, place in items if is_payment(item.what)], at_s=at_s
            )
            self._store.run(
                "INSERT INTO sent VALUES (1, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET"
                " id = excluded.id, entry = excluded.entry, at_s = excluded.at_s,"
                " count = count + excluded.count",
                (last.id, entry, at_s, len(items)),
            )

    def set_aside(self, item: Waiting, *, code: str, en: str, zh: str, at_s: int) -> None:
        """The host refused this one for good: keep it aside, with the refusal."""
        with self.changing():
            self._delete([item])
            if is_payment(item.what):
                self.payments.refuse(item.id, code=code, en=en, zh=zh, at_s=at_s)
            self._store.run(
                "INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (item.position, item.id, item.what, item.raw, code, en, zh, at_s),
            )

    def refused(self) -> list[Refusal]:
        """What the host refused, oldest first."""
        rows = self._store.rows(
            "SELECT position, lower(hex(id)), what, code, en, zh, at_s, length(raw) FROM refused"
            " ORDER BY position"
        )
        return [Refusal(*row) for row in rows]

    def refused_bytes(self, position: int) -> bytes | None:
        """The bytes of a refused transaction."""
        row = self._store.row("SELECT raw FROM refused WHERE position = ?", (position,))
        return None if row is None else bytes(row[0])

    def forget_refused(self, position: int) -> bool:
        """A person has seen it: forget a refused transaction. Whether there was one."""
        with self.changing():
            found = self._drop_refused(position)
            if found is not None and is_payment(found.what):
                self.payments.turn(found.id, "forgotten")
            return found is not None

    def send_again(self, position: int) -> bool:
        """A person has put the cause right: let a refused one wait again, after the others."""
        with self.changing():
            found = self._drop_refused(position)
            if found is None:
                return False
            self.add([(found.what, found.raw)])
            if is_payment(found.what):
                self.payments.turn(found.id, "waiting")
            return True

    def sent(self) -> Sent | None:
        """The last one that the host took."""
        row = self._store.row("SELECT lower(hex(id)), entry, at_s, count FROM sent")
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
            row = self._store.row("SELECT code FROM fault WHERE place = ?", (place,))
            new = row is None or row[0] != answer["code"]
            self._store.run(
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
        if self._store.row("SELECT 1 FROM fault WHERE place = ?", (place,)) is not None:
            with self.changing():
                self._store.run("DELETE FROM fault WHERE place = ?", (place,))

    def faults(self) -> list[Fault]:
        """All that is wrong now, by place."""
        return [Fault(*row) for row in self._store.rows("SELECT * FROM fault ORDER BY place")]

    def note_reading(self, reading: LastReading) -> None:
        """Keep the newest reading for people to see."""
        with self.changing():
            self._store.run(
                "INSERT OR REPLACE INTO reading VALUES (1, ?)", (msgspec.json.encode(reading),)
            )

    def reading(self) -> LastReading | None:
        """The newest reading."""
        row = self._store.row("SELECT value FROM reading")
        return None if row is None else msgspec.json.decode(row[0], type=LastReading)

    def _delete(self, items: Sequence[Waiting]) -> None:
        self._store.run_many(
            "DELETE FROM queue WHERE position = ?", [(item.position,) for item in items]
        )

    def _drop_refused(self, position: int) -> Waiting | None:
        """Take out a refused transaction, if there is one at this place."""
        row = self._store.row(
            "SELECT position, id, what, raw FROM refused WHERE position = ?", (position,)
        )
        self._store.run("DELETE FROM refused WHERE position = ?", (position,))
        return None if row is None else Waiting(*row)
