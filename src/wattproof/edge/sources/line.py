"""A line to a meter: bytes out and in, over TCP or a serial port, bounded in time.

A line is opened for one conversation and closed after it. It has a deadline for the whole of that
conversation, so a meter that sends one byte a second cannot hold a read for ever.
"""

from __future__ import annotations

import socket
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

import msgspec

from wattproof.edge.sources.faults import (
    HALF,
    NO_LINE,
    OVERSIZED,
    REFUSED,
    RESET,
    SETTING,
    SILENT,
)

if TYPE_CHECKING:
    import serial

__all__ = ["Address", "Line", "load_line", "open_line"]

LISTEN_CHUNK = 4096


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a meter is: ``host`` and ``port``, or ``serial`` with the port's settings.

    These are the first settings of every kind that has a line. `timeout_s` bounds a
    whole conversation, opening the line included.
    """

    host: str = ""
    port: int = 0
    serial: str = ""
    baud: int = 9600
    bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        if bool(self.host) == bool(self.serial):
            raise SETTING(
                key="host", value=repr(self.host), why="give either host or serial",
                why_zh="host 与 serial 须且只须给出一个",
            )  # fmt: skip
        if self.host and not 0 < self.port < 65536:
            raise SETTING(
                key="port", value=self.port, why="a TCP port is 1 to 65535",
                why_zh="TCP 端口为 1 至 65535",
            )  # fmt: skip
        if not 0 < self.timeout_s <= 60:
            raise SETTING(
                key="timeout_s", value=self.timeout_s, why="more than 0 and at most 60 seconds",
                why_zh="须大于 0 且不超过 60 秒",
            )  # fmt: skip

    @property
    def where(self) -> str:
        """The place as people write it: ``10.0.0.7:4001`` or ``/dev/ttyUSB0``."""
        return self.serial or f"{self.host}:{self.port}"


class _Wire(Protocol):
    """What carries the bytes: both kinds give b"" when nothing came within the seconds."""

    def send(self, data: bytes, seconds: float) -> None: ...

    def receive(self, most: int, seconds: float) -> bytes | None: ...

    def close(self) -> None: ...


class _Tcp:
    def __init__(self, address: Address) -> None:
        self._socket = socket.create_connection(
            (address.host, address.port), timeout=address.timeout_s
        )

    def send(self, data: bytes, seconds: float) -> None:
        self._socket.settimeout(seconds)
        self._socket.sendall(data)

    def receive(self, most: int, seconds: float) -> bytes | None:
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(most) or None
        except TimeoutError:
            return b""

    def close(self) -> None:
        self._socket.close()


class _Serial:
    def __init__(self, address: Address) -> None:
        import serial

        self._port: serial.Serial = serial.Serial(
            address.serial, address.baud, bytesize=address.bits, parity=address.parity,
            stopbits=address.stop_bits, exclusive=True,
        )  # fmt: skip

    def send(self, data: bytes, seconds: float) -> None:
        self._port.write_timeout = seconds
        self._port.write(data)

    def receive(self, most: int, seconds: float) -> bytes | None:
        self._port.timeout = seconds
        first: bytes = self._port.read(1)
        if not first:
            return b""
        return first + bytes(self._port.read(min(most - 1, self._port.in_waiting)))

    def set_baud(self, baud: int) -> None:
        self._port.baudrate = baud

    def close(self) -> None:
        self._port.close()


class Line:
    """An open line. Every call ends before the deadline, or raises why it could not.

    Raises ``edge.line.silent`` where nothing came since the last `send`, ``edge.frame.half`` where
    something did, and ``edge.line.reset`` where the other end closed.
    """

    def __init__(self, address: Address, wire: _Wire) -> None:
        self.where = address.where
        self._seconds = address.timeout_s
        self._wire = wire
        self._count = 0  # bytes of this answer
        self._held = bytearray()  # those that nobody took yet
        self._end = time.monotonic() + address.timeout_s

    def send(self, data: bytes) -> None:
        """Send all of this, and begin to count the bytes of its answer."""
        self._count = 0
        with _told(self.where, seconds=self._seconds, count=0):
            self._wire.send(data, self._left())

    def listen(self, seconds: float) -> bytes:
        """Return what comes within these seconds, or nothing: for devices that talk on their own.

        It has nothing to do with the deadline, which is for conversations.
        """
        with _told(self.where, seconds=self._seconds, count=self._count):
            data = self._wire.receive(LISTEN_CHUNK, seconds)
        if data is None:
            raise RESET(where=self.where, count=self._count)
        self._count += len(data)
        return data

    def exactly(self, count: int) -> bytes:
        """Return so many bytes."""
        while len(self._held) < count:
            self._hold_more()
        return self._take(count)

    def until(self, end: bytes, limit: int) -> bytes:
        """Return the bytes up to and including this end, or raise ``edge.frame.oversized``."""
        while (at := self._held.find(end)) < 0:
            if len(self._held) >= limit:
                raise OVERSIZED(where=self.where, limit=limit)
            self._hold_more()
        return self._take(at + len(end))

    def set_baud(self, baud: int) -> None:
        """Go on at this speed; a TCP line has none."""
        if isinstance(self._wire, _Serial):
            self._wire.set_baud(baud)

    def close(self) -> None:
        """Close the line; again is no error."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def _take(self, count: int) -> bytes:
        taken, self._held = self._held[:count], self._held[count:]
        return bytes(taken)

    def _hold_more(self) -> None:
        """Wait for at least one more byte of an answer."""
        with _told(self.where, seconds=self._seconds, count=self._count):
            data = self._wire.receive(LISTEN_CHUNK, self._left())
        if data is None:
            raise RESET(where=self.where, count=self._count)
        if not data:
            raise self._late()
        self._count += len(data)
        self._held += data

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise self._late()
        return left

    def _late(self) -> Exception:
        if self._count:
            return HALF(where=self.where, count=self._count, seconds=self._seconds)
        return SILENT(where=self.where, seconds=self._seconds)


@contextmanager
def _told(where: str, *, seconds: float, count: int) -> Iterator[None]:
    """Say by name what the operating system or pyserial raises."""
    try:
        yield
    except TimeoutError:
        raise SILENT(where=where, seconds=seconds) from None
    except (ConnectionResetError, BrokenPipeError, ConnectionAbortedError):
        raise RESET(where=where, count=count) from None
    except termios.error as error:
        raise NO_LINE(where=where, reason=error.args[-1]) from None
    except OSError as error:  # a serial port that was pulled out; SerialException is one
        raise NO_LINE(where=where, reason=_reason(error)) from None


def load_line(address: Address) -> None:
    """Import what the line needs, so that a missing package is known when a source is opened."""
    if address.serial:
        import serial  # noqa: F401


def open_line(address: Address) -> Line:
    """Open a line, or raise ``edge.line.refused``, ``edge.line.none``, ``edge.line.silent``.

    A serial port that another process reads is refused as ``edge.line.none``.
    """
    try:
        return Line(address, _Serial(address) if address.serial else _Tcp(address))
    except termios.error as error:  # the port cannot do what the settings say
        raise NO_LINE(where=address.where, reason=error.args[-1]) from None
    except ConnectionRefusedError:
        raise REFUSED(where=address.where) from None
    except TimeoutError:
        raise SILENT(where=address.where, seconds=address.timeout_s) from None
    except OSError as error:
        raise NO_LINE(where=address.where, reason=_reason(error)) from None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).rstrip(".")
