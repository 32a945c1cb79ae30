"""The overview as people see it: labels, charts, the links to what lies before and after."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from wattproof.console.chart import Line, TimeChart
from wattproof.console.i18n import period_label, step_label
from wattproof.core.errors import Lang
from wattproof.core.periods import local_time
from wattproof.core.units import FAMILIES, base_unit, family, is_prediction, quantity_label
from wattproof.emissions.figures import COARSER, Choice, Figures, Sum

__all__ = ["Overview"]

ENERGY: Final = "Wh"
CO2: Final = "co2"


class Overview:
    """The figures of one page, in one language."""

    def __init__(self, figures: Figures, choice: Choice, zone: str, lang: Lang) -> None:
        self.figures: Final = figures
        self._choice = choice
        self._zone = zone
        self._lang: Lang = lang

    @cached_property
    def period(self) -> str:
        """What the period is called; empty where it is all time."""
        coarser = COARSER[self._choice.step]
        if coarser is None or not self.figures.bounds:
            return ""
        return period_label(self.figures.bounds[0], coarser, self._zone, self._lang)

    @property
    def day(self) -> str:
        """The period's first day, as a form's date field has it."""
        return self._date(self.figures.bounds[0]) if self.figures.bounds else ""

    @property
    def before(self) -> str:
        """A day in the period before; empty where there is none."""
        if not self.period:
            return ""
        return self._date(self.figures.bounds[0] - 1)

    @property
    def after(self) -> str:
        """A day in the period after; empty where nothing was measured after this one."""
        newest_s = self.figures.newest_s
        if not self.period or newest_s is None or newest_s <= self.figures.bounds[-1]:
            return ""
        return self._date(self.figures.bounds[-1])

    @cached_property
    def steps(self) -> list[str]:
        """The labels of the steps."""
        starts = self.figures.bounds[:-1]
        return [step_label(start, self._choice.step, self._zone, self._lang) for start in starts]

    @cached_property
    def measured(self) -> list[Sum]:
        """The sums of what is not CO2 itself, predictions too."""
        return [found for found in self.figures.sums if family(found.quantity) != CO2]

    @cached_property
    def emission_g(self) -> int | None:
        """The period's emission; None where nothing has one. Predictions and parts never count."""
        known = [found.emission_g for found in self.emitting if found.emission_g is not None]
        return sum(known) if known else None

    @property
    def emitting(self) -> list[Sum]:
        """The sums that have an emission, without predictions and without parts of totals."""
        return [
            found
            for found in self.figures.sums
            if found.emission_g is not None and not found.part and not is_prediction(found.quantity)
        ]

    @property
    def unassigned(self) -> list[str]:
        """What was measured, at least in part, without a factor, and could have had one."""
        return [
            self.label(found)
            for found in self.measured
            if found.unassigned and not is_prediction(found.quantity)
        ]

    @property
    def charts(self) -> list[TimeChart]:
        """What was measured: energy in one chart, everything else in one for each family."""
        groups: dict[str, list[Sum]] = {}
        for found in self.measured:
            is_energy = base_unit(found.quantity) == ENERGY
            groups.setdefault(ENERGY if is_energy else family(found.quantity), []).append(found)
        return [
            TimeChart(
                title=self._title(name),
                unit=members[0].unit,
                steps=self.steps,
                lines=[Line(name=self.label(one), values=one.amounts) for one in members],
            )
            for name, members in groups.items()
        ]

    @property
    def emissions(self) -> TimeChart | None:
        """Emissions by what was measured; None where nothing has one."""
        lines = [Line(name=self.label(one), values=one.emissions_g) for one in self.emitting]
        if not lines:
            return None
        title = "二氧化碳排放" if self._lang == "zh" else "CO2 emissions"
        return TimeChart(title=title, unit="g", steps=self.steps, lines=lines, stacked=True)

    def label(self, found: Sum) -> str:
        """What people call a sum: its quantity, and whether it is of parts of a total."""
        label = quantity_label(found.quantity, self._lang)
        if not found.part:
            return label
        return f"{label}（分项）" if self._lang == "zh" else f"{label} (parts)"

    def _title(self, name: str) -> str:
        if name == ENERGY:
            return "能源" if self._lang == "zh" else "Energy"
        found = FAMILIES[name]
        return found.zh if self._lang == "zh" else found.en.capitalize()

    def _date(self, t_s: int) -> str:
        return local_time(t_s, self._zone).date().isoformat()
