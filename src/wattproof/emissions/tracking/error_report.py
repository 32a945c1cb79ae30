"""Error reports: predicted against measured, a total against its parts, hour by hour to year.

Everything in a report is a whole number, taken from the rows that the log's first `entries`
entries gave, so that whoever has the log makes the same report again, byte for byte, whenever and
wherever. Every reading counts once, in the bucket in which its interval begins: the hours of a
day add up to the day, the months to the year.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from wattproof.analytics.lake import Lake
from wattproof.analytics.sides import SideSums, sums_by_side
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import window
from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import Step
from wattproof.core.units import base_unit
from wattproof.emissions.tracking.model import BINDINGS, BindingKind, Line, Measure
from wattproof.emissions.tracking.percent import percentage
from wattproof.emissions.tracking.syntax import binding_text
from wattproof.emissions.tracking.windows import base_of
from wattproof.emissions.tracking.wiring_history import Wired, wired_at
from wattproof.ledger.state import Reading

__all__ = [
    "FORMAT",
    "ErrorReport",
    "ErrorRow",
    "ReportPort",
    "error_report",
    "error_reports",
    "report_bytes",
]

FORMAT: Final = "wattproof-error-report-1"
"""What a report's bytes call themselves; another layout would have another number."""

PERIOD = ErrorCode(
    Malformed,
    "emissions.error_period",
    en="The error report must end after it begins.",
    zh="误差报告的结束时间须晚于起始时间。",
)


class ReportPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port that is compared, the device behind it, and what that measures."""

    port: int
    device: str
    quantity: str


class ErrorRow(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides from `start_s` up to `end_s`, and how they differ.

    `left`, `right`, `error` (left less right) and `base` are in the report's unit; `percent` is
    the error in hundredths of a percent of the base, None where that is 0. `left_g`, `right_g`
    and `error_g` are grams, None where a side has no emission at all; `unassigned` says whether
    any reading had none. `line` is the highest line that the error reached, counted from 1; 0 is
    none, as where one side's readings have not got to yet. `missing` counts the ports that have
    no reading there; in a report's total, those of all its buckets.
    """

    start_s: int
    end_s: int
    left: int
    right: int
    error: int
    base: int
    percent: int | None
    left_g: int | None
    right_g: int | None
    error_g: int | None
    unassigned: bool
    line: int
    missing: int


class ErrorReport(msgspec.Struct, frozen=True, kw_only=True):
    """The errors of binding `group` of `host` from `from_s` up to `to_s`, by `step` of `zone`.

    With `set` 0 `rows` are all buckets that hold a reading, else those whose error reaches one of
    the `lines` of that set; `total` is all of the period either way, and `buckets` counts what
    there is with the rows left out. `entries` is how much of the log of `ledger` it is made from.
    """

    ledger: str
    host: str
    group: int
    kind: BindingKind
    measure: Measure
    unit: str
    text: str
    ports: tuple[ReportPort, ...]
    step: Step
    zone: str
    from_s: int
    to_s: int
    set: int
    lines: tuple[Line, ...]
    entries: int
    buckets: int
    total: ErrorRow
    rows: tuple[ErrorRow, ...]


def error_report(
    reading: Reading,
    lake: Lake,
    *,
    host: str,
    group: int,
    step: Step,
    zone: str,
    from_s: int | None = None,
    to_s: int | None = None,
    set_: int = 0,
    entries: int | None = None,
) -> ErrorReport:
    """The report of one binding as the log's first `entries` entries have it (None: all that is
    in the lake), with the wiring of that moment.

    Without `from_s` it begins with the bucket of the first reading, without `to_s` it ends with
    that of the last. Raises ``emissions.binding_unknown``, ``emissions.threshold_unknown``,
    ``emissions.error_period``, ``core.zone``, ``core.buckets`` or ``analytics.overflow``.
    """
    if from_s is not None and to_s is not None and to_s <= from_s:
        raise PERIOD()

    def work(snapshot: Snapshot) -> ErrorReport:
        size = _entries(snapshot, entries)
        wired = wired_at(reading, snapshot, host=host, group=group, set_=set_, entries=size)
        period = _Period(step=step, zone=zone, from_s=from_s, to_s=to_s)
        (report,) = _reports(snapshot, [wired], period, set_=set_, entries=size)
        return report

    return lake.read(work)


