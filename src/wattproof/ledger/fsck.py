"""The audit of a whole ledger: every stored byte is recomputed from the signed transactions.

The log is replayed from genesis on an empty state: each entry's form, id and signature, each
result, each block's hashes and signed checkpoint, each tile, and at the end every row of the
state. What is stored must equal what the replay gives; the first place where it does not is named.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from wattproof.core.errors import Broken, ErrorCode, Refused, WattProofError
from wattproof.ledger import merkle
from wattproof.ledger.chain import Chain, Pending, open_genesis
from wattproof.ledger.checkpoint import app_extension, open_checkpoint
from wattproof.ledger.genesis import Genesis, ledger_id_of
from wattproof.ledger.leaf import leaf_parts, leaf_prefix
from wattproof.ledger.machine import Machine
from wattproof.ledger.note import parse_note
from wattproof.ledger.state import Collection
from wattproof.ledger.store import Block, Entry, Store, Tile
from wattproof.ledger.tiles import TILE_WIDTH, new_full_tiles
from wattproof.ledger.transaction import Transaction

__all__ = ["AuditReport", "CheckMany", "FirstBreak", "audit"]

READ_AT_ONCE: Final = 4096
"""Log entries read and verified ahead of the replay."""

CheckMany = Callable[[bytes], Callable[[Sequence[bytes]], list[Transaction | Refused]]]
"""Given the ledger's id, decodes and verifies many transactions (an engine's `Verifier`)."""

_FAR: Final = 2**63
_Read = tuple[Entry, Transaction]
_Columns = tuple[Any, ...]


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
    "The checkpoint at height {height} (from entry {entry}) is not the one that the log gives.",
    "高度 {height}（自条目 {entry} 起）的检查点与日志得出的不一致。",
)
EXTRA_ENTRY = _break(
    "extra_entry", "Entry {entry} belongs to no block.", "条目 {entry} 不属于任何区块。"
)
TILE = _break(
    "tile",
    "Tile {index} of level {level} (from entry {entry}) is missing or changed.",
    "第 {level} 层的瓦片 {index}（自条目 {entry} 起）缺失或被改动。",
)
EXTRA_TILE = _break(
    "extra_tile",
    "Tile {index} of level {level} is not one of this log.",
    "第 {level} 层的瓦片 {index} 不属于本日志。",
)
EXTRA_ROW = _break(
    "extra_row",
    "The row {key} of {collection} was written by no entry.",
    "{collection} 中的记录 {key} 不是由任何条目写入的。",
)
STATE_ROW = _break(
    "state_row",
    "The row {key} of {collection}, last written by entry {entry}, is missing or changed.",
    "{collection} 中的记录 {key}（最后由条目 {entry} 写入）缺失或被改动。",
)
SCHEMA = _break("schema", "The tables are not those of a ledger.", "数据表结构与账本不符。")
DAMAGED = _break("damaged", "The file is damaged: {reason}.", "账本文件已损坏：{reason}。")


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
    checks of its own that raise `Broken`. One block is held in view, so that the ledger may be
    written to meanwhile.
    """
    started = time.perf_counter()
    replay = _Replay(store, machine, check_many, progress)
    found = _replayed(store, replay)
    if found is None and finish is not None:
        try:
            finish(replay.mirror)
        except WattProofError as error:
            found = _finding(error)
    replay.mirror.close()
    return AuditReport(
        ok=found is None,
        entries=replay.done,
        root=replay.root.hex(),
        signatures=replay.done,
        seconds=round(time.perf_counter() - started, 3),
        first_break=found,
    )


