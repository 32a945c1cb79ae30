"""The commands of wiring: port, bind, unbind, bindings, lines, interrupts, nodes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import typer

from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, language, say, show_json, show_table
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import DEFAULT_ZONE, iso
from wattproof.core.units import format_amount, quantity_label
from wattproof.emissions.tracking.forms import parse_lines
from wattproof.emissions.tracking.model import (
    BINDINGS,
    PORTS,
    THRESHOLDS,
    BindingKind,
    DefineBinding,
    DefinePort,
    DefineThreshold,
    Measure,
    RemoveBinding,
    RemovePort,
    RemoveThreshold,
)
from wattproof.emissions.tracking.queries import (
    binding_of,
    interrupts_of,
    measured_quantity,
    node_health,
    nodes_of_host,
)
from wattproof.emissions.tracking.syntax import binding_text, parse_binding
from wattproof.emissions.tracking.words import unit_of
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.transaction import Body, sign_transaction

__all__ = ["Folder", "HostOption", "add_commands", "sign_and_submit"]

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]
HostOption = Annotated[
    str, typer.Option("--host", help="Whose wiring; its key signs. / 主机（接线所属主体）。")
]
AllHosts = Annotated[str, typer.Option("--host", help="Of this host only. / 仅限该主机。")]
Number = Annotated[int, typer.Argument(metavar="PORT", help="The port's number. / 端口号。")]
Group = Annotated[int, typer.Argument(metavar="GROUP", help="The group's number. / 组号。")]

WINDOW = ErrorCode(
    Malformed,
    "emissions.window_text",
    en="“{text}” is not a window: write 15min, 1h or 1d.",
    zh="“{text}”不是窗口长度：请写成 15min、1h 或 1d。",
)
KIND = ErrorCode(
    Malformed,
    "emissions.binding_kind",
    en="“{text}” is neither {first} nor {second}.",
    zh="“{text}”不是可用取值：{first} 或 {second}。",
)

_WINDOW: Final = re.compile(r"(\d{1,7})\s*(s|min|m|h|d)?", re.ASCII)
_SECONDS: Final = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    ports = typer.Typer(no_args_is_help=True, help="Numbered ports of a host. / 主机端口。")
    app.add_typer(ports, name="port")
    _add_port(ports, host)
    _add_port_list(ports, host)
    _add_bind(app, host)
    _add_bindings(app, host)
    _add_lines(app, host)
    _add_interrupts(app, host)
    _add_nodes(app, host)


def sign_and_submit(ledger: LedgerFolder, body: Body, party: str) -> dict[str, Any]:
    """Sign as a party whose key is in the folder, submit, and give the receipt as JSON shows it."""
    with ledger.write(workers=0) as writer, ledger.keys() as keys:
        raw = sign_transaction(body, keys.get(party), ledger_id=writer.ledger_id)
        return dict(writer.engine.submit(raw).view())


def _done(receipt: dict[str, Any], as_json: bool, en: str, zh: str) -> None:
    if as_json:
        show_json(receipt)
    else:
        index = receipt["index"]
        say(f"{en} (entry {index})", f"{zh}（第 {index} 条）")


def _add_port(app: typer.Typer, host: Host) -> None:
    @app.command("add")
    def port_add(
        folder: Folder,
        number: Number,
        device: Annotated[str, typer.Argument(metavar="DEVICE", help="The node. / 节点编号。")],
        party: HostOption = "importer",
        transport: Annotated[
            str, typer.Option(help="mqtt, http, tcp, file ... / 传输方式。")
        ] = "http",
        plant: Annotated[str, typer.Option(help="Where it belongs. / 工厂。")] = "",
        process: Annotated[str, typer.Option(help="What it is part of. / 工序。")] = "",
        person: Annotated[str, typer.Option(help="Whose it is, a party's id. / 人员编号。")] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Give a node the number of a port. / 为节点分配端口号。"""
        body = DefinePort(
            number=number,
            device=device,
            transport=transport,
            plant=plant,
            process=process,
            person=person,
        )
        receipt = sign_and_submit(host.folder(folder), body, party)
        _done(receipt, as_json, f"Port {number} is {device}.", f"端口 {number} 为 {device}。")

    @app.command("remove")
    def port_remove(
        folder: Folder, number: Number, party: HostOption = "importer", as_json: JsonFlag = False
    ) -> None:
        """Free the number of a port that is not bound. / 释放未绑定的端口号。"""
        receipt = sign_and_submit(host.folder(folder), RemovePort(number=number), party)
        _done(receipt, as_json, f"Port {number} is free.", f"端口 {number} 已释放。")


