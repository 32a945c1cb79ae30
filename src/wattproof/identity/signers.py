"""Who signed: from the key of a transaction to the party or device that acts."""

from __future__ import annotations

from wattproof.core.actor import Actor
from wattproof.identity.lifecycle import device_after, party_after
from wattproof.identity.model import DEVICES, KEYS, PARTIES, Device, Key, Party
from wattproof.identity.refusals import (
    KEY_RETIRED,
    KEY_UNKNOWN,
    NOT_A_DEVICE,
    NOT_A_PARTY,
    ROLE_MISSING,
)
from wattproof.keys.did import did_of
from wattproof.ledger.machine import Context

__all__ = ["DeviceActor", "PartyActor", "active_device", "authorise", "party"]

_STRANGER = Actor(kind="nobody", id="")


class DeviceActor(Actor, frozen=True, kw_only=True):
    """A device that signs, with its record as it was when the transaction began."""

    device: Device


class PartyActor(Actor, frozen=True, kw_only=True):
    """A party that signs, with its record as it was when the transaction began."""

    party: Party


def authorise(ctx: Context, by: tuple[str, ...]) -> Actor:
    """Who signed the transaction, if one of the names in `by` fits.

    Raises `Unauthorised` for a key that is unknown (unless ``anyone`` may sign) or was replaced,
    for a suspended or revoked party, and where no name fits; for a device that is not active, the
    `Conflict` that says what it lacks. Two reads of the state.
    """
    key = ctx.state.get(KEYS, ctx.signer)
    if key is None:
        if "anyone" in by:
            return _STRANGER
        raise KEY_UNKNOWN(did=did_of(ctx.signer))
    if key.retired_entry is not None:
        raise KEY_RETIRED(did=did_of(ctx.signer), holder=key.holder, entry=key.retired_entry)
    if key.kind == "device":
        return _device_actor(ctx, key, by)
    return _party_actor(ctx, key, by)


def active_device(ctx: Context) -> Device:
    """The device that signed; raises why it cannot report when it is not an active device."""
    actor = ctx.actor
    if not isinstance(actor, DeviceActor):
        raise NOT_A_DEVICE()
    return actor.device


def party(ctx: Context) -> Party:
    """The active party that signed; raises ``identity.signer.not_party`` for anybody else."""
    actor = ctx.actor
    if not isinstance(actor, PartyActor):
        raise NOT_A_PARTY()
    return actor.party


def _device_actor(ctx: Context, key: Key, by: tuple[str, ...]) -> Actor:
    if "device" not in by and "anyone" not in by:
        raise NOT_A_PARTY()
    device = ctx.state.get(DEVICES, key.holder)
    assert device is not None, f"the key of device {key.holder} has no device"
    device_after(device, "report")
    return DeviceActor(kind="device", id=device.id, device=device)


def _party_actor(ctx: Context, key: Key, by: tuple[str, ...]) -> Actor:
    record = ctx.state.get(PARTIES, key.holder)
    assert record is not None, f"the key of party {key.holder} has no party"
    party_after(record, "sign")
    if "party" not in by and "anyone" not in by and not any(role in by for role in record.roles):
        if by == ("device",):
            raise NOT_A_DEVICE()
        raise ROLE_MISSING(party=record.id, roles=", ".join(by))
    return PartyActor(kind="party", id=record.id, roles=record.roles, party=record)
