"""The chain: a ledger's log and state, growing block by block.

`execute` runs a block on the state in memory and says what it would become; `commit` makes it
durable. An engine decides which transactions form a block, at which height and time, and calls
both; signatures are verified before, and never here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from wattproof.core.errors import Broken, ErrorCode, Malformed, Refused
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger import merkle
from wattproof.ledger.checkpoint import Checkpoint, app_extension, sign_checkpoint
from wattproof.ledger.genesis import GENESIS_AAD, PROFILE, Genesis, ledger_id_of, origin_of
from wattproof.ledger.leaf import bytes_head, leaf_parts, leaf_prefix
from wattproof.ledger.machine import Machine, Outcome
from wattproof.ledger.state import State, Write, hash_writes
from wattproof.ledger.store import Block, Entry, Store, Tile
from wattproof.ledger.tiles import TILE_WIDTH, tile_root
from wattproof.ledger.transaction import Codec, Transaction

__all__ = ["Chain", "Pending", "Receipt", "open_genesis", "receipt_of"]

_APP_DOMAIN: Final = b"wattproof app v1"

BAD_GENESIS = ErrorCode(
    Malformed,
    "genesis.signature",
    en="The genesis transaction is not signed by its registrar.",
    zh="创世交易未由其登记机构签名。",
)
OTHER_PROFILE = ErrorCode(
    Malformed,
    "genesis.profile",
    en="This version does not know the verification profile {profile}.",
    zh="本版本不支持验证规则集 {profile}。",
)
OTHER_LOG_KEY = ErrorCode(
    Malformed,
    "genesis.log_key",
    en="The key that is to sign checkpoints is not the log key named in genesis.",
    zh="用于签署检查点的密钥不是创世交易中指定的日志密钥。",
)
DAMAGED = ErrorCode(
    Broken,
    "chain.damaged",
    en="What is stored does not lead to the hash of the last block, at height {height}; "
    "`wattproof audit` finds the first break.",
    zh="存储内容无法得出高度 {height} 处最后一个区块的哈希；可用 wattproof audit 找出首个断点。",
)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a submitter gets once its transaction is durable.

    `result` is the MessagePack array ``[index, [[event name, fields], ...]]``; `first` is False
    when the same bytes had been accepted before, and then all else is what was given then.
    """

    id: bytes
    index: int
    height: int
    time_ms: int
    result: bytes
    first: bool = True

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What happened: names and fields."""
        decoded: list[Any] = msgspec.msgpack.decode(self.result)[1]
        return [(name, fields) for name, fields in decoded]

    def view(self) -> dict[str, object]:
        """The receipt as JSON shows it."""
        return {
            "id": self.id.hex(),
            "index": self.index,
            "height": self.height,
            "time_ms": self.time_ms,
            "events": [{"event": name, **fields} for name, fields in self.events],
            "first": self.first,
        }


def receipt_of(entry: Entry, *, first: bool) -> Receipt:
    """The receipt of a stored entry."""
    height, time_ms, _ = leaf_parts(entry.leaf)
    return Receipt(
        id=entry.id,
        index=entry.index,
        height=height,
        time_ms=time_ms,
        result=entry.result,
        first=first,
    )


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A block that has been run and is not yet durable; `outcomes` in the order given."""

    block: Block
    outcomes: tuple[Outcome, ...]
    entries: tuple[Entry, ...]
    tiles: tuple[Tile, ...]
    writes: tuple[Write, ...]
    frontier: merkle.Frontier
    edges: list[list[bytes]]


def open_genesis(raw: bytes, codec: Codec) -> Transaction:
    """Decode and check a genesis transaction's form, signature and profile."""
    envelope = cose.parse(raw)
    transaction = codec.decode(envelope, raw)
    genesis = transaction.body
    if not isinstance(genesis, Genesis) or not cose.verify(envelope, aad=GENESIS_AAD):
        raise BAD_GENESIS()
    if genesis.profile != PROFILE:
        raise OTHER_PROFILE(profile=genesis.profile)
    return transaction


