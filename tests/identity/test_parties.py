"""Genesis, parties and roles: what is taken, and each refusal by its code."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.memory_ledger import MemoryLedger, genesis_of, key_of
from tests.support.people import new_ledger, organisation
from tests.support.refusals import refused, submit_refused

from wattproof.core.codes import uscc_check_digit
from wattproof.identity import events, queries
from wattproof.identity.contract import CONTRACT, authorise
from wattproof.identity.model import (
    GrantRole,
    RegisterParty,
    ReinstateParty,
    RevokeParty,
    RevokeRole,
    SuspendParty,
)
from wattproof.keys.did import did_of
from wattproof.ledger.genesis import Founder, Genesis

REGISTRAR = key_of("registrar")
USCC = "91310000MA1FL0000" + uscc_check_digit("91310000MA1FL0000")
SMALL_ORDER_KEY = bytes([1]) + bytes(31)


def acme(**changes: Any) -> RegisterParty:
    body = RegisterParty(
        id="acme", kind="organisation", key=key_of("acme").public, name="Acme", uscc=USCC
    )
    return replace(body, **changes)


def somebody(**changes: Any) -> RegisterParty:
    body = RegisterParty(
        id="somebody", kind="person", key=key_of("somebody").public, person=bytes(range(32))
    )
    return replace(body, **changes)


def open_refused(code: str, genesis: Genesis, signer: str = "registrar") -> None:
    ledger = MemoryLedger([CONTRACT], authorise)
    refused(code, lambda: ledger.open(genesis, key_of(signer)))
    assert queries.parties(ledger.state) == []


def founder(id_: str, *roles: str, key: bytes | None = None, uscc: str = "") -> Founder:
    public = key_of(id_).public if key is None else key
    return Founder(id=id_, name=id_, uscc=uscc, key=public, roles=roles)


def test_genesis_makes_the_founders_the_first_parties() -> None:
    ledger = MemoryLedger([CONTRACT], authorise)
    genesis = replace(
        genesis_of(),
        founders=(
            founder("registrar", "registrar", "issuer", uscc=USCC),
            founder("importer", "importer"),
        ),
    )
    opened = ledger.open(genesis, REGISTRAR)
    assert [event.name for event in opened.events] == ["identity.party.registered"] * 2
    registrar = queries.party(ledger.state, "registrar")
    assert registrar.roles == ("issuer", "registrar")
    assert registrar.did == did_of(REGISTRAR.public)
    assert (registrar.uscc, registrar.registered_entry) == (USCC, 0)
    assert [party.id for party in queries.parties(ledger.state)] == ["importer", "registrar"]


def test_genesis_refusals() -> None:
    base = genesis_of()
    registrar = founder("registrar", "registrar")
    open_refused("identity.genesis.registrar", replace(base, registrar="somebody"))
    open_refused("identity.genesis.registrar", replace(base, founders=(founder("registrar"),)))
    open_refused("identity.genesis.signer", base, signer="importer")
    open_refused("core.zone", replace(base, zone="Asia/上海"))
    open_refused("keys.public.small_order", replace(base, log_key=SMALL_ORDER_KEY))
    for code, other in (
        ("identity.party.taken", founder("registrar")),
        ("identity.key.taken", founder("twin", key=REGISTRAR.public)),
        ("identity.role.unknown", founder("king", "king")),
        ("identity.role.repeated", founder("twice", "issuer", "issuer")),
        ("keys.public.small_order", founder("weak", key=SMALL_ORDER_KEY)),
        ("core.uscc", founder("odd", uscc="odd")),
        ("core.id", founder("no blanks")),
    ):
        open_refused(code, replace(base, founders=(registrar, other)))


def test_a_ledger_is_opened_once() -> None:
    ledger = new_ledger()
    submit_refused(ledger, "identity.genesis.late", genesis_of())
    submit_refused(ledger, "identity.genesis.late", genesis_of(), signer="stranger")


def test_organisations_and_persons_are_registered() -> None:
    ledger = new_ledger()
    accepted = ledger.submit(acme(roles=("supplier", "issuer")), REGISTRAR)
    event = accepted.event(events.PartyRegistered)
    assert (event.party, event.kind, event.roles) == (
        "acme",
        "organisation",
        ("issuer", "supplier"),
    )
    ledger.submit(somebody(), REGISTRAR)
    person = queries.party(ledger.state, "somebody")
    assert (person.kind, person.person, person.name) == ("person", bytes(range(32)).hex(), "")
    abroad = acme(id="abroad", key=key_of("abroad").public, uscc="", registration="KR 110111-1")
    ledger.submit(abroad, REGISTRAR)
    suppliers = queries.parties_with_role(ledger.state, "supplier")
    assert [party.id for party in suppliers] == ["acme", "supplier"]
    refused("identity.party.unknown", lambda: queries.party(ledger.state, "nobody"))


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("core.id", acme(id="-acme")),
        ("identity.party.taken", acme(id="owner")),
        ("identity.key.taken", acme(key=key_of("owner").public)),
        ("keys.public.small_order", acme(key=SMALL_ORDER_KEY)),
        ("identity.party.organisation_fields", acme(name="")),
        ("identity.party.organisation_fields", acme(person=bytes(32))),
        ("identity.party.organisation_fields", acme(registration="KR 110111-1")),
        ("identity.party.person_fields", somebody(person=None)),
        ("identity.party.person_fields", somebody(name="A name")),
        ("identity.party.person_fields", somebody(uscc=USCC)),
        ("identity.party.person_fields", somebody(registration="KR 110111-1")),
        ("core.uscc_check", acme(uscc=USCC[:-1] + ("1" if USCC[-1] != "1" else "2"))),
        ("identity.not_canonical", acme(uscc=USCC.lower())),
        ("identity.role.unknown", acme(roles=("emperor",))),
        ("identity.role.unknown", acme(roles=("party",))),
        ("identity.role.repeated", acme(roles=("issuer", "issuer"))),
        ("transaction.fields", acme(kind="ghost")),
        ("transaction.fields", acme(name="bell\x07")),
        ("transaction.fields", acme(name="line\n")),
        ("transaction.fields", acme(key=bytes(31))),
    ],
)
def test_registration_refusals(code: str, body: RegisterParty) -> None:
    ledger = new_ledger()
    size = ledger.size
    submit_refused(ledger, code, body)
    assert ledger.size == size
    assert queries.holder_of(ledger.state, key_of("acme").public) is None


def test_a_uscc_belongs_to_one_party_until_that_is_revoked() -> None:
    ledger = new_ledger()
    ledger.submit(acme(), REGISTRAR)
    twin = acme(id="twin", key=key_of("twin").public)
    submit_refused(ledger, "identity.party.uscc_taken", twin)
    ledger.submit(RevokeParty(party="acme"), REGISTRAR)
    ledger.submit(twin, REGISTRAR)


def test_only_the_registrar_registers() -> None:
    ledger = new_ledger()
    submit_refused(ledger, "identity.role.missing", acme(), signer="owner")
    submit_refused(ledger, "identity.key.unknown", acme(), signer="stranger")


def test_roles_are_granted_and_taken_away() -> None:
    ledger = new_ledger()
    granted = ledger.submit(GrantRole(party="owner", role="supplier"), REGISTRAR)
    assert granted.event(events.RoleGranted).role == "supplier"
    ledger.submit(GrantRole(party="owner", role="consumer"), REGISTRAR)
    assert queries.party(ledger.state, "owner").roles == ("consumer", "supplier")
    submit_refused(ledger, "identity.role.held", GrantRole(party="owner", role="supplier"))
    submit_refused(ledger, "identity.role.unknown", GrantRole(party="owner", role="emperor"))
    submit_refused(ledger, "identity.party.unknown", GrantRole(party="nobody", role="supplier"))
    taken = ledger.submit(RevokeRole(party="owner", role="supplier"), REGISTRAR)
    assert taken.event(events.RoleRevoked).party == "owner"
    assert queries.party(ledger.state, "owner").roles == ("consumer",)
    assert "owner" not in [p.id for p in queries.parties_with_role(ledger.state, "supplier")]
    submit_refused(ledger, "identity.role.not_held", RevokeRole(party="owner", role="supplier"))
    submit_refused(ledger, "identity.role.unknown", RevokeRole(party="owner", role="emperor"))
    ledger.submit(RevokeParty(party="owner"), REGISTRAR)
    submit_refused(ledger, "identity.party.revoked", GrantRole(party="owner", role="supplier"))


def test_the_last_registrar_stays() -> None:
    ledger = new_ledger()
    steps = (
        RevokeRole(party="registrar", role="registrar"),
        SuspendParty(party="registrar"),
        RevokeParty(party="registrar"),
    )
    for body in steps:
        submit_refused(ledger, "identity.role.last_registrar", body)
    organisation(ledger, "second", "registrar")
    ledger.submit(SuspendParty(party="second"), REGISTRAR)
    for body in steps:
        submit_refused(ledger, "identity.role.last_registrar", body)
    ledger.submit(ReinstateParty(party="second"), REGISTRAR)
    ledger.submit(SuspendParty(party="registrar"), REGISTRAR)
    submit_refused(
        ledger, "identity.role.last_registrar", RevokeParty(party="second"), signer="second"
    )
    ledger.submit(RevokeParty(party="registrar"), key_of("second"))


def test_a_suspended_party_does_not_sign_until_it_is_reinstated() -> None:
    ledger = new_ledger()
    organisation(ledger, "second", "registrar")
    suspended = ledger.submit(SuspendParty(party="second", reason="under review"), REGISTRAR)
    assert suspended.event(events.PartySuspended).by == "registrar"
    submit_refused(ledger, "identity.party.suspended", acme(), signer="second")
    submit_refused(ledger, "identity.party.suspended", SuspendParty(party="second"))
    reinstated = ledger.submit(ReinstateParty(party="second"), REGISTRAR)
    assert reinstated.event(events.PartyReinstated).party == "second"
    submit_refused(ledger, "identity.party.not_suspended", ReinstateParty(party="second"))
    ledger.submit(acme(), key_of("second"))


def test_a_revoked_party_never_signs_again() -> None:
    ledger = new_ledger()
    organisation(ledger, "second", "registrar")
    revoked = ledger.submit(RevokeParty(party="second"), REGISTRAR)
    assert revoked.event(events.PartyRevoked).party == "second"
    submit_refused(ledger, "identity.party.revoked", acme(), signer="second")
    for body in (
        SuspendParty(party="second"),
        ReinstateParty(party="second"),
        RevokeParty(party="second"),
    ):
        submit_refused(ledger, "identity.party.revoked", body)
    for body in (
        SuspendParty(party="nobody"),
        ReinstateParty(party="nobody"),
        RevokeParty(party="nobody"),
    ):
        submit_refused(ledger, "identity.party.unknown", body)
