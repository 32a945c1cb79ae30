"""A DL/T 645-2007 meter: the server of the dlt645 package, over TCP or a serial port.

Run as ``python -m tests.support.dlt645_server tcp|serial PLACE ADDRESS``. A line ``ITEM=VALUE`` on
its standard input changes a register.
"""

from __future__ import annotations

import sys

from dlt645 import MeterServerService


def serve(kind: str, place: str, address: str) -> None:
    """Serve until killed."""
    if kind == "tcp":
        meter = MeterServerService.new_tcp_server("127.0.0.1", int(place))
    else:
        meter = MeterServerService.new_rtu_server(place, 8, 1, 2400, "N", 1.0)
    meter.set_address(bytearray(bytes.fromhex(address)[::-1]))
    meter.set_00(0x00010000, 123456.78)
    meter.set_00(0x00020000, 0.26)
    meter.set_02(0x02010100, 229.4)
    assert meter.server.start()
    sys.stdout.write("ready\n")
    for line in sys.stdin:
        item, _, value = line.strip().partition("=")
        assert meter.set_00(int(item, 16), float(value))
        sys.stdout.write("changed\n")


if __name__ == "__main__":
    serve(*sys.argv[1:4])
