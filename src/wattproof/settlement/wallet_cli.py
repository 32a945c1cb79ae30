"""The commands of wallets: wallet show, list, top-up, pay, limit, freeze, unfreeze, statement."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Final, Literal, cast

import typer

from wattproof.book.amounts import parse_amount, parse_limit
from wattproof.book.model import ASSETS, Asset
from wattproof.book.queries import asset as asset_of
from wattproof.cli.host import Host
from wattproof.cli.output import JsonFlag, language, say, show_json
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import DEFAULT_ZONE, iso
from wattproof.core.units import format_amount
from wattproof.identity.queries import device as device_of
from wattproof.ledger.state import Reading
from wattproof.settlement.commands import (
    After,
    Amount,
    AssetOption,
    Folder,
    Limit,
    Memo,
    Once,
    PartyOption,
    answer,
    aside,
    kind_text,
    money_text,
    signing,
    table,
)
from wattproof.settlement.model import (
    FreezeWallet,
    LimitWallet,
    PayFromWallet,
    TopUpWallet,
    UnfreezeWallet,
)
from wattproof.settlement.records import WALLETS
from wattproof.settlement.wallet_queries import (
    Held,
    WalletView,
    wallet_of,
    wallet_statement,
    wallets_of,
)

__all__ = ["add_wallet"]

WHOSE = ErrorCode(
    Malformed,
    "settlement.whose",
    en="“{text}” has no limit of its own: write device (the meter's key) or owner.",
    zh="“{text}”没有限额：请写 device（表计密钥）或 owner（所有者）。",
)

YUAN: Final = Asset(id="CNY", kind="money", unit="fen", issuer="", decimals=2)
"""How limits are written, whatever the money is called."""

Device = Annotated[str, typer.Argument(metavar="METER", help="Its id. / 表计编号。")]
Zone = Annotated[str, typer.Option(help="A time zone. / 时区。")]


def add_wallet(app: typer.Typer, host: Host) -> None:
    """Hang the commands into the application."""
    wallet = typer.Typer(no_args_is_help=True, help="Wallets of meters. / 表计钱包。")
    app.add_typer(wallet, name="wallet")
    _add_show(wallet, host)
    _add_list(wallet, host)
    _add_top_up(wallet, host)
    _add_pay(wallet, host)
    _add_limit(wallet, host)
    _add_freeze(wallet, host)
    _add_statement(wallet, host)


def _add_show(app: typer.Typer, host: Host) -> None:
    @app.command()
    def show(folder: Folder, device: Device, as_json: JsonFlag = False) -> None:
        """What is in a meter's wallet, its limits, and what its meter owes. / 查看表计钱包。"""
        with closing(host.folder(folder).read()) as store, store.snapshot():
            found = wallet_of(store, device)
            if as_json:
                show_json(found)
                return
            _say_wallet(store, found)


def _say_wallet(reading: Reading, one: WalletView) -> None:
    def fen(amount: int) -> str:
        return format_amount(amount, "fen", language())

    def energy(wh: int) -> str:
        return format_amount(wh, "Wh", language())

    def limit(paid: int, most: int) -> str:
        return f"{fen(paid)} / {fen(most)}"

    rows = [
        ("wallet of", "钱包", aside(one.device, one.owner)),
        ("account", "账户", one.account),
        ("holds", "余额", _balances(reading, one.balances)),
        ("paid today by its key", "表计密钥今日支付",
         limit(one.device_paid_fen, one.device_limit_fen)),
        ("paid today by its owner", "所有者今日支付",
         limit(one.owner_paid_fen, one.owner_limit_fen)),
    ]  # fmt: skip
    if one.frozen_by:
        rows.append(("frozen by", "冻结方", aside(one.frozen_by, one.frozen_why)))
    if one.kind is not None:
        hours = f"{one.waiting_hours} {'小时' if language() == 'zh' else 'h'}"
        waiting = aside(energy(one.waiting_wh), hours)
        rows += [
            ("trades", "交易", f"{one.region}, {kind_text(one.kind)}: {one.trades}"),
            ("settled", "已结算", f"{energy(one.settled_wh)}, {fen(one.settled_fen)}"),
            ("due", "未付", fen(one.due_fen)),
            ("waits to be settled", "待结算", waiting),
        ]
    for en, zh, text in rows:
        say(f"{en}: {text}", f"{zh}：{text}")


