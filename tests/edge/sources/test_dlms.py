"""DLMS/COSEM meters: the server of gurux_dlms in its own process, over TCP with both framings."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.support.meter_lines import (
    Relay,
    Spoil,
    Teller,
    drips,
    fails,
    free_port,
    nothing_left_open,
    says,
    server_process,
)

from wattproof.edge.sources.dlms_frame import hdlc_checksum
from wattproof.edge.sources.table import open_source

Meter = tuple[str, int, "subprocess.Popen[str]"]


@pytest.fixture(scope="module", params=["wrapper", "hdlc"])
def meter(request: pytest.FixtureRequest) -> Iterator[Meter]:
    port = free_port()
    with server_process("dlms_server", request.param, str(port)) as process:
        yield request.param, port, process


@pytest.fixture(scope="module")
def locked() -> Iterator[int]:
    """A meter that wants a password."""
    port = free_port()
    with server_process("dlms_server", "wrapper", str(port), "12345678"):
        yield port


def settings(port: int, framing: str = "wrapper", **more: Any) -> dict[str, Any]:
    return {
        "kind": "dlms", "host": "127.0.0.1", "port": port, "framing": framing, "timeout_s": 4.0,
        **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("obis", "expected", "value", "unit"),
    [
        ("1-0:1.8.0*255", "kWh", "1234567", "Wh"),
        ("1-0:2.8.0", "MWh", "9876500", "Wh"),
        ("7-0:3.0.0", "m3", "456.78", "m3"),
        ("1-0:16.8.0", "Wh", "12.5", "Wh"),
    ],
)
def test_registers_with_their_scalers(
    meter: Meter, obis: str, expected: str, value: str, unit: str
) -> None:
    source = open_source(settings(meter[1], meter[0], obis=obis, unit=expected))
    with nothing_left_open():
        sample = source.read()
    assert (sample.value, sample.unit, source.mode) == (Decimal(value), unit, "register")


def test_an_extended_register(meter: Meter) -> None:
    source = open_source(settings(meter[1], meter[0], obis="1-0:1.6.0", class_id=4))
    assert source.read().value == 1700


def test_a_register_that_grows_is_read_anew(meter: Meter) -> None:
    framing, port, process = meter
    source = open_source(settings(port, framing))
    assert process.stdin is not None
    assert process.stdout is not None
    for value in (1234568, 1234567):
        process.stdin.write(f"{value}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "changed\n"
        assert source.read().value == value
    source.close()


@pytest.mark.parametrize(
    ("obis", "code"),
    [
        ("1-0:9.9.9", "edge.frame.refusal"),
        ("1-0:32.7.0", "edge.value.unit"),
        ("1-0:17.8.0", "edge.value.not_finite"),
        ("1-0:18.8.0", "edge.value.not_number"),
        ("7-0:3.0.0", "edge.value.unit"),
    ],
)
def test_what_the_meter_cannot_give(meter: Meter, obis: str, code: str) -> None:
    with fails(code), nothing_left_open():
        open_source(settings(meter[1], meter[0], obis=obis)).read()


def test_a_password(locked: int) -> None:
    assert open_source(settings(locked, password="12345678")).read().value == 1234567
    for password in ("", "87654321"):
        with fails("edge.frame.refusal"), nothing_left_open():
            open_source(settings(locked, password=password)).read()


def test_an_address_that_no_meter_has(meter: Meter) -> None:
    with fails("edge.line.silent"), nothing_left_open():
        open_source(settings(meter[1], meter[0], server=5, timeout_s=0.6)).read()


def flip(at: int) -> Spoil:
    def spoil(data: bytes) -> bytes:
        if len(data) <= at:
            return data
        return data[:at] + bytes((data[at] ^ 0x10,)) + data[at + 1 :]

    return spoil


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (flip(12), "edge.frame.checksum"),
        (flip(5), "edge.frame.checksum"),
        (flip(1), "edge.frame.form"),
        (flip(0), "edge.frame.form"),
        (lambda data: data[:-4], "edge.frame.half"),
        (lambda data: data[:-1] + b"\0", "edge.frame.length"),
        (lambda _: b"", "edge.line.silent"),
    ],
)
@pytest.mark.parametrize("meter", ["hdlc"], indirect=True)
def test_a_spoilt_hdlc_frame_is_noticed(meter: Meter, spoil: Spoil, code: str) -> None:
    with Relay(meter[1], spoil) as relay, fails(code), nothing_left_open():
        open_source(settings(relay.port, "hdlc", timeout_s=1.0)).read()


AARE = bytes.fromhex(
    "0001000100100029"
    "6127a109060760857405080101a203020100a305a103020100be0e040c"
    "0800065f1f040000125dffff0007"
)


@pytest.mark.parametrize(
    ("conversation", "code"),
    [
        (says(then="hang"), "edge.line.silent"),
        (says(AARE[:20], then="hang"), "edge.frame.half"),
        (says(AARE[:20], then="close"), "edge.line.reset"),
        (says(then="reset"), "edge.line.reset"),
        (says(b"\0\2" + AARE[2:]), "edge.frame.form"),
        (says(b"\0\1\0\2" + AARE[4:]), "edge.frame.other_meter"),
        (says(AARE[:6] + b"\xff\xff"), "edge.frame.oversized"),
        (says(AARE[:6] + b"\0\1\xd8"), "edge.frame.form"),
        (says(AARE[:6] + b"\0\3\xd8\1\1"), "edge.frame.refusal"),
        (says(AARE[:6] + b"\0\0"), "edge.frame.form"),
        (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "edge.frame.form"),
        (drips(AARE, seconds=0.1), "edge.frame.half"),
    ],
)
def test_bad_answers_by_name(conversation: Any, code: str) -> None:
    with Teller(conversation) as meter, nothing_left_open():
        source = open_source(settings(meter.port, timeout_s=0.6))
        with fails(code):
            source.read()


def test_another_meter_on_the_hdlc_line() -> None:
    body = bytes.fromhex("a007210573")
    ua = b"~" + body + hdlc_checksum(body) + b"~"
    with Teller(says(ua, then="hang")) as meter, nothing_left_open():
        source = open_source(settings(meter.port, "hdlc"))
        with fails("edge.frame.other_meter"):
            source.read()


def test_nobody_is_there() -> None:
    with fails("edge.line.refused"), nothing_left_open():
        open_source(settings(free_port())).read()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"obis": "1.8.0"}, "edge.source.setting"),
        ({"obis": "1-0:1.8.999"}, "edge.source.setting"),
        ({"framing": "hdlc", "server": 200}, "edge.source.setting"),
        ({"host": "", "serial": "/dev/ttyS0"}, "edge.source.setting"),
        ({"unit": "parsec"}, "core.unit"),
        ({"class_id": 7}, "edge.source.settings"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code):
        open_source({**settings(1), **more})
