"""A small lake of readings for tests: what is put in, and the sums by another road."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from wattproof.analytics.lake import Lake
from wattproof.analytics.readings import READINGS, meter_factor
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.table import Columns

__all__ = ["LEDGER_ID", "Row", "columns_of", "held_rows", "new_lake"]

LEDGER_ID = bytes(range(32))


class Row(msgspec.Struct, frozen=True, order=True):
    """A reading; without a factor (0) it has no emission."""

    meter: int
    start_s: int
    amount: int
    emission_g: int | None = None
    factor: int = 0
    entry: int = 0


def new_lake(folder: Path, *, ledger_id: bytes = LEDGER_ID, version: int = 1) -> Lake:
    """The lake of readings in a folder."""
    return Lake(folder, ledger_id=ledger_id, tables=(READINGS,), versions={READINGS.name: version})


def columns_of(rows: Sequence[Row]) -> Columns:
    """Rows as the lake takes them."""
    meter = np.array([row.meter for row in rows], np.int32)
    factor = np.array([row.factor for row in rows], np.int32)
    grams = [row.emission_g for row in rows]
    return {
        "meter": meter,
        "start_s": np.array([row.start_s for row in rows], np.int64),
        "interval_s": np.full(len(rows), 900, np.int32),
        "amount": np.array([row.amount for row in rows], np.int64),
        "emission_g": np.ma.MaskedArray(
            np.array([gram or 0 for gram in grams], np.int64), [gram is None for gram in grams]
        ),
        "factor": factor,
        "meter_factor": meter_factor(meter, factor),
        "flags": np.zeros(len(rows), np.uint8),
        "entry": np.array([row.entry for row in rows], np.int64),
    }


def held_rows(lake: Lake) -> list[Row]:
    """All rows of a lake, sorted by entry, meter and time."""

    def work(snapshot: Snapshot) -> list[tuple[Any, ...]]:
        relation = snapshot.relation(READINGS.name)
        return snapshot.db.execute(
            f"SELECT meter, start_s, amount, emission_g, factor, entry FROM {relation}"
        ).fetchall()

    return in_order(Row(*found) for found in lake.read(work))


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.entry, row.meter, row.start_s))
