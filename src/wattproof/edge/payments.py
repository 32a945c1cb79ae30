"""The node's payments as it remembers them: what was to be paid, and what became of it.

The signed bytes wait in the queue with everything else; here is what people want to see of them,
and what keeps a standing order from paying a period twice. Both change in the same commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from wattproof.edge.store import Store

__all__ = [
    "MAX_KEPT",
    "PAY",
    "PAYMENT_TABLES",
    "PAY_LIKE",
    "Payment",
    "Payments",
    "Reached",
    "State",
    "is_payment",
]

PAY: Final = "pay"
"""What a payment in the queue is; how much and to whom follow after a space."""

PAY_LIKE: Final = f"{PAY} %"
"""The same, as a pattern of SQL."""

MAX_KEPT: Final = 10_000
"""Payments that are remembered after they were settled: more than a year of hours."""

PAYMENT_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS payment (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB UNIQUE, standing TEXT, due_s INTEGER,
        target TEXT, to_device TEXT, asset TEXT, fen INTEGER, memo TEXT, made_s INTEGER,
        state TEXT, at_s INTEGER, entry INTEGER, code TEXT, en TEXT, zh TEXT,
        UNIQUE (standing, due_s)
    );
    CREATE INDEX IF NOT EXISTS payment_state ON payment (state);
    CREATE TABLE IF NOT EXISTS standing (name TEXT PRIMARY KEY, value BLOB);
"""

State = Literal["waiting", "paid", "refused", "forgotten", "skipped"]
"""What became of a payment: it waits to be sent, the host took it, the host refused it, a person
gave it up, or its time was over before the node could make it."""

_COLUMNS: Final = (
    "number, coalesce(lower(hex(id)), ''), coalesce(standing, ''), due_s, target, to_device,"
    " asset, fen, memo, made_s, state, at_s, entry, code, en, zh"
)


class Payment(msgspec.Struct, frozen=True):
    """A payment of `fen` to an account (`target`) or to the wallet of a device (`to_device`).

    `standing` is the order that it belongs to, empty where a person ordered it; it was due at
    `due_s` and signed at `made_s`. In `state` since `at_s`; `entry` is its place in the ledger's
    log, -1 where that is not known; `code`, `en` and `zh` are the refusal.
    """

    number: int
    id: str
    standing: str
    due_s: int
    target: str
    to_device: str
    asset: str
    fen: int
    memo: str
    made_s: int
    state: State = "waiting"
    at_s: int = 0
    entry: int = -1
    code: str = ""
    en: str = ""
    zh: str = ""


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """How far a standing order has got: all that was due up to `through_s` is made.

    `measured` is what the node had measured at its last payment, in base units; `carry_ufen` what
    was no fen yet then, 0 to 999 999.
    """

    through_s: int
    measured: int = 0
    carry_ufen: int = 0


class Payments:
    """The table of payments and that of standing orders, in the node's `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, payment: Payment, *, id_: bytes | None) -> None:
        """Remember a new payment, whose `number` is given here; `id_` is None for one not made."""
        with self._store.changing():
            self._store.run(
                "INSERT INTO payment (id, standing, due_s, target, to_device, asset, fen, memo,"
                " made_s, state, at_s, entry, code, en, zh)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (id_, payment.standing or None, *msgspec.structs.astuple(payment)[3:]),
            )
            self._store.run(
                "DELETE FROM payment WHERE state IN ('paid', 'forgotten', 'skipped')"
                " AND number <= (SELECT max(number) FROM payment) - ?",
                (MAX_KEPT,),
            )

    def settled(self, ids: Sequence[tuple[bytes, int]], *, at_s: int) -> None:
        """The host took these, with their log entries."""
        self._store.run_many(
            "UPDATE payment SET state = 'paid', at_s = ?, entry = ?, code = '', en = '', zh = ''"
            " WHERE id = ?",
            [(at_s, entry, id_) for id_, entry in ids],
        )

    def refuse(self, id_: bytes, *, code: str, en: str, zh: str, at_s: int) -> None:
        """It was refused, and is kept aside."""
        self._store.run(
            "UPDATE payment SET state = 'refused', at_s = ?, code = ?, en = ?, zh = ? WHERE id = ?",
            (at_s, code, en, zh, id_),
        )

    def turn(self, id_: bytes, state: State) -> None:
        """A refused one waits again, or was given up."""
        self._store.run("UPDATE payment SET state = ? WHERE id = ?", (state, id_))

    def last(self, count: int) -> list[Payment]:
        """The newest payments, newest first."""
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM payment ORDER BY number DESC LIMIT ?", (count,)
        )
        return [Payment(*row) for row in rows]

    def with_id(self, id_: bytes) -> Payment | None:
        """The payment that is this transaction."""
        row = self._store.row(f"SELECT {_COLUMNS} FROM payment WHERE id = ?", (id_,))
        return None if row is None else Payment(*row)

    def due(self, standing: str, due_s: int) -> Payment | None:
        """What a standing order paid, or was to pay, at `due_s`."""
        row = self._store.row(
            f"SELECT {_COLUMNS} FROM payment WHERE standing = ? AND due_s = ?", (standing, due_s)
        )
        return None if row is None else Payment(*row)

    def refused_places(
        self, standing: str, codes: Sequence[str], *, until_s: int, limit: int
    ) -> list[int]:
        """Where among the refused ones an order's payments lie, due by `until_s`, oldest first.

        Only those that were refused with one of these codes.
        """
        marks = ", ".join("?" * len(codes))
        rows = self._store.rows(
            "SELECT refused.position FROM payment JOIN refused USING (id) WHERE standing = ?"
            f" AND due_s <= ? AND refused.code IN ({marks}) ORDER BY due_s LIMIT ?",
            (standing, until_s, *codes, limit),
        )
        return [row[0] for row in rows]

    @property
    def waiting(self) -> int:
        """How many wait to be sent."""
        row = self._store.row("SELECT count(*) FROM payment WHERE state = 'waiting'")
        return 0 if row is None else int(row[0])

    def reached(self) -> dict[str, Reached]:
        """How far each standing order has got, by name."""
        return {
            name: msgspec.json.decode(value, type=Reached)
            for name, value in self._store.rows("SELECT name, value FROM standing")
        }

    def reach(self, name: str, reached: Reached) -> None:
        """A standing order has got this far."""
        self._store.run(
            "INSERT OR REPLACE INTO standing VALUES (?, ?)", (name, msgspec.json.encode(reached))
        )

    def end(self, name: str) -> None:
        """A standing order is no more."""
        self._store.run("DELETE FROM standing WHERE name = ?", (name,))


def is_payment(what: str) -> bool:
    """Whether a transaction of the queue is a payment."""
    return what.startswith(f"{PAY} ")
