"""Reads the CSV tables that come with the package."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files

from wattproof.core.errors import Broken, ErrorCode

__all__ = ["read_table"]

TABLE_BAD = ErrorCode(
    Broken,
    "core.table",
    en="The packaged table {table} is damaged at line {line}.",
    zh="随包数据表 {table} 第 {line} 行已损坏。",
)


def read_table(package: str, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of ``tables/<name>.csv`` in a package, as text by column.

    Every row must have every column, its source and its confidence, else ``core.table`` is raised.
    """
    table = files(package).joinpath("tables", f"{name}.csv")
    reader = csv.DictReader(table.read_text(encoding="utf-8").splitlines(), strict=True)
    for row in reader:
        if None in row or None in row.values() or not row["source"] or not row["confidence"]:
            raise TABLE_BAD(table=name, line=reader.line_num)
        yield row
