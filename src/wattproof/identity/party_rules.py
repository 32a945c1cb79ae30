"""Rules of genesis, parties, roles and keys."""

from __future__ import annotations

from msgspec.structs import replace

from wattproof.core.codes import check_id, check_uscc
from wattproof.core.periods import check_zone_name
from wattproof.identity.events import (
    KeyRotated,
    PartyRegistered,
    PartyReinstated,
    PartyRevoked,
    PartySuspended,
    RoleGranted,
    RoleRevoked,
)
from wattproof.identity.lifecycle import party_after
from wattproof.identity.model import (
    DEVICES,
    KEYS,
    PARTIES,
    ROLE_HOLDERS,
    GrantRole,
    Key,
    Party,
    RegisterParty,
    ReinstateParty,
    RevokeParty,
    RevokeRole,
    RoleHolder,
    RotateKey,
    SuspendParty,
    rotation_message,
)
from wattproof.identity.refusals import (
    GENESIS_LATE,
    GENESIS_REGISTRAR,
    GENESIS_SIGNER,
    KEY_POSSESSION,
    KEY_TAKEN,
    LAST_REGISTRAR,
    NOT_CANONICAL,
    ORGANISATION_FIELDS,
    PARTY_REVOKED,
    PARTY_TAKEN,
    PARTY_UNKNOWN,
    PERSON_FIELDS,
    ROLE_HELD,
    ROLE_NOT_HELD,
    USCC_TAKEN,
)
from wattproof.identity.roles import check_roles
from wattproof.keys.did import did_of
from wattproof.keys.ed25519 import check_public, verify
from wattproof.ledger.genesis import Founder, Genesis
from wattproof.ledger.machine import Context

__all__ = [
    "find_party",
    "grant_role",
    "hold_key",
    "open_ledger",
    "register_party",
    "reinstate_party",
    "revoke_party",
    "revoke_role",
    "rotate_key",
    "suspend_party",
]


def open_ledger(ctx: Context, body: Genesis) -> None:
    """Make the founders the first parties; one of them, the registrar, must have signed."""
    if ctx.index != 0:
        raise GENESIS_LATE()
    check_zone_name(body.zone)
    check_public(body.log_key)
    registrar = next((founder for founder in body.founders if founder.id == body.registrar), None)
    if registrar is None or "registrar" not in registrar.roles:
        raise GENESIS_REGISTRAR(registrar=body.registrar)
    if registrar.key != ctx.signer:
        raise GENESIS_SIGNER(registrar=body.registrar)
    for founder in body.founders:
        _add_party(ctx, _founder_as_organisation(founder), founder.key)


def register_party(ctx: Context, body: RegisterParty) -> None:
    """Register an organisation or a person, with its key and first roles."""
    party = Party(
        id=body.id,
        kind=body.kind,
        did=did_of(body.key),
        registered_entry=ctx.index,
        name=body.name,
        uscc=body.uscc,
        registration=body.registration,
        person="" if body.person is None else body.person.hex(),
        roles=check_roles(body.roles),
    )
    _add_party(ctx, party, body.key)


def grant_role(ctx: Context, body: GrantRole) -> None:
    """Add a role to a party that is not revoked."""
    party = find_party(ctx, body.party)
    if party.status == "revoked":
        raise PARTY_REVOKED(party=party.id)
    roles = check_roles((body.role,))
    if body.role in party.roles:
        raise ROLE_HELD(party=party.id, role=body.role)
    ctx.state.put(PARTIES, replace(party, roles=tuple(sorted(party.roles + roles))))
    ctx.state.put(ROLE_HOLDERS, RoleHolder(role=body.role, party=party.id))
    ctx.emit(RoleGranted(party=party.id, role=body.role))


def revoke_role(ctx: Context, body: RevokeRole) -> None:
    """Take a role from a party; the last active registrar keeps its own."""
    party = find_party(ctx, body.party)
    check_roles((body.role,))
    if body.role not in party.roles:
        raise ROLE_NOT_HELD(party=party.id, role=body.role)
    if body.role == "registrar":
        _demand_other_registrar(ctx, party)
    ctx.state.put(PARTIES, replace(party, roles=tuple(r for r in party.roles if r != body.role)))
    ctx.state.delete(ROLE_HOLDERS, body.role, party.id)
    ctx.emit(RoleRevoked(party=party.id, role=body.role))


def suspend_party(ctx: Context, body: SuspendParty) -> None:
    """Suspend an active party; the last active registrar cannot be."""
    _move(ctx, body.party, "suspend")
    ctx.emit(PartySuspended(party=body.party, by=ctx.actor.id))


