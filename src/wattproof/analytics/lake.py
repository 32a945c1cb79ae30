"""The lake: a folder of Parquet files that follows the log and can be thrown away at any time.

    lake = Lake(folder, ledger_id=..., tables=(READINGS,), versions={"readings": 1})
    with lake.writing():
        lake.append(lake.cursor, next_entry, {"readings": [columns]}, names=...)
        lake.compact()
    lake.read(lambda snapshot: ...)

One process writes at a time, under a lock; readers need none. Killed at any moment, the lake is as
it was before or after the step, and what the step left lying about is removed by the next writer.
A lake of another ledger, of other tables or with a damaged manifest counts as empty.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import duckdb
from msgspec.structs import replace

from wattproof.analytics.manifest import (
    MANIFEST,
    Manifest,
    Segment,
    read_manifest,
    schema_digest,
    write_manifest,
)
from wattproof.analytics.segments import (
    FAN,
    SEGMENT_FILE,
    due_merges,
    file_sha256,
    merge_segments,
    write_segment,
)
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.table import Columns, Table
from wattproof.core.errors import Broken, ErrorCode, Unavailable

__all__ = ["LOCK_WAIT_S", "Lake"]

LOCK_WAIT_S: Final = 60
"""How long a writer waits for another one, in seconds."""

BUSY = ErrorCode(
    Unavailable,
    "lake.busy",
    en="Another process has been writing to the lake in {path} for more than {seconds} s.",
    zh="另一个进程写入 {path} 中的数据湖已超过 {seconds} 秒。",
)
DAMAGED = ErrorCode(
    Broken,
    "lake.damaged",
    en="{file} in the lake in {path} is not as it was written ({reason}); the lake can be deleted"
    " and is then rebuilt from the log.",
    zh="{path} 数据湖中的 {file} 与写入时不符（{reason}）；可删除该数据湖，系统会由日志重建。",
)

CANNOT = ErrorCode(
    Unavailable,
    "lake.cannot",
    en="The lake in {path} cannot be used at the moment: {reason}.",
    zh="{path} 中的数据湖暂时无法使用：{reason}。",
)

_LOCK: Final = "lake.lock"
_SPILL: Final = "spill-"
"""DuckDB's room for what does not fit into memory: a folder a process, named by its id."""

T = TypeVar("T")


