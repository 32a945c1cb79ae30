"""A meter that speaks DL/T 645-2007, on a serial line or behind a serial server."""

from __future__ import annotations

import re
import time
from typing import ClassVar, Final, Literal

from wattproof.core.units import find_unit
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.dlt645_frame import (
    ANY_METER,
    HEAD_BYTES,
    IDLE,
    PREAMBLE,
    PROTOCOL,
    READ,
    READ_MORE,
    READ_REFUSED,
    READ_REPLY,
    START,
    TAIL_BYTES,
    Frame,
    bcd_value,
    decode_frame,
    encode_frame,
)
from wattproof.edge.sources.faults import FORM, LENGTH, OTHER_METER, REFUSAL, SETTING
from wattproof.edge.sources.line import Address, Line, load_line, open_line

__all__ = ["Config", "Dlt645Source", "open_source"]

ITEM_BYTES: Final = 4
MOST_IDLE: Final = 32

REASONS: Final = (
    "other error", "no such data", "no authority", "baud rate cannot be changed",
    "too many year zones", "too many day periods", "too many tariffs",
)  # fmt: skip
"""What the bits of the error byte mean, lowest first (DL/T 645-2007, annex on error codes)."""


class Config(Address, frozen=True, kw_only=True, tag_field="kind", tag="dlt645",
             forbid_unknown_fields=True):  # fmt: skip
    """One item of one meter; the defaults read the energy taken from the grid.

    `address` is the 12 digits on the meter's plate, or ``AAAAAAAAAAAA`` for whichever meter is
    alone on the line. `item` is the data identifier in hex, highest byte first. The value has
    `size` bytes of BCD with `decimals` digits after the point.
    """

    address: str
    item: str = "00010000"
    size: int = 4
    decimals: int = 2
    unit: str = "kWh"
    baud: int = 2400
    parity: Literal["N", "E", "O"] = "E"

    def __post_init__(self) -> None:
        super().__post_init__()
        if re.fullmatch(r"\d{12}|A{12}", self.address, re.ASCII) is None:
            raise SETTING(
                key="address", value=self.address, why="an address has 12 digits",
                why_zh="地址为 12 位数字",
            )  # fmt: skip
        if re.fullmatch(r"[0-9A-Fa-f]{8}", self.item, re.ASCII) is None:
            raise SETTING(
                key="item", value=self.item, why="a data identifier has 8 hex digits",
                why_zh="数据标识为 8 位十六进制数",
            )  # fmt: skip
        if not (1 <= self.size <= 8 and 0 <= self.decimals <= 2 * self.size):
            raise SETTING(
                key="size", value=self.size, why="1 to 8 bytes, and no more decimals than digits",
                why_zh="1 至 8 字节，小数位不超过数字位数",
            )  # fmt: skip


class Dlt645Source:
    """Reads a cumulative register; each read is a conversation of its own."""

    kind: ClassVar[str] = "dlt645"
    mode: Mode = "register"

    def __init__(self, config: Config) -> None:
        load_line(config)
        self._config = config
        self._unit = find_unit(config.unit).name
        self._item = bytes.fromhex(config.item)[::-1]

    def read(self) -> Sample:
        """Read the item; raises as `faults` names it, ``edge.frame.refusal`` for a D1 reply."""
        config = self._config
        request = Frame(address=config.address, control=READ, data=self._item)
        with open_line(config) as line:
            line.send(PREAMBLE + encode_frame(request))
            reply = _receive(line)
        value = bcd_value(
            self._value(reply), decimals=config.decimals, signed=config.item.startswith("0000")
        )
        return Sample(time_s=int(time.time()), value=value, unit=self._unit)

    def close(self) -> None:
        """Nothing stays open between reads."""

    def _value(self, reply: Frame) -> bytes:
        """Return the bytes of the value, once all else in the reply is as it should be."""
        asked = self._config.address
        if asked not in (ANY_METER, reply.address):
            raise OTHER_METER(found=reply.address, asked=asked)
        if reply.control == READ_REFUSED:
            raise REFUSAL(reason=_reason(reply.data))
        if reply.control == READ_MORE:
            raise FORM(protocol=PROTOCOL, detail="the item does not fit in one frame")
        if reply.control != READ_REPLY:
            raise FORM(protocol=PROTOCOL, detail=f"control code {reply.control:02X}")
        if len(reply.data) != ITEM_BYTES + self._config.size:
            raise LENGTH(found=len(reply.data), expected=ITEM_BYTES + self._config.size)
        if reply.data[:ITEM_BYTES] != self._item:
            found = reply.data[:ITEM_BYTES][::-1].hex().upper()
            raise FORM(protocol=PROTOCOL, detail=f"item {found} came, not {self._config.item}")
        return reply.data[ITEM_BYTES:]


def _receive(line: Line) -> Frame:
    """Return the next frame on a line; what a line carries while idle is passed over."""
    for _ in range(MOST_IDLE):
        first = line.exactly(1)
        if first not in IDLE:
            break
    head = first + line.exactly(HEAD_BYTES - 1)
    if not head[0] == head[7] == START:
        return decode_frame(head + bytes(TAIL_BYTES))  # not a frame: it says so
    return decode_frame(head + line.exactly(head[9] + TAIL_BYTES))


def _reason(data: bytes) -> str:
    bits = data[0] if data else 0
    told = [reason for bit, reason in enumerate(REASONS) if bits >> bit & 1]
    return f"{', '.join(told) or 'error'} ({bits:02X})"


def open_source(config: Config) -> Dlt645Source:
    """Open the source of this table."""
    return Dlt645Source(config)
