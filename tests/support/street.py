"""A settled region with several owners, whose keys are in the ledger's key store.

A wind farm supplies; a works consumes, with a meter that has money and one that has none; a house
does both, with a meter for each. All have reported a day and a half by the hour, but the house's
kitchen lacks the last six hours of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.support.settled_region import DAY_S, GRID, HOUR_S, REGION, START_S, SettledRegion

from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    RegisterParty,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.node import IMPORTER, OPERATOR
from wattproof.settlement.model import TopUpWallet

__all__ = ["METERS", "PARTIES", "Street", "new_street"]

PARTIES: Final = {
    "wind": ("supplier",),
    "works": ("consumer",),
    "house": ("consumer", "supplier"),
    "north": ("grid_company",),
}
"""Parties and their roles; the grid of `SettledRegion` settles the region."""

METERS: Final = {
    "turbine": ("wind", 6_000),
    "mill": ("works", 4_000),
    "poor": ("works", 500),
    "kitchen": ("house", 700),
    "roof": ("house", 300),
}
"""Meters by id: owner, and the Wh of each hour."""

SUPPLY: Final = ("turbine", "roof")


class Street(SettledRegion):
    """A `SettledRegion` with owners of their own."""

    def found(self) -> None:
        super().found()
        for party, roles in PARTIES.items():
            public = self.key(party).public
            body = RegisterParty(id=party, kind="organisation", key=public, name=party, roles=roles)
            self.submit(body, OPERATOR)

    def key(self, name: str) -> SigningKey:
        """The key of a party or meter, kept in the key store under its name."""
        if name not in self._keys:
            self._keys[name] = SigningKey.from_seed(name.encode().ljust(32, b"."))
            with self.folder.keys() as keys:
                keys.add(name, self._keys[name])
        return self._keys[name]

    def own_meter(self, id_: str, owner: str, *, supply: bool, money: int) -> int:
        """An active meter of an owner; its number."""
        quantity = "electricity.export" if supply else "electricity.import"
        self.key(id_)
        self.submit(EnrolDevice(id=id_, owner=owner, quantity=quantity, zone="UTC"), id_)
        self.submit(AuthenticateDevice(device=id_, evidence=bytes(32)), IMPORTER)
        self.submit(ConfirmDevice(device=id_), owner)
        sides = ((owner,), (GRID,)) if supply else ((GRID,), (owner,))
        self.submit(
            AssociateDevice(
                device=id_, point=id_, region=REGION, suppliers=sides[0], consumers=sides[1]
            ),
            owner,
        )
        if money:
            self.submit(TopUpWallet(device=id_, asset="CNY", amount=money, source="", memo=""))
        return self.number(id_)

    def late(self) -> None:
        """What the kitchen still had to report comes in."""
        self.report("kitchen", [METERS["kitchen"][1]] * 6, start_s=START_S + 30 * HOUR_S)


def new_street(path: Path) -> Street:
    """A new ledger with all of it; nothing is settled yet."""
    made = Street.made(path)
    assert isinstance(made, Street)
    with made:
        for id_, (owner, wh) in METERS.items():
            supply = id_ in SUPPLY
            money = 0 if supply or id_ == "poor" else 10**6
            made.own_meter(id_, owner, supply=supply, money=money)
            hours = 6 if id_ == "kitchen" else 12
            made.report(id_, [wh] * 24)
            made.report(id_, [wh] * hours, start_s=START_S + DAY_S)
    return made
