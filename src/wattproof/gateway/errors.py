"""Every error over HTTP: one shape, a stable code, both languages (RFC 9457 problem details).

    HTTP/1.1 409 Conflict
    Content-Type: application/problem+json

    {"type": "/api/v1/errors/metering.overlap", "title": "Conflict", "status": 409,
     "code": "metering.overlap", "detail": "...", "en": "...", "zh": "...", "params": {...}}

`detail` is the sentence in the language that was asked for. What Litestar itself finds wrong (no
such path, a parameter of the wrong type) comes in the same shape; what nobody foresaw is
``gateway.fault``, logged under the number that the client is shown, without its traceback.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.enums import HttpMethod
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import ParameterKwarg
from litestar.types import ExceptionHandlersMap

from wattproof.core.errors import (
    Broken,
    ErrorCode,
    Malformed,
    NotFound,
    OverLimit,
    Refused,
    Unavailable,
    WattProofError,
)
from wattproof.gateway.language import language_of

__all__ = [
    "FAULT",
    "HANDLERS",
    "NO_PATH",
    "PROBLEM_MEDIA_TYPE",
    "TOO_LARGE",
    "TOO_MANY",
    "TOO_SLOW",
    "WRONG_MEDIA",
    "Problem",
    "problem_of",
    "problems",
    "respond",
]

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
SHOWN_CHARACTERS: Final = 200
RETRY_AFTER_S: Final = 1
"""What a client is told to wait when the ledger is busy, in seconds."""

log = logging.getLogger("wattproof.gateway")


class WrongMethod(Refused):
    """The path exists, the method does not."""

    http_status = HTTPStatus.METHOD_NOT_ALLOWED


class TooSlow(Refused):
    """The request did not arrive in time."""

    http_status = HTTPStatus.REQUEST_TIMEOUT


class WrongMedia(Malformed):
    """The body is not of a media type that is taken here."""

    http_status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class TooMany(OverLimit):
    """More requests than one client may make."""

    http_status = HTTPStatus.TOO_MANY_REQUESTS


NO_PATH = ErrorCode(
    NotFound, "gateway.no_path", en="There is nothing at {path}.", zh="地址 {path} 不存在。"
)
WRONG_METHOD = ErrorCode(
    WrongMethod,
    "gateway.method",
    en="{path} does not take {method}, only {allowed}.",
    zh="{path} 不支持 {method}，只支持 {allowed}。",
)
BAD_REQUEST = ErrorCode(
    Malformed,
    "gateway.request",
    en="The request is not as it must be: {reason}.",
    zh="请求不符合要求：{reason}。",
)
WRONG_MEDIA = ErrorCode(
    WrongMedia,
    "gateway.media_type",
    en="The body's media type must be {expected}, not “{found}”.",
    zh="请求体的媒体类型应为 {expected}，而不是“{found}”。",
)
TOO_LARGE = ErrorCode(
    OverLimit,
    "gateway.too_large",
    en="The body has more than {limit} bytes.",
    zh="请求体超过 {limit} 字节。",
)
TOO_SLOW = ErrorCode(
    TooSlow,
    "gateway.too_slow",
    en="The body did not arrive within {seconds} s.",
    zh="请求体未在 {seconds} 秒内到达。",
)
TOO_MANY = ErrorCode(
    TooMany,
    "gateway.rate",
    en="More than {per_second} transactions a second; try again in {seconds} s.",
    zh="每秒超过 {per_second} 笔交易，请在 {seconds} 秒后重试。",
)
FAULT = ErrorCode(
    Broken,
    "gateway.fault",
    en="Something went wrong here, not with the request; it is logged as {fault}.",
    zh="服务端出现故障，与请求无关；已记录，编号 {fault}。",
)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as RFC 9457 problem details.

    `code` is stable and for programs, `en` and `zh` are for people, `params` is what the sentences
    name.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    en: str
    zh: str
    params: dict[str, Any]


def problem_of(error: WattProofError, *, language: str | None = None) -> Problem:
    """The problem details of an error; `language` is an Accept-Language header."""
    status = HTTPStatus(error.http_status)
    return Problem(
        type=f"/api/v1/errors/{error.code}",
        title=status.phrase,
        status=status.value,
        code=error.code,
        detail=error.text(language_of(language)),
        en=error.text("en"),
        zh=error.text("zh"),
        params={name: _plain(value) for name, value in error.params.items()},
    )


def respond(request: Request[Any, Any, Any], error: WattProofError) -> Response[Problem]:
    """The response to be given for an error."""
    problem = problem_of(error, language=request.headers.get("accept-language"))
    return Response(
        problem,
        status_code=problem.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers={"Vary": "Accept-Language", **dict(_headers(error))},
    )


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The `responses` of a handler that may end with one of these error statuses."""
    return {
        status: ResponseSpec(
            Problem,
            media_type=PROBLEM_MEDIA_TYPE,
            description=HTTPStatus(status).phrase,
            generate_examples=False,
        )
        for status in statuses
    }


