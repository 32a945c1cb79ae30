"""The SQLite tables of a ledger, and the statements of each state collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from wattproof.ledger.state import Collection

__all__ = ["FORMAT", "CollectionSql", "schema"]

FORMAT: Final = 1
"""The file's layout, kept in SQLite's user_version."""

_TEXT_TYPES: Final = {int: "INTEGER", str: "TEXT", bytes: "BLOB"}


class CollectionSql:
    """The statements of one collection. Names come from declarations in code, never from input."""

    def __init__(self, collection: Collection[Any]) -> None:
        self.table = f'"state_{collection.name}"'
        columns = _quoted(collection.columns)
        key = ", ".join(_quoted(collection.key))
        others = _quoted(name for name in collection.columns if name not in collection.key)
        where = _equal(collection.key)
        marks = ", ".join("?" * (len(columns) + 2))
        updates = ", ".join(f"{name} = excluded.{name}" for name in [*others, "value", "entry"])
        self._key = key
        self._key_width = len(collection.key)
        self.get = f"SELECT value, entry FROM {self.table} WHERE {where}"
        self.put = (
            f"INSERT INTO {self.table}({', '.join([*columns, 'value', 'entry'])})"
            f" VALUES ({marks}) ON CONFLICT({key}) DO UPDATE SET {updates}"
        )
        self.drop = f"DELETE FROM {self.table} WHERE {where}"
        bare = [
            f'CAST("{name}" AS BLOB)' if kind is str else f'"{name}"'
            for name, kind in collection.columns.items()
        ]
        self.everything = (
            f"SELECT {', '.join([*bare, 'value', 'entry'])} FROM {self.table} ORDER BY {key}"
        )

    def select(self, fields: tuple[str, ...]) -> str:
        """The values of the rows whose `fields` equal the parameters, by key."""
        where = _equal(fields) or "TRUE"
        return f"SELECT value FROM {self.table} WHERE {where} ORDER BY {self._key}"

    def page(self, fields: tuple[str, ...], *, after: bool) -> str:
        """As `select`, from behind the key that is given, up to a limit that is given last."""
        return self._page("value", fields, after=after)

    def keys(self, fields: tuple[str, ...], *, after: bool) -> str:
        """As `page`, the keys alone: where an index has them, no record is read."""
        return self._page(self._key, fields, after=after)

    def _page(self, what: str, fields: tuple[str, ...], *, after: bool) -> str:
        conditions = [_equal((field,)) for field in fields]
        if after:
            conditions.append(f"({self._key}) > ({', '.join('?' * self._key_width)})")
        where = " AND ".join(conditions) or "TRUE"
        return f"SELECT {what} FROM {self.table} WHERE {where} ORDER BY {self._key} LIMIT ?"


def _quoted(names: Iterable[str]) -> list[str]:
    """Names of columns as SQL takes them: some, such as ``group``, are words of its own."""
    return [f'"{name}"' for name in names]


def _equal(fields: Iterable[str]) -> str:
    return " AND ".join(f"{name} = ?" for name in _quoted(fields))


def schema(collections: Iterable[Collection[Any]]) -> str:
    """The script that makes an empty ledger's tables."""
    parts = [
        f"PRAGMA user_version = {FORMAT};",
        "CREATE TABLE entry(idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
        " leaf BLOB NOT NULL, result BLOB NOT NULL) STRICT;",
        "CREATE TABLE tile(level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL,"
        " PRIMARY KEY(level, idx)) STRICT;",
        "CREATE TABLE block(height INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL,"
        " size INTEGER NOT NULL, writes_hash BLOB NOT NULL, app_hash BLOB NOT NULL,"
        " checkpoint TEXT NOT NULL) STRICT;",
    ]
    for collection in collections:
        table = f"state_{collection.name}"
        columns = ", ".join(
            f'"{name}" {_TEXT_TYPES[kind]} NOT NULL' for name, kind in collection.columns.items()
        )
        parts.append(
            f'CREATE TABLE "{table}"({columns}, value BLOB NOT NULL, entry INTEGER NOT NULL,'
            f" PRIMARY KEY({', '.join(_quoted(collection.key))})) STRICT, WITHOUT ROWID;"
        )
        for index, fields in collection.indexes.items():
            parts.append(
                f'CREATE INDEX "{table}_{index}" ON "{table}"({", ".join(_quoted(fields))});'
            )
    return "\n".join(parts)
