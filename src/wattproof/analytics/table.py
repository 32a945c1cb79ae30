"""What a table of the lake is: its columns, their types, and the order in which rows lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["TYPES", "Array", "Column", "Columns", "Table", "check_columns", "empty_sql"]

Array = NDArray[Any]
Columns = Mapping[str, Array]
"""Rows as one array a column, all of one length; a masked element is NULL."""

TYPES: Final[Mapping[str, str]] = {
    "BIGINT": "int64",
    "INTEGER": "int32",
    "UTINYINT": "uint8",
}
"""SQL types that a column may have, and the numpy type in which it is handed in: whole numbers
only, so that sums are exact and mean the same in every engine."""


class Column(msgspec.Struct, frozen=True):
    """A column: its name, one of `TYPES`, and whether it may be NULL."""

    name: str
    type: str
    nullable: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table: `columns`, and the names of those by which the rows of a segment are sorted."""

    name: str
    columns: tuple[Column, ...]
    sort: tuple[str, ...]


def check_columns(table: Table, columns: Columns) -> int:
    """The number of rows; anything that does not fit the table is our own fault."""
    names = [column.name for column in table.columns]
    assert sorted(columns) == sorted(names), f"{table.name} has {names}, not {list(columns)}"
    lengths = {len(columns[name]) for name in names}
    assert len(lengths) == 1, f"columns of {table.name} differ in length: {lengths}"
    for column in table.columns:
        array = columns[column.name]
        wanted = TYPES[column.type]
        assert array.dtype == wanted, f"{table.name}.{column.name} is {array.dtype}, not {wanted}"
        assert column.nullable or not np.ma.is_masked(array), f"NULL in {table.name}.{column.name}"
    return lengths.pop()


def empty_sql(table: Table) -> str:
    """A query that gives the table's columns and no row."""
    columns = ", ".join(f"CAST(NULL AS {c.type}) AS {c.name}" for c in table.columns)
    return f"SELECT {columns} WHERE 1 = 0"
