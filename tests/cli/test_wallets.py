"""wallet show, list, top-up, pay, limit, freeze, unfreeze and statement as a user calls them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Command, Ran
from tests.support.settled_region import REGION
from tests.support.street import METERS, new_street

Wallet = Callable[..., Ran]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_street(tmp_path_factory.mktemp("street") / "ledger").folder.path


@pytest.fixture
def wallet(made: Path, tmp_path: Path, command: Command) -> Wallet:
    """``wallet ACTION`` on a ledger of its own, where nothing is settled yet."""
    at = tmp_path / "ledger"
    shutil.copytree(made, at)

    def call(action: str, *arguments: object, lang: str = "en") -> Ran:
        return command("wallet", action, at, *arguments, lang=lang)

    return call


def fen(wallet: Wallet, device: str) -> int:
    """What money is in a wallet."""
    shown: dict[str, Any] = wallet("show", device, "--json").json
    return sum(one["amount"] for one in shown["balances"] if one["asset"] == "CNY")


def refused(ran: Ran, code: str) -> None:
    assert ran.code in (1, 2) and ran.out == ""
    assert ran.err.rstrip().endswith(f"[{code}]"), ran.err


def test_money_comes_in(wallet: Wallet) -> None:
    told = wallet("top-up", "poor", "1,234.5", "--as", "grid", "--memo", "rent", "--json").json
    assert (told["amount"], told["asset"], told["added"]) == (123_450, "CNY", True)
    assert fen(wallet, "poor") == 123_450
    again = wallet("top-up", "poor", "1,234.5", "--as", "grid", "--memo", "rent")
    assert again.out.startswith("1,234.50 CNY into the wallet of poor. (entry ")
    assert fen(wallet, "poor") == 246_900
    refused(wallet("top-up", "poor", "1", "--as", "works"), "identity.role.missing")
    refused(wallet("top-up", "poor", "0", "--as", "grid"), "book.amount_range")
    refused(wallet("top-up", "poor", "0.001", "--as", "grid"), "book.amount")
    refused(wallet("top-up", "poor", "much", "--as", "grid"), "book.amount")
    refused(wallet("top-up", "poor", "1", "--as", "grid", "--asset", "gold"), "book.asset.unknown")
    refused(wallet("top-up", "unheard", "1", "--as", "grid"), "identity.device.unknown")
    energy = f"energy:{REGION}"
    refused(
        wallet("top-up", "poor", "1", "--as", "grid", "--asset", energy), "settlement.not_money"
    )


def test_once_is_once(wallet: Wallet) -> None:
    invoice = ("top-up", "poor", "5", "--as", "grid", "--memo", "invoice 7", "--once")
    first, second = wallet(*invoice, "--json").json, wallet(*invoice, "--json").json
    assert (first["added"], second["added"]) == (True, False)
    assert first["entry"] == second["entry"]
    assert "nothing was added" in wallet(*invoice).out
    assert "未新增记录" in wallet(*invoice, lang="zh").out
    assert fen(wallet, "poor") == 500


def test_a_meter_and_its_owner_pay(wallet: Wallet) -> None:
    before = fen(wallet, "mill")
    by_owner = wallet("pay", "mill", "12.34", "--to-device", "roof", "--as", "works", "--json").json
    assert (by_owner["amount"], by_owner["target"]) == (1_234, "roof")
    by_meter = wallet("pay", "mill", "1", "--to", f"pool:{REGION}", "--as", "mill", lang="zh")
    assert by_meter.out.startswith(f"mill 的钱包向 pool:{REGION} 支付 1.00 元。（第 ")
    assert (fen(wallet, "mill"), fen(wallet, "roof")) == (before - 1_334, 1_234)
    shown = wallet("show", "mill", "--json").json
    assert (shown["owner_paid_fen"], shown["device_paid_fen"]) == (1_234, 100)
    lines = wallet("statement", "mill", "--json").json["lines"]
    assert [line["amount"] for line in lines] == [-100, -1_234, before]
    page = wallet("statement", "mill", "--limit", "1", "--json").json
    rest = wallet("statement", "mill", "--start", page["next"], "--json").json
    assert [*page["lines"], *rest["lines"]] == lines
    told = wallet("statement", "mill", "--limit", "1")
    assert f"--start {page['next']}" in told.out and "-1.00 CNY" in told.out

    pay = ("pay", "mill", "1", "--as", "works")
    refused(
        wallet("pay", "mill", "1", "--to-device", "roof", "--as", "house"), "settlement.not_yours"
    )
    refused(
        wallet("pay", "mill", "1", "--to-device", "roof", "--as", "roof"), "settlement.not_yours"
    )
    refused(wallet(*pay), "settlement.pay_target")
    refused(wallet(*pay, "--to-device", "mill"), "settlement.pay_target")
    refused(wallet(*pay, "--to", "x", "--to-device", "roof"), "settlement.pay_target")
    refused(wallet(*pay, "--to", "unheard"), "book.account.unknown")
    dear = wallet("pay", "poor", "0.01", "--to-device", "roof", "--as", "works")
    refused(dear, "book.overdraft")
    assert "0.01" in dear.err
    refused(wallet("statement", "mill", "--start", "0"), "book.statement.start")
    refused(wallet("statement", "mill", "--asset", "gold"), "book.asset.unknown")


def test_limits_of_a_day(wallet: Wallet) -> None:
    set_ = ("limit", "mill", "5.00", "--as", "works", "--json")
    assert wallet(*set_).json["added"]
    assert not wallet(*set_).json["added"]
    assert wallet("limit", "mill", "3", "--of", "owner", "--as", "grid", "--json").json["added"]
    shown = wallet("show", "mill", "--json").json
    assert (shown["device_limit_fen"], shown["owner_limit_fen"]) == (500, 300)
    pay = ("pay", "mill", "4", "--to-device", "roof", "--as")
    refused(wallet(*pay, "works"), "settlement.wallet_limit")
    assert wallet(*pay, "mill").code == 0
    refused(wallet(*pay, "mill"), "settlement.wallet_limit")
    assert wallet("limit", "mill", "0", "--as", "works").code == 0
    refused(wallet("pay", "mill", "0.01", "--to-device", "roof", "--as", "mill"),
            "settlement.wallet_limit")  # fmt: skip
    refused(wallet("limit", "mill", "9", "--as", "house"), "settlement.not_yours")
    refused(wallet("limit", "mill", "9", "--of", "owner", "--as", "works"), "settlement.not_yours")
    refused(wallet("limit", "mill", "9", "--of", "cat", "--as", "works"), "settlement.whose")
    refused(wallet("limit", "mill", "--as", "works", "--", "-9"), "book.amount")


def test_frozen_and_released(wallet: Wallet) -> None:
    freeze = ("freeze", "mill", "--as", "grid", "--reason", "lost", "--json")
    assert wallet(*freeze).json["added"]
    assert not wallet(*freeze).json["added"]
    told = wallet("show", "mill").out
    assert "frozen by: grid (lost)" in told
    assert "冻结方：grid（lost）" in wallet("show", "mill", lang="zh").out
    pay = ("pay", "mill", "1", "--to-device", "roof", "--as", "mill")
    refused(wallet(*pay), "settlement.wallet_frozen")
    refused(
        wallet("freeze", "mill", "--as", "operator", "--reason", "x"), "settlement.wallet_frozen"
    )
    release = ("unfreeze", "mill", "--as", "grid", "--json")
    assert wallet(*release).json["added"]
    assert not wallet(*release).json["added"]
    assert wallet(*pay).code == 0


def test_lists_of_wallets(wallet: Wallet) -> None:
    def devices(*asked: object) -> list[str]:
        return [one["device"] for one in wallet("list", *asked, "--json").json]

    assert devices() == devices("--region", REGION) == list(METERS)
    assert devices("--owner", "house") == ["kitchen", "roof"]
    assert devices("--limit", "2", "--after", "turbine") == ["mill", "poor"]
    assert devices("--region", "CN-ZJ") == []
    told = wallet("list", "--limit", "2").out
    assert "turbine" in told and "There may be more: --after mill" in told
    assert "可能还有更多：--after mill" in wallet("list", "--limit", "2", lang="zh").out
    assert wallet("list", "--region", "CN-ZJ", lang="zh").out == "没有。\n"
    refused(wallet("list", "--after", "unheard"), "identity.device.unknown")
    assert wallet("list", "--limit", "501").code == 2
    refused(wallet("show", "unheard"), "identity.device.unknown")


def test_what_waits_is_shown(wallet: Wallet) -> None:
    shown = wallet("show", "kitchen")
    assert "waits to be settled: 21 kWh (30 h)" in shown.out
    assert "待结算：21 千瓦时（30 小时）" in wallet("show", "kitchen", lang="zh").out


def test_what_others_write_is_only_text(wallet: Wallet) -> None:
    """Neither marks of a table's own language nor commands to the terminal."""
    memo = "[/x] [red] \x1b[2Jhi\x07"
    for lang in ("en", "zh"):
        wallet("top-up", "poor", "5", "--as", "grid", "--memo", memo, lang=lang)
        told = wallet("statement", "poor", lang=lang)
        assert told.code == 0 and "[/x] [red] \ufffd[2Jhi\ufffd" in told.out
    wallet("freeze", "poor", "--as", "grid", "--reason", memo)
    assert "grid ([/x] [red] \ufffd[2Jhi\ufffd)" in wallet("show", "poor").out
    assert "[/x] [red]" in wallet("show", "poor", "--json").json["frozen_why"]
    assert wallet("list").code == 0
