"""Who may define, open, issue, transfer and retire, and each refusal by its code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.people import EVIDENCE, active_meter, enrolled_meter, new_ledger, organisation
from tests.support.refusals import refused, submit_refused

from wattproof.book import model, queries
from wattproof.book.contract import CONTRACT
from wattproof.book.model import (
    KINDS,
    DefineAsset,
    Issue,
    Movement,
    OpenAccount,
    OverdraftSet,
    Posted,
    Retire,
    SetOverdraft,
    Transfer,
)
from wattproof.identity.model import AuthenticateDevice, ConfirmDevice, EnrolDevice
from wattproof.keys.ed25519 import SigningKey

BUNDLE = "bundle-2024-05"


def define(id_: str = BUNDLE, kind: str = "certificate", unit: str = "Wh") -> DefineAsset:
    return DefineAsset(id=id_, kind=kind, unit=unit, decimals=3)


def issue(amount: int, account: str = "owner-1", asset: str = BUNDLE) -> Issue:
    return Issue(asset=asset, account=account, amount=amount)


def move(amount: int, source: str, target: str, asset: str = BUNDLE) -> Movement:
    return Movement(source=source, target=target, asset=asset, amount=amount)


def transfer(amount: int, source: str = "owner-1", target: str = "buyer-1") -> Transfer:
    return Transfer(movements=(move(amount, source, target),))


@pytest.fixture
def ledger() -> MemoryLedger:
    """An issuer's asset, of which the owner holds 1,000 Wh; a buyer with an empty account."""
    ledger = new_ledger(CONTRACT)
    organisation(ledger, "issuer", "issuer")
    organisation(ledger, "buyer")
    ledger.submit(define(), key_of("issuer"))
    ledger.submit(OpenAccount(id="owner-1"), key_of("owner"))
    ledger.submit(OpenAccount(id="buyer-1"), key_of("buyer"))
    ledger.submit(issue(1000), key_of("issuer"))
    return ledger


def held(ledger: MemoryLedger, account: str, asset: str = BUNDLE) -> int:
    return queries.balance(ledger.state, account=account, asset=asset)


def test_assets_are_defined_by_their_issuer(ledger: MemoryLedger) -> None:
    ledger.submit(define("cny", "money", "fen"), key_of("registrar"))
    assert queries.asset(ledger.state, "cny").issuer == "registrar"
    assert [row.id for row in queries.assets(ledger.state)] == [BUNDLE, "cny"]
    assert [row.id for row in queries.assets_of_issuer(ledger.state, "issuer")] == [BUNDLE]
    assert queries.asset(ledger.state, BUNDLE).decimals == 3
    refused("book.asset.unknown", lambda: queries.asset(ledger.state, "gold"))
    for code, body in (
        ("book.asset.taken", define()),
        ("book.asset.kind", define("x", kind="gold")),
        ("book.asset.unit", define("x", kind="money", unit="Wh")),
        ("book.name_reserved", define("cert:1")),
        ("core.id", define("no blanks")),
    ):
        submit_refused(ledger, code, body, "issuer")
    submit_refused(ledger, "identity.role.missing", define("x"), "owner")


def test_accounts_are_opened_by_their_owner(ledger: MemoryLedger) -> None:
    account = queries.account(ledger.state, "owner-1")
    assert (account.owner_kind, account.owner) == ("party", "owner")
    refused("book.account.unknown", lambda: queries.account(ledger.state, "owner-2"))
    for code, body in (
        ("book.account.taken", OpenAccount(id="buyer-1")),
        ("book.name_reserved", OpenAccount(id=f"issue:{BUNDLE}")),
        ("book.name_reserved", OpenAccount(id=f"retired:{BUNDLE}")),
        ("book.name_reserved", OpenAccount(id="wallet:meter")),
        ("core.id", OpenAccount(id="no blanks")),
    ):
        submit_refused(ledger, code, body, "owner")
    submit_refused(ledger, "identity.key.unknown", OpenAccount(id="x"), "stranger")


def test_a_meter_has_a_wallet_of_its_own(ledger: MemoryLedger) -> None:
    active_meter(ledger)
    enrolled_meter(ledger, "waiting")
    ledger.submit(OpenAccount(id="wallet"), key_of("meter"))
    ledger.submit(transfer(10, target="wallet"), key_of("owner"))
    ledger.submit(transfer(4, source="wallet"), key_of("meter"))
    assert held(ledger, "wallet") == 6
    submit_refused(ledger, "book.account.not_owner", transfer(1, source="wallet"), "owner")
    submit_refused(
        ledger, "identity.device.not_authenticated", OpenAccount(id="wallet-2"), "waiting"
    )