def _add_port_list(app: typer.Typer, host: Host) -> None:
    @app.command("list")
    def port_list(folder: Folder, party: AllHosts = "", as_json: JsonFlag = False) -> None:
        """The ports of a host, or of all. / 列出端口。"""
        with closing(host.folder(folder).read()) as store:
            found = list(store.scan(PORTS, party) if party else store.scan(PORTS))
        if as_json:
            show_json([_plain(port) for port in found])
            return
        _table(
            ("host", "port", "node", "measures", "transport", "plant", "process", "person"),
            ("主机", "端口", "节点", "计量", "传输", "工厂", "工序", "人员"),
            [
                (
                    port.host,
                    port.number,
                    port.device,
                    quantity_label(port.quantity, language()),
                    port.transport,
                    port.plant,
                    port.process,
                    port.person,
                )
                for port in found
            ],
        )


def _add_bind(app: typer.Typer, host: Host) -> None:
    @app.command()
    def bind(
        folder: Folder,
        text: Annotated[
            str, typer.Argument(metavar="GROUP-LEFT-RIGHT", help="1-3/4-7. / 组号-左侧-右侧。")
        ],
        kind: Annotated[
            str, typer.Option("--as", help="predicted (to measured) or total. / 预测或总分。")
        ],
        measure: Annotated[
            str, typer.Option(help="amount or emission. / 比对数量或排放。")
        ] = "amount",
        party: HostOption = "importer",
        as_json: JsonFlag = False,
    ) -> None:
        """Bind ports: predicted to measured, or a total to its parts. / 绑定端口。"""
        group, left, right = parse_binding(text)
        body = DefineBinding(
            group=group,
            kind=cast("BindingKind", _one_of(kind, "predicted", "total")),
            measure=cast("Measure", _one_of(measure, "amount", "emission")),
            left=left,
            right=right,
        )
        receipt = sign_and_submit(host.folder(folder), body, party)
        plain = binding_text(group, left, right)
        _done(receipt, as_json, f"Bound: {plain}.", f"已绑定：{plain}。")

    @app.command()
    def unbind(
        folder: Folder, group: Group, party: HostOption = "importer", as_json: JsonFlag = False
    ) -> None:
        """Release a binding, and its lines with it. / 解除绑定。"""
        receipt = sign_and_submit(host.folder(folder), RemoveBinding(group=group), party)
        _done(receipt, as_json, f"Group {group} is released.", f"第 {group} 组已解除绑定。")


def _add_bindings(app: typer.Typer, host: Host) -> None:
    @app.command()
    def bindings(folder: Folder, party: AllHosts = "", as_json: JsonFlag = False) -> None:
        """The bindings of a host, or of all, with their lines. / 列出绑定及其阈值。"""
        with closing(host.folder(folder).read()) as store:
            found = [
                {
                    **_plain(one),
                    "text": binding_text(one.group, one.left, one.right),
                    "unit": unit_of(store, one),
                    "sets": [_plain(set_) for set_ in store.scan(THRESHOLDS, one.host, one.group)],
                }
                for one in (store.scan(BINDINGS, party) if party else store.scan(BINDINGS))
            ]
        if as_json:
            show_json(found)
            return
        _table(
            ("host", "binding", "compares", "by", "unit", "sets of lines"),
            ("主机", "绑定", "类型", "口径", "单位", "阈值套数"),
            [
                (one["host"], one["text"], one["kind"], one["measure"], one["unit"],
                 len(one["sets"]))
                for one in found
            ],
        )  # fmt: skip


