"""The commands of who settles a region: region define, list, show, draw; tariff publish, assign,
list."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated, Any

import typer

from wattproof.book.amounts import parse_amount
from wattproof.book.queries import asset as asset_of
from wattproof.book.queries import balance
from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, language, say, show_json
from wattproof.core.units import format_amount
from wattproof.gateway.words import plain
from wattproof.identity.queries import device as device_of
from wattproof.ledger.state import Reading
from wattproof.settlement.commands import (
    Amount,
    Folder,
    Memo,
    Once,
    PartyOption,
    RegionText,
    answer,
    aside,
    kind_text,
    money_text,
    parse_energy,
    signing,
    table,
    verdict_text,
)
from wattproof.settlement.contract_cli import add_contract
from wattproof.settlement.local_time import (
    iso_local,
    offset_text,
    parse_local_time,
    parse_offset,
)
from wattproof.settlement.model import (
    AssignTariff,
    Band,
    DefineRegion,
    DrawPool,
    Kind,
    PublishTariff,
)
from wattproof.settlement.price_text import bands_text, parse_bands
from wattproof.settlement.queries import (
    region_of,
    regions,
    tariffs_in_force,
    tariffs_of,
)
from wattproof.settlement.records import TARIFFS, USAGE, Region, Tariff
from wattproof.settlement.region_value import RegionValue, value_of
from wattproof.settlement.run_cli import add_runs
from wattproof.settlement.statement_cli import add_statement
from wattproof.settlement.wallet_cli import add_wallet

__all__ = ["add_commands"]


def add_commands(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    region = typer.Typer(no_args_is_help=True, help="Regions that are settled. / 结算地区。")
    app.add_typer(region, name="region")
    _add_define(region, host)
    _add_list(region, host)
    _add_show(region, host)
    _add_draw(region, host)
    tariff = typer.Typer(no_args_is_help=True, help="Prices of a region. / 电价。")
    app.add_typer(tariff, name="tariff")
    _add_publish(tariff, host)
    _add_assign(tariff, host)
    _add_tariffs(tariff, host)
    add_wallet(app, host)
    add_contract(app, host)
    add_runs(app, host)
    add_statement(app, host)


def _add_define(app: typer.Typer, host: Host) -> None:
    @app.command()
    def define(
        folder: Folder,
        region: RegionText,
        party: PartyOption,
        location: Annotated[
            str, typer.Option(help="Location-based factor, ID@VERSION. / 基于位置的因子。")
        ],
        residual: Annotated[str, typer.Option(help="Residual factor, ID@VERSION. / 剩余因子。")],
        supply_tariff: Annotated[
            str, typer.Option(help="By which suppliers are paid. / 购电电价。")
        ] = "supply",
        consumption_tariff: Annotated[
            str, typer.Option(help="By which consumers pay. / 售电电价。")
        ] = "consumption",
        money: Annotated[str, typer.Option(help="An asset in fen. / 结算资金。")] = "CNY",
        offset: Annotated[str, typer.Option(help="Its clock ahead of UTC. / 与 UTC 偏移。")] = (
            "+08:00"
        ),
        tolerance: Annotated[
            str, typer.Option(help="Net energy that counts as none. / 视为平衡的净电量。")
        ] = "0 Wh",
        as_json: JsonFlag = False,
    ) -> None:
        """Begin to settle a region: its money, its clock, its factors. / 设立结算地区。"""
        body = DefineRegion(
            region=region,
            money=money,
            offset_s=parse_offset(offset),
            tolerance_wh=parse_energy(tolerance),
            location_factor=location,
            residual_factor=residual,
            supply_tariff=supply_tariff,
            consumption_tariff=consumption_tariff,
        )
        with signing(host.folder(folder), party) as signer:
            receipt = signer.submit(body, once=True)
        answer(
            receipt,
            as_json=as_json,
            en=f"{party} settles {region}.",
            zh=f"{region} 由 {party} 结算。",
            region=region,
        )


def _add_list(app: typer.Typer, host: Host) -> None:
    @app.command("list")
    def list_command(folder: Folder, as_json: JsonFlag = False) -> None:
        """The regions that are settled here. / 列出结算地区。"""
        with closing(host.folder(folder).read()) as store:
            found = regions(store)
        if as_json:
            show_json([plain(one) for one in found])
            return
        table(
            ("region", "operator", "money", "clock", "tariffs", "settled up to", "runs",
             "open run", "statements"),
            ("地区", "结算方", "资金", "时钟", "电价", "已结算至", "结算次数", "进行中", "结算单"),
            [
                (one.region, one.operator, one.money, offset_text(one.offset_s),
                 f"{one.supply_tariff}, {one.consumption_tariff}", _until(one), one.runs,
                 one.open_run or "-", one.statements)
                for one in found
            ],
        )  # fmt: skip


def _add_show(app: typer.Typer, host: Host) -> None:
    @app.command()
    def show(
        folder: Folder,
        region: RegionText,
        start: Annotated[str, typer.Option("--from", help="Days from this one. / 起始日。")] = "",
        end: Annotated[str, typer.Option("--to", help="Days before this. / 截止日（不含）。")] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """What was supplied and consumed, the net value and its verdict. / 查看地区结算价值。"""
        with closing(host.folder(folder).read()) as store, store.snapshot():
            found = region_of(store, region)
            from_s = parse_local_time(start, found.offset_s) if start else None
            to_s = parse_local_time(end, found.offset_s) if end else None
            value = value_of(store, region, from_s, to_s)
            if as_json:
                show_json({"region": plain(found), "value": value})
                return
            _say_value(store, found, value)


def _add_draw(app: typer.Typer, host: Host) -> None:
    @app.command()
    def draw(
        folder: Folder,
        region: RegionText,
        amount: Amount,
        party: PartyOption,
        account: Annotated[
            str, typer.Option("--to", help="Into this account of the book. / 收款账户。")
        ],
        memo: Memo = "",
        once: Once = False,
        as_json: JsonFlag = False,
    ) -> None:
        """Draw what is left in the pool when suppliers are paid. / 提取资金池余额。"""
        with signing(host.folder(folder), party) as signer:
            money = asset_of(signer.writer.store, region_of(signer.writer.store, region).money)
            fen = parse_amount(amount, money)
            body = DrawPool(region=region, target=account, amount=fen, memo=memo)
            receipt = signer.submit(body, once=once, money=money)
        answer(
            receipt,
            as_json=as_json,
            en=f"{money_text(fen, money)} from the pool of {region} to {account}.",
            zh=f"已从 {region} 资金池向 {account} 提取 {money_text(fen, money)}。",
            region=region,
            target=account,
            amount=fen,
        )


def _say_value(reading: Reading, region: Region, value: RegionValue) -> None:
    sums, money = value.sums, asset_of(reading, region.money)
    pool_fen = balance(reading, account=region.pool, asset=region.money)
    days = "-"
    if sums.days:
        first, last = (iso_local(at, region.offset_s)[:10] for at in (sums.first_s, sums.end_s - 1))
        days = f"{first} - {last}"

    def energy(wh: int) -> str:
        return format_amount(wh, "Wh", language())

    def mass(g: int) -> str:
        return format_amount(g, "g", language())

    def pair(fen: int, paid_fen: int) -> str:
        return aside(money_text(fen, money), money_text(paid_fen, money))

    rows: list[tuple[str, str, object]] = [
        ("region", "地区", region.region),
        ("settled by", "结算方", region.operator),
        ("settled up to", "已结算至", _until(region)),
        ("days", "日期", days),
        ("supplied", "供电量", energy(sums.supplied_wh)),
        ("consumed", "用电量", energy(sums.consumed_wh)),
        ("net value", "净值", aside(energy(sums.net_wh), verdict_text(sums.verdict))),
        ("net emission", "净排放", aside(mass(value.net_emission_g), value.location_factor)),
        ("location-based emission", "基于位置的排放",
         aside(mass(value.location_based_g), value.location_factor)),
        ("market-based emission", "基于市场的排放",
         aside(mass(value.market_based_g), value.residual_factor)),
        ("first records", "第一类交易记录", sums.trades_supply),
        ("second records", "第二类交易记录", sums.trades_consumption),
        ("to suppliers (paid)", "应付供电方（已付）",
         pair(sums.supply_fen, sums.paid_supply_fen)),
        ("from consumers (paid)", "应收用电方（已收）",
         pair(sums.consumption_fen, sums.paid_consumption_fen)),
        ("in the pool", "资金池余额", money_text(pool_fen, money)),
        ("owed to suppliers", "尚欠供电方", money_text(region.owed_fen, money)),
    ]  # fmt: skip
    for en, zh, text in rows:
        say(f"{en}: {text}", f"{zh}：{text}")


def _add_publish(app: typer.Typer, host: Host) -> None:
    @app.command()
    def publish(
        folder: Folder,
        region: RegionText,
        id_: Annotated[str, typer.Argument(metavar="TARIFF", help="Its id. / 电价编号。")],
        prices: Annotated[
            list[str],
            typer.Argument(
                metavar="PRICES",
                help="CNY/kWh: 0.5, or 00:00=0.30 08:00=0.90 22:00=0.30. / 元每千瓦时。",
            ),
        ],
        party: PartyOption,
        start: Annotated[
            str, typer.Option("--from", help="For hours from here on. / 自何时起执行。")
        ] = "1970-01-02",
        as_json: JsonFlag = False,
    ) -> None:
        """Set the prices of a tariff from a time on. / 发布电价。"""
        bands = parse_bands(" ".join(prices))
        with signing(host.folder(folder), party) as signer:
            store = signer.writer.store
            from_s = parse_local_time(start, region_of(store, region).offset_s)
            there = store.get(TARIFFS, region, id_, from_s)
            receipt = None
            if there is None or there.prices_ufen != _by_hour(bands):
                body = PublishTariff(region=region, id=id_, from_s=from_s, bands=bands)
                receipt = signer.submit(body)
        text = bands_text(_by_hour(bands))
        answer(
            receipt,
            as_json=as_json,
            en=f"{id_}: {text} CNY/kWh.",
            zh=f"{id_}：{text} 元/千瓦时。",
            region=region,
            tariff=id_,
            from_s=from_s,
            prices=text,
        )


def _add_assign(app: typer.Typer, host: Host) -> None:
    @app.command()
    def assign(
        folder: Folder,
        device: Annotated[str, typer.Argument(metavar="METER", help="Its id. / 表计编号。")],
        party: PartyOption,
        tariff: Annotated[
            str, typer.Argument(metavar="[TARIFF]", help="None: the region's. / 缺省为地区电价。")
        ] = "",
        as_json: JsonFlag = False,
    ) -> None:
        """Settle a meter by a tariff of its own. / 为表计指定电价。"""
        with signing(host.folder(folder), party) as signer:
            store = signer.writer.store
            usage = store.get(USAGE, device_of(store, device).number)
            receipt = None
            if usage is None or usage.tariff != tariff:
                receipt = signer.submit(AssignTariff(device=device, tariff=tariff))
        answer(
            receipt,
            as_json=as_json,
            en=f"{device} is settled by {tariff or 'the tariff of its region'}.",
            zh=f"{device} 按{tariff or '地区电价'}结算。",
            device=device,
            tariff=tariff,
        )


def _add_tariffs(app: typer.Typer, host: Host) -> None:
    @app.command("list")
    def tariff_list(
        folder: Folder,
        region: RegionText,
        all_: Annotated[
            bool, typer.Option("--all", help="Past and coming prices too. / 含历史与未来价格。")
        ] = False,
        as_json: JsonFlag = False,
    ) -> None:
        """The tariffs of a region, in CNY/kWh. / 列出电价（元/千瓦时）。"""
        with closing(host.folder(folder).read()) as store:
            found = region_of(store, region)
            shown: Sequence[Tariff] = tariffs_of(store, region)
            if not all_:
                shown = tariffs_in_force(store, region, int(time.time()))
        if as_json:
            show_json([_tariff(one) for one in shown])
            return
        table(
            ("tariff", "for", "from", "prices, CNY/kWh"),
            ("电价", "适用", "自", "价格（元/千瓦时）"),
            [
                (one.id, _for(found, one.id), iso_local(one.from_s, found.offset_s),
                 bands_text(one.prices_ufen))
                for one in shown
            ],
        )  # fmt: skip


def _by_hour(bands: Sequence[Band]) -> tuple[int, ...]:
    """The price of each hour of the day, as the contract keeps them."""
    return tuple(
        [band.price_ufen for band in bands if band.from_s <= hour * 3600][-1] for hour in range(24)
    )


def _tariff(one: Tariff) -> dict[str, Any]:
    return {**plain(one), "prices": bands_text(one.prices_ufen)}


def _for(region: Region, tariff: str) -> str:
    defaults: tuple[tuple[Kind, str], ...] = (
        ("supply", region.supply_tariff),
        ("consumption", region.consumption_tariff),
    )
    return ", ".join(kind_text(kind) for kind, default in defaults if default == tariff)


def _until(region: Region) -> str:
    return iso_local(region.settled_s, region.offset_s) if region.settled_s else "-"
