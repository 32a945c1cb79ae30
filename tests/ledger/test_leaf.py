"""Leaves: one form, made and taken apart."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Broken
from wattproof.ledger.leaf import bytes_head, leaf_of, leaf_parts, leaf_prefix

EDGES = [edge + step for edge in (0, 24, 2**8, 2**16, 2**32, 2**63) for step in (-1, 0, 1)][1:]
NUMBERS = st.sampled_from(EDGES) | st.integers(0, 2**64 - 1)
LENGTHS = st.sampled_from([0, 1, 23, 24, 255, 256, 61_440])


@given(NUMBERS, NUMBERS, LENGTHS)
def test_a_leaf_is_the_cbor_that_another_library_writes(
    height: int, time_ms: int, length: int
) -> None:
    raw = bytes(length)
    leaf = leaf_of(raw, height=height, time_ms=time_ms)
    assert leaf == cbor2.dumps([height, time_ms, raw])
    assert leaf_parts(leaf) == (height, time_ms, raw)
    assert leaf == leaf_prefix(height=height, time_ms=time_ms) + bytes_head(length) + raw


@given(st.binary(max_size=60))
def test_other_bytes_are_no_leaf(data: bytes) -> None:
    try:
        height, time_ms, raw = leaf_parts(data)
    except Broken:
        return
    assert leaf_of(raw, height=height, time_ms=time_ms) == data


@pytest.mark.parametrize("length", [0, 5, 30, 300])
def test_every_change_of_a_leaf_is_another_leaf_or_none(length: int) -> None:
    leaf = leaf_of(bytes(range(256))[:length].ljust(length, b"x"), height=300, time_ms=2**40)
    found = {leaf_parts(leaf)}
    changed = [leaf[:end] for end in range(len(leaf))] + [leaf + b"\0", b"\x83" + leaf]
    for bit in range(len(leaf) * 8):
        flipped = bytearray(leaf)
        flipped[bit // 8] ^= 1 << bit % 8
        changed.append(bytes(flipped))
    for other in changed:
        try:
            parts = leaf_parts(other)
        except Broken:
            continue
        assert parts not in found
        found.add(parts)


@pytest.mark.parametrize(
    "hexed",
    ["", "83", "8300", "830000", "82000040", "8400004000", "83180000 40", "83000058 00",
     "8300005800", "8300001a00", "83ff0040", "831cff0040", "83005f40ff", "83200040", "83000060",
     "830000590001aa", "8300005a00000001aa"],
)  # fmt: skip
def test_forms_that_are_refused(hexed: str) -> None:
    with pytest.raises(Broken):
        leaf_parts(bytes.fromhex(hexed))


def test_a_number_beyond_64_bits_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="beyond 64 bits"):
        leaf_prefix(height=2**64, time_ms=0)