def reinstate_party(ctx: Context, body: ReinstateParty) -> None:
    """End a suspension."""
    _move(ctx, body.party, "reinstate")
    ctx.emit(PartyReinstated(party=body.party, by=ctx.actor.id))


def revoke_party(ctx: Context, body: RevokeParty) -> None:
    """Revoke a party for good; the last active registrar cannot be."""
    _move(ctx, body.party, "revoke")
    ctx.emit(PartyRevoked(party=body.party, by=ctx.actor.id))


def rotate_key(ctx: Context, body: RotateKey) -> None:
    """Put a new key in place of the signer's, if the new key has signed that it is held."""
    kind, holder = ctx.actor.kind, ctx.actor.id
    message = rotation_message(old_key=ctx.signer, new_key=body.new_key, holder=holder)
    did = did_of(body.new_key)
    hold_key(ctx, body.new_key, kind=kind, holder=holder)
    if not verify(body.new_key, message, body.proof):
        raise KEY_POSSESSION(did=did, holder=holder)
    old = ctx.state.get(KEYS, ctx.signer)
    assert old is not None, "a signer without a key"
    ctx.state.put(KEYS, replace(old, retired_entry=ctx.index))
    if kind == "device":
        device = ctx.state.get(DEVICES, holder)
        assert device is not None, f"no device {holder}"
        ctx.state.put(DEVICES, replace(device, did=did))
    else:
        ctx.state.put(PARTIES, replace(find_party(ctx, holder), did=did))
    ctx.emit(KeyRotated(kind=kind, holder=holder, old_did=did_of(ctx.signer), new_did=did))


def find_party(ctx: Context, id_: str) -> Party:
    """The party of that id, or ``identity.party.unknown``."""
    party = ctx.state.get(PARTIES, id_)
    if party is None:
        raise PARTY_UNKNOWN(party=id_)
    return party


def hold_key(ctx: Context, key: bytes, *, kind: str, holder: str) -> None:
    """Record a new key; raises for a weak key, and for one that is or was somebody's."""
    check_public(key)
    known = ctx.state.get(KEYS, key)
    if known is not None:
        raise KEY_TAKEN(did=did_of(key), holder=known.holder)
    ctx.state.put(KEYS, Key(key=key, kind=kind, holder=holder, since_entry=ctx.index))


def _founder_as_organisation(founder: Founder) -> Party:
    return Party(
        id=founder.id,
        kind="organisation",
        did=did_of(founder.key),
        registered_entry=0,
        name=founder.name,
        uscc=founder.uscc,
        roles=check_roles(founder.roles),
    )


def _add_party(ctx: Context, party: Party, key: bytes) -> None:
    check_id(party.id)
    if ctx.state.get(PARTIES, party.id) is not None:
        raise PARTY_TAKEN(party=party.id)
    _check_fields(party)
    if party.uscc:
        _check_uscc_free(ctx, party.uscc)
    hold_key(ctx, key, kind="party", holder=party.id)
    ctx.state.put(PARTIES, party)
    for role in party.roles:
        ctx.state.put(ROLE_HOLDERS, RoleHolder(role=role, party=party.id))
    ctx.emit(PartyRegistered(party=party.id, kind=party.kind, did=party.did, roles=party.roles))


def _check_fields(party: Party) -> None:
    if party.kind == "person":
        if not party.person or party.name or party.uscc or party.registration:
            raise PERSON_FIELDS()
    elif not party.name or party.person or (party.uscc and party.registration):
        raise ORGANISATION_FIELDS()


def _check_uscc_free(ctx: Context, uscc: str) -> None:
    canonical = check_uscc(uscc)
    if canonical != uscc:
        raise NOT_CANONICAL(canonical=canonical, text=uscc)
    for other in ctx.state.find(PARTIES, "uscc", uscc):
        if other.status != "revoked":
            raise USCC_TAKEN(uscc=uscc, party=other.id)


def _move(ctx: Context, id_: str, action: str) -> None:
    party = find_party(ctx, id_)
    target = party_after(party, action)
    if target != "active" and party.status == "active" and "registrar" in party.roles:
        _demand_other_registrar(ctx, party)
    ctx.state.put(PARTIES, replace(party, status=target))


def _demand_other_registrar(ctx: Context, party: Party) -> None:
    for holder in ctx.state.scan(ROLE_HOLDERS, "registrar"):
        if holder.party != party.id and find_party(ctx, holder.party).status == "active":
            return
    raise LAST_REGISTRAR(party=party.id)
