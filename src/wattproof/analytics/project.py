"""From the log to the lake: each projector turns entries into rows of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from wattproof.analytics.lake import Lake
from wattproof.analytics.log import Log, LogEntry
from wattproof.analytics.table import Columns, Table
from wattproof.core.errors import Broken, ErrorCode

__all__ = ["ENTRIES_AT_ONCE", "ROWS_AT_ONCE", "Names", "Projector", "lake_for", "project"]

MISSING = ErrorCode(
    Broken,
    "lake.entry_missing",
    en="An entry of the log from {first} on is missing; audit the ledger.",
    zh="自 {first} 起的日志条目有缺失；请审计账本。",
)

ENTRIES_AT_ONCE: Final = 4096
"""Log entries that are read at a time."""

ROWS_AT_ONCE: Final = 2_000_000
"""Rows after which a segment is written: about 100 MB of memory."""


class Names:
    """A list of texts that only grows; a column holds the number of a text, counted from 1."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._numbers = {text: number for number, text in enumerate(texts, start=1)}

    def number(self, text: str) -> int:
        """The text's number, a new one where it has none."""
        return self._numbers.setdefault(text, len(self._numbers) + 1)

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts, by number."""
        return tuple(self._numbers)


class Projector(Protocol):
    """Fills one table of the lake from log entries, each entry on its own."""

    @property
    def table(self) -> Table:
        """The table."""
        ...

    @property
    def version(self) -> int:
        """Goes up when the same entries give other rows than before; the lake is then rebuilt."""
        ...

    def rows(self, entries: Sequence[LogEntry], names: Mapping[str, Names]) -> Columns:
        """The rows that the entries give; texts in them are numbered in `names`."""
        ...


def lake_for(folder: Path, projectors: Sequence[Projector], *, ledger_id: bytes) -> Lake:
    """The lake in a folder that the projectors fill."""
    return Lake(
        folder,
        ledger_id=ledger_id,
        tables=[projector.table for projector in projectors],
        versions={projector.table.name: projector.version for projector in projectors},
    )


def project(
    log: Log,
    lake: Lake,
    projectors: Sequence[Projector],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Bring the lake up to the log's present end; how many entries were projected.

    A lake that follows another log, such as one that was put back to an older copy, is rebuilt.
    `progress` is told the cursor and the end after each segment. Raises ``lake.busy``, or `Broken`
    where the log is not whole.
    """
    end = log.size
    if lake.cursor == end and _follows(lake, log, end):
        return 0
    with lake.writing():
        if not _follows(lake, log, end):
            lake.clear()
        begun = cursor = lake.cursor
        names = _Known(lake.manifest.names)
        while cursor < end:
            batch = _batch(log, projectors, names, cursor, end)
            lake.append(cursor, batch.end, batch.rows, tip=batch.tip, names=names.grown())
            cursor = batch.end
            if progress is not None:
                progress(cursor, end)
        lake.compact()
    return cursor - begun


def _follows(lake: Lake, log: Log, end: int) -> bool:
    """Whether the last entry that is in the lake stands in the log, in its place."""
    manifest = lake.manifest
    if manifest.cursor == 0:
        return True
    if manifest.cursor > end:
        return False
    return any(entry.leaf_hash.hex() == manifest.tip for entry in log.read(manifest.cursor - 1, 1))


class _Known(dict[str, Names]):
    """The lists of texts, each made when it is first asked for."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        super().__init__((name, Names(texts)) for name, texts in known.items())

    def __missing__(self, name: str) -> Names:
        made = self[name] = Names()
        return made

    def grown(self) -> dict[str, tuple[str, ...]]:
        return {name: names.texts for name, names in self.items()}


class _Batch(msgspec.Struct, frozen=True):
    """Rows by table, the entry after them, the leaf hash of the last entry."""

    rows: dict[str, list[Columns]]
    end: int
    tip: str


def _batch(
    log: Log, projectors: Sequence[Projector], names: Mapping[str, Names], first: int, end: int
) -> _Batch:
    """Read on until a segment's worth of rows is there."""
    parts: list[list[Columns]] = [[] for _ in projectors]
    total, tip = 0, b""
    while first < end and total < ROWS_AT_ONCE:
        entries = list(log.read(first, min(ENTRIES_AT_ONCE, end - first)))
        if not entries or (entries[0].index, entries[-1].index) != (
            first,
            first + len(entries) - 1,
        ):
            raise MISSING(first=first)
        for projector, part in zip(projectors, parts, strict=True):
            rows = projector.rows(entries, names)
            part.append(rows)
            total += len(next(iter(rows.values())))
        first += len(entries)
        tip = entries[-1].leaf_hash
    named = {p.table.name: part for p, part in zip(projectors, parts, strict=True)}
    return _Batch(named, first, tip.hex())
