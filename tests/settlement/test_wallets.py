"""Wallets: who may move what is in them, and how much a day."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from tests.support.trading import REGION, START_S, Trading

from wattproof.book.model import ACCOUNTS, DefineAsset, Movement, OpenAccount, Transfer
from wattproof.core.errors import Refused
from wattproof.settlement.model import (
    FreezeWallet,
    LimitWallet,
    PayFromWallet,
    TopUpWallet,
    UnfreezeWallet,
)
from wattproof.settlement.records import (
    WALLETS,
)
from wattproof.settlement.wallets import DAY_OFFSET_S, DEVICE_FEN, OWNER_FEN, ROOM, wallet_account


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.text("en") and caught.value.text("zh")


def pay(
    amount: int, *, device: str = "m1", target: str = "", to_device: str = "m2"
) -> PayFromWallet:
    return PayFromWallet(
        device=device, target=target, to_device=to_device, asset="CNY", amount=amount, memo="x"
    )


@pytest.fixture
def trading() -> Trading:
    """Meters m1 and m2 of the works, m1 with 10 million fen."""
    trading = Trading()
    trading.meter("m1", owner="works", money=10_000_000)
    trading.meter("m2", owner="works")
    return trading


def test_the_meter_pays_by_itself_and_its_owner_within_limits(trading: Trading) -> None:
    trading.submit(pay(700), "m1")
    trading.submit(pay(300), "works")
    assert (trading.fen(1), trading.fen(2)) == (9_999_000, 1000)
    refused("settlement.not_yours", lambda: trading.submit(pay(1), "m2"))
    refused("settlement.not_yours", lambda: trading.submit(pay(1), "wind"))
    refused("settlement.not_yours", lambda: trading.submit(pay(1), "grid"))
    trading.check()


def test_limits_hold_for_a_day(trading: Trading) -> None:
    start_ms = (START_S + 400 * 86_400) * 1000
    trading.ledger.time_ms = start_ms
    refused("settlement.wallet_limit", lambda: trading.submit(pay(OWNER_FEN + 1), "works"))
    trading.submit(pay(OWNER_FEN - 5), "works")
    refused("settlement.wallet_limit", lambda: trading.submit(pay(6), "works"))
    trading.submit(pay(5), "works")
    trading.submit(pay(5), "m1")  # the meter's own limit is another
    midnight_s = start_ms // 1000 + 86_400 - (start_ms // 1000 + DAY_OFFSET_S) % 86_400
    trading.ledger.time_ms = midnight_s * 1000 - 1
    refused("settlement.wallet_limit", lambda: trading.submit(pay(1), "works"))
    trading.ledger.time_ms = midnight_s * 1000
    trading.submit(pay(1), "works")


def test_who_sets_which_limit(trading: Trading) -> None:
    device = LimitWallet(device="m1", whose="device", fen_per_day=10)
    owner = LimitWallet(device="m1", whose="owner", fen_per_day=20)
    refused("settlement.not_yours", lambda: trading.submit(device, "bank"))
    refused("settlement.not_yours", lambda: trading.submit(owner, "works"))
    trading.submit(device, "works")
    trading.submit(owner, "bank")
    refused("settlement.wallet_limit", lambda: trading.submit(pay(11), "m1"))
    refused("settlement.wallet_limit", lambda: trading.submit(pay(21), "works"))
    trading.submit(pay(10), "m1")
    trading.submit(pay(20), "works")
    assert DEVICE_FEN > OWNER_FEN


def test_a_frozen_wallet_pays_nothing_and_takes_money(trading: Trading) -> None:
    freeze = FreezeWallet(device="m1", reason="lost")
    refused("identity.role.missing", lambda: trading.submit(freeze, "works"))
    trading.submit(freeze, "bank")
    refused("settlement.wallet_frozen", lambda: trading.submit(freeze, "grid"))
    refused("settlement.wallet_frozen", lambda: trading.submit(pay(1), "m1"))
    trading.top_up("m1", 5)
    trading.submit(UnfreezeWallet(device="m1"), "grid")
    trading.submit(pay(1), "m1")
    assert trading.ledger.one(WALLETS, 1).frozen_why == ""


def test_what_is_used_is_settled_out_of_a_frozen_wallet(trading: Trading) -> None:
    trading.submit(FreezeWallet(device="m1", reason=""), "bank")
    trading.report("m1", [1_000_000], start_s=START_S)
    trading.run(START_S + 3600)
    assert trading.fen(1) == 10_000_000 - 50_000


def test_the_book_moves_nothing_out_of_a_wallet(trading: Trading) -> None:
    trading.submit(OpenAccount(id="till"), "works")
    for source in (wallet_account(1), "pool:CN-SH"):
        movement = Movement(source=source, target="till", asset="CNY", amount=1)
        for who in ("works", "m1", "grid"):
            move = Transfer(movements=(movement,))
            refused("book.account.not_owner", lambda: trading.submit(move, who))  # noqa: B023
    trading.submit(pay(9, target="till", to_device=""), "m1")
    assert trading.balance("till", "CNY") == 9


def test_top_ups_come_from_the_issuer_or_an_account_of_the_banks(trading: Trading) -> None:
    trading.submit(OpenAccount(id="vault"), "bank")
    empty = TopUpWallet(device="m1", asset="CNY", amount=5, source="vault", memo="")
    refused("book.overdraft", lambda: trading.submit(empty, "bank"))
    refused("identity.role.missing", lambda: trading.submit(empty, "works"))
    trading.submit(OpenAccount(id="till"), "works")
    theirs = TopUpWallet(device="m1", asset="CNY", amount=5, source="till", memo="")
    refused("settlement.top_up_source", lambda: trading.submit(theirs, "bank"))
    energy = DefineAsset(id="power", kind="energy", unit="Wh", decimals=0)
    trading.submit(energy, "bank")
    wrong = TopUpWallet(device="m1", asset="power", amount=5, source="", memo="")
    refused("settlement.not_money", lambda: trading.submit(wrong, "bank"))


@pytest.mark.parametrize(
    ("target", "to_device"), [("", ""), ("wallet:2", "m2"), ("", "m1"), ("wallet:1", "")]
)
def test_a_payment_has_one_other_target(trading: Trading, target: str, to_device: str) -> None:
    body = pay(1, target=target, to_device=to_device)
    refused("settlement.pay_target", lambda: trading.submit(body, "m1"))


def test_more_than_there_is_is_not_paid(trading: Trading) -> None:
    refused("book.overdraft", lambda: trading.submit(pay(1, device="m2", to_device="m1"), "m2"))
    refused("book.account.unknown", lambda: trading.submit(pay(1, target="x", to_device=""), "m1"))
    trading.check()


def test_every_confirmed_meter_has_a_wallet() -> None:
    trading = Trading()
    number = trading.meter("gas-1", owner="works")
    wallet = trading.ledger.one(WALLETS, number)
    assert (wallet.device, wallet.frozen_by) == ("gas-1", "")
    assert trading.ledger.one(ACCOUNTS, wallet_account(number)).owner == ROOM


def test_what_was_used_is_paid_before_anything_else() -> None:
    trading = Trading()
    number = trading.meter("works-1", owner="works", money=100)
    trading.report("works-1", [10_000], start_s=START_S)  # 500 fen
    trading.run(START_S + 24 * 3600)
    assert trading.usage(number).due_fen == 400
    trading.top_up("works-1", 1000)
    body = PayFromWallet(
        device="works-1", target=f"pool:{REGION}", to_device="", asset="CNY", amount=1, memo=""
    )
    for who in ("works-1", "works"):
        refused("settlement.in_arrears", partial(trading.submit, body, who))
    trading.run(START_S + 24 * 3600)
    trading.submit(body, "works-1")
