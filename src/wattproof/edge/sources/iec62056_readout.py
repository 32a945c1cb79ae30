"""The data readout of IEC 62056-21: a checked block of lines such as ``1.8.0(001234.56*kWh)``.

    STX  line CR LF  line CR LF ... ! CR LF  ETX  BCC

BCC is the exclusive or of all bytes after STX up to and including ETX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from operator import xor
from typing import Final

import msgspec

from wattproof.edge.sources.faults import ABSENT, CHECKSUM, FORM

__all__ = [
    "ETX",
    "NAK",
    "PROTOCOL",
    "STX",
    "Entry",
    "Identification",
    "find_entry",
    "parse_identification",
    "parse_readout",
]

PROTOCOL: Final = "IEC 62056-21"

STX: Final = b"\x02"
ETX: Final = b"\x03"
NAK: Final = b"\x15"

BAUDS: Final = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
"""Baud rates of mode C by their characters (IEC 62056-21, 6.3.14)."""

_IDENTIFICATION: Final = re.compile(r"/([A-Za-z]{3})([0-9])((?:\\.)*)([^/!\x00-\x1f]{0,32})\r\n")
_SET: Final = re.compile(
    r"([^()/!\x00-\x1f]{0,32})\(([^()/!*\x00-\x1f]{0,128})(?:\*([^()/!]{1,16}))?\)"
)
_TARIFF: Final = re.compile(r"(?:\d{1,3}-\d{1,3}:)?(.+?)(?:[*&]255)?")


class Identification(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers: the maker's three letters, the character of its baud rate, and its type."""

    maker: str
    speed: str
    model: str

    @property
    def baud(self) -> int | None:
        """The rate that it changes to, if it is one of mode C."""
        return BAUDS.get(self.speed)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One set of a line: its code, its value as text, and its unit or nothing."""

    code: str
    value: str
    unit: str = ""


def parse_identification(raw: bytes) -> Identification:
    """Return who answered, or raise ``edge.frame.form``."""
    match = _IDENTIFICATION.fullmatch(raw.decode("latin-1"))
    if match is None:
        raise FORM(protocol=PROTOCOL, detail=f"identification {raw[:40]!r}")
    maker, speed, _, model = match.groups()
    return Identification(maker=maker, speed=speed, model=model)


def parse_readout(raw: bytes) -> tuple[Entry, ...]:
    """Return the entries of a block from its STX to its BCC.

    Raises ``edge.frame.checksum``, and ``edge.frame.form`` for lines that are none.
    """
    if len(raw) < 4 or raw[:1] != STX or raw[-2:-1] != ETX:
        raise FORM(protocol=PROTOCOL, detail=f"no block from STX to ETX: {raw[:16]!r}")
    computed = reduce(xor, raw[1:-1]) & 0x7F
    if raw[-1] & 0x7F != computed:
        raise CHECKSUM(found=f"{raw[-1]:02X}", computed=f"{computed:02X}")
    text, end, rest = raw[1:-2].decode("latin-1").partition("!")
    if not end or rest not in ("\r\n", ""):
        raise FORM(protocol=PROTOCOL, detail="no ! at the end of the block")
    return tuple(entry for line in text.split("\r\n") if line for entry in _entries(line))


def _entries(line: str) -> Iterator[Entry]:
    """The sets of a line; one without a code of its own goes on with the code before it."""
    at, code = 0, ""
    while at < len(line):
        match = _SET.match(line, at)
        if match is None or not (match[1] or code):
            raise FORM(protocol=PROTOCOL, detail=f"line {line[:40]!r}")
        code = match[1] or code
        yield Entry(code=code, value=match[2], unit=match[3] or "")
        at = match.end()


def find_entry(entries: tuple[Entry, ...], code: str) -> Entry:
    """Return the first entry with this code, or raise ``edge.value.absent``.

    A code may leave out what a meter leaves out: ``1.8.0`` is also ``1-0:1.8.0*255``, but not
    ``1.8.0*01``, which is a value of the past.
    """
    found = next((entry for entry in entries if entry.code == code), None)
    if found is None:
        short = _short(code)
        found = next((entry for entry in entries if _short(entry.code) == short), None)
    if found is None:
        raise ABSENT(what=code)
    return found


def _short(code: str) -> str:
    match = _TARIFF.fullmatch(code)
    return match[1] if match else code