def _add_list(app: typer.Typer, host: Host) -> None:
    @app.command("list")
    def list_command(
        folder: Folder,
        region: Annotated[str, typer.Option(help="Meters that trade there. / 地区。")] = "",
        owner: Annotated[str, typer.Option(help="Of this party's meters. / 所有者。")] = "",
        after: After = "",
        limit: Limit = 100,
        as_json: JsonFlag = False,
    ) -> None:
        """The wallets of meters, a page of them. / 列出表计钱包。"""
        with closing(host.folder(folder).read()) as store, store.snapshot():
            found = wallets_of(
                store,
                region=region or None,
                owner=owner or None,
                after=after or None,
                limit=limit,
            )
            if as_json:
                show_json(found)
                return
            rows = [
                (one.device, one.owner, kind_text(one.kind), one.region,
                 _balances(store, one.balances), format_amount(one.due_fen, "fen", language()),
                 format_amount(one.waiting_wh, "Wh", language()), one.frozen_by or "-")
                for one in found
            ]  # fmt: skip
        table(
            ("meter", "owner", "trades", "region", "holds", "due", "waits", "frozen by"),
            ("表计", "所有者", "交易", "地区", "余额", "未付", "待结算", "冻结方"),
            rows,
        )
        if len(found) == limit:
            last = found[-1].device
            say(f"There may be more: --after {last}", f"可能还有更多：--after {last}")


def _add_top_up(app: typer.Typer, host: Host) -> None:
    @app.command("top-up")
    def top_up(
        folder: Folder,
        device: Device,
        amount: Amount,
        party: PartyOption,
        asset: AssetOption = "CNY",
        source: Annotated[
            str, typer.Option(help="Out of this account; else newly issued. / 付款账户。")
        ] = "",
        memo: Memo = "",
        once: Once = False,
        as_json: JsonFlag = False,
    ) -> None:
        """Put money into a meter's wallet. / 为表计钱包充值。"""
        with signing(host.folder(folder), party) as signer:
            money = asset_of(signer.writer.store, asset)
            fen = parse_amount(amount, money)
            body = TopUpWallet(device=device, asset=asset, amount=fen, source=source, memo=memo)
            receipt = signer.submit(body, once=once, money=money)
        answer(
            receipt,
            as_json=as_json,
            en=f"{money_text(fen, money)} into the wallet of {device}.",
            zh=f"{device} 的钱包充入 {money_text(fen, money)}。",
            device=device,
            asset=asset,
            amount=fen,
        )


def _add_pay(app: typer.Typer, host: Host) -> None:
    @app.command()
    def pay(
        folder: Folder,
        device: Device,
        amount: Amount,
        party: PartyOption,
        account: Annotated[
            str, typer.Option("--to", help="Into this account of the book. / 收款账户。")
        ] = "",
        to_device: Annotated[
            str, typer.Option(help="Or into this meter's wallet. / 或收款表计。")
        ] = "",
        asset: AssetOption = "CNY",
        memo: Memo = "",
        once: Once = False,
        as_json: JsonFlag = False,
    ) -> None:
        """Pay from a meter's wallet, as the meter or its owner. / 从表计钱包付款。"""
        with signing(host.folder(folder), party) as signer:
            money = asset_of(signer.writer.store, asset)
            fen = parse_amount(amount, money)
            body = PayFromWallet(
                device=device, target=account, to_device=to_device, asset=asset, amount=fen,
                memo=memo,
            )  # fmt: skip
            receipt = signer.submit(body, once=once, money=money)
        target = to_device or account
        answer(
            receipt,
            as_json=as_json,
            en=f"{money_text(fen, money)} from the wallet of {device} to {target}.",
            zh=f"{device} 的钱包向 {target} 支付 {money_text(fen, money)}。",
            device=device,
            target=target,
            asset=asset,
            amount=fen,
        )


