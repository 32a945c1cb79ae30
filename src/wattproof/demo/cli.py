"""The command `demo`: the story told, the balance drawn, and the node served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wattproof.cli.host import Host, Opening
from wattproof.cli.output import EXIT_NO, JsonFlag, say, show_json
from wattproof.demo.region import ZONE
from wattproof.demo.story import Story

__all__ = ["ADDRESS", "PORT", "add_commands"]

ADDRESS = "127.0.0.1"
PORT = 8000


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the command into the application."""

    @app.command()
    def demo(
        folder: Annotated[
            Path, typer.Argument(metavar="[DIR]", help="Where the ledger is kept. / 账本目录。")
        ] = Path("demo"),
        no_serve: Annotated[
            bool, typer.Option("--no-serve", help="Stop after the balance. / 不启动服务。")
        ] = False,
        as_json: JsonFlag = False,
    ) -> None:
        """A region lives through a month; then the balance. / 演示：一个地区的一个月。"""
        ledger = host.folder(folder)
        if not ledger.exists:
            host.create(
                ledger, Opening(name="demo", organisation="Demo operator", uscc="", zone=ZONE)
            )
        story = Story(ledger, (lambda _en, _zh: None) if as_json else say)
        story.live()
        report, verdict = story.check()
        if as_json:
            show_json({"ledger": verdict.ledger_id, **story.facts})
        if not (report.ok and verdict.ok):
            raise typer.Exit(EXIT_NO)
        if not no_serve:
            host.serve(ledger, ADDRESS, PORT)
