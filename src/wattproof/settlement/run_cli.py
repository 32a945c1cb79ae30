"""The commands settle and trades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Annotated, Any, Final

import typer

from wattproof.book.model import Asset
from wattproof.book.queries import asset as asset_of
from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, language, progress, say, show_json
from wattproof.core.units import format_amount
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.words import plain
from wattproof.ledger.store import Store
from wattproof.metering.model import PacketRow
from wattproof.settlement.commands import (
    Folder,
    PartyOption,
    RegionText,
    Signer,
    kind_text,
    money_text,
    signing,
)
from wattproof.settlement.local_time import iso_local, parse_local_time
from wattproof.settlement.packet_queries import packets_behind
from wattproof.settlement.queries import region_of, run_of
from wattproof.settlement.records import Region, Run
from wattproof.settlement.runner import BATCH, settle_region
from wattproof.settlement.traces.of_meter import SealedCode, codes_of_trades
from wattproof.settlement.traces.queries import opened_epochs, rows_of
from wattproof.settlement.trade_queries import TradeView, left_out_of, trades_of
from wattproof.settlement.waiting import waits

__all__ = ["add_runs"]

NAMED: Final = 6
"""Packets of a trade that people are told; all of them are in the JSON."""


def add_runs(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    _add_settle(app, host)
    _add_trades(app, host)


def _add_settle(app: typer.Typer, host: Host) -> None:
    @app.command()
    def settle(
        folder: Folder,
        region: RegionText,
        until: Annotated[
            str, typer.Option(help="Hours that end up to this local time. / 结算至（当地时间）。")
        ],
        party: PartyOption,
        batch: Annotated[
            int, typer.Option(min=1, max=4_000, help="Meters in a batch. / 每批表计数。")
        ] = BATCH,
        as_json: JsonFlag = False,
    ) -> None:
        """Settle a region's meters; goes on with what was interrupted. / 结算地区。"""
        with signing(host.folder(folder), party) as signer:
            store = signer.writer.store
            found = region_of(store, region)
            until_s = parse_local_time(until, found.offset_s)
            runs = _settled(signer, found, until_s, batch)
            left_out = {
                one.number: left_out_of(store, region, one.number, limit=NAMED)
                for one in runs
                if one.left_out
            }
            money = asset_of(store, found.money)
        if as_json:
            show_json(
                {
                    "region": region,
                    "until_s": until_s,
                    "added": bool(runs),
                    "gone_on_with": found.open_run or None,
                    "runs": [plain(one) for one in runs],
                    "left_out": sorted({id_ for ids in left_out.values() for id_ in ids}),
                }
            )
            return
        local = iso_local(until_s, found.offset_s)
        if found.open_run:
            say(
                f"Went on with run {found.open_run}, which was not finished.",
                f"已继续此前未完成的第 {found.open_run} 次结算。",
            )
        for one in runs:
            _say_run(one, money, iso_local(one.until_s, found.offset_s))
            if one.left_out:
                _say_left_out(one.left_out, left_out[one.number])
        if not runs:
            say(
                f"Nothing of {region} up to {local} is left to settle; nothing was added.",
                f"{region} 截至 {local} 没有待结算的内容，未新增记录。",
            )


def _settled(signer: Signer, region: Region, until_s: int, batch: int) -> list[Run]:
    """The runs that were gone on with or made; none where there is nothing to settle."""
    store, id_ = signer.writer.store, region.region
    if not region.open_run and not waits(store, id_, until_s):
        return []
    with progress("Settling", "结算") as told:
        settle_region(
            store,
            signer.writer.engine,
            region=id_,
            key=signer.key,
            ledger_id=signer.writer.ledger_id,
            until_s=until_s,
            batch=batch,
            tell=lambda run, meters: told(min(run.batches * batch, meters), meters),
        )
    first = region.open_run or region.runs + 1
    return [run_of(store, id_, number) for number in range(first, region_of(store, id_).runs + 1)]


def _say_run(run: Run, money: Asset, until: str) -> None:
    supplied, consumed = (
        format_amount(wh, "Wh", language()) for wh in (run.supplied_wh, run.consumed_wh)
    )
    to_suppliers, from_consumers = (
        money_text(fen, money) for fen in (run.to_suppliers_fen, run.from_consumers_fen)
    )
    say(
        f"Run {run.number} up to {until}: bought {supplied} (trades: {run.trades_supply}, paid"
        f" {to_suppliers}), sold {consumed} (trades: {run.trades_consumption}, paid"
        f" {from_consumers}).",
        f"第 {run.number} 次结算，截至 {until}：购入 {supplied}（{run.trades_supply} 笔，已付"
        f" {to_suppliers}），售出 {consumed}（{run.trades_consumption} 笔，已收"
        f" {from_consumers}）。",
    )


