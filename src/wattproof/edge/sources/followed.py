"""Following a file that another program appends to: whole lines, once each, over restarts.

The last line is left until its end is there. A file that was moved away (rotated) is read to its
end first, then the new one from its beginning; one that was cut to nothing begins anew.
"""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from typing import Final

import msgspec

from wattproof.edge.sources.faults import NO_LINE, OVERSIZED

__all__ = ["Followed", "Position"]

CHUNK_BYTES: Final = 1 << 20
"""At most so much is taken at once; the rest waits for the next read."""

_TAIL_BYTES: Final = 64


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file was read: which file it is, the byte, and what stood just before it.

    `skip` says that this is inside a line without an end, whose rest is passed over.
    """

    inode: int
    offset: int
    tail: bytes = b""
    skip: bool = False


class Followed:
    """A file that is followed from a position, or from its beginning.

    `missed` says whether a file was replaced while nobody held it, so that its end may be lost.
    """

    def __init__(self, path: str, position: Position | None) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._position = position
        self.missed = False

    @property
    def position(self) -> Position | None:
        """How far it was read."""
        return self._position

    def lines(self) -> list[bytes]:
        """Return the whole lines that came since, as far as they fit in one chunk.

        They count as read only when `advance` is told so. Raises ``edge.line.none`` if there is no
        file and ``edge.frame.oversized`` for a line without an end, which is then passed over.
        """
        found = self._rest_of_this()
        if not found and self._replaced():
            self.close()
            self._position = None
            found = self._rest_of_this()
        return found

    def skip_to_end(self) -> None:
        """Count every whole line that is there as read."""
        while found := self.lines():
            self.advance(found)

    def advance(self, lines: list[bytes]) -> None:
        """Count these first lines of what `lines` gave as read."""
        self._pass(b"".join(lines), skip=False)

    def _pass(self, read: bytes, *, skip: bool) -> None:
        position = self._where()
        self._position = Position(
            inode=position.inode, offset=position.offset + len(read),
            tail=(position.tail + read)[-_TAIL_BYTES:], skip=skip,
        )  # fmt: skip

    def first_line(self) -> bytes:
        """Return the first line of the file that is being read."""
        file = self._opened()
        file.seek(0)
        return (file.read(CHUNK_BYTES) or b"").partition(b"\n")[0]

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> FileIO:
        if self._file is None:
            try:
                self._file = Path(self._path).open("rb", buffering=0)  # noqa: SIM115 - held between reads
            except OSError as error:
                raise NO_LINE(where=self._path, reason=error.strerror or str(error)) from None
            self._place(self._file)
        return self._file

    def _place(self, file: FileIO) -> None:
        """Go on where we were, if this is the file in which we were."""
        inode = os.fstat(file.fileno()).st_ino
        kept = self._position
        if kept is not None:
            file.seek(max(kept.offset - len(kept.tail), 0))
            if kept.inode != inode or file.read(len(kept.tail)) != kept.tail:
                self.missed = True
                kept = None
        self._position = kept or Position(inode=inode, offset=0)

    def _rest_of_this(self) -> list[bytes]:
        file = self._opened()
        position = self._where()
        if os.fstat(file.fileno()).st_size < position.offset:  # cut to nothing, and begun again
            self._position = Position(inode=position.inode, offset=0)
        file.seek(self._where().offset)
        chunk = file.read(CHUNK_BYTES) or b""
        while chunk and self._where().skip:
            end = chunk.find(b"\n") + 1
            self._pass(chunk[:end] or chunk, skip=not end)
            file.seek(self._where().offset)
            chunk = file.read(CHUNK_BYTES) or b""
        whole = chunk[: chunk.rfind(b"\n") + 1]
        if not whole and len(chunk) == CHUNK_BYTES:
            self._pass(chunk, skip=True)
            raise OVERSIZED(where=self._path, limit=CHUNK_BYTES)
        return [line + b"\n" for line in whole.split(b"\n")[:-1]]

    def _where(self) -> Position:
        assert self._position is not None
        return self._position

    def _replaced(self) -> bool:
        """Whether another file has taken the name; a name that is gone for now is not."""
        assert self._file is not None
        try:
            return Path(self._path).stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except OSError:
            return False
