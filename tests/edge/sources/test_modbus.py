"""Modbus against the real server of pymodbus, over TCP, RTU over TCP and a serial line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pymodbus.framer import FramerRTU
from tests.support.meter_lines import (
    Relay,
    SerialPair,
    Spoil,
    Teller,
    drips,
    fails,
    free_port,
    nothing_left_open,
    says,
    server_process,
)

from wattproof.edge.sources.registers import ModbusAddress, Register, read_registers
from wattproof.edge.sources.table import check_source, open_source

Exchange = tuple[int, Any]


@pytest.fixture(scope="module")
def tcp() -> Iterator[Exchange]:
    port = free_port()
    with server_process("modbus_server", "tcp", str(port)) as process:
        yield port, process


@pytest.fixture(scope="module")
def rtu_over_tcp() -> Iterator[int]:
    port = free_port()
    with server_process("modbus_server", "rtu-tcp", str(port), "7") as _:
        yield port


def settings(port: int, register: int = 2, type_: str = "u32", **more: Any) -> dict[str, Any]:
    value = {"register": register, "type": type_, **more.pop("value", {})}
    return {
        "kind": "modbus", "host": "127.0.0.1", "port": port, "timeout_s": 3.0, "value": value,
        **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("register", "type_", "words", "value"),
    [
        (0, "u16", "big", "65535"),
        (1, "i16", "big", "-2"),
        (2, "u32", "big", "305419896"),
        (4, "i32", "big", "-123456"),
        (6, "u64", "big", "9223372036854775809"),
        (10, "i64", "big", "-9007199254740993"),
        (14, "f32", "big", "1234.1"),
        (16, "f64", "big", "98765.4321"),
        (20, "u32", "little", "305419896"),
        (22, "f64", "little", "98765.4321"),
    ],
)
@pytest.mark.parametrize("table", ["holding", "input"])
def test_every_type_is_read_exactly(
    tcp: Exchange, register: int, type_: str, words: str, value: str, table: str
) -> None:
    wanted = settings(tcp[0], register, type_, value={"words": words, "table": table})
    with nothing_left_open():
        sample = open_source(wanted).read()
    assert sample.value == Decimal(value)
    assert (sample.unit, sample.doubt) == ("kWh", "")


def test_the_scale_is_exact_and_the_unit_canonical(tcp: Exchange) -> None:
    source = open_source(settings(tcp[0], scale="0.001", unit="千瓦时"))
    assert source.mode == "register"
    assert source.read().value == Decimal("305419.896")
    assert source.read().unit == "kWh"
    source.close()


def test_a_register_that_grows_is_read_anew(tcp: Exchange) -> None:
    port, process = tcp
    source = open_source(settings(port, 30))
    before = source.read()
    process.stdin.write("30=1,2\n")
    process.stdin.flush()
    assert process.stdout.readline() == "changed\n"
    after = source.read()
    assert after.value == 65538 != before.value
    assert after.time_s >= before.time_s


@pytest.mark.parametrize(("register", "code"), [(26, "not_finite"), (28, "not_finite")])
def test_nan_and_infinity_are_no_values(tcp: Exchange, register: int, code: str) -> None:
    with fails(f"edge.value.{code}"):
        open_source(settings(tcp[0], register, "f32")).read()


def test_an_exception_response_is_said(tcp: Exchange) -> None:
    with fails("edge.frame.refusal"), nothing_left_open():
        open_source(settings(tcp[0], 900)).read()


def test_rtu_over_tcp(rtu_over_tcp: int) -> None:
    source = open_source(settings(rtu_over_tcp, framing="rtu", unit_id=7))
    with nothing_left_open():
        assert source.read().value == 305419896


def flip(at: int) -> Spoil:
    return lambda data: data[:at] + bytes((data[at] ^ 0x10,)) + data[at + 1 :]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (flip(-1), "edge.frame.checksum"),
        (flip(4), "edge.frame.checksum"),
        (lambda data: data[:-3], "edge.frame.half"),
        (lambda data: data[:2], "edge.frame.half"),
    ],
)
def test_a_spoilt_rtu_answer_is_noticed(rtu_over_tcp: int, spoil: Spoil, code: str) -> None:
    with Relay(rtu_over_tcp, spoil) as relay:
        source = open_source(settings(relay.port, framing="rtu", unit_id=7, timeout_s=0.6))
        with fails(code), nothing_left_open():
            source.read()


def test_another_unit_that_answers_is_not_taken() -> None:
    answer = bytes.fromhex("01030412345678")
    answer += FramerRTU.compute_CRC(answer).to_bytes(2, "big")
    with (
        Teller(says(answer, then="hang")) as meter,
        fails("edge.frame.other_meter"),
        nothing_left_open(),
    ):
        open_source(settings(meter.port, framing="rtu", unit_id=2, timeout_s=0.4)).read()
    answer = bytes.fromhex("0001 0000 0007 09 03 04 12345678".replace(" ", ""))
    with Teller(says(answer, then="hang")) as meter, fails("edge.frame.other_meter"):
        open_source(settings(meter.port, timeout_s=0.4)).read()


def test_the_serial_line() -> None:
    with SerialPair() as cable, nothing_left_open():
        wanted = {
            "kind": "modbus", "serial": cable.left, "baud": 9600, "unit_id": 3, "timeout_s": 1.5,
            "value": {"register": 14, "type": "f32"},
        }  # fmt: skip
        with server_process("modbus_server", "rtu", cable.right, "3"):
            assert open_source(wanted).read().value == Decimal("1234.1")
        with fails("edge.line.silent", within_s=5):
            open_source({**wanted, "timeout_s": 0.3}).read()


def test_nobody_is_there() -> None:
    with fails("edge.line.refused"), nothing_left_open():
        open_source(settings(free_port())).read()
    with fails("edge.line.none"):
        open_source({**settings(1), "host": "", "port": 0, "serial": "/dev/no-such-port"}).read()
    with fails("edge.line.none"):
        open_source({**settings(1), "host": "no-such-host.invalid"}).read()


@pytest.mark.parametrize(
    ("conversation", "code"),
    [
        (says(then="hang"), "edge.line.silent"),
        (says(b"\0\1\0\0\0\7\1\3", then="hang"), "edge.frame.half"),
        (says(b"\0\1\0\0\0\5\1\3\2\0\1", then="hang"), "edge.frame.length"),
        (says(b"\0\1\0\0\0\2\1\x63", then="hang"), "edge.frame.form"),
        (says(b"\0\1\0\0\0\3\1\3\4", then="hang"), "edge.frame.form"),
        (says(then="reset"), "edge.line.reset"),
        (says(b"\0\1", then="close"), "edge.line.reset"),
        (drips(b"\0\1\0\0\0\7\1\3\4\0\0\0\1" * 9, seconds=0.2), "edge.frame.half"),
    ],
)
def test_bad_answers_by_name(conversation: Any, code: str) -> None:
    with Teller(conversation) as meter, fails(code), nothing_left_open():
        open_source(settings(meter.port, timeout_s=0.4)).read()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"unit": "furlong"}, "core.unit"),
        ({"unit_id": 300}, "edge.source.setting"),
        ({"value": {"register": 65535}}, "edge.source.setting"),
        ({"port": 0}, "edge.source.setting"),
        ({"host": ""}, "edge.source.setting"),
        ({"timeout_s": 0}, "edge.source.setting"),
        ({"serial": "/dev/ttyS9"}, "edge.source.setting"),
        ({"scale": "ten"}, "edge.source.settings"),
        ({"speed": 3}, "edge.source.settings"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code):
        open_source({**settings(1502), **more})


def test_a_serial_line_cannot_speak_tcp() -> None:
    with fails("edge.source.setting"):
        check_source({
            "kind": "modbus", "serial": "/dev/ttyS0", "framing": "tcp", "value": {"register": 0},
        })  # fmt: skip


def test_the_rooms_of_registers_can_be_used_alone(tcp: Exchange) -> None:
    address = ModbusAddress(host="127.0.0.1", port=tcp[0])
    assert read_registers(address, Register(register=0, type="u16")) == 65535
