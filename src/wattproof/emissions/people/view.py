"""How a person's days are shown: rows with their factors, a chart, a mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from wattproof.console.chart import Line, TimeChart
from wattproof.console.i18n import period_label
from wattproof.core.errors import Lang
from wattproof.emissions.people.activities import (
    GROUPS,
    Activity,
    Declared,
    activity,
    amount_text,
)
from wattproof.emissions.people.day import DAY_S
from wattproof.emissions.people.own_node import Day

__all__ = ["DRAWN", "LISTED", "History", "ShownRow", "rows_shown"]

DRAWN: Final = 60
"""Days in the chart, the newest ones."""
LISTED: Final = 200
"""Days in the list."""


class ShownRow(msgspec.Struct, frozen=True, kw_only=True):
    """One activity of a day in words: how much, with which factor, and its grams."""

    activity: Activity
    name: str
    amount: str
    grams: int


def rows_shown(declared: Declared, lang: Lang) -> list[ShownRow]:
    """The rows of a day; activities that this version does not know are named by their ids."""
    found = []
    for row in declared.rows:
        one = activity(row.activity)
        if one is not None:
            found.append(
                ShownRow(
                    activity=one,
                    name=one.name(lang),
                    amount=amount_text(row.amount, one, lang),
                    grams=row.grams,
                )
            )
    return found


class History:
    """The days of a person, newest first, and what the page says of them."""

    def __init__(
        self, days: Sequence[Day], *, zone: str, lang: Lang, title: str, line: str
    ) -> None:
        self.count: Final = len(days)
        self.total_g: Final = sum(one.grams for one in days)
        self.mean_g: Final = self.total_g // len(days) if days else 0
        self.days: Final = [
            (one, rows_shown(one.details, lang) if one.details else []) for one in days[:LISTED]
        ]
        self.chart: Final = _chart(days, zone=zone, lang=lang, title=title, line=line)
        self.groups: Final = _groups(days, lang)


def _chart(
    days: Sequence[Day], *, zone: str, lang: Lang, title: str, line: str
) -> TimeChart | None:
    """The newest days, with those between them that were not declared left empty."""
    if not days:
        return None
    by_start = {one.start_s: one.grams for one in days}
    last = days[0].start_s
    first = max(days[-1].start_s, last - (DRAWN - 1) * DAY_S)
    starts = range(last - (last - first) // DAY_S * DAY_S, last + 1, DAY_S)
    return TimeChart(
        title=title,
        unit="g",
        steps=[period_label(start, "day", zone, lang) for start in starts],
        lines=[Line(name=line, values=[by_start.get(start) for start in starts])],
    )


def _groups(days: Sequence[Day], lang: Lang) -> list[tuple[str, int]]:
    """Grams of each group over the days whose details are at hand, largest first."""
    sums: dict[str, int] = {}
    for day in days:
        for row in day.details.rows if day.details else ():
            one = activity(row.activity)
            if one is not None:
                sums[one.group] = sums.get(one.group, 0) + row.grams
    named = [(GROUPS[name][lang == "zh"], sums[name]) for name in GROUPS if sums.get(name)]
    return sorted(named, key=lambda pair: -pair[1])
