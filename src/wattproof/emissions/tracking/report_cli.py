"""The commands of reports: errors, stages, rollup, forecast."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from wattproof.analytics.lake import Lake
from wattproof.cli.host import Host
from wattproof.cli.output import EXIT_NO, JsonFlag, language, say, show_json, show_table
from wattproof.core.periods import DEFAULT_ZONE, check_step, iso, parse_time
from wattproof.core.units import format_amount
from wattproof.emissions.cli import projected_lake
from wattproof.emissions.intake import Importer, ImportSummary, plan_import, run_import
from wattproof.emissions.tracking.cli import Folder, HostOption, sign_and_submit
from wattproof.emissions.tracking.error_report import ErrorReport, error_report, report_bytes
from wattproof.emissions.tracking.error_view import csv_lines
from wattproof.emissions.tracking.filing import Remade, filing_of, made_again
from wattproof.emissions.tracking.forecast import Forecast, forecast, forecast_readings
from wattproof.emissions.tracking.forecast_methods import check_method
from wattproof.emissions.tracking.percent import percent_text
from wattproof.emissions.tracking.queries import filed_report
from wattproof.emissions.tracking.rollup import Rollup, check_rollup, rollup
from wattproof.emissions.tracking.stages import StageReport, stage_report
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.store import Store

__all__ = ["add_commands"]

By = Annotated[str, typer.Option(help="hour, day, month or year. / 时、日、月、年。")]
From = Annotated[str, typer.Option("--from", help="From this year, month, day or time. / 起始。")]
To = Annotated[str, typer.Option("--to", help="Up to, not including. / 截止（不含）。")]
Zone = Annotated[str, typer.Option(help="Whose hours and days. / 时区。")]

T = TypeVar("T")


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    _add_errors(app, host)
    _add_stages(app, host)
    _add_rollup(app, host)
    _add_forecast(app, host)


def _add_errors(app: typer.Typer, host: Host) -> None:
    @app.command()
    def errors(
        folder: Folder,
        group: Annotated[
            int, typer.Argument(metavar="GROUP", help="The binding; 0 with --check. / 组号。")
        ] = 0,
        by: By = "day",
        set_: Annotated[
            int, typer.Option("--set", help="Only rows that reach a line of it. / 阈值套号。")
        ] = 0,
        start: From = "",
        end: To = "",
        zone: Zone = DEFAULT_ZONE,
        party: HostOption = "importer",
        as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV. / 输出 CSV。")] = False,
        as_bytes: Annotated[
            bool, typer.Option("--bytes", help="Print what is filed. / 输出入账的原始字节。")
        ] = False,
        file: Annotated[
            bool, typer.Option("--file", help="Sign it onto the ledger. / 将报告签名入账。")
        ] = False,
        check: Annotated[
            int, typer.Option("--check", help="Make a filed report again. / 重做并核对报告。")
        ] = 0,
        as_json: JsonFlag = False,
    ) -> None:
        """Predicted against measured, or a total against its parts. / 误差报告。"""
        ledger = host.folder(folder)
        if check:
            _check(ledger, party, check, as_json=as_json)
            return
        from_s, to_s = _instant(start, zone), _instant(end, zone)
        report = _read(
            ledger,
            lambda store, lake: error_report(
                store,
                lake,
                host=party,
                group=group,
                step=check_step(by),
                zone=zone,
                from_s=from_s,
                to_s=to_s,
                set_=set_,
            ),
        )
        receipt = sign_and_submit(ledger, filing_of(report), party) if file else None
        if as_bytes:
            sys.stdout.buffer.write(report_bytes(report))
        elif as_csv:
            sys.stdout.writelines(csv_lines(report))
        elif as_json:
            show_json({**msgspec.structs.asdict(report), "digest": _digest(report),
                       "filed": receipt})  # fmt: skip
        else:
            _show_errors(report)
            _say_filed(receipt)


def _check(ledger: LedgerFolder, party: str, number: int, *, as_json: bool) -> None:
    """Make a filed report again; exit 1 where it does not come out the same."""

    def work(store: Store, lake: Lake) -> tuple[Remade, str]:
        filed = filed_report(store, party, number)
        return made_again(store, lake, filed), filed.digest.hex()

    made, filed = _read(ledger, work)
    same, digest = made.same, made.digest.hex()
    if as_json:
        show_json({"host": party, "report": number, "same": same, "filed": filed,
                   "digest": digest})  # fmt: skip
    elif same:
        say(
            f"Report {number} of {party} comes out the same: {filed}",
            f"{party} 的第 {number} 号报告重做结果一致：{filed}",
        )
    else:
        say(
            f"Report {number} of {party} was filed as {filed}, but comes out as {digest}.",
            f"{party} 的第 {number} 号报告入账摘要为 {filed}，重做结果为 {digest}。",
        )
    if not same:
        raise typer.Exit(EXIT_NO)


def _show_errors(report: ErrorReport) -> None:
    lang, unit = language(), report.unit
    start, end = (iso(at_s, report.zone) for at_s in (report.from_s, report.to_s))
    say(
        f"{report.text} of {report.host}, {report.kind} by {report.measure}, from {start} to "
        f"{end}; {len(report.rows)} of {report.buckets} rows, {report.entries} log entries.",
        f"{report.host} 的 {report.text}，{start} 至 {end}；"
        f"共 {report.buckets} 行，列出 {len(report.rows)} 行，依据 {report.entries} 条日志。",
    )
    columns = (
        ("起", "左侧", "右侧", "误差", "百分比", "误差排放", "线", "缺端口")
        if lang == "zh"
        else ("start", "left", "right", "error", "percent", "error g", "line", "ports missing")
    )
    rows = [
        (
            label,
            format_amount(row.left, unit, lang),
            format_amount(row.right, unit, lang),
            format_amount(row.error, unit, lang),
            percent_text(row.percent),
            "" if row.error_g is None else format_amount(row.error_g, "g", lang),
            row.line,
            row.missing,
        )
        for label, row in [
            *((iso(row.start_s, report.zone), row) for row in report.rows),
            ("合计" if lang == "zh" else "in all", report.total),
        ]
    ]
    show_table(columns, rows)


def _say_filed(receipt: dict[str, Any] | None) -> None:
    if receipt is not None:
        number = next(event["report"] for event in receipt["events"] if "report" in event)
        say(f"Filed as report {number}.", f"已作为第 {number} 号报告入账。")


def _add_stages(app: typer.Typer, host: Host) -> None:
    @app.command()
    def stages(
        folder: Folder,
        meter: Annotated[str, typer.Argument(metavar="METER", help="The node. / 节点编号。")],
        by: By = "month",
        start: From = "",
        end: To = "",
        zone: Annotated[
            str, typer.Option(help="Instead of the node's own. / 时区，默认为节点所在时区。")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Each stage against the one before and the mean of twelve. / 阶段误差报告。"""
        clock = zone or DEFAULT_ZONE
        report = _read(
            host.folder(folder),
            lambda store, lake: stage_report(
                store,
                lake,
                meter=meter,
                step=check_step(by),
                zone=zone or None,
                from_s=_instant(start, clock),
                to_s=_instant(end, clock),
            ),
        )
        if as_json:
            show_json(report)
        else:
            _show_stages(report)


