"""Where a file's readings go on from what the ledger has: what is new, and whether the rest agrees.

What is reported stays as it is, so a file can only add what comes after. What it says of earlier
time is compared with the ledger's own packets, register by register.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from wattproof.core.errors import Conflict, ErrorCode
from wattproof.core.periods import iso
from wattproof.identity.model import Device
from wattproof.ledger.state import Reading
from wattproof.metering.columns import Run, Series
from wattproof.metering.model import FIRST_SEQUENCE, STREAMS, Stream
from wattproof.metering.queries import packets_of

__all__ = ["Piece", "Rest", "rest_of"]

CONFLICT: Final = ErrorCode(
    Conflict,
    "import.conflict",
    en="{meter}: up to {at} the ledger has {known}, but the file has {given}.",
    zh="{meter}：截至 {at}，账本为 {known}，而文件为 {given}。",
)
OFF_GRID: Final = ErrorCode(
    Conflict,
    "import.ledger_grid",
    en="{meter}: the ledger's readings end at {at}, in the middle of a reading of the file.",
    zh="{meter}：账本的读数止于 {at}，处于文件某一读数的中间。",
)
TOO_EARLY: Final = ErrorCode(
    Conflict,
    "import.too_early",
    en="{meter}: the file begins at {given}, but the ledger's readings begin at {known};"
    " nothing can be put before them.",
    zh="{meter}：文件起始于 {given}，而账本的读数起始于 {known}；不能在其之前补入读数。",
)
KIND: Final = ErrorCode(
    Conflict,
    "import.kind",
    en="{meter} reports readings of kind {known} on the ledger; the mapping says {given}.",
    zh="账本上 {meter} 的读数类型为 {known}，而映射为 {given}。",
)


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of one packet: consecutive readings from `start_s`, and the register there."""

    start_s: int
    opening: int
    amounts: Sequence[int]
    quality: Sequence[int]


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """What a series adds: runs, from the packet number `sequence` on.

    `since_s` is up to when the ledger has readings, or when the file's begin.
    """

    sequence: int
    since_s: int
    modulus: int
    interval_s: int
    runs: tuple[Run, ...]

    @property
    def readings(self) -> int:
        """How many readings are new."""
        return sum(len(run.amounts) for run in self.runs)

    def packets(self, size: int) -> int:
        """How many packets of at most `size` readings they fill."""
        return sum(max(1, -(-len(run.amounts) // size)) for run in self.runs)

    def pieces(self, size: int) -> Iterator[Piece]:
        """The contents of the packets; a run begins a new one."""
        for run in self.runs:
            opening = run.opening
            for first in range(0, max(1, len(run.amounts)), size):
                amounts = run.amounts[first : first + size]
                yield Piece(
                    start_s=run.start_s + first * self.interval_s,
                    opening=opening,
                    amounts=amounts,
                    quality=run.quality[first : first + size],
                )
                opening += sum(amounts)
                if self.modulus:
                    opening %= self.modulus


def rest_of(reading: Reading, device: Device | None, series: Series) -> Rest:
    """What of a series the ledger does not have yet.

    Raises ``import.conflict`` where it has something else, ``import.ledger_grid`` or
    ``import.kind`` where the two cannot be compared, and ``import.too_early`` where the file begins
    before it.
    """
    stream = None if device is None else reading.get(STREAMS, device.number)
    sequence, since_s, register, runs = FIRST_SEQUENCE, series.start_s, 0, series.runs
    if stream is not None:
        _check_comparable(stream, series)
        _check_agrees(reading, stream, series)
        sequence, since_s, register = stream.next_sequence, stream.end_s, stream.register
        runs = _after(stream, series)
    if series.map.kind == "increment":
        runs = _summed(runs, register)
    return Rest(
        sequence=sequence,
        since_s=since_s,
        modulus=series.map.modulus,
        interval_s=series.interval_s,
        runs=runs,
    )


def _check_comparable(stream: Stream, series: Series) -> None:
    meter, zone = series.map.meter, series.map.zone
    if stream.kind != series.map.kind:
        raise KIND(meter=meter, known=stream.kind, given=series.map.kind)
    if series.start_s < stream.start_s:
        given, known = iso(series.start_s, zone), iso(stream.start_s, zone)
        raise TOO_EARLY(meter=meter, given=given, known=known)


def _after(stream: Stream, series: Series) -> tuple[Run, ...]:
    """The runs, or the parts of them, that lie after what is reported."""
    rest: list[Run] = []
    for run in series.runs:
        if run.start_s > stream.end_s or (run.start_s == stream.end_s and not rest):
            rest.append(run if rest else _joined(stream, series, run))
        elif run.end_s > stream.end_s:
            known, odd = divmod(stream.end_s - run.start_s, run.interval_s)
            if odd:
                at = iso(stream.end_s, series.map.zone)
                raise OFF_GRID(meter=series.map.meter, at=at)
            rest.append(_tail(run, known, series.map.modulus))
    if rest and rest[0].end_s == stream.end_s:
        rest.pop(0)  # a register alone, which is where the ledger stands
    return tuple(rest)


def _joined(stream: Stream, series: Series, run: Run) -> Run:
    """A register that goes on one interval after the ledger's last: its step is a reading."""
    apart_s = run.start_s - stream.end_s
    if series.map.kind != "register" or apart_s != run.interval_s:
        return run
    step = run.opening - stream.register
    if stream.modulus:
        step %= stream.modulus
    if step < 0:
        return run
    joined = Run(start_s=stream.end_s, interval_s=run.interval_s, opening=stream.register)
    joined.amounts = array("Q", [step]) + run.amounts
    joined.quality = bytearray(1) + run.quality
    return joined


def _tail(run: Run, known: int, modulus: int) -> Run:
    """A run without its first readings."""
    opening = run.opening + sum(run.amounts[:known])
    tail = Run(
        start_s=run.start_s + known * run.interval_s,
        interval_s=run.interval_s,
        opening=opening % modulus if modulus else opening,
    )
    tail.amounts = run.amounts[known:]
    tail.quality = run.quality[known:]
    return tail


def _summed(runs: tuple[Run, ...], register: int) -> tuple[Run, ...]:
    """Increments as a meter keeps them: each run opens at the sum of all before it."""
    summed = []
    for run in runs:
        opened = Run(start_s=run.start_s, interval_s=run.interval_s, opening=register)
        opened.amounts, opened.quality = run.amounts, run.quality
        register += sum(run.amounts)
        summed.append(opened)
    return tuple(summed)


def _check_agrees(reading: Reading, stream: Stream, series: Series) -> None:
    """Compare the file with the ledger at the end of each packet that the file reaches to."""
    levels = _Levels(series)
    is_register = series.map.kind == "register"
    # A file that begins where the meter does is compared from its beginning; another one from the
    # first end of a packet that it knows, and may carry another fraction of a base unit from there.
    shift = 0 if is_register else None
    if not is_register and series.start_s == stream.start_s:
        shift = stream.register - stream.total
    slack = 1 if shift is None else 0
    for row in packets_of(reading, stream.number):
        given = levels.at(row.end_s)
        if given is None:
            continue
        if shift is None:
            shift = row.closing - given
        if abs(given + shift - row.closing) > slack:
            raise CONFLICT(
                meter=series.map.meter,
                at=iso(row.end_s, series.map.zone),
                known=row.closing,
                given=given + shift,
            )


class _Levels:
    """What a series' register, or the running sum of its increments, is at an instant."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._starts = [run.start_s for run in series.runs]
        self._sums: list[list[int]] = []
        register = 0
        for run in series.runs:
            opening = run.opening if series.map.kind == "register" else register
            self._sums.append(list(accumulate(run.amounts, initial=opening)))
            register += sum(run.amounts)

    def at(self, at_s: int) -> int | None:
        """The level at `at_s`; None where the file cannot tell.

        A register is known where a run is, running sums between runs too. Raises
        ``import.ledger_grid`` in the middle of a reading.
        """
        series = self._series
        found = bisect_right(self._starts, at_s) - 1
        if found < 0:
            return None
        run = series.runs[found]
        count, odd = divmod(at_s - run.start_s, run.interval_s)
        if at_s > run.end_s:
            is_last = found == len(series.runs) - 1
            return None if is_last or series.map.kind == "register" else self._sums[found][-1]
        if odd:
            raise OFF_GRID(meter=series.map.meter, at=iso(at_s, series.map.zone))
        level = self._sums[found][count]
        return level % series.map.modulus if series.map.modulus else level