def _add_limit(app: typer.Typer, host: Host) -> None:
    @app.command()
    def limit(
        folder: Folder,
        device: Device,
        amount: Amount,
        party: PartyOption,
        whose: Annotated[
            str, typer.Option("--of", help="device: the meter's key; or owner. / 限额对象。")
        ] = "device",
        as_json: JsonFlag = False,
    ) -> None:
        """Limit what may be paid from a wallet in a day. / 设定每日限额。"""
        if whose not in ("device", "owner"):
            raise WHOSE(text=whose[:40])
        fen = parse_limit(amount, YUAN)
        with signing(host.folder(folder), party) as signer:
            store = signer.writer.store
            wallet = store.get(WALLETS, device_of(store, device).number)
            receipt = None
            if wallet is None or fen != (
                wallet.device_limit_fen if whose == "device" else wallet.owner_limit_fen
            ):
                body = LimitWallet(
                    device=device, whose=cast("Literal['device', 'owner']", whose), fen_per_day=fen
                )
                receipt = signer.submit(body)
        answer(
            receipt,
            as_json=as_json,
            en=f"At most {money_text(fen, YUAN)} a day from the wallet of {device} ({whose}).",
            zh=f"{device} 的钱包（{'表计密钥' if whose == 'device' else '所有者'}）"
            f"每日限额 {money_text(fen, YUAN)}。",
            device=device,
            whose=whose,
            fen_per_day=fen,
        )


def _add_freeze(app: typer.Typer, host: Host) -> None:
    @app.command()
    def freeze(
        folder: Folder,
        device: Device,
        party: PartyOption,
        reason: Annotated[str, typer.Option(help="Why. / 原因。")],
        as_json: JsonFlag = False,
    ) -> None:
        """Let nothing be paid from a wallet; usage is still settled. / 冻结钱包。"""
        with signing(host.folder(folder), party) as signer:
            store = signer.writer.store
            wallet = store.get(WALLETS, device_of(store, device).number)
            receipt = None
            if wallet is None or wallet.frozen_by != party:
                receipt = signer.submit(FreezeWallet(device=device, reason=reason))
        answer(
            receipt,
            as_json=as_json,
            en=f"The wallet of {device} is frozen.",
            zh=f"{device} 的钱包已冻结。",
            device=device,
        )

    @app.command()
    def unfreeze(
        folder: Folder, device: Device, party: PartyOption, as_json: JsonFlag = False
    ) -> None:
        """Let payments go again. / 解冻钱包。"""
        with signing(host.folder(folder), party) as signer:
            store = signer.writer.store
            wallet = store.get(WALLETS, device_of(store, device).number)
            receipt = None
            if wallet is None or wallet.frozen_by:
                receipt = signer.submit(UnfreezeWallet(device=device))
        answer(
            receipt,
            as_json=as_json,
            en=f"Payments go from the wallet of {device}.",
            zh=f"{device} 的钱包可以付款。",
            device=device,
        )


def _add_statement(app: typer.Typer, host: Host) -> None:
    @app.command()
    def statement(
        folder: Folder,
        device: Device,
        asset: AssetOption = "CNY",
        start: Annotated[
            int | None, typer.Option(help="Go on from this log entry. / 从该条目继续。")
        ] = None,
        limit: Limit = 50,
        zone: Zone = DEFAULT_ZONE,
        as_json: JsonFlag = False,
    ) -> None:
        """What went into a wallet and out of it, newest first. / 钱包收支明细。"""
        with closing(host.folder(folder).read()) as store, store.snapshot():
            money = asset_of(store, asset)
            found = wallet_statement(store, device, asset=asset, start=start, limit=limit)
        if as_json:
            show_json(found)
            return
        table(
            ("time", "entry", "amount", "with", "memo"),
            ("时间", "条目", "金额", "对方", "备注"),
            [
                (iso(line.time_s, zone), line.entry, money_text(line.amount, money),
                 ", ".join(line.others), line.memo)
                for line in found.lines
            ],
        )  # fmt: skip
        if found.next is not None:
            say(f"Older ones: --start {found.next}", f"更早的：--start {found.next}")


def _balances(reading: Reading, held: tuple[Held, ...]) -> str:
    """What a wallet holds, each asset in its unit."""
    texts = []
    for one in held:
        asset = reading.get(ASSETS, one.asset)
        texts.append(
            f"{one.amount} {one.asset}" if asset is None else money_text(one.amount, asset)
        )
    return ", ".join(texts) or "-"
