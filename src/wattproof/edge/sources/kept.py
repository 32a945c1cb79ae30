"""What a source must remember over a restart: a small JSON file, replaced in one step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, Unavailable

__all__ = ["load_kept", "save_kept"]

KEPT_BAD = ErrorCode(
    Malformed,
    "edge.source.kept",
    en="{path} does not hold what the source remembered: {reason}. Put it right, or remove it to"
    " begin anew.",
    zh="{path} 的内容不是该数据源保存的状态：{reason}。请修正，或删除以重新开始。",
)
KEPT_UNWRITABLE = ErrorCode(
    Unavailable,
    "edge.source.unwritable",
    en="{path} cannot be written: {reason}.",
    zh="无法写入 {path}：{reason}。",
)

T = TypeVar("T", bound=msgspec.Struct)


def load_kept(path: str, fresh: T) -> T:
    """Return what was saved there, or `fresh` if there is no file or no path."""
    if not path:
        return fresh
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=type(fresh))
    except FileNotFoundError:
        return fresh
    except (OSError, msgspec.MsgspecError) as error:
        raise KEPT_BAD(path=path, reason=str(error).rstrip(".")) from None


def save_kept(path: str, kept: msgspec.Struct) -> None:
    """Save it so that a power cut leaves the old or the new, and nothing else; no path, no file."""
    if not path:
        return
    target = Path(path)
    fresh = target.with_name(target.name + ".new")
    try:
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KEPT_UNWRITABLE(path=path, reason=error.strerror or str(error)) from None