def _add_lines(app: typer.Typer, host: Host) -> None:
    @app.command()
    def lines(
        folder: Folder,
        group: Group,
        line: Annotated[
            list[str] | None,
            typer.Option(help="500Wh, 20 kWh, 5 % ...; repeatable. / 阈值，可多次。"),
        ] = None,
        set_: Annotated[int, typer.Option("--set", help="Number of the set. / 套号。")] = 1,
        window: Annotated[str, typer.Option(help="15min, 1h, 1d. / 窗口长度。")] = "1h",
        offset: Annotated[str, typer.Option(help="Windows begin so late. / 窗口偏移。")] = "0",
        remove: Annotated[bool, typer.Option("--remove", help="Remove it. / 删除该套。")] = False,
        party: HostOption = "importer",
        as_json: JsonFlag = False,
    ) -> None:
        """Set the lines that a binding's error may not cross. / 设置误差阈值。"""
        ledger = host.folder(folder)
        if remove:
            receipt = sign_and_submit(ledger, RemoveThreshold(group=group, set=set_), party)
            _done(receipt, as_json, f"Set {set_} is gone.", f"第 {set_} 套阈值已删除。")
            return
        with closing(ledger.read()) as store:
            quantity = measured_quantity(store, binding_of(store, party, group))
        body = DefineThreshold(
            group=group,
            set=set_,
            step_s=_seconds(window),
            offset_s=_seconds(offset),
            lines=parse_lines("; ".join(line or ()), quantity=quantity),
        )
        receipt = sign_and_submit(ledger, body, party)
        count = len(body.lines)
        _done(
            receipt,
            as_json,
            f"Group {group} is watched by {count} lines.",
            f"第 {group} 组已设置 {count} 条阈值。",
        )


def _add_interrupts(app: typer.Typer, host: Host) -> None:
    @app.command()
    def interrupts(
        folder: Folder,
        party: AllHosts = "",
        open_only: Annotated[
            bool, typer.Option("--open", help="Only those that last. / 仅未恢复的。")
        ] = False,
        zone: Annotated[str, typer.Option(help="A time zone. / 时区。")] = DEFAULT_ZONE,
        as_json: JsonFlag = False,
    ) -> None:
        """Where an error crossed a line, and when it came back. / 列出误差中断。"""
        with closing(host.folder(folder).read()) as store:
            found = [
                (one, store.get(BINDINGS, one.host, one.group))
                for one in interrupts_of(store, party or None)
                if one.over_entry < 0 or not open_only
            ]
            units = ["" if bound is None else unit_of(store, bound) for _, bound in found]
        if as_json:
            show_json([{**_plain(one), "open": one.over_entry < 0} for one, _ in found])
            return
        lang = language()
        _table(
            ("host", "number", "group", "set", "line", "window", "left", "right", "over"),
            ("主机", "编号", "组", "套", "线", "窗口", "左侧", "右侧", "恢复"),
            [
                (one.host, one.number, one.group, one.set, one.line, iso(one.start_s, zone),
                 format_amount(one.left, unit, lang), format_amount(one.right, unit, lang),
                 iso(one.over_s, zone) if one.over_entry >= 0 else "-")
                for (one, _), unit in zip(found, units, strict=True)
            ],
        )  # fmt: skip


def _add_nodes(app: typer.Typer, host: Host) -> None:
    @app.command()
    def nodes(
        folder: Folder,
        party: AllHosts = "",
        zone: Annotated[str, typer.Option(help="A time zone. / 时区。")] = DEFAULT_ZONE,
        as_json: JsonFlag = False,
    ) -> None:
        """How the nodes at the ports are: last packet, factor, wrong packets. / 节点状况。"""
        now_s = int(time.time())
        with closing(host.folder(folder).read()) as store:
            found = [
                node_health(store, device, ports, now_s=now_s)
                for device, ports in nodes_of_host(store, party or None)
            ]
        if as_json:
            show_json(found)
            return
        lang = language()
        _table(
            ("node", "ports", "status", "packets", "reported to", "factor, ug", "emitted", "wrong"),
            ("节点", "端口", "状态", "数据包", "已报至", "因子（微克）", "已排放", "错误"),
            [
                (one.device, "/".join(map(str, one.ports)), one.status, one.packets,
                 "" if one.end_s is None else iso(one.end_s, zone), one.value_ug,
                 format_amount(one.emission_g, "g", lang), one.wrong)
                for one in found
            ],
        )  # fmt: skip


def _plain(record: Any) -> dict[str, Any]:
    """All fields of a record, those at their defaults too."""
    return {name: getattr(record, name) for name in record.__struct_fields__}


def _table(en: Sequence[str], zh: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    found = list(rows)
    if found:
        show_table(zh if language() == "zh" else en, found)
    else:
        say("There are none.", "没有。")


def _one_of(text: str, first: str, second: str) -> str:
    if text not in (first, second):
        raise KIND(text=text[:40], first=first, second=second)
    return text


def _seconds(text: str) -> int:
    """A length of time as people type it: ``15min``, ``1h``."""
    found = _WINDOW.fullmatch(text.strip().lower())
    if found is None:
        raise WINDOW(text=text[:40])
    return int(found[1]) * _SECONDS[cast("Literal['s', 'min', 'm', 'h', 'd'] | None", found[2])]
