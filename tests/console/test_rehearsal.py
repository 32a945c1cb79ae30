"""Rehearsals say what the ledger would say, and change nothing."""

from __future__ import annotations

import pytest
from tests.support.site import Site

from wattproof.book.model import OpenAccount
from wattproof.console.rehearsal import Rehearsal
from wattproof.console.users import Session, User
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import Refused
from wattproof.gateway.access import ANYBODY
from wattproof.identity.model import PARTIES, AuthenticateDevice, ConfirmDevice, GrantRole
from wattproof.keys.did import public_of
from wattproof.ledger.transaction import Body, sign_transaction


def visitor_of(party: str) -> Visitor:
    user = User(login="somebody", party=party, lang="en", keeps_key=False)
    return Visitor(
        session=Session(user=user, csrf="", token=""),
        actor=Actor(kind="party", id=party),
        lang="en",
        theme="auto",
        csrf="",
        path="/",
    )


@pytest.fixture
def rehearsal(site: Site) -> Rehearsal:
    store = site.writer.store

    def key_of(party: str) -> bytes | None:
        found = store.get(PARTIES, party)
        return None if found is None else public_of(found.did)

    return Rehearsal(machine=site.folder.machine, store=store, key_of=key_of)


def refusal(rehearsal: Rehearsal, party: str, body: Body) -> str:
    with pytest.raises(Refused) as caught:
        rehearsal.check(visitor_of(party), body)
    return caught.value.code


def test_what_would_happen_and_nothing_does(site: Site, rehearsal: Rehearsal) -> None:
    size, block = site.size, site.writer.store.latest_block()
    for _ in range(2):
        (event,) = rehearsal.check(visitor_of("offices"), OpenAccount(id="never-opened"))
        assert event.name == "book.account.opened"
    assert site.size == size
    assert site.writer.store.latest_block() == block
    # Nor does the machine that really runs remember anything of it.
    raw = sign_transaction(
        OpenAccount(id="never-opened"), site.key_of("bank"), ledger_id=site.writer.ledger_id
    )
    assert site.writer.engine.submit(raw).index == size
    assert refusal(rehearsal, "offices", OpenAccount(id="never-opened")) == "book.account.taken"


@pytest.mark.parametrize(
    ("party", "body", "code"),
    [
        ("steel-works", GrantRole(party="grid", role="auditor"), "identity.role.missing"),
        ("operator", GrantRole(party="nobody", role="auditor"), "identity.party.unknown"),
        ("operator", GrantRole(party="grid", role="king"), "identity.role.unknown"),
        ("steel-works", ConfirmDevice(device="office-a"), "identity.device.not_owner"),
        (
            "metering",
            AuthenticateDevice(device="office-a", evidence=bytes(32)),
            "identity.device.already_authenticated",
        ),
        ("nobody", OpenAccount(id="x"), "console.no_party"),
    ],
)
def test_it_refuses_as_the_ledger_does(
    site: Site, rehearsal: Rehearsal, party: str, body: Body, code: str
) -> None:
    assert refusal(rehearsal, party, body) == code
    if party == "nobody":
        return
    raw = sign_transaction(body, site.key_of(party), ledger_id=site.writer.ledger_id)
    with pytest.raises(Refused) as caught:
        site.writer.engine.submit(raw)
    assert caught.value.code == code


def test_nobody_rehearses_without_signing_in(rehearsal: Rehearsal) -> None:
    visitor = Visitor(session=None, actor=ANYBODY, lang="en", theme="auto", csrf="", path="/")
    with pytest.raises(Refused) as caught:
        rehearsal.check(visitor, OpenAccount(id="x"))
    assert caught.value.code == "gateway.sign_in_needed"
