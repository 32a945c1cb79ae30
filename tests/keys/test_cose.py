from __future__ import annotations

from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattproof.core.errors import Malformed, OverLimit, Refused
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey

KEY = SigningKey.from_seed(bytes(range(32)))
LEDGER = b"\x11" * 32
OVERHEAD = 43 + 3 + 66  # what surrounds a payload of 256 bytes and more


@given(st.binary(max_size=600), st.binary(max_size=600))
def test_what_is_signed_is_parsed_and_verifies(payload: bytes, aad: bytes) -> None:
    raw = cose.sign(payload, KEY, aad=aad)
    envelope = cose.parse(raw)
    assert envelope.payload == payload
    assert envelope.kid == KEY.public
    assert envelope.alg == cose.ALG_ED25519
    assert cose.verify(envelope, aad=aad)
    assert not cose.verify(envelope, aad=aad + b"x")


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 257, 65_535, 65_536, 70_000])
def test_associated_data_of_any_length(size: int) -> None:
    envelope = cose.parse(cose.sign(b"p", KEY, aad=bytes(size)))
    assert cose.verify(envelope, aad=bytes(size))
    assert not cose.verify(envelope, aad=bytes(size + 1))


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 61_440 - OVERHEAD])
def test_payload_lengths_at_the_borders(size: int) -> None:
    raw = cose.sign(bytes(size), KEY, aad=LEDGER)
    assert cose.parse(raw).payload == bytes(size)


def test_at_most_60_kib() -> None:
    largest = 61_440 - OVERHEAD
    assert (
        len(cose.sign(bytes(largest), KEY, aad=LEDGER)) == cose.MAX_TRANSACTION_BYTES == 60 * 1024
    )
    with pytest.raises(OverLimit, match=r"keys\.cose\.too_large"):
        cose.sign(bytes(largest + 1), KEY, aad=LEDGER)
    with pytest.raises(OverLimit, match=r"keys\.cose\.too_large"):
        cose.parse(bytes(61_441))


def test_every_flipped_bit_is_refused_or_does_not_verify() -> None:
    raw = cose.sign(b"\x83aa\x01@", KEY, aad=LEDGER)
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            envelope = cose.parse(bytes(changed))
        except Malformed:
            continue
        assert not cose.verify(envelope, aad=LEDGER), bit


def test_every_cut_is_refused_as_truncated() -> None:
    for payload in (b"", b"abc", bytes(100), bytes(300)):
        raw = cose.sign(payload, KEY, aad=LEDGER)
        for size in range(len(raw)):
            with pytest.raises(Malformed, match=r"keys\.cose\.truncated"):
                cose.parse(raw[:size])


@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(0, 60))
def test_any_bytes_are_an_envelope_or_refused(tail: bytes, kept: int) -> None:
    good = cose.sign(b"abc", KEY, aad=LEDGER)
    for data in (tail, good[:kept] + tail):
        try:
            envelope = cose.parse(data)
        except Refused as refusal:
            assert refusal.code.startswith("keys.cose.")
            assert refusal.text("en") and refusal.text("zh")
        else:
            assert rebuilt(envelope) == data


def rebuilt(envelope: cose.Envelope) -> bytes:
    """The one envelope with these parts, written out by cbor2."""
    parts = [envelope.protected, {}, envelope.payload, envelope.signature]
    return cbor2.dumps(cbor2.CBORTag(18, parts))


def test_the_older_algorithm_number_is_taken_and_is_part_of_what_is_signed() -> None:
    new = cose.parse(cose.sign(b"p", KEY, aad=LEDGER))
    protected = new.protected.replace(b"\x01\x32", b"\x01\x27", 1)
    old = msgspec.structs.replace(new, protected=protected, alg=cose.ALG_EDDSA)
    assert not cose.verify(old, aad=LEDGER)
    signature = KEY.sign(cose.sig_structure(protected, payload=b"p", aad=LEDGER))
    parsed = cose.parse(rebuilt(msgspec.structs.replace(old, signature=signature)))
    assert parsed.alg == cose.ALG_EDDSA
    assert cose.verify(parsed, aad=LEDGER)


def test_a_key_cannot_be_put_in_anothers_place() -> None:
    other = SigningKey.generate()
    raw = cose.sign(b"p", KEY, aad=LEDGER).replace(KEY.public, other.public)
    assert not cose.verify(cose.parse(raw), aad=LEDGER)


def test_an_envelope_is_frozen() -> None:
    envelope: Any = cose.parse(cose.sign(b"p", KEY, aad=LEDGER))
    with pytest.raises(AttributeError):
        envelope.payload = b"q"
