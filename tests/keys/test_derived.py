"""Keys that follow from another one."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.keys.derived import derived_key, derived_secret
from wattproof.keys.ed25519 import SigningKey, verify

SEEDS = st.binary(min_size=32, max_size=32)
PURPOSES = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())


@given(SEEDS, PURPOSES, PURPOSES)
def test_a_key_for_each_purpose_and_always_the_same(seed: bytes, one: str, other: str) -> None:
    key = SigningKey.from_seed(seed)
    derived = derived_key(key, one)
    assert derived.public == derived_key(SigningKey.from_seed(seed), one).public
    assert derived.public != key.public
    assert (derived.public == derived_key(key, other).public) == (one == other)
    assert derived_secret(key, one) != derived.seed
    assert verify(derived.public, b"text", derived.sign(b"text"))


def test_the_bytes_are_those_of_hkdf_expand() -> None:
    """RFC 5869, 2.3, one block: HMAC-SHA-256(key, info | 0x01)."""
    info = b"wattproof derived key v1\0" + b"signing\0node of declared days"
    expected = hmac.new(bytes(range(32)), info + b"\x01", hashlib.sha256).digest()
    key = SigningKey.from_seed(bytes(range(32)))
    assert derived_key(key, "node of declared days").seed == expected


def test_a_purpose_is_needed() -> None:
    with pytest.raises(AssertionError):
        derived_secret(SigningKey.generate(), "")
