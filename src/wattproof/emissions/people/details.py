"""What a day was made of, for its person alone: a local file, sealed, never on the log.

The ledger has a day's grams. Which activities they came from is kept in an SQLite file of the node,
sealed by a secret that follows from the person's signing key, so that it is open only while the
person is signed in. The person can have all of it deleted (`forget`).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
from nacl.exceptions import CryptoError
from nacl.secret import Aead

from wattproof.emissions.people.activities import Declared
from wattproof.keys.derived import derived_secret
from wattproof.keys.ed25519 import SigningKey

__all__ = ["DETAILS_FILE", "Details"]

DETAILS_FILE: Final = "people.sqlite"
"""The name of the file in the ledger's folder, beside that of the accounts."""

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS days (
        party TEXT NOT NULL, start_s INTEGER NOT NULL, sealed BLOB NOT NULL,
        PRIMARY KEY (party, start_s)
    ) STRICT, WITHOUT ROWID
"""
_PURPOSE: Final = "details of declared days"


class Details:
    """The details of one person's days; `key` is the person's signing key."""

    def __init__(self, path: Path, *, party: str, key: SigningKey) -> None:
        self._path = path
        self._party = party
        self._box = Aead(derived_secret(key, _PURPOSE))

    def keep(self, start_s: int, declared: Declared) -> None:
        """Keep what the day that begins then is made of, in place of what was kept of it."""
        plain = msgspec.json.encode(declared)
        sealed = bytes(self._box.encrypt(plain, self._aad(start_s)))
        with self._open() as file:
            file.execute(
                "INSERT OR REPLACE INTO days VALUES (?, ?, ?)", (self._party, start_s, sealed)
            )

    def all(self) -> dict[int, Declared]:
        """What is kept and can be opened, by when the day begins.

        What was sealed under an earlier key of the person stays shut.
        """
        found: dict[int, Declared] = {}
        with self._open() as file:
            rows = file.execute(
                "SELECT start_s, sealed FROM days WHERE party = ?", (self._party,)
            ).fetchall()
        for start_s, sealed in rows:
            with contextlib.suppress(CryptoError, msgspec.DecodeError):
                plain = self._box.decrypt(sealed, self._aad(start_s))
                found[start_s] = msgspec.json.decode(plain, type=Declared)
        return found

    def forget(self) -> int:
        """Delete all that is kept of this person; how many days that was."""
        with self._open() as file:
            file.execute("PRAGMA secure_delete = ON")
            return file.execute("DELETE FROM days WHERE party = ?", (self._party,)).rowcount

    def _aad(self, start_s: int) -> bytes:
        return f"{self._party}/{start_s}".encode()

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=10)) as file:
            self._path.chmod(0o600)
            file.execute(_SCHEMA)
            yield file
