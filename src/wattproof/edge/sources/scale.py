"""A scale that says its weight again and again, on a serial line or over TCP.

A thread listens all the time, or a weighing between two reads would be missed. Each weighing is
added to a sum that is kept in a file the moment it ends.
"""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from typing import ClassVar, Final

import msgspec
from msgspec.structs import replace

from wattproof.core.errors import WattProofError
from wattproof.core.units import unit_for
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.faults import OVERSIZED, SETTING, SILENT
from wattproof.edge.sources.kept import load_kept, save_kept
from wattproof.edge.sources.line import Address, Line, load_line, open_line
from wattproof.edge.sources.scale_line import LONGEST_LINE, Weighing, parse_weight

__all__ = ["Config", "ScaleSource", "open_source"]

RETRY_S: Final = 1.0
SLICE_S: Final = 0.2
"""How long a wait may be at once, so that closing is quick."""


class Config(Address, frozen=True, kw_only=True, tag_field="kind", tag="scale",
             forbid_unknown_fields=True):  # fmt: skip
    """Where the scale is, its unit, and up to which weight it is empty.

    `state` is the file in which the sum of the weighings is kept; empty for none.
    """

    state: str
    unit: str = "kg"
    empty: Decimal = Decimal("0.05")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.empty.is_finite() and self.empty >= 0):
            raise SETTING(
                key="empty", value=self.empty, why="it is not below 0", why_zh="不得小于 0"
            )


class Sum(msgspec.Struct, kw_only=True):
    """What is kept: the sum of all weighings, how many they are, and what was given of the sum."""

    total: Decimal = Decimal(0)
    weighings: int = 0
    given: Decimal = Decimal(0)


class ScaleSource:
    """Gives the sum of the weighings that ended since the last sample."""

    kind: ClassVar[str] = "scale"
    mode: Mode = "increment"

    def __init__(self, config: Config) -> None:
        load_line(config)
        self._config = config
        self._unit = unit_for(unit=config.unit, quantity="mass").name
        self._sum = load_kept(config.state, Sum())
        self._weighing = Weighing(empty=config.empty)
        self._changed = threading.Condition()
        self._heard = False  # a good line since the last read
        self._fault: WattProofError | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="scale", daemon=True)
        self._thread.start()

    def read(self) -> Sample:
        """Give what was weighed since the last sample: zero, if the scale speaks but is not used.

        Raises what is wrong with the line or the last thing on it, if no good line came meanwhile.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._heard or self._fault, self._config.timeout_s)
            fault, heard = self._fault, self._heard
            self._fault, self._heard = None, False
            if not heard:
                raise fault or SILENT(where=self._config.where, seconds=self._config.timeout_s)
            value = self._sum.total - self._sum.given
            given = replace(self._sum, given=self._sum.total)
            save_kept(self._config.state, given)  # else it could be given twice
            self._sum = given
        return Sample(time_s=int(time.time()), value=value, unit=self._unit)

    def close(self) -> None:
        """Stop listening; a weighing that has not ended is not counted."""
        self._closing.set()
        self._thread.join(self._config.timeout_s + RETRY_S)

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                with open_line(self._config) as line:
                    self._follow(line)
            except WattProofError as error:
                self._failed(error)
            self._closing.wait(RETRY_S)

    def _follow(self, line: Line) -> None:
        """Take every line of an open line, until it breaks or the source closes."""
        text = b""
        begun = False  # the first line may have begun before we listened
        heard_s = time.monotonic()
        while not self._closing.is_set():
            data = line.listen(SLICE_S)
            if data:
                heard_s = time.monotonic()
            elif time.monotonic() - heard_s > self._config.timeout_s:
                raise SILENT(where=line.where, seconds=self._config.timeout_s)
            text += data
            *whole, text = text.replace(b"\r", b"\n").split(b"\n")
            for each in whole[not begun :]:
                self._take(each)
            begun = begun or bool(whole)
            if len(text) > LONGEST_LINE:
                raise OVERSIZED(where=line.where, limit=LONGEST_LINE)

    def _take(self, raw: bytes) -> None:
        if not raw.strip():
            return
        try:
            weight = parse_weight(raw.decode("ascii", errors="replace"), unit=self._unit)
        except WattProofError as error:
            self._failed(error)
            return
        with self._changed:
            weighed = self._weighing.take(weight)
            if weighed is not None:
                self._sum.total += weighed
                self._sum.weighings += 1
                save_kept(self._config.state, self._sum)
            self._heard = True
            self._changed.notify_all()

    def _failed(self, error: WattProofError) -> None:
        with self._changed:
            self._fault = error
            self._changed.notify_all()


def open_source(config: Config) -> ScaleSource:
    """Open the source of this table."""
    return ScaleSource(config)
