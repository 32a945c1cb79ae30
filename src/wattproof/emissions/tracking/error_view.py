"""An error report as people see it: what its sides are called, its steps, its charts, its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

import msgspec

from wattproof.console.chart import Line as ChartLine
from wattproof.console.chart import TimeChart
from wattproof.console.i18n import long_date, period_label, step_label
from wattproof.core.errors import Lang
from wattproof.core.periods import Step, iso, local_time
from wattproof.emissions.figures import COARSER, period_of
from wattproof.emissions.tracking.error_report import ErrorReport, ErrorRow
from wattproof.emissions.tracking.forms import line_text
from wattproof.emissions.tracking.model import Line

__all__ = ["ROWS_SHOWN", "ErrorView", "Period", "csv_lines"]

ROWS_SHOWN: Final = 1_000
"""Rows that a page holds; the file has all of them."""

SIDES: Final = {
    "predicted": (("predicted", "预测"), ("measured", "实测")),
    "total": (("total", "总量"), ("sum of the parts", "分项合计")),
}
HEAD: Final = (
    "begins,ends,left,right,error,unit,percent_hundredths,left_g,right_g,error_g,line,ports_missing"
)


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From when up to when, as it was asked for, or as it is shown for a step where it was not."""

    step: Step
    zone: str
    start_s: int | None
    end_s: int | None

    @property
    def first_day(self) -> str:
        """The first day, as a form's date field has it; empty for all time."""
        return "" if self.start_s is None else _date(self.start_s, self.zone)

    @property
    def end_day(self) -> str:
        """The day up to which it goes."""
        return "" if self.end_s is None else _date(self.end_s, self.zone)

    @property
    def start(self) -> str:
        """Its beginning to the second, as an address has it; empty for all time."""
        return "" if self.start_s is None else iso(self.start_s, self.zone)

    @property
    def end(self) -> str:
        """Its end to the second."""
        return "" if self.end_s is None else iso(self.end_s, self.zone)

    @property
    def before(self) -> tuple[str, str] | None:
        """The days from and to which the period before goes; None where this is no whole period."""
        return None if self.start_s is None else self._whole(self.start_s - 1)

    @property
    def after(self) -> tuple[str, str] | None:
        """The same of the period after."""
        return None if self.end_s is None else self._whole(self.end_s)

    def named(self, lang: Lang) -> str:
        """What people call it."""
        coarser = COARSER[self.step]
        if self.start_s is None or self.end_s is None or coarser is None:
            return ""
        if period_of(self.start_s, self.step, self.zone) == (self.start_s, self.end_s):
            return period_label(self.start_s, coarser, self.zone, lang)
        first, last = (long_date(at_s, self.zone, lang) for at_s in (self.start_s, self.end_s - 1))
        return f"{first} – {last}"

    def _whole(self, at_s: int) -> tuple[str, str] | None:
        assert self.start_s is not None, "all time has nothing before it"
        if period_of(self.start_s, self.step, self.zone) != (self.start_s, self.end_s):
            return None
        found = period_of(at_s, self.step, self.zone)
        assert found is not None, "years have nothing before them"
        return _date(found[0], self.zone), _date(found[1], self.zone)


class ErrorView:
    """One report in one language.

    `whole` has all rows of the period, from which the charts are drawn; `report` is the one that is
    shown as a table, which may be of a set of lines alone. `lines` are drawn.
    """

    def __init__(
        self, report: ErrorReport, whole: ErrorReport, lines: Sequence[Line], lang: Lang
    ) -> None:
        self.report: Final = report
        self._whole = whole
        self._lines = lines
        self._lang: Lang = lang

    @property
    def sides(self) -> tuple[str, str]:
        """What the left and the right side are called."""
        zh = self._lang == "zh"
        left, right = SIDES[self.report.kind]
        return left[zh], right[zh]

    @property
    def rows(self) -> Sequence[tuple[str, ErrorRow]]:
        """The rows that a page shows, with their labels."""
        rows = self.report.rows[:ROWS_SHOWN]
        return list(zip(self._labels(rows), rows, strict=True))

    @property
    def has_emissions(self) -> bool:
        """Whether emissions stand beside amounts."""
        return self.report.measure == "amount" and self.report.total.error_g is not None

    @property
    def sides_chart(self) -> TimeChart:
        """Left and right beside each other."""
        rows = self._whole.rows[:ROWS_SHOWN]
        left, right = self.sides
        return TimeChart(
            title="左侧与右侧" if self._lang == "zh" else "Left and right",
            unit=self._whole.unit,
            steps=self._labels(rows),
            lines=[
                ChartLine(name=left, values=[row.left for row in rows]),
                ChartLine(name=right, values=[row.right for row in rows]),
            ],
        )

    @property
    def error_chart(self) -> TimeChart:
        """The error, and the lines on either side of nothing."""
        rows, zh = self._whole.rows[:ROWS_SHOWN], self._lang == "zh"
        lines = [ChartLine(name="误差" if zh else "error", values=[row.error for row in rows])]
        for line in self._lines:
            name = line_text(line, self._whole.unit, self._lang)
            heights = [_height(line, row) for row in rows]
            lines.append(ChartLine(name=name, values=heights, kind="line"))
            lines.append(ChartLine(name=name, values=[-one for one in heights], kind="line"))
        return TimeChart(
            title="误差与阈值" if zh else "Error and lines",
            unit=self._whole.unit,
            steps=self._labels(rows),
            lines=lines,
        )

    def _labels(self, rows: Sequence[ErrorRow]) -> list[str]:
        """What the rows are called: with the day where there is more than one of them."""
        report, lang = self.report, self._lang
        starts = [row.start_s for row in rows]
        labels = [step_label(at_s, report.step, report.zone, lang) for at_s in starts]
        if report.step == "hour" and self._several_days:
            days = [step_label(at_s, "day", report.zone, lang) for at_s in starts]
            return [f"{day} {label}" for day, label in zip(days, labels, strict=True)]
        return labels

    @cached_property
    def _several_days(self) -> bool:
        rows = self._whole.rows
        return bool(rows) and rows[-1].start_s - rows[0].start_s >= 86_400


def csv_lines(report: ErrorReport) -> Iterator[str]:
    """The report as a file, line by line; times are local to its zone, amounts in base units."""
    yield HEAD + "\n"
    for row in report.rows:
        cells = (
            iso(row.start_s, report.zone), iso(row.end_s, report.zone), row.left, row.right,
            row.error, report.unit, row.percent, row.left_g, row.right_g, row.error_g, row.line,
            row.missing,
        )  # fmt: skip
        yield ",".join("" if cell is None else str(cell) for cell in cells) + "\n"


def _height(line: Line, row: ErrorRow) -> int:
    if line.unit == "absolute":
        return line.value
    return line.value * abs(row.base) // 10_000


def _date(t_s: int, zone: str) -> str:
    return local_time(t_s, zone).date().isoformat()
