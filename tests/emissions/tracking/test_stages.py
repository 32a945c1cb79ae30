"""Stage reports: a node's hour, day, month or year against those before it."""

from __future__ import annotations

from pathlib import Path

from tests.support.refusals import refused
from tests.support.wired import HOUR_S, WiredMeters

from wattproof.core.periods import parse_time
from wattproof.emissions.tracking.stages import StageReport, stage_report

ZONE = "Asia/Shanghai"
DAY_S = parse_time("2023-05-31", ZONE)


def stages(
    meters: WiredMeters, folder: Path, *, from_s: int | None = None, to_s: int | None = None
) -> StageReport:
    lake = meters.projected(folder)
    return stage_report(
        meters.ledger.state, lake, meter="m1", step="hour", from_s=from_s, to_s=to_s
    )


def test_against_the_stage_before_and_the_mean_of_twelve(tmp_path: Path) -> None:
    meters = WiredMeters("electricity.import")
    meters.hours("m1", DAY_S, [10, 15, 11, *[20] * 12, 26])
    found = stages(meters, tmp_path)
    assert (found.unit, found.zone, found.entries) == ("Wh", ZONE, meters.ledger.size)
    first, second, third = found.rows[:3]
    assert (first.previous, first.change, first.mean, first.mean_count) == (None, None, None, 0)
    assert (first.change_percent, first.against_mean_percent) == (None, None)
    assert (second.change, second.change_percent, second.against_mean) == (5, 5000, 5)
    # The mean of 10 and 15 is 12.5: its whole part is shown, the percentage is of 12.5.
    assert (third.mean, third.mean_sum, third.mean_count) == (12, 25, 2)
    assert (third.against_mean, third.against_mean_percent) == (-1, -1200)
    last = found.rows[-1]
    assert (last.mean, last.mean_count, last.against_mean_percent) == (20, 12, 3000)


def test_a_stage_without_readings_is_none_and_not_zero(tmp_path: Path) -> None:
    meters = WiredMeters("electricity.import")
    meters.hours("m1", DAY_S, [10, 20])
    meters.hours("m1", DAY_S + 4 * HOUR_S, [30])
    meters.hours("m1", DAY_S + 30 * HOUR_S, [40])
    after_a_gap, long_after = stages(meters, tmp_path).rows[2:]
    assert (after_a_gap.previous, after_a_gap.change_percent) == (None, None)
    assert (after_a_gap.mean, after_a_gap.mean_count) == (15, 2)
    assert (long_after.mean, long_after.mean_count) == (None, 0)


def test_a_period_is_compared_with_what_lies_before_it(tmp_path: Path) -> None:
    meters = WiredMeters("electricity.import")
    meters.hours("m1", DAY_S, list(range(1, 49)))
    whole = stages(meters, tmp_path)
    cut = stages(meters, tmp_path, from_s=DAY_S + 24 * HOUR_S, to_s=DAY_S + 30 * HOUR_S)
    assert cut.rows == whole.rows[24:30]
    refused("emissions.stage_period", lambda: stages(meters, tmp_path, from_s=5, to_s=5))


def test_a_day_of_which_there_is_only_a_part_is_marked(tmp_path: Path) -> None:
    meters = WiredMeters("electricity.import")
    meters.hours("m1", DAY_S + HOUR_S, [1] * 60)
    lake = meters.projected(tmp_path)
    found = stage_report(meters.ledger.state, lake, meter="m1", step="day")
    assert [(row.amount, row.part) for row in found.rows] == [(23, True), (24, False), (13, True)]
    assert (found.rows[2].end_s - found.rows[2].start_s) == 86_400


def test_a_node_that_has_not_reported_has_no_stages(tmp_path: Path) -> None:
    meters = WiredMeters("electricity.import")
    assert stages(meters, tmp_path).rows == ()
    meters.install("m2")
    meters.hours("m2", DAY_S, [1])
    assert stages(meters, tmp_path / "more").rows == ()
