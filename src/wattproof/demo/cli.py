"""The command `demo`: the story told, the balance drawn, and the console opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from wattproof.cli.host import Host, Opening
from wattproof.cli.output import EXIT_NO, JsonFlag, language, say, show_json, show_table
from wattproof.demo.accounts import DemoAccount, make_accounts
from wattproof.demo.market import PARTIES as TRADERS
from wattproof.demo.market import opening
from wattproof.demo.plant import MILL, made_mill
from wattproof.demo.real_plants import HOUSE, STEEL, house, steel
from wattproof.demo.region import ZONE
from wattproof.demo.settlement import Settlement
from wattproof.demo.story import OPERATOR, Story
from wattproof.demo.tracking import Tell, Tracking
from wattproof.engines.folder import LedgerFolder
from wattproof.identity.roles import ROLES

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
        data: Annotated[
            Path | None,
            typer.Option(
                help="A folder with real data: a steel plant and a house. / 真实数据目录。"
            ),
        ] = None,
        as_json: JsonFlag = False,
    ) -> None:
        """A region lives through a month; then the balance. / 演示：一个地区的一个月。"""
        ledger = host.folder(folder)
        if not ledger.exists:
            host.create(
                ledger, Opening(name="demo", organisation="Demo operator", uscc="", zone=ZONE)
            )
        tell: Tell = (lambda _en, _zh: None) if as_json else say
        story = Story(ledger, tell)
        story.live(before=opening())
        told = _track(ledger, tell, data)
        story.facts["tracking"] = told[0]
        if data is not None:
            story.facts["tracking_real"] = told[1:]
        settlement = Settlement(ledger, tell, operator=OPERATOR)
        settlement.live()
        story.facts["settlement"] = settlement.facts()
        report, verdict = story.check()
        if as_json:
            show_json({"ledger": verdict.ledger_id, **story.facts})
        if not (report.ok and verdict.ok):
            raise typer.Exit(EXIT_NO)
        if not no_serve:
            _print_accounts(
                make_accounts(ledger, first=[OPERATOR, MILL.owner, *(one.id for one in TRADERS)])
            )
            host.serve(ledger, ADDRESS, PORT)


def _track(ledger: LedgerFolder, tell: Tell, data: Path | None) -> list[dict[str, Any]]:
    """The chapters on tracking: the made mill, and the real plants where there are data."""
    plants = [(MILL, made_mill())]
    if data is not None:
        plants += [(STEEL, steel(data)), (HOUSE, house(data))]
    told = []
    for plant, recorded in plants:
        chapter = Tracking(ledger, tell, plant, operator=OPERATOR)
        chapter.live(recorded)
        told.append(chapter.facts())
    return told


def _print_accounts(accounts: Sequence[DemoAccount]) -> None:
    """Who can sign in, and where."""
    lang = language()
    columns = ("用户名", "密码", "角色") if lang == "zh" else ("name", "password", "roles")
    named = {name: role.zh if lang == "zh" else role.en for name, role in ROLES.items()}
    say(
        "The console's accounts, unless you changed a password since:",
        "控制台账号如下（密码若已修改，以修改后的为准）：",
    )
    show_table(
        columns,
        [
            [one.login, one.password, ", ".join(named.get(role, role) for role in one.roles)]
            for one in accounts
        ],
    )
    say(
        f"Open http://{ADDRESS}:{PORT} and sign in; Ctrl-C ends it.",
        f"请打开 http://{ADDRESS}:{PORT} 并登录；按 Ctrl-C 结束。",
    )
