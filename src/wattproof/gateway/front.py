"""The outermost layer: every answer, errors included, gets its headers and is counted."""

from __future__ import annotations

import time
from typing import Final, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from wattproof.gateway.metrics import Metrics

__all__ = ["HEADERS", "Front"]

HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""What an answer says unless its handler says otherwise. Pages set a wider content policy."""

UNMATCHED: Final = "unmatched"
"""The route under which requests for no route are counted: paths themselves are without end."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Front:
    """Wraps the application; also answers HEAD wherever there is a GET (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started_ns = time.perf_counter_ns()
        method = scope["method"]
        status = 500
        if method == "HEAD":  # the server drops the body of the answer by itself
            scope = cast("Scope", {**scope, "method": "GET"})

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _stamp(message)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            self._metrics.count(
                method=method if method in METHODS else "other",
                route=scope.get("path_template") or UNMATCHED,
                status=status,
                duration_ns=time.perf_counter_ns() - started_ns,
            )


def _stamp(message: HTTPResponseStartEvent) -> None:
    headers = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    headers += [(name, value) for name, value in HEADERS if name not in present]
    message["headers"] = headers
