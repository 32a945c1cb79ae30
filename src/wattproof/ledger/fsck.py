"""The audit of a whole ledger: every stored byte is recomputed from the signed transactions.

The log is replayed from genesis on an empty state: each entry's form, id and signature, each
result, each block's hashes and signed checkpoint, each tile, and at the end every row of the
state. What is stored must equal what the replay gives; the first place where it does not is named.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

import msgspec

from wattproof.core.errors import Broken, ErrorCode, Refused, WattProofError
from wattproof.ledger import merkle
from wattproof.ledger.chain import Chain, open_genesis
from wattproof.ledger.checkpoint import app_extension, open_checkpoint
from wattproof.ledger.genesis import Genesis, ledger_id_of
from wattproof.ledger.leaf import leaf_parts, leaf_prefix
from wattproof.ledger.machine import Machine
from wattproof.ledger.state import Collection
from wattproof.ledger.store import Block, Entry, Store
from wattproof.ledger.tiles import TILE_WIDTH
from wattproof.ledger.transaction import Transaction

__all__ = ["AuditReport", "CheckMany", "FirstBreak", "audit"]

READ_AT_ONCE: Final = 4096
"""Log entries read and verified ahead of the replay."""

CheckMany = Callable[[bytes], Callable[[Sequence[bytes]], list[Transaction | Refused]]]
"""Given the ledger's id, decodes and verifies many transactions (an engine's `Verifier`)."""


def _break(code: str, en: str, zh: str) -> ErrorCode:
    return ErrorCode(Broken, f"audit.{code}", en=en, zh=zh)


ENTRY_MISSING = _break("entry_missing", "Log entry {entry} is missing.", "日志条目 {entry} 缺失。")
LEAF_FORM = _break(
    "leaf_form",
    "The leaf of entry {entry} is not well formed.",
    "条目 {entry} 的叶节点格式不正确。",
)
WRONG_ID = _break(
    "wrong_id",
    "Entry {entry} is stored under another transaction's id.",
    "条目 {entry} 的交易编号与内容不符。",
)
NOT_TAKEN = _break(
    "not_taken", "The transaction of entry {entry}: {reason}", "条目 {entry} 的交易：{reason_zh}"
)
OTHER_RESULT = _break(
    "other_result",
    "The stored result of entry {entry} is not what its contract gives.",
    "条目 {entry} 保存的结果与合约执行结果不一致。",
)
BLOCK_BORDER = _break(
    "block_border",
    "Entry {entry} does not belong to the block at height {height}.",
    "条目 {entry} 不属于高度 {height} 的区块。",
)
BLOCK_ROW = _break(
    "block_row",
    "The block at height {height} (from entry {entry}) has another {field} than the replay.",
    "高度 {height} 的区块（自条目 {entry} 起）的 {field} 与重放结果不一致。",
)
CHECKPOINT = _break(
    "checkpoint",
    "The checkpoint of the block at height {height} (from entry {entry}): {reason}",
    "高度 {height} 的区块（自条目 {entry} 起）的检查点：{reason_zh}",
)
OTHER_CHECKPOINT = _break(
    "other_checkpoint",
    "The checkpoint at height {height} (from entry {entry}) says something else than the log.",
    "高度 {height}（自条目 {entry} 起）的检查点内容与日志不一致。",
)
EXTRA_ENTRY = _break(
    "extra_entry", "Entry {entry} belongs to no block.", "条目 {entry} 不属于任何区块。"
)
TILE = _break(
    "tile",
    "Tile {index} of level {level} (from entry {entry}) is missing or changed.",
    "第 {level} 层的瓦片 {index}（自条目 {entry} 起）缺失或被改动。",
)
STATE_ROW = _break(
    "state_row",
    "The row {key} of {collection}, last written by entry {entry}, is missing or changed.",
    "{collection} 中的记录 {key}（最后由条目 {entry} 写入）缺失或被改动。",
)
SCHEMA = _break("schema", "The tables are not those of a ledger.", "数据表结构与账本不符。")
DAMAGED = _break("damaged", "The file is damaged: {reason}", "账本文件已损坏：{reason}")


class FirstBreak(msgspec.Struct, frozen=True, kw_only=True):
    """Where the audit stopped: the log entry concerned (None: the whole file), and why."""

    entry: int | None
    code: str
    why: str
    why_zh: str


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found: `root` in hex, and how many `signatures` were verified."""

    ok: bool
    entries: int
    root: str
    signatures: int
    seconds: float
    first_break: FirstBreak | None = None