class Chain:
    """The log and state of one ledger, and how the next block changes them.

    Without a `log_key` (in an audit, or on a follower) checkpoints are left empty.
    """

    def __init__(self, store: Store, machine: Machine, *, log_key: SigningKey | None) -> None:
        self.store: Final = store
        self.machine: Final = machine
        self._log_key: Final = log_key
        self.ledger_id = b""
        self.reload()

    @classmethod
    def create(
        cls, store: Store, machine: Machine, *, log_key: SigningKey, genesis: bytes, time_ms: int
    ) -> Chain:
        """Open an empty store's ledger with its genesis as block 0.

        Raises `Refused` when the genesis is not acceptable; the store is then still empty.
        """
        transaction = open_genesis(genesis, machine.codec)
        if _log_key_of(transaction) != log_key.public:
            raise OTHER_LOG_KEY()
        chain = cls(store, machine, log_key=log_key)
        chain.ledger_id = ledger_id_of(genesis)
        pending = chain.execute([transaction], height=0, time_ms=time_ms)
        refusal = pending.outcomes[0].refusal
        if refusal is not None:
            raise refusal
        chain.commit(pending)
        return chain

    def reload(self) -> None:
        """Take everything anew from the store, as after a failed commit.

        Raises `Broken` when the stored tree does not lead to the last block's app hash, or is not
        the one that the log key is for: nothing may be signed that is no continuation.
        """
        store = self.store
        self.state = State(store)
        block = store.latest_block()
        if block is None:
            self.height, self.time_ms, self.size = -1, 0, 0
            self._writes_hash = bytes(32)
            self._edges: list[list[bytes]] = [[]]
            self._frontier = merkle.Frontier()
            return
        genesis = leaf_parts(store.entry(0).leaf)[2]
        self.ledger_id = ledger_id_of(genesis)
        self.height, self.time_ms, self.size = block.height, block.time_ms, block.size
        self._writes_hash = block.writes_hash
        self._edges = _load_edges(store, block.size)
        self._frontier = merkle.Frontier.restore(block.size, _frontier_hashes(self._edges))
        if _app_hash(self._frontier.root(), block.writes_hash) != block.app_hash:
            raise DAMAGED(height=block.height)
        self._check_log_key(genesis)

    def _check_log_key(self, genesis: bytes) -> None:
        if self._log_key is None:
            return
        try:
            transaction = open_genesis(genesis, self.machine.codec)
        except Refused:
            raise DAMAGED(height=0) from None
        if _log_key_of(transaction) != self._log_key.public:
            raise OTHER_LOG_KEY()

    @property
    def origin(self) -> str:
        """The origin line of this ledger's checkpoints."""
        return origin_of(self.ledger_id)

    def execute(self, transactions: Sequence[Transaction], *, height: int, time_ms: int) -> Pending:
        """Run a block of verified transactions, none of which may be in the log already.

        `height` and `time_ms` must not go back. The state in memory moves on; `commit` must
        follow, or `reload`.
        """
        assert height > self.height, f"height {height} after {self.height}"
        assert time_ms >= self.time_ms, f"time {time_ms} before {self.time_ms}"
        context = self.machine.context(self.state, height=height, time_ms=time_ms)
        prefix = leaf_prefix(height=height, time_ms=time_ms)
        outcomes: list[Outcome] = []
        entries: list[Entry] = []
        run, index = self.machine.run, self.size
        for transaction in transactions:
            outcome = run(context, transaction, index=index)
            outcomes.append(outcome)
            if outcome.refusal is None:
                leaf = prefix + bytes_head(len(transaction.raw)) + transaction.raw
                entries.append(Entry(index, transaction.id, leaf, outcome.result))
                index += 1
        writes = self.state.take_writes()
        return self._seal(outcomes, entries, writes, height=height, time_ms=time_ms)

    def commit(self, pending: Pending) -> None:
        """Make a block durable and go on from it."""
        block = pending.block
        self.store.commit(
            block, entries=pending.entries, tiles=pending.tiles, writes=pending.writes
        )
        self.height, self.time_ms, self.size = block.height, block.time_ms, block.size
        self._writes_hash = block.writes_hash
        self._frontier, self._edges = pending.frontier, pending.edges

    def _seal(
        self,
        outcomes: list[Outcome],
        entries: list[Entry],
        writes: list[Write],
        *,
        height: int,
        time_ms: int,
    ) -> Pending:
        """Tree, tiles, hashes and checkpoint of a block that has been run."""
        hashes = [merkle.leaf_hash(entry.leaf) for entry in entries]
        frontier = self._frontier.copy()
        frontier.extend(hashes)
        edges, tiles = _grow(self._edges, hashes, size=self.size)
        digest = hash_writes((entry.result for entry in entries), writes)
        writes_hash = hashlib.sha256(self._writes_hash + digest).digest()
        root = frontier.root()
        app_hash = _app_hash(root, writes_hash)
        block = Block(
            height=height,
            time_ms=time_ms,
            size=frontier.size,
            writes_hash=writes_hash,
            app_hash=app_hash,
            checkpoint=self._checkpoint(frontier.size, root, app_hash=app_hash, height=height),
        )
        return Pending(
            block=block,
            outcomes=tuple(outcomes),
            entries=tuple(entries),
            tiles=tuple(tiles),
            writes=tuple(writes),
            frontier=frontier,
            edges=edges,
        )

    def _checkpoint(self, size: int, root: bytes, *, app_hash: bytes, height: int) -> str:
        if self._log_key is None:
            return ""
        line = app_extension(app_hash=app_hash, height=height)
        checkpoint = Checkpoint(origin=self.origin, size=size, root=root, extensions=(line,))
        return sign_checkpoint(checkpoint, self._log_key, self.origin)


