"""The commands that check a ledger as a whole: audit, and the checkpoint to be kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from wattproof.cli.files import read_file
from wattproof.cli.host import Host
from wattproof.cli.output import EXIT_NO, JsonFlag, progress, say, show_json
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.fsck import AuditReport, audit
from wattproof.ledger.kept import check_grown_from
from wattproof.ledger.note import MAX_NOTE_BYTES
from wattproof.ledger.state import Reading

__all__ = ["add_commands"]

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    _add_audit(app, host)
    _add_checkpoint(app, host)


def _add_audit(app: typer.Typer, host: Host) -> None:
    @app.command(name="audit")
    def audit_command(
        folder: Folder,
        checkpoint: Annotated[
            Path | None,
            typer.Option(help="A checkpoint kept elsewhere, to be grown from. / 另存的检查点。"),
        ] = None,
        as_json: JsonFlag = False,
    ) -> None:
        """Replay the whole ledger and check every stored byte. / 重放并核对整个账本。"""
        kept = None
        if checkpoint is not None:
            kept = read_file(checkpoint, limit=MAX_NOTE_BYTES).decode("utf-8", "replace")
        report, conservation = _audit(host, host.folder(folder), kept)
        if as_json:
            show_json(_audit_json(report, conservation))
        else:
            _say_audit(report, conservation)
        if not report.ok:
            raise typer.Exit(EXIT_NO)


def _add_checkpoint(app: typer.Typer, host: Host) -> None:
    @app.command(name="checkpoint")
    def checkpoint_command(folder: Folder) -> None:
        """Print the newest signed checkpoint, to be kept elsewhere. / 输出最新检查点。"""
        store = host.folder(folder).read()
        try:
            block = store.latest_block()
        finally:
            store.close()
        assert block is not None, "a ledger has a genesis"
        typer.echo(block.checkpoint, nl=False)


def _audit(
    host: Host, ledger: LedgerFolder, kept: str | None
) -> tuple[AuditReport, dict[str, Any]]:
    store = ledger.read()
    conservation: dict[str, Any] = {}

    def finish(reading: Reading) -> None:
        conservation.update(host.conservation(reading))
        if kept is not None:
            check_grown_from(store, kept)

    verifiers = []

    def check_many(ledger_id: bytes) -> Callable[[Any], Any]:
        verifiers.append(ledger.verifier(ledger_id))
        return verifiers[-1].check_many

    try:
        with progress("Replaying", "重放") as told:
            report = audit(store, host.machine, check_many=check_many, progress=told, finish=finish)
    finally:
        for verifier in verifiers:
            verifier.close()
        store.close()
    return report, conservation


def _audit_json(report: AuditReport, conservation: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ok": report.ok,
        "entries": report.entries,
        "root": report.root,
        "signatures": report.signatures,
        "conservation": conservation,
        "seconds": report.seconds,
    }
    if report.first_break is not None:
        document["first_break"] = report.first_break
    return document


def _say_audit(report: AuditReport, conservation: dict[str, Any]) -> None:
    if report.first_break is not None:
        found = report.first_break
        say(f"First break: {found.why} [{found.code}]", f"首个断点：{found.why_zh} [{found.code}]")
        return
    say(
        f"The ledger holds: {report.entries} entries, {report.signatures} signatures verified, "
        f"root {report.root}, in {report.seconds} s.",
        f"账本完好：{report.entries} 条记录，验证签名 {report.signatures} 个，"
        f"根 {report.root}，用时 {report.seconds} 秒。",
    )
    for asset, balance in conservation.items():
        say(f"  {asset}: {balance}", f"  {asset}：{balance}")
    if not conservation:
        say("  The book has no assets.", "  账簿中没有资产。")
