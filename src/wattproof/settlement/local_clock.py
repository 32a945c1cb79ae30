"""Hours, days and months of a region's clock, as pages write them in either language."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from wattproof.console.i18n import period_label, step_label
from wattproof.core.errors import Lang
from wattproof.core.periods import Step
from wattproof.settlement.local_time import offset_text

__all__ = ["LocalClock"]


class LocalClock(msgspec.Struct, frozen=True, kw_only=True):
    """The clock of a region that is `offset_s` ahead of UTC, for readers of `lang`."""

    offset_s: int
    lang: Lang

    def label(self, at_s: int, step: Step) -> str:
        """What people call the local hour, day, month or year that begins then."""
        return period_label(at_s + self.offset_s, step, "UTC", self.lang)

    def short(self, at_s: int, step: Step) -> str:
        """The same in short, beside others of the next longer step."""
        return step_label(at_s + self.offset_s, step, "UTC", self.lang)

    def span(self, first_s: int, end_s: int) -> str:
        """Some hours of one local day: ``1 January 2025, 08:00–24:00``."""
        return f"{self.label(first_s, 'hour')}–{self._end(end_s)}"

    def hours(self, first_s: int, end_s: int) -> str:
        """The same without the day: ``08:00–24:00``."""
        return f"{self.short(first_s, 'hour')}–{self._end(end_s)}"

    def _end(self, end_s: int) -> str:
        ends = self.short(end_s, "hour")
        return "24:00" if ends == "00:00" else ends

    def date_field(self, at_s: int) -> str:
        """The local day as a date field of a form holds it."""
        return f"{datetime.fromtimestamp(at_s + self.offset_s, UTC):%Y-%m-%d}"

    def hour_field(self, at_s: int) -> str:
        """The local hour as a choice of hours holds it: ``08:00``."""
        return f"{datetime.fromtimestamp(at_s + self.offset_s, UTC):%H}:00"

    @property
    def ahead(self) -> str:
        """How far the clock is ahead of UTC: ``+08:00``."""
        return offset_text(self.offset_s)
