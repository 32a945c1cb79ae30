"""Signed notes: the specification's own example, co-signatures, and everything that is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Malformed, OverLimit, Refused, Unauthorised
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    base64_bytes,
    base64_text,
    cosign_note,
    encode_vkey,
    open_note,
    parse_note,
    parse_vkey,
    sign_note,
)

# C2SP signed-note, section "Example".
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

LOG = SigningKey.from_seed(b"log".ljust(32, b"."))
WITNESS = SigningKey.from_seed(b"witness".ljust(32, b"."))
BODY = "a\n\nb\n"
SIGNED = sign_note(BODY, LOG, name="log.example")


def test_the_specifications_example_opens() -> None:
    name, public = parse_vkey(VKEY)
    assert name == "example.com/foo"
    assert encode_vkey(name, public) == VKEY
    assert open_note(NOTE, {name: public}) == ("This is an example message.\n", (name,))
    assert parse_note(NOTE).text == NOTE


def test_several_may_sign() -> None:
    both = cosign_note(SIGNED, WITNESS, name="witness.example")
    assert both.startswith(SIGNED)
    assert cosign_note(both, WITNESS, name="witness.example") == both
    keys = {"log.example": LOG.public, "witness.example": WITNESS.public}
    assert open_note(both, keys) == (BODY, ("log.example", "witness.example"))
    assert open_note(both, {"witness.example": WITNESS.public}) == (BODY, ("witness.example",))
    assert open_note(SIGNED, keys) == (BODY, ("log.example",))


def test_a_key_counts_only_under_its_name() -> None:
    for keys in ({}, {"log.example": WITNESS.public}, {"other.example": LOG.public}):
        with pytest.raises(Unauthorised, match="unsigned"):
            open_note(SIGNED, keys)


def test_one_bad_signature_of_a_known_key_spoils_the_note() -> None:
    other = parse_note(sign_note("another text\n", WITNESS, name="witness.example"))
    spoilt = SIGNED + other.signatures[0].line
    assert open_note(spoilt, {"log.example": LOG.public})[1] == ("log.example",)
    with pytest.raises(Unauthorised, match=r"witness\.example does not belong"):
        open_note(spoilt, {"log.example": LOG.public, "witness.example": WITNESS.public})


@given(data=st.data())
def test_a_changed_character_never_opens_as_another_text(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SIGNED) - 1))
    new = data.draw(st.characters() | st.sampled_from("\n— +A/="))
    changed = SIGNED[:at] + new + SIGNED[at + 1 :]
    if changed == SIGNED:
        return
    with pytest.raises(Refused):
        open_note(changed, {"log.example": LOG.public})


@given(text=st.text() | st.text(st.sampled_from("a\n— =+A")))
def test_any_text_is_a_note_or_refused(text: str) -> None:
    try:
        note = parse_note(text)
    except Refused as error:
        assert error.text("en") != error.text("zh")
    else:
        assert note.text == text


LINE = SIGNED.removeprefix(BODY + "\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "form"),
        ("\n", "form"),
        ("a\n", "form"),
        ("a\n\n", "form"),
        ("a\n" + LINE, "form"),
        ("a\n\n" + LINE.removesuffix("\n"), "form"),
        ("a\r\n\n" + LINE, "form"),
        ("a\x00\n\n" + LINE, "form"),
        ("a\ud800\n\n" + LINE, "form"),
        ("a\n\n" + LINE + "\n", "form"),
        ("a\n\n" + LINE.replace("—", "-"), "signature_line"),
        ("a\n\n" + LINE.replace("— ", "—"), "signature_line"),
        ("a\n\n" + LINE + "x\n", "signature_line"),
        ("a\n\n— name\n", "signature_line"),
        ("a\n\n— name AAAAAA==\n", "signature_line"),
        ("a\n\n— name AAAAAAB=\n", "signature_line"),
        ("a\n\n— name AAAAAAA\n", "signature_line"),
        ("a\n\n— name AAAAAAA= \n", "signature_line"),
        ("a\n\n— name AAAA AAA=\n", "signature_line"),
        ("a\n\n— na+me AAAAAAA=\n", "key_name"),
        ("a\n\n— na\u2003me AAAAAAA=\n", "key_name"),
        ("a\n\n—  AAAAAAA=\n", "key_name"),
    ],
)
def test_what_is_no_note(text: str, code: str) -> None:
    with pytest.raises(Malformed, match=rf"ledger\.note\.{code}"):
        parse_note(text)


def test_an_unknown_signature_of_any_length_is_passed_over() -> None:
    text = SIGNED + "— other.example AAAAAAA=\n"
    assert open_note(text, {"log.example": LOG.public})[0] == BODY


def test_limits() -> None:
    many = SIGNED
    for number in range(MAX_SIGNATURES - 1):
        many = cosign_note(many, WITNESS, name=f"w{number}")
    with pytest.raises(OverLimit, match="too_long"):
        cosign_note(many, WITNESS, name="one.more")
    for letter in ("a", "度"):
        long = f"{letter * (MAX_NOTE_BYTES // len(letter.encode()))}\n\n{LINE}"
        with pytest.raises(OverLimit, match="too_long"):
            parse_note(long)


@pytest.mark.parametrize("body", ["", "a", "a\r\n", "a\t\n", "\udcff\n"])
def test_what_cannot_be_signed(body: str) -> None:
    with pytest.raises(Malformed, match=r"note\.form"):
        sign_note(body, LOG, name="log.example")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\x01"])
def test_names_that_no_key_may_have(name: str) -> None:
    with pytest.raises(Malformed, match="key_name"):
        sign_note("a\n", LOG, name=name)
    with pytest.raises(Malformed, match="key_name"):
        cosign_note(SIGNED, LOG, name=name)
    with pytest.raises(Malformed, match="key_name"):
        encode_vkey(name, LOG.public)


@pytest.mark.parametrize(
    "text",
    [
        "example.com/foo",
        "example.com/foo+530d903a",
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("+Aek", "+Aus"),
        VKEY.replace("+Aek", "+AQ=="),
        VKEY + "=",
        VKEY + "+",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        encode_vkey("weak", bytes([1]) + bytes(31)),
    ],
)
def test_what_is_no_verifier_key(text: str) -> None:
    with pytest.raises(Malformed):
        parse_vkey(text)


@given(data=st.binary(max_size=80))
def test_base64_has_one_way(data: bytes) -> None:
    text = base64_text(data)
    assert base64_bytes(text) == data
    assert base64_bytes(text + "\n") is None
    assert base64_bytes("Ā" + text) is None
