"""The frame codec of DL/T 645-2007: printed frames by value, and laws."""

from __future__ import annotations

from decimal import Decimal

import pytest
from dlt645 import DLT645Protocol
from hypothesis import given
from hypothesis import strategies as st
from tests.support.meter_lines import fails

from wattproof.core.errors import Malformed
from wattproof.edge.sources.dlt645_frame import Frame, bcd_value, decode_frame, encode_frame

METER = "000000000161"

GOOD = [
    ("68610100000000681104333334331416", Frame(address=METER, control=0x11,
                                               data=bytes.fromhex("00000100"))),
    ("6861010000000068910833333433593333338A16",
     Frame(address=METER, control=0x91, data=bytes.fromhex("0000010026000000"))),
    ("68610100000000681104333434351716", Frame(address=METER, control=0x11,
                                               data=bytes.fromhex("00010102"))),
    ("68AAAAAAAAAAAA681300DF16", Frame(address="AAAAAAAAAAAA", control=0x13)),
]  # fmt: skip
"""Frames whose checksums were recomputed by hand."""

MISPRINTED = "6875671266880068110433333433C616"
"""A frame as a public page prints it; the right checksum would be 8E."""

frames = st.builds(
    Frame,
    address=st.integers(0, 10**12 - 1).map(lambda number: f"{number:012}"),
    control=st.integers(0, 255),
    data=st.binary(max_size=40),
)


@pytest.mark.parametrize(("raw", "frame"), GOOD)
def test_printed_frames(raw: str, frame: Frame) -> None:
    assert decode_frame(bytes.fromhex(raw)) == frame
    assert encode_frame(frame).hex().upper() == raw


def test_the_printed_reply_is_26_hundredths() -> None:
    frame = decode_frame(bytes.fromhex(GOOD[1][0]))
    assert bcd_value(frame.data[4:], decimals=2, signed=False) == Decimal("0.26")


def test_the_misprinted_checksum_is_noticed() -> None:
    with fails("edge.frame.checksum"):
        decode_frame(bytes.fromhex(MISPRINTED))
    decode_frame(bytes.fromhex(MISPRINTED.replace("C616", "8E16")))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "edge.frame.length"),
        ("68610100000000681104333334331416"[:-2], "edge.frame.length"),
        ("6861010000000068110433333433141600", "edge.frame.length"),
        ("69610100000000681104333334331516", "edge.frame.form"),
        ("68610100000000691104333334331516", "edge.frame.form"),
        ("68610100000000681104333334331417", "edge.frame.form"),
        ("686101000000FB68110433333433" + "0F16", "edge.frame.form"),
    ],
)
def test_what_is_no_frame(raw: str, code: str) -> None:
    with fails(code):
        decode_frame(bytes.fromhex(raw))


@given(frames)
def test_what_was_encoded_is_decoded(frame: Frame) -> None:
    assert decode_frame(encode_frame(frame)) == frame


@given(frames)
def test_another_codec_reads_the_same(frame: Frame) -> None:
    other = DLT645Protocol.deserialize(encode_frame(frame))
    assert other is not None
    assert bytes(other.addr)[::-1].hex() == frame.address
    assert (other.ctrl_code, bytes(other.data)) == (frame.control, frame.data)


@given(frames, st.data())
def test_a_flipped_byte_is_noticed(frame: Frame, data: st.DataObject) -> None:
    raw = bytearray(encode_frame(frame))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Malformed):
        decode_frame(bytes(raw))


@given(st.binary(max_size=60))
def test_any_bytes_give_a_frame_or_a_named_error(raw: bytes) -> None:
    try:
        frame = decode_frame(raw)
    except Malformed:
        return
    assert encode_frame(frame) == raw


@given(st.integers(0, 10**8 - 1), st.integers(0, 8))
def test_digits(number: int, decimals: int) -> None:
    data = bytes.fromhex(f"{number:08}")[::-1]
    assert bcd_value(data, decimals=decimals, signed=False) == Decimal(number).scaleb(-decimals)


def test_the_sign_and_missing_values() -> None:
    assert bcd_value(bytes.fromhex("78563492"), decimals=2, signed=True) == Decimal("-123456.78")
    assert bcd_value(bytes.fromhex("78563492"), decimals=2, signed=False) == Decimal("923456.78")
    with fails("edge.value.not_number"):
        bcd_value(b"\xff" * 4, decimals=2, signed=False)


def test_a_frame_that_cannot_be_sent_is_our_fault() -> None:
    with pytest.raises(AssertionError):
        encode_frame(Frame(address="161", control=0x11))
