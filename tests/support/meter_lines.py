"""Lines between an agent and a meter in tests: real sockets and pseudo terminals, and their faults.

A `Relay` stands between a source and a real server and spoils what the server says; a `Teller` is
a server that plays a script, for what no real server would say.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from wattproof.core.errors import WattProofError

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_sockets() -> set[str]:
    """The sockets and terminals that this process has open."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(descriptor.readlink())
            if target.startswith(("socket:", "/dev/pts/")):
                found.add(f"{descriptor.name} {target}")
    return found


@contextlib.contextmanager
def nothing_left_open() -> Iterator[None]:
    """What runs inside opens no socket for longer than it runs."""
    before = open_sockets()
    yield
    end = time.monotonic() + 2
    while not open_sockets() <= before and time.monotonic() < end:
        time.sleep(0.01)  # the other end may be in a thread of this process
    assert open_sockets() <= before


@contextlib.contextmanager
def fails(code: str, *, within_s: float = 5.0) -> Iterator[None]:
    """What runs inside fails with this code, in time, with a sentence in both languages."""
    begun = time.monotonic()
    with pytest.raises(WattProofError) as caught:
        yield
    assert caught.value.code == code, caught.value
    assert time.monotonic() - begun < within_s
    assert "{" not in caught.value.text("en") + caught.value.text("zh")


Conversation = Callable[[socket.socket], None]


class Teller:
    """A TCP server in a thread; each connection is given to the conversation, then closed."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._stopping = False

    def _serve(self) -> None:
        while not self._stopping:
            ready, _, _ = select.select([self._listener], [], [], 0.05)
            if ready:
                connection, _ = self._listener.accept()
                self.connections += 1
                connection.settimeout(5)
                with connection, contextlib.suppress(OSError):
                    self._conversation(connection)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join(10)
        self._listener.close()


def says(*answers: bytes, then: str = "close") -> Conversation:
    """A conversation: for each thing that is heard, the next answer.

    At the end it closes, or with ``hang`` waits until the other end closes, or with ``reset``
    closes so that the other end sees a reset.
    """

    def converse(connection: socket.socket) -> None:
        for answer in answers:
            if not connection.recv(4096):
                return
            connection.sendall(answer)
        if then == "hang":
            while connection.recv(4096):
                pass
        elif then == "reset":
            if not answers:
                connection.recv(4096)
            option = b"\1\0\0\0\0\0\0\0"  # linger, for no time
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)

    return converse


def drips(data: bytes, *, seconds: float) -> Conversation:
    """A conversation: one byte after another, with this pause between."""

    def converse(connection: socket.socket) -> None:
        connection.recv(4096)
        for byte in data:
            connection.sendall(bytes((byte,)))
            time.sleep(seconds)

    return converse


Spoil = Callable[[bytes], bytes]


class Relay(Teller):
    """Stands before a real server; what the server says goes through `spoil`, piece by piece."""

    def __init__(self, port: int, spoil: Spoil) -> None:
        super().__init__(self._relay)
        self._target = port
        self._spoil = spoil

    def _relay(self, near: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._target), timeout=5) as far:
            while True:
                ready, _, _ = select.select([near, far], [], [], 5)
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    if end is near:
                        far.sendall(data)
                    else:
                        near.sendall(self._spoil(data))


class SerialPair:
    """Two serial ports joined by a cable: pseudo terminals with a thread between them."""

    def __init__(self) -> None:
        self._ends = [pty.openpty() for _ in range(2)]
        for descriptor in (end for pair in self._ends for end in pair):
            tty.setraw(descriptor)
        self.left, self.right = (os.ttyname(inner) for _, inner in self._ends)
        self._stopping = False
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def _carry(self) -> None:
        left, right = (outer for outer, _ in self._ends)
        while not self._stopping:
            ready, _, _ = select.select([left, right], [], [], 0.05)
            for end in ready:
                os.write(right if end == left else left, os.read(end, 4096))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join(5)
        for descriptor in (end for pair in self._ends for end in pair):
            os.close(descriptor)


@contextlib.contextmanager
def server_process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A server of `tests.support` in a process of its own, once it has said ``ready``."""
    command = [sys.executable, "-u", "-m", f"tests.support.{module}", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().strip() == "ready"
            yield process
        finally:
            process.kill()
