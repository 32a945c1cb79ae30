"""An account's postings, read back along their chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.memory_ledger import genesis_of, key_of
from tests.support.refusals import refused

from wattproof.book import queries
from wattproof.book.contract import CONTRACT, post
from wattproof.book.model import (
    BALANCES,
    DefineAsset,
    Issue,
    Movement,
    OpenAccount,
    Retire,
    SetOverdraft,
    Transfer,
)
from wattproof.book.statement import statement
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.keys import cose
from wattproof.ledger.chain import Chain
from wattproof.ledger.genesis import sign_genesis
from wattproof.ledger.machine import Context, Contract, Machine
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Body, sign_transaction, transaction

FOUNDERS = {"registrar": ("registrar",), "issuer": ("issuer",), "alice": (), "bob": ()}


@transaction("test.twice", 1, by=("party",), en="Post twice", zh="两次记账")
class Twice(Body):
    """A room's transaction that posts twice."""


def post_twice(ctx: Context, body: Twice) -> None:  # noqa: ARG001
    for amount in (5, 7):
        post(ctx, [("a", "x", -amount), ("b", "x", amount)], memo=f"part {amount}")


ROOM = Contract("test", collections=())
ROOM.rule(Twice)(post_twice)


class Bank:
    """A chain with its store on disk, to which transactions are given one by one."""

    def __init__(self, path: Path) -> None:
        machine = Machine([IDENTITY, CONTRACT, ROOM], authorise=authorise)
        self.store = Store.create(path, machine.collections)
        genesis = sign_genesis(genesis_of(FOUNDERS), key_of("registrar"), nonce=bytes(16))
        self._chain = Chain.create(
            self.store, machine, log_key=key_of("log"), genesis=genesis, time_ms=1_000
        )

    def do(self, body: Body, signer: str) -> int:
        """Its log index."""
        chain = self._chain
        raw = sign_transaction(body, key_of(signer), ledger_id=chain.ledger_id)
        taken = chain.machine.codec.decode(cose.parse(raw), raw)
        index = chain.size
        pending = chain.execute([taken], height=chain.height + 1, time_ms=(index + 1) * 1_000)
        refusal = pending.outcomes[0].refusal
        if refusal is not None:
            chain.reload()
            raise refusal
        chain.commit(pending)
        return index

    def pay(self, amount: int, source: str = "a", target: str = "b", asset: str = "x") -> int:
        movement = Movement(source=source, target=target, asset=asset, amount=amount)
        return self.do(Transfer(movements=(movement,), memo=f"pay {amount}"), "alice")


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    bank = Bank(tmp_path / "ledger.db")
    for asset in ("x", "y"):
        bank.do(DefineAsset(id=asset, kind="energy", unit="Wh"), "issuer")
    for account, owner in (("a", "alice"), ("b", "bob"), ("c", "bob")):
        bank.do(OpenAccount(id=account), owner)
    yield bank
    bank.store.close()


def entries(bank: Bank, account: str, asset: str = "x") -> list[tuple[int, int]]:
    lines = statement(bank.store, account=account, asset=asset, limit=100).lines
    return [(line.entry, line.amount) for line in lines]


def test_newest_first_with_what_is_on_the_other_side(bank: Bank) -> None:
    issued = bank.do(Issue(asset="x", account="a", amount=100, memo="top-up"), "issuer")
    paid = bank.pay(30)
    retired = bank.do(Retire(account="a", asset="x", amount=20, memo="used"), "alice")
    lines = statement(bank.store, account="a", asset="x", limit=10).lines
    assert [(line.entry, line.amount, line.memo) for line in lines] == [
        (retired, -20, "used"),
        (paid, -30, "pay 30"),
        (issued, 100, "top-up"),
    ]
    assert [line.others for line in lines] == [("retired:x",), ("b",), ("issue:x",)]
    assert [line.time_s for line in lines] == [retired + 1, paid + 1, issued + 1]
    assert entries(bank, "b") == [(paid, 30)]
    assert entries(bank, "c") == []
    assert sum(line.amount for line in lines) == queries.balance(bank.store, account="a", asset="x")