def test_a_device_is_not_the_party_of_the_same_name(ledger: MemoryLedger) -> None:
    ledger.submit(OpenAccount(id="supplier-1"), key_of("supplier"))
    ledger.submit(transfer(10, target="supplier-1"), key_of("owner"))
    impostor = new_device_named(ledger, "supplier")
    with pytest.raises(Exception, match=r"^book\.account\.not_owner"):
        ledger.submit(transfer(1, source="supplier-1", target="buyer-1"), impostor)


def new_device_named(ledger: MemoryLedger, id_: str) -> SigningKey:
    """An active device with a party's id."""

    key = key_of(f"device {id_}")
    ledger.submit(EnrolDevice(id=id_, owner="owner", quantity="heat", zone="UTC"), key)
    ledger.submit(AuthenticateDevice(device=id_, evidence=EVIDENCE), key_of("authority"))
    ledger.submit(ConfirmDevice(device=id_), key_of("owner"))
    return key


def test_only_the_issuer_issues(ledger: MemoryLedger) -> None:
    assert held(ledger, "owner-1") == 1000
    assert held(ledger, f"issue:{BUNDLE}") == -1000
    organisation(ledger, "rival", "issuer")
    submit_refused(ledger, "book.asset.not_issuer", issue(1), "rival")
    submit_refused(ledger, "identity.role.missing", issue(1), "owner")
    for code, body in (
        ("book.asset.unknown", issue(1, asset="gold")),
        ("book.account.unknown", issue(1, account="nobody-1")),
        ("book.account.unknown", issue(1, account=f"retired:{BUNDLE}")),
        ("book.balance.range", issue(2**62)),
        ("transaction.fields", issue(0)),
        ("transaction.fields", issue(-5)),
        ("transaction.fields", issue(2**62 + 1)),
    ):
        submit_refused(ledger, code, body, "issuer")


def test_transfers_split_to_the_unit_and_are_whole_or_nothing(ledger: MemoryLedger) -> None:
    ledger.submit(OpenAccount(id="buyer-2"), key_of("buyer"))
    split = Transfer(
        movements=(move(100, "owner-1", "buyer-1"), move(900, "owner-1", "buyer-2")), memo="split"
    )
    accepted = ledger.submit(split, key_of("owner"))
    assert accepted.event(Posted).memo == "split"
    assert [held(ledger, account) for account in ("owner-1", "buyer-1", "buyer-2")] == [0, 100, 900]
    too_much = Transfer(movements=(move(1, "buyer-1", "owner-1"), move(901, "buyer-2", "owner-1")))
    submit_refused(ledger, "book.overdraft", too_much, "buyer")
    assert held(ledger, "buyer-1") == 100


def test_four_racing_transfers_of_600_out_of_1000_give_one(ledger: MemoryLedger) -> None:
    raws = [ledger.sign(transfer(600), key_of("owner")) for _ in range(4)]
    outcomes = [try_out(lambda raw=raw: ledger.submit_raw(raw)) for raw in raws]  # type: ignore[misc]
    assert sorted(outcomes) == ["book.overdraft", "book.overdraft", "book.overdraft", "ok"]
    assert [held(ledger, "owner-1"), held(ledger, "buyer-1")] == [400, 600]


def try_out(call: Callable[[], object]) -> str:
    try:
        call()
    except Exception as error:
        return str(error).split(":")[0]
    return "ok"


def test_nobody_else_transfers_splits_or_retires(ledger: MemoryLedger) -> None:
    to_oneself = transfer(100, source="owner-1", target="buyer-1")
    submit_refused(ledger, "book.account.not_owner", to_oneself, "buyer")
    submit_refused(ledger, "book.account.not_owner", to_oneself, "issuer")
    submit_refused(ledger, "identity.key.unknown", to_oneself, "stranger")
    sneaked_in = Transfer(
        movements=(move(1, "buyer-1", "owner-1"), move(100, "owner-1", "buyer-1"))
    )
    submit_refused(ledger, "book.account.not_owner", sneaked_in, "buyer")
    retire = Retire(account="owner-1", asset=BUNDLE, amount=1)
    submit_refused(ledger, "book.account.not_owner", retire, "buyer")
    assert held(ledger, "owner-1") == 1000


