"""A log entry's leaf: the CBOR array ``[height, time_ms, transaction]``, in deterministic form."""

from __future__ import annotations

from typing import Final

from wattproof.core.errors import Broken, ErrorCode

__all__ = ["bytes_head", "leaf_of", "leaf_parts", "leaf_prefix"]

BAD_LEAF: Final = ErrorCode(
    Broken,
    "leaf.form",
    en="A stored leaf is not the array of height, time and transaction in its one form.",
    zh="存储的叶节点不是规范格式的高度、时间和交易数组。",
)


def leaf_prefix(*, height: int, time_ms: int) -> bytes:
    """The bytes of a leaf ``[height, time_ms, transaction]`` up to the transaction."""
    return b"\x83" + _uint(height) + _uint(time_ms)


def leaf_of(raw: bytes, *, height: int, time_ms: int) -> bytes:
    """The bytes of the whole leaf."""
    return leaf_prefix(height=height, time_ms=time_ms) + bytes_head(len(raw)) + raw


def bytes_head(size: int) -> bytes:
    """The head of a CBOR byte string of `size` bytes, below 64 KiB as every transaction is."""
    if size < 24:
        return bytes((0x40 | size,))
    if size < 1 << 8:
        return bytes((0x58, size))
    return b"\x59" + size.to_bytes(2, "big")


def leaf_parts(leaf: bytes) -> tuple[int, int, bytes]:
    """Height, block time in ms and the transaction's exact bytes of a stored leaf.

    Raises `Broken` for bytes that `leaf_of` would not have made.
    """
    try:
        height, offset = _take_uint(leaf, 1)
        time_ms, offset = _take_uint(leaf, offset)
        head = leaf[offset]
    except (IndexError, TypeError):
        raise BAD_LEAF() from None
    raw = leaf[offset + (1 if head < 0x58 else head - 0x58 + 2) :]
    if height >> 64 or time_ms >> 64 or len(raw) >> 16:
        raise BAD_LEAF()
    if leaf_of(raw, height=height, time_ms=time_ms) != leaf:
        raise BAD_LEAF()
    return height, time_ms, raw


def _uint(value: int) -> bytes:
    if value < 24:
        return bytes((value,))
    for code, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << (8 * width):
            return bytes((code,)) + value.to_bytes(width, "big")
    raise AssertionError(f"{value} is beyond 64 bits")


def _take_uint(data: bytes, offset: int) -> tuple[int, int]:
    code = data[offset]
    if code < 24:
        return code, offset + 1
    width = 1 << (code - 24)
    return int.from_bytes(data[offset + 1 : offset + 1 + width], "big"), offset + 1 + width
