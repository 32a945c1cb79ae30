"""The values of one column, turned into a meter's readings.

Values are read as decimals, and what is finer than a base unit is carried from one increment to the
next, so that a series' total is the floor of its exact sum. A missing value is a gap, never a zero.

An increment is what its interval added. A register is what the meter showed at the interval's end,
so its first value opens the series, each further one gives a reading, and what it gained over a gap
is nobody's reading but stays in the register: the ledger books it where the gap ends.
"""

from __future__ import annotations

from array import array
from decimal import Decimal

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, OverLimit
from wattproof.core.units import Converter, base_unit, parse_decimal
from wattproof.metering.mapping import FileMap, SeriesMap

__all__ = ["TOTAL_LIMIT", "Column", "Gap", "Run", "Series"]

NEGATIVE = ErrorCode(
    Malformed, "import.negative", en="{text!r} is below zero.", zh="“{text}”小于零。"
)
DECREASING = ErrorCode(
    Malformed,
    "import.decreasing",
    en="The register went down, from {before} to {text}.",
    zh="表底数由 {before} 减小为 {text}。",
)
ABOVE_MODULUS = ErrorCode(
    Malformed,
    "import.modulus",
    en="{text!r} is not below the value at which the register starts again.",
    zh="“{text}”不小于计度器翻转的值。",
)
TOTAL_LIMIT = ErrorCode(
    OverLimit,
    "import.total",
    en="The series comes to more than 2^62 base units.",
    zh="该序列合计超过 2^62 个基本单位。",
)


class Run:
    """Readings without a gap between them, from `start_s` on.

    `amounts` are base units. `opening` is a register's value at `start_s` (0 for increments); a
    run of a register may have no readings, where a single value stands alone. `quality` has a code
    of `metering.model.QUALITIES` for each reading.
    """

    __slots__ = ("amounts", "interval_s", "opening", "quality", "start_s")

    def __init__(self, *, start_s: int, interval_s: int, opening: int) -> None:
        self.start_s = start_s
        self.interval_s = interval_s
        self.opening = opening
        self.amounts = array("Q")
        self.quality = bytearray()

    @property
    def end_s(self) -> int:
        """When its last reading ends."""
        return self.start_s + len(self.amounts) * self.interval_s


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Time without readings; `amount` is what a register gained in it, None where nobody knows."""

    start_s: int
    end_s: int
    amount: int | None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of one meter: its runs in order of time, of which there is at least one.

    `total` is all that was measured, in base units (`unit`), with what a register gained in gaps.
    `flagged` counts the values that the file marks as interpolated.
    """

    map: SeriesMap
    unit: str
    interval_s: int
    runs: tuple[Run, ...]
    gaps: tuple[Gap, ...]
    readings: int
    total: int
    flagged: int

    @property
    def start_s(self) -> int:
        """When its first reading begins."""
        return self.runs[0].start_s

    @property
    def end_s(self) -> int:
        """When its last reading ends."""
        return self.runs[-1].end_s


class Column:
    """Turns the values of one column into runs."""

    def __init__(self, map_: SeriesMap, file: FileMap) -> None:
        self.name = map_.column
        self.at = 0
        self.values = 0
        self.flagged = 0
        self.total = 0
        self._map = map_
        self._interval_s = file.interval_s
        self._missing = frozenset(file.missing)
        self._converter = Converter(unit=map_.unit, quantity=map_.quantity)
        self._runs: list[Run] = []
        self._gaps: list[Gap] = []
        self._end_s = 0
        self._level = 0
        self._shown = Decimal(0)
        self._register = map_.kind == "register"

    def take(self, text: str, end_s: int, *, flagged: bool) -> None:
        """Take the value of the interval that ends at `end_s`."""
        if text in self._missing or text.strip() in self._missing:
            return
        value = parse_decimal(text)
        if value < 0:
            raise NEGATIVE(text=text[:80])
        if self._register:
            self._take_level(text, value, end_s, flagged=flagged)
        else:
            self._take_increment(value, end_s, flagged=flagged)
        self.values += 1
        self.flagged += flagged
        self._end_s = end_s

    def _take_increment(self, value: Decimal, end_s: int, *, flagged: bool) -> None:
        amount = self._converter.take(value)
        start_s = end_s - self._interval_s
        if not self.values or start_s != self._end_s:
            if self.values:
                self._gaps.append(Gap(start_s=self._end_s, end_s=start_s, amount=None))
            self._runs.append(Run(start_s=start_s, interval_s=self._interval_s, opening=0))
        run = self._runs[-1]
        run.amounts.append(amount)
        run.quality.append(flagged)
        self.total += amount

    def _take_level(self, text: str, value: Decimal, end_s: int, *, flagged: bool) -> None:
        level = self._converter.level(value)
        modulus = self._map.modulus
        if modulus and level >= modulus:
            raise ABOVE_MODULUS(text=text[:80])
        step = self._step(text, value, level) if self.values else 0
        if self.values and end_s - self._interval_s == self._end_s:
            run = self._runs[-1]
            run.amounts.append(step)
            run.quality.append(flagged)
        else:
            if self.values:
                self._gaps.append(Gap(start_s=self._end_s, end_s=end_s, amount=step))
            self._runs.append(Run(start_s=end_s, interval_s=self._interval_s, opening=level))
        self.total += step
        self._level, self._shown = level, value

    def _step(self, text: str, value: Decimal, level: int) -> int:
        """What the register gained since its last value, over its roll-over if it has one."""
        if value >= self._shown:
            return level - self._level
        modulus = self._map.modulus
        step = (level - self._level) % modulus if modulus else 0
        if not modulus or 2 * step >= modulus:
            raise DECREASING(before=self._shown, text=text[:80])
        return step

    def series(self) -> Series:
        """All of it, once the file has been read."""
        return Series(
            map=self._map,
            unit=base_unit(self._map.quantity),
            interval_s=self._interval_s,
            runs=tuple(self._runs),
            gaps=tuple(self._gaps),
            readings=sum(len(run.amounts) for run in self._runs),
            total=self.total,
            flagged=self.flagged,
        )