def test_transfer_refusals(ledger: MemoryLedger) -> None:
    for code, body in (
        ("book.overdraft", transfer(1001)),
        ("book.transfer.same_account", transfer(1, target="owner-1")),
        ("book.account.unknown", transfer(1, target="nobody-1")),
        ("book.account.unknown", transfer(1, source="nobody-1")),
        ("book.account.unknown", transfer(1, target=f"issue:{BUNDLE}")),
        ("book.account.unknown", transfer(1, target=f"retired:{BUNDLE}")),
        ("book.account.unknown", transfer(1, source=f"issue:{BUNDLE}")),
        ("book.account.unknown", transfer(1, source=f"retired:{BUNDLE}")),
        ("book.asset.unknown", Transfer(movements=(move(1, "owner-1", "buyer-1", "gold"),))),
        ("transaction.fields", transfer(0)),
        ("transaction.fields", transfer(-600)),
        ("transaction.fields", Transfer(movements=())),
        ("transaction.fields", Transfer(movements=(move(1, "owner-1", "buyer-1"),) * 129)),
        ("transaction.fields", Transfer(movements=transfer(1).movements, memo="m" * 129)),
        ("transaction.fields", Transfer(movements=transfer(1).movements, memo="\x1b[2J")),
    ):
        submit_refused(ledger, code, body, "owner")
    ledger.submit(
        Transfer(movements=(move(1, "owner-1", "buyer-1"),) * 128, memo="m" * 128), key_of("owner")
    )
    assert held(ledger, "buyer-1") == 128


def test_movements_that_cancel_out_move_nothing(ledger: MemoryLedger) -> None:
    ledger.submit(OpenAccount(id="owner-2"), key_of("owner"))
    there = Transfer(movements=(move(5000, "owner-1", "owner-2"), move(5000, "owner-2", "owner-1")))
    assert ledger.submit(there, key_of("owner")).event(Posted).count == 0
    gold = Transfer(
        movements=(move(5, "owner-1", "owner-2", "gold"), move(5, "owner-2", "owner-1", "gold"))
    )
    submit_refused(ledger, "book.asset.unknown", gold, "owner")


def test_what_is_retired_is_out_for_good(ledger: MemoryLedger) -> None:
    ledger.submit(Retire(account="owner-1", asset=BUNDLE, amount=700), key_of("owner"))
    assert held(ledger, "owner-1") == 300
    row = queries.conservation(ledger.state)[0]
    assert (row.issued, row.retired, row.circulating, row.sum) == (1000, 700, 300, 0)
    for code, body in (
        ("book.overdraft", Retire(account="owner-1", asset=BUNDLE, amount=301)),
        ("book.asset.unknown", Retire(account="owner-1", asset="gold", amount=1)),
        ("book.account.unknown", Retire(account=f"retired:{BUNDLE}", asset=BUNDLE, amount=1)),
    ):
        submit_refused(ledger, code, body, "owner")


def test_an_overdraft_is_the_issuers_to_grant(ledger: MemoryLedger) -> None:
    limit = SetOverdraft(account="buyer-1", asset=BUNDLE, limit=50)
    submit_refused(ledger, "identity.role.missing", limit, "buyer")
    submit_refused(ledger, "book.asset.not_issuer", limit, "registrar")
    unknown = SetOverdraft(account="nobody-1", asset=BUNDLE, limit=50)
    submit_refused(ledger, "book.account.unknown", unknown, "issuer")
    gold = SetOverdraft(account="buyer-1", asset="gold", limit=50)
    submit_refused(ledger, "book.asset.unknown", gold, "issuer")
    assert ledger.submit(limit, key_of("issuer")).event(OverdraftSet).limit == 50
    back = transfer(50, source="buyer-1", target="owner-1")
    ledger.submit(back, key_of("buyer"))
    submit_refused(
        ledger, "book.overdraft", transfer(1, source="buyer-1", target="owner-1"), "buyer"
    )
    assert held(ledger, "buyer-1") == -50
    less = SetOverdraft(account="buyer-1", asset=BUNDLE, limit=49)
    submit_refused(ledger, "book.overdraft.below_debt", less, "issuer")
    assert queries.conservation(ledger.state)[0].sum == 0
    ledger.submit(transfer(50), key_of("owner"))
    none = SetOverdraft(account="buyer-1", asset=BUNDLE, limit=0)
    ledger.submit(none, key_of("issuer"))
    assert queries.balances(ledger.state, "buyer-1") == []


def test_a_row_changed_behind_the_books_back_shows(ledger: MemoryLedger) -> None:
    row = queries.balances(ledger.state, "owner-1")[0]
    ledger.state.put(model.BALANCES, model.Balance(account="owner-1", asset=BUNDLE, amount=1001))
    ledger.state.put(model.BALANCES, model.Balance(account="owner-1", asset="ghost", amount=7))
    assert row.amount == 1000
    found = {row.asset: (row.unit, row.sum) for row in queries.conservation(ledger.state)}
    assert found == {BUNDLE: ("Wh", 1), "ghost": ("", 7)}


def test_kinds_have_units_and_words() -> None:
    for units, en, zh in KINDS.values():
        assert units
        assert en.isascii()
        assert not zh.isascii()
