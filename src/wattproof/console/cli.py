"""The command `user`: who may sign in to the console."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, say, show_json, show_table
from wattproof.console.users import Users

__all__ = ["PASSWORD_VARIABLE", "USERS_FILE", "add_commands"]

USERS_FILE = "console.db"
"""The file of accounts, in the ledger's folder."""
PASSWORD_VARIABLE = "WATTPROOF_USER_PASSWORD"
"""The environment variable that gives a new user's password, where nobody can be asked."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    user = typer.Typer(no_args_is_help=True, help="Accounts of the console. / 控制台账号。")
    app.add_typer(user, name="user")

    @user.command()
    def add(
        folder: Folder,
        login: Annotated[str, typer.Argument(metavar="NAME", help="To sign in with. / 用户名。")],
        party: Annotated[str, typer.Option(help="The party on the ledger. / 账本上的主体。")],
        key: Annotated[
            str, typer.Option(help="A key of the store to be kept for the user. / 密钥名。")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Let somebody sign in and act for a party. / 新增账号。"""
        ledger = host.folder(folder)
        ledger.read().close()
        signing_key = ledger.keys().get(key) if key else None
        users = Users(folder / USERS_FILE)
        try:
            users.add(login, password=_password(), party=party, key=signing_key)
        finally:
            users.close()
        if as_json:
            show_json({"login": login, "party": party, "keeps_key": bool(key)})
        else:
            say(f"{login} may sign in for {party}.", f"{login} 可代表 {party} 登录。")

    @user.command(name="list")
    def list_users(folder: Folder, as_json: JsonFlag = False) -> None:
        """Who may sign in. / 列出账号。"""
        host.folder(folder).read().close()
        users = Users(folder / USERS_FILE)
        try:
            found = users.logins()
        finally:
            users.close()
        if as_json:
            show_json(found)
        else:
            rows = [[user.login, user.party, user.lang, user.keeps_key] for user in found]
            show_table(["name", "party", "language", "key kept here"], rows)


def _password() -> str:
    """From the environment, asked of a person, or a line of standard input."""
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is not None:
        return given
    if sys.stdin.isatty():
        return getpass.getpass()
    return sys.stdin.readline().rstrip("\n")
