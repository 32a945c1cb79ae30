from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wattproof.core.errors import Malformed
from wattproof.keys.did import did_of, public_of

# The first Ed25519 example of the W3C CCG did:key method.
EXAMPLE = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
EXAMPLE_PUBLIC = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"


def test_the_published_example() -> None:
    assert did_of(bytes.fromhex(EXAMPLE_PUBLIC)) == EXAMPLE
    assert public_of(EXAMPLE).hex() == EXAMPLE_PUBLIC


@given(st.binary(min_size=32, max_size=32))
@example(bytes(32))
@example(b"\xff" * 32)
def test_round_trip(public: bytes) -> None:
    did = did_of(public)
    assert did.startswith("did:key:z6Mk")
    assert public_of(did) == public


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:key:",
        "did:key:z",
        "did:web:example.org",
        EXAMPLE[:-1],
        EXAMPLE + "1",
        EXAMPLE.replace("z6Mk", "z16Mk"),
        EXAMPLE.replace("did:key:z", "did:key:Z"),
        EXAMPLE.replace("did:key:z", "did:key:m"),
        EXAMPLE[:-1] + "0",
        EXAMPLE[:-1] + "é",
        " " + EXAMPLE,
        EXAMPLE + "#" + EXAMPLE[8:],
        "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",  # X25519
        "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",  # secp256k1
        "did:key:z" + "z" * 47,
        "did:key:z" + "1" * 47,
    ],
)
def test_other_texts_are_refused(did: str) -> None:
    with pytest.raises(Malformed, match=r"keys\.did\.malformed"):
        public_of(did)


@given(st.text(max_size=80))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    for did in (text, "did:key:z" + text, "did:key:z6Mk" + text):
        try:
            assert did_of(public_of(did)) == did
        except Malformed as refusal:
            assert refusal.text("zh")


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(Malformed) as refusal:
        public_of("did:key:z" + "2" * 1_000_000)
    assert len(refusal.value.text()) < 300


def test_wrong_length() -> None:
    with pytest.raises(Malformed, match=r"keys\.public\.length"):
        did_of(bytes(33))
