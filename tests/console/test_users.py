"""Accounts, sessions and drafts."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wattproof.console.drafts import MAX_DRAFTS
from wattproof.console.users import LOCK_S, MAX_FAILURES, MAX_NAMES, SESSION_S, Session, Users
from wattproof.core.errors import WattProofError
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import LOWEST

PASSWORD = "an apple a day"
NOW = 1_800_000_000
KEY = SigningKey.from_seed(bytes(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "console.db"


@pytest.fixture
def users(path: Path) -> Iterator[Users]:
    users = Users(path, cost=LOWEST)
    users.add("ada", password=PASSWORD, party="works", lang="zh", key=KEY)
    users.add("bob", password=PASSWORD, party="grid", lang="en", key=None)
    yield users
    users.close()


def signed_in(users: Users, login: str = "ada", now_s: int = NOW) -> Session:
    return users.sign_in(login, PASSWORD, now_s=now_s)


def refused(users: Users, login: str, password: str, now_s: int = NOW) -> str:
    with pytest.raises(WattProofError) as caught:
        users.sign_in(login, password, now_s=now_s)
    return caught.value.code


def test_who_signs_in_has_a_session_and_the_key(users: Users) -> None:
    session = signed_in(users)
    assert session.user.party == "works"
    assert session.user.lang == "zh"
    assert users.session(session.token, now_s=NOW) == session
    assert users.key_of(session).seed == KEY.seed


def test_a_key_of_ones_own_is_not_here(users: Users) -> None:
    session = signed_in(users, "bob")
    assert not session.user.keeps_key
    with pytest.raises(WattProofError, match=r"console\.no_key"):
        users.key_of(session)


def test_what_the_file_holds_opens_nothing(users: Users, path: Path) -> None:
    session = signed_in(users)
    held = sqlite3.connect(path)
    everything = repr([held.execute(f"SELECT * FROM {name}").fetchall()
                       for name in ("users", "sessions", "attempts", "drafts")])  # fmt: skip
    held.close()
    assert session.token not in everything
    assert PASSWORD not in everything
    assert repr(KEY.seed) not in everything
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_key_opens_by_its_own_session_alone(users: Users, path: Path) -> None:
    ada = signed_in(users)
    changed = sqlite3.connect(path)
    changed.execute("UPDATE sessions SET sealed = zeroblob(80)")
    changed.commit()
    changed.close()
    with pytest.raises(WattProofError, match=r"console\.no_key"):
        users.key_of(ada)


@pytest.mark.parametrize("login", ["ada", "nobody", "", "a" * 5000, "'; --", "名"])
def test_wrong_passwords_and_unknown_names_are_answered_alike(users: Users, login: str) -> None:
    answers = [refused(users, login, "wrong password") for _ in range(MAX_FAILURES + 1)]
    assert answers == ["console.sign_in"] * MAX_FAILURES + ["console.locked"]


def test_a_locked_name_opens_after_a_while_and_not_before(users: Users) -> None:
    for _ in range(MAX_FAILURES):
        refused(users, "ada", "wrong password")
    assert refused(users, "ada", PASSWORD) == "console.locked"
    assert refused(users, "ada", PASSWORD, NOW + LOCK_S - 1) == "console.locked"
    signed_in(users, now_s=NOW + LOCK_S)


def test_the_lock_says_how_long(users: Users) -> None:
    for _ in range(MAX_FAILURES):
        refused(users, "ada", "wrong password")
    with pytest.raises(WattProofError) as caught:
        users.sign_in("ada", PASSWORD, now_s=NOW + 61)
    assert caught.value.params["minutes"] == 14
    assert caught.value.http_status == 429


def test_the_right_password_starts_the_count_again(users: Users) -> None:
    for _ in range(3):
        for _ in range(MAX_FAILURES - 1):
            assert refused(users, "ada", "wrong password") == "console.sign_in"
        signed_in(users)


def test_many_guesses_at_once_are_counted_each(users: Users) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: refused(users, "ada", "wrong"), range(40)))
    assert answers.count("console.sign_in") == MAX_FAILURES


def test_names_that_nobody_has_do_not_fill_the_file(users: Users, path: Path) -> None:
    with sqlite3.connect(path) as full:
        full.executemany("INSERT INTO attempts VALUES (?, 1, ?)",
                         [(f"name-{i}", NOW) for i in range(MAX_NAMES + 50)])  # fmt: skip
    full.close()
    refused(users, "ada", "wrong password")
    with sqlite3.connect(path) as full:
        assert full.execute("SELECT count(*) FROM attempts").fetchone()[0] == MAX_NAMES
    full.close()


def test_sessions_end_when_unused_and_when_told(users: Users) -> None:
    session = signed_in(users)
    half = NOW + SESSION_S // 2
    assert users.session(session.token, now_s=half)
    assert users.session(session.token, now_s=half + SESSION_S - 1)
    assert users.session(session.token, now_s=half + 2 * SESSION_S) is None
    assert users.session(session.token, now_s=NOW) is None
    other = signed_in(users)
    users.sign_out(other.token)
    users.sign_out("never was")
    assert users.session(other.token, now_s=NOW) is None


def test_a_new_password_ends_every_other_session(users: Users) -> None:
    old, elsewhere, bob = signed_in(users), signed_in(users), signed_in(users, "bob")
    new = users.change_password(old, old=PASSWORD, new="another one", now_s=NOW)
    assert users.session(old.token, now_s=NOW) is None
    assert users.session(elsewhere.token, now_s=NOW) is None
    assert users.session(bob.token, now_s=NOW) == bob
    assert users.key_of(new).seed == KEY.seed
    assert refused(users, "ada", PASSWORD) == "console.sign_in"
    again = users.sign_in("ada", "another one", now_s=NOW)
    assert users.key_of(again).seed == KEY.seed


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("wrong password", "a new password", "console.password"),
        (PASSWORD, "short", "console.password_form"),
        (PASSWORD, "x" * 257, "console.password_form"),
    ],
)
def test_a_password_is_changed_by_who_knows_it(users: Users, old: str, new: str, code: str) -> None:
    session = signed_in(users)
    with pytest.raises(WattProofError) as caught:
        users.change_password(session, old=old, new=new, now_s=NOW)
    assert caught.value.code == code
    assert users.session(session.token, now_s=NOW) == session
    signed_in(users)


def test_guesses_at_the_present_password_lock_too(users: Users) -> None:
    session = signed_in(users)
    for _ in range(MAX_FAILURES):
        with pytest.raises(WattProofError, match=r"console\.password"):
            users.change_password(session, old="wrong", new="a new password", now_s=NOW)
    assert refused(users, "ada", PASSWORD) == "console.locked"


def test_passwords_are_the_same_however_they_are_typed(users: Users) -> None:
    users.add("eve", password="cafe\u0301 au lait", party="works", lang="en", key=KEY)
    assert users.key_of(users.sign_in("eve", "caf\u00e9 au lait", now_s=NOW)).seed == KEY.seed


@pytest.mark.parametrize("login", ["", "a b", "x" * 65, "a/b", "a\n"])
def test_names_that_are_not_taken(users: Users, login: str) -> None:
    with pytest.raises(WattProofError, match=r"console\.login_form"):
        users.add(login, password=PASSWORD, party="works", lang="en", key=None)


def test_a_name_is_given_once(users: Users) -> None:
    with pytest.raises(WattProofError, match=r"console\.login_taken"):
        users.add("ada", password=PASSWORD, party="grid", lang="en", key=None)
    assert [user.login for user in users.logins()] == ["ada", "bob"]


def test_the_language_is_remembered(users: Users) -> None:
    users.set_language("ada", "en")
    assert signed_in(users).user.lang == "en"


def test_drafts_are_ones_own(users: Users) -> None:
    draft = users.drafts.add("ada", b"payload", back="/devices", now_s=NOW)
    assert users.drafts.find("ada", draft.id) == draft
    assert users.drafts.find("bob", draft.id) is None
    assert users.drafts.find("ada", "another") is None
    users.drafts.finish(draft.id, "ab" * 32)
    found = users.drafts.find("ada", draft.id)
    assert found is not None
    assert (found.payload, found.back, found.transaction_id) == (b"payload", "/devices", "ab" * 32)


def test_the_oldest_drafts_go_first(users: Users) -> None:
    first = users.drafts.add("ada", b"first", now_s=NOW - 1)
    other = users.drafts.add("bob", b"other", now_s=NOW - 2)
    kept = [users.drafts.add("ada", b"later", now_s=NOW) for _ in range(MAX_DRAFTS + 5)]
    assert users.drafts.find("ada", first.id) is None
    assert users.drafts.find("ada", kept[-1].id) == kept[-1]
    assert users.drafts.find("bob", other.id) == other
    assert sum(users.drafts.find("ada", draft.id) is not None for draft in kept) == MAX_DRAFTS


def test_accounts_outlive_a_restart(users: Users, path: Path) -> None:
    session = signed_in(users)
    draft = users.drafts.add("ada", b"payload", now_s=NOW)
    again = Users(path, cost=LOWEST)
    assert again.any
    assert again.session(session.token, now_s=NOW) == session
    assert again.drafts.find("ada", draft.id) == draft
    again.close()


def test_without_accounts() -> None:
    nobody = Users(":memory:", cost=LOWEST)
    assert not nobody.any
    assert refused(nobody, "ada", PASSWORD) == "console.sign_in"
    nobody.close()
