"""DL/T 645-2007 meters: the dlt645 package's server in its own process, and bad answers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.support.meter_lines import (
    Relay,
    SerialPair,
    Teller,
    drips,
    fails,
    free_port,
    nothing_left_open,
    says,
    server_process,
)

from wattproof.edge.sources.dlt645_frame import Frame, encode_frame
from wattproof.edge.sources.table import open_source

METER = "000000000161"
REPLY = bytes.fromhex("6861010000000068910833333433593333338A16")


@pytest.fixture(scope="module")
def meter() -> Iterator[tuple[int, Any]]:
    port = free_port()
    with server_process("dlt645_server", "tcp", str(port), METER) as process:
        yield port, process


def settings(port: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "dlt645", "host": "127.0.0.1", "port": port, "address": METER, "timeout_s": 3.0,
        **more,
    }  # fmt: skip


def test_registers_of_a_meter(meter: tuple[int, Any]) -> None:
    port, process = meter
    source = open_source(settings(port))
    with nothing_left_open():
        first = source.read()
    assert (first.value, first.unit, source.mode) == (Decimal("123456.78"), "kWh", "register")
    process.stdin.write("00010000=123456.79\n")
    process.stdin.flush()
    assert process.stdout.readline() == "changed\n"
    assert source.read().value == Decimal("123456.79")
    export = open_source(settings(port, item="00020000"))
    assert export.read().value == Decimal("0.26")
    voltage = open_source(settings(port, item="02010100", size=2, decimals=1))
    assert voltage.read().value == Decimal("229.4")
    source.close()


def test_the_meter_alone_on_a_line_answers_to_any_address(meter: tuple[int, Any]) -> None:
    assert open_source(settings(meter[0], address="AAAAAAAAAAAA")).read().value > 123456


def test_an_item_that_the_meter_does_not_have(meter: tuple[int, Any]) -> None:
    with fails("edge.frame.refusal"), nothing_left_open():
        open_source(settings(meter[0], item="0F0F0F0F")).read()


def test_the_serial_line() -> None:
    with SerialPair() as cable, nothing_left_open():
        wanted = {
            "kind": "dlt645", "serial": cable.left, "address": METER, "timeout_s": 2.0,
            "parity": "N",  # a pseudo terminal has none
        }  # fmt: skip
        with server_process("dlt645_server", "serial", cable.right, METER):
            assert open_source(wanted).read().value == Decimal("123456.78")
        with fails("edge.line.silent"):
            open_source({**wanted, "timeout_s": 0.3}).read()


@pytest.mark.parametrize("at", [0, 3, 7, 8, 10, 15, 18, 19])
def test_a_byte_spoilt_on_the_way(meter: tuple[int, Any], at: int) -> None:
    """The real server's answer, one byte of its frame changed."""

    def spoil(data: bytes) -> bytes:
        start = data.index(0x68) + at
        return data[:start] + bytes((data[start] ^ 1,)) + data[start + 1 :]

    with Relay(meter[0], spoil) as relay:
        source = open_source(settings(relay.port, timeout_s=0.8))
        with pytest.raises(Exception, match=r"edge\.frame"), nothing_left_open():
            source.read()


def reply(**changed: Any) -> bytes:
    fields: dict[str, Any] = {
        "address": METER, "control": 0x91, "data": bytes.fromhex("0000010026000000"),
    }  # fmt: skip
    return encode_frame(Frame(**(fields | changed)))


def test_wake_up_bytes_and_glitches_are_passed_over() -> None:
    with Teller(says(b"\x00\xff\xfe\xfe\xfe\xfe" + REPLY)) as meter:
        assert open_source(settings(meter.port)).read().value == Decimal("0.26")


@pytest.mark.parametrize(
    ("conversation", "code"),
    [
        (says(then="hang"), "edge.line.silent"),
        (says(REPLY[:-4], then="hang"), "edge.frame.half"),
        (says(REPLY[:6], then="hang"), "edge.frame.half"),
        (says(REPLY[:6], then="close"), "edge.line.reset"),
        (says(then="reset"), "edge.line.reset"),
        (says(REPLY[:-2] + b"\0\x16"), "edge.frame.checksum"),
        (says(bytes.fromhex("6875671266880068110433333433C616")), "edge.frame.checksum"),
        (says(reply(address="000000000162")), "edge.frame.other_meter"),
        (says(reply(control=0xD1, data=b"\2")), "edge.frame.refusal"),
        (says(reply(control=0xD1, data=b"")), "edge.frame.refusal"),
        (says(reply(control=0xB1)), "edge.frame.form"),
        (says(reply(control=0x11)), "edge.frame.form"),
        (says(reply(data=bytes.fromhex("0000020026000000"))), "edge.frame.form"),
        (says(reply(data=bytes.fromhex("00000100260000"))), "edge.frame.length"),
        (says(reply(data=bytes.fromhex("00000100FFFFFFFF"))), "edge.value.not_number"),
        (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "edge.frame.form"),
        (says(b"\xfe" * 200, then="hang"), "edge.frame.form"),
        (drips(REPLY, seconds=0.05), "edge.frame.half"),
    ],
)
def test_bad_answers_by_name(conversation: Any, code: str) -> None:
    with Teller(conversation) as meter, nothing_left_open():
        source = open_source(settings(meter.port, timeout_s=0.4))
        with fails(code):
            source.read()


def test_nobody_is_there() -> None:
    with fails("edge.line.refused"), nothing_left_open():
        open_source(settings(free_port())).read()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"address": "161"}, "edge.source.setting"),
        ({"item": "0001"}, "edge.source.setting"),
        ({"size": 9}, "edge.source.setting"),
        ({"decimals": 9}, "edge.source.setting"),
        ({"unit": "volt"}, "core.unit"),
        ({"parity": "X"}, "edge.source.settings"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code):
        open_source({**settings(1), **more})
