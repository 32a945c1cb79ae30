from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Malformed
from wattproof.keys.ed25519 import SigningKey, check_public, verify

SEEDS = st.binary(min_size=32, max_size=32)


def test_the_first_vector_of_rfc_8032() -> None:
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    key = SigningKey.from_seed(bytes.fromhex(seed))
    assert key.public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb88215"
        "90a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


@given(SEEDS, st.binary(max_size=300))
def test_what_is_signed_verifies_here_and_in_openssl(seed: bytes, message: bytes) -> None:
    key = SigningKey.from_seed(seed)
    signature = key.sign(message)
    assert verify(key.public, message, signature)
    Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    check_public(key.public)


@given(SEEDS, st.binary(min_size=1, max_size=40), st.data())
def test_any_changed_bit_is_noticed(seed: bytes, message: bytes, data: st.DataObject) -> None:
    key = SigningKey.from_seed(seed)
    parts = [key.public, message, key.sign(message)]
    part = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, 8 * len(parts[part]) - 1))
    changed = bytearray(parts[part])
    changed[bit // 8] ^= 1 << bit % 8
    parts[part] = bytes(changed)
    assert not verify(parts[0], parts[1], parts[2])


@given(st.binary(max_size=100), st.binary(max_size=40), st.binary(max_size=100))
def test_verify_answers_for_any_bytes(public: bytes, message: bytes, signature: bytes) -> None:
    assert not verify(public, message, signature)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_wrong_lengths(length: int) -> None:
    with pytest.raises(Malformed, match=r"keys\.seed\.length"):
        SigningKey.from_seed(bytes(length))
    with pytest.raises(Malformed, match=r"keys\.public\.length"):
        check_public(bytes(length))
    assert not verify(bytes(length), b"", bytes(64))
    assert not verify(SigningKey.generate().public, b"", bytes(length + 1))


@given(st.binary(min_size=32, max_size=32))
def test_check_public_says_why_or_nothing(public: bytes) -> None:
    try:
        check_public(public)
    except Malformed as refusal:
        assert refusal.code.startswith("keys.public.")


def test_crafted_small_order_key_is_refused_although_others_take_it() -> None:
    identity = b"\x01" + bytes(31)
    signature = identity + bytes(32)
    for message in (b"", b"pay me", bytes(100)):
        assert not verify(identity, message, signature)
        try:
            Ed25519PublicKey.from_public_bytes(identity).verify(signature, message)
        except InvalidSignature:  # a stricter OpenSSL one day: nothing lost
            continue
    with pytest.raises(Malformed, match=r"keys\.public\.small_order"):
        check_public(identity)


def test_the_seed_stays_out_of_the_repr() -> None:
    key = SigningKey.generate()
    assert key.seed.hex() not in repr(key)
    assert key.public.hex() in repr(key)
    assert SigningKey.generate().seed != key.seed
