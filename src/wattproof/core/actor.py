"""Who acts: the plain value in which a signer or a signed-in user reaches rules and frames."""

from __future__ import annotations

import msgspec

__all__ = ["Actor"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """The holder of the key that signed a transaction, or of the session that asks.

    `kind` is ``party`` (an organisation or a person), ``device`` or ``nobody`` (an unknown key);
    `roles` is sorted; a device has none.
    """

    kind: str
    id: str
    roles: tuple[str, ...] = ()
