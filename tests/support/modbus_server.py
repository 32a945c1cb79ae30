"""A Modbus device with known registers: the real server of pymodbus, over TCP or a serial port.

Run as ``python -m tests.support.modbus_server tcp|rtu|rtu-tcp PLACE [UNIT_ID]``. A line
``ADDRESS=WORD,WORD...`` on its standard input changes registers.
"""

from __future__ import annotations

import asyncio
import struct
import sys

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def words(code: str, value: float) -> list[int]:
    """A value as registers, high word first."""
    data = struct.pack(f">{code}", value)
    return list(struct.unpack(f">{len(data) // 2}H", data))


HELD: dict[int, list[int]] = {
    0: words("H", 65535),
    1: words("h", -2),
    2: words("I", 305419896),
    4: words("i", -123456),
    6: words("Q", 2**63 + 1),
    10: words("q", -(2**53) - 1),
    14: words("f", 1234.1),
    16: words("d", 98765.4321),
    20: words("I", 305419896)[::-1],
    22: words("d", 98765.4321)[::-1],
    26: words("f", float("nan")),
    28: words("f", float("inf")),
    30: words("f", 360.0),
    32: words("f", 2.0),
}


async def serve(kind: str, place: str, unit_id: int) -> None:
    """Serve until killed."""
    registers = [word for address in sorted(HELD) for word in HELD[address]]
    changed: dict[int, int] = {}

    async def current(
        _function: int, start: int, _address: int, _count: int, held: list[int], _set: object
    ) -> None:
        for address, word in changed.items():
            held[address - start] = word

    device = SimDevice(
        unit_id, SimData(0, values=registers, datatype=DataType.REGISTERS), action=current
    )
    server: ModbusSerialServer | ModbusTcpServer
    if kind == "rtu":
        server = ModbusSerialServer(device, port=place, framer=FramerType.RTU, baudrate=9600)
    else:
        framer = FramerType.RTU if kind == "rtu-tcp" else FramerType.SOCKET
        server = ModbusTcpServer(device, address=("127.0.0.1", int(place)), framer=framer)
    await server.serve_forever(background=True)
    sys.stdout.write("ready\n")
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        start, _, new = line.strip().partition("=")
        for offset, word in enumerate(new.split(",")):
            changed[int(start) + offset] = int(word)
        sys.stdout.write("changed\n")


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else 1))
