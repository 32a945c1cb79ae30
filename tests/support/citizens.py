"""People on a served site: registered by a salted hash, with an account and, later, a node."""

from __future__ import annotations

import hashlib
from datetime import date

from tests.support.site import PASSWORD, Site

from wattproof.emissions.people.day import packet_of
from wattproof.emissions.people.own_node import PURPOSE, enrolment, own_node
from wattproof.identity.model import AuthenticateDevice, ConfirmDevice, RegisterParty
from wattproof.keys.derived import derived_key
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction

__all__ = ["active_node", "citizen", "citizen_with_node", "declare", "key_of_citizen", "submit"]

ZONE = "Asia/Shanghai"


def submit(site: Site, body: Body, key: SigningKey) -> Receipt:
    """Sign and submit, which must go well."""
    raw = sign_transaction(body, key, ledger_id=site.writer.ledger_id)
    (answer,) = site.writer.engine.submit_many([raw])
    assert isinstance(answer, Receipt), answer
    return answer


def key_of_citizen(name: str) -> SigningKey:
    """The signing key of a person of that name."""
    return SigningKey.from_seed(hashlib.sha256(f"citizen {name}".encode()).digest())


def citizen(site: Site, name: str, *, keeps_key: bool = True) -> SigningKey:
    """A person of that name, and an account that acts for it."""
    key = key_of_citizen(name)
    person = hashlib.sha256(f"salt {name}".encode()).digest()
    body = RegisterParty(id=name, kind="person", key=key.public, person=person)
    submit(site, body, site.key_of("operator"))
    with site.users() as users:
        users.add(name, password=PASSWORD, party=name, key=key if keeps_key else None)
    return key


def citizen_with_node(site: Site, name: str) -> SigningKey:
    """A person whose node may declare days."""
    key = citizen(site, name)
    active_node(site, key, owner=name, owner_key=key)
    return key


def active_node(site: Site, key: SigningKey, *, owner: str, owner_key: SigningKey) -> None:
    """The node that follows from `key`, enrolled, authenticated and confirmed."""
    node = own_node(site.writer.store, key)
    submit(site, enrolment(node, owner=owner, zone=ZONE), derived_key(key, PURPOSE))
    authority = site.key_of("metering")
    submit(site, AuthenticateDevice(device=node.id, evidence=bytes(32)), authority)
    submit(site, ConfirmDevice(device=node.id), owner_key)


def declare(site: Site, key: SigningKey, day: date, grams: int) -> None:
    """A day on the log, as the page would put it there."""
    stream = own_node(site.writer.store, key).stream
    submit(site, packet_of(stream, day, grams, zone=ZONE), derived_key(key, PURPOSE))
