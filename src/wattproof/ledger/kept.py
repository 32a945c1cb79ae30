"""A checkpoint that somebody kept: whether the ledger has grown from it, or was made anew.

An audit finds what was changed in a ledger; a whole older copy, or a history written anew with the
log's key, is consistent in itself. Only a checkpoint that lies elsewhere can show it.
"""

from __future__ import annotations

from wattproof.core.errors import Broken, ErrorCode
from wattproof.ledger import merkle
from wattproof.ledger.chain import open_genesis
from wattproof.ledger.checkpoint import open_checkpoint
from wattproof.ledger.genesis import Genesis, origin_of
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.store import Store
from wattproof.ledger.tiles import TileNodes
from wattproof.ledger.transaction import Codec

__all__ = ["check_grown_from"]

SHORTER = ErrorCode(
    Broken,
    "audit.shorter",
    en="The ledger has {size} entries, but the checkpoint that was kept speaks of {kept}.",
    zh="账本只有 {size} 条记录，而所保存的检查点已有 {kept} 条。",
)
FORKED = ErrorCode(
    Broken,
    "audit.forked",
    en="The ledger's first {kept} entries are not those of the checkpoint that was kept.",
    zh="账本的前 {kept} 条记录与所保存的检查点不一致。",
)


def check_grown_from(store: Store, text: str) -> int:
    """The size of the kept checkpoint `text`, which the ledger must have grown from.

    Raises `Refused` when it is no checkpoint of this ledger's log key, `Broken` (``audit.shorter``,
    ``audit.forked``) when the ledger is another one by now.
    """
    genesis = open_genesis(leaf_parts(store.entry(0).leaf)[2], Codec([Genesis])).body
    assert isinstance(genesis, Genesis), genesis
    origin = origin_of(store.entry(0).id)
    kept = open_checkpoint(text, name=origin, public=genesis.log_key)
    if kept.size > store.size:
        raise SHORTER(size=store.size, kept=kept.size, entry=store.size)
    if _root_at(store, kept.size) != kept.root:
        raise FORKED(kept=kept.size)
    return kept.size


def _root_at(store: Store, size: int) -> bytes:
    """The root over the first `size` entries, from the complete subtrees that they fall into."""
    nodes = TileNodes(store.tile, size=store.size)
    hashes, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            hashes.append(nodes.node(level, start >> level))
            start += 1 << level
    return merkle.Frontier.restore(size, hashes).root()
