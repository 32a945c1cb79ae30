"""Who may read what: the one place through which every read passes, with who is asking.

Whoever knows who is signed in (a middleware of the console) puts the `Actor` into the request's
state under `ACTOR_KEY`; without one, `ANYBODY` asks. For now every read is allowed. To tighten
that, `guard` and `require_sight` will refuse; handlers need not change, because they all pass here
already:

- `guard` stands before every route of the application;
- a handler that shows what belongs to a party asks `require_sight` first.

Submitting is not a read: a transaction carries its own signature, and its rule says who may.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, Unauthorised

__all__ = ["ACTOR_KEY", "ANYBODY", "actor_of", "guard", "require_sight"]

ACTOR_KEY: Final = "actor"
"""Where a request's state says who asks."""

ANYBODY: Final = Actor(kind="nobody", id="")
"""Whoever asks without having signed in."""

NOT_YOURS = ErrorCode(
    Unauthorised,
    "gateway.not_yours",
    en="You may not see this record.",
    zh="您无权查看该记录。",
)

Connection = ASGIConnection[Any, Any, Any, Any]


def actor_of(connection: Connection) -> Actor:
    """Who is asking."""
    actor = connection.scope["state"].get(ACTOR_KEY, ANYBODY)
    assert isinstance(actor, Actor), actor
    return actor


def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Let a request reach its handler, or raise `Unauthorised`. Allows all for now."""
    actor_of(connection)


def require_sight(actor: Actor, parties: Iterable[str]) -> None:
    """Raise `NOT_YOURS` unless `actor` may see what belongs to one of `parties` (their ids)."""
    if not _may_see(actor, parties):
        raise NOT_YOURS()


def _may_see(_actor: Actor, _parties: Iterable[str]) -> bool:
    """Everybody may see everything, for now."""
    return True
