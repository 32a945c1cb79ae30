"""One writer a ledger: a lock on its folder that the operating system releases with the process."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Final

from wattproof.core.errors import ErrorCode, Unavailable

__all__ = ["WriterLock"]

IN_USE: Final = ErrorCode(
    Unavailable,
    "store.in_use",
    en="Another process is writing to the ledger in {path}; give its address instead.",
    zh="另一个进程正在写入 {path} 中的账本；请改用它的网址。",
)
NOT_WRITABLE: Final = ErrorCode(
    Unavailable,
    "store.not_writable",
    en="The ledger in {path} cannot be written to: {reason}.",
    zh="无法写入 {path} 中的账本：{reason}。",
)


class WriterLock:
    """Holds the right to write to a ledger's folder; released when the process ends.

    Raises `Unavailable` when another process has it, or when nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file: IO[bytes] = (folder / "ledger.lock").open("ab")
        except OSError as error:
            raise NOT_WRITABLE(path=str(folder), reason=error.strerror) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise IN_USE(path=str(folder)) from None

    def release(self) -> None:
        """Let another process write."""
        self._file.close()
