"""Frames of DL/T 645-2007: bytes in both directions, with nothing let through that is not one.

    FE x 0..4 | 68 | A0..A5 | 68 | C | L | DATA | CS | 16

The address is 12 decimal digits, low byte first. Every byte of the data travels with 33 (hex)
added. CS is the sum modulo 256 of all from the first 68 to the last byte of the data.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

from wattproof.edge.sources.faults import CHECKSUM, FORM, LENGTH, NOT_NUMBER

__all__ = [
    "ANY_METER",
    "HEAD_BYTES",
    "IDLE",
    "PREAMBLE",
    "PROTOCOL",
    "READ",
    "READ_MORE",
    "READ_REFUSED",
    "READ_REPLY",
    "START",
    "TAIL_BYTES",
    "Frame",
    "bcd_value",
    "decode_frame",
    "encode_frame",
]

PROTOCOL: Final = "DL/T 645-2007"

READ: Final = 0x11
READ_REPLY: Final = 0x91
READ_MORE: Final = 0xB1
READ_REFUSED: Final = 0xD1
"""Control codes of reading: request, reply, reply with more to come, refusal."""

PREAMBLE: Final = b"\xfe\xfe\xfe\xfe"
"""Wakes a receiver up; no part of the frame."""

IDLE: Final = b"\xfe\x00\xff"
"""What a line may carry before a frame: wake-up bytes, and glitches while it turns round."""

ANY_METER: Final = "AAAAAAAAAAAA"
"""The address that every meter answers, for a line with one meter."""

HEAD_BYTES: Final = 10
TAIL_BYTES: Final = 2
MOST_DATA: Final = 200

START: Final = 0x68
END: Final = 0x16
OFFSET: Final = 0x33

_ADDRESS: Final = re.compile(r"\d{12}|A{12}", re.ASCII)


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame: the meter's address, the control code, and the data as meant (33 taken off)."""

    address: str
    control: int
    data: bytes = b""


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of a frame, without a preamble."""
    if _ADDRESS.fullmatch(frame.address) is None or len(frame.data) > MOST_DATA:
        raise AssertionError(f"no frame of {PROTOCOL}: {frame}")
    address = bytes.fromhex(frame.address)[::-1]
    data = bytes((byte + OFFSET) & 0xFF for byte in frame.data)
    head = bytes((START, *address, START, frame.control, len(data)))
    return head + data + bytes((_checksum(head + data), END))


def decode_frame(raw: bytes) -> Frame:
    """Return the frame that these bytes are, from the first 68 to the 16.

    Raises ``edge.frame.form`` for wrong marks or digits, ``edge.frame.length`` where the bytes are
    more or fewer than L says, and ``edge.frame.checksum``.
    """
    if len(raw) < HEAD_BYTES + TAIL_BYTES:
        raise LENGTH(found=len(raw), expected=HEAD_BYTES + TAIL_BYTES)
    if raw[0] != START or raw[7] != START:
        raise FORM(protocol=PROTOCOL, detail=f"no 68 where a frame has it: {raw[:10].hex(' ')}")
    expected = HEAD_BYTES + raw[9] + TAIL_BYTES
    if len(raw) != expected:
        raise LENGTH(found=len(raw), expected=expected)
    computed = _checksum(raw[:-TAIL_BYTES])
    if raw[-2] != computed:
        raise CHECKSUM(found=f"{raw[-2]:02X}", computed=f"{computed:02X}")
    if raw[-1] != END:
        raise FORM(protocol=PROTOCOL, detail=f"ends with {raw[-1]:02X}, not 16")
    address = raw[1:7][::-1].hex().upper()
    if _ADDRESS.fullmatch(address) is None:
        raise FORM(protocol=PROTOCOL, detail=f"{address} is no address")
    data = bytes((byte - OFFSET) & 0xFF for byte in raw[HEAD_BYTES:-TAIL_BYTES])
    return Frame(address=address, control=raw[8], data=data)


def bcd_value(data: bytes, *, decimals: int, signed: bool) -> Decimal:
    """Return the number that BCD digits spell, low byte first.

    With `signed` the highest bit means below zero, as in the combined active energy. Raises
    ``edge.value.not_number`` for digits beyond 9: a meter sends FF where it has no value.
    """
    digits = bytearray(data[::-1])
    negative = signed and digits[0] & 0x80
    if negative:
        digits[0] &= 0x7F
    text = digits.hex()
    if not text.isdecimal():
        raise NOT_NUMBER(value=data[::-1].hex().upper())
    return Decimal((int(bool(negative)), tuple(map(int, text)), -decimals))


def _checksum(data: bytes) -> int:
    return sum(data) & 0xFF
