"""Files that commands are given."""

from __future__ import annotations

from pathlib import Path

from wattproof.core.errors import ErrorCode, Malformed, Unavailable

__all__ = ["read_file"]

NO_FILE = ErrorCode(
    Unavailable, "cli.no_file", en="There is no file {path}.", zh="文件 {path} 不存在。"
)
FILE_TOO_LARGE = ErrorCode(
    Malformed,
    "cli.file_too_large",
    en="{path} has more than {limit} bytes.",
    zh="{path} 超过 {limit} 字节。",
)


def read_file(path: Path, *, limit: int) -> bytes:
    """A file's bytes; `Unavailable` where there is none, `Malformed` beyond `limit` bytes."""
    if not path.is_file():
        raise NO_FILE(path=str(path))
    if path.stat().st_size > limit:
        raise FILE_TOO_LARGE(path=str(path), limit=limit)
    return path.read_bytes()
