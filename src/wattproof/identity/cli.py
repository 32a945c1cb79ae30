"""The command `rotate-key`: a key in the holder's own hands is replaced by a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wattproof.cli.host import Host
from wattproof.cli.ledger import which_ledger
from wattproof.cli.output import say
from wattproof.identity.model import RotateKey, rotation_message
from wattproof.keys.did import did_of
from wattproof.ledger.transaction import sign_transaction

__all__ = ["add_commands"]


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the command into the application."""

    @app.command("rotate-key")
    def rotate_key(
        folder: Annotated[
            Path, typer.Argument(metavar="DIR", help="The folder with the keys. / 密钥所在目录。")
        ],
        present: Annotated[
            str, typer.Argument(metavar="KEY", help="The present key. / 现有密钥名。")
        ],
        new: Annotated[
            str, typer.Argument(metavar="NEW", help="The new one, made if need be. / 新密钥名。")
        ],
        holder: Annotated[
            str, typer.Option(help="The party or device whose key it is. / 主体或设备编号。")
        ],
        output: Annotated[
            Path, typer.Option("-o", "--output", help="The file to write. / 输出文件。")
        ],
        ledger_id: Annotated[
            str,
            typer.Option(help="The ledger that it is for, where DIR has keys only. / 账本编号。"),
        ] = "",
    ) -> None:
        """Sign the replacement of a key, to be submitted; the present key signs it. / 更换密钥。"""
        ledger = host.folder(folder)
        for_ledger = which_ledger(ledger, ledger_id)
        with ledger.keys() as keys:
            old, key = keys.get(present), keys.get_or_create(new)
        message = rotation_message(old_key=old.public, new_key=key.public, holder=holder)
        body = RotateKey(new_key=key.public, proof=key.sign(message))
        output.write_bytes(sign_transaction(body, old, ledger_id=for_ledger))
        did = did_of(key.public)
        say(f"Signed into {output}: {did}", f"已签名并写入 {output}：{did}")
