"""Replacing a key: proof of possession, and the old key's end."""

from __future__ import annotations

import pytest
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.people import active_meter, enrolled_meter, new_ledger
from tests.support.refusals import submit_refused

from wattproof.identity import events, queries
from wattproof.identity.model import (
    EnrolDevice,
    GrantRole,
    RotateKey,
    SuspendDevice,
    rotation_message,
)
from wattproof.keys.did import did_of
from wattproof.keys.ed25519 import SigningKey

OLD = key_of("owner")
NEW = key_of("owner 2")


def rotation(
    holder: str,
    *,
    old: SigningKey,
    new: SigningKey,
    prover: SigningKey | None = None,
) -> RotateKey:
    message = rotation_message(old_key=old.public, new_key=new.public, holder=holder)
    return RotateKey(new_key=new.public, proof=(prover or new).sign(message))


@pytest.fixture
def ledger() -> MemoryLedger:
    return new_ledger()


def test_the_message_that_the_new_key_signs() -> None:
    message = rotation_message(old_key=b"o" * 32, new_key=b"n" * 32, holder="表")
    assert message == b"wattproof rotate v1" + b"o" * 32 + b"n" * 32 + "表".encode()


def test_a_party_goes_on_with_its_new_key(ledger: MemoryLedger) -> None:
    accepted = ledger.submit(rotation("owner", old=OLD, new=NEW), OLD)
    event = accepted.event(events.KeyRotated)
    assert (event.kind, event.holder) == ("party", "owner")
    assert (event.old_did, event.new_did) == (did_of(OLD.public), did_of(NEW.public))
    assert queries.party(ledger.state, "owner").did == did_of(NEW.public)
    keys = queries.keys_of(ledger.state, kind="party", holder="owner")
    assert [key.key for key in keys] == [OLD.public, NEW.public]
    assert [key.retired_entry for key in keys] == [accepted.index, None]
    third = key_of("owner 3")
    submit_refused(ledger, "identity.key.retired", rotation("owner", old=OLD, new=third), "owner")
    ledger.submit(rotation("owner", old=NEW, new=third), NEW)


def test_a_device_goes_on_with_its_new_key(ledger: MemoryLedger) -> None:
    active_meter(ledger)
    old, new = key_of("meter"), key_of("meter 2")
    ledger.submit(rotation("meter", old=old, new=new), old)
    assert queries.device(ledger.state, "meter").did == did_of(new.public)
    holder = queries.holder_of(ledger.state, new.public)
    assert holder is not None
    assert (holder.kind, holder.holder) == ("device", "meter")


def test_a_retired_key_is_never_taken_up_again(ledger: MemoryLedger) -> None:
    ledger.submit(rotation("owner", old=OLD, new=NEW), OLD)
    submit_refused(ledger, "identity.key.taken", rotation("owner", old=NEW, new=OLD), "owner 2")
    enrol = EnrolDevice(id="m", owner="owner", quantity="co2", zone="Asia/Shanghai")
    submit_refused(ledger, "identity.key.retired", enrol, "owner")


def test_the_new_key_must_be_in_the_holders_hands(ledger: MemoryLedger) -> None:
    by_old = rotation("owner", old=OLD, new=NEW, prover=OLD)
    for_other_holder = rotation("supplier", old=OLD, new=NEW)
    for_other_key = rotation("owner", old=key_of("supplier"), new=NEW)
    for body in (by_old, for_other_holder, for_other_key):
        submit_refused(ledger, "identity.key.possession", body, "owner")
    assert queries.holder_of(ledger.state, NEW.public) is None


def test_weak_and_foreign_keys_are_refused(ledger: MemoryLedger) -> None:
    weak = RotateKey(new_key=bytes([1]) + bytes(31), proof=bytes(64))
    submit_refused(ledger, "keys.public.small_order", weak, "owner")
    submit_refused(
        ledger, "identity.key.taken", rotation("owner", old=OLD, new=key_of("supplier")), "owner"
    )
    same = rotation("owner", old=OLD, new=OLD)
    submit_refused(ledger, "identity.key.taken", same, "owner")


def test_only_who_may_sign_may_rotate(ledger: MemoryLedger) -> None:
    enrolled_meter(ledger, "waiting")
    body = rotation("waiting", old=key_of("waiting"), new=NEW)
    submit_refused(ledger, "identity.device.not_authenticated", body, "waiting")
    active_meter(ledger)
    ledger.submit(SuspendDevice(device="meter"), key_of("owner"))
    body = rotation("meter", old=key_of("meter"), new=NEW)
    submit_refused(ledger, "identity.device.suspended", body, "meter")
    submit_refused(ledger, "identity.key.unknown", body, "stranger")


def test_roles_stay_with_the_party(ledger: MemoryLedger) -> None:
    old, new = key_of("registrar"), key_of("registrar 2")
    ledger.submit(rotation("registrar", old=old, new=new), old)
    ledger.submit(GrantRole(party="owner", role="supplier"), new)
    grant = GrantRole(party="owner", role="consumer")
    submit_refused(ledger, "identity.key.retired", grant, "registrar")