def error_reports(
    reading: Reading,
    lake: Lake,
    *,
    host: str | None,
    step: Step,
    zone: str,
    from_s: int | None = None,
    to_s: int | None = None,
) -> list[ErrorReport]:
    """Reports of all rows of all bindings of a host, or of every host, by host and group; the
    readings are gone through once."""
    if from_s is not None and to_s is not None and to_s <= from_s:
        raise PERIOD()
    bindings = list(reading.scan(BINDINGS) if host is None else reading.scan(BINDINGS, host))

    def work(snapshot: Snapshot) -> list[ErrorReport]:
        size = _entries(snapshot, None)
        wired = [wired_at(reading, snapshot, host=one.host, group=one.group) for one in bindings]
        period = _Period(step=step, zone=zone, from_s=from_s, to_s=to_s)
        return _reports(snapshot, wired, period, set_=0, entries=size)

    return lake.read(work)


def report_bytes(report: ErrorReport) -> bytes:
    """The report as its digest is taken of: JSON with sorted keys, no blanks, whole numbers only,
    and the name of the format under ``format``."""
    return msgspec.json.encode({"format": FORMAT, **msgspec.structs.asdict(report)}, order="sorted")


class _Period(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: the step, the zone, and from when to when as far as that is said."""

    step: Step
    zone: str
    from_s: int | None
    to_s: int | None


def _entries(snapshot: Snapshot, entries: int | None) -> int:
    held = snapshot.manifest.cursor
    return held if entries is None else min(entries, held)


def _reports(
    snapshot: Snapshot, wired: Sequence[Wired], period: _Period, *, set_: int, entries: int
) -> list[ErrorReport]:
    """A report of each binding, in the same order."""
    members = [
        (one.ports[port].meter, number, side)
        for number, one in enumerate(wired)
        for side, ports in enumerate((one.binding.left, one.binding.right))
        for port in ports
    ]
    where = window(
        snapshot, step=period.step, zone=period.zone, start_s=period.from_s, end_s=period.to_s
    )
    bounds: Sequence[int] = ()
    parts: Mapping[int, Sequence[_Part]] = {}
    if where is not None and members:
        bounds = where.bounds
        parts = _parts(sums_by_side(snapshot, where, members=members, entries=entries))
    return [
        _report(
            one,
            parts.get(number, ()),
            bounds,
            period,
            snapshot=snapshot,
            set_=set_,
            entries=entries,
        )
        for number, one in enumerate(wired)
    ]


class _Part(msgspec.Struct, frozen=True):
    """One bucket's sums, in the order of the columns of `SideSums`."""

    bucket: int
    left: int
    right: int
    left_g: int
    right_g: int
    left_known: int
    right_known: int
    unknown: int
    present: int
    right_present: int


def _parts(sums: SideSums) -> dict[int, list[_Part]]:
    """The rows of each group, by bucket."""
    columns: list[Any] = [getattr(sums, name).tolist() for name in _Part.__struct_fields__]
    found: dict[int, list[_Part]] = defaultdict(list)
    for group, *values in zip(sums.group.tolist(), *columns, strict=True):
        found[group].append(_Part(*values))
    return found


def _report(
    wired: Wired,
    parts: Sequence[_Part],
    bounds: Sequence[int],
    period: _Period,
    *,
    snapshot: Snapshot,
    set_: int,
    entries: int,
) -> ErrorReport:
    binding, from_s, to_s = wired.binding, period.from_s, period.to_s
    if from_s is None:
        from_s = bounds[parts[0].bucket] if parts else (to_s or 0)
    if to_s is None:
        to_s = bounds[parts[-1].bucket + 1] if parts else from_s
    both = _both_until(parts)
    rows = [
        _row(
            wired,
            part,
            max(bounds[part.bucket], from_s),
            min(bounds[part.bucket + 1], to_s),
            lines=wired.lines if part.bucket <= both else (),
        )
        for part in parts
    ]
    left, right = binding.left, binding.right
    return ErrorReport(
        ledger=snapshot.manifest.ledger,
        host=binding.host,
        group=binding.group,
        kind=binding.kind,
        measure=binding.measure,
        unit="g" if binding.measure == "emission" else base_unit(wired.ports[left[0]].quantity),
        text=binding_text(binding.group, left, right),
        ports=tuple(
            ReportPort(port=port, device=found.device, quantity=found.quantity)
            for port, found in sorted(wired.ports.items())
        ),
        step=period.step,
        zone=period.zone,
        from_s=from_s,
        to_s=to_s,
        set=set_,
        lines=wired.lines,
        entries=entries,
        buckets=len(rows),
        total=_total(wired, rows, from_s, to_s),
        rows=tuple(row for row in rows if row.line or not set_),
    )


def _both_until(parts: Sequence[_Part]) -> int:
    """The last bucket up to which both sides have readings; -1 where one has none at all.

    What comes after it is still to come on one side: forecasts, say.
    """
    left = [part.bucket for part in parts if part.present > part.right_present]
    right = [part.bucket for part in parts if part.right_present]
    return min(left[-1], right[-1]) if left and right else -1


def _row(wired: Wired, part: _Part, start_s: int, end_s: int, *, lines: Sequence[Line]) -> ErrorRow:
    return _compared(
        wired,
        (start_s, end_s),
        amounts=(part.left, part.right),
        grams=(
            part.left_g if part.left_known else None,
            part.right_g if part.right_known else None,
        ),
        unassigned=part.unknown > 0,
        missing=len(wired.binding.left) + len(wired.binding.right) - part.present,
        lines=lines,
    )


def _total(wired: Wired, rows: Sequence[ErrorRow], from_s: int, to_s: int) -> ErrorRow:
    """All of the period in one row, whatever of it is left out below."""
    grams = [
        [found for row in rows if (found := getattr(row, side)) is not None]
        for side in ("left_g", "right_g")
    ]
    return _compared(
        wired,
        (from_s, to_s),
        amounts=(sum(row.left for row in rows), sum(row.right for row in rows)),
        grams=(sum(grams[0]) if grams[0] else None, sum(grams[1]) if grams[1] else None),
        unassigned=any(row.unassigned for row in rows),
        missing=sum(row.missing for row in rows),
        lines=wired.lines,
    )


def _compared(
    wired: Wired,
    span: tuple[int, int],
    *,
    amounts: tuple[int, int],
    grams: tuple[int | None, int | None],
    unassigned: bool,
    missing: int,
    lines: Sequence[Line],
) -> ErrorRow:
    left_g, right_g = grams
    left, right = amounts
    if wired.binding.measure == "emission":
        left, right = left_g or 0, right_g or 0
    error, base = left - right, base_of(wired.binding, left=left, right=right)
    return ErrorRow(
        start_s=span[0],
        end_s=span[1],
        left=left,
        right=right,
        error=error,
        base=base,
        percent=percentage(error, base),
        left_g=left_g,
        right_g=right_g,
        error_g=None if left_g is None or right_g is None else left_g - right_g,
        unassigned=unassigned,
        line=_line(lines, error=error, base=base),
        missing=missing,
    )


def _line(lines: Sequence[Line], *, error: int, base: int) -> int:
    """The highest line that an error reaches; an interrupt comes where it goes beyond one."""
    reached = 0
    for number, line in enumerate(lines, start=1):
        if line.unit == "absolute":
            on = abs(error) >= line.value
        else:
            on = base != 0 and abs(error) * 10_000 >= line.value * abs(base)
        reached = number if on else reached
    return reached
