"""Emission reports from the lake: by meter, by quantity or by region, and hour to year.

Each row names the factor that was used, and stands for the readings whose intervals begin in it.
A bucket in which two factors applied gives two rows; what had no factor is a row without one, so
that nothing is left out unseen. Rows of a finer step add up to those of a coarser one exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec
import numpy as np

from wattproof.analytics.lake import Lake
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import Sums, Window, sums_by_group, sums_by_meter, window
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import DEFAULT_ZONE, Step, iso
from wattproof.core.units import base_unit
from wattproof.emissions.projection import FACTOR_NAMES, split_factor
from wattproof.identity.model import DEVICES, Device
from wattproof.identity.queries import device
from wattproof.ledger.state import Reading

__all__ = ["EmissionRow", "GroupRow", "emission_report", "group_report"]

PERIOD = ErrorCode(
    Malformed,
    "emissions.report_period",
    en="The report must end after it begins.",
    zh="报告的结束时间须晚于起始时间。",
)


class EmissionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter measured and emitted from `start` to `end` (ISO 8601, its local time).

    `amount` is in `unit`, the base unit of `quantity`. `factor` is the factor's id, followed by
    ``@`` and the version from its second version on; without a factor there is no emission.
    """

    meter: str
    quantity: str
    start: str
    end: str
    amount: int
    unit: str
    emission_g: int | None
    factor: str | None


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """The same for all meters of a quantity, or of a quantity in a region.

    `region` is None for meters without one, and throughout a report by quantity.
    """

    region: str | None
    quantity: str
    start: str
    end: str
    amount: int
    unit: str
    emission_g: int | None
    factor: str | None


def emission_report(
    reading: Reading,
    lake: Lake,
    *,
    step: Step,
    meters: Iterable[str] | None = None,
    start_s: int | None = None,
    end_s: int | None = None,
    zone: str | None = None,
) -> Iterator[EmissionRow]:
    """Rows by meter and time, for all meters or for `meters` (ids), ordered by id and start.

    Buckets are those of each meter's own zone, or all of `zone`. Only intervals that begin from
    `start_s` up to `end_s` count; a bucket that they cut begins or ends there. Raises `NotFound`
    for an unknown meter, ``core.zone``, ``core.buckets``, ``emissions.report_period`` or
    ``analytics.overflow``.
    """
    _check_period(start_s, end_s)
    chosen = _devices(reading, meters)
    zones = _by_zone(chosen, zone)
    if not chosen:
        return iter(())
    filtered = meters is not None or len(zones) > 1

    def work(snapshot: Snapshot) -> list[_Part]:
        parts = []
        for name, members in zones.items():
            where = window(snapshot, step=step, zone=name, start_s=start_s, end_s=end_s)
            if where is not None:
                numbers = [member.number for member in members] if filtered else None
                sums = sums_by_meter(snapshot, where, meters=numbers)
                parts.append(_Part(sums, _Labels(snapshot, where, name)))
        return parts

    return _meter_rows(chosen, lake.read(work))


def group_report(
    reading: Reading,
    lake: Lake,
    *,
    by: Literal["quantity", "region"],
    step: Step,
    start_s: int | None = None,
    end_s: int | None = None,
    zone: str | None = None,
) -> Iterator[GroupRow]:
    """Rows by quantity, or by region and quantity, and time, in that order.

    Buckets are those of `zone`; without it, of the zone of all meters if they share one, else of
    `DEFAULT_ZONE`. Raises as `emission_report` does.
    """
    _check_period(start_s, end_s)
    devices = _devices(reading, None)
    zones = _by_zone(devices, zone)
    clock = next(iter(zones)) if len(zones) == 1 else DEFAULT_ZONE
    group_of = {
        found.number: (found.region if by == "region" else "", found.quantity) for found in devices
    }
    groups = sorted(set(group_of.values()))
    numbers = {group: number for number, group in enumerate(groups)}
    members = {meter: numbers[group] for meter, group in group_of.items()}

    def work(snapshot: Snapshot) -> _Part | None:
        where = window(snapshot, step=step, zone=clock, start_s=start_s, end_s=end_s)
        if where is None:
            return None
        sums = sums_by_group(snapshot, where, groups=members)
        return _Part(sums, _Labels(snapshot, where, clock))

    part = lake.read(work)
    return iter(()) if part is None else _group_rows(groups, part)


