from __future__ import annotations

import time
import unicodedata

import pytest

from wattproof.core.errors import Broken, Malformed, Unauthorised, Unavailable
from wattproof.keys import cbor
from wattproof.keys.passphrase import LOWEST, MODERATE, Cost, unwrap, wrap

SECRET = bytes(range(32))


def test_the_passphrase_opens_what_it_wrapped() -> None:
    for secret in (b"", SECRET, bytes(1000)):
        wrapped = wrap(secret, "长安 trust", cost=LOWEST)
        assert unwrap(wrapped, "长安 trust", what="it") == secret
    assert wrap(SECRET, "x", cost=LOWEST) != wrap(SECRET, "x", cost=LOWEST)


@pytest.mark.parametrize("wrong", ["x", "Correct", "correct ", "correct\0"])
def test_a_wrong_passphrase_is_told_from_damage(wrong: str) -> None:
    wrapped = wrap(SECRET, "correct", cost=LOWEST)
    with pytest.raises(Unauthorised, match=r"keys\.passphrase\.wrong"):
        unwrap(wrapped, wrong, what="it")


def test_every_changed_or_missing_byte_is_damage() -> None:
    wrapped = wrap(SECRET, "correct", cost=LOWEST)
    for at in range(len(wrapped)):
        for changed in (
            wrapped[:at],
            wrapped[:at] + bytes((wrapped[at] ^ 1,)) + wrapped[at + 1 :],
            wrapped[:at] + bytes((wrapped[at] ^ 0x80,)) + wrapped[at + 1 :],
        ):
            with pytest.raises(Broken, match=r"keys\.passphrase\.damaged"):
                unwrap(changed, "correct", what="it")


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(Malformed, match=r"keys\.passphrase\.empty"):
        wrap(SECRET, "", cost=LOWEST)
    with pytest.raises(Malformed, match=r"keys\.passphrase\.empty"):
        unwrap(wrap(SECRET, "x", cost=LOWEST), "", what="it")


def test_the_same_text_in_another_unicode_form_opens() -> None:
    composed = "Zoë 한글"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    assert unwrap(wrap(SECRET, composed, cost=LOWEST), decomposed, what="it") == SECRET


def test_a_surrogate_from_an_odd_terminal_is_a_character_too() -> None:
    assert unwrap(wrap(SECRET, "\udcff", cost=LOWEST), "\udcff", what="it") == SECRET


def test_the_cost_travels_with_the_wrapping() -> None:
    cost = Cost(operations=2, memory_bytes=1 << 20)
    wrapped = wrap(SECRET, "x", cost=cost)
    fields = cbor.decode(wrapped)
    assert isinstance(fields, list)
    assert fields[2:4] == [cost.operations, cost.memory_bytes]
    assert unwrap(wrapped, "x", what="it") == SECRET


@pytest.mark.parametrize(
    "cost",
    [
        Cost(operations=0, memory_bytes=LOWEST.memory_bytes),
        Cost(operations=1, memory_bytes=1),
        Cost(operations=1 << 11, memory_bytes=LOWEST.memory_bytes),
        Cost(operations=1, memory_bytes=1 << 40),
        Cost(operations=-1, memory_bytes=-1),
    ],
)
def test_a_cost_out_of_bounds_is_refused_before_it_is_paid(cost: Cost) -> None:
    with pytest.raises(Unavailable, match=r"keys\.passphrase\.cost"):
        wrap(SECRET, "x", cost=cost)


def test_the_standard_cost_is_felt_by_who_guesses() -> None:
    began = time.perf_counter()
    wrapped = wrap(SECRET, "x", cost=MODERATE)
    assert time.perf_counter() - began > 0.05
    assert unwrap(wrapped, "x", what="it") == SECRET
