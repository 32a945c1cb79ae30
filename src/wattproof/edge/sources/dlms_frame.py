"""What carries DLMS over a line: the TCP wrapper, HDLC frames, and single values.

Both frames are checked here before the protocol machine sees them, so that a wrong checksum or
half a frame is known by its name (IEC 62056-46 for HDLC, IEC 62056-47 for the wrapper).
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Final

from wattproof.edge.sources.exact import decimal_of, shortest
from wattproof.edge.sources.faults import CHECKSUM, FORM, LENGTH, NOT_NUMBER, OTHER_METER, OVERSIZED
from wattproof.edge.sources.line import Address, Line, open_line

__all__ = ["PROTOCOL", "HdlcBytes", "Wrapper", "hdlc_checksum", "parse_number", "parse_scaler_unit"]

PROTOCOL: Final = "DLMS/COSEM"

FLAG: Final = b"\x7e"
MOST_BYTES: Final = 4096
"""The longest answer that is taken: one register has twenty bytes."""

_NUMBERS: Final = {
    5: ">i", 6: ">I", 15: ">b", 16: ">h", 17: ">B", 18: ">H", 20: ">q", 21: ">Q", 24: ">d",
}  # fmt: skip
_SINGLE: Final = 23
"""Types of numbers by their tags (IEC 62056-6-2, common data types)."""


class _Opened:
    """Opens the line when the protocol machine connects."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._line: Line | None = None

    @property
    def line(self) -> Line:
        """The line while it is open."""
        assert self._line is not None
        return self._line

    def connect(self) -> None:
        """Open the line."""
        self._line = open_line(self._address)

    def disconnect(self) -> None:
        """Close the line; again is no error."""
        if self._line is not None:
            self._line.close()


class Wrapper(_Opened):
    """The transport that dlms-cosem needs, for TCP: version, source, destination, length."""

    def __init__(self, address: Address, *, client: int, server: int) -> None:
        super().__init__(address)
        self.client_logical_address = client
        self.server_logical_address = server
        self.timeout = 0  # the line has its own
        self.io = self

    def send_request(self, data: bytes) -> bytes:
        """Send one request and return its answer, without their headers."""
        client, server = self.client_logical_address, self.server_logical_address
        self.line.send(struct.pack(">4H", 1, client, server, len(data)) + data)
        version, source, target, length = struct.unpack(">4H", self.line.exactly(8))
        if version != 1:
            raise FORM(protocol=PROTOCOL, detail=f"version {version} of the wrapper")
        if (source, target) != (server, client):
            raise OTHER_METER(found=f"{source} > {target}", asked=f"{server} > {client}")
        if length > MOST_BYTES:
            raise OVERSIZED(where=self.line.where, limit=MOST_BYTES)
        return self.line.exactly(length)


class HdlcBytes(_Opened):
    """The input and output that dlms-cosem's HDLC transport needs; it gets whole, right frames."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self.server = b""  # its address as frames carry it

    def send(self, data: bytes) -> None:
        """Send a frame."""
        self.line.send(data)

    def recv(self, amount: int) -> bytes:
        """Return so many bytes."""
        return self.line.exactly(amount)

    def recv_until(self, end: bytes) -> bytes:
        """Return the next frame with both its flags, its checksum and sender checked."""
        assert end == FLAG
        first = self.line.exactly(1)
        if first != FLAG:
            raise FORM(protocol="HDLC", detail=f"a frame begins with 7E, not {first.hex()}")
        while first == FLAG:  # one flag may end a frame and begin the next
            first = self.line.exactly(1)
        head = first + self.line.exactly(1)
        if head[0] & 0xF0 != 0xA0:
            raise FORM(protocol="HDLC", detail=f"frame format {head.hex()}")
        length = int.from_bytes(head, "big") & 0x7FF
        if length < 7:
            raise LENGTH(found=length, expected="7..2047")
        body = head + self.line.exactly(length - 2)
        found, computed = body[-2:], hdlc_checksum(body[:-2])
        if found != computed:
            raise CHECKSUM(found=found.hex().upper(), computed=computed.hex().upper())
        if self.line.exactly(1) != FLAG:
            raise LENGTH(found=f"> {length}", expected=length)
        self._check_sender(body)
        return FLAG + body + FLAG

    def _check_sender(self, body: bytes) -> None:
        """The client's address (one byte), then the server's, which ends with an odd byte."""
        end = next((at for at in range(3, min(len(body), 7)) if body[at] & 1), 3)
        sender = body[3 : end + 1]
        if sender != self.server:
            raise OTHER_METER(found=sender.hex(), asked=self.server.hex())


def hdlc_checksum(data: bytes) -> bytes:
    """Return the CRC-16/X-25 of bytes as HDLC sends it, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return (crc ^ 0xFFFF).to_bytes(2, "little")


def parse_number(data: bytes) -> Decimal:
    """Return the number in an attribute: an integer or a float of any size, exactly.

    Raises ``edge.value.not_number`` for what is no number (a meter sends null for a register that
    it does not count) and ``edge.frame.length`` for bytes too few or too many.
    """
    tag, value = data[:1], data[1:]
    if tag == bytes((_SINGLE,)):
        if len(value) != 4:
            raise LENGTH(found=len(value), expected=4)
        return decimal_of(shortest(value))
    form = _NUMBERS.get(tag[0]) if tag else None
    if form is None:
        raise NOT_NUMBER(value=data[:16].hex(" ") or "nothing")
    if len(value) != struct.calcsize(form):
        raise LENGTH(found=len(value), expected=struct.calcsize(form))
    return decimal_of(struct.unpack(form, value)[0])


def parse_scaler_unit(data: bytes) -> tuple[int, int]:
    """Return the power of ten and the unit's number: a structure of an i8 and an enum."""
    if len(data) != 6 or data[:3] != b"\x02\x02\x0f" or data[4] != 22:
        raise FORM(protocol=PROTOCOL, detail=f"scaler and unit {data[:16].hex(' ')}")
    return struct.unpack(">b", data[3:4])[0], data[5]
