"""Segment files: written once, sorted, zstd-compressed Parquet, and merged when they are many."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import duckdb
import numpy as np

from wattproof.analytics.manifest import Segment, sync_folder
from wattproof.analytics.table import Array, Column, Columns, Table, check_columns

__all__ = [
    "FAN",
    "FULL_ROWS",
    "ROW_GROUP_ROWS",
    "SEGMENT_FILE",
    "due_merges",
    "file_sha256",
    "files_sql",
    "merge_segments",
    "write_segment",
]

ROW_GROUP_ROWS: Final = 122_880
"""Rows in a Parquet row group: what one thread reads at a time."""

FULL_ROWS: Final = 8_388_608
"""From so many rows on a segment is left alone; a merge makes at most twice as many."""

FAN: Final = 8
"""So many neighbouring segments of about one size are merged into one."""

_SMALLEST_TIER_ROWS: Final = 65_536

SEGMENT_FILE: Final = re.compile(r"[a-z_]+-\d{12}-\d{12}-[0-9a-f]{8}\.(parquet|tmp)", re.ASCII)
"""The names of segment files, unfinished ones included."""


def write_segment(
    db: duckdb.DuckDBPyConnection,
    folder: Path,
    table: Table,
    parts: Sequence[Columns],
    *,
    first_entry: int,
    next_entry: int,
) -> Segment:
    """Write the rows of all parts, sorted, to a new durable file; there must be at least one."""
    rows = sum(check_columns(table, part) for part in parts)
    assert rows, "a segment without rows"
    chosen = ", ".join(_column_sql(column) for column in table.columns)
    # DuckDB reads the arrays where they are; it sees them as the views that are named here.
    views = [f"part_{number}" for number in range(len(parts))]
    for view, part in zip(views, parts, strict=True):
        db.register(view, _plain(table, part))
    source = " UNION ALL ".join(f"SELECT {chosen} FROM {view}" for view in views)
    try:
        return _write(db, folder, table, f"({source})", rows, (first_entry, next_entry))
    finally:
        for view in views:
            db.unregister(view)


def merge_segments(
    db: duckdb.DuckDBPyConnection, folder: Path, table: Table, segments: Sequence[Segment]
) -> Segment:
    """Write the rows of neighbouring segments to one new durable file; the old files stay."""
    source = files_sql(folder, segments)
    span = (segments[0].first_entry, segments[-1].next_entry)
    rows = sum(segment.rows for segment in segments)
    return _write(db, folder, table, source, rows, span)


def files_sql(folder: Path, segments: Sequence[Segment]) -> str:
    """The relation over the files of at least one segment, for a FROM clause."""
    quoted = (_quoted(folder / segment.file) for segment in segments)
    return f"read_parquet([{', '.join(quoted)}])"


def due_merges(segments: Sequence[Segment], *, fan: int = FAN) -> Iterator[Sequence[Segment]]:
    """Runs of neighbours of a table that should be merged, the smallest first: at least `fan` of
    them, or as many as make a full segment.

    A row is so rewritten about once for each power of eight between its segment and a full one.
    With a smaller `fan` than `FAN`, as before a long series of reports, sizes do not matter.
    """
    assert fan >= 2
    limit = _SMALLEST_TIER_ROWS if fan >= FAN else FULL_ROWS
    while True:
        runs = [due for run in _runs(segments, limit) if (due := _due(run, fan))]
        if runs or limit >= FULL_ROWS:
            yield from runs
            return
        limit *= FAN


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _column_sql(column: Column) -> str:
    if not column.nullable:
        return column.name
    return f"CASE WHEN {column.name}_given THEN {column.name} END AS {column.name}"


def _plain(table: Table, part: Columns) -> dict[str, Array]:
    """Arrays without masks, which not every DuckDB heeds; what is given is a column beside."""
    plain = {name: np.ma.getdata(array) for name, array in part.items()}
    for column in table.columns:
        if column.nullable:
            plain[f"{column.name}_given"] = ~np.ma.getmaskarray(part[column.name])
    return plain


def _runs(segments: Sequence[Segment], limit: int) -> Iterator[list[Segment]]:
    """Neighbours with fewer rows than `limit` each, cut where a full segment is reached."""
    run: list[Segment] = []
    rows = 0
    for segment in segments:
        fits = segment.rows < min(limit, FULL_ROWS)
        if not fits or rows >= FULL_ROWS:
            yield run
            run, rows = [], 0
        if fits:
            run.append(segment)
            rows += segment.rows
    yield run


def _due(run: list[Segment], fan: int) -> list[Segment]:
    """As much of a run as is worth merging; empty where it is not."""
    left = sum(segment.rows for segment in run)
    if len(run) > 1 and left >= FULL_ROWS:
        return run
    if fan >= FAN:
        # A segment with more rows than all after it together would be rewritten for little.
        while run and 2 * run[0].rows > left:
            left -= run[0].rows
            run = run[1:]
    return run if len(run) >= fan else []


def _write(
    db: duckdb.DuckDBPyConnection,
    folder: Path,
    table: Table,
    source: str,
    rows: int,
    span: tuple[int, int],
) -> Segment:
    stem = f"{table.name}-{span[0]:012d}-{span[1]:012d}-{secrets.token_hex(4)}"
    temporary, final = folder / f"{stem}.tmp", folder / f"{stem}.parquet"
    db.execute(
        f"COPY (SELECT * FROM {source} ORDER BY {', '.join(table.sort)}) TO {_quoted(temporary)}"
        f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
    )
    _sync_file(temporary)
    segment = Segment(
        table=table.name,
        file=final.name,
        first_entry=span[0],
        next_entry=span[1],
        rows=rows,
        size_bytes=temporary.stat().st_size,
        sha256=file_sha256(temporary),
        ranges=_ranges(db, table, temporary, rows),
    )
    temporary.rename(final)
    sync_folder(folder)
    return segment


def _ranges(
    db: duckdb.DuckDBPyConnection, table: Table, path: Path, rows: int
) -> dict[str, tuple[int, int]]:
    """Least and greatest of the sort columns, read back from the file, which must hold `rows`."""
    wanted = ", ".join(f"MIN({name}), MAX({name})" for name in table.sort)
    relation = f"read_parquet([{_quoted(path)}])"
    (found,) = db.execute(f"SELECT COUNT(*), {wanted} FROM {relation}").fetchall()
    assert found[0] == rows, f"{path.name} holds {found[0]} rows, not {rows}"
    return {name: (found[1 + 2 * i], found[2 + 2 * i]) for i, name in enumerate(table.sort)}


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
