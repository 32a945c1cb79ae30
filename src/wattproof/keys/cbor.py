"""CBOR (RFC 8949) in one deterministic form: every value has exactly one encoding.

The profile is 4.2.1 of RFC 8949 (shortest heads, definite lengths) with fewer types: integers of
64 bits with sign, byte strings, texts, true, false, null, arrays, and arrays of unsigned integers
(RFC 8746, little-endian) as `UintArray`. No maps, no floats, no other tags.

The decoder refuses any other encoding while it reads, byte for byte, and says which rule is broken
and where. It is our own, in one pass, because a general decoder accepts more and would have to be
checked by encoding its result again; the tests hold it against cbor2.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.keys.uint_array import UintArray

__all__ = ["INT_MAX", "INT_MIN", "MAX_DEPTH", "UintArray", "Value", "decode", "encode"]

Value: TypeAlias = "int | bytes | str | bool | UintArray | list[Value] | tuple[Value, ...] | None"
"""What can be encoded; decoding gives lists, never tuples."""

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
MAX_DEPTH: Final = 8
"""Arrays within arrays, the outermost counted."""

TRUNCATED: Final = ErrorCode(
    Malformed,
    "keys.cbor.truncated",
    en="The CBOR ends in the middle of a value, after {bytes} bytes.",
    zh="CBOR 数据不完整：在 {bytes} 字节处中断。",
)
TRAILING: Final = ErrorCode(
    Malformed,
    "keys.cbor.trailing",
    en="{bytes} bytes follow the CBOR value that ends at byte {at}.",
    zh="CBOR 值在第 {at} 字节处结束，其后还有 {bytes} 字节多余数据。",
)
NOT_SHORTEST: Final = ErrorCode(
    Malformed,
    "keys.cbor.not_shortest",
    en="The number or length at byte {at} is not in its shortest form.",
    zh="第 {at} 字节处的数值或长度未采用最短编码。",
)
INDEFINITE: Final = ErrorCode(
    Malformed,
    "keys.cbor.indefinite",
    en="The value at byte {at} has an indefinite length; lengths are stated here.",
    zh="第 {at} 字节处的值采用不定长编码；此处只接受定长编码。",
)
NOT_IN_PROFILE: Final = ErrorCode(
    Malformed,
    "keys.cbor.not_in_profile",
    en="Byte {at} ({head}) opens a kind of value that is not used here "
    "(a map, a float, another tag or simple value).",
    zh="第 {at} 字节（{head}）是此处不使用的类型（映射、浮点数、其他标签或简单值）。",
)
INT_RANGE: Final = ErrorCode(
    Malformed,
    "keys.cbor.int_range",
    en="The integer at byte {at} does not fit into 64 bits with sign.",
    zh="第 {at} 字节处的整数超出 64 位有符号整数范围。",
)
NOT_UTF8: Final = ErrorCode(
    Malformed,
    "keys.cbor.not_utf8",
    en="The text at byte {at} is not valid UTF-8.",
    zh="第 {at} 字节处的文本不是有效的 UTF-8。",
)
TOO_DEEP: Final = ErrorCode(
    Malformed,
    "keys.cbor.too_deep",
    en="Arrays are nested deeper than {limit}.",
    zh="数组嵌套超过 {limit} 层。",
)
TYPED_ARRAY: Final = ErrorCode(
    Malformed,
    "keys.cbor.typed_array",
    en="The typed array at byte {at} is not a byte string of whole elements.",
    zh="第 {at} 字节处的类型化数组不是由完整元素组成的字节串。",
)
TYPED_ARRAY_WIDTH: Final = ErrorCode(
    Malformed,
    "keys.cbor.typed_array_width",
    en="The typed array at byte {at} uses wider elements than its numbers need.",
    zh="第 {at} 字节处的类型化数组所用元素宽度超过其数值所需。",
)
UNSUPPORTED: Final = ErrorCode(
    Malformed,
    "keys.cbor.unsupported",
    en="A value of type {type} has no encoding here.",
    zh="类型 {type} 的值在此没有编码。",
)
INT_TOO_LARGE: Final = ErrorCode(
    Malformed,
    "keys.cbor.int_too_large",
    en="An integer of {bits} bits does not fit into 64 bits with sign.",
    zh="{bits} 位的整数超出 64 位有符号整数范围。",
)
TEXT_NOT_UNICODE: Final = ErrorCode(
    Malformed,
    "keys.cbor.text_not_unicode",
    en="A text holds a lone surrogate at character {at} and has no UTF-8 form.",
    zh="文本第 {at} 个字符是孤立的代理码位，无法以 UTF-8 表示。",
)

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _TAG, _SIMPLE_OR_FLOAT = 0, 1, 2, 3, 4, 6, 7
_TAGS: Final = {64: 1, 69: 2, 70: 4, 71: 8}
"""RFC 8746, 2.1: unsigned little-endian elements; the number is their width in bytes."""
_TAG_HEADS: Final = {width: bytes((0xD8, tag)) for tag, width in _TAGS.items()}
_SIMPLE: Final = {0xF4: False, 0xF5: True, 0xF6: None}
_U16, _U32, _U64 = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">Q")
_HEAD16, _HEAD32, _HEAD64 = struct.Struct(">BH"), struct.Struct(">BI"), struct.Struct(">BQ")


def encode(value: Value) -> bytes:
    """The one encoding of a value; raises `Malformed` for what is outside the profile."""
    out = bytearray()
    _write(out, value, 0)
    return bytes(out)


def decode(data: bytes) -> Value:
    """The value of which these bytes are the one encoding; arrays become lists.

    Raises `Malformed`, and nothing else, for all other bytes.
    """
    try:
        values, end = _read(data, 0, 1, 0)
    except (IndexError, struct.error) as short:
        raise TRUNCATED(bytes=len(data)) from short
    if end != len(data):
        raise TRAILING(at=end, bytes=len(data) - end)
    return values[0]


def _write(out: bytearray, value: Value, depth: int) -> None:
    if value is None or isinstance(value, bool):  # before int, which bool is a kind of
        out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
    elif isinstance(value, int):
        _write_int(out, value)
    elif isinstance(value, bytes):
        _write_head(out, _BYTES, len(value))
        out += value
    elif isinstance(value, str):
        try:
            text = value.encode()
        except UnicodeEncodeError as lone:
            raise TEXT_NOT_UNICODE(at=lone.start) from lone
        _write_head(out, _TEXT, len(text))
        out += text
    elif isinstance(value, UintArray):
        out += _TAG_HEADS[value.width]
        _write_head(out, _BYTES, len(value.data))
        out += value.data
    elif isinstance(value, list | tuple):
        if depth == MAX_DEPTH:
            raise TOO_DEEP(limit=MAX_DEPTH)
        _write_head(out, _ARRAY, len(value))
        for item in value:
            _write(out, item, depth + 1)
    else:
        raise UNSUPPORTED(type=type(value).__name__)


def _write_int(out: bytearray, value: int) -> None:
    if not INT_MIN <= value <= INT_MAX:
        raise INT_TOO_LARGE(bits=value.bit_length())
    if value >= 0:
        _write_head(out, _UNSIGNED, value)
    else:
        _write_head(out, _NEGATIVE, -1 - value)


def _write_head(out: bytearray, major: int, number: int) -> None:
    major <<= 5
    if number < 24:
        out.append(major | number)
    elif number < 1 << 8:
        out += bytes((major | 24, number))
    elif number < 1 << 16:
        out += _HEAD16.pack(major | 25, number)
    elif number < 1 << 32:
        out += _HEAD32.pack(major | 26, number)
    else:
        out += _HEAD64.pack(major | 27, number)


def _read(data: bytes, at: int, count: int, depth: int) -> tuple[list[Value], int]:
    """Read `count` values from byte `at`, `depth` arrays down: the values and where they end."""
    values: list[Value] = []
    size = len(data)
    for _ in range(count):
        start, head = at, data[at]
        major, number = head >> 5, head & 0x1F
        if major == _SIMPLE_OR_FLOAT:
            if head not in _SIMPLE:
                raise _outside(start, head)
            values.append(_SIMPLE[head])
            at += 1
            continue
        if number < 24:
            at += 1
        else:
            number, at = _argument(data, start)
        if major <= _NEGATIVE:
            if number > INT_MAX:
                raise INT_RANGE(at=start)
            values.append(-1 - number if major else number)
        elif major <= _TEXT:
            end = at + number
            if end > size:
                raise TRUNCATED(bytes=size)
            try:
                values.append(data[at:end] if major == _BYTES else data[at:end].decode())
            except UnicodeDecodeError as bad:
                raise NOT_UTF8(at=start) from bad
            at = end
        elif major == _ARRAY:
            if depth == MAX_DEPTH:
                raise TOO_DEEP(limit=MAX_DEPTH)
            items, at = _read(data, at, number, depth + 1)
            values.append(items)
        elif major == _TAG:
            array, at = _read_uint_array(data, start, at, number)
            values.append(array)
        else:
            raise _outside(start, head)
    return values, at


def _argument(data: bytes, start: int) -> tuple[int, int]:
    """The number in a head and where the head ends (RFC 8949, 3 and 4.2.1)."""
    short = data[start] & 0x1F
    if short < 24:
        return short, start + 1
    if short == 24:
        number, least, end = data[start + 1], 24, start + 2
    elif short == 25:
        number, least, end = _U16.unpack_from(data, start + 1)[0], 1 << 8, start + 3
    elif short == 26:
        number, least, end = _U32.unpack_from(data, start + 1)[0], 1 << 16, start + 5
    elif short == 27:
        number, least, end = _U64.unpack_from(data, start + 1)[0], 1 << 32, start + 9
    else:
        raise _outside(start, data[start])
    if number < least:
        raise NOT_SHORTEST(at=start)
    return number, end


def _read_uint_array(data: bytes, start: int, at: int, tag: int) -> tuple[UintArray, int]:
    """The typed array whose tag stands at `start` and whose byte string opens at `at`."""
    width = _TAGS.get(tag)
    if width is None:
        raise _outside(start, data[start])
    if data[at] >> 5 != _BYTES:
        raise TYPED_ARRAY(at=start)
    number, at = _argument(data, at)
    end = at + number
    if end > len(data):
        raise TRUNCATED(bytes=len(data))
    if number % width:
        raise TYPED_ARRAY(at=start)
    array = UintArray.of_wire(data[at:end], width=width)
    if array is None:
        raise TYPED_ARRAY_WIDTH(at=start)
    return array, end


def _outside(at: int, head: int) -> Exception:
    """What to raise at a head that the profile does not have."""
    if head & 0x1F == 31 and head >> 5 not in (0, 1, 6):
        return INDEFINITE(at=at)
    return NOT_IN_PROFILE(at=at, head=f"0x{head:02x}")
