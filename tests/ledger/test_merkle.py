"""The tree against its recursive definition, and proofs against every change."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Malformed, NotFound
from wattproof.ledger.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    MAX_SIZE,
    Frontier,
    consistency_path,
    inclusion_path,
    inclusion_root,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 300
LEAVES = [leaf_hash(b"entry %d" % index) for index in range(LARGEST)]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def naive_inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*naive_inclusion(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_inclusion(index - split, leaves[split:]), naive_root(leaves[:split])]


def naive_consistency(old_size: int, leaves: list[bytes], *, known: bool = True) -> list[bytes]:
    """RFC 9162 section 2.1.4.1, word for word."""
    if old_size == len(leaves):
        return [] if known else [naive_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old_size <= split:
        rest = naive_root(leaves[split:])
        return [*naive_consistency(old_size, leaves[:split], known=known), rest]
    rest = naive_root(leaves[:split])
    return [*naive_consistency(old_size - split, leaves[split:], known=False), rest]


class ListedNodes:
    """Complete subtrees of a list of leaves; refuses what is not complete."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._levels = [leaves]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append(
                [node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
            )

    def node(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


ROOTS = [naive_root(LEAVES[:size]) for size in range(LARGEST + 1)]


def test_known_hashes() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT
    assert leaf_hash(b"") == sha256(b"\x00").digest()
    assert node_hash(b"a" * 32, b"b" * 32) == sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()


def test_the_root_of_every_size_is_that_of_the_definition() -> None:
    frontier = Frontier()
    for size in range(LARGEST + 1):
        assert frontier.size == size
        assert frontier.root() == ROOTS[size] == root_of(LEAVES[:size])
        assert len(frontier.hashes) == size.bit_count()
        if size < LARGEST:
            frontier.append(LEAVES[size])


@given(cuts=st.lists(st.integers(0, LARGEST), max_size=6))
def test_growing_in_pieces_makes_the_same_tree(cuts: list[int]) -> None:
    frontier = Frontier()
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), LARGEST], strict=True):
        frontier.extend(iter(LEAVES[begin:end]))
        assert frontier.size == end
        assert frontier.root() == ROOTS[end]
        frontier = Frontier.restore(frontier.size, frontier.hashes)
    whole = Frontier()
    whole.extend(LEAVES)
    assert whole.hashes == frontier.hashes


def test_a_copy_grows_on_its_own() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    copy = frontier.copy()
    copy.append(LEAVES[5])
    assert (frontier.root(), copy.root()) == (ROOTS[5], ROOTS[6])


def test_a_frontier_needs_one_hash_for_each_set_bit() -> None:
    with pytest.raises(AssertionError):
        Frontier.restore(3, [LEAVES[0]])
    with pytest.raises(AssertionError):
        Frontier.restore(1, [b"short"])


@pytest.mark.parametrize("size", [*range(1, 70), 127, 128, 129, 255, 256, 257, 299, 300])
def test_every_inclusion_proof_is_that_of_the_definition_and_verifies(size: int) -> None:
    leaves = LEAVES[:size]
    source = ListedNodes(leaves)
    for index in range(size):
        path = inclusion_path(source, index=index, size=size)
        if size < 70:
            assert path == naive_inclusion(index, leaves)
        assert verify_inclusion(
            leaf=LEAVES[index], index=index, size=size, path=path, root=ROOTS[size]
        )


@pytest.mark.parametrize("new_size", [*range(66), 127, 128, 129, 256, 257, 300])
def test_every_consistency_proof_is_that_of_the_definition_and_verifies(new_size: int) -> None:
    source = ListedNodes(LEAVES[:new_size])
    for old_size in range(new_size + 1):
        path = consistency_path(source, old_size=old_size, new_size=new_size)
        if old_size > 0 and new_size < 66:
            assert path == naive_consistency(old_size, LEAVES[:new_size])
        assert verify_consistency(
            old_size=old_size,
            new_size=new_size,
            old_root=ROOTS[old_size],
            new_root=ROOTS[new_size],
            path=path,
        )


SIZES_AND_INDEX = st.integers(2, LARGEST).flatmap(
    lambda size: st.tuples(st.just(size), st.integers(0, size - 1))
)


@given(where=SIZES_AND_INDEX, data=st.data())
def test_a_changed_bit_of_an_inclusion_proof_fails(
    where: tuple[int, int], data: st.DataObject
) -> None:
    size, index = where
    path = inclusion_path(ListedNodes(LEAVES[:size]), index=index, size=size)
    parts = [LEAVES[index], ROOTS[size], *path]
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    parts[which] = flipped(parts[which], bit)
    assert not verify_inclusion(
        leaf=parts[0], index=index, size=size, path=parts[2:], root=parts[1]
    )


