"""HDLC checksums and the numbers of DLMS/COSEM."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest
from dlms_cosem.crc import CRCCCITT
from hypothesis import given
from hypothesis import strategies as st
from tests.support.meter_lines import fails

from wattproof.core.errors import Malformed
from wattproof.edge.sources.dlms_frame import hdlc_checksum, parse_number, parse_scaler_unit


@given(st.binary(min_size=1, max_size=60))
def test_the_checksum_is_that_of_another_implementation(data: bytes) -> None:
    assert hdlc_checksum(data) == CRCCCITT().calculate_for(data)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_flipped_byte_changes_the_checksum(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    other = data[:at] + bytes((data[at] ^ draw.draw(st.integers(1, 255)),)) + data[at + 1 :]
    assert hdlc_checksum(other) != hdlc_checksum(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("05ffffffff", "-1"),
        ("06ffffffff", "4294967295"),
        ("0f80", "-128"),
        ("1080" + "00", "-32768"),
        ("11ff", "255"),
        ("12ffff", "65535"),
        ("14ffffffffffffffff", "-1"),
        ("15ffffffffffffffff", "18446744073709551615"),
        ("1741480000", "12.5"),
        ("173dcccccd", "0.1"),
        ("183fb999999999999a", "0.1"),
    ],
)
def test_numbers(data: str, value: str) -> None:
    assert parse_number(bytes.fromhex(data)) == Decimal(value)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", "edge.value.not_number"),
        ("00", "edge.value.not_number"),
        ("0904deadbeef", "edge.value.not_number"),
        ("06ffff", "edge.frame.length"),
        ("06ffffffffff", "edge.frame.length"),
        ("17ff", "edge.frame.length"),
        ("177fc00000", "edge.value.not_finite"),
        ("18fff0000000000000", "edge.value.not_finite"),
    ],
)
def test_what_is_no_number(data: str, code: str) -> None:
    with fails(code):
        parse_number(bytes.fromhex(data))


@given(st.binary(max_size=12))
def test_any_bytes_give_a_number_or_a_named_error(data: bytes) -> None:
    try:
        assert parse_number(data).is_finite()
    except Malformed:
        return


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_floats_come_back(value: float) -> None:
    data = struct.pack(">f", value)
    shown = parse_number(b"\x17" + data)
    assert struct.pack(">f", float(shown)) == data or value == 0


def test_the_scaler_and_unit() -> None:
    assert parse_scaler_unit(bytes.fromhex("02020ffd161e")) == (-3, 30)
    for wrong in ("", "02020ffd16", "02020ffd111e", "01020ffd161e"):
        with fails("edge.frame.form"):
            parse_scaler_unit(bytes.fromhex(wrong))
