"""The life of a party and of a device, as tables that are printed and enforced.

    enrolled --authenticate--> authenticated --confirm--> active --suspend--> suspended
                                                             <---reinstate----
    any of these --revoke--> revoked, which is final

A device reports while it is active, and is associated while authenticated or active, so that a
metering authority may do both in one visit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode
from wattproof.identity.model import Device, Party
from wattproof.identity.refusals import (
    DEVICE_ALREADY_AUTHENTICATED,
    DEVICE_ALREADY_CONFIRMED,
    DEVICE_NOT_AUTHENTICATED,
    DEVICE_NOT_CONFIRMED,
    DEVICE_NOT_SUSPENDED,
    DEVICE_REVOKED,
    DEVICE_SUSPENDED,
    PARTY_NOT_SUSPENDED,
    PARTY_REVOKED,
    PARTY_SUSPENDED,
)

__all__ = [
    "DEVICE_STATUSES",
    "PARTY_STATUSES",
    "PARTY_TRANSITIONS",
    "TRANSITIONS",
    "Transition",
    "device_after",
    "party_after",
]


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """An action, the statuses in which it is allowed, and the status after it.

    An empty `target` leaves the status as it is.
    """

    action: str
    sources: tuple[str, ...]
    target: str = ""


DEVICE_STATUSES: Final[Mapping[str, tuple[str, str]]] = {
    "enrolled": ("waiting to be authenticated", "待认证"),
    "authenticated": ("waiting for its owner's confirmation", "待确权"),
    "active": ("active", "有效"),
    "suspended": ("suspended", "已暂停"),
    "revoked": ("revoked for good", "已永久注销"),
}
"""A device's statuses, in English and Chinese."""

PARTY_STATUSES: Final[Mapping[str, tuple[str, str]]] = {
    status: DEVICE_STATUSES[status] for status in ("active", "suspended", "revoked")
}
"""A party's statuses, in English and Chinese."""

TRANSITIONS: Final = (
    Transition(action="authenticate", sources=("enrolled",), target="authenticated"),
    Transition(action="confirm", sources=("authenticated",), target="active"),
    Transition(action="associate", sources=("authenticated", "active")),
    Transition(action="report", sources=("active",)),
    Transition(action="suspend", sources=("active",), target="suspended"),
    Transition(action="reinstate", sources=("suspended",), target="active"),
    Transition(
        action="revoke",
        sources=("enrolled", "authenticated", "active", "suspended"),
        target="revoked",
    ),
)
"""The life of a device; it begins ``enrolled``."""

PARTY_TRANSITIONS: Final = (
    Transition(action="sign", sources=("active",)),
    Transition(action="suspend", sources=("active",), target="suspended"),
    Transition(action="reinstate", sources=("suspended",), target="active"),
    Transition(action="revoke", sources=("active", "suspended"), target="revoked"),
)
"""The life of a party; it begins ``active``."""

_TARGETS: Final = {
    (step.action, source): step.target or source for step in TRANSITIONS for source in step.sources
}
_PARTY_TARGETS: Final = {
    (step.action, source): step.target or source
    for step in PARTY_TRANSITIONS
    for source in step.sources
}

# Why an action is refused: what the status lacks, unless the action asks for something else.
_REFUSALS: Final[Mapping[str, ErrorCode]] = {
    "enrolled": DEVICE_NOT_AUTHENTICATED,
    "authenticated": DEVICE_NOT_CONFIRMED,
    "suspended": DEVICE_SUSPENDED,
    "revoked": DEVICE_REVOKED,
}
_REPEATED: Final[Mapping[tuple[str, str], ErrorCode]] = {
    ("authenticate", "authenticated"): DEVICE_ALREADY_AUTHENTICATED,
    ("authenticate", "active"): DEVICE_ALREADY_AUTHENTICATED,
    ("confirm", "active"): DEVICE_ALREADY_CONFIRMED,
    ("reinstate", "active"): DEVICE_NOT_SUSPENDED,
}
_PARTY_REFUSALS: Final[Mapping[str, ErrorCode]] = {
    "active": PARTY_NOT_SUSPENDED,
    "suspended": PARTY_SUSPENDED,
    "revoked": PARTY_REVOKED,
}


def device_after(device: Device, action: str) -> str:
    """The device's status after `action`; raises the error that says why it is not allowed."""
    target = _TARGETS.get((action, device.status))
    if target is None:
        code = _REPEATED.get((action, device.status)) or _REFUSALS[device.status]
        raise code(device=device.id, owner=device.owner)
    return target


def party_after(party: Party, action: str) -> str:
    """The party's status after `action`; raises the error that says why it is not allowed."""
    target = _PARTY_TARGETS.get((action, party.status))
    if target is None:
        raise _PARTY_REFUSALS[party.status](party=party.id)
    return target
