"""A CSV file, read in one pass into the readings of its meters, or refused with all its problems.

Rows stream through; what stays in memory is nine bytes a reading. A row's interval ends at its
stamp (``stamp = "end"``) or one interval after it (``stamp = "start"``); what the values then mean
is the matter of `columns`.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from wattproof.core.errors import (
    ErrorCode,
    Malformed,
    OverLimit,
    Unavailable,
    WattProofError,
)
from wattproof.core.units import MAX_AMOUNT
from wattproof.metering.columns import TOTAL_LIMIT, Column, Series
from wattproof.metering.mapping import INTERPOLATED, FileMap, ImportMap
from wattproof.metering.problems import Problems
from wattproof.metering.stamps import StampReader

__all__ = ["BAD_CSV", "COLUMN_TWICE", "EMPTY", "MAX_ROWS", "NOT_TEXT", "NO_COLUMN", "NO_FILE",
           "ROW_LENGTH", "TOO_MANY", "FileReadings", "read_csv"]  # fmt: skip

MAX_ROWS: Final = 20_000_000
"""Rows of one file at most."""

NO_FILE = ErrorCode(
    Unavailable,
    "import.unreadable",
    en="{file} cannot be read: {why}.",
    zh="无法读取 {file}：{why}。",
)
EMPTY = ErrorCode(Malformed, "import.empty", en="The file has no rows.", zh="文件没有数据行。")
NO_COLUMN = ErrorCode(
    Malformed,
    "import.missing_column",
    en="The file has no column {name!r}.",
    zh="文件没有列“{name}”。",
)
COLUMN_TWICE = ErrorCode(
    Malformed,
    "import.duplicate_column",
    en="The file has more than one column {name!r}.",
    zh="文件有多个列“{name}”。",
)
NO_VALUES = ErrorCode(
    Malformed, "import.no_values", en="The column has no values.", zh="该列没有任何值。"
)
ROW_LENGTH = ErrorCode(
    Malformed,
    "import.row_length",
    en="The row has {count} cells where the header has {expected}.",
    zh="该行有 {count} 个单元格，表头有 {expected} 个。",
)
NOT_TEXT = ErrorCode(
    Malformed,
    "import.encoding",
    en="The line has bytes that are not {encoding}.",
    zh="该行含有不符合 {encoding} 编码的字节。",
)
BAD_CSV = ErrorCode(
    Malformed,
    "import.csv",
    en="The line is not valid CSV: {why}.",
    zh="该行不是有效的 CSV：{why}。",
)
REPEATED = ErrorCode(
    Malformed,
    "import.duplicate_stamp",
    en="{text!r} is the same time as that of the row before.",
    zh="“{text}”与上一行时间相同。",
)
BACKWARDS = ErrorCode(
    Malformed,
    "import.out_of_order",
    en="{text!r} lies before the row before it.",
    zh="“{text}”早于上一行。",
)
OFF_GRID = ErrorCode(
    Malformed,
    "import.off_grid",
    en="{text!r} is not a whole number of intervals of {interval_s} s after the first row.",
    zh="“{text}”与首行的间隔不是 {interval_s} 秒的整数倍。",
)
TOO_MANY = ErrorCode(
    OverLimit,
    "import.rows",
    en="The file has more than {limit} rows; cut it into parts.",
    zh="文件超过 {limit} 行，请拆分。",
)


class FileReadings(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file: its name, the SHA-256 of its bytes, how many rows it has, and its series."""

    file: str
    digest: bytes
    rows: int
    series: tuple[Series, ...]


def read_csv(path: Path, mapping: ImportMap) -> FileReadings:
    """Read a whole file; raises `BadFile` with every problem, or gives all its readings."""
    try:
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").digest()
            raw.seek(0)
            encoding = mapping.file.encoding
            with io.TextIOWrapper(raw, encoding, errors="surrogateescape", newline="") as text:
                rows, series = _Reader(path.name, text, mapping).read()
    except OSError as failed:
        raise NO_FILE(file=path.name, why=failed.strerror or str(failed)) from failed
    return FileReadings(file=path.name, digest=digest, rows=rows, series=series)


