"""The node's key: a file with the seed, for the eyes of one user of the machine alone.

A node has to sign without anybody beside it, so the seed is not encrypted; the file's mode, and
whoever can open the case, are what keeps it. If it may have been read, the owner replaces the key.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from wattproof.core.errors import Conflict, ErrorCode, Malformed, NotFound, Unavailable
from wattproof.keys.ed25519 import SEED_BYTES, SigningKey

__all__ = ["make_key", "read_key"]

MODE: Final = 0o600

EXISTS = ErrorCode(
    Conflict,
    "edge.key.exists",
    en="{path} is there already; a key is never overwritten.",
    zh="{path} 已存在；密钥不会被覆盖。",
)
MISSING = ErrorCode(
    NotFound,
    "edge.key.missing",
    en="There is no key {path}: make one with wattproof edge key.",
    zh="没有密钥 {path}：请用 wattproof edge key 生成。",
)
OPEN_TO_OTHERS = ErrorCode(
    Unavailable,
    "edge.key.mode",
    en="Others may read the key {path}: its mode must be 0600.",
    zh="其他用户可读取密钥 {path}：文件权限须为 0600。",
)
DAMAGED = ErrorCode(
    Malformed,
    "edge.key.damaged",
    en="{path} is not a key: 64 hexadecimal digits are expected.",
    zh="{path} 不是密钥：应为 64 位十六进制数。",
)
UNUSABLE = ErrorCode(
    Unavailable,
    "edge.key.unusable",
    en="The key {path} cannot be used: {reason}.",
    zh="无法使用密钥 {path}：{reason}。",
)


def make_key(path: Path) -> SigningKey:
    """Make a key and keep it durably under a new name, mode 0600. Raises `Conflict`."""
    key = SigningKey.generate()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.seed.hex() + "\n")
            file.flush()
            os.fsync(descriptor)
        _sync(path.parent)
    except FileExistsError:
        raise EXISTS(path=path) from None
    except OSError as failed:
        raise UNUSABLE(path=path, reason=failed.strerror or "?") from None
    return key


def read_key(path: Path) -> SigningKey:
    """The key in a file. Raises `NotFound`, `Malformed`, and `Unavailable` for an open mode."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise OPEN_TO_OTHERS(path=path)
        text = path.read_bytes()[:200].decode("ascii").strip()
        seed = bytes.fromhex(text)
    except FileNotFoundError:
        raise MISSING(path=path) from None
    except OSError as failed:
        raise UNUSABLE(path=path, reason=failed.strerror or "?") from None
    except ValueError:
        raise DAMAGED(path=path) from None
    if len(seed) != SEED_BYTES:
        raise DAMAGED(path=path)
    return SigningKey(seed)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
