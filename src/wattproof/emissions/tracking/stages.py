"""Stage reports of one node: each hour, day, month or year against those before it.

A stage is compared with the one directly before it, and with the mean of the last twelve before
it, as far as they hold readings. The mean is kept exactly, as a sum and a count; its whole part is
shown, and the percentage is of the exact mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from wattproof.analytics.lake import Lake
from wattproof.analytics.readings import READINGS
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import Window, sums_by_meter
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import Step, bucket_bounds, bucket_start
from wattproof.core.units import base_unit
from wattproof.emissions.tracking.percent import percentage
from wattproof.identity.queries import device
from wattproof.ledger.state import Reading
from wattproof.metering.model import STREAMS

__all__ = ["MEAN_OF", "StageReport", "StageRow", "stage_report"]

MEAN_OF: Final = 12
"""Stages before one whose mean it is compared with, at most."""

PERIOD = ErrorCode(
    Malformed,
    "emissions.stage_period",
    en="The stage report must end after it begins.",
    zh="阶段报告的结束时间须晚于起始时间。",
)


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stage, from `start_s` up to `end_s`: `amount` in base units, `emission_g` in grams
    (None: no reading had an emission).

    `previous` is the amount of the stage directly before, None where that has no reading; `change`
    is the amount less that, `change_percent` in hundredths of a percent of it. `mean_sum` over
    `mean_count` is the exact mean of those of the last `MEAN_OF` stages that have readings, `mean`
    its whole part (None where there is none); `against_mean` is the amount less `mean`,
    `against_mean_percent` is of the exact mean. `part` tells that the node's readings begin or end
    within the stage.
    """

    start_s: int
    end_s: int
    amount: int
    emission_g: int | None
    previous: int | None
    change: int | None
    change_percent: int | None
    mean: int | None
    mean_sum: int
    mean_count: int
    against_mean: int | None
    against_mean_percent: int | None
    part: bool


class StageReport(msgspec.Struct, frozen=True, kw_only=True):
    """The stages of one node, by `step` of `zone`, of the log's first `entries` entries."""

    meter: str
    quantity: str
    unit: str
    step: Step
    zone: str
    entries: int
    rows: tuple[StageRow, ...]


def stage_report(
    reading: Reading,
    lake: Lake,
    *,
    meter: str,
    step: Step,
    zone: str | None = None,
    from_s: int | None = None,
    to_s: int | None = None,
) -> StageReport:
    """The stages that begin from `from_s` up to `to_s`, whole ones always; in the node's own zone
    unless another is given.

    Raises `NotFound` for an unknown meter, ``emissions.stage_period``, ``core.zone``,
    ``core.buckets`` or ``analytics.overflow``.
    """
    if from_s is not None and to_s is not None and to_s <= from_s:
        raise PERIOD()
    found = device(reading, meter)
    clock = found.zone if zone is None else zone
    stream = reading.get(STREAMS, found.number)
    reach = (0, 0) if stream is None else (stream.start_s, stream.end_s)

    def work(snapshot: Snapshot) -> tuple[int, list[_Stage]]:
        stages = _stages(snapshot, found.number, step, clock, (from_s, to_s))
        return snapshot.manifest.cursor, stages

    entries, stages = lake.read(work)
    rows = [
        _row(stages, at, reach)
        for at, stage in enumerate(stages)
        if (from_s is None or stage.start_s >= from_s) and (to_s is None or stage.start_s < to_s)
    ]
    return StageReport(
        meter=found.id,
        quantity=found.quantity,
        unit=base_unit(found.quantity),
        step=step,
        zone=clock,
        entries=entries,
        rows=tuple(rows),
    )


class _Stage(msgspec.Struct, frozen=True):
    """What a stage that has readings holds; `index` counts stages, also those that have none."""

    index: int
    start_s: int
    end_s: int
    amount: int
    emission_g: int | None


def _stages(
    snapshot: Snapshot, number: int, step: Step, zone: str, asked: tuple[int | None, int | None]
) -> list[_Stage]:
    """The stages asked for, and those before them that they are compared with."""
    held = snapshot.range(READINGS.name, "start_s")
    if held is None:
        return []
    first_s, last_s = held
    from_s, to_s = asked
    if from_s is not None and from_s > first_s:
        start_s = from_s
        for _ in range(MEAN_OF + 1):
            start_s = bucket_start(start_s - 1, step, zone)
        first_s = max(first_s, start_s)
    if to_s is not None and to_s <= last_s:
        last_s = bucket_bounds(to_s - 1, to_s - 1, step, zone)[1] - 1
    if first_s > last_s:
        return []
    bounds = bucket_bounds(first_s, last_s, step, zone)
    where = Window(bounds=bounds, start_s=bounds[0], end_s=bounds[-1])
    sums = sums_by_meter(snapshot, where, meters=[number])
    grams = np.ma.filled(sums.emission_g, -1).tolist()
    amounts: dict[int, int] = {}
    emissions: dict[int, int] = {}
    for at, bucket in enumerate(sums.bucket.tolist()):
        amounts[bucket] = amounts.get(bucket, 0) + int(sums.amount[at])
        if grams[at] >= 0:
            emissions[bucket] = emissions.get(bucket, 0) + grams[at]
    return [
        _Stage(bucket, bounds[bucket], bounds[bucket + 1], amount, emissions.get(bucket))
        for bucket, amount in sorted(amounts.items())
    ]


def _row(stages: Sequence[_Stage], at: int, reach: tuple[int, int]) -> StageRow:
    stage = stages[at]
    before = [
        one for one in stages[max(0, at - MEAN_OF) : at] if stage.index - one.index <= MEAN_OF
    ]
    previous = None
    if before and before[-1].index == stage.index - 1:
        previous = before[-1].amount
    count, whole = len(before), sum(one.amount for one in before)
    mean = whole // count if count else None
    change = None if previous is None else stage.amount - previous
    return StageRow(
        start_s=stage.start_s,
        end_s=stage.end_s,
        amount=stage.amount,
        emission_g=stage.emission_g,
        previous=previous,
        change=change,
        change_percent=None if previous is None else percentage(stage.amount - previous, previous),
        mean=mean,
        mean_sum=whole,
        mean_count=count,
        against_mean=None if mean is None else stage.amount - mean,
        against_mean_percent=percentage(stage.amount * count - whole, whole),
        part=reach[0] > stage.start_s or reach[1] < stage.end_s,
    )
