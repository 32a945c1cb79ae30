"""Signing keys that are to follow the present ones, kept until the ledger knows them.

Replacing a key is a transaction like any other: it may be drafted and never signed, be refused, or
be accepted in the very moment in which the node is killed. So the new key is kept, sealed, before
anybody can sign with it, and takes the place of the present one as soon as the ledger says that
the party signs with it; whenever that is looked at, it ends well.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from wattproof.console.account_file import AccountFile

__all__ = ["PresentKey", "Successor", "Successors"]

PresentKey = Callable[[str], bytes | None]
"""The public key with which a party signs by now; None for one that is not on the ledger."""


class Successor(msgspec.Struct, frozen=True, kw_only=True):
    """A key to come: its public half, its seed sealed by the password, and by a session.

    `token_hash` names the session that goes on with the new key.
    """

    public: bytes
    sealed: bytes
    token_hash: bytes
    session_sealed: bytes


class Successors:
    """The key to come of each user, at most one. Threads may share it."""

    def __init__(self, file: AccountFile, present_key: PresentKey) -> None:
        self._file = file
        self._present_key = present_key

    def find(self, login: str) -> Successor | None:
        """The key to come of a user."""
        row = self._file.one(
            "SELECT public, sealed, token_hash, session_sealed FROM successors WHERE login = ?",
            (login,),
        )
        if row is None:
            return None
        return Successor(public=row[0], sealed=row[1], token_hash=row[2], session_sealed=row[3])

    def keep(self, login: str, successor: Successor) -> None:
        """Keep a user's key to come, durably, in place of what was there."""
        self._file.do(
            "INSERT OR REPLACE INTO successors VALUES (?, ?, ?, ?, ?)",
            (
                login,
                successor.public,
                successor.sealed,
                successor.token_hash,
                successor.session_sealed,
            ),
        )

    def settle(self, login: str, party: str) -> None:
        """Put the key to come in its place, if the party signs with it by now.

        The session that asked for it goes on; the user's others end, for they cannot open it.
        """
        successor = self.find(login)
        if successor is None or self._present_key(party) != successor.public:
            return
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE users SET sealed = ? WHERE login = ?", (successor.sealed, login)
            )
            connection.execute(
                "UPDATE sessions SET sealed = ? WHERE login = ? AND token_hash = ?",
                (successor.session_sealed, login, successor.token_hash),
            )
            connection.execute(
                "DELETE FROM sessions WHERE login = ? AND token_hash != ?",
                (login, successor.token_hash),
            )
            connection.execute("DELETE FROM successors WHERE login = ?", (login,))
