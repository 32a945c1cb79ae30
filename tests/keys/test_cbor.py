from __future__ import annotations

import itertools
from enum import IntEnum
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattproof.core.errors import Malformed
from wattproof.keys import cbor
from wattproof.keys.cbor import INT_MAX, INT_MIN, MAX_DEPTH, UintArray, Value

UINT_ARRAYS = st.one_of(
    *(st.lists(st.integers(0, 2**bits - 1), max_size=9) for bits in (8, 16, 32, 64))
).map(UintArray.from_ints)
SCALARS = (
    st.integers(INT_MIN, INT_MAX)
    | st.integers(-300, 300)
    | st.binary(max_size=300)
    | st.text(max_size=40)
    | st.booleans()
    | st.none()
    | UINT_ARRAYS
)


def arrays_to(depth: int) -> st.SearchStrategy[Any]:
    """Values with at most `depth` arrays in one another."""
    values: st.SearchStrategy[Any] = SCALARS
    for _ in range(depth):
        values = SCALARS | st.lists(values, max_size=5)
    return values


VALUES = arrays_to(3) | arrays_to(MAX_DEPTH)
TAG_OF_WIDTH = {1: 64, 2: 69, 4: 70, 8: 71}


def for_cbor2(value: Value) -> Any:
    if isinstance(value, UintArray):
        return cbor2.CBORTag(TAG_OF_WIDTH[value.width], value.data)
    if isinstance(value, list | tuple):
        return [for_cbor2(item) for item in value]
    return value


@given(VALUES)
def test_decoding_undoes_encoding(value: Value) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(VALUES)
def test_cbor2_encodes_alike(value: Value) -> None:
    data = cbor2.dumps(for_cbor2(value))
    assert cbor.encode(value) == data
    assert cbor.decode(data) == value


def take(data: bytes) -> Value:
    """The value of any bytes, or `Malformed` with both sentences; no other way out."""
    try:
        value = cbor.decode(data)
    except Malformed as refusal:
        assert refusal.code.startswith("keys.cbor.")
        assert refusal.text("en") and refusal.text("zh")
        raise
    assert cbor.encode(value) == data
    return value


@settings(max_examples=500)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        value = take(data)
    except Malformed:
        return
    assert cbor2.dumps(for_cbor2(value)) == data


@settings(max_examples=500)
@given(VALUES, st.data())
def test_changed_bytes_are_another_value_or_refused(value: Value, data: st.DataObject) -> None:
    good = cbor.encode(value)
    at = data.draw(st.integers(0, len(good) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "delete"]))
    extra = data.draw(st.binary(min_size=1, max_size=3))
    changed = {
        "flip": good[:at] + bytes((good[at] ^ (extra[0] or 1),)) + good[at + 1 :],
        "cut": good[:at],
        "insert": good[:at] + extra + good[at:],
        "delete": good[:at] + good[at + 1 :],
    }[kind]
    try:
        # The laws are in `take`: an accepted encoding is the one encoding of its value.
        take(changed)
    except Malformed:
        return


def test_every_encoding_of_one_and_two_bytes() -> None:
    accepted = 0
    for length in (0, 1, 2):
        for data in map(bytes, itertools.product(range(256), repeat=length)):
            try:
                take(data)
            except Malformed:
                continue
            accepted += 1
    # One byte: 24 + 24 integers, an empty string, text and array, three simple values.
    # Two bytes: 2 x 232 integers, 256 strings, 128 texts, and arrays of one one-byte value.
    assert accepted == (48 + 3 + 3) + (464 + 256 + 128 + 54)


def test_arrays_in_arrays_up_to_the_limit() -> None:
    value: list[Any] = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert take(cbor.encode(value)) == value
    with pytest.raises(Malformed, match=r"keys\.cbor\.too_deep"):
        cbor.encode([value])
    with pytest.raises(Malformed, match=r"keys\.cbor\.too_deep"):
        cbor.decode(b"\x81" * 1_000_000)


def test_tuples_are_encoded_and_come_back_as_lists() -> None:
    assert cbor.decode(cbor.encode((1, (2, "x")))) == [1, [2, "x"]]


class Kind(IntEnum):
    A = 3


def test_kinds_of_integers_are_integers_and_a_bool_is_not() -> None:
    assert cbor.encode(Kind.A) == b"\x03"
    assert cbor.encode([True, 1, False, 0]).hex() == "84f501f400"


@pytest.mark.parametrize(
    "value",
    [1.0, {}, {1: 2}, {1}, object(), bytearray(b"x"), memoryview(b"x"), 1j, [[{}]], range(3)],
)
def test_other_types_are_not_encoded(value: Any) -> None:
    with pytest.raises(Malformed, match=r"keys\.cbor\.unsupported"):
        cbor.encode(value)


@pytest.mark.parametrize("value", [INT_MAX + 1, INT_MIN - 1, 2**64, -(2**64), 10**5000], ids=hex)
def test_large_integers_are_not_encoded(value: int) -> None:
    with pytest.raises(Malformed, match=r"keys\.cbor\.int_too_large") as refusal:
        cbor.encode(value)
    assert refusal.value.text("zh")


def test_a_lone_surrogate_is_not_encoded() -> None:
    with pytest.raises(Malformed, match=r"keys\.cbor\.text_not_unicode"):
        cbor.encode("ab\ud800")


def test_stated_lengths_cost_nothing_before_they_are_there() -> None:
    for head in (
        "9b00000001ffffffff",
        "5b7fffffffffffffff",
        "d8475b7ffffffffffffff8",
        "9affffffff",
    ):
        with pytest.raises(Malformed, match=r"keys\.cbor\.truncated"):
            cbor.decode(bytes.fromhex(head))
