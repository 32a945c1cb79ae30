"""Days and months of a region's local time, which is a fixed number of seconds ahead of UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.settlement.model import DAY_S, HOUR_S, StatementStep
from wattproof.settlement.records import day_of

__all__ = ["bucket_of", "check_statement_step", "local_text"]

BAD_STEP = ErrorCode(
    Malformed,
    "settlement.step",
    en="A statement is by hour, day or month, not by “{text}”.",
    zh="结算单按 hour（时）、day（日）或 month（月）列示，不能按“{text}”。",
)


def check_statement_step(text: str) -> StatementStep:
    """The step that a text names; raises ``settlement.step``."""
    steps: tuple[StatementStep, ...] = ("hour", "day", "month")
    for step in steps:
        if text == step:
            return step
    raise BAD_STEP(text=text[:40])


def bucket_of(at_s: int, step: StatementStep, offset_s: int) -> tuple[int, int]:
    """From when to when the local hour, day or month goes that an instant is in."""
    if step == "hour":
        start_s = at_s - (at_s + offset_s) % HOUR_S
        return start_s, start_s + HOUR_S
    if step == "day":
        start_s = day_of(at_s, offset_s)
        return start_s, start_s + DAY_S
    first = datetime.fromtimestamp(at_s + offset_s, UTC).date().replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return _midnight(first) - offset_s, _midnight(following) - offset_s


def local_text(at_s: int, step: StatementStep, offset_s: int) -> str:
    """An hour, day or month as it is written: 2025-01-31 08:00, 2025-01-31 or 2025-01."""
    text = datetime.fromtimestamp(at_s + offset_s, UTC).strftime("%Y-%m-%d %H:%M")
    return text[: {"hour": 16, "day": 10, "month": 7}[step]]


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
