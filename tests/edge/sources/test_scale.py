"""A scale over TCP and on a serial line: weighings between reads, and lines that break."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.meter_lines import (
    Conversation,
    SerialPair,
    Teller,
    fails,
    free_port,
    nothing_left_open,
)

from wattproof.edge.source import Source
from wattproof.edge.sources import scale
from wattproof.edge.sources.table import open_source

ZERO = b"ST,GS,+    0.00kg\r\n"


def load(weight: str) -> bytes:
    """A load is put on, stands still for a while, and is taken off."""
    moving = b"US,GS,+    1.00kg\r\n"
    still = f"ST,GS,+ {weight:>7}kg\r\n".encode()
    return ZERO + moving + still * 5 + moving + ZERO


def tells(*parts: bytes, go_on: bytes = ZERO) -> Conversation:
    """A scale: says the parts, then the same line ten times a second."""

    def converse(connection: socket.socket) -> None:
        for part in (ZERO[-8:], *parts):  # we come in the middle of a line
            connection.sendall(part)
        while go_on:
            connection.sendall(go_on)
            time.sleep(0.1)
        while connection.recv(64):
            pass

    return converse


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "RETRY_S", 0.1)


@contextmanager
def opened(**settings: Any) -> Iterator[Source]:
    settings.setdefault("state", "")
    source = open_source({"kind": "scale", "host": "127.0.0.1", "timeout_s": 0.6, **settings})
    try:
        yield source
    finally:
        source.close()


def added(source: Source, until: Callable[[Decimal], object]) -> Decimal:
    """What a source gives in all, until it is enough."""
    total, end = Decimal(0), time.monotonic() + 5
    while not until(total) and time.monotonic() < end:
        total += source.read().value
        time.sleep(0.02)
    return total


def test_weighings_over_tcp() -> None:
    with (
        Teller(tells(load("12.34"), load("100.00"), load("0.66"))) as told,
        nothing_left_open(),
        opened(port=told.port) as source,
    ):
        assert source.mode == "increment"
        assert added(source, lambda total: total >= 113) == 113
        quiet = source.read()
        assert quiet.value == 0
        assert (quiet.unit, quiet.doubt) == ("kg", "")


def test_the_serial_line() -> None:
    with SerialPair() as cable, nothing_left_open():
        far = os.open(cable.right, os.O_RDWR | os.O_NOCTTY)
        with opened(host="", serial=cable.left) as source:
            time.sleep(0.3)  # a port that is opened forgets what came before
            os.write(far, ZERO + load("7.50"))
            assert added(source, lambda total: os.write(far, ZERO) and total > 0) == Decimal("7.5")
        os.close(far)


def test_a_restart_neither_loses_nor_repeats_a_weighing(tmp_path: Path) -> None:
    state = str(tmp_path / "scale.json")
    with Teller(tells(load("10.00"))) as told, opened(port=told.port, state=state) as source:
        assert added(source, lambda total: total > 0) == 10
    with Teller(tells(load("5.00"))) as told, opened(port=told.port, state=state):
        end = time.monotonic() + 5
        while b'"weighings":2' not in Path(state).read_bytes() and time.monotonic() < end:
            time.sleep(0.02)  # weighed, but not read before the source closes
    with Teller(tells()) as told, opened(port=told.port, state=state) as source:
        assert source.read().value == 5
        assert source.read().value == 0


def test_nobody_is_there() -> None:
    with opened(port=free_port()) as source, fails("edge.line.refused"):
        source.read()


@pytest.mark.parametrize(
    ("parts", "go_on", "code"),
    [
        ((), b"", "edge.line.silent"),
        ((), b"OL,GS,+-------kg\r\n", "edge.scale.overload"),
        ((), b"ST,GS,+  12.34lb\r\n", "edge.value.unit"),
        ((), b"hello\r\n", "edge.frame.form"),
        ((b"x" * 100,), b"", "edge.frame.oversized"),
        ((b"ST,GS,+  12.34kg",), b"", "edge.line.silent"),
    ],
)
def test_bad_lines_by_name(parts: tuple[bytes, ...], go_on: bytes, code: str) -> None:
    with (
        Teller(tells(*parts, go_on=go_on)) as told,
        nothing_left_open(),
        opened(port=told.port) as source,
        fails(code),
    ):
        source.read()


def test_a_scale_that_hangs_up() -> None:
    def converse(connection: socket.socket) -> None:
        connection.sendall(ZERO[:5])

    with Teller(converse) as told, opened(port=told.port) as source, fails("edge.line.reset"):
        source.read()


def test_weighings_before_and_after_a_break_are_all_counted() -> None:
    loads = iter([load("3.00"), load("4.00")])

    def converse(connection: socket.socket) -> None:
        connection.sendall(ZERO + next(loads, b"") + ZERO)

    with Teller(converse) as told, opened(port=told.port) as source:
        total, end = Decimal(0), time.monotonic() + 5
        while total < 7 and time.monotonic() < end:
            try:
                total += source.read().value
            except Exception as error:
                assert "edge.line.reset" in str(error)
        assert total == 7


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"empty": -1}, "edge.source.setting"),
        ({"unit": "kWh"}, "core.unit_mismatch"),
        ({"unit": "stone"}, "core.unit"),
        ({"port": 0}, "edge.source.setting"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code), opened(**({"port": 1} | more)):
        pass
