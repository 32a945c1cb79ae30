"""The commands on keys and roles: key new, key list, key show, explain roles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, language, say, show_json, show_table
from wattproof.keys.did import did_of
from wattproof.keys.ed25519 import SigningKey

__all__ = ["add_commands"]

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder with the keys. / 密钥所在目录。")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The key's name. / 密钥名称。")]


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    key = typer.Typer(no_args_is_help=True, help="Keys of this operator. / 本机密钥。")
    explain = typer.Typer(no_args_is_help=True, help="Print what is enforced. / 查看规则。")
    app.add_typer(key, name="key")
    app.add_typer(explain, name="explain")
    _add_key_commands(key, host)

    @explain.command()
    def roles(as_json: JsonFlag = False) -> None:
        """Who may sign which transaction: the very table that is enforced. / 角色权限表。"""
        table = host.roles(language())
        if as_json:
            show_json(table)
        else:
            show_table(list(table[0]), [list(row.values()) for row in table])


def _add_key_commands(key: typer.Typer, host: Host) -> None:
    @key.command()
    def new(
        folder: Folder,
        name: Name,
        create: Annotated[
            bool,
            typer.Option("--create", help="Make the store if there is none. / 没有密钥库则新建。"),
        ] = False,
        as_json: JsonFlag = False,
    ) -> None:
        """Make a key and keep it, encrypted, in the store. / 新建密钥。"""
        made = SigningKey.generate()
        ledger = host.folder(folder)
        keys = ledger.create_keys() if create and not ledger.exists else ledger.keys()
        keys.add(name, made)
        _show(name, made, as_json=as_json)

    @key.command(name="list")
    def list_keys(folder: Folder, as_json: JsonFlag = False) -> None:
        """The names in the store. / 列出密钥。"""
        names = list(host.folder(folder).keys().names())
        if as_json:
            show_json(names)
        else:
            show_table(["name"], [[name] for name in names])

    @key.command()
    def passphrase(folder: Folder) -> None:
        """Change the key store's passphrase to that in WATTPROOF_NEW_PASSPHRASE. / 更改口令。"""
        host.folder(folder).change_passphrase()
        say("The passphrase is changed.", "口令已更改。")

    @key.command()
    def show(folder: Folder, name: Name, as_json: JsonFlag = False) -> None:
        """A key's public half. / 显示公钥。"""
        _show(name, host.folder(folder).keys().get(name), as_json=as_json)


def _show(name: str, key: SigningKey, *, as_json: bool) -> None:
    shown = {"name": name, "did": did_of(key.public), "public": key.public.hex()}
    if as_json:
        show_json(shown)
    else:
        say(f"{name}: {shown['did']}", f"{name}：{shown['did']}")