def _headers(error: WattProofError) -> Iterator[tuple[str, str]]:
    if isinstance(error, Unavailable):
        yield "Retry-After", str(RETRY_AFTER_S)
    elif error.error is TOO_MANY:
        yield "Retry-After", str(error.params["seconds"])
    elif error.error is WRONG_METHOD:
        yield "Allow", str(error.params["allowed"])
    elif isinstance(error, TooSlow | OverLimit):
        yield "Connection", "close"  # what is left of the body will not be read


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else str(value)


def _on_known(request: Request[Any, Any, Any], error: WattProofError) -> Response[Problem]:
    if isinstance(error, Broken):
        log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    return respond(request, error)


def _on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    path = request.scope["path"][:SHOWN_CHARACTERS]
    if isinstance(error, NotFoundException):
        return respond(request, NO_PATH(path=path))
    if isinstance(error, MethodNotAllowedException):
        allowed = ", ".join(_allowed(request))
        return respond(request, WRONG_METHOD(path=path, method=request.method, allowed=allowed))
    if isinstance(error, RequestEntityTooLarge):
        limit = request.route_handler.resolve_request_max_body_size()
        return respond(request, TOO_LARGE(limit=limit))
    if isinstance(error, ValidationException):
        return respond(request, BAD_REQUEST(reason=_reason(request, error)))
    if 400 <= error.status_code < 500:
        refusal = respond(request, BAD_REQUEST(reason=error.detail))
        refusal.status_code = error.status_code
        return refusal
    return _on_fault(request, error)


def _on_fault(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    fault = secrets.token_hex(4)
    log.error("%s: %s %s", fault, request.method, request.url.path, exc_info=error)
    return respond(request, FAULT(fault=fault))


def _allowed(request: Request[Any, Any, Any]) -> list[str]:
    """The methods that the request's path does take."""
    found = []
    for method in HttpMethod:
        try:
            request.app.asgi_router.handle_routing(path=request.scope["path"], method=method)
        except HTTPException:
            continue
        found += ["GET", "HEAD"] if method is HttpMethod.GET else [method.value]
    return sorted(set(found))


def _reason(request: Request[Any, Any, Any], error: ValidationException) -> str:
    """What is wrong with which parameter, in Litestar's words."""
    fields = request.route_handler.parsed_fn_signature.parameters
    outside = {
        name: field.kwarg_definition.name
        for name, field in fields.items()
        if isinstance(field.kwarg_definition, ParameterKwarg) and field.kwarg_definition.name
    }
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [
        f"{outside.get(item['key'], item['key'])}: {item.get('message', '')}"
        for item in extra
        if isinstance(item, dict) and "key" in item
    ]
    return "; ".join(parts) or error.detail


HANDLERS: Final[ExceptionHandlersMap] = {
    WattProofError: _on_known,
    HTTPException: _on_http,
    Exception: _on_fault,
}
"""Exception handlers of the whole application."""
