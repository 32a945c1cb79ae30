"""Sealed secrets, tokens and wrapped keys: RFC 8452, golden bytes, and nothing changed opens."""

from __future__ import annotations

import json
import os
import runpy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox
from nacl.signing import SigningKey as NaclSigningKey
from tests.support.refusals import refused

from wattproof.core.errors import Malformed
from wattproof.keys.blind_index import STEP_TOKENS, TOKEN_BYTES, BlindIndex
from wattproof.keys.derived import hkdf
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.sealed import KEY_BYTES, KEY_ID_BYTES, MAX_PLACE, TAG_BYTES, EpochKey
from wattproof.keys.wrapping import WRAPPING_BYTES, unwrap, wrap

VECTORS = Path(__file__).parents[1] / "vectors"
GOLDEN: Any = json.loads((VECTORS / "sealed.json").read_text(encoding="utf-8"))
RFC: Any = json.loads((VECTORS / "rfc8452.json").read_text(encoding="utf-8"))["cases"]

LEDGER_ID, KEY_ID = bytes.fromhex(GOLDEN["ledger_id"]), bytes.fromhex(GOLDEN["key_id"])
KEY = EpochKey(bytes.fromhex(GOLDEN["key"]), ledger_id=LEDGER_ID, key_id=KEY_ID)

PLACES = st.integers(0, MAX_PLACE)


def test_the_file_is_what_its_maker_writes() -> None:
    maker = runpy.run_path(str(VECTORS / "make_sealed.py"))
    assert maker["sealed_vectors"]() == GOLDEN


@pytest.mark.parametrize("number", range(len(RFC)))
def test_the_cipher_is_that_of_rfc_8452(number: int) -> None:
    case = {name: bytes.fromhex(value) for name, value in RFC[number].items()}
    made = AESGCMSIV(case["key"]).encrypt(case["nonce"], case["plain"], case["aad"])
    assert made == case["result"]
    maker = runpy.run_path(str(VECTORS / "make_sealed.py"))
    plain = maker["gcm_siv"](case["key"], nonce=case["nonce"], plain=case["plain"], aad=case["aad"])
    assert plain == case["result"]


def test_hkdf_is_that_of_rfc_5869() -> None:
    """Appendix A.1, the first 32 of its 42 bytes."""
    made = hkdf(
        bytes([0x0B] * 22), salt=bytes(range(13)), info=bytes.fromhex("f0f1f2f3f4f5f6f7f8f9")
    )
    assert made.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"


def test_golden_bytes() -> None:
    assert KEY.check.hex() == GOLDEN["check"]
    for case in GOLDEN["sealed"]:
        secret = bytes.fromhex(case["secret"])
        (sealed,) = KEY.seal([secret], place=case["place"])
        assert sealed.hex() == case["sealed"]
        assert KEY.open(sealed, place=case["place"]) == secret
    for case in GOLDEN["tokens"]:
        made = BlindIndex(KEY).token(case["field"], case["value"], place=case["place"])
        assert made.hex() == case["token"]
    for case in GOLDEN["wrapped"]:
        key = SigningKey.from_seed(bytes.fromhex(case["seed"]))
        assert key.public.hex() == case["public"]
        assert unwrap(bytes.fromhex(case["box"]), key).hex() == case["secret"]


