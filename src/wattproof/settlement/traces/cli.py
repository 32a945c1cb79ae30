"""The commands of who publishes trace codes: trace new, grant, publish, publish-run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, say, show_json
from wattproof.core.codes import check_region
from wattproof.core.errors import ErrorCode, Malformed, NotFound, WattProofError
from wattproof.core.trace_codes import (
    TraceCode,
    TraceKind,
    check_trace_technology,
    parse_trace,
)
from wattproof.engines.folder import Writer
from wattproof.identity.queries import party as party_of
from wattproof.keys.did import public_of
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.settlement.traces.queries import Held
from wattproof.settlement.traces.sealing import granting, new_epoch_key, opening, publishing
from wattproof.settlement.traces.search_cli import (
    EpochText,
    Folder,
    PartyOption,
    add_search,
    held_by,
)
from wattproof.settlement.traces.trades import UNSPECIFIED, codes_of_run, publish_run

__all__ = ["add_commands"]

NO_FILE = ErrorCode(
    NotFound,
    "settlement.trace.file",
    en="{file} cannot be read: {why}.",
    zh="无法读取 {file}：{why}。",
)
BAD_LINE = ErrorCode(
    Malformed,
    "settlement.trace.line",
    en="Line {line} of {file}: {reason}",
    zh="{file} 第 {line} 行：{reason_zh}",
)
NO_EPOCH = ErrorCode(
    NotFound,
    "settlement.key.none_opened",
    en="{party} has opened no such epoch; open one with: wattproof trace new",
    zh="{party} 没有启用过该周期；请先运行：wattproof trace new",
)

For = Annotated[
    list[str], typer.Option("--for", help="A party that may read; repeatable. / 可读主体，可多次。")
]


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    trace = typer.Typer(no_args_is_help=True, help="Trace codes, sealed and found. / 溯源码。")
    app.add_typer(trace, name="trace")
    _add_new(trace, host)
    _add_grant(trace, host)
    _add_publish(trace, host)
    _add_publish_run(trace, host)
    add_search(trace, host)


def _add_new(app: typer.Typer, host: Host) -> None:
    @app.command()
    def new(
        folder: Folder,
        party: PartyOption,
        region: Annotated[str, typer.Option(help="What it is for; sealed. / 地区（加密）。")],
        holders: For,
        note: Annotated[str, typer.Option(help="Anything else; sealed. / 备注（加密）。")] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Open an epoch under a new key; who is left out reads nothing new. / 启用密钥新周期。"""
        ledger = host.folder(folder)
        with ledger.write(workers=0) as writer, ledger.keys() as keys:
            key = new_epoch_key(writer.ledger_id)
            publics = _publics(writer, {*holders, party})
            body = opening(key, region=region, note=note, holders=publics)
            receipt = _submitted(writer, [body], keys.get(party))[0]
        epoch = key.key_id.hex()
        if as_json:
            show_json({"epoch": epoch, "entry": receipt.index, "holders": sorted(publics)})
        else:
            say(f"Epoch {epoch} (entry {receipt.index})", f"周期 {epoch}（第 {receipt.index} 条）")


def _add_grant(app: typer.Typer, host: Host) -> None:
    @app.command()
    def grant(
        folder: Folder,
        epoch: EpochText,
        party: PartyOption,
        holders: For,
        as_json: JsonFlag = False,
    ) -> None:
        """Give an epoch's key to more parties, with all that is in it. / 向更多主体授予密钥。"""
        ledger = host.folder(folder)
        with ledger.write(workers=0) as writer, ledger.keys() as keys:
            signer = keys.get(party)
            held = _own(writer, party, signer, epoch)
            body = granting(held.key, _publics(writer, set(holders)))
            receipt = _submitted(writer, [body], signer)[0]
        if as_json:
            show_json({"epoch": epoch, "entry": receipt.index, "holders": sorted(set(holders))})
        else:
            say(
                f"Granted to {len(body.copies)} (entry {receipt.index})",
                f"已授予 {len(body.copies)} 个主体（第 {receipt.index} 条）",
            )


