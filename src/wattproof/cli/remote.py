"""Submitting to a node over HTTP, with the standard library alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any, Final

from wattproof.core.errors import ErrorCode, Unavailable

__all__ = ["submit_to_url"]

TIMEOUT_S: Final = 60

NO_ANSWER = ErrorCode(
    Unavailable,
    "remote.no_answer",
    en="The node at {url} did not answer as one: {reason}.",
    zh="{url} 的节点未正常应答：{reason}。",
)


def submit_to_url(url: str, raws: Sequence[bytes]) -> list[dict[str, Any]]:
    """Submit to the node at `url`; a receipt or an ``error`` each, in the order given."""
    return [_submit(url.rstrip("/") + "/api/v1/transactions", raw) for raw in raws]


def _submit(url: str, raw: bytes) -> dict[str, Any]:
    request = urllib.request.Request(
        url, data=raw, headers={"Content-Type": "application/cose"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        try:
            problem = json.load(error)
            return {"error": {"code": problem["code"], "en": problem["en"], "zh": problem["zh"]}}
        except (ValueError, KeyError):
            raise NO_ANSWER(url=url, reason=f"HTTP {error.code}") from None
    except (OSError, ValueError) as error:
        raise NO_ANSWER(url=url, reason=str(error)) from None
