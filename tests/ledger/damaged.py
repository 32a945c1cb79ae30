"""Copies of a sound ledger, damaged in one place, and what the audit says of them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.ledger.growing import on_disk
from tests.ledger.toy import machine

from wattproof.core.errors import Refused
from wattproof.engines.verifier import Verifier
from wattproof.ledger.fsck import AuditReport, audit
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Transaction

SIZE = 600
TOY = machine()


@cache
def checker(ledger_id: bytes) -> Callable[[Sequence[bytes]], list[Transaction | Refused]]:
    """The real verifier, asked once about the same bytes: hundreds of audits share their log."""
    check = cache(Verifier(TOY.codec, ledger_id=ledger_id, workers=0).check)
    return lambda raws: [check(raw) for raw in raws]


def audited(path: Path) -> AuditReport:
    store = Store.open(path, TOY.collections)
    try:
        return audit(store, TOY, check_many=checker)
    finally:
        store.close()


class Copies:
    """A sound ledger of 600 entries, and copies of it to be damaged."""

    def __init__(self, folder: Path) -> None:
        self.sound = folder / "sound.db"
        self.copy = folder / "copy.db"
        on_disk(self.sound, SIZE)
        connection = sqlite3.connect(self.sound)
        self.heights = [
            (int(height), int(size))
            for height, size in connection.execute("SELECT height, size FROM block ORDER BY height")
        ]
        self.jars = [str(row[0]) for row in connection.execute("SELECT name FROM state_jars")]
        connection.close()

    def changed(self, *statements: str | tuple[str, tuple[Any, ...]]) -> AuditReport:
        """The audit of a copy on which these statements were run; each must change something."""
        self.refresh()
        connection = sqlite3.connect(self.copy, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        for statement in statements:
            sql, values = (statement, ()) if isinstance(statement, str) else statement
            cursor = connection.execute(sql, values)
            assert cursor.rowcount != 0, sql
        connection.close()
        return audited(self.copy)

    def refresh(self) -> None:
        for leftover in self.copy.parent.glob("copy.db*"):
            leftover.unlink()
        shutil.copyfile(self.sound, self.copy)

    def block_of(self, entry: int) -> int:
        """The height of the block in which an entry lies."""
        return next(height for height, size in self.heights if entry < size)

    def first_of(self, height: int) -> int:
        """The first entry of a block."""
        return 0 if height == 0 else self.heights[height - 1][1]

    def value(self, table: str, column: str, where: str) -> Any:
        connection = sqlite3.connect(self.sound)
        cast = f"CAST({column} AS BLOB)" if column in TEXTS else column
        (value,) = connection.execute(f"SELECT {cast} FROM {table} WHERE {where}").fetchone()
        connection.close()
        return value

    def flipped(self, table: str, column: str, where: str, place: int) -> AuditReport | None:
        """The audit after one bit was flipped; None where the file takes no such value."""
        value = flip(self.value(table, column, where), place)
        mark = "CAST(? AS TEXT)" if column in TEXTS else "?"
        sql = f"UPDATE {table} SET {column} = {mark} WHERE {where}"
        try:
            return self.changed((sql, (value,)))
        except sqlite3.IntegrityError:
            return None


TEXTS = ("name", "shelf", "checkpoint")


def flip(value: bytes | int, place: int) -> bytes | int:
    """`value` with one bit changed, wherever `place` falls in it."""
    if isinstance(value, int):
        bits = (value & (2**64 - 1)) ^ (1 << place % 64)
        return bits - 2**64 if bits >> 63 else bits
    changed = bytearray(value)
    changed[place // 8 % len(value)] ^= 1 << place % 8
    return bytes(changed)


def broken(report: AuditReport | None) -> tuple[str, int | None]:
    """Code and entry of the first break, which has its sentence in both languages."""
    assert report is not None
    found = report.first_break
    assert found is not None, "the change was not found"
    assert not report.ok
    assert found.why
    assert found.why_zh
    return found.code.removeprefix("audit."), found.entry
