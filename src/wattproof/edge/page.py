"""The node's own page, for whoever stands before it: how it is, and a form to enter a factor.

What the node paid can be seen there; nothing can be paid from there.

On the loopback by default. Anybody who reaches it may read; only a browser on the same machine,
that was given the form by this very page, may enter: the peer's address, the Host and Origin
headers and a token are checked, so that no other site can do it through somebody's browser.
"""

from __future__ import annotations

import html
import ipaddress
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from wattproof.core.errors import ErrorCode, Lang, Unauthorised, Unavailable, WattProofError
from wattproof.edge.factors import Choice, looked_up, typed, unit_of
from wattproof.edge.state import EnteredFactor
from wattproof.edge.status import Status, lines_of, payment_lines

__all__ = ["MAX_REQUESTS", "Page"]

MAX_FORM_BYTES: Final = 4_096
TIMEOUT_S: Final = 10
MAX_REQUESTS: Final = 16
"""Requests that are answered at once."""
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")

CANNOT_LISTEN = ErrorCode(
    Unavailable,
    "edge.page.listen",
    en="The page cannot listen on {address} port {port}: {reason}.",
    zh="页面无法监听 {address} 的端口 {port}：{reason}。",
)
NOT_HERE = ErrorCode(
    Unauthorised,
    "edge.page.not_here",
    en="A factor can only be entered on this machine, with the form of this page.",
    zh="排放因子只能在本机、通过本页面的表单录入。",
)

Enter = Callable[..., EnteredFactor]

_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:42rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th{text-align:left;padding:.3rem 1rem .3rem 0;"
    "vertical-align:top;white-space:nowrap}td{overflow-wrap:anywhere}label{display:block;"
    "margin:.6rem 0}input{font:inherit;width:100%;box-sizing:border-box}"
    ".said{border:1px solid;padding:.5rem 1rem}"
)


class Page:
    """Serves the page in threads of its own until closed; a `port` of 0 is any that is free.

    `status` tells how the node is; `enter` takes a choice and ``by``. Raises `Unavailable`.
    """

    def __init__(
        self, *, address: str, port: int, zone: str, status: Callable[[], Status], enter: Enter
    ) -> None:
        page = self
        self.token: Final = secrets.token_urlsafe(24)
        self._zone, self._status, self._enter = zone, status, enter

        class Handler(_Handler):
            def __init__(self, *given: Any) -> None:
                self.page = page
                super().__init__(*given)

        try:
            self._server = _Server((address, port), Handler)
        except OSError as failed:
            raise CANNOT_LISTEN(address=address, port=port, reason=failed.strerror or "?") from None
        self.url = f"http://{address}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="wattproof-page", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def status(self) -> Status:
        """How the node is now."""
        return self._status()

    def enter(self, fields: dict[str, str]) -> EnteredFactor:
        """Take the form's factor. Raises as `factors.typed` and `factors.looked_up`."""
        quantity = self._status().quantity
        choice: Choice
        if fields.get("id"):
            choice = looked_up(fields["id"], quantity=quantity)
        else:
            unit = fields.get("unit") or unit_of(quantity)
            choice = typed(fields.get("value", ""), unit=unit, quantity=quantity)
        return self._enter(choice, by=fields.get("by", ""))

    def html(self, lang: Lang, said: str = "") -> bytes:
        """The page; `said` is what came of a form."""
        zh, status = lang == "zh", self._status()
        rows = _rows(lines_of(status, zone=self._zone, lang=lang))
        paid = _rows(payment_lines(status, zone=self._zone, lang=lang))
        payments = f"<h2>{'付款' if zh else 'Payments'}</h2><table>{paid}</table>" if paid else ""
        other = (
            '<a href="/?lang=en" lang=en>English</a>'
            if zh
            else '<a href="/?lang=zh" lang=zh>中文</a>'
        )
        title = "WattProof 节点" if zh else "WattProof node"
        heading = "录入排放因子" if zh else "Enter a factor"
        labels = (
            ("id", "随包因子及版本" if zh else "Packaged factor and version", ""),
            ("value", "或输入数值" if zh else "or a value", ""),
            ("unit", "单位" if zh else "in", unit_of(status.quantity)),
            ("by", "录入人" if zh else "Entered by", ""),
        )
        inputs = "".join(
            f'<label>{label}<input name={name} value="{html.escape(value)}" autocomplete=off'
            f"{' required' if name == 'by' else ''}></label>"
            for name, label, value in labels
        )
        message = f"<p class=said role=status>{html.escape(said)}</p>" if said else ""
        text = (
            f"<!doctype html><html lang={'zh-CN' if zh else 'en'}><meta charset=utf-8>"
            '<meta name=viewport content="width=device-width">'
            f"<title>{title} {html.escape(status.node)}</title><style>{_STYLE}</style>"
            f"<h1>{title}</h1><p>{other}</p>{message}<table>{rows}</table>"
            f"{payments}"
            f'<h2>{heading}</h2><form method=post action="/factor?lang={lang}">'
            f'<input type=hidden name=token value="{self.token}">{inputs}'
            f"<button>{'确认' if zh else 'Confirm'}</button></form></html>"
        )
        return text.encode()


