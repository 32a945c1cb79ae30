"""From accepted packets to rows of the table of readings, each with the emission of its own.

The log keeps, for a packet, its amounts and the segments in which factors applied to them, with
the micrograms carried into each. The emission of a reading follows without looking at the state:
grams of the running sum up to it, less those up to the reading before. A node says the emission of
each reading itself, and so it stands here, right or wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from wattproof.analytics.log import LogEntry
from wattproof.analytics.project import Names
from wattproof.analytics.readings import FACTOR_LIMIT, FLAGS, READINGS, meter_factor
from wattproof.analytics.table import Array, Columns, Table
from wattproof.core.errors import Broken, ErrorCode
from wattproof.emissions.carry import UG_PER_G
from wattproof.emissions.model import Emitted
from wattproof.emissions.tracking.events import NodeEmitted
from wattproof.emissions.tracking.model import NodePacket
from wattproof.keys.uint_array import UintArray
from wattproof.metering.model import (
    QUALITIES,
    MeterReplaced,
    Packet,
    PacketAccepted,
    catch_up_span,
)

__all__ = [
    "FACTOR_NAMES",
    "ReadingsProjector",
    "factor_text",
    "node_factor_text",
    "split_factor",
]

FACTOR_NAMES: Final = "factor"
"""The lake's list of names in which the column `factor` counts."""

_BIT: Final = {flag.name: flag.bit for flag in FLAGS}
_QUALITY_BITS: Final = np.array(
    [_BIT.get(row.name, 0) for row in sorted(QUALITIES, key=lambda row: row.code)], np.uint8
)
_DTYPES: Final = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}

MISFIT = ErrorCode(
    Broken,
    "emissions.projection",
    en="What is stored of log entries {first} to {last} does not fit together; audit the ledger.",
    zh="日志条目 {first} 至 {last} 的存储内容互不相符；请审计账本。",
)


def factor_text(factor: str, version: int) -> str:
    """A version of a factor as the lake names it."""
    return f"{factor}@{version}"


def node_factor_text(factor: str, value_ug: int) -> str:
    """A node's factor as the lake names it; one that was typed in goes by its value."""
    return factor or factor_text(f"entered-{value_ug}", 1)


def split_factor(text: str) -> tuple[str, int]:
    """The id and version of a factor from its name in the lake."""
    factor, _, version = text.rpartition("@")
    return factor, int(version)


class ReadingsProjector:
    """Fills the table `READINGS` from the events of metering and emissions."""

    table: Final[Table] = READINGS
    version: Final = 1

    def rows(self, entries: Sequence[LogEntry], names: Mapping[str, Names]) -> Columns:
        """One row for each reading and each catch-up amount of the entries.

        Raises ``emissions.projection`` where events and readings do not fit together.
        """
        batch = _Batch()
        try:
            for entry in entries:
                for name, fields in entry.events:
                    if name == PacketAccepted.name:
                        batch.add_packet(entry, msgspec.convert(fields, PacketAccepted))
                    elif name == MeterReplaced.name:
                        batch.add_replacement(entry, msgspec.convert(fields, MeterReplaced))
                    elif name == Emitted.name:
                        batch.add_emission(msgspec.convert(fields, Emitted), names[FACTOR_NAMES])
                    elif name == NodeEmitted.name:
                        node = msgspec.convert(fields, NodeEmitted)
                        batch.add_node(entry, node, names[FACTOR_NAMES])
            return batch.columns()
        except (_Misfit, msgspec.ValidationError, IndexError, OverflowError):
            raise MISFIT(first=entries[0].index, last=entries[-1].index) from None


class _Misfit(Exception):
    """Events and readings do not fit together."""


