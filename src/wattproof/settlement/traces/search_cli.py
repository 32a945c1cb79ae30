"""The commands of who reads trace codes: trace epochs, search, check, open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from wattproof.cli.host import Host
from wattproof.cli.ledger import which_ledger
from wattproof.cli.output import EXIT_NO, JsonFlag, language, say, show_json, show_table
from wattproof.core.errors import ErrorCode, Malformed, NotFound, WattProofError
from wattproof.core.periods import DEFAULT_ZONE, bucket_bounds, iso, parse_time
from wattproof.core.trace_codes import (
    KIND_WORDS,
    KINDS,
    TraceCode,
    TraceKind,
    parse_trace,
    trace_text,
)
from wattproof.engines.folder import LedgerFolder
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.state import Reading
from wattproof.ledger.store import Store
from wattproof.settlement.traces.model import Copy
from wattproof.settlement.traces.queries import (
    BatchFound,
    Held,
    Wanted,
    opened_epochs,
    rows_of,
    search,
    wrong_tokens,
)

__all__ = ["EpochText", "Folder", "PartyOption", "add_search", "held_by"]

NONE_HELD = ErrorCode(
    NotFound,
    "settlement.key.none_held",
    en="{party} holds no trace key on this ledger that its key opens.",
    zh="{party} 在本账本上没有其密钥可以打开的溯源码密钥。",
)
KIND_TEXT = ErrorCode(
    Malformed,
    "settlement.trace.kind",
    en="“{text}” is no kind of trace code: write supply or consumption.",
    zh="“{text}”不是溯源码类别：请写 supply（供能）或 consumption（用能）。",
)

LISTED: Final = 50
"""Codes that are shown to people; all of them are in the JSON."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's folder. / 账本目录。")]
PartyOption = Annotated[
    str, typer.Option("--as", help="The party; its key must be here. / 主体（其密钥在本地）。")
]
EpochText = Annotated[str, typer.Argument(metavar="EPOCH", help="Its id in hex. / 周期标识。")]
Zone = Annotated[str, typer.Option(help="The time zone of days. / 日期所用时区。")]


def add_search(app: typer.Typer, host: Host) -> None:
    """Hang the commands into ``trace``."""
    _add_epochs(app, host)
    _add_search(app, host)
    _add_check(app, host)
    _add_open(app, host)


def held_by(
    reading: Reading, party: str, key: SigningKey, *, ledger_id: bytes
) -> tuple[list[Held], list[tuple[Copy, WattProofError]]]:
    """The epochs that a party can open, and its copies that do not open; at least one that does."""
    held, closed = opened_epochs(reading, party, key, ledger_id=ledger_id)
    if not held:
        raise NONE_HELD(party=party)
    return held, closed


def _held(
    ledger: LedgerFolder, store: Store, party: str
) -> tuple[list[Held], list[tuple[Copy, WattProofError]]]:
    with ledger.keys() as keys:
        key = keys.get(party)
    return held_by(store, party, key, ledger_id=which_ledger(ledger, ""))


def _add_epochs(app: typer.Typer, host: Host) -> None:
    @app.command()
    def epochs(folder: Folder, party: PartyOption, as_json: JsonFlag = False) -> None:
        """The epochs whose key a party holds, and what they are for. / 列出可读的密钥周期。"""
        ledger = host.folder(folder)
        with closing(ledger.read()) as store:
            held, closed = _held(ledger, store, party)
        if as_json:
            show_json(
                {
                    "epochs": [_epoch_view(one) for one in held],
                    "closed": [{"epoch": copy.key.hex(), "code": why.code} for copy, why in closed],
                }
            )
            return
        _table(
            ("epoch", "for", "note", "opened by", "batches", "codes"),
            ("周期", "地区", "备注", "启用方", "批次", "溯源码"),
            [
                (one.epoch.key.hex(), one.region, one.note, one.epoch.opener,
                 one.epoch.batches, one.epoch.codes)
                for one in held
            ],
        )  # fmt: skip
        for copy, why in closed:
            say(f"{copy.key.hex()}: {why.text('en')}", f"{copy.key.hex()}：{why.text('zh')}")


def _add_search(app: typer.Typer, host: Host) -> None:
    @app.command(name="search")
    def search_command(
        folder: Folder,
        party: PartyOption,
        province: Annotated[
            str, typer.Option(help="CN-SH with all in it, or 310115 alone. / 省份或地区代码。")
        ] = "",
        kind: Annotated[str, typer.Option(help="supply or consumption. / 供能或用能。")] = "",
        technology: Annotated[
            str, typer.Option(help="An EECS code, T010100 or F01050100. / EECS 代码。")
        ] = "",
        day: Annotated[str, typer.Option(help="Periods that begin on this day. / 日期。")] = "",
        start: Annotated[str, typer.Option("--from", help="Or from this time. / 起。")] = "",
        end: Annotated[str, typer.Option("--to", help="And before this. / 止（不含）。")] = "",
        zone: Zone = DEFAULT_ZONE,
        as_json: JsonFlag = False,
    ) -> None:
        """Find sealed trace codes by any of their fields. / 按任意字段检索溯源码。"""
        from_s, to_s = _period(day, start, end, zone)
        wanted = Wanted(
            region=province, kind=_kind(kind), technology=technology, from_s=from_s, to_s=to_s
        ).checked()
        ledger = host.folder(folder)
        with closing(ledger.read()) as store, store.snapshot():
            held, _ = _held(ledger, store, party)
            found = list(search(store, rows_of(store), held, wanted))
        codes = [_found_view(one, code) for one in found for code in one.codes]
        unread = sum(one.unread for one in found)
        if as_json:
            show_json({"found": len(codes), "unread": unread, "codes": codes})
            return
        _show_codes([code for one in found for code in one.codes], zone)
        say(f"{len(codes)} trace codes", f"共 {len(codes)} 个溯源码")
        if unread:
            say(f"{unread} rows do not open", f"{unread} 行无法打开")


