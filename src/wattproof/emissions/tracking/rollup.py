"""Accumulation: what nodes say that they emit, added up by person, process, plant or region.

Each node counts once, however many ports it has. Predictions never count. A total and its parts
measure the same thing twice, so of a total binding one side counts: the parts where each has a
label and none has that of the total, else the total. What is left out for that is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, get_args

import msgspec
import numpy as np

from wattproof.analytics.lake import Lake
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import Window, sums_by_group, window
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import Step
from wattproof.core.units import is_prediction
from wattproof.emissions.tracking.model import PORTS
from wattproof.emissions.tracking.totals import Total, totals
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.state import Reading

__all__ = ["ROLLUPS", "Rollup", "RollupBy", "RollupLabel", "RollupRow", "check_rollup", "rollup"]

RollupBy = Literal["person", "process", "plant", "region"]
ROLLUPS: Final[tuple[RollupBy, ...]] = get_args(RollupBy)
"""What emissions can be added up by: a label of the host's ports, or the region of the device."""

PERIOD = ErrorCode(
    Malformed,
    "emissions.rollup_period",
    en="The roll-up must end after it begins.",
    zh="汇总的结束时间须晚于起始时间。",
)
BY = ErrorCode(
    Malformed,
    "emissions.rollup_by",
    en="Emissions are not added up by “{by}”; take one of {allowed}.",
    zh="不能按“{by}”汇总排放；可用：{allowed}。",
)


class RollupRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the nodes under a label emitted from `start_s` up to `end_s`, in grams.

    The label is empty for nodes that have none. `emission_g` is None where no reading has an
    emission; `unassigned` says whether any has none.
    """

    label: str
    start_s: int
    end_s: int
    emission_g: int | None
    unassigned: bool


class RollupLabel(msgspec.Struct, frozen=True, kw_only=True):
    """A label, how many nodes count under it, and their emission in the whole period, in grams."""

    label: str
    nodes: int
    emission_g: int | None


class Rollup(msgspec.Struct, frozen=True, kw_only=True):
    """Emissions by label and `step` of `zone`, of the log's first `entries` entries.

    `host` is whose ports give the nodes and labels; None for all hosts, or by region for all
    devices. `left_out` names the devices that do not count because another side of a total binding
    does. `total_g` is the sum of everything that counts.
    """

    by: RollupBy
    host: str | None
    step: Step
    zone: str
    entries: int
    total_g: int
    labels: tuple[RollupLabel, ...]
    left_out: tuple[str, ...]
    rows: tuple[RollupRow, ...]


def check_rollup(text: str) -> RollupBy:
    """What a text says to add up by, or ``emissions.rollup_by``."""
    for by in ROLLUPS:
        if text == by:
            return by
    raise BY(by=text[:40], allowed=", ".join(ROLLUPS))


def rollup(
    reading: Reading,
    lake: Lake,
    *,
    by: RollupBy,
    step: Step,
    zone: str,
    host: str | None = None,
    from_s: int | None = None,
    to_s: int | None = None,
) -> Rollup:
    """Add up emissions by label and step; a bucket that the period cuts begins or ends there.

    Raises ``emissions.rollup_period``, ``core.zone``, ``core.buckets`` or ``analytics.overflow``.
    """
    if from_s is not None and to_s is not None and to_s <= from_s:
        raise PERIOD()
    devices, labels = _labelled(reading, by, host)
    left_out = _counted_elsewhere(_totals(reading, host, labels), labels)
    counted = {meter: label for meter, label in labels.items() if meter not in left_out}
    names = sorted(set(counted.values()))

    def work(snapshot: Snapshot) -> tuple[int, list[RollupRow]]:
        where = window(snapshot, step=step, zone=zone, start_s=from_s, end_s=to_s)
        rows = [] if where is None or not counted else _rows(snapshot, where, counted, names)
        return snapshot.manifest.cursor, rows

    entries, rows = lake.read(work)
    return Rollup(
        by=by,
        host=host,
        step=step,
        zone=zone,
        entries=entries,
        total_g=sum(row.emission_g or 0 for row in rows),
        labels=_labels(names, counted, rows),
        left_out=tuple(sorted(devices[meter].id for meter in left_out)),
        rows=tuple(rows),
    )


def _rows(
    snapshot: Snapshot, where: Window, counted: Mapping[int, str], names: Sequence[str]
) -> list[RollupRow]:
    """A row of each label and bucket, whatever the factors."""
    numbers = {label: number for number, label in enumerate(names)}
    groups = {meter: numbers[label] for meter, label in counted.items()}
    sums = sums_by_group(snapshot, where, groups=groups)
    known = (~np.ma.getmaskarray(sums.emission_g)).tolist()
    grams = np.ma.filled(sums.emission_g, 0).tolist()
    cells: dict[tuple[int, int], tuple[int | None, bool]] = {}
    for at, key in enumerate(zip(sums.key.tolist(), sums.bucket.tolist(), strict=True)):
        sum_g, unassigned = cells.get(key, (None, False))
        if known[at]:
            cells[key] = ((sum_g or 0) + int(grams[at]), unassigned)
        else:
            cells[key] = (sum_g, True)
    return [
        RollupRow(
            label=names[number],
            start_s=where.span(bucket)[0],
            end_s=where.span(bucket)[1],
            emission_g=sum_g,
            unassigned=unassigned,
        )
        for (number, bucket), (sum_g, unassigned) in sorted(cells.items(), key=lambda cell: cell[0])
    ]


def _labels(
    names: Sequence[str], counted: Mapping[int, str], rows: Sequence[RollupRow]
) -> tuple[RollupLabel, ...]:
    """What comes under each label in the whole period."""
    nodes = Counter(counted.values())
    sums: dict[str, int] = {}
    for row in rows:
        if row.emission_g is not None:
            sums[row.label] = sums.get(row.label, 0) + row.emission_g
    return tuple(
        RollupLabel(label=name, nodes=nodes[name], emission_g=sums.get(name)) for name in names
    )


def _labelled(
    reading: Reading, by: RollupBy, host: str | None
) -> tuple[dict[int, Device], dict[int, str]]:
    """The devices that may count, and the label of each, by the device's number.

    Of several ports the first that has a label gives it, in order of host and number.
    """
    ports = list(reading.scan(PORTS) if host is None else reading.scan(PORTS, host))
    if by == "region" and host is None:
        found = {device.number: device for device in reading.scan(DEVICES)}
    else:
        found = {}
        for port in ports:
            device = reading.get(DEVICES, port.device)
            assert device is not None, f"port {port.number} of {port.host} has no device"
            found[device.number] = device
    measured = {
        number: device for number, device in found.items() if not is_prediction(device.quantity)
    }
    if by == "region":
        return measured, {number: device.region for number, device in measured.items()}
    labels = dict.fromkeys(measured, "")
    for port in ports:
        if port.meter in measured and not labels[port.meter]:
            labels[port.meter] = getattr(port, by)
    return measured, labels


def _totals(reading: Reading, host: str | None, labels: Collection[int]) -> list[Total]:
    """The total bindings all of whose devices may count."""
    return [
        total
        for total in totals(reading, host)
        if all(meter in labels for side in total for meter in side)
    ]


def _counted_elsewhere(found: Sequence[Total], labels: Mapping[int, str]) -> set[int]:
    """The devices that a total binding leaves out, totals of totals first."""
    inside: set[int] = set()
    replaced: set[int] = set()
    waiting = list(found)
    while waiting:
        parts = {meter for _, right in waiting for meter in right}
        ready = [total for total in waiting if not parts.intersection(total[0])] or waiting
        for left, right in ready:
            of_parts = {labels[meter] for meter in right}
            if not inside.issuperset(left):
                own = {labels[meter] for meter in left}
                if "" not in of_parts and not own & of_parts:
                    replaced.update(left)
                    continue
            inside.update(right)
        waiting = [total for total in waiting if total not in ready]
    return inside | replaced