def _show_stages(report: StageReport) -> None:
    lang, unit = language(), report.unit

    def amount(value: int | None) -> str:
        return "n/a" if value is None else format_amount(value, unit, lang)

    columns = (
        ("起", "数量", "排放", "上一阶段", "变化", "百分比", "十二阶段均值", "差", "百分比", "不全")
        if lang == "zh"
        else ("start", "amount", "emission", "stage before", "change", "percent", "mean of 12",
              "against it", "percent", "in part")
    )  # fmt: skip
    rows = [
        (
            iso(row.start_s, report.zone),
            amount(row.amount),
            "" if row.emission_g is None else format_amount(row.emission_g, "g", lang),
            amount(row.previous),
            amount(row.change),
            percent_text(row.change_percent),
            amount(row.mean),
            amount(row.against_mean),
            percent_text(row.against_mean_percent),
            "*" if row.part else "",
        )
        for row in report.rows
    ]
    show_table(columns, rows)


def _add_rollup(app: typer.Typer, host: Host) -> None:
    @app.command(name="rollup")
    def rollup_command(
        folder: Folder,
        by: Annotated[
            str, typer.Option(help="person, process, plant or region. / 人员、工序、工厂、地区。")
        ] = "plant",
        step: Annotated[
            str, typer.Option(help="hour, day, month or year. / 时、日、月、年。")
        ] = "month",
        start: From = "",
        end: To = "",
        zone: Zone = DEFAULT_ZONE,
        party: Annotated[
            str, typer.Option("--host", help="Of this host's ports only. / 仅限该主机。")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Emissions added up, each node once, predictions never. / 排放汇总。"""
        found = _read(
            host.folder(folder),
            lambda store, lake: rollup(
                store,
                lake,
                by=check_rollup(by),
                step=check_step(step),
                zone=zone,
                host=party or None,
                from_s=_instant(start, zone),
                to_s=_instant(end, zone),
            ),
        )
        if as_json:
            show_json(found)
        else:
            _show_rollup(found)


def _show_rollup(found: Rollup) -> None:
    lang = language()
    columns = ("标签", "起", "排放") if lang == "zh" else ("label", "start", "emission")
    rows = [
        (
            row.label or "-",
            iso(row.start_s, found.zone),
            "n/a" if row.emission_g is None else format_amount(row.emission_g, "g", lang),
        )
        for row in found.rows
    ]
    show_table(columns, rows)
    total = format_amount(found.total_g, "g", lang)
    say(f"In all {total}.", f"合计 {total}。")
    if found.left_out:
        names = ", ".join(found.left_out[:20])
        say(
            f"Not counted beside a total or its parts: {names}",
            f"因总分关系不重复计入：{names}",
        )


def _add_forecast(app: typer.Typer, host: Host) -> None:
    @app.command(name="forecast")
    def forecast_command(
        folder: Folder,
        meter: Annotated[str, typer.Argument(metavar="METER", help="The node. / 节点编号。")],
        forecaster: Annotated[
            str, typer.Option("--as", help="The device that says it. / 预测设备编号。")
        ],
        steps: Annotated[int, typer.Option("--for", help="So many intervals ahead. / 预测步数。")],
        method: Annotated[str, typer.Option(help="naive or level. / 方法。")] = "level",
        factor: Annotated[
            str, typer.Option(help="A factor for the forecaster. / 预测设备的排放因子。")
        ] = "",
        party: Annotated[
            str, typer.Option(help="Whose device it is, and its key. / 所属机构及其密钥。")
        ] = "importer",
        as_json: JsonFlag = False,
    ) -> None:
        """Forecast a meter from its history, as signed packets. / 由历史读数作出预测。"""
        ledger, way = host.folder(folder), check_method(method)
        made = _read(
            ledger,
            lambda store, lake: forecast(store, lake, meter=meter, steps=steps, method=way),
        )
        with ledger.write() as writer, ledger.keys() as keys:
            readings = forecast_readings(
                writer.store, made, forecaster=forecaster, factor=factor or None
            )
            plan = plan_import(
                writer.store,
                readings,
                keys=keys,
                importer=Importer(party=party, key=keys.get(party), ledger_id=writer.ledger_id),
                now_s=int(time.time()),
            )
            run_import(plan, writer.engine)
        summary = ImportSummary(meters=plan.meters, packets=plan.packets, seconds=0)
        if as_json:
            show_json({**msgspec.structs.asdict(made), "forecaster": forecaster,
                       "added": sum(one.added for one in summary.meters),
                       "packets": summary.packets})  # fmt: skip
        else:
            _say_forecast(made, forecaster, sum(one.added for one in summary.meters))


def _say_forecast(made: Forecast, forecaster: str, added: int) -> None:
    lang = language()
    total = format_amount(sum(made.amounts), made.unit, lang)
    say(
        f"{forecaster}: {len(made.amounts)} intervals of {made.meter} by {made.method}, {total} "
        f"in all; added: {added}.",
        f"{forecaster}：按 {made.method} 预测 {made.meter} 的 {len(made.amounts)} 个时段，"
        f"合计 {total}；新增 {added} 个。",
    )
    for one in made.backtests:
        mae = "n/a" if one.mae is None else format_amount(one.mae, made.unit, lang)
        say(
            f"  {one.method}: mean error {mae} an interval, {percent_text(one.wape)} of what came,"
            f" from {one.origins} earlier moments",
            f"  {one.method}：每时段平均误差 {mae}，加权百分比误差 {percent_text(one.wape)}，"
            f"回测起点 {one.origins} 个",
        )


def _read(ledger: LedgerFolder, work: Callable[[Store, Lake], T]) -> T:
    """What `work` makes of the ledger and its lake, brought up to the log's end."""
    with closing(ledger.read()) as store:
        return work(store, projected_lake(ledger, store))


def _instant(text: str, zone: str) -> int | None:
    return parse_time(text, zone) if text else None


def _digest(report: ErrorReport) -> str:
    return sha256(report_bytes(report)).hexdigest()