def test_assets_have_chains_of_their_own(bank: Bank) -> None:
    first = bank.do(Issue(asset="x", account="a", amount=10), "issuer")
    other = bank.do(Issue(asset="y", account="a", amount=10), "issuer")
    both = bank.do(
        Transfer(
            movements=(
                Movement(source="a", target="b", asset="x", amount=1),
                Movement(source="a", target="c", asset="y", amount=2),
                Movement(source="a", target="c", asset="x", amount=3),
            )
        ),
        "alice",
    )
    assert entries(bank, "a") == [(both, -4), (first, 10)]
    assert entries(bank, "a", "y") == [(both, -2), (other, 10)]
    line = statement(bank.store, account="a", asset="x", limit=1).lines[0]
    assert (line.others, line.others_count) == (("b", "c"), 2)


def test_pages_meet_without_a_gap(bank: Bank) -> None:
    bank.do(Issue(asset="x", account="a", amount=1000), "issuer")
    for amount in range(1, 12):
        bank.pay(amount)
    whole = entries(bank, "a")
    pages, start = [], None
    while True:
        page = statement(bank.store, account="a", asset="x", start=start, limit=5)
        pages += [(line.entry, line.amount) for line in page.lines]
        start = page.next
        if start is None:
            break
    assert pages == whole
    assert len(pages) == 12


def test_an_empty_account_keeps_its_postings(bank: Bank) -> None:
    bank.do(Issue(asset="x", account="a", amount=10), "issuer")
    bank.pay(10)
    assert queries.balances(bank.store, "a") == []
    assert [amount for _, amount in entries(bank, "a")] == [-10, 10]
    assert bank.store.get(BALANCES, "a", "x") is not None


def test_an_overdraft_is_no_posting(bank: Bank) -> None:
    bank.do(SetOverdraft(account="a", asset="x", limit=50), "issuer")
    assert entries(bank, "a") == []
    paid = bank.pay(20)
    bank.do(SetOverdraft(account="a", asset="x", limit=60), "issuer")
    assert entries(bank, "a") == [(paid, -20)]


def test_a_refused_posting_leaves_the_chain_alone(bank: Bank) -> None:
    issued = bank.do(Issue(asset="x", account="a", amount=10), "issuer")
    refused("book.overdraft", lambda: bank.pay(11))
    paid = bank.pay(4)
    assert entries(bank, "a") == [(paid, -4), (issued, 10)]


def test_what_was_issued_is_a_chain_too(bank: Bank) -> None:
    first = bank.do(Issue(asset="x", account="a", amount=10), "issuer")
    second = bank.do(Issue(asset="x", account="c", amount=5), "issuer")
    lines = statement(bank.store, account="issue:x", asset="x", limit=5).lines
    assert [(line.entry, line.amount, line.others) for line in lines] == [
        (second, -5, ("c",)),
        (first, -10, ("a",)),
    ]


def test_two_postings_of_one_transaction_stay_together(bank: Bank) -> None:
    issued = bank.do(Issue(asset="x", account="a", amount=100), "issuer")
    twice = bank.do(Twice(), "alice")
    after = bank.pay(1)
    page = statement(bank.store, account="a", asset="x", limit=2)
    assert [(line.entry, line.amount) for line in page.lines] == [
        (after, -1),
        (twice, -7),
        (twice, -5),
    ]
    assert page.next == issued


def test_what_is_not_there(bank: Bank) -> None:
    issued = bank.do(Issue(asset="x", account="a", amount=100), "issuer")
    assert statement(bank.store, account="nobody", asset="x", limit=5).lines == ()
    for start in (0, issued + 1, 2**62, 2**70):
        refused(
            "book.statement.start",
            lambda start=start: statement(  # type: ignore[misc]
                bank.store, account="a", asset="x", start=start, limit=5
            ),
        )
    refused(
        "book.statement.start",
        lambda: statement(bank.store, account="b", asset="x", start=issued, limit=5),
    )
    assert statement(bank.store, account="a", asset="gold", limit=5).lines == ()
