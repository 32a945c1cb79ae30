"""Accounts of the demonstration's console: one for each party, with passwords of this ledger only.

The passwords lie in a file of the ledger's folder, so that a later run can print them again. No
real ledger has such a file.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from wattproof.console.cli import USERS_FILE
from wattproof.console.users import Users
from wattproof.demo.region import PARTIES, PEOPLE
from wattproof.engines.folder import LedgerFolder
from wattproof.identity.queries import party

__all__ = ["PASSWORDS_FILE", "DemoAccount", "make_accounts"]

PASSWORDS_FILE: Final = "demo-users.txt"
"""A line an account: its name, a blank, its password."""

LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""What cannot be mistaken for something else when it is read from a screen and typed."""
GROUPS: Final = 3
GROUP_LETTERS: Final = 4


class DemoAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account: whoever signs in acts for the party of the same id, in its `roles`."""

    login: str
    password: str
    roles: tuple[str, ...]


def make_accounts(folder: LedgerFolder, *, first: Sequence[str]) -> list[DemoAccount]:
    """The accounts of the parties `first`, then of the region's parties and people; those that are
    missing are made.

    A password that was changed in the console since is not known here: the first one is given.
    """
    path = folder.path / PASSWORDS_FILE
    passwords = _read(path)
    logins = [*first, *(one.id for one in PARTIES), *PEOPLE]
    missing = [login for login in logins if login not in passwords]
    if missing:
        passwords.update({login: _password() for login in missing})
        _write(path, passwords)
    users = Users(folder.path / USERS_FILE)
    try:
        with folder.keys() as keys:
            present = {user.login for user in users.logins()}
            for login in logins:
                if login not in present:
                    users.add(
                        login,
                        password=passwords[login],
                        party=login,
                        key=keys.get(login),
                    )
    finally:
        users.close()
    store = folder.read()
    try:
        return [
            DemoAccount(login=login, password=passwords[login], roles=party(store, login).roles)
            for login in logins
        ]
    finally:
        store.close()


def _password() -> str:
    """Sixty bits, in groups that can be read out."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(GROUP_LETTERS)) for _ in range(GROUPS))
    return "-".join(groups)


def _read(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="ascii").splitlines()
    pairs = (line.split() for line in lines)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _write(path: Path, passwords: dict[str, str]) -> None:
    """Write the file anew, readable by its owner alone, whole or not at all."""
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(f"{login} {password}\n" for login, password in passwords.items())
        file.flush()
        os.fsync(descriptor)
    partial.rename(path)
