"""Signing in and out, the password, the language, the look."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Router, get, post
from litestar.concurrency import sync_to_thread
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter
from litestar.response import Redirect, Response

from wattproof.console.frame import Frame
from wattproof.console.refusals import TOO_OFTEN
from wattproof.console.users import PASSWORD_CHARACTERS, Session, Users
from wattproof.console.visitor import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    THEME_COOKIE,
    TOUR_COOKIE,
    Visitor,
    check_form,
    now_s,
)
from wattproof.core.errors import Lang, Refused
from wattproof.gateway.limits import Buckets, RateLimit

__all__ = ["SIGN_IN_LIMIT", "form_checked", "local_path", "router"]

FOREVER_S: Final = 365 * 86_400
SIGN_IN_LIMIT: Final = RateLimit(per_second=1, burst=20, loopback=False)
"""Attempts to sign in that one address may make."""


class SignInForm(msgspec.Struct):
    """What the sign-in form sends."""

    login: str = ""
    password: str = ""
    csrf: str = ""
    next: str = "/"


class PasswordForm(msgspec.Struct):
    """What the password form sends."""

    old: str = ""
    new: str = ""
    csrf: str = ""


class ChoiceForm(msgspec.Struct):
    """What the buttons for language and look send."""

    csrf: str = ""
    back: str = "/"
    lang: str = ""
    theme: str = ""


Form = Body(media_type=RequestEncodingType.URL_ENCODED)


def local_path(path: str) -> str:
    """A path on this site to go to; the overview instead of anything that leads elsewhere."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isascii() and path.isprintable() else "/"


def form_checked(request: Request[Any, Any, Any], visitor: Visitor, csrf: str) -> None:
    """Raise `Unauthorised` unless the form is the visitor's own."""
    headers = request.headers
    check_form(visitor, csrf=csrf, origin=headers.get("origin"), host=headers.get("host"))


@get("/sign-in", include_in_schema=False, opt={"public": True})
async def show_sign_in(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    next_path: Annotated[str, QueryParameter(name="next", max_length=500)] = "/",
) -> Response[Any]:
    """The form."""
    if visitor.signed_in:
        return frame.go(local_path(next_path))
    return _form(frame, visitor, SignInForm(next=local_path(next_path)))


@post("/sign-in", include_in_schema=False, opt={"public": True})
async def sign_in(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    sign_ins: NamedDependency[Buckets],
    data: Annotated[SignInForm, Form],
) -> Response[Any]:
    """Open a session, or say why not."""
    form_checked(request, visitor, data.csrf)
    try:
        _take(sign_ins, request)
        session = await sync_to_thread(users.sign_in, data.login, data.password, now_s=now_s())
    except Refused as refusal:
        return _form(frame, visitor, data, refusal)
    if visitor.session is not None:
        users.sign_out(visitor.session.token)
    response = frame.go(local_path(data.next))
    response.set_cookie(_session_cookie(request, session))
    return response


@post("/sign-out", include_in_schema=False, opt={"public": True})
async def sign_out(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    data: Annotated[ChoiceForm, Form],
) -> Redirect:
    """End the session."""
    form_checked(request, visitor, data.csrf)
    if visitor.session is not None:
        users.sign_out(visitor.session.token)
    response = frame.go("/")
    response.delete_cookie(SESSION_COOKIE)
    return response


@get("/account", include_in_schema=False)
async def show_account(
    visitor: NamedDependency[Visitor], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Who is signed in, and the form for the password."""
    return _account(frame, visitor)


@post("/account/password", include_in_schema=False)
async def change_password(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    data: Annotated[PasswordForm, Form],
) -> Response[Any]:
    """Change the password; every other session ends."""
    session = visitor.signed_in_as
    form_checked(request, visitor, data.csrf)
    try:
        session = await sync_to_thread(
            users.change_password, session, old=data.old, new=data.new, now_s=now_s()
        )
    except Refused as refusal:
        return _account(frame, visitor, refusal)
    changed = msgspec.structs.replace(visitor, session=session, csrf=session.csrf)
    page = _account(frame, changed, done=True)
    page.set_cookie(_session_cookie(request, session))
    return page


@post("/language", include_in_schema=False, opt={"public": True})
async def set_language(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    users: NamedDependency[Users],
    data: Annotated[ChoiceForm, Form],
) -> Redirect:
    """Choose the language, here and in the account."""
    form_checked(request, visitor, data.csrf)
    response = frame.go(local_path(data.back))
    if data.lang in ("en", "zh"):
        lang: Lang = "zh" if data.lang == "zh" else "en"
        if visitor.session is not None:
            users.set_language(visitor.session.user.login, lang)
        response.set_cookie(_choice_cookie(LANGUAGE_COOKIE, lang))
    return response


@post("/theme", include_in_schema=False, opt={"public": True})
async def set_theme(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    data: Annotated[ChoiceForm, Form],
) -> Redirect:
    """Choose light, dark, or what the system says."""
    form_checked(request, visitor, data.csrf)
    response = frame.go(local_path(data.back))
    if data.theme in ("light", "dark", "auto"):
        response.set_cookie(_choice_cookie(THEME_COOKIE, data.theme))
    return response


@post("/tour", include_in_schema=False, opt={"public": True})
async def put_tour_away(
    request: Request[Any, Any, Any],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    data: Annotated[ChoiceForm, Form],
) -> Redirect:
    """Show the short tour no more, or again."""
    form_checked(request, visitor, data.csrf)
    response = frame.go(local_path(data.back))
    if visitor.wants_tour:
        response.set_cookie(_choice_cookie(TOUR_COOKIE, "seen"))
    else:
        response.delete_cookie(TOUR_COOKIE)
    return response


def router() -> Router:
    """The routes."""
    handlers = [show_sign_in, sign_in, sign_out, show_account, change_password, set_language,
                set_theme, put_tour_away]  # fmt: skip
    return Router("/", route_handlers=handlers)


def _form(
    frame: Frame, visitor: Visitor, form: SignInForm, refusal: Refused | None = None
) -> Response[Any]:
    return frame.page(
        visitor,
        "console/sign_in.html",
        status=refusal.http_status if refusal else 200,
        login=form.login,
        next=form.next,
        error=refusal.text(visitor.lang) if refusal else "",
        code=refusal.code if refusal else "",
    )


def _account(
    frame: Frame, visitor: Visitor, refusal: Refused | None = None, *, done: bool = False
) -> Response[Any]:
    return frame.page(
        visitor,
        "console/account.html",
        status=refusal.http_status if refusal else 200,
        session=visitor.signed_in_as,
        least=PASSWORD_CHARACTERS[0],
        error=refusal.text(visitor.lang) if refusal else "",
        code=refusal.code if refusal else "",
        done=done,
    )


def _take(sign_ins: Buckets, request: Request[Any, Any, Any]) -> None:
    try:
        sign_ins.take(request.client.host if request.client else None, 1)
    except Refused as refusal:
        raise TOO_OFTEN(seconds=refusal.params["seconds"]) from None


def _session_cookie(request: Request[Any, Any, Any], session: Session) -> Cookie:
    return Cookie(
        key=SESSION_COOKIE,
        value=session.token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _choice_cookie(key: str, value: str) -> Cookie:
    return Cookie(
        key=key, value=value, path="/", max_age=FOREVER_S, httponly=True, samesite="strict"
    )
