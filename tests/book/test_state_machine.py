"""Any sequence of steps, by anyone, leaves the balances that a small model expects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.support.memory_ledger import MemoryLedger, key_of

from wattproof.book import queries
from wattproof.book.contract import CONTRACT
from wattproof.book.model import (
    MAX_AMOUNT,
    DefineAsset,
    Issue,
    Movement,
    OpenAccount,
    Retire,
    SetOverdraft,
    Transfer,
)
from wattproof.core.errors import Refused
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.ledger.transaction import Body

FOUNDERS = {
    "registrar": ("registrar",),
    "issuer": ("issuer",),
    "alice": (),
    "bob": (),
}
ASSETS = ("x", "y")
ACCOUNTS = ("a1", "a2", "b1", "i1")
OUTSIDE = ("issue:x", "retired:x", "nowhere")


@dataclass(frozen=True)
class Available:
    """As much as there is room for, and so many more."""

    more: int


def amount_of(wanted: int | Available, room: int) -> int:
    if isinstance(wanted, int):
        return wanted
    return min(max(1, room + wanted.more), MAX_AMOUNT)


parties = st.sampled_from(tuple(FOUNDERS))
issuers = st.sampled_from(("issuer",) * 3 + tuple(FOUNDERS))
assets = st.sampled_from(("x", "x", "x", "y"))
accounts = st.sampled_from(("a1", "a2", "b1") * 4 + ACCOUNTS + OUTSIDE)
# Amounts are often chosen by what there is room for: all of it (0), or one more or less.
amounts = st.one_of(
    st.integers(1, 40), st.integers(1, 1000), st.builds(Available, st.integers(-1, 1))
)
sources = st.sampled_from(("a1", "a2") * 8 + ACCOUNTS + OUTSIDE)
movements = st.lists(st.tuples(sources, accounts, assets, amounts), min_size=1, max_size=3)


class BookMachine(RuleBasedStateMachine):
    """Each rule says in one expression when its step is allowed, and does it to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = MemoryLedger([IDENTITY, CONTRACT], authorise)
        self.ledger.genesis(FOUNDERS)
        self.issuers: dict[str, str] = {}
        self.owners: dict[str, str] = {}
        self.balances: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.limits: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.issued: defaultdict[str, int] = defaultdict(int)
        self.retired: defaultdict[str, int] = defaultdict(int)

    def step(self, body: Body, signer: str, *, allowed: bool) -> bool:
        try:
            self.ledger.submit(body, key_of(signer))
        except Refused as refusal:
            assert not allowed, f"refused: {refusal}"
            assert refusal.text("zh")
            return False
        assert allowed, f"{signer} should not have been able to {body}"
        return True

    def owner_of(self, number: int, account: str) -> str:
        """Who signs: mostly the owner, else somebody."""
        names = tuple(FOUNDERS)
        return self.owners.get(account, "bob") if number < 80 else names[number % len(names)]

    def given(self, wanted: int | Available, account: str, asset: str) -> int:
        place = (account, asset)
        return amount_of(wanted, self.balances[place] + self.limits[place])

    def fits(self, changes: dict[tuple[str, str], int]) -> bool:
        """Whether all accounts and assets are there and stay within their limits."""
        for place, change in changes.items():
            if place[0] not in self.owners or place[1] not in self.issuers:
                return False
            after = self.balances[place] + change
            if abs(after) > MAX_AMOUNT or (change < 0 and after < -self.limits[place]):
                return False
        return True

    @initialize()
    def begin(self) -> None:
        """An asset, two accounts and something to move."""
        self.define("x", "issuer")
        self.open("a1", "alice")
        self.open("a2", "alice")
        self.open("b1", "bob")
        self.issue("x", "a1", 1000, "issuer")

    @rule(id_=assets, signer=issuers)
    def define(self, id_: str, signer: str) -> None:
        allowed = id_ not in self.issuers and signer in {"registrar", "issuer"}
        if self.step(DefineAsset(id=id_, kind="energy", unit="Wh"), signer, allowed=allowed):
            self.issuers[id_] = signer

    @rule(id_=accounts, signer=parties)
    def open(self, id_: str, signer: str) -> None:
        allowed = id_ not in self.owners and ":" not in id_ and id_ != "nowhere"
        if id_ != "nowhere" and self.step(OpenAccount(id=id_), signer, allowed=allowed):
            self.owners[id_] = signer

    @rule(asset=assets, account=accounts, wanted=amounts, signer=issuers)
    def issue(self, asset: str, account: str, wanted: int | Available, signer: str) -> None:
        amount = amount_of(wanted, MAX_AMOUNT - self.issued[asset])
        allowed = self.issuers.get(asset) == signer
        allowed = allowed and self.fits({(account, asset): amount})
        allowed = allowed and self.issued[asset] + amount <= MAX_AMOUNT
        body = Issue(asset=asset, account=account, amount=amount)
        if self.step(body, signer, allowed=allowed):
            self.balances[account, asset] += amount
            self.issued[asset] += amount

    @rule(moves=movements, number=st.integers(0, 99))
    def transfer(self, moves: list[tuple[str, str, str, int | Available]], number: int) -> None:
        signer = self.owner_of(number, moves[0][0])
        changes: defaultdict[tuple[str, str], int] = defaultdict(int)
        allowed = True
        parts = []
        for source, target, asset, wanted in moves:
            amount = self.given(wanted, source, asset)
            parts.append(Movement(source=source, target=target, asset=asset, amount=amount))
            changes[source, asset] -= amount
            changes[target, asset] += amount
            allowed = allowed and source != target and self.owners.get(source) == signer
            allowed = allowed and target in self.owners and asset in self.issuers
        net = {place: change for place, change in changes.items() if change}
        body = Transfer(movements=tuple(parts))
        if self.step(body, signer, allowed=allowed and self.fits(net)):
            for place, change in net.items():
                self.balances[place] += change

    @rule(account=accounts, asset=assets, wanted=amounts, number=st.integers(0, 99))
    def retire(self, account: str, asset: str, wanted: int | Available, number: int) -> None:
        signer = self.owner_of(number, account)
        amount = self.given(wanted, account, asset)
        allowed = self.owners.get(account) == signer and self.fits({(account, asset): -amount})
        body = Retire(account=account, asset=asset, amount=amount)
        if self.step(body, signer, allowed=allowed):
            self.balances[account, asset] -= amount
            self.retired[asset] += amount

    @rule(account=accounts, asset=assets, limit=st.integers(-2, 500), signer=issuers)
    def overdraw(self, account: str, asset: str, limit: int, signer: str) -> None:
        if limit < 0:  # exactly what is owed, or one less
            limit = max(0, -self.balances[account, asset] + limit + 1)
        allowed = self.issuers.get(asset) == signer and account in self.owners
        allowed = allowed and self.balances[account, asset] >= -limit
        body = SetOverdraft(account=account, asset=asset, limit=limit)
        if self.step(body, signer, allowed=allowed):
            self.limits[account, asset] = limit

    @rule()
    def restart(self) -> None:
        self.ledger.forget()

    @invariant()
    def balances_are_the_models(self) -> None:
        for account in ACCOUNTS:
            for asset in ASSETS:
                held = queries.balance(self.ledger.state, account=account, asset=asset)
                assert held == self.balances[account, asset]
                assert held >= -self.limits[account, asset]

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        found = queries.conservation(self.ledger.state)
        assert [row.asset for row in found] == sorted(self.issuers)
        for row in found:
            assert row.sum == 0
            assert row.issued == row.retired + row.circulating == self.issued[row.asset]
            assert row.retired == self.retired[row.asset]


TestBook = BookMachine.TestCase
TestBook.settings = settings(
    max_examples=70,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
