"""The commands of emissions: import, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from wattproof.analytics.lake import Lake
from wattproof.analytics.log import StoredLog
from wattproof.analytics.project import lake_for, project
from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, language, progress, say, show_json, show_table
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import DEFAULT_ZONE, check_step, parse_time
from wattproof.core.units import format_amount, quantity_label
from wattproof.emissions.intake import Importer, ImportSummary, plan_import, run_import
from wattproof.emissions.life import PROJECTORS
from wattproof.emissions.report import EmissionRow, emission_report
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.store import Store
from wattproof.metering.csvfile import read_csv
from wattproof.metering.mapping import load_map

__all__ = ["add_commands", "projected_lake"]

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]

NO_SUCH_REPORT = ErrorCode(
    Malformed,
    "report.unknown",
    en="There is no report “{name}”; there is: emissions.",
    zh="没有名为“{name}”的报告；可用的有：emissions。",
)


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    _add_import(app, host)
    _add_report(app, host)


def _add_import(app: typer.Typer, host: Host) -> None:
    @app.command(name="import")
    def import_command(
        folder: Folder,
        file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV. / CSV 文件。")],
        mapping: Annotated[
            Path, typer.Option(help="What the columns mean, in TOML. / 列映射文件（TOML）。")
        ],
        party: Annotated[
            str, typer.Option(help="The importing party and its key. / 导入机构及其密钥。")
        ] = "importer",
        as_json: JsonFlag = False,
    ) -> None:
        """Import a CSV of real readings as signed packets. / 将读数文件导入为已签名的数据包。"""
        started = time.perf_counter()
        readings = read_csv(file, load_map(mapping))
        ledger = host.folder(folder)
        with ledger.write() as writer, ledger.keys() as keys:
            plan = plan_import(
                writer.store,
                readings,
                keys=keys,
                importer=Importer(party=party, key=keys.get(party), ledger_id=writer.ledger_id),
                now_s=int(time.time()),
            )
            with progress("Importing", "导入") as told:
                run_import(plan, writer.engine, progress=told)
        summary = ImportSummary(
            meters=plan.meters,
            packets=plan.packets,
            seconds=round(time.perf_counter() - started, 3),
        )
        if as_json:
            show_json(summary)
        else:
            _say_import(summary)


def _say_import(summary: ImportSummary) -> None:
    lang = language()
    for meter in summary.meters:
        total = format_amount(meter.total, meter.unit, lang)
        label = quantity_label(meter.quantity, lang)
        say(
            f"{meter.meter} ({label}): {meter.readings} readings from {meter.first} to "
            f"{meter.last}, {total} in all; gaps: {meter.gaps}, flagged: {meter.flagged}; "
            f"added: {meter.added}.",
            f"{meter.meter}（{label}）：{meter.first} 至 {meter.last} 共 {meter.readings} 个读数，"
            f"合计 {total}；间隔 {meter.gaps} 处，标记 {meter.flagged} 个；新增 {meter.added} 个。",
        )
        for gap in meter.gap_list[:10]:
            say(f"  gap: {gap.start} to {gap.end}", f"  间隔：{gap.start} 至 {gap.end}")
        if meter.gaps > 10:
            say(f"  and {meter.gaps - 10} more gaps", f"  另有 {meter.gaps - 10} 处间隔")
    if summary.packets:
        say(
            f"{summary.packets} packets added in {summary.seconds} s.",
            f"新增 {summary.packets} 个数据包，用时 {summary.seconds} 秒。",
        )
    else:
        say(
            "Nothing was added: all of it is in the ledger already.", "全部已在账本中，未新增内容。"
        )


def _add_report(app: typer.Typer, host: Host) -> None:
    @app.command()
    def report(
        folder: Folder,
        name: Annotated[
            str, typer.Argument(metavar="emissions", help="Which report. / 报告名称。")
        ],
        by: Annotated[
            str, typer.Option(help="hour, day, month or year. / 时、日、月、年。")
        ] = "day",
        meter: Annotated[
            list[str] | None, typer.Option(help="Only this meter; repeatable. / 指定表计。")
        ] = None,
        start: Annotated[
            str, typer.Option("--from", help="From this year, month, day or time. / 起始。")
        ] = "",
        end: Annotated[
            str, typer.Option("--to", help="Up to, not including. / 截止（不含）。")
        ] = "",
        zone: Annotated[
            str, typer.Option(help="A time zone for all, instead of each meter's own. / 时区。")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Sums of readings and emissions by hour, day, month or year. / 按时段汇总的排放报告。"""
        if name != "emissions":
            raise NO_SUCH_REPORT(name=name[:40])
        step = check_step(by)
        clock = zone or DEFAULT_ZONE
        bounds = [parse_time(text, clock) if text else None for text in (start, end)]
        ledger = host.folder(folder)
        store = ledger.read()
        try:
            rows = list(
                emission_report(
                    store,
                    projected_lake(ledger, store),
                    step=step,
                    meters=meter or None,
                    start_s=bounds[0],
                    end_s=bounds[1],
                    zone=zone or None,
                )
            )
        finally:
            store.close()
        if as_json:
            show_json(rows)
        else:
            _show_report(rows)


def projected_lake(ledger: LedgerFolder, store: Store) -> Lake:
    """The ledger's lake, brought up to the log's end."""
    lake = lake_for(ledger.lake, PROJECTORS, ledger_id=store.entry(0).id)
    with progress("Projecting", "整理读数") as told:
        project(StoredLog(store, ledger.machine.codec), lake, PROJECTORS, progress=told)
    return lake


def _show_report(rows: Sequence[EmissionRow]) -> None:
    if not rows:
        say("There are no readings in this period.", "该时段内没有读数。")
        return
    lang = language()
    columns = (
        ("表计", "量", "起", "止", "数量", "排放", "排放因子")
        if lang == "zh"
        else ("meter", "quantity", "start", "end", "amount", "emission", "factor")
    )
    table: list[list[Any]] = [
        [
            row.meter,
            quantity_label(row.quantity, lang),
            row.start,
            row.end,
            format_amount(row.amount, row.unit, lang),
            "" if row.emission_g is None else format_amount(row.emission_g, "g", lang),
            row.factor,
        ]
        for row in rows
    ]
    show_table(columns, table)
