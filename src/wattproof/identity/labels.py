"""What roles and statuses are called on pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from wattproof.core.errors import Lang
from wattproof.identity.lifecycle import DEVICE_STATUSES, PARTY_STATUSES
from wattproof.identity.model import Key
from wattproof.identity.roles import ROLES
from wattproof.keys.did import did_of

__all__ = ["ShownKey", "keys", "roles", "statuses"]


class ShownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, and from which log entry it signs, or signed, until which."""

    did: str
    since: int
    until: int | None


def keys(held: Iterable[Key]) -> list[ShownKey]:
    """Keys as pages show them, the newest first."""
    shown = [
        ShownKey(did=did_of(key.key), since=key.since_entry, until=key.retired_entry)
        for key in held
    ]
    return shown[::-1]


def roles(lang: Lang) -> Mapping[str, str]:
    """The names of the roles, by what they are called on the ledger."""
    return {name: role.zh if lang == "zh" else role.en for name, role in ROLES.items()}


def statuses(lang: Lang) -> Mapping[str, str]:
    """The names of the statuses of parties and devices, in the order of a device's life."""
    both = {**DEVICE_STATUSES, **PARTY_STATUSES}
    return {name: words[lang == "zh"] for name, words in both.items()}
