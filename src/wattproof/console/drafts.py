"""Drafts: transactions that were filled in on a page and are not signed yet."""

from __future__ import annotations

import secrets
from typing import Final

import msgspec

from wattproof.console.account_file import AccountFile

__all__ = ["MAX_DRAFTS", "Draft", "Drafts"]

MAX_DRAFTS: Final = 100
"""Drafts that one user may have open; the oldest go first."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A payload with its nonce already in it, and the page to which its user may go back.

    Signing it again gives the same bytes, and so the same receipt; `transaction_id` (hex) is empty
    until it is in the ledger. With a `purpose` it is signed by the key that follows from the
    user's for that purpose (`keys.derived`).
    """

    id: str
    payload: bytes
    back: str
    transaction_id: str
    purpose: str = ""


class Drafts:
    """The drafts of all users. Threads may share it."""

    def __init__(self, file: AccountFile) -> None:
        self._file = file

    def add(
        self, login: str, payload: bytes, *, back: str = "/", purpose: str = "", now_s: int
    ) -> Draft:
        """Keep what is to be signed."""
        draft = Draft(
            id=secrets.token_urlsafe(18),
            payload=payload,
            back=back,
            transaction_id="",
            purpose=purpose,
        )
        with self._file.writing() as connection:
            connection.execute(
                "INSERT INTO drafts VALUES (?, ?, ?, ?, ?, '')",
                (draft.id, login, payload, back, now_s),
            )
            if purpose:
                connection.execute("INSERT INTO draft_keys VALUES (?, ?)", (draft.id, purpose))
            connection.execute(
                "DELETE FROM drafts WHERE login = ? AND id NOT IN (SELECT id FROM drafts"
                " WHERE login = ? ORDER BY made_s DESC, id = ? DESC LIMIT ?)",
                (login, login, draft.id, MAX_DRAFTS),
            )
        return draft

    def find(self, login: str, draft_id: str) -> Draft | None:
        """A draft of this user."""
        row = self._file.one(
            "SELECT id, payload, back, transaction_id, coalesce(purpose, '') FROM drafts"
            " LEFT JOIN draft_keys USING (id) WHERE login = ? AND id = ?",
            (login, draft_id),
        )
        if row is None:
            return None
        return Draft(id=row[0], payload=row[1], back=row[2], transaction_id=row[3], purpose=row[4])

    def finish(self, draft_id: str, transaction_id: str) -> None:
        """Note that a draft is in the ledger."""
        self._file.do(
            "UPDATE drafts SET transaction_id = ? WHERE id = ?", (transaction_id, draft_id)
        )