def audit(
    store: Store,
    machine: Machine,
    *,
    check_many: CheckMany,
    progress: Callable[[int, int], None] | None = None,
    finish: Callable[[Store], None] | None = None,
) -> AuditReport:
    """Check everything that is stored. Findings are reported, not raised.

    `progress` is told the entries done and in all; `finish` is given the replayed state, for
    checks of its own that raise `Broken`.
    """
    started = time.perf_counter()
    replay = _Replay(store, machine, check_many, progress)
    found: FirstBreak | None = None
    try:
        replay.run()
        if finish is not None:
            finish(replay.mirror)
    except WattProofError as error:
        found = _finding(error)
    except sqlite3.DatabaseError as error:
        found = _finding(DAMAGED(entry=replay.done, reason=str(error)))
    return AuditReport(
        ok=found is None,
        entries=replay.done,
        root=replay.root.hex(),
        signatures=replay.done,
        seconds=round(time.perf_counter() - started, 3),
        first_break=found,
    )


def _finding(error: WattProofError) -> FirstBreak:
    entry = error.params.get("entry", error.params.get("index"))
    return FirstBreak(
        entry=entry if isinstance(entry, int) else None,
        code=error.code,
        why=error.text("en"),
        why_zh=error.text("zh"),
    )


class _Replay:
    """The replay of one log, and the comparison of what is stored with it."""

    def __init__(
        self,
        store: Store,
        machine: Machine,
        check_many: CheckMany,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._store = store
        self._machine = machine
        self._check_many = check_many
        self._progress = progress or (lambda _done, _total: None)
        self.mirror = Store.create(":memory:", machine.collections)
        self.done = 0
        self.root = merkle.EMPTY_ROOT

    def run(self) -> None:
        """Everything, in the order of the log."""
        if self._store.tables() != self.mirror.tables():
            raise SCHEMA()
        genesis = self._genesis()
        assert isinstance(genesis.body, Genesis), genesis
        self._log_key = genesis.body.log_key
        chain = Chain(self.mirror, self._machine, log_key=None)
        chain.ledger_id = ledger_id_of(genesis.raw)
        entries = self._entries(genesis, chain.ledger_id)
        total, tiles = self._store.size, 0
        for block in self._store.blocks():
            if not self._follows(chain, block):
                raise BLOCK_ROW(height=block.height, entry=chain.size, field="order")
            tiles += self._replay_block(chain, block, self._take(entries, chain.size, block))
            self.done = chain.size
            self._progress(self.done, total)
        for entry, _ in entries:
            raise EXTRA_ENTRY(entry=entry.index)
        self._compare_tile_count(tiles)
        self._compare_state()
        self._check_file()

    @staticmethod
    def _follows(chain: Chain, block: Block) -> bool:
        return (
            block.height > chain.height
            and block.time_ms >= chain.time_ms
            and block.size > chain.size
        )

    def _genesis(self) -> Transaction:
        for entry in self._store.entries(0, 1):
            if entry.index != 0:
                break
            try:
                return open_genesis(_transaction_of(entry), self._machine.codec)
            except Refused as refusal:
                raise _not_taken(0, refusal) from None
        raise ENTRY_MISSING(entry=0)

    def _entries(
        self, genesis: Transaction, ledger_id: bytes
    ) -> Iterator[tuple[Entry, Transaction]]:
        """Every stored entry in order, decoded and verified, none missing."""
        check_many = self._check_many(ledger_id)
        first = 0
        while chunk := self._store.entries(first, READ_AT_ONCE):
            raws: list[bytes] = []
            for position, entry in enumerate(chunk):
                if entry.index != first + position:
                    break
                raws.append(_transaction_of(entry))
            for entry, item in zip(chunk, check_many(raws), strict=False):
                if entry.index == 0:
                    yield entry, genesis
                elif isinstance(item, Refused):
                    raise _not_taken(entry.index, item)
                else:
                    yield entry, item
            first += len(raws)
            if len(raws) < len(chunk):
                raise ENTRY_MISSING(entry=first)

    def _take(
        self, entries: Iterator[tuple[Entry, Transaction]], first: int, block: Block
    ) -> list[tuple[Entry, Transaction]]:
        """The entries that the block says are its own."""
        prefix = leaf_prefix(height=block.height, time_ms=block.time_ms)
        taken: list[tuple[Entry, Transaction]] = []
        for index in range(first, block.size):
            pair = next(entries, None)
            if pair is None:
                raise ENTRY_MISSING(entry=index)
            entry, transaction = pair
            if entry.id != transaction.id:
                raise WRONG_ID(entry=index)
            if not entry.leaf.startswith(prefix):
                raise BLOCK_BORDER(entry=index, height=block.height)
            taken.append(pair)
        return taken

    def _replay_block(
        self, chain: Chain, block: Block, taken: list[tuple[Entry, Transaction]]
    ) -> int:
        """Run one block and compare what is stored of it; how many tiles it filled."""
        first = chain.size
        pending = chain.execute(
            [transaction for _, transaction in taken], height=block.height, time_ms=block.time_ms
        )
        made = iter(pending.entries)
        for (entry, _), outcome in zip(taken, pending.outcomes, strict=True):
            if outcome.refusal is not None:
                raise _not_taken(entry.index, outcome.refusal)
            replayed = next(made)
            if replayed.leaf != entry.leaf:
                raise LEAF_FORM(entry=entry.index)
            if replayed.result != entry.result:
                raise OTHER_RESULT(entry=entry.index)
        self.root = pending.frontier.root()
        for field in ("size", "writes_hash", "app_hash"):
            if getattr(block, field) != getattr(pending.block, field):
                raise BLOCK_ROW(height=block.height, entry=first, field=field)
        self._check_checkpoint(chain.origin, block, first)
        for tile in pending.tiles:
            if self._store.stored_tile(tile.level, tile.index) != tile.hashes:
                entry_of = tile.index * TILE_WIDTH ** (tile.level + 1)
                raise TILE(level=tile.level, index=tile.index, entry=entry_of)
        chain.commit(msgspec.structs.replace(pending, entries=(), tiles=()))
        return len(pending.tiles)

    def _check_checkpoint(self, origin: str, block: Block, first: int) -> None:
        try:
            checkpoint = open_checkpoint(block.checkpoint, name=origin, public=self._log_key)
        except Refused as refusal:
            raise CHECKPOINT(
                height=block.height,
                entry=first,
                reason=refusal.text("en"),
                reason_zh=refusal.text("zh"),
            ) from None
        line = app_extension(app_hash=block.app_hash, height=block.height)
        said = (checkpoint.size, checkpoint.root, checkpoint.extensions)
        if said != (block.size, self.root, (line,)):
            raise OTHER_CHECKPOINT(height=block.height, entry=first)

    def _compare_tile_count(self, made: int) -> None:
        """Every tile that must exist was compared; here only that there is none beside them."""
        for position, tile in enumerate(self._store.tiles()):
            if position == made:
                raise TILE(level=tile.level, index=tile.index, entry=None)

    def _compare_state(self) -> None:
        """Row by row, every collection; the difference with the earliest entry is named."""
        found: list[tuple[int, str, str]] = []
        for collection in self._machine.collections:
            difference = self._difference(collection)
            if difference is not None:
                found.append(difference)
        if found:
            entry, name, key = min(found)
            raise STATE_ROW(entry=entry, collection=name, key=key)

    def _difference(self, collection: Collection[Any]) -> tuple[int, str, str] | None:
        stored, replayed = self._store.columns(collection), self.mirror.columns(collection)
        width = len(collection.key)
        for row, made in zip_longest(stored, replayed):
            if row != made:
                # The earlier key of the two is the one that the other side lacks or changed.
                sides = [side for side in (row, made) if side is not None]
                side = min(sides, key=lambda side: tuple(side[:width]))
                entry = (made or row)[-1]
                return int(entry), collection.name, "/".join(map(str, side[:width]))
        return None

    def _check_file(self) -> None:
        """SQLite's own check, which also holds its indexes against its tables."""
        for problem in self._store.integrity_problems():
            raise DAMAGED(reason=problem)


def _transaction_of(entry: Entry) -> bytes:
    try:
        return leaf_parts(entry.leaf)[2]
    except Broken:
        raise LEAF_FORM(entry=entry.index) from None


def _not_taken(index: int, refusal: WattProofError) -> WattProofError:
    return NOT_TAKEN(entry=index, reason=refusal.text("en"), reason_zh=refusal.text("zh"))
