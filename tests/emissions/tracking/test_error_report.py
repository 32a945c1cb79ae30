"""Error reports: what a row says, and that every cut of time adds up to the whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.wired import HOST, WiredMeters

from wattproof.core.periods import parse_time
from wattproof.emissions.tracking.error_report import error_report, percent
from wattproof.emissions.tracking.model import Line

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


def test_a_total_and_its_parts_by_day(tmp_path: Path) -> None:
    meters = site()
    report = error_report(
        meters.ledger.state, meters.projected(tmp_path), host=HOST, group=2, step="day", zone=ZONE
    )
    assert (report.text, report.kind, report.unit) == ("2-1-2/3", "total", "Wh")
    assert [(row.left, row.right, row.error, row.base, row.percent) for row in report.rows] == [
        (240, 240, 0, 240, 0),
        (312, 240, 72, 312, 2308),
    ]
    assert (report.from_s, report.to_s) == (DAY_S, DAY_S + 2 * 86_400)
    assert (report.total.error, report.total.percent) == (72, 1304)
    assert report.rows[0].left_g is None and report.rows[0].unassigned


def test_rows_below_the_lines_are_left_out(tmp_path: Path) -> None:
    meters = site()
    meters.lines(Line(value=3, unit="absolute"), Line(value=2400, unit="percent"), group=2)
    lake = meters.projected(tmp_path)
    report = error_report(
        meters.ledger.state, lake, host=HOST, group=2, step="hour", zone=ZONE, set_=1
    )
    assert (len(report.rows), report.buckets) == (24, 48)
    assert {row.line for row in report.rows} == {1}
    assert report.total.error == 72


@pytest.mark.parametrize(
    ("error", "base", "wanted"),
    [(1, 0, None), (1, 3, 3333), (2, 3, 6667), (1, 80_000, 0), (3, 80_000, 0), (5, 80_000, 1),
     (1, 20_000, 0), (3, 20_000, 2), (-1, 20_000, 0), (-3, 20_000, -2), (-1, 3, -3333)],
)  # fmt: skip
def test_percentages_are_rounded_half_to_even(error: int, base: int, wanted: int | None) -> None:
    assert percent(error, base) == wanted