def _say_left_out(count: int, meters: Sequence[str]) -> None:
    say(
        f"Left out, for their tariff has no price for an hour (meters: {count}): "
        f"{', '.join(meters)}. Publish prices for it, then settle again.",
        f"因电价缺少某小时的价格而未结算的表计共 {count} 只：{'、'.join(meters)}。"
        "请补充公布价格后再次结算。",
    )


def _add_trades(app: typer.Typer, host: Host) -> None:
    @app.command()
    def trades(
        folder: Folder,
        device: Annotated[str, typer.Argument(metavar="METER", help="Its id. / 表计编号。")],
        before: Annotated[
            str, typer.Option(help="Those before this trade, 812-3. / 从该交易之前列出。")
        ] = "",
        limit: Annotated[int, typer.Option(min=1, max=500, help="How many. / 条数。")] = 20,
        party: Annotated[
            str, typer.Option("--as", help="Look for published codes as this one. / 查阅主体。")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """A meter's trades, newest first, with packets and trace codes. / 列出表计交易。"""
        ledger = host.folder(folder)
        with closing(ledger.read()) as store, store.snapshot():
            found = trades_of(store, device, before=before or None, limit=limit)
            sealed = _sealed(ledger, store, party, found) if party else {}
            packets = {one.id: packets_behind(store, one) for one in found}
            regions = {one.region: region_of(store, one.region) for one in found}
            moneys = {id_: asset_of(store, one.money) for id_, one in regions.items()}
        if as_json:
            show_json([_trade(one, packets[one.id], sealed.get(one.id)) for one in found])
            return
        for one in found:
            _say_trade(one, regions[one.region], moneys[one.region])
            _say_packets(packets[one.id])
            _say_code(sealed.get(one.id))
        if not found:
            say(f"{device} has no trades.", f"{device} 没有交易。")
        elif not party:
            say("Trace codes are sealed: --as a holder of their key opens them.",
                "溯源码已加密：以密钥持有方身份（--as）可查看。")  # fmt: skip
        if len(found) == limit and found[-1].trade > 1:
            last = found[-1].id
            say(f"Older ones: --before {last}", f"更早的：--before {last}")


def _sealed(
    ledger: LedgerFolder, store: Store, party: str, trades: Sequence[TradeView]
) -> dict[str, SealedCode]:
    """The codes of trades that were published, as far as a party can open them."""
    with ledger.keys() as keys:
        key = keys.get(party)
    held, _ = opened_epochs(store, party, key, ledger_id=store.entry(0).id)
    return codes_of_trades(store, rows_of(store), held, trades)


def _trade(
    one: TradeView, packets: Sequence[PacketRow], sealed: SealedCode | None
) -> dict[str, Any]:
    """A trade as JSON shows it."""
    return {
        **plain(one),
        "packets": [_packet(row) for row in packets],
        "trace_code": None if sealed is None else sealed.code,
        "sealed": None if sealed is None else {"epoch": sealed.epoch, "entry": sealed.entry},
    }


def _packet(row: PacketRow) -> Mapping[str, int]:
    return {
        "sequence": row.sequence,
        "entry": row.entry,
        "start_s": row.start_s,
        "end_s": row.end_s,
    }


def _say_trade(one: TradeView, region: Region, money: Asset) -> None:
    cost, paid, due = (money_text(fen, money) for fen in (one.fen, one.paid_fen, one.due_fen))
    energy = format_amount(one.wh, "Wh", language())
    start = iso_local(one.first_s, region.offset_s)
    kind = kind_text(one.kind)
    say(
        f"{one.id}: {kind}, {start}, {one.hours} h, {energy}, {cost}; paid {paid}, due {due}"
        f" (run {one.run}, entry {one.entry})",
        f"{one.id}：{kind}，{start}，{one.hours} 小时，{energy}，{cost}；已付 {paid}，未付 {due}"
        f"（第 {one.run} 次结算，第 {one.entry} 条）",
    )


def _say_packets(packets: Sequence[PacketRow]) -> None:
    if not packets:
        return
    en = ", ".join(f"{row.sequence} (entry {row.entry})" for row in packets[:NAMED])
    zh = "、".join(f"{row.sequence}（第 {row.entry} 条）" for row in packets[:NAMED])
    more = len(packets) - NAMED
    if more > 0:
        en, zh = f"{en} and {more} more", f"{zh}，另有 {more} 个"
    say(f"  packets {en}", f"  数据包 {zh}")


def _say_code(sealed: SealedCode | None) -> None:
    if sealed is not None:
        say(
            f"  trace code {sealed.code} (sealed in entry {sealed.entry})",
            f"  溯源码 {sealed.code}（加密于第 {sealed.entry} 条）",
        )