def _rows(lines: list[tuple[str, str]]) -> str:
    return "".join(
        f"<tr><th scope=row>{html.escape(what)}<td>{html.escape(how)}" for what, how in lines
    )


class _Server(ThreadingHTTPServer):
    """A thread for each request, up to a bound; more are not answered."""

    daemon_threads = True

    def __init__(self, *given: Any) -> None:
        self._room = threading.BoundedSemaphore(MAX_REQUESTS)
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()


class _Handler(BaseHTTPRequestHandler):
    """One request. What strangers send wrong is answered and otherwise not worth a line."""

    page: Page
    timeout = TIMEOUT_S
    server_version = "WattProof"
    sys_version = ""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/":
            self._answer(200, self.page.html(self._lang), "text/html; charset=utf-8")
        elif path == "/status.json":
            self._answer(200, msgspec.json.encode(self.page.status()), "application/json")
        else:
            self._answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        if urlsplit(self.path).path != "/factor":
            self._answer(404, b"", "text/plain")
            return
        try:
            fields = self._form()
            entered = self.page.enter(fields)
        except WattProofError as wrong:
            said = f"{wrong.text(self._lang)} [{wrong.code}]"
            status = wrong.http_status
        else:
            status = 200
            said = (
                f"{'已录入' if self._lang == 'zh' else 'Entered'}: {entered.value} {entered.unit}"
            )
        self._answer(status, self.page.html(self._lang, said), "text/html; charset=utf-8")

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""

    @property
    def _lang(self) -> Lang:
        asked = parse_qs(urlsplit(self.path).query).get("lang", [""])[0]
        first = asked or self.headers.get("Accept-Language", "")
        return "zh" if first.lower().startswith("zh") else "en"

    def _form(self) -> dict[str, str]:
        """The fields of the form, sent by a browser on this machine from this page."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_FORM_BYTES:
            raise NOT_HERE()
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        fields = {name: values[0].strip() for name, values in parse_qs(body).items()}
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        local = ipaddress.ip_address(self.client_address[0]).is_loopback
        named = urlsplit(f"//{host}").hostname in LOCAL_NAMES
        same = origin is None or origin == f"http://{host}"
        token = secrets.compare_digest(fields.get("token", "").encode(), self.page.token.encode())
        if not (local and named and same and token):
            raise NOT_HERE()
        return fields

    def _answer(self, status: int, body: bytes, media_type: str) -> None:
        self.send_response(HTTPStatus(status))
        for name, value in (
            ("Content-Type", media_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            (
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline';"
                " form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            ),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "same-origin"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
