"""The commands of logistics: shipments import, shipments report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, language, progress, say, show_json, show_table
from wattproof.core.periods import DEFAULT_ZONE, check_step, load_zone, parse_time
from wattproof.core.units import format_amount
from wattproof.emissions.logistics.mapping import load_shipment_map
from wattproof.emissions.logistics.plan import (
    ShipmentSummary,
    plan_shipments,
    read_files,
    run_shipments,
)
from wattproof.emissions.logistics.report import Period, ReportRow, check_by, shipment_report
from wattproof.emissions.logistics.words import METHOD_WORDS, SCOPE_WORDS
from wattproof.metering.csvfile import NO_FILE

__all__ = ["add_commands"]

LISTED: Final = 20
"""Rows that were left, named in the text; all of them are in the JSON."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    shipments = typer.Typer(no_args_is_help=True, help="What shipments emitted. / 运输及其排放。")
    app.add_typer(shipments, name="shipments")
    _add_import(shipments, host)
    _add_report(shipments, host)


def _add_import(app: typer.Typer, host: Host) -> None:
    @app.command(name="import")
    def import_command(
        folder: Folder,
        file: Annotated[
            Path, typer.Argument(metavar="FILE", help="Warehouse records. / 出库记录 CSV。")
        ],
        mapping: Annotated[
            Path, typer.Option(help="What the columns mean, in TOML. / 列映射文件（TOML）。")
        ],
        tracking: Annotated[
            Path | None, typer.Option(help="Tracking points, a CSV. / 物流轨迹点 CSV。")
        ] = None,
        party: Annotated[
            str, typer.Option(help="The shipper and its key. / 发货主体及其密钥。")
        ] = "importer",
        check: Annotated[
            bool, typer.Option("--check", help="Say what would be taken only. / 只核对，不写入。")
        ] = False,
        as_json: JsonFlag = False,
    ) -> None:
        """Record the shipments of a file, and list what cannot be. / 导入运输记录。"""
        told = load_shipment_map(mapping)
        points = None if tracking is None else (tracking.name, _read(tracking))
        records = read_files(told, records=(file.name, _read(file)), tracking=points)
        ledger = host.folder(folder)
        with ledger.write() as writer, ledger.keys() as keys:
            key = keys.get(party)
            plan = plan_shipments(
                writer.store, records, told, shipper=party, now_s=int(time.time())
            )
            added = 0
            if not check:
                with progress("Importing", "导入") as tell:
                    added = run_shipments(
                        plan, writer.engine, key, ledger_id=writer.ledger_id, progress=tell
                    )
        summary = ShipmentSummary.of(plan, added=added)
        if as_json:
            show_json(summary)
        else:
            _say_import(summary, planned=len(plan.bodies), check=check)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failed:
        raise NO_FILE(file=path.name, why=failed.strerror or str(failed)) from failed


def _say_import(summary: ShipmentSummary, *, planned: int, check: bool) -> None:
    lang = language()
    say(
        f"{summary.file}: {summary.rows} rows; added: {summary.added}"
        f"{f' of {planned}, this was a check' if check else ''}; in the ledger already: "
        f"{summary.already}; left: {summary.left_rows}.",
        f"{summary.file}：{summary.rows} 行；新增 {summary.added}"
        f"{f'（可新增 {planned}，此次仅核对）' if check else ''}；已在账本 {summary.already}；"
        f"未采用 {summary.left_rows}。",
    )
    for one in summary.sums:
        grams = format_amount(one.emission_g, "g", lang)
        way = format_amount(one.distance_m, "m", lang)
        say(
            f"  {METHOD_WORDS[one.method][0]}, {one.set}, "
            f"{SCOPE_WORDS.get(one.scope, (one.scope,) * 2)[0]}: "
            f"{one.shipments} shipments, {way}, {grams}",
            f"  {METHOD_WORDS[one.method][1]}，{one.set}，"
            f"{SCOPE_WORDS.get(one.scope, (one.scope,) * 2)[1]}："
            f"{one.shipments} 批，{way}，{grams}",
        )
    for one_left in summary.left[:LISTED]:
        say(
            f"  {one_left.file}, line {one_left.line}, {one_left.column} "
            f"“{one_left.value}”: {one_left.en}",
            f"  {one_left.file} 第 {one_left.line} 行，{one_left.column}“{one_left.value}”："
            f"{one_left.zh}",
        )
    more = len(summary.left) - LISTED
    if more > 0:
        say(f"  and {more} more; --json lists all.", f"  另有 {more} 条，--json 列出全部。")
        for code, count in summary.reasons.items():
            say(f"  {count} x {code}", f"  {code}：{count} 条")


def _add_report(app: typer.Typer, host: Host) -> None:
    @app.command()
    def report(
        folder: Folder,
        by: Annotated[
            str,
            typer.Option(
                help="shipment, product, customer, period, method or mode."
                " / 按运输、产品、客户、时段、方法或方式。"
            ),
        ] = "period",
        step: Annotated[
            str, typer.Option(help="hour, day, month or year. / 时、日、月、年。")
        ] = "month",
        shipper: Annotated[str, typer.Option(help="Only this shipper. / 指定发货主体。")] = "",
        start: Annotated[
            str, typer.Option("--from", help="From this year, month, day or time. / 起始。")
        ] = "",
        end: Annotated[
            str, typer.Option("--to", help="Up to, not including. / 截止（不含）。")
        ] = "",
        zone: Annotated[str, typer.Option(help="The time zone. / 时区。")] = DEFAULT_ZONE,
        as_json: JsonFlag = False,
    ) -> None:
        """What shipments emitted, by what they share. / 运输排放汇总。"""
        load_zone(zone)
        grouping = check_by(by)
        period = Period(
            zone=zone,
            step=check_step(step),
            start_s=parse_time(start, zone) if start else None,
            end_s=parse_time(end, zone) if end else None,
        )
        store = host.folder(folder).read()
        try:
            rows = shipment_report(store, by=grouping, period=period, shipper=shipper or None)
        finally:
            store.close()
        if as_json:
            show_json(rows)
        else:
            _show_report(rows)


def _show_report(rows: Sequence[ReportRow]) -> None:
    if not rows:
        say("There are no shipments.", "没有运输记录。")
        return
    lang = language()
    zh = lang == "zh"
    columns = (
        ("项目", "发货主体", "因子集", "口径", "方法", "批数", "里程", "排放")
        if zh
        else ("of", "shipper", "set", "scope", "method", "shipments", "distance", "emission")
    )
    table: list[list[Any]] = [
        [
            row.key,
            row.shipper,
            row.set,
            SCOPE_WORDS.get(row.scope, (row.scope, row.scope))[zh],
            ("、" if zh else ", ").join(METHOD_WORDS[name][zh] for name in row.methods),
            row.shipments,
            format_amount(row.distance_m, "m", lang),
            format_amount(row.emission_g, "g", lang),
        ]
        for row in rows
    ]
    show_table(columns, table)
