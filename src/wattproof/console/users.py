"""The console's local accounts, sessions and drafts, in one SQLite file beside the ledger.

Nothing here is part of the ledger: an account says which party somebody acts for; what the party
may do follows from its roles on the ledger. A password is kept as an argon2id hash, and seals the
user's signing key. A session's token, which only the browser holds, opens the key while it lasts;
here its hash is kept. Whoever copies this file can neither sign in nor sign.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from nacl import pwhash
from nacl.exceptions import CryptoError, InvalidkeyError
from nacl.secret import Aead

from wattproof.core.errors import (
    Conflict,
    ErrorCode,
    Lang,
    Malformed,
    NotFound,
    OverLimit,
    Unauthorised,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import Cost, unwrap, wrap

__all__ = ["LOCK_S", "MAX_FAILURES", "SESSION_S", "Draft", "Session", "User", "Users"]

MAX_FAILURES: Final = 5
"""Wrong passwords in a row before an account is locked."""
LOCK_S: Final = 900
"""How long it stays locked, in seconds."""
SESSION_S: Final = 12 * 3600
"""How long a session lasts without being used, in seconds."""
PASSWORD_CHARACTERS: Final = (10, 256)
MAX_DRAFTS: Final = 100
"""Drafts that one user may have open; the oldest go first."""

NOT_SIGNED_IN = ErrorCode(
    Unauthorised,
    "console.sign_in",
    en="The name or the password is not right.",
    zh="用户名或密码不正确。",
)
LOCKED = ErrorCode(
    OverLimit,
    "console.locked",
    en="Too many wrong passwords: the account is locked for {minutes} more minutes.",
    zh="密码错误次数过多，账号已锁定，还需等待 {minutes} 分钟。",
)
LOGIN_TAKEN = ErrorCode(
    Conflict, "console.login_taken", en="The name {login} is taken.", zh="用户名 {login} 已被使用。"
)
LOGIN_FORM = ErrorCode(
    Malformed,
    "console.login_form",
    en="A user's name has 1 to 64 letters, digits, points, hyphens or underscores.",
    zh="用户名须为 1 至 64 个字母、数字、点、连字符或下划线。",
)
PASSWORD_FORM = ErrorCode(
    Malformed,
    "console.password_form",
    en="A password has {least} to {most} characters.",
    zh="密码长度须为 {least} 至 {most} 个字符。",
)
NO_USER = ErrorCode(
    NotFound, "console.no_user", en="There is no user {login}.", zh="没有用户 {login}。"
)
NO_KEY = ErrorCode(
    Conflict,
    "console.no_key",
    en="Your signing key is not kept here; sign outside and hand the transaction in.",
    zh="您的签名密钥不在此处保管；请在外部签名后提交交易。",
)

SIGN_IN_COST: Final = Cost(
    operations=pwhash.argon2id.OPSLIMIT_INTERACTIVE,
    memory_bytes=pwhash.argon2id.MEMLIMIT_INTERACTIVE,
)
"""2 passes over 64 MiB, libsodium's setting for signing in: about a tenth of a second."""

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS users (
        login TEXT PRIMARY KEY, party TEXT NOT NULL, password TEXT NOT NULL, sealed BLOB,
        lang TEXT NOT NULL, failures INTEGER NOT NULL, locked_until_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sessions (
        token_hash BLOB PRIMARY KEY, login TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        csrf TEXT NOT NULL, sealed BLOB, seen_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS drafts (
        id TEXT PRIMARY KEY, login TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        payload BLOB NOT NULL, made_s INTEGER NOT NULL, transaction_id TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
"""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account: the party it acts for, its language, and whether its key is kept here."""

    login: Annotated[str, Meta(max_length=64)]
    party: str
    lang: Lang
    keeps_key: bool


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody signed in; `csrf` must come with every form. The token never leaves this Struct."""

    user: User
    csrf: str
    token: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that was filled in and is not signed yet, with its nonce already in it.

    Signing it again gives the same bytes, and so the same receipt; `transaction_id` (hex) is empty
    until it is in the ledger.
    """

    id: str
    payload: bytes
    transaction_id: str


class Users:
    """Accounts, sessions and drafts of one node. Threads may share it."""

    def __init__(self, path: Path | str, *, cost: Cost = SIGN_IN_COST) -> None:
        self._cost = cost
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        if path != ":memory:":
            Path(path).chmod(0o600)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(_SCHEMA)
        # Checked when there is no such user, so that the answer takes as long as with one.
        self._nobody = self._hash(secrets.token_urlsafe())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def any(self) -> bool:
        """Whether there is any account at all."""
        return self._one("SELECT 1 FROM users LIMIT 1") is not None

    def logins(self) -> list[User]:
        """All accounts by name."""
        with self._lock:
            rows = self._connection.execute(f"SELECT {_USER} FROM users ORDER BY login")
            return [_user(row) for row in rows]

    def add(
        self, login: str, *, password: str, party: str, lang: Lang, key: SigningKey | None
    ) -> None:
        """Make an account; `key` is sealed by the password, or kept by the user (None)."""
        if not login or len(login) > 64 or not all(c.isalnum() or c in ".-_" for c in login):
            raise LOGIN_FORM()
        hashed = self._hash(_checked(password))
        sealed = None if key is None else wrap(key.seed, password, cost=self._cost)
        try:
            self._do(
                "INSERT INTO users VALUES (?, ?, ?, ?, ?, 0, 0)",
                (login, party, hashed, sealed, lang),
            )
        except sqlite3.IntegrityError:
            raise LOGIN_TAKEN(login=login) from None

    def sign_in(self, login: str, password: str, *, now_s: int) -> Session:
        """Open a session. Raises `Unauthorised`, or `OverLimit` while the account is locked.

        An unknown name and a wrong password give the same answer in the same time.
        """
        row = self._one(
            f"SELECT {_USER}, password, failures, locked_until_s, sealed FROM users"
            " WHERE login = ?",
            (login,),
        )
        if row is None:
            self._matches(self._nobody, password)
            raise NOT_SIGNED_IN()
        user, (hashed, failures, locked_until_s, sealed) = _user(row[:4]), row[4:]
        if locked_until_s > now_s:
            raise LOCKED(minutes=-(-(locked_until_s - now_s) // 60))
        if not self._matches(hashed, password):
            failures += 1
            until_s = now_s + LOCK_S if failures >= MAX_FAILURES else 0
            self._do(
                "UPDATE users SET failures = ?, locked_until_s = ? WHERE login = ?",
                (0 if until_s else failures, until_s, login),
            )
            raise NOT_SIGNED_IN()
        self._do("UPDATE users SET failures = 0, locked_until_s = 0 WHERE login = ?", (login,))
        seed = None if sealed is None else unwrap(sealed, password, what=login)
        return self._open_session(user, seed, now_s=now_s)

    def session(self, token: str, *, now_s: int) -> Session | None:
        """The session of a token, or None when it has ended or never was."""
        row = self._one(
            f"SELECT {_USER}, csrf, seen_s FROM sessions JOIN users USING (login)"
            " WHERE token_hash = ?",
            (_token_hash(token),),
        )
        if row is None:
            return None
        if row[5] + SESSION_S <= now_s:
            self.sign_out(token)
            return None
        if row[5] + 60 <= now_s:
            self._do(
                "UPDATE sessions SET seen_s = ? WHERE token_hash = ?", (now_s, _token_hash(token))
            )
        return Session(user=_user(row[:4]), csrf=row[4], token=token)

    def sign_out(self, token: str) -> None:
        """End a session; nothing happens when there is none."""
        self._do("DELETE FROM sessions WHERE token_hash = ?", (_token_hash(token),))

    def key_of(self, session: Session) -> SigningKey:
        """The user's signing key, opened by the session. Raises `Conflict` where it is not here."""
        row = self._one(
            "SELECT sealed FROM sessions WHERE token_hash = ?", (_token_hash(session.token),)
        )
        if row is None or row[0] is None:
            raise NO_KEY()
        try:
            return SigningKey.from_seed(_token_box(session.token).decrypt(row[0]))
        except CryptoError:
            raise NO_KEY() from None

    def change_password(self, session: Session, *, old: str, new: str, now_s: int) -> Session:
        """Change the password, end every session of the user and open a new one."""
        again = self.sign_in(session.user.login, old, now_s=now_s)
        seed = self.key_of(again).seed if again.user.keeps_key else None
        hashed = self._hash(_checked(new))
        sealed = None if seed is None else wrap(seed, new, cost=self._cost)
        with self._writing() as connection:
            connection.execute(
                "UPDATE users SET password = ?, sealed = ? WHERE login = ?",
                (hashed, sealed, session.user.login),
            )
            connection.execute("DELETE FROM sessions WHERE login = ?", (session.user.login,))
        return self._open_session(session.user, seed, now_s=now_s)

    def set_language(self, login: str, lang: Lang) -> None:
        """Remember the user's language."""
        self._do("UPDATE users SET lang = ? WHERE login = ?", (lang, login))

    def add_draft(self, login: str, payload: bytes, *, now_s: int) -> Draft:
        """Keep what is to be signed."""
        draft = Draft(id=secrets.token_urlsafe(18), payload=payload, transaction_id="")
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO drafts VALUES (?, ?, ?, ?, '')", (draft.id, login, payload, now_s)
            )
            connection.execute(
                "DELETE FROM drafts WHERE login = ? AND id NOT IN (SELECT id FROM drafts"
                " WHERE login = ? ORDER BY made_s DESC, id LIMIT ?)",
                (login, login, MAX_DRAFTS),
            )
        return draft

    def draft(self, login: str, draft_id: str) -> Draft | None:
        """A draft of this user."""
        row = self._one(
            "SELECT id, payload, transaction_id FROM drafts WHERE login = ? AND id = ?",
            (login, draft_id),
        )
        return None if row is None else Draft(id=row[0], payload=row[1], transaction_id=row[2])

    def finish_draft(self, draft_id: str, transaction_id: str) -> None:
        """Note that a draft is in the ledger."""
        self._do("UPDATE drafts SET transaction_id = ? WHERE id = ?", (transaction_id, draft_id))

    def _open_session(self, user: User, seed: bytes | None, *, now_s: int) -> Session:
        session = Session(
            user=user, csrf=secrets.token_urlsafe(24), token=secrets.token_urlsafe(32)
        )
        sealed = None if seed is None else bytes(_token_box(session.token).encrypt(seed))
        with self._writing() as connection:
            connection.execute("DELETE FROM sessions WHERE seen_s + ? <= ?", (SESSION_S, now_s))
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
                (_token_hash(session.token), user.login, session.csrf, sealed, now_s),
            )
        return session

    def _hash(self, password: str) -> str:
        return pwhash.argon2id.str(
            password.encode(), opslimit=self._cost.operations, memlimit=self._cost.memory_bytes
        ).decode()

    @staticmethod
    def _matches(hashed: str, password: str) -> bool:
        try:
            return pwhash.verify(hashed.encode(), password.encode())
        except InvalidkeyError:
            return False

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
            return row

    def _do(self, sql: str, values: tuple[Any, ...]) -> None:
        with self._lock:
            self._connection.execute(sql, values)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


_USER: Final = "login, party, lang, users.sealed IS NOT NULL"


def _user(row: tuple[Any, ...]) -> User:
    return User(login=row[0], party=row[1], lang=row[2], keeps_key=bool(row[3]))


def _checked(password: str) -> str:
    least, most = PASSWORD_CHARACTERS
    if not least <= len(password) <= most:
        raise PASSWORD_FORM(least=least, most=most)
    return password


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(b"wattproof session v1" + token.encode()).digest()


def _token_box(token: str) -> Aead:
    return Aead(hashlib.sha256(b"wattproof session key v1" + token.encode()).digest())
