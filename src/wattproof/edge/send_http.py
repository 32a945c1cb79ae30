"""Sending over HTTP with the standard library alone: one at a time, or many in a batch."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from wattproof.core.errors import ErrorCode, Unavailable
from wattproof.edge.link import Answer, answer_of
from wattproof.keys import cbor

__all__ = ["HttpLink"]

PATH: Final = "/api/v1/transactions"
MAX_ANSWER_BYTES: Final = 16 << 20

NO_ANSWER = ErrorCode(
    Unavailable,
    "edge.http.no_answer",
    en="The host {url} does not answer: {reason}.",
    zh="主机 {url} 没有应答：{reason}。",
)
NOT_A_HOST = ErrorCode(
    Unavailable,
    "edge.http.not_a_host",
    en="What answers at {url} is not a WattProof host: {reason}.",
    zh="{url} 处应答的不是 WattProof 主机：{reason}。",
)


class HttpLink:
    """A connection to the host at `url`, opened when needed and kept while it lasts."""

    def __init__(self, url: str, *, timeout_s: int) -> None:
        parts = urlsplit(url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._url = url
        self._path = parts.path.rstrip("/") + PATH
        self._connection = kind(parts.hostname or "localhost", parts.port, timeout=timeout_s)

    def send(self, raws: Sequence[bytes]) -> list[Answer]:
        """Send transactions in order; an answer each. Raises `Unavailable`."""
        if len(raws) == 1:
            status, told = self._post(self._path, raws[0], "application/cose")
            return [self._answer(status, told)]
        body = cbor.encode(list(raws))
        status, told = self._post(f"{self._path}/batch", body, "application/cbor")
        if status != 200 or not isinstance(told, list) or len(told) != len(raws):
            raise NOT_A_HOST(url=self._url, reason=f"HTTP {status}")
        return [self._answer(0, row.get("error", row)) for row in told]

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _answer(self, status: int, told: Any) -> Answer:
        try:
            return answer_of({"status": status, **told})
        except (KeyError, TypeError, ValueError):
            raise NOT_A_HOST(url=self._url, reason=f"HTTP {status}") from None

    def _post(self, path: str, body: bytes, media_type: str) -> tuple[int, Any]:
        """Post, once more where the host had let go of a connection that was kept.

        The host may have got it the first time: the same bytes again give the first receipt again.
        """
        tries = 1 if self._connection.sock is None else 2
        while True:
            try:
                return self._ask(path, body, media_type)
            except (OSError, http.client.HTTPException) as failed:
                tries -= 1
                if not tries or not isinstance(failed, ConnectionError):
                    reason = getattr(failed, "strerror", None) or str(failed)
                    reason = reason or type(failed).__name__
                    raise NO_ANSWER(url=self._url, reason=reason) from None

    def _ask(self, path: str, body: bytes, media_type: str) -> tuple[int, Any]:
        connection = self._connection
        try:
            connection.request("POST", path, body, {"Content-Type": media_type})
            answer = connection.getresponse()
            data = answer.read(MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        try:
            return answer.status, json.loads(data)
        except ValueError:
            connection.close()
            raise NOT_A_HOST(url=self._url, reason=f"HTTP {answer.status}") from None