def _add_check(app: typer.Typer, host: Host) -> None:
    @app.command()
    def check(folder: Folder, party: PartyOption, as_json: JsonFlag = False) -> None:
        """Open every batch and compare its tokens with its codes. / 核对所有批次的检索标记。"""
        ledger = host.folder(folder)
        with closing(ledger.read()) as store, store.snapshot():
            held, _ = _held(ledger, store, party)
            checked = [
                {**_epoch_view(one), "wrong": wrong_tokens(store, rows_of(store), one)}
                for one in held
            ]
        wrong = sum(len(one["wrong"]) for one in checked)
        batches = sum(one["batches"] for one in checked)
        if as_json:
            show_json({"epochs": checked, "batches": batches, "wrong": wrong})
        else:
            say(
                f"{batches} batches checked; wrong: {wrong}",
                f"已核对 {batches} 批，不符 {wrong} 批",
            )
        if wrong:
            raise typer.Exit(EXIT_NO)


def _add_open(app: typer.Typer, host: Host) -> None:
    @app.command(name="open")
    def open_command(
        text: Annotated[str, typer.Argument(metavar="CODE", help="A trace code. / 溯源码。")],
        folder: Annotated[
            Path | None, typer.Option("--in", help="A ledger to find it in. / 在该账本中查找。")
        ] = None,
        party: Annotated[
            str, typer.Option("--as", help="With the keys of this party. / 以该主体的密钥。")
        ] = "importer",
        zone: Zone = DEFAULT_ZONE,
        as_json: JsonFlag = False,
    ) -> None:
        """Say what a trace code says, and where it is sealed in a ledger. / 解读溯源码。"""
        code = parse_trace(text)
        where: list[dict[str, Any]] = []
        if folder is not None:
            where = _places(host.folder(folder), party, code)
        if as_json:
            show_json({**_view(code), "sealed": where} if folder else _view(code))
        else:
            _show_codes([code], zone)
            for one in where:
                say(f"In entry {one['entry']}", f"位于第 {one['entry']} 条")
            if folder is not None and not where:
                say("It is not in this ledger.", "该账本中没有此溯源码。")
        if folder is not None and not where:
            raise typer.Exit(EXIT_NO)


def _places(ledger: LedgerFolder, party: str, code: TraceCode) -> list[dict[str, Any]]:
    """Where a code is sealed, among what a party can read."""
    wanted = Wanted(
        region=code.region,
        kind=code.kind,
        technology=code.technology,
        from_s=code.start_s,
        to_s=code.start_s + 1,
    )
    with closing(ledger.read()) as store, store.snapshot():
        held, _ = _held(ledger, store, party)
        return [
            {"epoch": one.batch.key.hex(), "batch": one.batch.number, "entry": one.batch.entry}
            for one in search(store, rows_of(store), held, wanted)
            if code in one.codes
        ]


def _period(day: str, start: str, end: str, zone: str) -> tuple[int | None, int | None]:
    from_s = parse_time(start, zone) if start else None
    to_s = parse_time(end, zone) if end else None
    if day:
        at_s = parse_time(day, zone)
        first_s, last_s = bucket_bounds(at_s, at_s, "day", zone)
        from_s = first_s if from_s is None else max(first_s, from_s)
        to_s = last_s if to_s is None else min(last_s, to_s)
    return from_s, to_s


def _kind(text: str) -> TraceKind | None:
    plain = text.strip().lower()
    for kind in KINDS:
        if plain in (kind, KIND_WORDS[kind][1], str(KINDS.index(kind) + 1)):
            return kind
    if plain:
        raise KIND_TEXT(text=text[:80])
    return None


def _epoch_view(one: Held) -> dict[str, Any]:
    return {
        "epoch": one.epoch.key.hex(),
        "region": one.region,
        "note": one.note,
        "opener": one.epoch.opener,
        "entry": one.epoch.entry,
        "batches": one.epoch.batches,
        "codes": one.epoch.codes,
    }


def _found_view(one: BatchFound, code: TraceCode) -> dict[str, Any]:
    return {**_view(code), "epoch": one.batch.key.hex(), "entry": one.batch.entry}


def _view(code: TraceCode) -> dict[str, Any]:
    return {
        "code": trace_text(code),
        "kind": code.kind,
        "region": code.region,
        "province": code.province,
        "technology": code.technology,
        "start_s": code.start_s,
        "length_s": code.length_s,
        "meter": code.meter,
        "record": code.record,
    }


def _show_codes(codes: Sequence[TraceCode], zone: str) -> None:
    _table(
        ("code", "kind", "region", "technology", "begins", "seconds", "meter", "record"),
        ("溯源码", "类别", "地区", "技术", "起始", "时长（秒）", "表计", "记录"),
        [
            (trace_text(code), KIND_WORDS[code.kind][language() == "zh"], code.region,
             code.technology, iso(code.start_s, zone), code.length_s, code.meter, code.record)
            for code in codes[:LISTED]
        ],
    )  # fmt: skip
    if len(codes) > LISTED:
        more = len(codes) - LISTED
        say(f"  and {more} more; --json lists all.", f"  另有 {more} 个，--json 列出全部。")


def _table(en: Iterable[str], zh: Iterable[str], rows: Sequence[Sequence[object]]) -> None:
    show_table(list(zh if language() == "zh" else en), rows)
