"""A CSV or JSON file that another program appends to, a line for each reading."""

from __future__ import annotations

import csv
import time
from decimal import Decimal
from typing import ClassVar, Literal

import msgspec

from wattproof.core.errors import ErrorCode, Unavailable, WattProofError
from wattproof.core.units import find_unit
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.exact import decimal_of, json_of, json_value, scaled
from wattproof.edge.sources.faults import ABSENT, FORM, SETTING
from wattproof.edge.sources.followed import Followed, Position
from wattproof.edge.sources.kept import load_kept, save_kept

__all__ = ["Config", "FileSource", "open_source"]

NOTHING_NEW = ErrorCode(
    Unavailable,
    "edge.file.nothing_new",
    en="{path} has no new line.",
    zh="{path} 没有新的行。",
)


class Config(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="file",
             forbid_unknown_fields=True):  # fmt: skip
    """Which file, and where the value stands in a line.

    In a CSV, `column` is the name of a column, or its number from 1 where there is no `header`. In
    JSON, one document a line, it is names and positions with points between. `state` is where the
    place in the file is kept; in `increment` mode it must be given. Lines that are there at the
    very first start are passed over in that mode, unless `from_start`.
    """

    path: str
    column: str
    format: Literal["csv", "json"] = "csv"
    header: bool = True
    delimiter: str = ","
    unit: str = "kWh"
    scale: Decimal = Decimal(1)
    mode: Mode = "register"
    state: str = ""
    from_start: bool = False

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"':
            raise SETTING(
                key="delimiter", value=repr(self.delimiter), why="one character",
                why_zh="须为一个字符",
            )  # fmt: skip
        if self.format == "csv" and not self.header and not self.column.isdecimal():
            raise SETTING(
                key="column", value=self.column, why="without a header it is a number from 1",
                why_zh="没有表头时须为从 1 开始的列号",
            )  # fmt: skip
        if self.mode == "increment" and not self.state:
            raise SETTING(
                key="state", value=repr(""), why="increments need a file for their place",
                why_zh="增量模式须指定保存位置的文件",
            )  # fmt: skip


class Place(msgspec.Struct, kw_only=True):
    """What is kept: how far the file was read."""

    position: Position | None = None


class FileSource:
    """Gives the newest register, or the sum of the lines since the last sample."""

    kind: ClassVar[str] = "file"

    def __init__(self, config: Config) -> None:
        self.mode: Mode = config.mode
        self._config = config
        self._unit = find_unit(config.unit).name
        place = load_kept(config.state, Place()).position
        self._new = place is None
        self._at: int | None = None  # the column, once its name was found
        self._file = Followed(config.path, place)

    def read(self) -> Sample:
        """Take the lines since the last read, up to the first that is wrong.

        A wrong line is raised by name when it is the next, and is then passed over. Without a new
        line a register raises ``edge.file.nothing_new``, and an increment is zero.
        """
        if self._new and self.mode == "increment" and not self._config.from_start:
            self._file.skip_to_end()
        self._new = False
        try:
            values = self._take(self._file.lines())
        finally:
            self._keep()
        if self.mode == "increment":
            value = sum(values, Decimal(0))
        elif values:
            value = values[-1]
        else:
            raise NOTHING_NEW(path=self._config.path)
        missed, self._file.missed = self._file.missed, False
        doubt = "the file was replaced while nobody read it" if missed else ""
        return Sample(time_s=int(time.time()), value=value, unit=self._unit, doubt=doubt)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _keep(self) -> None:
        save_kept(self._config.state, Place(position=self._file.position))

    def _take(self, lines: list[bytes]) -> list[Decimal]:
        position = self._file.position
        assert position is not None
        begins = position.offset == 0
        header = self._config.format == "csv" and self._config.header
        self._at = None  # the file may be another than last time
        values: list[Decimal] = []
        taken = 0
        for line in lines:
            try:
                if not (header and begins and taken == 0) and line.strip():
                    values.append(self._value(line))
            except WattProofError:
                if not values:  # the next line: say what is wrong, and pass over it
                    self._file.advance(lines[: taken + 1])
                    raise
                break
            taken += 1
        self._file.advance(lines[:taken])
        return values

    def _value(self, line: bytes) -> Decimal:
        config = self._config
        if config.format == "json":
            found = json_value(json_of(line), config.column)
        else:
            cells = self._cells(line)
            if self._at is None:
                self._at = self._column()
            at = self._at
            if at >= len(cells):
                raise ABSENT(what=f"{config.column}: {len(cells)} columns")
            found = cells[at]
        return scaled(decimal_of(found), config.scale)

    def _column(self) -> int:
        if not self._config.header:
            return int(self._config.column) - 1
        names = [name.strip() for name in self._cells(self._file.first_line())]
        if self._config.column not in names:
            raise ABSENT(what=self._config.column)
        return names.index(self._config.column)

    def _cells(self, line: bytes) -> list[str]:
        try:
            text = line.decode("utf-8-sig").rstrip("\r\n")
            return next(csv.reader([text], delimiter=self._config.delimiter, strict=True), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise FORM(protocol="CSV", detail=str(error)[:80]) from None


def open_source(config: Config) -> FileSource:
    """Open the source of this table."""
    return FileSource(config)
