"""What somebody may do next with a party or a device, from the tables that are enforced."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from wattproof.core.actor import Actor
from wattproof.identity import queries
from wattproof.identity.lifecycle import PARTY_TRANSITIONS, TRANSITIONS
from wattproof.identity.model import Device, Party
from wattproof.ledger.state import Reading

__all__ = ["Action", "Step", "device_actions", "next_steps", "party_actions"]

# Who takes which step, besides what the rules themselves check again.
_DEVICE_ROLES: Final = {
    "authenticate": ("metering_authority", "importer"),
    "associate": ("metering_authority",),
    "suspend": ("metering_authority", "registrar"),
    "reinstate": ("metering_authority", "registrar"),
    "revoke": ("metering_authority", "registrar"),
}
_OWNER: Final = ("confirm", "associate", "suspend", "reinstate", "revoke")
_PARTY_ACTIONS: Final = ("suspend", "reinstate", "revoke")


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be done: its name, as in the address of its form."""

    name: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A device that waits, and for what."""

    device: Device
    action: str


def device_actions(device: Device, actor: Actor) -> tuple[Action, ...]:
    """What `actor` may do with a device in its present status."""
    return tuple(
        Action(name=step.action)
        for step in TRANSITIONS
        if device.status in step.sources and _may(device, actor, step.action)
    )


def party_actions(party: Party, actor: Actor) -> tuple[Action, ...]:
    """What `actor` may do with a party in its present status."""
    if "registrar" not in actor.roles:
        return ()
    return tuple(
        Action(name=step.action)
        for step in PARTY_TRANSITIONS
        if step.action in _PARTY_ACTIONS and party.status in step.sources
    )


def next_steps(reading: Reading, actor: Actor, *, limit: int) -> list[Step]:
    """The devices that wait for `actor`, at most `limit`, those to be authenticated first."""
    return list(islice(_steps(reading, actor), limit))


def _steps(reading: Reading, actor: Actor) -> Iterator[Step]:
    for device in queries.devices_by_status(reading, "enrolled"):
        if _may(device, actor, "authenticate"):
            yield Step(device=device, action="authenticate")
    if not actor.id:
        return
    for device in queries.devices_by_owner(reading, actor.id):
        if device.status == "authenticated":
            yield Step(device=device, action="confirm")
        elif device.status == "active" and not device.point:
            yield Step(device=device, action="associate")


def _may(device: Device, actor: Actor, action: str) -> bool:
    if action == "authenticate" and device.owner == actor.id and "importer" not in actor.roles:
        return False
    if any(role in actor.roles for role in _DEVICE_ROLES.get(action, ())):
        return True
    return action in _OWNER and device.owner == actor.id