class _Labels:
    """Texts of buckets and factors, each made once."""

    def __init__(self, snapshot: Snapshot, where: Window, zone: str) -> None:
        self._where = where
        self._zone = zone
        self._spans: dict[int, tuple[str, str]] = {}
        names = snapshot.manifest.names.get(FACTOR_NAMES, ())
        self.factors: Final = [None, *(_factor_label(text) for text in names)]

    def span(self, bucket: int) -> tuple[str, str]:
        """Start and end of a bucket, as texts."""
        found = self._spans.get(bucket)
        if found is None:
            start_s, end_s = self._where.span(bucket)
            found = self._spans[bucket] = (iso(start_s, self._zone), iso(end_s, self._zone))
        return found


class _Part:
    """Sums that share their buckets, and where each key's rows lie in them."""

    def __init__(self, sums: Sums, labels: _Labels) -> None:
        self.labels: Final = labels
        self._sums = sums
        keys, starts = np.unique(sums.key, return_index=True)
        borders = [*starts.tolist(), len(sums.key)]
        self._places = dict(zip(keys.tolist(), pairwise(borders), strict=True))

    def rows(self, key: int) -> Iterator[tuple[int, int, int, int | None]]:
        """Bucket, factor, amount, emission of a key's rows, by bucket and factor."""
        low, high = self._places.get(key, (0, 0))
        sums = self._sums
        return zip(
            sums.bucket[low:high].tolist(),
            sums.factor[low:high].tolist(),
            sums.amount[low:high].tolist(),
            sums.emission_g[low:high].tolist(),
            strict=True,
        )


def _meter_rows(devices: Sequence[Device], parts: Sequence[_Part]) -> Iterator[EmissionRow]:
    for found in devices:
        meter, quantity, unit = found.id, found.quantity, base_unit(found.quantity)
        for part in parts:
            span, factors = part.labels.span, part.labels.factors
            for bucket, factor, amount, emission_g in part.rows(found.number):
                start, end = span(bucket)
                yield EmissionRow(
                    meter=meter,
                    quantity=quantity,
                    start=start,
                    end=end,
                    amount=amount,
                    unit=unit,
                    emission_g=emission_g,
                    factor=factors[factor],
                )


def _group_rows(groups: Sequence[tuple[str, str]], part: _Part) -> Iterator[GroupRow]:
    for number, (region, quantity) in enumerate(groups):
        unit = base_unit(quantity)
        for bucket, factor, amount, emission_g in part.rows(number):
            start, end = part.labels.span(bucket)
            yield GroupRow(
                region=region or None,
                quantity=quantity,
                start=start,
                end=end,
                amount=amount,
                unit=unit,
                emission_g=emission_g,
                factor=part.labels.factors[factor],
            )


def _devices(reading: Reading, meters: Iterable[str] | None) -> list[Device]:
    if meters is None:
        return list(reading.scan(DEVICES))
    return [device(reading, id_) for id_ in sorted(set(meters))]


def _by_zone(devices: Sequence[Device], zone: str | None) -> Mapping[str, list[Device]]:
    if zone is not None:
        return {zone: list(devices)}
    zones: dict[str, list[Device]] = {}
    for found in devices:
        zones.setdefault(found.zone, []).append(found)
    return zones


def _check_period(start_s: int | None, end_s: int | None) -> None:
    if start_s is not None and end_s is not None and end_s <= start_s:
        raise PERIOD()


def _factor_label(text: str) -> str:
    factor, version = split_factor(text)
    return factor if version == 1 else text
