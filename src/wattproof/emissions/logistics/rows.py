"""The rows of a CSV file, of which some columns are wanted; a bad row is given with its fault."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

import msgspec

from wattproof.core.errors import WattProofError
from wattproof.metering.csvfile import (
    BAD_CSV,
    COLUMN_TWICE,
    EMPTY,
    NO_COLUMN,
    NOT_TEXT,
    ROW_LENGTH,
)

__all__ = ["Row", "rows_of"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row: the line on which it begins, its cells by field, and why it is none, if so."""

    line: int
    cells: Mapping[str, str]
    fault: WattProofError | None = None


def rows_of(
    data: bytes, columns: Mapping[str, str], *, encoding: str, delimiter: str
) -> Iterator[Row]:
    """The rows that are not blank; `columns` names the column of each field that is wanted.

    Raises ``import.missing_column``, ``import.duplicate_column``, ``import.empty`` for the header,
    and ``import.encoding`` where the file is no text at all.
    """
    try:
        text = data.decode(encoding, errors="surrogateescape")
    except UnicodeError:
        raise NOT_TEXT(encoding=encoding) from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [name.strip("\ufeff \t") for name in _header(reader)]
    if not header:
        raise EMPTY()
    places = {field: _place(header, name) for field, name in columns.items()}
    while True:
        line = reader.line_num + 1
        nothing = dict.fromkeys(places, "")
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(line=line, cells=nothing, fault=BAD_CSV(why=str(error)))
            continue
        if cells is None:
            return
        if not cells:
            continue
        found = {
            field: cells[at].strip() if at < len(cells) else "" for field, at in places.items()
        }
        yield Row(line=line, cells=found, fault=_fault(cells, len(header), encoding))


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        return next(reader, [])
    except csv.Error as error:
        raise BAD_CSV(why=str(error)) from None


def _place(header: list[str], name: str) -> int:
    count = header.count(name.strip())
    if count != 1:
        raise (COLUMN_TWICE if count else NO_COLUMN)(name=name)
    return header.index(name.strip())


def _fault(cells: list[str], width: int, encoding: str) -> WattProofError | None:
    if len(cells) != width and (len(cells) < width or any(cells[width:])):
        return ROW_LENGTH(count=len(cells), expected=width)
    try:
        for cell in cells:
            cell.encode()
    except UnicodeEncodeError:  # it holds bytes that did not decode
        return NOT_TEXT(encoding=encoding)
    return None
