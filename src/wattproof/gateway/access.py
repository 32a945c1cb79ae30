"""Who may read what: the one place through which every read passes, with who is asking.

Whoever signs people in (the console) puts their `Actor` into the request's state under
`ACTOR_KEY`; without that, everybody is `ANYBODY`. A node whose `Policy` is open lets anybody read
everything: it serves one operator on a machine of its own. On any other node

- `guard` stands before every route and lets `ANYBODY` reach only those marked ``public``;
- a handler that shows what belongs to a party asks `require_sight` first: `SEES_ALL` see all,
  everybody else sees what is their own.

Submitting is not a read: a transaction carries its own signature, and its rule says who may. What
proves a record (hash tiles, checkpoints, the receipt and proof of a transaction whose id one has)
is public everywhere; the entries' own bytes are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, Unauthorised

__all__ = ["ACTOR_KEY", "ANYBODY", "PUBLIC", "SEES_ALL", "SIGN_IN_NEEDED", "Policy", "actor_of",
           "guard", "may_see", "require_all", "require_sight"]  # fmt: skip

ACTOR_KEY: Final = "actor"
"""Where a request's state holds who is asking."""

PUBLIC: Final[dict[str, Any]] = {"public": True}
"""The `opt` of a route that anybody may reach."""

PUBLIC_PATHS: Final = ("/api/v1/schema", "/static/")
"""Below these paths everything is public: what is served is the same for everybody."""

ANYBODY: Final = Actor(kind="nobody", id="")
"""Whoever asks without having signed in."""

SEES_ALL: Final = ("auditor", "metering_authority", "registrar", "regulator", "verifier")
"""Roles on the ledger that see what belongs to others."""

Policy = Callable[[], bool]
"""Whether the node is open at this moment: anybody may read everything."""

Connection = ASGIConnection[Any, Any, Any, Any]


class SignInNeeded(Unauthorised):
    """Nobody is signed in."""

    http_status = 401


SIGN_IN_NEEDED = ErrorCode(
    SignInNeeded,
    "gateway.sign_in_needed",
    en="Sign in to see this.",
    zh="请先登录再查看。",
)
NOT_YOURS = ErrorCode(
    Unauthorised,
    "gateway.not_yours",
    en="This belongs to somebody else.",
    zh="该内容属于其他主体，您无权查看。",
)


def actor_of(connection: Connection) -> Actor:
    """Who is asking."""
    actor: Actor = connection.scope["state"].get(ACTOR_KEY, ANYBODY)
    return actor


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request reach its handler, or raise ``gateway.sign_in_needed``.

    A coroutine, because Litestar would run a plain function in another thread.
    """
    public = handler.opt.get("public") or connection.scope["path"].startswith(PUBLIC_PATHS)
    if public or connection.app.state.open_to_anybody():
        return
    if actor_of(connection) is ANYBODY:
        raise SIGN_IN_NEEDED()


def require_all(connection: Connection) -> None:
    """Raise unless whoever asks may see what belongs to everybody."""
    if connection.app.state.open_to_anybody():
        return
    actor = actor_of(connection)
    if actor is ANYBODY:
        raise SIGN_IN_NEEDED()
    if not any(role in SEES_ALL for role in actor.roles):
        raise NOT_YOURS()


def may_see(actor: Actor, parties: Iterable[str]) -> bool:
    """Whether `actor` may see what belongs to one of `parties` (their ids).

    On an open node everybody is `ANYBODY`, whom the guard let through.
    """
    if actor is ANYBODY or any(role in SEES_ALL for role in actor.roles):
        return True
    return actor.id in parties


def require_sight(actor: Actor, parties: Iterable[str]) -> None:
    """Raise ``gateway.not_yours`` unless `actor` may see what belongs to one of `parties`."""
    if not may_see(actor, parties):
        raise NOT_YOURS()
