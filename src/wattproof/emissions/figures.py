"""The figures of the overview: meters, readings, and a period's energy and emissions.

What is not in the lake yet is not in the figures: they are those of the log's first `entries`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from wattproof.analytics.lake import Lake
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import Sums, Window, sums_by_group, sums_by_meter, window
from wattproof.core.periods import Step, bucket_bounds
from wattproof.core.units import base_unit, is_prediction
from wattproof.emissions.tracking.totals import parts_of_totals
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.state import Reading
from wattproof.metering.model import STREAMS, Stream

__all__ = ["COARSER", "Choice", "Figures", "Sum", "figures", "period_of"]

COARSER: Final[Mapping[Step, Step | None]] = {
    "hour": "day",
    "day": "month",
    "month": "year",
    "year": None,
}
"""What is shown of each step at once: the hours of a day, the days of a month; years all."""

MANY: Final = 1_000
"""From so many meters on, their streams are read in one go, not one by one."""

LISTED: Final = 200
"""Meters whose ids are offered to choose from; others can be typed."""

FIRST: Final = ("electricity.import", "electricity.export", "electricity.generation")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What to show: the step, an instant in the period (None: the newest reading), which meters."""

    step: Step = "day"
    at_s: int | None = None
    region: str = ""
    quantity: str = ""
    meter: str = ""


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity's sums over the period, in base units and grams, by step.

    An emission is None where nothing was measured with a factor in that step; `unassigned` says
    whether any reading had none. With `part`, it is of meters that measure parts of a total which
    is looked at as well.
    """

    quantity: str
    unit: str
    amounts: tuple[int, ...]
    emissions_g: tuple[int | None, ...]
    unassigned: bool
    part: bool = False

    @property
    def amount(self) -> int:
        """The period's amount."""
        return sum(self.amounts)

    @property
    def emission_g(self) -> int | None:
        """The period's emission; None where there is none at all."""
        known = [grams for grams in self.emissions_g if grams is not None]
        return sum(known) if known else None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `bounds` are the borders of the steps in the period, Unix seconds.

    `meters` counts by status, `readings` all that ever came; `newest_s` is where the newest ends,
    predictions apart unless there is nothing else.
    """

    entries: int
    meters: Mapping[str, int]
    choices: Mapping[str, tuple[str, ...]]
    readings: int
    newest_s: int | None
    bounds: tuple[int, ...]
    sums: tuple[Sum, ...]


def period_of(at_s: int, step: Step, zone: str) -> tuple[int, int] | None:
    """Start and end of what is shown of a step at once around an instant; None for everything."""
    coarser = COARSER[step]
    if coarser is None:
        return None
    start_s, end_s = bucket_bounds(at_s, at_s, coarser, zone)
    return start_s, end_s


def figures(
    reading: Reading, lake: Lake, *, owner: str | None, choice: Choice, zone: str
) -> Figures:
    """The figures of the meters of `owner`, or of all (None), as far as `choice` wants them."""
    devices = _devices(reading, owner)
    chosen = [device for device in devices if _wanted(device, choice)]
    streams = _streams(reading, chosen)
    newest_s = _newest_s(chosen, streams)
    at_s = choice.at_s if choice.at_s is not None else (newest_s or 1) - 1
    period = period_of(at_s, choice.step, zone)
    parts = parts_of_totals(reading, {device.number for device in chosen})
    kinds = {device.number: (device.quantity, device.number in parts) for device in chosen}
    cursor, bounds, sums = lake.read(lambda snapshot: _sums(snapshot, kinds, choice, period, zone))
    return Figures(
        entries=cursor,
        meters=dict(Counter(device.status for device in chosen)),
        choices=_choices(devices),
        readings=sum(stream.readings for stream in streams),
        newest_s=newest_s,
        bounds=tuple(bounds),
        sums=tuple(sums),
    )


def _devices(reading: Reading, owner: str | None) -> list[Device]:
    if owner is None:
        return list(reading.scan(DEVICES))
    return reading.find(DEVICES, "owner", owner)


def _wanted(device: Device, choice: Choice) -> bool:
    return (
        choice.region in ("", device.region)
        and choice.quantity in ("", device.quantity)
        and choice.meter in ("", device.id)
    )


def _choices(devices: Iterable[Device]) -> dict[str, tuple[str, ...]]:
    found = list(devices)
    return {
        "region": tuple(sorted({device.region for device in found if device.region})),
        "quantity": tuple(sorted({device.quantity for device in found}, key=_order)),
        "meter": tuple(device.id for device in found[:LISTED]),
    }


def _streams(reading: Reading, devices: Sequence[Device]) -> list[Stream]:
    if len(devices) > MANY:
        wanted = {device.number for device in devices}
        return [stream for stream in reading.scan(STREAMS) if stream.number in wanted]
    found = (reading.get(STREAMS, device.number) for device in devices)
    return [stream for stream in found if stream is not None]


def _newest_s(devices: Sequence[Device], streams: Sequence[Stream]) -> int | None:
    predicted = {device.number for device in devices if is_prediction(device.quantity)}
    ends = [stream.end_s for stream in streams if stream.number not in predicted]
    return max(ends or [stream.end_s for stream in streams], default=None)


def _order(quantity: str) -> tuple[int, str]:
    return (FIRST.index(quantity) if quantity in FIRST else len(FIRST), quantity)


_Kind = tuple[str, bool]
"""A quantity, and whether it is of parts of a total."""


def _sums(
    snapshot: Snapshot,
    kinds: Mapping[int, _Kind],
    choice: Choice,
    period: tuple[int, int] | None,
    zone: str,
) -> tuple[int, list[int], list[Sum]]:
    """How many entries it is of, the borders of the steps, and the sums."""
    cursor = snapshot.manifest.cursor
    start_s, end_s = period or (None, None)
    where = window(snapshot, step=choice.step, zone=zone, start_s=start_s, end_s=end_s)
    if start_s is not None and end_s is not None:
        bounds = bucket_bounds(start_s, end_s - 1, choice.step, zone)
    else:
        bounds = [] if where is None else where.bounds
    if where is None or not kinds:
        return cursor, bounds, []
    order = sorted(set(kinds.values()), key=lambda kind: (kind[1], _order(kind[0])))
    numbers = {kind: number for number, kind in enumerate(order)}
    groups = {meter: numbers[kind] for meter, kind in kinds.items()}
    if len(kinds) > MANY:
        found = sums_by_group(snapshot, where, groups=groups)
        keys = found.key.tolist()
    else:  # only what holds these meters is read
        found = sums_by_meter(snapshot, where, meters=list(groups))
        keys = [groups[number] for number in found.key.tolist()]
    return cursor, bounds, _by_quantity(found, keys, where, order, bounds)


def _by_quantity(
    found: Sums,
    keys: Sequence[int],
    where: Window,
    order: Sequence[_Kind],
    bounds: Sequence[int],
) -> list[Sum]:
    """A `Sum` of each quantity that was measured at all in the period; `keys` number them."""
    places = [bisect_right(bounds, start_s) - 1 for start_s in where.bounds[:-1]]
    emissions = np.ma.getdata(found.emission_g).tolist()
    unknown = np.ma.getmaskarray(found.emission_g).tolist()
    rows: dict[int, tuple[list[int], list[int | None], bool]] = {}
    for index, key in enumerate(keys):
        width = len(bounds) - 1
        amounts, grams, unassigned = rows.get(key) or ([0] * width, [None] * width, False)
        place = places[int(found.bucket[index])]
        amounts[place] += int(found.amount[index])
        if unknown[index]:
            unassigned = True
        else:
            grams[place] = (grams[place] or 0) + int(emissions[index])
        rows[key] = (amounts, grams, unassigned)
    return [
        Sum(
            quantity=order[key][0],
            unit=base_unit(order[key][0]),
            amounts=tuple(amounts),
            emissions_g=tuple(grams),
            unassigned=unassigned,
            part=order[key][1],
        )
        for key, (amounts, grams, unassigned) in sorted(rows.items())
    ]
