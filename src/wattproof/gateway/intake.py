"""Taking bytes from a client: of a known media type, not too many, not too slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from wattproof.core.errors import ErrorCode, Malformed, OverLimit
from wattproof.gateway.errors import TOO_LARGE, TOO_SLOW, WRONG_MEDIA

__all__ = [
    "BATCH_BYTES",
    "BATCH_LIMIT",
    "BATCH_MEDIA_TYPES",
    "BODY_TIMEOUT_S",
    "COSE_MEDIA_TYPES",
    "PROOF_MEDIA_TYPES",
    "BatchBody",
    "CoseBody",
    "ProofBody",
    "read_body",
    "split_batch",
]

BODY_TIMEOUT_S: Final = 30
"""A body must have arrived within so many seconds."""

BATCH_LIMIT: Final = 1_024
"""Transactions in one batch at most."""

BATCH_BYTES: Final = 16 << 20
"""Bytes of one batch at most."""

OCTETS: Final = "application/octet-stream"
COSE_MEDIA_TYPES: Final = ("application/cose", OCTETS)
BATCH_MEDIA_TYPES: Final = ("application/cbor", OCTETS)
PROOF_MEDIA_TYPES: Final = ("application/json", OCTETS)

BROKEN_OFF = ErrorCode(
    Malformed,
    "gateway.broken_off",
    en="The body broke off.",
    zh="请求体传输中断。",
)
NOT_A_BATCH = ErrorCode(
    Malformed,
    "gateway.batch",
    en="At byte {at} the body is not a CBOR array of byte strings, one a transaction.",
    zh="请求体在第 {at} 字节处不是由字节串（每笔交易一个）组成的 CBOR 数组。",
)
TOO_MANY_IN_BATCH = ErrorCode(
    OverLimit,
    "gateway.batch_size",
    en="A batch holds at most {limit} transactions.",
    zh="一批最多 {limit} 笔交易。",
)


async def read_body(request: Request[Any, Any, Any], media_types: Sequence[str]) -> bytes:
    """The body, of one of `media_types` and no longer than the route's limit.

    Raises `WRONG_MEDIA`, `TOO_LARGE` (without reading on), `TOO_SLOW` or `BROKEN_OFF`.
    """
    found = request.content_type[0].lower()
    if found not in media_types:
        raise WRONG_MEDIA(expected=" / ".join(media_types), found=found[:80])
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.body()
    except RequestEntityTooLarge:
        limit = request.route_handler.resolve_request_max_body_size()
        raise TOO_LARGE(limit=limit) from None
    except TimeoutError:
        raise TOO_SLOW(seconds=BODY_TIMEOUT_S) from None
    except InternalServerException:  # the client went away
        raise BROKEN_OFF() from None


def split_batch(data: bytes) -> list[bytes]:
    """The transactions of a batch: a CBOR array of byte strings (RFC 8949), of definite lengths.

    What is wrong inside one of them is not looked at here. Raises `NOT_A_BATCH`,
    `TOO_MANY_IN_BATCH`.
    """
    count, at = _head(data, 0, major=4)
    if count > BATCH_LIMIT:
        raise TOO_MANY_IN_BATCH(limit=BATCH_LIMIT)
    raws: list[bytes] = []
    for _ in range(count):
        size, start = _head(data, at, major=2)
        at = start + size
        if at > len(data):
            raise NOT_A_BATCH(at=len(data))
        raws.append(data[start:at])
    if at != len(data):
        raise NOT_A_BATCH(at=at)
    return raws


def _head(data: bytes, at: int, *, major: int) -> tuple[int, int]:
    """The number in the head of an item of type `major` at `at`, and where the head ends."""
    if at >= len(data) or data[at] >> 5 != major:
        raise NOT_A_BATCH(at=at)
    short = data[at] & 0x1F
    if short < 24:
        return short, at + 1
    end = at + 1 + (1 << (short - 24))
    if short > 27 or end > len(data):
        raise NOT_A_BATCH(at=at)
    return int.from_bytes(data[at + 1 : end], "big"), end


@dataclass
class _Taking(Operation):
    """An operation with a body that the framework does not decode."""

    media_types: ClassVar[tuple[str, ...]] = ()
    what: ClassVar[str] = ""

    def __post_init__(self) -> None:
        octets = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody(
            content={
                media: OpenAPIMediaType(schema=Schema() if media.endswith("json") else octets)
                for media in self.media_types
            },
            description=self.what,
            required=True,
        )


@dataclass
class CoseBody(_Taking):
    """OpenAPI: the body is one signed transaction."""

    media_types = COSE_MEDIA_TYPES
    what = "One signed transaction: a tagged COSE_Sign1 of at most 61440 bytes."


@dataclass
class BatchBody(_Taking):
    """OpenAPI: the body is a batch."""

    media_types = BATCH_MEDIA_TYPES
    what = (
        "A CBOR array of byte strings of definite length, each a signed transaction;"
        f" at most {BATCH_LIMIT} of them and {BATCH_BYTES} bytes in all."
    )


@dataclass
class ProofBody(_Taking):
    """OpenAPI: the body is a proof file."""

    media_types = PROOF_MEDIA_TYPES
    what = "A proof file, byte for byte as it was given out."
