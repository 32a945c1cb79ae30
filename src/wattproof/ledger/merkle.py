"""The Merkle tree of the log: RFC 9162 section 2.1 with SHA-256.

    root        = node(node(leaf 0, leaf 1), leaf 2)        a tree of size 3
    leaf hash   = SHA-256(0x00 || entry)
    node hash   = SHA-256(0x01 || left || right)
    empty tree  = SHA-256("")

A *complete subtree* (level, index) is the root over the 2**level leaves that start at leaf
index * 2**level. Its hash never changes once its last leaf is in the log, so it may be stored and
cached for ever; everything here is made from complete subtrees alone. A `Frontier` keeps the
complete subtrees along the right edge, one for each set bit of the size, and thereby the root
without the leaves.

Everything is iterative, and the cost of a proof grows with the logarithm of the size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, Protocol

from wattproof.core.errors import ErrorCode, Malformed, NotFound

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "MAX_SIZE",
    "NO_SUCH_LEAF",
    "SIZES_OUT_OF_ORDER",
    "Frontier",
    "NodeSource",
    "consistency_path",
    "inclusion_path",
    "inclusion_root",
    "leaf_hash",
    "node_hash",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]

HASH_BYTES: Final = 32
MAX_SIZE: Final = 1 << 62
"""The largest tree that a proof may speak of: sizes stay below 2**63 in every language."""

EMPTY_ROOT: Final = sha256(b"").digest()

NO_SUCH_LEAF: Final = ErrorCode(
    NotFound,
    "ledger.merkle.no_such_leaf",
    en="There is no entry {index} in a log of {size} entries.",
    zh="日志共有 {size} 条记录，没有第 {index} 条。",
)
SIZES_OUT_OF_ORDER: Final = ErrorCode(
    Malformed,
    "ledger.merkle.sizes",
    en="A consistency proof leads from a smaller log to a larger one, not from {old_size} to "
    "{new_size}.",
    zh="一致性证明须由较小的日志指向较大的日志，不能由 {old_size} 到 {new_size}。",
)


class NodeSource(Protocol):
    """Where the hashes of complete subtrees come from: stored tiles, a table, a test's list."""

    def node(self, level: int, index: int) -> bytes:
        """The 32-byte root of the leaves from index * 2**level to (index + 1) * 2**level."""
        ...


def leaf_hash(data: bytes) -> bytes:
    """The 32-byte hash of a leaf that holds `data` (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of a node over its two children, each 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root of the tree over `leaf_hashes`; `EMPTY_ROOT` over none."""
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.root()


class Frontier:
    """The right edge of a growing tree: its size, and its root at any time, in 32 * 62 bytes.

    `hashes` holds the complete subtrees of the tree from the largest, at the left, to the
    smallest: one for each set bit of `size`.
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._hashes: list[bytes] = []

    @classmethod
    def restore(cls, size: int, hashes: Sequence[bytes]) -> Frontier:
        """The frontier of a tree of `size` leaves, from the `hashes` it had."""
        assert 0 <= size <= MAX_SIZE, size
        assert len(hashes) == size.bit_count(), (size, len(hashes))
        assert all(len(item) == HASH_BYTES for item in hashes)
        frontier = cls()
        frontier._size = size
        frontier._hashes = list(hashes)
        return frontier

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The complete subtrees from left to right, as `restore` takes them."""
        return tuple(self._hashes)

    def copy(self) -> Frontier:
        """A frontier of the same tree that grows on its own."""
        return Frontier.restore(self._size, self._hashes)

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf, given as its leaf hash."""
        hashes = self._hashes
        node = leaf_hash
        carry = self._size
        while carry & 1:  # as in adding one to a binary number
            node = sha256(b"\x01" + hashes.pop() + node).digest()
            carry >>= 1
        hashes.append(node)
        self._size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add many leaves, given as leaf hashes: level by level, faster than one by one."""
        pending = list(leaf_hashes)
        grown_size = self._size + len(pending)
        edge: list[bytes] = []
        carry = self._size
        while pending:
            if carry & 1:
                pending.insert(0, self._hashes.pop())
            if len(pending) & 1:
                edge.append(pending.pop())
            pairs = iter(pending)
            pending = [
                sha256(b"\x01" + left + right).digest()
                for left, right in zip(pairs, pairs, strict=True)
            ]
            carry >>= 1
        self._hashes.extend(reversed(edge))
        self._size = grown_size

    def root(self) -> bytes:
        """The 32-byte root of the tree as it stands."""
        return _fold(self._hashes) if self._hashes else EMPTY_ROOT


