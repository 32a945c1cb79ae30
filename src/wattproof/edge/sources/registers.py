"""Reading registers of a Modbus device, over TCP or RTU, through pymodbus."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from wattproof.edge.sources.exact import decimal_of, shortest
from wattproof.edge.sources.faults import (
    CHECKSUM,
    FORM,
    HALF,
    LENGTH,
    NO_LINE,
    OTHER_METER,
    REFUSAL,
    REFUSED,
    RESET,
    SETTING,
    SILENT,
)
from wattproof.edge.sources.line import Address

if TYPE_CHECKING:
    from pymodbus.client import ModbusSerialClient, ModbusTcpClient
    from pymodbus.pdu import ModbusPDU

__all__ = ["ModbusAddress", "Register", "decode_registers", "load_modbus", "read_registers"]

Type = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]

_COUNTS: Final = {
    "u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "u64": 4, "i64": 4, "f64": 4,
}  # fmt: skip

_EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}
"""Exception codes: MODBUS Application Protocol V1.1b3, section 7."""

PROTOCOL: Final = "Modbus"


class ModbusAddress(Address, frozen=True, kw_only=True):
    """Where a Modbus device is; ``framing`` is ``rtu`` on serial lines, ``tcp`` else.

    ``framing = "rtu"`` with a host is RTU over TCP, as simple serial servers pass it on.
    """

    unit_id: int = 1
    framing: Literal["", "tcp", "rtu"] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.unit_id <= 255:
            raise SETTING(
                key="unit_id", value=self.unit_id, why="a unit id is 0 to 255",
                why_zh="单元号为 0 至 255",
            )  # fmt: skip
        if self.serial and self.framing == "tcp":
            raise SETTING(
                key="framing", value=self.framing, why="a serial line speaks RTU",
                why_zh="串行线使用 RTU",
            )  # fmt: skip

    @property
    def rtu(self) -> bool:
        """Whether frames carry a CRC."""
        return bool(self.serial) or self.framing == "rtu"


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value in one to four registers, at an address that counts from 0 as on the wire.

    ``words`` is ``big`` if the first register holds the high word. ``table`` is ``holding``
    (function 3) or ``input`` (function 4).
    """

    register: int
    type: Type = "u32"
    words: Literal["big", "little"] = "big"
    table: Literal["holding", "input"] = "holding"

    def __post_init__(self) -> None:
        if not 0 <= self.register <= 65536 - _COUNTS[self.type]:
            raise SETTING(
                key="register", value=self.register, why="registers are 0 to 65535",
                why_zh="寄存器为 0 至 65535",
            )  # fmt: skip

    @property
    def count(self) -> int:
        """How many registers the value takes."""
        return _COUNTS[self.type]


def load_modbus() -> None:
    """Import what reading needs, so that a missing package is known when a source is opened."""
    import pymodbus.client  # noqa: F401


def read_registers(address: ModbusAddress, wanted: Register) -> Decimal:
    """Return the value of one register group; opens a connection and closes it.

    Raises what `faults` names; ``edge.frame.refusal`` for an exception response.
    """
    from pymodbus.exceptions import ConnectionException, ModbusException

    heard = _Heard(address)
    client = _client(address, heard)
    try:
        if not client.connect():
            raise _no_connection(address)
        read = client.read_holding_registers
        if wanted.table == "input":
            read = client.read_input_registers
        answer = read(wanted.register, count=wanted.count, device_id=address.unit_id)
    except ConnectionException:
        raise RESET(where=address.where, count=len(heard.data)) from None
    except ModbusException:
        raise heard.fault() from None
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise RESET(where=address.where, count=len(heard.data)) from None
        raise NO_LINE(where=address.where, reason=error.strerror or str(error)) from None
    except (struct.error, IndexError, ValueError) as error:  # pymodbus, on bytes cut short
        raise FORM(protocol=PROTOCOL, detail=str(error)[:80]) from None
    finally:
        client.close()  # type: ignore[no-untyped-call]
    return decode_registers(_words(answer, wanted), wanted)


def decode_registers(words: list[int], wanted: Register) -> Decimal:
    """Return the exact value of registers; raises ``edge.value.not_finite`` for NaN."""
    ordered = words if wanted.words == "big" else words[::-1]
    data = struct.pack(f">{len(ordered)}H", *ordered)
    if wanted.type == "f32":
        return decimal_of(shortest(data))
    if wanted.type == "f64":
        return decimal_of(struct.unpack(">d", data)[0])
    return Decimal(int.from_bytes(data, "big", signed=wanted.type.startswith("i")))


class _Heard:
    """Remembers what came in, to say by name why pymodbus waited in vain."""

    def __init__(self, address: ModbusAddress) -> None:
        self.data = b""
        self._address = address

    def trace(self, sending: bool, data: bytes) -> bytes:
        """Be handed every packet; pymodbus gives all bytes of an answer that it still holds."""
        if not sending:
            self.data = data
        return data

    def fault(self) -> Exception:
        """Return what is wrong with these bytes."""
        address, data = self._address, self.data
        seconds = address.timeout_s
        if not data:
            return SILENT(where=address.where, seconds=seconds)
        unit_at, expected = (0, _rtu_length(data)) if address.rtu else (6, _tcp_length(data))
        if not expected or len(data) < expected:
            return HALF(where=address.where, count=len(data), seconds=seconds)
        if address.rtu:
            found, computed = data[expected - 2 : expected], _crc(data[: expected - 2])
            if found != computed:
                return CHECKSUM(found=found.hex().upper(), computed=computed.hex().upper())
        if data[unit_at] != address.unit_id:
            return OTHER_METER(found=data[unit_at], asked=address.unit_id)
        return FORM(protocol=PROTOCOL, detail=data[:16].hex(" "))


def _rtu_length(data: bytes) -> int:
    """How long the frame that begins so should be; 0 if it is too short to tell."""
    if len(data) < 3:
        return 0
    return 5 if data[1] & 0x80 else data[2] + 5


def _tcp_length(data: bytes) -> int:
    return int.from_bytes(data[4:6], "big") + 6 if len(data) >= 8 else 0


def _crc(data: bytes) -> bytes:
    """CRC-16 of a Modbus RTU frame as sent, low byte first (MODBUS over Serial Line V1.02)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def _client(address: ModbusAddress, heard: _Heard) -> ModbusTcpClient | ModbusSerialClient:
    from pymodbus import FramerType
    from pymodbus.client import ModbusSerialClient, ModbusTcpClient

    if address.serial:
        return ModbusSerialClient(
            address.serial, baudrate=address.baud, bytesize=address.bits, parity=address.parity,
            stopbits=address.stop_bits, timeout=address.timeout_s, retries=0,
            trace_packet=heard.trace,
        )  # fmt: skip
    return ModbusTcpClient(
        address.host, port=address.port, timeout=address.timeout_s, retries=0,
        framer=FramerType.RTU if address.rtu else FramerType.SOCKET, trace_packet=heard.trace,
    )  # fmt: skip


def _no_connection(address: ModbusAddress) -> Exception:
    """Ask the system why: pymodbus says only that there is none."""
    from wattproof.edge.sources.line import open_line

    with open_line(address):
        return REFUSED(where=address.where)  # it was down a moment ago


def _words(answer: ModbusPDU, wanted: Register) -> list[int]:
    if answer.isError():
        code = int(getattr(answer, "exception_code", 0))
        raise REFUSAL(reason=f"{_EXCEPTIONS.get(code, 'exception')} ({code})")
    words = list(answer.registers)
    if len(words) != wanted.count:
        raise LENGTH(found=2 * len(words), expected=2 * wanted.count)
    return words
