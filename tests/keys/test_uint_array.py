from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wattproof.core.errors import Malformed
from wattproof.keys.uint_array import UintArray

INTS = st.lists(st.one_of(*(st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))), max_size=120)


@given(INTS)
@example([])
@example([2**64 - 1])
def test_holds_the_numbers_in_the_narrowest_width(ints: list[int]) -> None:
    array = UintArray.from_ints(ints)
    largest = max(ints, default=0)
    assert array.width == next(w for w in (1, 2, 4, 8) if largest < 1 << 8 * w)
    assert list(array) == array.ints().tolist() == ints
    assert array.ints().itemsize == array.width
    assert len(array) == len(ints)
    assert array.sum() == sum(ints)
    assert array.data == b"".join(n.to_bytes(array.width, "little") for n in ints)
    assert UintArray.of_wire(array.data, width=array.width) == array
    assert eval(repr(array)) == array
    assert pickle.loads(pickle.dumps(array)) == array


@given(INTS)
def test_a_wider_form_is_not_taken(ints: list[int]) -> None:
    narrow = UintArray.from_ints(ints).width
    for width in (1, 2, 4, 8):
        if width > narrow:
            data = b"".join(n.to_bytes(width, "little") for n in ints)
            assert UintArray.of_wire(data, width=width) is None


@given(INTS, INTS)
def test_equality_and_hash(one: list[int], two: list[int]) -> None:
    a, b = UintArray.from_ints(one), UintArray.from_ints(two)
    assert (a == b) is (one == two)
    assert a == UintArray.from_ints(tuple(one)) and hash(a) == hash(UintArray.from_ints(one))
    assert a != one and a != a.data


def test_bytes_alone_do_not_make_equality() -> None:
    assert UintArray.from_ints([0x0100]) != UintArray.from_ints([0x00, 0x01])


@pytest.mark.parametrize("ints", [[-1], [2**64], [1.5], ["1"], [None], [0, 2**70]])
def test_other_numbers_are_refused(ints: list[int]) -> None:
    with pytest.raises(Malformed, match=r"keys\.uint_array\.range"):
        UintArray.from_ints(ints)


def test_takes_numpy_and_generators() -> None:
    expected = UintArray.from_ints([1, 2, 300])
    assert UintArray.from_ints(np.array([1, 2, 300], dtype=np.int64)) == expected
    assert UintArray.from_ints(n for n in (1, 2, 300)) == expected


def test_is_immutable() -> None:
    array = UintArray.from_ints([1])
    with pytest.raises(AttributeError):
        array.width = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        array.data = b""  # type: ignore[misc]
    array.ints()[0] = 9
    assert array.sum() == 1


def test_a_sum_beyond_64_bits_is_exact() -> None:
    assert UintArray.from_ints([2**64 - 1] * 3).sum() == 3 * (2**64 - 1)