@given(st.binary(max_size=80), PLACES, st.data())
def test_no_flipped_bit_opens(secret: bytes, place: int, data: st.DataObject) -> None:
    (sealed,) = KEY.seal([secret], place=place)
    assert len(sealed) == len(secret) + TAG_BYTES
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[bit // 8] ^= 1 << bit % 8
    refused("keys.sealed.not_opened", lambda: KEY.open(bytes(flipped), place=place))


@given(st.binary(max_size=40), PLACES, PLACES)
def test_nothing_opens_in_another_place(secret: bytes, place: int, other: int) -> None:
    (sealed,) = KEY.seal([secret], place=place)
    if other != place:
        refused("keys.sealed.not_opened", lambda: KEY.open(sealed, place=other))


def test_nothing_opens_with_another_key_id_or_ledger() -> None:
    (sealed,) = KEY.seal([b"secret"], place=1)
    for other in (
        EpochKey(os.urandom(KEY_BYTES), ledger_id=LEDGER_ID, key_id=KEY_ID),
        EpochKey(KEY.secret, ledger_id=bytes(32), key_id=KEY_ID),
        EpochKey(KEY.secret, ledger_id=LEDGER_ID, key_id=bytes(KEY_ID_BYTES)),
    ):
        assert other.check != KEY.check
        refused("keys.sealed.not_opened", partial(other.open, sealed, place=1))
    for short in (b"", sealed[: TAG_BYTES - 1], sealed[:-1], sealed + b"\0"):
        refused("keys.sealed.not_opened", partial(KEY.open, short, place=1))


def test_keys_have_their_length_and_do_not_show() -> None:
    refused(
        "keys.sealed.key_length",
        lambda: EpochKey(b"short", ledger_id=LEDGER_ID, key_id=KEY_ID),
    )
    refused(
        "keys.sealed.key_length",
        lambda: EpochKey(KEY.secret, ledger_id=LEDGER_ID, key_id=b""),
    )
    assert KEY.secret.hex() not in repr(KEY)


@given(
    st.lists(st.tuples(st.sampled_from(["kind", "day"]), st.text(max_size=4)), max_size=40), PLACES
)
def test_tokens_are_filled_up_and_say_nothing_of_the_order(
    values: list[tuple[str, str]], place: int
) -> None:
    index = BlindIndex(KEY)
    made = index.tokens(values, place=place)
    assert made == index.tokens(reversed(values), place=place)
    tokens = [made[at : at + TOKEN_BYTES] for at in range(0, len(made), TOKEN_BYTES)]
    assert tokens == sorted(set(tokens))
    assert tokens and len(tokens) % STEP_TOKENS == 0
    assert len(tokens) < len(set(values)) + STEP_TOKENS + 1
    for field, value in values:
        assert index.token(field, value, place=place) in tokens


def test_a_value_has_other_tokens_in_other_places_and_epochs() -> None:
    other = EpochKey(os.urandom(KEY_BYTES), ledger_id=LEDGER_ID, key_id=KEY_ID)
    made = {
        index.token("kind", "supply", place=place)
        for index in (BlindIndex(KEY), BlindIndex(other))
        for place in range(50)
    }
    assert len(made) == 100


def test_a_field_and_its_value_are_not_run_together() -> None:
    index = BlindIndex(KEY)
    assert index.token("a", "bc", place=0) != index.token("ab", "c", place=0)


def test_what_is_wrapped_opens_with_the_signing_key_alone() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    wrapped = wrap(KEY.secret, key.public)
    assert len(wrapped) == KEY_BYTES + WRAPPING_BYTES
    assert unwrap(wrapped, key) == KEY.secret
    assert wrap(KEY.secret, key.public) != wrapped
    refused("keys.wrapping.not_opened", lambda: unwrap(wrapped, other))
    refused("keys.wrapping.not_opened", lambda: unwrap(wrapped[:20], key))
    for place in (0, 40, len(wrapped) - 1):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        refused("keys.wrapping.not_opened", partial(unwrap, bytes(changed), key))


def test_wrapping_is_that_of_pynacl() -> None:
    """Its own classes take the same keys and open the same boxes."""
    key = SigningKey.generate()
    private: PrivateKey = NaclSigningKey(key.seed).to_curve25519_private_key()
    assert SealedBox(private).decrypt(wrap(b"secret", key.public)) == b"secret"
    assert unwrap(SealedBox(private.public_key).encrypt(b"secret"), key) == b"secret"


def test_nothing_is_wrapped_for_a_weak_key() -> None:
    with pytest.raises(Malformed):
        wrap(KEY.secret, bytes(32))
    with pytest.raises(Malformed):
        wrap(KEY.secret, b"")