class _Reader:
    """Reads one file."""

    def __init__(self, name: str, text: Iterable[str], mapping: ImportMap) -> None:
        self._name = name
        self._text = text
        self._map = mapping
        self._problems = Problems()
        self._line = 0

    def read(self) -> tuple[int, tuple[Series, ...]]:
        file = self._map.file
        cells = self._cells(csv.reader(self._lines(), delimiter=file.delimiter, strict=True))
        header = [name.strip("\ufeff \t") for name in next(cells, (0, []))[1]]
        columns = [Column(one, file) for one in self._map.series]
        stamps, marks = self._find(header, columns)
        self._problems.check(file=self._name, good_rows=0)
        rows, good = self._rows(cells, len(header), stamps, columns, marks)
        if not self._problems.count:
            self._check_whole(rows, columns)
        self._problems.check(file=self._name, good_rows=good)
        return rows, tuple(column.series() for column in columns)

    def _check_whole(self, rows: int, columns: list[Column]) -> None:
        """Note what is wrong with a file whose every row is good."""
        if not rows:
            self._problems.add(EMPTY(), line=1)
            return
        for column in columns:
            if not column.values:
                self._problems.add(NO_VALUES(), line=1, column=column.name)
            elif column.total > MAX_AMOUNT:
                self._problems.add(TOTAL_LIMIT(), line=1, column=column.name)

    def _rows(
        self,
        cells: Iterator[tuple[int, list[str]]],
        width: int,
        stamps: tuple[int, ...],
        columns: list[Column],
        marks: int | None,
    ) -> tuple[int, int]:
        """Read all rows; how many there are, and how many of them are good."""
        times = _Times(self._map.file)
        problems, first = self._problems, stamps[0]
        last = max(*stamps, marks or 0, *(column.at for column in columns))
        named: dict[str, frozenset[str]] = {"": frozenset()}
        rows = good = 0
        for line, row in cells:
            rows += 1
            if rows > MAX_ROWS:
                raise TOO_MANY(limit=MAX_ROWS)
            before = problems.count
            if len(row) <= last or (len(row) > width and any(row[width:])):
                problems.add(ROW_LENGTH(count=len(row), expected=width), line=line)
                continue
            text = row[first] if len(stamps) == 1 else " ".join(row[at] for at in stamps)
            try:
                end_s = times.end_s(text.strip())
            except WattProofError as error:
                problems.add(error, line=line, column=self._map.file.timestamp[0])
                continue
            marked = named[""]
            if marks is not None and (mark := row[marks]):
                if mark not in named:
                    named[mark] = frozenset(name.strip() for name in mark.split("|"))
                marked = named[mark]
            for column in columns:
                try:
                    column.take(row[column.at], end_s, flagged=column.name in marked)
                except WattProofError as error:
                    problems.add(error, line=line, column=column.name)
            good += problems.count == before
        return rows, good

    def _find(self, header: list[str], columns: list[Column]) -> tuple[tuple[int, ...], int | None]:
        """Where the needed columns stand: the stamps', and the one that names interpolated ones."""
        if not header:
            self._problems.add(EMPTY(), line=1)
            return (), None
        file = self._map.file
        stamps = tuple(self._at(header, name) for name in file.timestamp)
        for column in columns:
            column.at = self._at(header, column.name)
        marks = file.interpolated
        if marks is None and INTERPOLATED in header:
            marks = INTERPOLATED
        return stamps, None if marks is None else self._at(header, marks)

    def _at(self, header: list[str], name: str) -> int:
        count = header.count(name.strip())
        if count != 1:
            code = COLUMN_TWICE if count else NO_COLUMN
            self._problems.add(code(name=name), line=1, column=name)
            return 0
        return header.index(name.strip())

    def _cells(self, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not blank, each with the line on which it begins."""
        while True:
            line = self._line + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                self._problems.add(BAD_CSV(why=str(error)), line=line)
                continue
            if row is None:
                return
            if row:
                yield line, row

    def _lines(self) -> Iterator[str]:
        """The lines of the file; one that cannot be decoded is noted and left out."""
        encoding = self._map.file.encoding
        try:
            for line in self._text:
                self._line += 1
                if line.isascii() or _is_clean(line):
                    yield line
                else:
                    self._problems.add(NOT_TEXT(encoding=encoding), line=self._line)
                    yield "\n"
        except UnicodeError:  # an encoding that cannot go on after a fault
            self._problems.add(NOT_TEXT(encoding=encoding), line=self._line + 1)


def _is_clean(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:  # it holds bytes that did not decode
        return False
    return True


class _Times:
    """When each row's interval ends; rows must come in order, on a grid of intervals."""

    def __init__(self, file: FileMap) -> None:
        reader = StampReader(
            file.format, zone=file.timezone, midnight_closes=file.midnight == "end"
        )
        self._read = reader.read
        self._interval_s = file.interval_s
        self._shift_s = file.interval_s if file.stamp == "start" else 0
        self._first_s: int | None = None
        self._last_s = 0

    def end_s(self, text: str) -> int:
        at_s = self._read(text)
        if self._first_s is None:
            self._first_s = at_s
        elif at_s <= self._last_s:
            raise (REPEATED if at_s == self._last_s else BACKWARDS)(text=text[:80])
        elif (at_s - self._first_s) % self._interval_s:
            raise OFF_GRID(text=text[:80], interval_s=self._interval_s)
        self._last_s = at_s
        return at_s + self._shift_s