def inclusion_path(source: NodeSource, *, index: int, size: int) -> list[bytes]:
    """The inclusion proof of leaf `index` in the tree of `size` leaves (RFC 9162 2.1.3.1).

    `source` must know the complete subtrees of that tree. The path runs from the leaf's sibling
    up; it is empty in a tree of one leaf. Raises `NO_SUCH_LEAF`.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise NO_SUCH_LEAF(index=index, size=size)
    return _path_up(source, level=0, index=index, size=size)


def consistency_path(source: NodeSource, *, old_size: int, new_size: int) -> list[bytes]:
    """The proof that the tree of `old_size` leaves is a prefix of that of `new_size` (2.1.4.1).

    Empty when the sizes are equal, and when the old tree is empty (a prefix of every tree).
    Raises `SIZES_OUT_OF_ORDER`.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise SIZES_OUT_OF_ORDER(old_size=old_size, new_size=new_size)
    if old_size in (0, new_size):
        return []
    # The proof climbs from the last complete subtree of the old tree. The verifier has that
    # subtree already, as the old root, when it is the whole old tree.
    level = (old_size & -old_size).bit_length() - 1
    index = (old_size >> level) - 1
    first = [source.node(level, index)] if index else []
    return first + _path_up(source, level=level, index=index, size=new_size)


def inclusion_root(*, leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which `path` leads from the leaf hash `leaf`, or None if it cannot lead to one.

    RFC 9162 section 2.1.3.2. None when the index lies outside the tree, when the path is longer
    or shorter than the tree is high there, or when a hash does not have 32 bytes. Only a root that
    is trusted for its own sake says something about the leaf.
    """
    if not 0 <= index < size <= MAX_SIZE or not _are_hashes(leaf, *path):
        return None
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while not index & 1 and index:  # levels at which the right edge has no sibling
                index >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        index >>= 1
        last >>= 1
    return node if last == 0 else None


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Whether `path` proves that the leaf hash `leaf` is at `index` in the tree with `root`."""
    return inclusion_root(leaf=leaf, index=index, size=size, path=path) == root


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether `path` proves that the old tree is a prefix of the new one (RFC 9162 2.1.4.2).

    Between equal sizes the roots must be equal and the path empty. From the empty tree the path
    must be empty and the old root `EMPTY_ROOT`: then nothing is said of the new root.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE or not _are_hashes(old_root, new_root, *path):
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    level = (old_size & -old_size).bit_length() - 1
    index, last = (old_size >> level) - 1, (new_size - 1) >> level
    steps = list(path)
    if index == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    return _climb(steps, index=index, last=last) == (old_root, new_root)


def _climb(steps: Sequence[bytes], *, index: int, last: int) -> tuple[bytes, bytes] | None:
    """The old and the new root to which a consistency proof leads from the node at `index`."""
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return None
        if index & 1 or index == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:  # lies to the right of the old tree
            new = node_hash(new, sibling)
        index >>= 1
        last >>= 1
    return (old, new) if last == 0 else None


def _path_up(source: NodeSource, *, level: int, index: int, size: int) -> list[bytes]:
    """The siblings from the complete subtree (level, index) up to the root of `size` leaves."""
    path: list[bytes] = []
    last = (size - 1) >> level
    while last:
        sibling = index ^ 1
        if sibling < size >> level:
            path.append(source.node(level, sibling))
        elif sibling <= last:
            path.append(_right_edge(source, level=level, index=sibling, size=size))
        index >>= 1
        last >>= 1
        level += 1
    return path


def _right_edge(source: NodeSource, *, level: int, index: int, size: int) -> bytes:
    """The root of the leaves from index * 2**level to `size`: fewer than 2**level of them."""
    hashes = []
    begin = index << level
    while begin < size:
        level = (size - begin).bit_length() - 1
        hashes.append(source.node(level, begin >> level))
        begin += 1 << level
    return _fold(hashes)


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, the largest at the left."""
    node = hashes[-1]
    for left in reversed(hashes[:-1]):
        node = node_hash(left, node)
    return node


def _are_hashes(*items: bytes) -> bool:
    return all(len(item) == HASH_BYTES for item in items)
