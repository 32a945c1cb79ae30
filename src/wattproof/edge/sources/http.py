"""A meter or a gateway that gives its value over HTTP: one GET, and a path into its JSON."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Final
from urllib.parse import urlsplit

import msgspec

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.units import find_unit
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.exact import decimal_of, json_of, json_value, scaled, unit_named
from wattproof.edge.sources.faults import (
    FORM,
    HALF,
    NO_LINE,
    OVERSIZED,
    REFUSED,
    RESET,
    SETTING,
    SILENT,
)

__all__ = ["Config", "HttpSource", "open_source"]

STATUS = ErrorCode(
    Malformed,
    "edge.http.status",
    en="{where} answers with status {status}.",
    zh="{where} 返回状态 {status}。",
)

MOST_BYTES: Final = 1_048_576


class Config(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="http",
             forbid_unknown_fields=True):  # fmt: skip
    """What to GET, and where in the JSON the value stands.

    `path` is names and positions with points between: ``meters.0.energy``; empty for a body that
    is the number itself. `unit_path`, if given, leads to the unit, which must measure as `unit`
    does. `headers` are sent along, for instance for a token.
    """

    url: str
    path: str = ""
    unit: str = "kWh"
    unit_path: str = ""
    scale: Decimal = Decimal(1)
    headers: Mapping[str, str] = {}
    timeout_s: float = 5.0
    most_bytes: int = 65536
    mode: Mode = "register"

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fits = False
        if not fits or any(letter <= " " for letter in self.url):
            raise SETTING(
                key="url", value=self.url, why="a URL begins with http:// or https://",
                why_zh="URL 以 http:// 或 https:// 开头",
            )  # fmt: skip
        if not 0 < self.timeout_s <= 60 or not 0 < self.most_bytes <= MOST_BYTES:
            raise SETTING(
                key="timeout_s", value=self.timeout_s,
                why=f"at most 60 seconds, and at most {MOST_BYTES} bytes",
                why_zh=f"不超过 60 秒，且不超过 {MOST_BYTES} 字节",
            )  # fmt: skip


class HttpSource:
    """Reads one value; each read is a connection of its own. Redirections are not followed."""

    kind: ClassVar[str] = "http"

    def __init__(self, config: Config) -> None:
        self.mode: Mode = config.mode
        self._config = config
        self._unit = find_unit(config.unit).name
        self._where = urlsplit(config.url).netloc.rpartition("@")[2]

    def read(self) -> Sample:
        """GET, and take the value out of the body."""
        config = self._config
        found = json_of(self._get())
        unit = self._unit
        if config.unit_path:
            unit = unit_named(str(json_value(found, config.unit_path)), unit)
        value = decimal_of(json_value(found, config.path))
        return Sample(time_s=int(time.time()), value=scaled(value, config.scale), unit=unit)

    def close(self) -> None:
        """Nothing stays open between reads."""

    def _get(self) -> bytes:
        """Return the body; a timer ends the conversation, however slowly bytes come."""
        connection = self._connection()
        timer = threading.Timer(self._config.timeout_s, lambda: _cut(wire))
        wire: socket.socket | None = None
        answer: http.client.HTTPResponse | None = None
        received = 0
        begun = time.monotonic()
        try:
            timer.start()
            connection.connect()
            wire = connection.sock
            wire.settimeout(2 * self._config.timeout_s)  # the timer comes first
            answer = self._ask(connection)
            if answer.status != http.client.OK:
                raise STATUS(where=self._where, status=answer.status)
            body = answer.read(self._config.most_bytes + 1)
            received = len(body)
        except ConnectionRefusedError:
            raise REFUSED(where=self._where) from None
        except http.client.IncompleteRead as error:
            raise self._ended(begun, len(error.partial)) from None
        except (http.client.RemoteDisconnected, TimeoutError, ConnectionError):
            raise self._ended(begun, received) from None
        except http.client.HTTPException as error:
            if time.monotonic() - begun >= self._config.timeout_s:
                raise self._ended(begun, 1) from None
            raise FORM(protocol="HTTP", detail=repr(error)[:80]) from None
        except (OSError, ValueError) as error:
            raise NO_LINE(where=self._where, reason=str(error)[:80].rstrip(".")) from None
        finally:
            timer.cancel()
            timer.join()
            connection.close()
            if answer is not None:
                answer.close()
        if received > self._config.most_bytes:
            raise OVERSIZED(where=self._where, limit=self._config.most_bytes)
        if answer.length or time.monotonic() - begun >= self._config.timeout_s:  # cut short
            raise self._ended(begun, received)
        return body

    def _ask(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        parts = urlsplit(self._config.url)
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        headers = {"Accept": "application/json", "Connection": "close", **self._config.headers}
        connection.request("GET", target, headers=headers)
        return connection.getresponse()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._config.url)
        seconds = self._config.timeout_s
        if parts.scheme == "https":
            return http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=seconds,
                context=ssl.create_default_context(),
            )  # fmt: skip
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)

    def _ended(self, begun: float, count: int) -> Exception:
        """Say whether it was the other end that stopped, or the time."""
        seconds = self._config.timeout_s
        if time.monotonic() - begun < seconds * 0.95:
            return RESET(where=self._where, count=count)
        if count:
            return HALF(where=self._where, count=count, seconds=seconds)
        return SILENT(where=self._where, seconds=seconds)


def _cut(wire: socket.socket | None) -> None:
    """Wake up whoever waits for this connection."""
    if wire is not None:
        with contextlib.suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)


def open_source(config: Config) -> HttpSource:
    """Open the source of this table."""
    return HttpSource(config)