def _add_publish(app: typer.Typer, host: Host) -> None:
    @app.command()
    def publish(
        folder: Folder,
        file: Annotated[
            Path, typer.Argument(metavar="FILE", help="Trace codes, one a line. / 每行一个溯源码。")
        ],
        party: PartyOption,
        epoch: Annotated[
            str, typer.Option(help="Its id; else the party's newest. / 周期标识，默认最新。")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Seal the trace codes of a file and publish them. / 加密并发布溯源码。"""
        codes = _read(file)
        ledger = host.folder(folder)
        with ledger.write(workers=0) as writer, ledger.keys() as keys:
            signer = keys.get(party)
            held = _own(writer, party, signer, epoch)
            bodies = list(publishing(held.key, codes, first=held.epoch.batches))
            receipts = _submitted(writer, bodies, signer)
        done = {
            "epoch": held.epoch.key.hex(),
            "codes": len(set(codes)),
            "batches": [body.number for body in bodies],
            "entries": [receipt.index for receipt in receipts],
        }
        if as_json:
            show_json(done)
        else:
            say(
                f"{len(set(codes))} codes in {len(bodies)} batches",
                f"已发布 {len(set(codes))} 个溯源码，共 {len(bodies)} 批",
            )


def _add_publish_run(app: typer.Typer, host: Host) -> None:
    @app.command("publish-run")
    def publish_run_command(
        folder: Folder,
        region: Annotated[
            str, typer.Argument(metavar="REGION", help="It is settled. / 结算地区。")
        ],
        run: Annotated[int, typer.Argument(metavar="RUN", help="The run's number. / 结算次数。")],
        party: PartyOption,
        place: Annotated[
            str, typer.Option(help="Its code, if REGION is none. / 地区代码，默认同 REGION。")
        ] = "",
        supply: Annotated[
            str, typer.Option(help="EECS code of what supplies. / 供能的 EECS 代码。")
        ] = UNSPECIFIED,
        consumption: Annotated[
            str, typer.Option(help="EECS code of what is used. / 用能的 EECS 代码。")
        ] = UNSPECIFIED,
        as_json: JsonFlag = False,
    ) -> None:
        """Seal and publish the codes of a run's trades; again adds nothing. / 发布结算溯源码。"""
        technologies: dict[TraceKind, str] = {
            "supply": check_trace_technology(supply),
            "consumption": check_trace_technology(consumption),
        }
        ledger = host.folder(folder)
        with ledger.write(workers=0) as writer, ledger.keys() as keys:
            signer = keys.get(party)
            held, _ = held_by(writer.store, party, signer, ledger_id=writer.ledger_id)
            codes = codes_of_run(
                writer.store,
                region=region,
                run=run,
                place=check_region(place or region),
                technology_of=lambda kind, _meter: technologies[kind],
            )
            own = _own(writer, party, signer, "")
            receipts = publish_run(
                writer.store,
                writer.engine,
                codes,
                held=[*(one for one in held if one.epoch.key != own.epoch.key), own],
                key=signer,
            )
        entries = [receipt.index for receipt in receipts]
        if as_json:
            show_json({"epoch": own.epoch.key.hex(), "trades": len(codes), "entries": entries})
        else:
            say(
                f"{len(codes)} trades; batches added: {len(entries)}",
                f"共 {len(codes)} 笔交易，新增 {len(entries)} 批",
            )


def _publics(writer: Writer, parties: set[str]) -> dict[str, bytes]:
    """The present public keys of parties; raises where there is none of that id."""
    return {id_: public_of(party_of(writer.store, id_).did) for id_ in parties}


def _own(writer: Writer, party: str, signer: SigningKey, epoch: str) -> Held:
    """The epoch with this id, or the newest one, that the party opened and holds the key of."""
    held, _ = held_by(writer.store, party, signer, ledger_id=writer.ledger_id)
    for one in reversed(held):
        if one.epoch.opener == party and epoch in ("", one.epoch.key.hex()):
            return one
    raise NO_EPOCH(party=party)


def _submitted(writer: Writer, bodies: Sequence[Body], key: SigningKey) -> list[Receipt]:
    """Sign and submit; raises what refuses one of them."""
    raws = [sign_transaction(body, key, ledger_id=writer.ledger_id) for body in bodies]
    receipts = []
    for answer in writer.engine.submit_many(raws):
        if not isinstance(answer, Receipt):
            raise answer
        receipts.append(answer)
    return receipts


def _read(file: Path) -> list[TraceCode]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as failed:
        raise NO_FILE(file=file.name, why=str(failed)) from None
    codes = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                codes.append(parse_trace(line))
            except WattProofError as wrong:
                raise BAD_LINE(
                    file=file.name, line=number, reason=wrong.text("en"), reason_zh=wrong.text("zh")
                ) from None
    return codes
