"""What a CSV file looks like, and what its columns may mean: a proposal for its mapping.

Everything here is a guess from the file's beginning, to be shown to a person who knows better.
Nothing is taken over silently; where nothing can be told, nothing is proposed.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, Unavailable
from wattproof.metering.column_guess import ColumnGuess, guess_columns
from wattproof.metering.mapping import INTERPOLATED
from wattproof.metering.stamp_guess import StampGuess, guess_stamps

__all__ = ["DELIMITERS", "MAX_COLUMNS", "SHOWN_ROWS", "Guess", "look_at"]

DELIMITERS: Final = (",", ";", "\t", "|")
"""What is tried between the cells of a row."""
MAX_COLUMNS: Final = 256
"""Columns of a file of which a mapping can be made here."""
SHOWN_ROWS: Final = 8
"""First rows that are kept to be shown."""

SAMPLE_ROWS: Final = 3000
"""Rows that are looked at: a month of quarters of an hour, in which a day beyond the 12th tells
day from month."""
SAMPLE_BYTES: Final = 2 << 20
CHUNK: Final = 1 << 20
CELL_CHARACTERS: Final = 200

NO_FILE = ErrorCode(
    Unavailable, "import.no_upload", en="The file is not here any more.", zh="该文件已不在此处。"
)
NOT_CSV = ErrorCode(
    Malformed,
    "import.no_table",
    en="This is not a table in text form (CSV): no header with columns was found.",
    zh="该文件不是文本表格（CSV）：未找到带列名的表头。",
)
TOO_WIDE = ErrorCode(
    Malformed,
    "import.too_wide",
    en="The file has more than {limit} columns.",
    zh="文件超过 {limit} 列。",
)


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it seems to be.

    `rows` are the first ones below the header. `headless` says that the first row looks like data,
    not like names. `missing` are the texts for no value, besides an empty cell. `interpolated` is
    the column that names interpolated ones, or empty.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    headless: bool
    stamps: StampGuess
    columns: tuple[ColumnGuess, ...]
    missing: tuple[str, ...]
    interpolated: str


def look_at(path: Path, *, zone: str, encoding: str = "", delimiter: str = "") -> Guess:
    """Look at a file. `zone` is proposed where nothing else is known; encoding and delimiter are
    found out unless they are given. Raises ``import.no_table`` or ``import.too_wide``."""
    try:
        encoding = encoding or _encoding(path)
        text = _beginning(path, encoding)
    except OSError as error:
        raise NO_FILE() from error
    delimiter = delimiter or _delimiter(text)
    rows = _rows(text, delimiter)
    if not rows or "\0" in text:
        raise NOT_CSV()
    header = tuple(name.strip("\ufeff \t") for name in rows[0])
    if len(header) > MAX_COLUMNS:
        raise TOO_WIDE(limit=MAX_COLUMNS)
    if len(header) < 2:
        raise NOT_CSV()
    body = [row for row in rows[1:] if len(row) == len(header)]
    stamps = guess_stamps(header, body, zone=zone)
    interpolated = INTERPOLATED if INTERPOLATED in header else ""
    others = [
        at for at, name in enumerate(header) if name not in stamps.columns and name != interpolated
    ]
    columns, missing = guess_columns(header, body, others)
    return Guess(
        encoding=encoding,
        delimiter=delimiter,
        header=header,
        rows=tuple(
            tuple(cell[:CELL_CHARACTERS] for cell in row) for row in rows[1 : SHOWN_ROWS + 1]
        ),
        headless=_is_headless(header),
        stamps=stamps,
        columns=columns,
        missing=missing,
        interpolated=interpolated,
    )


def _encoding(path: Path) -> str:
    """UTF-8 if all of it is, UTF-16 by its mark, GB 18030 if the rest looks like it."""
    with path.open("rb") as file:
        head = file.read(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            file.seek(0)
            return _older_encoding(file.read(SAMPLE_BYTES))
    return "utf-8-sig"


def _older_encoding(data: bytes) -> str:
    """Chinese text has its bytes above 127 in pairs of GB 2312, both from 0xA1 on."""
    at, pairs, odd = 0, 0, 0
    while at < len(data):
        if data[at] < 0x80:
            at += 1
        elif at + 1 < len(data) and 0xA1 <= data[at] <= 0xF7 and 0xA1 <= data[at + 1] <= 0xFE:
            pairs, at = pairs + 1, at + 2
        else:
            odd, at = odd + 1, at + 1
    if pairs > 4 * odd:
        return "gb18030"
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _beginning(path: Path, encoding: str) -> str:
    """The first lines, whole ones."""
    with path.open("rb") as raw:
        data = raw.read(SAMPLE_BYTES)
        cut = bool(raw.read(1))
    try:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(data)
    except LookupError:
        raise NOT_CSV() from None
    return text[: text.rfind("\n") + 1] if cut and "\n" in text else text


def _delimiter(text: str) -> str:
    """The one that gives the most columns, the same number of them in nearly every row."""

    def columns(delimiter: str) -> int:
        rows = _rows(text, delimiter, most=60)
        if not rows:
            return 0
        width = len(rows[0])
        alike = sum(len(row) == width for row in rows)
        return width if alike >= 0.9 * len(rows) else 0

    return max(DELIMITERS, key=columns)


def _rows(text: str, delimiter: str, *, most: int = SAMPLE_ROWS) -> list[list[str]]:
    """Rows that are not blank."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > most:
                break
    except csv.Error:  # the whole file will be read strictly, and the place named
        pass
    return rows


def _is_headless(header: Sequence[str]) -> bool:
    """Names of columns do not begin with digits; of a row of data most cells do."""
    kinds = Counter(bool(name) and (name[0].isdigit() or name[0] in "+-.") for name in header)
    return kinds[True] > kinds[False]