class _Batch:
    """The runs of rows of several entries: a run is a packet's readings, or a catch-up amount."""

    def __init__(self) -> None:
        self._size = 0
        self._runs: list[tuple[int, int, int, int, int]] = []
        self._amounts: list[tuple[int, Array]] = []
        self._flags: list[tuple[int, Array]] = []
        self._segments: list[tuple[int, int, int, int, int]] = []
        self._said: list[tuple[int, int, Array]] = []
        self._first_reading = 0
        self._caught_up = False
        self._amount = 0
        self._emission_g = 0

    def add_packet(self, entry: LogEntry, event: PacketAccepted) -> None:
        """The readings of a packet, after the catch-up amount before them if there is one."""
        packet = entry.body
        if not isinstance(packet, Packet) or len(packet.increments) != event.count:
            raise _Misfit
        self._amount += event.amount
        self._caught_up = bool(event.catch_up)
        start_s, interval_s = event.start_s, event.interval_s
        if event.catch_up:
            span = catch_up_span(end_s=start_s, gap_s=event.gap_s, interval_s=interval_s)
            self._add_one(event.number, span, entry.index, event.catch_up, _BIT["catch_up"])
        self._first_reading = self._size
        if not event.count:
            return
        self._amounts.append((self._size, _array(packet.increments)))
        if len(packet.quality):
            self._flags.append((self._size, _QUALITY_BITS[_array(packet.quality)]))
        self._add_run(event.number, start_s, interval_s, event.count, entry.index)

    def add_replacement(self, entry: LogEntry, event: MeterReplaced) -> None:
        """What a register that was replaced had gained since its last packet."""
        self._amount += event.catch_up
        if event.catch_up:
            span = catch_up_span(end_s=event.at_s, gap_s=event.gap_s, interval_s=event.interval_s)
            bits = _BIT["catch_up"] | _BIT["replaced"]
            self._add_one(event.number, span, entry.index, event.catch_up, bits)
        self._first_reading = self._size

    def add_emission(self, event: Emitted, names: Names) -> None:
        """The factors of the packet or replacement that was added last."""
        self._emission_g += event.emission_g
        for segment in event.segments:
            number = names.number(factor_text(segment.factor, segment.version))
            assert number < FACTOR_LIMIT, "more factors than the lake tells apart"
            first = self._first_reading + segment.first
            if segment.count < 1 or first < 0 or first + segment.count > self._size:
                raise _Misfit
            self._segments.append(
                (first, segment.count, number, segment.value_ug, segment.carry_ug)
            )

    def add_node(self, entry: LogEntry, event: NodeEmitted, names: Names) -> None:
        """What a node says that the packet added last emitted.

        What its register gained before the packet goes with the catch-up amount; where there is
        none, with a row of its own that begins with the packet.
        """
        packet = entry.body
        if not isinstance(packet, NodePacket):
            raise _Misfit
        self._emission_g += event.emission_g
        number = names.number(node_factor_text(event.factor, event.value_ug))
        assert number < FACTOR_LIMIT, "more factors than the lake tells apart"
        grams = _array(packet.emissions).astype(np.int64)
        if len(grams) != self._size - self._first_reading:
            raise _Misfit
        self._said.append((self._first_reading, number, grams))
        if not event.catch_up_g:
            return
        gained = np.array([event.catch_up_g], np.int64)
        if self._caught_up:
            self._said.append((self._first_reading - 1, number, gained))
        else:
            self._said.append((self._size, number, gained))
            span = (packet.start_s, packet.interval_s)
            self._add_one(event.number, span, entry.index, 0, _BIT["catch_up"])

    def columns(self) -> Columns:
        """All rows, in the order in which they were added."""
        runs = np.array(self._runs, np.int64).reshape(-1, 5)
        counts = runs[:, 0]
        meter, start_s, interval_s, entry = (
            np.repeat(runs[:, column], counts) for column in (1, 2, 3, 4)
        )
        firsts = np.cumsum(counts) - counts
        start_s += (np.arange(self._size) - np.repeat(firsts, counts)) * interval_s
        amount = _filled(self._size, np.int64, self._amounts)
        if _wrapped(amount) != self._amount % 2**64:
            raise _Misfit
        factor, emission_g = self._emissions(amount)
        return {
            "meter": meter.astype(np.int32),
            "start_s": start_s,
            "interval_s": interval_s.astype(np.int32),
            "amount": amount,
            "emission_g": emission_g,
            "factor": factor,
            "meter_factor": meter_factor(meter, factor),
            "flags": _filled(self._size, np.uint8, self._flags),
            "entry": entry,
        }

    def _emissions(self, amount: Array) -> tuple[Array, Array]:
        """Factor and emission of every row; masked where no factor applied."""
        segments = np.array(self._segments, np.int64).reshape(-1, 5)
        first, counts, number, value_ug, carry_ug = segments.T
        at = np.cumsum(counts) - counts
        rows = np.repeat(first - at, counts) + np.arange(int(counts.sum()))
        # The contract bounds every segment by 2^62 µg. The running sum over all of them may pass
        # 2^64 and start again, which the subtraction undoes.
        product = (amount[rows] * np.repeat(value_ug, counts)).view(np.uint64)
        running = np.cumsum(product)
        offset = carry_ug.view(np.uint64) + product[at] - running[at]
        grams = ((running + np.repeat(offset, counts)) // np.uint64(UG_PER_G)).view(np.int64)
        emission = np.diff(grams, prepend=0)
        emission[at] = grams[at]
        factor = np.zeros(self._size, np.int32)
        factor[rows] = np.repeat(number, counts)
        emission_g = np.zeros(self._size, np.int64)
        emission_g[rows] = emission
        for place, name, said in self._said:
            factor[place : place + len(said)] = name
            emission_g[place : place + len(said)] = said
        if _wrapped(emission_g) != self._emission_g % 2**64:
            raise _Misfit
        return factor, np.ma.MaskedArray(emission_g, factor == 0)

    def _add_one(
        self, number: int, span: tuple[int, int], entry: int, amount: int, bits: int
    ) -> None:
        self._amounts.append((self._size, np.array([amount], np.int64)))
        self._flags.append((self._size, np.array([bits], np.uint8)))
        self._add_run(number, *span, 1, entry)

    def _add_run(self, number: int, start_s: int, interval_s: int, count: int, entry: int) -> None:
        self._runs.append((count, number, start_s, interval_s, entry))
        self._size += count


def _array(values: UintArray) -> Array:
    return np.frombuffer(values.data, _DTYPES[values.width])


def _filled(size: int, dtype: type[np.generic], parts: Sequence[tuple[int, Array]]) -> Array:
    """Zeros, with each part laid in at its place."""
    whole: Array = np.zeros(size, dtype)
    for at, part in parts:
        whole[at : at + len(part)] = part
    return whole


def _wrapped(values: Array) -> int:
    return int(values.view(np.uint64).sum(dtype=np.uint64))