def _replayed(store: Store, replay: _Replay) -> FirstBreak | None:
    """Run the replay; what it found to be broken, if anything."""
    try:
        with store.snapshot():
            replay.run()
    except WattProofError as error:
        return _finding(error)
    except sqlite3.Error as error:
        reason = "".join(filter(str.isprintable, str(error)))[:80]
        return _finding(DAMAGED(entry=replay.done, reason=reason))
    except (TypeError, ValueError):
        # Tables are strict: a value of another type, or none, comes out of a damaged file only.
        return _finding(DAMAGED(entry=replay.done, reason="a value of another type"))
    return None


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
        total = self._store.size
        for block in self._store.blocks():
            if not self._follows(chain, block):
                raise BLOCK_ROW(height=block.height, entry=chain.size, field="order")
            taken, broken = self._take(entries, chain.size, block)
            pending = self._replay_block(chain, block, taken)
            if broken is not None:
                raise broken
            self._compare_block(chain, block, pending)
            chain.commit(msgspec.structs.replace(pending, entries=(), tiles=()))
            self.done = chain.size
            self._progress(self.done, total)
        for entry in self._store.entries(chain.size, 1):
            raise EXTRA_ENTRY(entry=entry.index)
        self._compare_tile_paths(chain.size)
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
        for entry in self._store.entries(-_FAR, 1):
            if entry.index < 0:
                raise EXTRA_ENTRY(entry=entry.index)
            if entry.index > 0:
                break
            try:
                return open_genesis(_transaction_of(entry), self._machine.codec)
            except Refused as refusal:
                raise _not_taken(0, refusal) from None
        raise ENTRY_MISSING(entry=0)

    def _entries(self, genesis: Transaction, ledger_id: bytes) -> Iterator[_Read | WattProofError]:
        """Every stored entry in order, decoded and verified; last of all what is wrong, if any."""
        check_many = self._check_many(ledger_id)
        first = 0
        while chunk := self._store.entries(first, READ_AT_ONCE):
            raws, broken = _transactions_of(chunk, first)
            for entry, item in zip(chunk, check_many(raws), strict=False):
                if entry.index == 0:
                    yield entry, genesis
                elif isinstance(item, Refused):
                    yield _not_taken(entry.index, item)
                    return
                else:
                    yield entry, item
            if broken is not None:
                yield broken
                return
            first += len(chunk)

    def _take(
        self, entries: Iterator[_Read | WattProofError], first: int, block: Block
    ) -> tuple[list[_Read], WattProofError | None]:
        """The entries that the block says are its own, up to the first that is not well."""
        prefix = leaf_prefix(height=block.height, time_ms=block.time_ms)
        taken: list[_Read] = []
        for index in range(first, block.size):
            item = next(entries, None)
            if item is None:
                return taken, ENTRY_MISSING(entry=index)
            if isinstance(item, WattProofError):
                return taken, item
            entry, transaction = item
            if entry.id != transaction.id:
                return taken, WRONG_ID(entry=index)
            if not entry.leaf.startswith(prefix):
                return taken, BLOCK_BORDER(entry=index, height=block.height)
            taken.append(item)
        return taken, None

    def _replay_block(self, chain: Chain, block: Block, taken: list[_Read]) -> Pending:
        """Run the entries of one block and compare their stored results."""
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
        return pending

    def _compare_block(self, chain: Chain, block: Block, pending: Pending) -> None:
        """Compare what is stored of a block beside its entries."""
        first = chain.size
        self.root = pending.frontier.root()
        for field in ("size", "writes_hash", "app_hash"):
            if getattr(block, field) != getattr(pending.block, field):
                raise BLOCK_ROW(height=block.height, entry=first, field=field)
        self._check_checkpoint(chain.origin, block, first)
        for tile in pending.tiles:
            if self._store.stored_tile(tile.level, tile.index) != tile.hashes:
                raise TILE(level=tile.level, index=tile.index, entry=_first_entry(tile))

    def _check_checkpoint(self, origin: str, block: Block, first: int) -> None:
        try:
            checkpoint = open_checkpoint(block.checkpoint, name=origin, public=self._log_key)
            signatures = parse_note(block.checkpoint).signatures
        except Refused as refusal:
            raise CHECKPOINT(
                height=block.height,
                entry=first,
                reason=refusal.text("en"),
                reason_zh=refusal.text("zh"),
            ) from None
        line = app_extension(app_hash=block.app_hash, height=block.height)
        said = (checkpoint.size, checkpoint.root, checkpoint.extensions, len(signatures))
        if said != (block.size, self.root, (line,), 1):
            raise OTHER_CHECKPOINT(height=block.height, entry=first)

    def _compare_tile_paths(self, size: int) -> None:
        """Every tile that must exist was compared; here only that there is none beside them."""
        expected = new_full_tiles(0, size)
        for tile in self._store.tiles():
            path = next(expected, None)
            if path is None or (tile.level, tile.index) != (path.level, path.index):
                raise EXTRA_TILE(level=tile.level, index=tile.index, entry=None)

    def _compare_state(self) -> None:
        """Row by row, every collection; the difference with the earliest entry is named."""
        missing: list[tuple[int, str, str]] = []
        extra: list[tuple[str, str]] = []
        for collection in self._machine.collections:
            width = len(collection.key)
            for row, made in self._differences(collection):
                if made is not None:
                    missing.append((made[-1], collection.name, _key_text(made[:width])))
                elif row is not None:
                    extra.append((collection.name, _key_text(row[:width])))
        if missing:
            entry, name, key = min(missing)
            raise STATE_ROW(entry=entry, collection=name, key=key)
        for name, key in extra:
            raise EXTRA_ROW(collection=name, key=key)

    def _differences(
        self, collection: Collection[Any]
    ) -> Iterator[tuple[_Columns | None, _Columns | None]]:
        """The rows as stored and as replayed, where they are not the same, by key."""
        width = len(collection.key)
        stored, replayed = self._store.columns(collection), self.mirror.columns(collection)
        row, made = next(stored, None), next(replayed, None)
        while row is not None or made is not None:
            if row == made:
                row, made = next(stored, None), next(replayed, None)
            elif row is None or (made is not None and made[:width] < row[:width]):
                yield None, made
                made = next(replayed, None)
            elif made is None or row[:width] < made[:width]:
                yield row, None
                row = next(stored, None)
            else:
                yield row, made
                row, made = next(stored, None), next(replayed, None)

    def _check_file(self) -> None:
        """SQLite's own check, which also holds its indexes against its tables."""
        for problem in self._store.integrity_problems():
            raise DAMAGED(reason=problem)


def _transactions_of(
    chunk: Sequence[Entry], first: int
) -> tuple[list[bytes], WattProofError | None]:
    """The transactions of entries that begin at `first`, up to the first that is not well."""
    raws: list[bytes] = []
    for position, entry in enumerate(chunk):
        if entry.index != first + position:
            return raws, ENTRY_MISSING(entry=first + position)
        try:
            raws.append(_transaction_of(entry))
        except Broken as broken:
            return raws, broken
    return raws, None


def _first_entry(tile: Tile) -> int:
    """The leaf index from which a tile stands for the log."""
    return tile.index * int(TILE_WIDTH ** (tile.level + 1))


def _key_text(key: _Columns) -> str:
    parts = (part.decode(errors="replace") if isinstance(part, bytes) else part for part in key)
    return "/".join(map(str, parts))


def _transaction_of(entry: Entry) -> bytes:
    try:
        return leaf_parts(entry.leaf)[2]
    except Broken:
        raise LEAF_FORM(entry=entry.index) from None


def _not_taken(index: int, refusal: WattProofError) -> WattProofError:
    return NOT_TAKEN(entry=index, reason=refusal.text("en"), reason_zh=refusal.text("zh"))
