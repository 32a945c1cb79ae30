"""An immutable array of unsigned integers in its narrowest width, as it stands on the wire."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import Final

from wattproof.core.errors import ErrorCode, Malformed

__all__ = ["UintArray"]

NOT_UINT64: Final = ErrorCode(
    Malformed,
    "keys.uint_array.range",
    en="An array of unsigned integers holds whole numbers from 0 to 2^64 - 1 only ({why}).",
    zh="无符号整数数组只能包含 0 至 2^64 - 1 的整数（{why}）。",
)

_TYPECODES: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_BIG_ENDIAN_HOST: Final = sys.byteorder == "big"


class UintArray:
    """Unsigned integers, all `width` bytes wide: the narrowest of 1, 2, 4, 8 that holds them all.

    Made with `from_ints`; equal arrays have equal bytes. An empty array has width 1.
    """

    __slots__ = ("_data", "_width")
    _data: bytes
    _width: int

    def __init__(self) -> None:
        self._data = b""
        self._width = 1

    @classmethod
    def from_ints(cls, ints: Iterable[int]) -> UintArray:
        """Pack integers from 0 to 2^64 - 1; raises `Malformed` for any other."""
        try:
            numbers = list(ints)
            top = max(numbers, default=0)
            width = 1 if top < 1 << 8 else 2 if top < 1 << 16 else 4 if top < 1 << 32 else 8
            native = array(_TYPECODES[width], numbers)
        except (OverflowError, TypeError, ValueError) as bad:
            raise NOT_UINT64(why=type(bad).__name__) from bad
        if _BIG_ENDIAN_HOST:
            native.byteswap()
        return cls._made(native.tobytes(), width)

    @classmethod
    def of_wire(cls, data: bytes, *, width: int) -> UintArray | None:
        """The array of these little-endian bytes, or None when a narrower width would hold it.

        `width` is 1, 2, 4 or 8 and divides the length of `data`.
        """
        if width > 1:
            # Some upper half must be used, or half the width would do. Byte columns are compared
            # as a whole because that is ten times as fast as looking at each integer.
            for column in range(width // 2, width):
                if data[column::width].strip(b"\0"):
                    break
            else:
                return None
        return cls._made(data, width)

    @classmethod
    def _made(cls, data: bytes, width: int) -> UintArray:
        made = cls.__new__(cls)
        made._data = data
        made._width = width
        return made

    @property
    def data(self) -> bytes:
        """The elements, little-endian, `width` bytes each."""
        return self._data

    @property
    def width(self) -> int:
        """Bytes per element: 1, 2, 4 or 8."""
        return self._width

    def ints(self) -> array[int]:
        """The elements as a new native array of type ``B``, ``H``, ``I`` or ``Q``."""
        native = array(_TYPECODES[self._width], self._data)
        if _BIG_ENDIAN_HOST:
            native.byteswap()
        return native

    def sum(self) -> int:
        """The exact sum of the elements."""
        return sum(self.ints())

    def __len__(self) -> int:
        return len(self._data) // self._width

    def __iter__(self) -> Iterator[int]:
        return iter(self.ints())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UintArray):
            return NotImplemented
        return self._width == other._width and self._data == other._data

    def __hash__(self) -> int:
        return hash((self._width, self._data))

    def __repr__(self) -> str:
        return f"UintArray.from_ints({self.ints().tolist()})"
