"""A node with a wallet in a test: money on the ledger, an account of its landlord's, orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.support.beside_meter import CountingMeter, Node
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.meters import Meters

from wattproof.book.contract import CONTRACT as BOOK
from wattproof.book.model import BALANCES, DefineAsset, OpenAccount
from wattproof.book.queries import conservation
from wattproof.edge.packets import Pay
from wattproof.edge.pay import pay
from wattproof.edge.payments import Payment
from wattproof.emissions.contract import CONTRACT as EMISSIONS
from wattproof.emissions.tracking.contract import CONTRACT as TRACKING
from wattproof.identity.contract import CONTRACT as IDENTITY
from wattproof.identity.contract import authorise
from wattproof.metering.contract import CONTRACT as METERING
from wattproof.settlement.contract import CONTRACT as SETTLEMENT
from wattproof.settlement.model import TopUpWallet
from wattproof.settlement.wallets import wallet_account

__all__ = ["HALF_HOUR_S", "MIDNIGHT", "Paying", "Purses", "paid", "payment"]

HALF_HOUR_S: Final = 1_800
MIDNIGHT: Final = 46
"""The quarter of an hour, counted from when a test begins (12:30), at which a day begins."""

FOUNDERS: Final = {
    "registrar": ("registrar",),
    "importer": ("consumer", "importer"),
    "bank": ("bank", "issuer"),
    "landlord": ("consumer",),
}


class Purses(Meters):
    """A ledger with money, the account ``landlord``, and wallets."""

    def __init__(self) -> None:
        contracts = [IDENTITY, BOOK, METERING, EMISSIONS, TRACKING, SETTLEMENT]
        self.ledger = MemoryLedger(contracts, authorise)
        self.ledger.genesis(FOUNDERS)
        money = DefineAsset(id="CNY", kind="money", unit="fen", decimals=2)
        self.ledger.submit(money, key_of("bank"))
        self.ledger.submit(OpenAccount(id="landlord"), key_of("landlord"))

    def top_up(self, fen: int) -> None:
        """Money into the wallet of ``m1``."""
        body = TopUpWallet(device="m1", asset="CNY", amount=fen, source="", memo="")
        self.ledger.submit(body, key_of("bank"))

    def fen(self, account: str) -> int:
        found = self.ledger.state.get(BALANCES, account, "CNY")
        return 0 if found is None else found.amount

    @property
    def got(self) -> int:
        """What the landlord has."""
        return self.fen("landlord")

    @property
    def left(self) -> int:
        """What is left in the wallet of ``m1``."""
        return self.fen(wallet_account(1))

    def check(self) -> None:
        """No money came or went."""
        for row in conservation(self.ledger.state):
            assert row.sum == 0, row


class Paying(Node):
    """The node ``m1`` with `fen` in its wallet and these orders; it reports without emission."""

    def __init__(
        self,
        folder: Path,
        *orders: Mapping[str, Any],
        fen: int = 1_000_000,
        meter: CountingMeter | None = None,
        **given: Any,
    ) -> None:
        self.purses = Purses()
        self.purses.add("m1")
        super().__init__(
            folder, meters=self.purses, meter=meter, tables={"pay": list(orders)}, emit=False,
            **{"capacity": 100_000, **given},
        )  # fmt: skip
        if fen:
            self.purses.top_up(fen)

    def pay(self, fen: int, target: str = "landlord", memo: str = "") -> Payment:
        """Pay by hand."""
        what = Pay(target=target, to_device="", asset="CNY", fen=fen, memo=memo)
        return pay(self.queue, self.config, self.key, what, now_s=self.time.now_s)

    def live(self, first: int, last: int, *, amount: int = 0, every: int = 1) -> None:
        """The quarters of an hour from `first` to `last`, in which the meter counts `amount`."""
        for number in range(first, last + 1, every):
            self.meter.count(amount if number else 0)
            self.quarter(number)
            self.send()


def payment(node: Node, back: int = 0) -> Payment:
    """The newest payment, or one so many before it."""
    return node.queue.payments.last(back + 1)[back]


def paid(node: Node, count: int = 100) -> Sequence[tuple[int, str]]:
    """Amounts in fen and memos of what was paid, oldest first."""
    found = node.queue.payments.last(count)[::-1]
    return [(each.fen, each.memo) for each in found if each.state == "paid"]
