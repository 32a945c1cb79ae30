"""Postings as other rooms make them: sums, limits, directions, and what is our own mistake."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.people import new_ledger
from tests.support.refusals import refused

from wattproof.book import queries
from wattproof.book.contract import CONTRACT, define_asset, issue, open_account, post, retire
from wattproof.book.model import (
    BALANCES,
    MAX_AMOUNT,
    Account,
    Asset,
    Balance,
    Entry,
    Posted,
)
from wattproof.core.actor import Actor
from wattproof.ledger.machine import Context
from wattproof.ledger.transaction import Transaction

PARTY = Actor(kind="party", id="owner")


@pytest.fixture
def ctx() -> Context:
    """The surroundings of a rule of some other room, in which an asset and accounts exist."""
    ledger = new_ledger(CONTRACT)
    context = surroundings(ledger)
    define_asset(context, Asset(id="cert:2024", kind="certificate", unit="Wh", issuer="room"))
    define_asset(context, Asset(id="money", kind="money", unit="fen", issuer="room"))
    for id_ in ("a", "b", "pool:1"):
        open_account(context, Account(id=id_, owner_kind="room", owner="settlement"))
    issue(context, asset="cert:2024", account="a", amount=1000)
    issue(context, asset="money", account="b", amount=500, memo="top-up")
    return context


def surroundings(ledger: MemoryLedger) -> Context:
    context = ledger.machine.context(ledger.state, height=ledger.size, time_ms=ledger.time_ms)
    body: Any = None
    raw = Transaction(id=bytes(32), raw=b"", signer=key_of("owner").public, nonce=b"", body=body)
    context.take(raw, ledger.size)
    context.actor = PARTY
    return context


def held(ctx: Context, account: str, asset: str) -> int:
    return queries.balance(ctx.state, account=account, asset=asset)


def test_delivery_against_payment_in_one_posting(ctx: Context) -> None:
    entries = [
        ("a", "cert:2024", -600),
        ("b", "cert:2024", 600),
        ("b", "money", -120),
        ("a", "money", 120),
    ]
    post(ctx, entries, memo="600 Wh at 0.2 fen")
    assert [held(ctx, "a", "cert:2024"), held(ctx, "b", "cert:2024")] == [400, 600]
    assert [held(ctx, "a", "money"), held(ctx, "b", "money")] == [120, 380]
    posted = ctx.events[-1]
    assert isinstance(posted, Posted)
    assert posted.entries[0] == Entry(
        account="a", asset="cert:2024", amount=-600, previous=ctx.index
    )
    assert (posted.count, posted.memo) == (4, "600 Wh at 0.2 fen")


def test_entries_of_one_place_are_taken_together(ctx: Context) -> None:
    chain = [("b", "cert:2024", -900), ("pool:1", "cert:2024", 900)]
    post(ctx, [("a", "cert:2024", -900), ("b", "cert:2024", 900), *chain])
    assert held(ctx, "b", "cert:2024") == 0
    assert held(ctx, "pool:1", "cert:2024") == 900
    posted = ctx.events[-1]
    assert isinstance(posted, Posted)
    assert posted.count == 2


def test_a_balance_that_says_nothing_is_not_shown(ctx: Context) -> None:
    post(ctx, [("a", "cert:2024", -1000), ("b", "cert:2024", 1000)])
    assert queries.balances(ctx.state, "a") == []
    assert [row.account for row in queries.holders(ctx.state, "cert:2024")] == [
        "b",
        "issue:cert:2024",
    ]
    emptied = ctx.state.get(BALANCES, "a", "cert:2024")
    assert emptied == Balance(account="a", asset="cert:2024", last_entry=ctx.index)


def test_postings_that_somebody_asked_for_wrongly_are_refused(ctx: Context) -> None:
    for code, entries in (
        ("book.overdraft", [("a", "cert:2024", -1001), ("b", "cert:2024", 1001)]),
        ("book.account.unknown", [("a", "cert:2024", -1), ("c", "cert:2024", 1)]),
        ("book.account.unknown", [("a", "cert:2024", -1), ("issue:money", "cert:2024", 1)]),
        ("book.account.unknown", [("a", "cert:2024", -1), ("retired:money", "cert:2024", 1)]),
        ("book.asset.unknown", [("a", "gold", -1), ("b", "gold", 1)]),
        ("book.posting.too_many", [("a", "money", 1), ("b", "money", -1)] * 129),
        ("book.balance.range", [("a", "money", MAX_AMOUNT + 1), ("b", "money", -MAX_AMOUNT - 1)]),
    ):
        refused(code, lambda entries=entries: post(ctx, entries))  # type: ignore[misc]
    assert queries.conservation(ctx.state)[0].sum == 0


def test_postings_that_no_rule_may_make_break(ctx: Context) -> None:
    for code, entries in (
        ("book.posting.unbalanced", [("a", "cert:2024", -5), ("b", "cert:2024", 4)]),
        ("book.posting.unbalanced", [("a", "cert:2024", -5), ("b", "money", 5)]),
        ("book.posting.shape", []),
        ("book.posting.shape", [("a", "money", 0), ("b", "money", 0)]),
        ("book.posting.shape", [("a", "cert:2024", -5), ("issue:cert:2024", "cert:2024", 5)]),
    ):
        refused(code, lambda entries=entries: post(ctx, entries))  # type: ignore[misc]
    retire(ctx, asset="cert:2024", account="a", amount=10)
    back = [("retired:cert:2024", "cert:2024", -5), ("a", "cert:2024", 5)]
    refused("book.posting.shape", lambda: post(ctx, back))
    memo = "m" * 129
    fine = [("a", "cert:2024", -1), ("b", "cert:2024", 1)]
    refused("book.posting.shape", lambda: post(ctx, fine, memo=memo))


def test_balances_stay_within_the_range(ctx: Context) -> None:
    issue(ctx, asset="money", account="a", amount=MAX_AMOUNT - 500)
    refused("book.balance.range", lambda: issue(ctx, asset="money", account="a", amount=1))
    row = queries.conservation(ctx.state)[1]
    assert (row.asset, row.issued, row.sum) == ("money", MAX_AMOUNT, 0)


def test_conservation_says_where_everything_is(ctx: Context) -> None:
    retire(ctx, asset="cert:2024", account="a", amount=250, memo="used in May")
    certificates, money = queries.conservation(ctx.state)
    assert (certificates.issued, certificates.retired, certificates.circulating) == (1000, 250, 750)
    assert (money.issued, money.retired, money.circulating) == (500, 0, 500)
    assert (certificates.unit, certificates.sum, money.unit, money.sum) == ("Wh", 0, "fen", 0)


def test_accounts_and_assets_that_rules_open(ctx: Context) -> None:
    for id_ in ("issue:x", "retired:x"):
        account = Account(id=id_, owner_kind="room", owner="settlement")
        refused("book.name_reserved", lambda account=account: open_account(ctx, account))  # type: ignore[misc]
    again = Account(id="pool:1", owner_kind="room", owner="settlement")
    refused("book.account.taken", lambda: open_account(ctx, again))
    owned = queries.accounts_of(ctx.state, kind="room", owner="settlement")
    assert [account.id for account in owned] == ["a", "b", "pool:1"]
