"""Error reports: what a row says, and that every cut of time adds up to the whole."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from hypothesis import given, settings
from tests.support.meters import statement
from tests.support.refusals import refused
from tests.support.wired import HOST, HOUR_S, WiredMeters

from wattproof.analytics.lake import Lake
from wattproof.core.periods import STEPS, Step, bucket_start, parse_time
from wattproof.emissions.tracking.error_report import (
    ErrorReport,
    error_report,
    error_reports,
    report_bytes,
)
from wattproof.emissions.tracking.model import (
    Line,
    RemoveBinding,
    RemovePort,
    RemoveThreshold,
)

ZONE = "Asia/Shanghai"
DAY_S = parse_time("2023-05-31", ZONE)
METER = "electricity.import"


def site() -> WiredMeters:
    """A total and two parts over two days, with an unexplained 3 Wh each hour of the second."""
    meters = WiredMeters(METER, METER, METER)
    meters.bind("2-1-2/3")
    meters.hours("m1", DAY_S, [10] * 24 + [13] * 24)
    meters.hours("m2", DAY_S, [4] * 48)
    meters.hours("m3", DAY_S, [6] * 48)
    return meters


def report(
    meters: WiredMeters,
    lake: Lake,
    step: Step = "day",
    *,
    group: int = 2,
    set_: int = 0,
    entries: int | None = None,
    from_s: int | None = None,
    to_s: int | None = None,
    zone: str = ZONE,
) -> ErrorReport:
    return error_report(
        meters.ledger.state,
        lake,
        host=HOST,
        group=group,
        step=step,
        zone=zone,
        from_s=from_s,
        to_s=to_s,
        set_=set_,
        entries=entries,
    )


def test_a_total_and_its_parts_by_day(tmp_path: Path) -> None:
    meters = site()
    found = report(meters, meters.projected(tmp_path))
    assert (found.text, found.kind, found.unit) == ("2-1-2/3", "total", "Wh")
    assert [(port.port, port.device) for port in found.ports] == [(1, "m1"), (2, "m2"), (3, "m3")]
    assert [(row.left, row.right, row.error, row.base, row.percent) for row in found.rows] == [
        (240, 240, 0, 240, 0),
        (312, 240, 72, 312, 2308),
    ]
    assert (found.from_s, found.to_s) == (DAY_S, DAY_S + 2 * 86_400)
    assert (found.total.error, found.total.percent) == (72, 1304)
    assert found.rows[0].left_g is None and found.rows[0].unassigned


def test_predicted_against_measured(tmp_path: Path) -> None:
    """The percentage is of what was measured; what has not come yet has none."""
    meters = WiredMeters("electricity.predicted", METER)
    meters.bind("1-1-2", "predicted")
    meters.hours("m1", DAY_S, [100, 110, 120])
    meters.hours("m2", DAY_S, [80, 110])
    found = report(meters, meters.projected(tmp_path), "hour", group=1)
    assert [(row.error, row.base, row.percent, row.missing) for row in found.rows] == [
        (20, 80, 2500, 0),
        (0, 110, 0, 0),
        (120, 0, None, 1),
    ]
    assert found.total.missing == 1


def test_what_is_not_measured_yet_reaches_no_line(tmp_path: Path) -> None:
    """A forecast of tomorrow is not an error; a gap that was passed over is one."""
    meters = WiredMeters("electricity.predicted", METER)
    meters.bind("1-1-2", "predicted")
    meters.lines(Line(value=50, unit="absolute"))
    meters.hours("m1", DAY_S, [100] * 10)
    meters.hours("m2", DAY_S, [100])
    meters.hours("m2", DAY_S + 2 * HOUR_S, [100, 20])
    found = report(meters, meters.projected(tmp_path), "hour", group=1, set_=1)
    assert [(row.start_s - DAY_S) // HOUR_S for row in found.rows] == [1, 3]
    assert (found.buckets, found.total.missing) == (10, 7)


def test_emissions_can_be_bound_across_quantities(tmp_path: Path) -> None:
    meters = WiredMeters(METER, "co2.measured")
    meters.publish(statement("grid", value_ug=500_000))
    meters.assign("grid", from_s=DAY_S + HOUR_S)
    meters.bind("7-2-1", "total", "emission")
    meters.hours("m1", DAY_S, [1000, 1000, 1000])
    meters.hours("m2", DAY_S, [400, 600, 600])
    found = report(meters, meters.projected(tmp_path), "hour", group=7)
    assert found.unit == "g"
    assert [(r.left, r.right, r.error, r.right_g, r.error_g, r.unassigned) for r in found.rows] == [
        (400, 0, 400, None, None, True),
        (600, 500, 100, 500, 100, False),
        (600, 500, 100, 500, 100, False),
    ]
    assert (found.total.left, found.total.right, found.total.unassigned) == (1600, 1000, True)


def test_rows_below_the_lines_are_left_out(tmp_path: Path) -> None:
    meters = site()
    meters.lines(Line(value=3, unit="absolute"), Line(value=2400, unit="percent"), group=2)
    meters.lines(Line(value=2307, unit="percent"), group=2, set_=2)
    meters.lines(Line(value=4, unit="absolute"), group=2, set_=3)
    lake = meters.projected(tmp_path)
    found = report(meters, lake, "hour", set_=1)
    assert (len(found.rows), found.buckets) == (24, 48)
    assert {row.line for row in found.rows} == {1}, "an error that is on the line is reported"
    assert found.total.error == 72
    assert len(report(meters, lake, "hour", set_=2).rows) == 24
    assert report(meters, lake, "hour", set_=3).rows == ()
    refused("emissions.threshold_unknown", lambda: report(meters, lake, set_=4))


def test_a_device_in_several_groups_counts_in_each(tmp_path: Path) -> None:
    meters = site()
    meters.port(4, "m1")
    meters.port(5, "m2")
    meters.bind("3-4-5")
    lake = meters.projected(tmp_path)
    second, third = error_reports(meters.ledger.state, lake, host=None, step="day", zone=ZONE)
    assert second == report(meters, lake)
    assert third == report(meters, lake, group=3)
    assert [row.error for row in third.rows] == [240 - 96, 312 - 96]


def test_a_period_cuts_buckets_and_asks_only_for_itself(tmp_path: Path) -> None:
    meters = site()
    lake = meters.projected(tmp_path)
    noon_s = DAY_S + 12 * HOUR_S
    found = report(meters, lake, from_s=noon_s, to_s=noon_s + 24 * HOUR_S)
    assert [(row.start_s, row.end_s, row.error) for row in found.rows] == [
        (noon_s, DAY_S + 86_400, 0),
        (DAY_S + 86_400, noon_s + 86_400, 36),
    ]
    early = report(meters, lake, from_s=DAY_S - 10 * 86_400 + 60, to_s=noon_s)
    assert [(row.start_s, row.end_s, row.left) for row in early.rows] == [(DAY_S, noon_s, 120)]
    empty = report(meters, lake, from_s=0, to_s=HOUR_S)
    assert (empty.rows, empty.total.left, empty.total.percent) == ((), 0, None)
    refused("emissions.error_period", lambda: report(meters, lake, from_s=noon_s, to_s=noon_s))
    refused("emissions.binding_unknown", lambda: report(meters, lake, group=9))


def test_nothing_measured_is_an_empty_report(tmp_path: Path) -> None:
    meters = WiredMeters(METER, METER)
    meters.bind("2-1-2")
    found = report(meters, meters.projected(tmp_path))
    assert (found.rows, found.from_s, found.to_s, found.buckets) == ((), 0, 0, 0)


def test_the_bytes_are_what_the_format_says(tmp_path: Path) -> None:
    meters = site()
    data = report_bytes(report(meters, meters.projected(tmp_path)))
    read = json.loads(data)
    assert read["format"] == "wattproof-error-report-1"
    assert data == json.dumps(read, sort_keys=True, separators=(",", ":")).encode()
    assert not any(isinstance(value, float) for value in read["rows"][0].values())
    assert read["ledger"] == meters.ledger.ledger_id.hex()
    assert (read["entries"], read["total"]["error"]) == (meters.ledger.size, 72)


def test_made_again_when_all_is_different_it_is_the_same(tmp_path: Path) -> None:
    """More packets, another wiring, a lake built anew: the entries that it is of decide."""
    meters = site()
    meters.lines(Line(value=3, unit="absolute"), group=2)
    entries = meters.ledger.size
    lake = meters.projected(tmp_path / "lake")
    filed = [report(meters, lake, step, set_=1) for step in STEPS]
    whole = report(meters, lake)
    meters.hours("m1", DAY_S + 48 * HOUR_S, [50] * 24)
    meters.submit(RemoveThreshold(group=2, set=1))
    meters.lines(Line(value=30, unit="absolute"), group=2)
    meters.projected(tmp_path / "lake")
    meters.submit(RemoveBinding(group=2))
    meters.submit(RemovePort(number=2))
    meters.port(2, "m1")
    meters.bind("2-3-2", "total")
    meters.lines(Line(value=1, unit="percent"), group=2)
    for folder in ("lake", "another"):
        lake = meters.projected(tmp_path / folder)
        for step, before in zip(STEPS, filed, strict=True):
            again = report(
                meters,
                lake,
                step,
                set_=1,
                entries=entries,
                from_s=before.from_s,
                to_s=before.to_s,
            )
            assert report_bytes(again) == report_bytes(before)
        assert report(meters, lake, entries=entries) == whole
        assert report(meters, lake).text == "2-3-2"
    refused("emissions.binding_unknown", lambda: report(meters, lake, entries=3))


AMOUNTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=60)
STARTS = st.integers(
    parse_time("2022-10-29", ZONE) // HOUR_S, parse_time("2023-04-01", ZONE) // HOUR_S
)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(STARTS, AMOUNTS), min_size=3, max_size=3),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata"]),
    st.integers(0, 10**6),
)
def test_finer_rows_add_up_to_coarser_ones(
    sent: list[tuple[int, list[int]]], zone: str, value_ug: int
) -> None:
    meters = WiredMeters(METER, METER, METER)
    meters.publish(statement("grid", value_ug=value_ug))
    for number in (1, 3):
        meters.assign("grid", meter=f"m{number}")
    meters.bind("2-1-2/3")
    for number, (start, amounts) in enumerate(sent, start=1):
        meters.hours(f"m{number}", start * HOUR_S, amounts)
    with TemporaryDirectory() as folder:
        lake = meters.projected(Path(folder))
        found = {step: report(meters, lake, step, zone=zone) for step in STEPS}
    for finer, coarser in pairwise(STEPS):
        sums: dict[int, list[int]] = {}
        for row in found[finer].rows:
            start_s = bucket_start(row.start_s, coarser, zone)
            kept = sums.setdefault(start_s, [0, 0, 0, 0, 0])
            values = (row.left, row.right, row.error, row.left_g or 0, row.right_g or 0)
            sums[start_s] = [a + b for a, b in zip(kept, values, strict=True)]
        assert sums == {
            row.start_s: [row.left, row.right, row.error, row.left_g or 0, row.right_g or 0]
            for row in found[coarser].rows
        }
    totals = {
        (one.total.left, one.total.right, one.total.error, one.total.left_g, one.total.percent)
        for one in found.values()
    }
    assert len(totals) == 1
    assert found["hour"].total.left == sum(sent[0][1])
