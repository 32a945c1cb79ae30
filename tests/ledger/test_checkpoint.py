"""Checkpoints: the specification's layout, our extension line, and everything that is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Malformed, Refused, Unauthorised
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.checkpoint import (
    Checkpoint,
    app_extension,
    app_of,
    encode_body,
    open_checkpoint,
    parse_body,
    sign_checkpoint,
)
from wattproof.ledger.merkle import EMPTY_ROOT, MAX_SIZE
from wattproof.ledger.note import base64_text, cosign_note

NAME = "ledger.example/north"
KEY = SigningKey.from_seed(b"log".ljust(32, b"."))
WITNESS = SigningKey.from_seed(b"witness".ljust(32, b"."))
ROOT = bytes(range(32))
ROOT_TEXT = base64_text(ROOT)
HEAD = Checkpoint(
    origin=NAME,
    size=70_000,
    root=ROOT,
    extensions=(app_extension(app_hash=bytes(32), height=12),),
)

LINES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)


def test_the_text_is_that_of_the_specification() -> None:
    assert encode_body(HEAD) == (
        "ledger.example/north\n"
        "70000\n"
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        "app AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= 12\n"
    )
    assert app_of(HEAD) == (bytes(32), 12)


@given(
    origin=LINES,
    size=st.integers(1, MAX_SIZE),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(LINES, max_size=4).map(tuple),
)
def test_a_checkpoint_reads_back_as_it_was(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    head = Checkpoint(origin=origin, size=size, root=root, extensions=extensions)
    assert parse_body(encode_body(head)) == head
    text = sign_checkpoint(head, KEY, NAME)
    assert open_checkpoint(text, name=NAME, public=KEY.public, origin=origin) == head


def test_an_empty_log_has_a_checkpoint() -> None:
    head = Checkpoint(origin=NAME, size=0, root=EMPTY_ROOT)
    assert parse_body(encode_body(head)) == head
    with pytest.raises(Malformed, match="root"):
        encode_body(Checkpoint(origin=NAME, size=0, root=ROOT))


def test_a_checkpoint_with_a_witness_opens_for_either() -> None:
    text = cosign_note(sign_checkpoint(HEAD, KEY, NAME), WITNESS, name="witness.example")
    assert open_checkpoint(text, name=NAME, public=KEY.public) == HEAD
    assert open_checkpoint(text, name="witness.example", public=WITNESS.public, origin=NAME) == HEAD


def test_another_log_or_another_key_is_refused() -> None:
    text = sign_checkpoint(HEAD, KEY, NAME)
    with pytest.raises(Unauthorised, match="unsigned"):
        open_checkpoint(text, name=NAME, public=WITNESS.public)
    with pytest.raises(Malformed, match="other_log"):
        open_checkpoint(text, name=NAME, public=KEY.public, origin="ledger.example/south")
    signed_for_another = sign_checkpoint(HEAD, KEY, "ledger.example/south")
    with pytest.raises(Malformed, match="other_log"):
        open_checkpoint(signed_for_another, name="ledger.example/south", public=KEY.public)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "lines"),
        ("o\n", "lines"),
        ("o\n1\n", "lines"),
        (f"o\n1\n{ROOT_TEXT}", "lines"),
        (f"\n1\n{ROOT_TEXT}\n", "lines"),
        (f"o\n\n{ROOT_TEXT}\n", "lines"),
        (f"o\n1\n{ROOT_TEXT}\n\n", "lines"),
        (f"o\n1\n{ROOT_TEXT}\n\nx\n", "lines"),
        (f"o\n1\n{ROOT_TEXT}\nx", "lines"),
        (f"o\r\n1\n{ROOT_TEXT}\n", "lines"),
        (f"o\n01\n{ROOT_TEXT}\n", "size"),
        (f"o\n-1\n{ROOT_TEXT}\n", "size"),
        (f"o\n+1\n{ROOT_TEXT}\n", "size"),
        (f"o\n1 \n{ROOT_TEXT}\n", "size"),
        (f"o\n1_0\n{ROOT_TEXT}\n", "size"),
        (f"o\n٣\n{ROOT_TEXT}\n", "size"),
        (f"o\n{MAX_SIZE + 1}\n{ROOT_TEXT}\n", "size"),
        (f"o\n{'9' * 5000}\n{ROOT_TEXT}\n", "size"),
        (f"o\n1\n{ROOT_TEXT[:-1]}\n", "root"),
        (f"o\n1\n{ROOT_TEXT.replace('8=', '9=')}\n", "root"),
        (f"o\n1\n{base64_text(ROOT[:-1])}\n", "root"),
        (f"o\n0\n{ROOT_TEXT}\n", "root"),
        (f"o\n1\n {ROOT_TEXT}\n", "root"),
    ],
)
def test_what_is_no_checkpoint(body: str, code: str) -> None:
    with pytest.raises(Malformed, match=rf"ledger\.checkpoint\.{code}") as caught:
        parse_body(body)
    assert caught.value.text("zh") != caught.value.text("en")


@given(body=st.text() | st.text(st.sampled_from("o\n1A=")))
def test_any_text_is_a_checkpoint_or_refused(body: str) -> None:
    try:
        head = parse_body(body)
    except Refused:
        return
    assert encode_body(head) == body


@pytest.mark.parametrize(
    "head",
    [
        Checkpoint(origin="", size=1, root=ROOT),
        Checkpoint(origin="a\nb", size=1, root=ROOT),
        Checkpoint(origin="a", size=-1, root=ROOT),
        Checkpoint(origin="a", size=MAX_SIZE + 1, root=ROOT),
        Checkpoint(origin="a", size=1, root=b""),
        Checkpoint(origin="a", size=1, root=ROOT, extensions=("",)),
        Checkpoint(origin="a", size=1, root=ROOT, extensions=("x\n",)),
    ],
)
def test_what_cannot_be_signed(head: Checkpoint) -> None:
    with pytest.raises(Malformed, match=r"ledger\.checkpoint"):
        sign_checkpoint(head, KEY, NAME)


@pytest.mark.parametrize(
    "extensions",
    [
        (),
        ("other 1",),
        ("app",),
        (f"app {ROOT_TEXT}",),
        (f"app {ROOT_TEXT} ",),
        (f"app {ROOT_TEXT} 01",),
        (f"app {ROOT_TEXT} 1 2",),
        (f"app {ROOT_TEXT[:-1]} 1",),
        (f"app {base64_text(b'short')} 1",),
        (f"app {ROOT_TEXT} 1", f"app {ROOT_TEXT} 1"),
    ],
)
def test_one_app_line_or_none_is_read(extensions: tuple[str, ...]) -> None:
    with pytest.raises(Malformed, match=r"ledger\.checkpoint\.app"):
        app_of(Checkpoint(origin="a", size=1, root=ROOT, extensions=extensions))
