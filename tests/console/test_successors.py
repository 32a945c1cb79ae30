"""The key that follows: when it takes the place of the present one, and that it is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wattproof.console.users import Session, Users
from wattproof.core.errors import WattProofError
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.passphrase import LOWEST

PASSWORD = "an apple a day"
NEW_PASSWORD = "a pear and a half"
NOW = 1_800_000_000
KEY = SigningKey.from_seed(bytes(range(32)))


class Place:
    """A file of accounts, and what a ledger says of its one party."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.present = KEY.public
        self.users = self.opened()
        self.users.add("ada", password=PASSWORD, party="works", lang="en", key=KEY)
        self.users.add("bob", password=PASSWORD, party="works", lang="en", key=None)

    def opened(self) -> Users:
        return Users(self.path, cost=LOWEST, present_key=lambda _party: self.present)

    def restart(self) -> None:
        self.users.close()
        self.users = self.opened()

    def signed_in(self, login: str = "ada", password: str = PASSWORD) -> Session:
        return self.users.sign_in(login, password, now_s=NOW)

    def planned(self, session: Session, password: str = PASSWORD) -> SigningKey:
        return self.users.plan_key(session, password=password, now_s=NOW)

    def alive(self, session: Session) -> bool:
        return self.users.session(session.token, now_s=NOW) is not None


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "console.db")
    yield place
    place.users.close()


def refused(code: str, work: object) -> None:
    assert callable(work)
    with pytest.raises(WattProofError) as caught:
        work()
    assert caught.value.code == code


def test_until_the_ledger_knows_it_the_present_key_signs(place: Place) -> None:
    session = place.signed_in()
    new = place.planned(session)
    assert new.public != KEY.public
    assert place.users.key_of(session).seed == KEY.seed
    assert place.users.key_of(place.signed_in()).seed == KEY.seed


def test_as_soon_as_the_ledger_knows_it_it_signs(place: Place) -> None:
    session, elsewhere = place.signed_in(), place.signed_in()
    new = place.planned(session)
    place.present = new.public
    assert place.users.key_of(session).seed == new.seed
    assert place.alive(session)
    assert not place.alive(elsewhere), "it cannot open the new key"
    assert place.users.key_of(place.signed_in()).seed == new.seed


@pytest.mark.parametrize("looked", ["in the session", "at the door"])
def test_killed_after_the_ledger_has_it(place: Place, looked: str) -> None:
    session = place.signed_in()
    new = place.planned(session)
    place.present = new.public
    place.restart()
    if looked == "at the door":
        assert place.users.key_of(place.signed_in()).seed == new.seed
    assert place.users.key_of(session).seed == new.seed


def test_asked_again_it_is_the_same_key(place: Place) -> None:
    """So that whichever of two drafts is signed, its key is here."""
    first, second = place.signed_in(), place.signed_in()
    new = place.planned(first)
    assert place.planned(second).seed == new.seed
    place.present = new.public
    assert place.users.key_of(second).seed == new.seed
    assert not place.alive(first)


def test_two_at_once_get_one_key(place: Place) -> None:
    sessions = [place.signed_in() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        seeds = {key.seed for key in pool.map(place.planned, sessions)}
    assert len(seeds) == 1


def test_the_password_may_change_meanwhile(place: Place) -> None:
    session = place.signed_in()
    new = place.planned(session)
    changed = place.users.change_password(session, old=PASSWORD, new=NEW_PASSWORD, now_s=NOW)
    assert place.users.key_of(changed).seed == KEY.seed
    assert place.planned(changed, NEW_PASSWORD).seed == new.seed
    place.present = new.public
    assert place.users.key_of(place.signed_in(password=NEW_PASSWORD)).seed == new.seed


def test_it_can_follow_again(place: Place) -> None:
    session = place.signed_in()
    for _ in range(3):
        new = place.planned(session)
        assert new.public != place.present
        place.present = new.public
        assert place.users.key_of(session).seed == new.seed


def test_who_may_not(place: Place) -> None:
    session = place.signed_in()
    refused("console.password", lambda: place.planned(session, "not my password"))
    refused("console.no_key", lambda: place.planned(place.signed_in("bob")))
    assert place.users.key_of(session).seed == KEY.seed


def test_neither_key_lies_open(place: Place) -> None:
    new = place.planned(place.signed_in())
    place.users.close()
    stored = b"".join(path.read_bytes() for path in place.path.parent.iterdir())
    assert new.seed not in stored
    assert KEY.seed not in stored
    place.users = place.opened()