@given(where=SIZES_AND_INDEX, data=st.data())
def test_a_longer_or_shorter_inclusion_proof_fails(
    where: tuple[int, int], data: st.DataObject
) -> None:
    size, index = where
    path = inclusion_path(ListedNodes(LEAVES[:size]), index=index, size=size)
    drop = data.draw(st.integers(0, len(path) - 1))
    for wrong in (path[:drop] + path[drop + 1 :], [*path, LEAVES[0]], [*path[:-1], path[-1][:-1]]):
        assert not verify_inclusion(
            leaf=LEAVES[index], index=index, size=size, path=wrong, root=ROOTS[size]
        )


@given(where=SIZES_AND_INDEX, data=st.data())
def test_an_inclusion_proof_for_another_place_fails(
    where: tuple[int, int], data: st.DataObject
) -> None:
    size, index = where
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index))
    path = inclusion_path(ListedNodes(LEAVES[:size]), index=index, size=size)
    assert not verify_inclusion(
        leaf=LEAVES[index], index=other, size=size, path=path, root=ROOTS[size]
    )


@given(where=SIZES_AND_INDEX, data=st.data())
def test_a_changed_bit_of_a_consistency_proof_fails(
    where: tuple[int, int], data: st.DataObject
) -> None:
    new_size, before = where
    old_size = before or 1
    path = consistency_path(ListedNodes(LEAVES[:new_size]), old_size=old_size, new_size=new_size)
    parts = [ROOTS[old_size], ROOTS[new_size], *path]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    assert not verify_consistency(
        old_size=old_size, new_size=new_size, old_root=parts[0], new_root=parts[1], path=parts[2:]
    )
    for wrong in (path[:-1], [*path, LEAVES[0]]):
        assert not verify_consistency(
            old_size=old_size,
            new_size=new_size,
            old_root=ROOTS[old_size],
            new_root=ROOTS[new_size],
            path=wrong,
        )


def flipped(item: bytes, bit: int) -> bytes:
    changed = bytearray(item)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_consistency_at_its_edges() -> None:
    def check(old_size: int, new_size: int, old: bytes, new: bytes, path: list[bytes]) -> bool:
        return verify_consistency(
            old_size=old_size, new_size=new_size, old_root=old, new_root=new, path=path
        )

    assert check(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert check(0, 7, EMPTY_ROOT, ROOTS[7], [])
    assert not check(0, 7, ROOTS[1], ROOTS[7], [])
    assert not check(0, 7, EMPTY_ROOT, ROOTS[7], [LEAVES[0]])
    assert not check(7, 7, ROOTS[7], ROOTS[6], [])
    assert not check(7, 7, ROOTS[7], ROOTS[7], [LEAVES[0]])
    assert not check(7, 6, ROOTS[7], ROOTS[6], [])
    assert not check(6, 7, ROOTS[6], ROOTS[7], [])
    assert not check(-1, 7, ROOTS[6], ROOTS[7], [])
    assert not check(6, 7, ROOTS[6], b"short", [])


def test_sizes_and_indices_outside_are_refused() -> None:
    source = ListedNodes(LEAVES)
    for index, size in ((3, 3), (-1, 3), (0, 0), (0, MAX_SIZE + 1)):
        with pytest.raises(NotFound, match="no_such_leaf"):
            inclusion_path(source, index=index, size=size)
        assert inclusion_root(leaf=LEAVES[0], index=index, size=size, path=[]) is None
    for old_size, new_size in ((4, 3), (-1, 3), (1, MAX_SIZE + 1)):
        with pytest.raises(Malformed, match="sizes"):
            consistency_path(source, old_size=old_size, new_size=new_size)


class FullTree:
    """Every leaf the same, so that a tree of any size costs one hash a level."""

    def __init__(self) -> None:
        self._levels = [LEAVES[0]]
        for _ in range(62):
            self._levels.append(node_hash(self._levels[-1], self._levels[-1]))

    def node(self, level: int, index: int) -> bytes:  # noqa: ARG002
        return self._levels[level]

    def root(self, size: int) -> bytes:
        hashes = [self._levels[level] for level in range(62, -1, -1) if size >> level & 1]
        return Frontier.restore(size, hashes).root()


@given(size=st.integers(1, 1 << 40), data=st.data())
def test_proofs_in_trees_of_up_to_a_trillion_leaves(size: int, data: st.DataObject) -> None:
    tree = FullTree()
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(tree, index=index, size=size)
    assert len(path) <= size.bit_length()
    assert verify_inclusion(leaf=LEAVES[0], index=index, size=size, path=path, root=tree.root(size))
    old_size = data.draw(st.integers(1, size))
    proof = consistency_path(tree, old_size=old_size, new_size=size)
    assert len(proof) <= size.bit_length() + 1
    assert all(len(item) == HASH_BYTES for item in proof)
    assert verify_consistency(
        old_size=old_size,
        new_size=size,
        old_root=tree.root(old_size),
        new_root=tree.root(size),
        path=proof,
    )
