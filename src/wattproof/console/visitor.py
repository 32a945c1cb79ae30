"""Who looks at a page: the session, the language and the look, worked out once a request.

The middleware puts a `Visitor` and an `Actor` into the request's state before any handler or guard
runs. A form that changes something must come from this site and carry the session's token; any
other is refused before it reaches its handler.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from wattproof.console.refusals import FORGED
from wattproof.console.users import Session, Users
from wattproof.core.actor import Actor
from wattproof.core.errors import Lang
from wattproof.gateway.access import ACTOR_KEY, ANYBODY, SIGN_IN_NEEDED
from wattproof.gateway.language import language_of

__all__ = ["LANGUAGE_COOKIE", "SESSION_COOKIE", "THEME_COOKIE", "TOUR_COOKIE", "VISIT_COOKIE",
           "RolesOf", "Theme", "Visitor", "VisitorMiddleware", "Visitors", "check_form",
           "now_s"]  # fmt: skip

SESSION_COOKIE: Final = "wattproof_session"
VISIT_COOKIE: Final = "wattproof_visit"
"""Holds the token that the sign-in form must carry, before there is a session."""
LANGUAGE_COOKIE: Final = "wattproof_lang"
THEME_COOKIE: Final = "wattproof_theme"
TOUR_COOKIE: Final = "wattproof_tour"
"""Is there once the visitor has put the short tour away."""
STATE_KEY: Final = "visitor"
MAX_COOKIES: Final = 16_384
"""So many characters of a request's cookies are read."""
VISIT_CHARACTERS: Final = 64

Theme = Literal["auto", "light", "dark"]
RolesOf = Callable[[str], tuple[str, ...] | None]
"""The ledger's roles of a party; None when it may not act (unknown, suspended, revoked)."""


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
    wants_tour: bool = True
    fresh_visit: bool = False

    @property
    def signed_in(self) -> bool:
        """Whether somebody is signed in."""
        return self.session is not None

    @property
    def signed_in_as(self) -> Session:
        """The session. Raises ``gateway.sign_in_needed`` where there is none.

        A guard stands before every page, but on a node without accounts it lets everybody pass.
        """
        if self.session is None:
            raise SIGN_IN_NEEDED()
        return self.session

    def has_role(self, *roles: str) -> bool:
        """Whether the visitor holds one of the roles on the ledger."""
        return any(role in self.actor.roles for role in roles)


_PATH_SAFE: Final = "/-._~!$&'()*+,;=:@"
"""What stands for itself in a path (RFC 3986, 3.3)."""


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
        visit = cookies.get(VISIT_COOKIE, "")[:VISIT_CHARACTERS]
        query = scope["query_string"].decode("latin-1")
        path = quote(scope["path"], safe=_PATH_SAFE)
        return Visitor(
            session=session,
            actor=self._actor(session),
            lang=_language(cookies.get(LANGUAGE_COOKIE), session, headers.get(b"accept-language")),
            theme=_theme(cookies.get(THEME_COOKIE)),
            csrf=session.csrf if session else visit or secrets.token_urlsafe(24),
            path=path + (f"?{query}" if query else ""),
            wants_tour=TOUR_COOKIE not in cookies,
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
    foreign = origin is not None and urlsplit(origin).netloc != host
    same = secrets.compare_digest(csrf.encode(), visitor.csrf.encode())
    if foreign or visitor.fresh_visit or not same:
        raise FORGED()


def _cookies(header: str) -> dict[str, str]:
    """The cookies of a request. Others on the same host may hold anything; ours are plain words."""
    pairs = (part.partition("=") for part in header[:MAX_COOKIES].split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _language(cookie: str | None, session: Session | None, accept: str | None) -> Lang:
    if cookie in ("en", "zh"):
        return "zh" if cookie == "zh" else "en"
    if session is not None and session.user.lang is not None:
        return session.user.lang
    return language_of(accept)


def _theme(cookie: str | None) -> Theme:
    if cookie in ("light", "dark"):
        return "dark" if cookie == "dark" else "light"
    return "auto"