class Lake:
    """The lake in a folder, for one ledger and a set of tables.

    `versions` name what fills the tables and in which version: a change rebuilds the lake.
    Opening touches nothing on disk.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ledger_id: bytes,
        tables: Sequence[Table],
        versions: Mapping[str, int],
    ) -> None:
        self.folder: Final = folder
        self._tables = {table.name: table for table in tables}
        self._empty = Manifest(
            ledger=ledger_id.hex(), schema=schema_digest(tables, versions=versions)
        )
        self._guard = threading.RLock()
        self._connecting = threading.Lock()
        self._depth = 0
        self._db: duckdb.DuckDBPyConnection | None = None

    # --- reading ---------------------------------------------------------------------------

    @property
    def manifest(self) -> Manifest:
        """What the lake holds now."""
        with _surroundings(self.folder):
            found = read_manifest(self.folder)
        if found is None or (found.ledger, found.schema) != (
            self._empty.ledger,
            self._empty.schema,
        ):
            return self._empty
        return found

    @property
    def cursor(self) -> int:
        """How many log entries are in the lake."""
        return self.manifest.cursor

    def files(self, table: str) -> list[Path]:
        """The table's Parquet files, for another engine to read."""
        return [self.folder / s.file for s in self.manifest.segments if s.table == table]

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Give `work` a snapshot; once more where a writer removed its files meanwhile.

        Raises ``lake.damaged`` where a file is missing or is not as it was written, and
        ``lake.cannot`` for a lack of memory and the like.
        """
        while True:
            manifest = self.manifest
            db = self._connection().cursor()
            try:
                with _surroundings(self.folder):
                    return work(Snapshot(self.folder, manifest, self._tables, db))
            except (duckdb.Error, Unavailable):
                if self.manifest == manifest:
                    self._check(manifest)
                    raise
            finally:
                db.close()

    def verify(self) -> None:
        """Compare every file with its size and SHA-256; raises ``lake.damaged``."""
        while True:
            manifest = self.manifest
            try:
                self._check(manifest)
                return
            except Broken:
                if self.manifest == manifest:
                    raise

    # --- writing ---------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writer, for several steps; raises ``lake.busy`` after `LOCK_WAIT_S`, and
        ``lake.cannot`` for a full disk and the like.

        Removes what a writer that died left behind.
        """
        with self._guard, _surroundings(self.folder):
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / _LOCK).open("ab") as lock:
                _wait_for(lock.fileno(), self.folder)
                self._depth = 1
                try:
                    self._remove_strays(self.manifest)
                    yield
                finally:
                    self._depth = 0

    def append(
        self,
        first_entry: int,
        next_entry: int,
        rows: Mapping[str, Sequence[Columns]],
        *,
        tip: str = "",
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Add the rows that log entries `first_entry` up to `next_entry` gave, durably.

        `rows` are, by table, one or more parts, each an array a column; a table may be left out.
        `first_entry` is the cursor, `next_entry` becomes it, `tip` is the leaf hash of the entry
        before that. `names` replace the lists of that name, which only ever grow.
        """
        with self.writing(), self._connection().cursor() as db:
            before = self.manifest
            assert first_entry == before.cursor < next_entry, "the log goes on where the lake ends"
            new = [
                write_segment(
                    db,
                    self.folder,
                    self._tables[name],
                    parts,
                    first_entry=first_entry,
                    next_entry=next_entry,
                )
                for name, parts in rows.items()
                if any(len(next(iter(part.values()))) for part in parts)
            ]
            grown = {name: tuple(texts) for name, texts in (names or {}).items()}
            for name, texts in before.names.items():
                assert grown.get(name, texts)[: len(texts)] == texts, f"names {name} changed"
            self._put(
                replace(
                    before,
                    cursor=next_entry,
                    tip=tip,
                    segments=(*before.segments, *new),
                    names=before.names | grown,
                )
            )

    def compact(self, *, fan: int = FAN) -> int:
        """Merge runs of `fan` or more neighbouring small segments; the number of merges made.

        With ``fan=2`` everything is merged that can be.
        """
        merges = 0
        with self.writing():
            while runs := [
                (table, run)
                for table in self._tables.values()
                for run in due_merges(self._segments(table.name), fan=fan)
            ]:
                for table, run in runs:
                    self._merge(table, run)
                    merges += 1
        return merges

    def clear(self) -> None:
        """Empty the lake, so that it is rebuilt from the log."""
        with self.writing():
            self._put(self._empty)
            self._remove_strays(self._empty)

    # --- inside ----------------------------------------------------------------------------

    def _segments(self, table: str) -> list[Segment]:
        return [segment for segment in self.manifest.segments if segment.table == table]

    def _merge(self, table: Table, run: Sequence[Segment]) -> None:
        before = self.manifest
        # A merge gives its rows a new checksum, so the old ones are looked at first.
        self._check(replace(before, segments=tuple(run)))
        with self._connection().cursor() as db:
            merged = merge_segments(db, self.folder, table, run)
        old = {segment.file for segment in run}
        segments: list[Segment] = []
        for segment in before.segments:
            if segment.file not in old:
                segments.append(segment)
            elif segment is run[0] or segment.file == run[0].file:
                segments.append(merged)
        self._put(replace(before, segments=tuple(segments)))
        for file in sorted(old):
            (self.folder / file).unlink()

    def _put(self, manifest: Manifest) -> None:
        write_manifest(self.folder, manifest)

    def _check(self, manifest: Manifest) -> None:
        for segment in manifest.segments:
            path = self.folder / segment.file
            try:
                if path.stat().st_size != segment.size_bytes:
                    reason = "size"
                elif file_sha256(path) != segment.sha256:
                    reason = "SHA-256"
                else:
                    continue
            except FileNotFoundError:
                reason = "missing"
            raise DAMAGED(path=str(self.folder), file=segment.file, reason=reason)

    def _remove_strays(self, manifest: Manifest) -> None:
        """Remove files of the lake's own making that its manifest does not name."""
        named = {segment.file for segment in manifest.segments}
        for path in sorted(self.folder.iterdir()):
            ours = SEGMENT_FILE.fullmatch(path.name) or path.name == f"{MANIFEST}.tmp"
            if ours and path.name not in named:
                path.unlink()
            elif path.name.startswith(_SPILL) and not _is_running(path.name[len(_SPILL) :]):
                shutil.rmtree(path, ignore_errors=True)

    def _connection(self) -> duckdb.DuckDBPyConnection:
        with self._connecting:
            if self._db is None:
                self._db = duckdb.connect(
                    config={
                        "autoinstall_known_extensions": False,
                        "autoload_known_extensions": False,
                        "temp_directory": str(self.folder / f"{_SPILL}{os.getpid()}"),
                    }
                )
            return self._db


@contextmanager
def _surroundings(folder: Path) -> Iterator[None]:
    """A full disk, a lack of memory or of permission becomes ``lake.cannot``."""
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        reason = " ".join(str(error).split()).rstrip(".")[:200]
        raise CANNOT(path=str(folder), reason=reason) from error


def _wait_for(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise BUSY(path=str(folder), seconds=LOCK_WAIT_S) from None
            time.sleep(0.02)


def _is_running(process_id: str) -> bool:
    try:
        os.kill(int(process_id), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
