"""Receiving a file that a browser uploads: as it arrives, into a file of ours, and not too much.

The form's own fields come before the file, so that whether it is the visitor's own form is known
before anything of the file is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from wattproof.core.errors import ErrorCode, Malformed, OverLimit

__all__ = ["MAX_FILE_BYTES", "MAX_REQUEST_BYTES", "Upload", "receive"]

MAX_FILE_BYTES: Final = 32 << 20
"""Bytes of one file at most."""
MAX_REQUEST_BYTES: Final = 128 << 20
"""What is read of a request; beyond it the connection is cut, up to it one is told why."""
UPLOAD_S: Final = 600
"""How long an upload may take, in seconds."""
FIELD_BYTES: Final = 256 << 10
"""Bytes of a field that is not the file."""
MAX_PARTS: Final = 16
NAME_CHARACTERS: Final = 200

TOO_LARGE = ErrorCode(
    OverLimit,
    "import.upload_size",
    en="The file has more than {limit} MiB; cut it into parts, or import it with the command.",
    zh="文件超过 {limit} MiB，请拆分，或使用命令导入。",
)
NOTHING = ErrorCode(Malformed, "import.upload_empty", en="Choose a file.", zh="请选择文件。")
BROKEN = ErrorCode(
    Malformed,
    "import.upload_broken",
    en="The upload did not arrive whole; try again.",
    zh="上传不完整，请重试。",
)


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived: the fields as texts, the file's own name, and how many bytes it has."""

    fields: dict[str, str]
    name: str
    size: int


async def receive(
    request: Request[Any, Any, Any], target: Path, *, admit: Callable[[str], None]
) -> Upload:
    """Receive a form, and its one file into `target`.

    `admit` is given the form's token before the file begins, and raises where it is not the
    visitor's. Raises ``import.upload_size``, ``import.upload_empty``, ``import.upload_broken``.
    """
    boundary = request.content_type[1].get("boundary", "")
    if not boundary:
        raise BROKEN()
    try:
        async with asyncio.timeout(UPLOAD_S):
            with target.open("wb") as file:
                receiver = _Receiver(boundary, file, admit)
                async for chunk in request.stream():
                    receiver.take(chunk)
                return receiver.finish()
    except RequestEntityTooLarge:
        raise _too_large() from None
    except (MultipartError, TimeoutError, InternalServerException, UnicodeDecodeError):
        raise BROKEN() from None


class _Receiver:
    """Takes a form's bytes as they come."""

    def __init__(self, boundary: str, file: BinaryIO, admit: Callable[[str], None]) -> None:
        self._parser = PushMultipartParser(boundary, max_segment_count=MAX_PARTS)
        self._file = file
        self._admit = admit
        self._fields: dict[str, str] = {}
        self._segment: MultipartSegment | None = None
        self._text = bytearray()
        self._name = ""
        self._size = 0

    def take(self, chunk: bytes) -> None:
        """Take some more bytes; the empty ones are the last."""
        if self._parser.closed:
            return
        for part in self._parser.parse(chunk):
            if isinstance(part, MultipartSegment):
                self._begin(part)
            elif part:
                self._go_on(part)
            else:
                self._end()

    def finish(self) -> Upload:
        """What arrived, once all of it has."""
        if self._segment is not None or not self._parser.closed:
            raise BROKEN()
        if self._size > MAX_FILE_BYTES:
            raise _too_large()
        if not self._name or not self._size:
            raise NOTHING()
        return Upload(fields=self._fields, name=self._name, size=self._size)

    def _begin(self, segment: MultipartSegment) -> None:
        self._segment = segment
        self._text.clear()
        if segment.filename is not None:
            self._admit(self._fields.get("csrf", ""))
            if self._name:  # one file is enough
                raise BROKEN()
            self._name = _plain(segment.filename)

    def _go_on(self, data: bytes) -> None:
        assert self._segment is not None, "a part begins with its head"
        if self._segment.filename is None:
            self._text += data
            if len(self._text) > FIELD_BYTES:
                raise BROKEN()
            return
        self._size += len(data)
        if self._size <= MAX_FILE_BYTES:  # what is too much is read on, so that it can be said
            self._file.write(data)

    def _end(self) -> None:
        assert self._segment is not None, "a part ends after its head"
        if self._segment.filename is None:
            self._fields[self._segment.name] = self._text.decode()
        self._segment = None


def _plain(name: str) -> str:
    """The last part of a file's name, fit to be shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:NAME_CHARACTERS]


def _too_large() -> Exception:
    return TOO_LARGE(limit=MAX_FILE_BYTES >> 20)
