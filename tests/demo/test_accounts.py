"""The demonstration's accounts."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from wattproof.console.cli import USERS_FILE
from wattproof.console.users import Users
from wattproof.demo.accounts import PASSWORDS_FILE, make_accounts
from wattproof.demo.region import PARTIES, PEOPLE
from wattproof.engines.folder import LedgerFolder
from wattproof.node import OPERATOR, machine


@pytest.fixture
def folder(demo_ledger: Path, tmp_path: Path) -> LedgerFolder:
    path = tmp_path / "ledger"
    shutil.copytree(demo_ledger, path)
    (path / USERS_FILE).unlink()
    return LedgerFolder(path, machine())


def test_an_account_for_each_party(folder: LedgerFolder) -> None:
    accounts = make_accounts(folder, first=[OPERATOR])
    parties = [party.id for party in PARTIES]
    assert [one.login for one in accounts] == [OPERATOR, *parties, *PEOPLE]
    assert len({one.password for one in accounts}) == len(accounts)
    users = Users(folder.path / USERS_FILE)
    session = users.sign_in("steel-works", accounts[4].password, now_s=0)
    with folder.keys() as keys:
        assert users.key_of(session).public == keys.get("steel-works").public
    assert session.user.lang is None  # the browser decides until the user does
    users.close()
    assert stat.S_IMODE((folder.path / PASSWORDS_FILE).stat().st_mode) == 0o600


def test_a_second_run_gives_the_same(folder: LedgerFolder) -> None:
    first = make_accounts(folder, first=[OPERATOR])
    assert make_accounts(folder, first=[OPERATOR]) == first


def test_what_is_missing_is_made_again(folder: LedgerFolder) -> None:
    first = make_accounts(folder, first=[OPERATOR])
    (folder.path / USERS_FILE).unlink()
    assert make_accounts(folder, first=[OPERATOR]) == first
    users = Users(folder.path / USERS_FILE)
    assert users.sign_in(first[0].login, first[0].password, now_s=0).user.party == OPERATOR
    users.close()


def test_another_ledger_has_other_passwords(folder: LedgerFolder, tmp_path: Path) -> None:
    other = LedgerFolder(tmp_path / "other", machine())
    shutil.copytree(folder.path, other.path)
    first = make_accounts(folder, first=[])
    second = make_accounts(other, first=[])
    assert not {one.password for one in first} & {one.password for one in second}