def _app_hash(root: bytes, writes_hash: bytes) -> bytes:
    """What the log and the state have come to, 32 bytes."""
    return hashlib.sha256(_APP_DOMAIN + root + writes_hash).digest()


def _log_key_of(transaction: Transaction) -> bytes:
    assert isinstance(transaction.body, Genesis), transaction.body
    return transaction.body.log_key


def _grow(
    edges: list[list[bytes]], hashes: list[bytes], *, size: int
) -> tuple[list[list[bytes]], list[Tile]]:
    """Append leaf hashes to the open tiles of each level; the tiles that became full.

    `edges[level]` holds the hashes of the one tile of that level that is not full.
    """
    grown = [list(edge) for edge in edges]
    tiles: list[Tile] = []
    fresh, level, before = hashes, 0, size
    while fresh:
        if level == len(grown):
            grown.append([])
        edge = grown[level]
        edge.extend(fresh)
        fresh = []
        index = before // TILE_WIDTH
        full = len(edge) // TILE_WIDTH
        for position in range(full):
            tile = b"".join(edge[position * TILE_WIDTH : (position + 1) * TILE_WIDTH])
            tiles.append(Tile(level, index + position, tile))
            fresh.append(tile_root(tile))
        del edge[: full * TILE_WIDTH]
        level, before = level + 1, index
    return grown, tiles


def _load_edges(store: Store, size: int) -> list[list[bytes]]:
    """The open tile of each level, computed from the tiles and entries below it."""
    edges: list[list[bytes]] = []
    level = 0
    while size or not edges:
        width = size % TILE_WIDTH
        hashes = store.tile(level, size // TILE_WIDTH, width) if width else b""
        edges.append([hashes[i : i + 32] for i in range(0, len(hashes), 32)])
        size //= TILE_WIDTH
        level += 1
    return edges


def _frontier_hashes(edges: list[list[bytes]]) -> list[bytes]:
    """The complete subtrees of the whole tree, from the largest to the smallest."""
    hashes: list[bytes] = []
    for edge in reversed(edges):
        start = 0
        for bit in range(7, -1, -1):
            if len(edge) >> bit & 1:
                hashes.append(merkle.root_of(edge[start : start + (1 << bit)]))
                start += 1 << bit
    return hashes
