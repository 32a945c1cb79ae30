"""Who looks at a page: the session, the language and the look, worked out once a request.

The middleware puts a `Visitor` and an `Actor` into the request's state before any handler or guard
runs. A form that changes something must come from this site and carry the session's token; any
other is refused before it reaches its handler.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from wattproof.console.users import Session, Users
from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, Lang, Unauthorised
from wattproof.gateway.access import ACTOR_KEY, ANYBODY
from wattproof.gateway.language import language_of

__all__ = ["LANGUAGE_COOKIE", "SESSION_COOKIE", "THEME_COOKIE", "VISIT_COOKIE", "RolesOf", "Theme",
           "Visitor", "VisitorMiddleware", "Visitors", "check_form", "now_s"]  # fmt: skip

SESSION_COOKIE: Final = "wattproof_session"
VISIT_COOKIE: Final = "wattproof_visit"
"""Holds the token that the sign-in form must carry, before there is a session."""
LANGUAGE_COOKIE: Final = "wattproof_lang"
THEME_COOKIE: Final = "wattproof_theme"
STATE_KEY: Final = "visitor"

Theme = Literal["auto", "light", "dark"]
RolesOf = Callable[[str], tuple[str, ...] | None]
"""The ledger's roles of a party; None when it may not act (unknown, suspended, revoked)."""

FORGED = ErrorCode(
    Unauthorised,
    "console.form",
    en="This form does not come from your session here; load the page again and retry.",
    zh="该表单不属于您在此处的会话，请重新打开页面后再试。",
)


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: signed in or not, as which party with which roles, in which language and look.

    `csrf` is what every form must carry; `path` is the page's own address, with its query.
    """

    session: Session | None
    actor: Actor
    lang: Lang
    theme: Theme
    csrf: str
    path: str
    fresh_visit: bool = False

    @property
    def signed_in(self) -> bool:
        """Whether somebody is signed in."""
        return self.session is not None

    def has_role(self, *roles: str) -> bool:
        """Whether the visitor holds one of the roles on the ledger."""
        return any(role in self.actor.roles for role in roles)


def now_s() -> int:
    """The clock, in Unix seconds."""
    return int(time.time())


class Visitors:
    """Tells of a request who makes it."""

    def __init__(self, *, users: Users, roles_of: RolesOf) -> None:
        self._users = users
        self._roles_of = roles_of

    def of(self, scope: Scope) -> Visitor:
        """The visitor of a request, worked out once and kept in its state."""
        state: dict[str, Any] = scope["state"]
        visitor: Visitor | None = state.get(STATE_KEY)
        if visitor is None:
            visitor = state[STATE_KEY] = self._visitor(scope)
            state[ACTOR_KEY] = visitor.actor
        return visitor

    def _visitor(self, scope: Scope) -> Visitor:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        cookies = _cookies(headers.get(b"cookie", ""))
        token = cookies.get(SESSION_COOKIE, "")
        session = self._users.session(token, now_s=now_s()) if token else None
        visit = cookies.get(VISIT_COOKIE, "")
        query = scope["query_string"].decode("latin-1")
        return Visitor(
            session=session,
            actor=self._actor(session),
            lang=_language(cookies.get(LANGUAGE_COOKIE), session, headers.get(b"accept-language")),
            theme=_theme(cookies.get(THEME_COOKIE)),
            csrf=session.csrf if session else visit or secrets.token_urlsafe(24),
            path=scope["path"] + (f"?{query}" if query else ""),
            fresh_visit=session is None and not visit,
        )

    def _actor(self, session: Session | None) -> Actor:
        if session is None:
            return ANYBODY
        roles = self._roles_of(session.user.party)
        return Actor(kind="party", id=session.user.party, roles=roles or ())


class VisitorMiddleware:
    """Works out the visitor of each request before any guard runs (ASGI)."""

    def __init__(self, app: ASGIApp, *, visitors: Visitors) -> None:
        self._app = app
        self._visitors = visitors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == ScopeType.HTTP:
            self._visitors.of(scope)
        await self._app(scope, receive, send)


def check_form(visitor: Visitor, *, csrf: str, origin: str | None, host: str | None) -> None:
    """Raise `Unauthorised` unless a form is this visitor's own.

    `csrf` is what the form carried; `origin` and `host` are the request's headers.
    """
    foreign = origin is not None and origin != "null" and urlsplit(origin).netloc != host
    if foreign or visitor.fresh_visit or not secrets.compare_digest(csrf, visitor.csrf):
        raise FORGED()


def _cookies(header: str) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header[:8192])
    except Exception:  # a header that is no cookie header at all
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _language(cookie: str | None, session: Session | None, accept: str | None) -> Lang:
    if cookie in ("en", "zh"):
        return "zh" if cookie == "zh" else "en"
    if session is not None:
        return session.user.lang
    return language_of(accept)


def _theme(cookie: str | None) -> Theme:
    if cookie in ("light", "dark"):
        return "dark" if cookie == "dark" else "light"
    return "auto"
