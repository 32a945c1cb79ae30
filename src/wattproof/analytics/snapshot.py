"""A view of the lake at one moment, for queries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from wattproof.analytics.manifest import Manifest, Segment
from wattproof.analytics.segments import files_sql
from wattproof.analytics.table import Table, empty_sql

__all__ = ["Snapshot"]


class Snapshot:
    """The lake as one manifest names it, with a DuckDB cursor of its own to read it."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        tables: Mapping[str, Table],
        db: duckdb.DuckDBPyConnection,
    ) -> None:
        self.manifest: Final = manifest
        self.db: Final = db
        self._folder = folder
        self._tables = tables

    def segments(self, table: str, **within: tuple[int, int]) -> list[Segment]:
        """The table's segments that may hold rows whose sort columns lie `within` (both ends)."""
        assert table in self._tables, f"the lake has no table {table}"
        return [
            segment
            for segment in self.manifest.segments
            if segment.table == table
            and all(
                segment.ranges[name][0] <= high and low <= segment.ranges[name][1]
                for name, (low, high) in within.items()
            )
        ]

    def range(self, table: str, column: str) -> tuple[int, int] | None:
        """The least and the greatest value of a sort column; None in an empty table."""
        ranges = [segment.ranges[column] for segment in self.segments(table)]
        return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None

    def relation(self, table: str, **within: tuple[int, int]) -> str:
        """The table for a FROM clause; `within` leaves out files that hold no such rows."""
        segments = self.segments(table, **within)
        if not segments:
            return f"({empty_sql(self._tables[table])})"
        return files_sql(self._folder, segments)
