"""The console's local accounts and sessions, in one SQLite file beside the ledger.

Nothing here is part of the ledger: an account says which party somebody acts for; what the party
may do follows from its roles on the ledger. A password is kept as an argon2id hash, and seals the
user's signing key. A session's token, which only the browser holds, opens the key while it lasts;
here its hash is kept. Whoever copies this file can neither sign in nor sign.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from nacl import pwhash
from nacl.exceptions import CryptoError, InvalidkeyError
from nacl.secret import Aead

from wattproof.console.account_file import AccountFile
from wattproof.console.drafts import Drafts
from wattproof.console.refusals import (
    LOCKED,
    LOGIN_FORM,
    LOGIN_TAKEN,
    NO_KEY,
    NOT_SIGNED_IN,
    PASSWORD_FORM,
    WRONG_PASSWORD,
)
from wattproof.console.successors import PresentKey, Successor, Successors
from wattproof.core.errors import Lang, Unauthorised
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import Cost, unwrap, wrap

__all__ = ["LOCK_S", "MAX_FAILURES", "PASSWORD_CHARACTERS", "SESSION_S", "Session", "User",
           "Users"]  # fmt: skip

MAX_FAILURES: Final = 5
"""Wrong passwords in a row before a name is locked."""
LOCK_S: Final = 900
"""How long it stays locked, in seconds, and how long a wrong password counts."""
MAX_NAMES: Final = 10_000
"""Names of which wrong passwords are remembered."""
SESSION_S: Final = 12 * 3600
"""How long a session lasts without being used, in seconds."""
SEEN_EVERY_S: Final = 60
"""How exactly it is known when a session was last used: a write a minute, not one a page."""
PASSWORD_CHARACTERS: Final = (10, 256)

SIGN_IN_COST: Final = Cost(
    operations=pwhash.argon2id.OPSLIMIT_INTERACTIVE,
    memory_bytes=pwhash.argon2id.MEMLIMIT_INTERACTIVE,
)
"""2 passes over 64 MiB, libsodium's setting for signing in: about a tenth of a second."""
HASHED_AT_ONCE: Final = 4
"""Passwords that are looked at at once, each in memory of its own."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account: the party it acts for, its language if one was chosen, and whether its key is
    kept here."""

    login: Annotated[str, Meta(max_length=64)]
    party: str
    lang: Lang | None
    keeps_key: bool


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody signed in; `csrf` must come with every form. The token never leaves this Struct."""

    user: User
    csrf: str
    token: str


class Users:
    """Accounts and sessions of one node, and its `drafts`. Threads may share it."""

    def __init__(
        self,
        path: Path | str,
        *,
        cost: Cost = SIGN_IN_COST,
        present_key: PresentKey = lambda _party: None,
    ) -> None:
        self._cost = cost
        self._file = AccountFile(path)
        self._successors = Successors(self._file, present_key)
        self._hashing = threading.Semaphore(HASHED_AT_ONCE)
        # Held while something new is sealed by a password, which must still be the password then.
        self._sealing = threading.Lock()
        self.drafts: Final = Drafts(self._file)
        # Checked when there is no such user, so that the answer takes as long as with one.
        self._nobody = self._hash(secrets.token_urlsafe())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def any(self) -> bool:
        """Whether there is any account at all."""
        return self._file.one("SELECT 1 FROM users LIMIT 1") is not None

    def logins(self) -> list[User]:
        """All accounts by name."""
        return [_user(row) for row in self._file.all(f"SELECT {_USER} FROM users ORDER BY login")]

    def add(
        self,
        login: str,
        *,
        password: str,
        party: str,
        key: SigningKey | None,
        lang: Lang | None = None,
    ) -> None:
        """Make an account; `key` is sealed by the password, or kept by the user (None)."""
        if not login or len(login) > 64 or not all(c.isalnum() or c in ".-_" for c in login):
            raise LOGIN_FORM()
        hashed = self._hash(_checked(password))
        sealed = None if key is None else wrap(key.seed, password, cost=self._cost)
        try:
            self._file.do(
                "INSERT INTO users VALUES (?, ?, ?, ?, ?)",
                (login, party, hashed, sealed, lang or ""),
            )
        except sqlite3.IntegrityError:
            raise LOGIN_TAKEN(login=login) from None

    def sign_in(self, login: str, password: str, *, now_s: int) -> Session:
        """Open a session. Raises `Unauthorised`, or `OverLimit` while the name is locked.

        An unknown name and a wrong password give the same answers in the same time.
        """
        user, seed = self._enter(login[:64], password, now_s=now_s)
        return self._open_session(user, seed, now_s=now_s)

    def session(self, token: str, *, now_s: int) -> Session | None:
        """The session of a token, or None when it has ended or never was."""
        row = self._file.one(
            f"SELECT {_USER}, csrf, seen_s FROM sessions JOIN users USING (login)"
            " WHERE token_hash = ?",
            (_token_hash(token),),
        )
        if row is None:
            return None
        if row[5] + SESSION_S <= now_s:
            self.sign_out(token)
            return None
        if row[5] + SEEN_EVERY_S <= now_s:
            self._file.do(
                "UPDATE sessions SET seen_s = ? WHERE token_hash = ?", (now_s, _token_hash(token))
            )
        return Session(user=_user(row[:4]), csrf=row[4], token=token)

    def sign_out(self, token: str) -> None:
        """End a session; nothing happens when there is none."""
        self._file.do("DELETE FROM sessions WHERE token_hash = ?", (_token_hash(token),))

    def key_of(self, session: Session) -> SigningKey:
        """The user's signing key, opened by the session. Raises `Conflict` where it is not here."""
        self._successors.settle(session.user.login, session.user.party)
        row = self._file.one(
            "SELECT sealed FROM sessions WHERE token_hash = ?", (_token_hash(session.token),)
        )
        if row is None or row[0] is None:
            raise NO_KEY()
        try:
            return SigningKey.from_seed(_token_box(session.token).decrypt(row[0]))
        except CryptoError:
            raise NO_KEY() from None

    def plan_key(self, session: Session, *, password: str, now_s: int) -> SigningKey:
        """The key that is to follow the user's present one, sealed and kept before it is given.

        It follows as soon as the ledger says that the party signs with it; until then asking again
        gives the same key. Raises `Conflict` where the present key is not here; wrong guesses at
        `password` count towards the lock.
        """
        login = session.user.login
        if not session.user.keeps_key:
            raise NO_KEY()
        with self._sealing:
            self._enter_again(login, password, now_s=now_s)
            waiting = self._successors.find(login)
            if waiting is None:
                key = SigningKey.generate()
                sealed = wrap(key.seed, password, cost=self._cost)
            else:
                sealed = waiting.sealed
                key = SigningKey.from_seed(unwrap(sealed, password, what=login))
            self._successors.keep(
                login,
                Successor(
                    public=key.public,
                    sealed=sealed,
                    token_hash=_token_hash(session.token),
                    session_sealed=bytes(_token_box(session.token).encrypt(key.seed)),
                ),
            )
        return key

    def change_password(self, session: Session, *, old: str, new: str, now_s: int) -> Session:
        """Change the password, end every session of the user and open a new one.

        Wrong guesses at `old` count towards the lock as those at the door do.
        """
        login = session.user.login
        _checked(new)
        with self._sealing:
            seed = self._enter_again(login, old, now_s=now_s)
            hashed = self._hash(new)
            sealed = None if seed is None else wrap(seed, new, cost=self._cost)
            waiting = self._successors.find(login)
            with self._file.writing() as connection:
                connection.execute(
                    "UPDATE users SET password = ?, sealed = ? WHERE login = ?",
                    (hashed, sealed, login),
                )
                connection.execute("DELETE FROM sessions WHERE login = ?", (login,))
                if waiting is not None:
                    next_seed = unwrap(waiting.sealed, old, what=login)
                    connection.execute(
                        "UPDATE successors SET sealed = ? WHERE login = ?",
                        (wrap(next_seed, new, cost=self._cost), login),
                    )
        return self._open_session(session.user, seed, now_s=now_s)

    def set_language(self, login: str, lang: Lang) -> None:
        """Remember the user's language."""
        self._file.do("UPDATE users SET lang = ? WHERE login = ?", (lang, login))

    # --- inside ----------------------------------------------------------------------------

    def _enter_again(self, login: str, password: str, *, now_s: int) -> bytes | None:
        """The opened key of somebody who is signed in; `WRONG_PASSWORD` where that was wrong."""
        try:
            return self._enter(login, password, now_s=now_s)[1]
        except Unauthorised:
            raise WRONG_PASSWORD() from None

    def _enter(self, login: str, password: str, *, now_s: int) -> tuple[User, bytes | None]:
        """The user and the opened key, or what `sign_in` raises."""
        self._count_attempt(login, now_s)
        row = self._file.one(f"SELECT {_USER}, password FROM users WHERE login = ?", (login,))
        hashed = self._nobody if row is None else row[4]
        if not self._matches(hashed, password) or row is None:
            raise NOT_SIGNED_IN()
        self._file.do("DELETE FROM attempts WHERE login = ?", (login,))
        user = _user(row[:4])
        self._successors.settle(login, user.party)
        found = self._file.one("SELECT sealed FROM users WHERE login = ?", (login,))
        sealed = None if found is None else found[0]
        with self._hashing:
            seed = None if sealed is None else unwrap(sealed, password, what=login)
        return user, seed

    def _count_attempt(self, login: str, now_s: int) -> None:
        """Count an attempt as failed before it is looked at, so that many at once gain nothing."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM attempts WHERE last_s + ? <= ?", (LOCK_S, now_s))
            row = connection.execute(
                "SELECT failures, last_s FROM attempts WHERE login = ?", (login,)
            ).fetchone()
            failures, last_s = row or (0, now_s)
            if failures >= MAX_FAILURES:
                raise LOCKED(minutes=-(-(last_s + LOCK_S - now_s) // 60))
            connection.execute(
                "INSERT INTO attempts VALUES (?, 1, ?) ON CONFLICT (login)"
                " DO UPDATE SET failures = failures + 1, last_s = excluded.last_s",
                (login, now_s),
            )
            connection.execute(
                "DELETE FROM attempts WHERE login IN (SELECT login FROM attempts"
                " ORDER BY failures DESC, last_s DESC LIMIT -1 OFFSET ?)",
                (MAX_NAMES,),
            )

    def _open_session(self, user: User, seed: bytes | None, *, now_s: int) -> Session:
        session = Session(
            user=user, csrf=secrets.token_urlsafe(24), token=secrets.token_urlsafe(32)
        )
        sealed = None if seed is None else bytes(_token_box(session.token).encrypt(seed))
        with self._file.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE seen_s + ? <= ?", (SESSION_S, now_s))
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
                (_token_hash(session.token), user.login, session.csrf, sealed, now_s),
            )
        return session

    def _hash(self, password: str) -> str:
        with self._hashing:
            return pwhash.argon2id.str(
                _bytes(password),
                opslimit=self._cost.operations,
                memlimit=self._cost.memory_bytes,
            ).decode()

    def _matches(self, hashed: str, password: str) -> bool:
        with self._hashing:
            try:
                return pwhash.verify(hashed.encode(), _bytes(password))
            except InvalidkeyError:
                return False


_USER: Final = "login, party, lang, users.sealed IS NOT NULL"


def _user(row: tuple[Any, ...]) -> User:
    return User(login=row[0], party=row[1], lang=row[2] or None, keeps_key=bool(row[3]))


def _checked(password: str) -> str:
    least, most = PASSWORD_CHARACTERS
    if not least <= len(password) <= most:
        raise PASSWORD_FORM(least=least, most=most)
    return password


def _bytes(password: str) -> bytes:
    """One form for what keyboards write in several (Unicode NFKC)."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(b"wattproof session v1" + token.encode()).digest()


def _token_box(token: str) -> Aead:
    return Aead(hashlib.sha256(b"wattproof session key v1" + token.encode()).digest())
