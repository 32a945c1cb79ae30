"""Which column of a file tells the time, in which form, and what its stamps mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from wattproof.core.errors import WattProofError
from wattproof.core.periods import local_time
from wattproof.metering.model import MAX_INTERVAL_S
from wattproof.metering.stamps import ISO, StampReader

__all__ = ["FORMATS", "StampGuess", "guess_stamps"]

FORMATS: Final = (
    ISO,
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%m-%d-%Y %H:%M",
    "%d-%b-%Y %H:%M",
    "%Y年%m月%d日 %H:%M",
    "%Y%m%d %H:%M",
    "%Y%m%d%H%M",
    "%Y%m%d%H%M%S",
    "%d/%m/%y %H:%M",
    "%m/%d/%y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y年%m月%d日",
)
"""Forms that are tried, in this order where two fit equally well."""

FIRST: Final = 5
"""Stamps that must be readable before a form is tried on all."""
ENOUGH: Final = 0.9
"""The share of stamps that must be readable, and of steps that must be whole intervals."""

_TIME_OF_DAY: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2})?", re.ASCII)
_OFFSET: Final = re.compile(r"(Z|[+-]\d{2}:?\d{2})$", re.ASCII)
_ZONES: Final = (
    ("cest", "Europe/Berlin"),
    ("cet", "Europe/Berlin"),
    ("kst", "Asia/Seoul"),
    ("jst", "Asia/Tokyo"),
    ("北京时间", "Asia/Shanghai"),
)
"""What a column's name may say of its clock."""
_OPENS: Final = ("start", "begin", "from", "utc_timestamp", "起", "开始")
_CLOSES: Final = ("end", "until", "止", "结束")


class StampGuess(msgspec.Struct, frozen=True, kw_only=True):
    """The stamps as they seem to be; no `columns` where none was found.

    `interval_s` is 0 where it cannot be told. `day_or_month` says that the order of day and month
    could not be told from the rows that were looked at.
    """

    columns: tuple[str, ...] = ()
    format: str = ISO
    timezone: str = ""
    stamp: Literal["start", "end"] = "start"
    midnight: Literal["start", "end"] = "start"
    interval_s: int = 0
    day_or_month: bool = False


class _Fit(msgspec.Struct, frozen=True, kw_only=True):
    """How well a form fits: the share of regular steps, the interval, the first instant."""

    score: float
    interval_s: int
    first_s: int


def guess_stamps(header: Sequence[str], rows: Sequence[Sequence[str]], *, zone: str) -> StampGuess:
    """The best reading of the best column, or of two that hold a date and a time of day."""
    best: tuple[float, StampGuess] = (0.0, StampGuess(timezone=zone))
    for columns, texts in _candidates(header, rows):
        clock = _clock(header, columns, texts, zone)
        for format_, midnight, fit in _fits(texts, clock):
            if fit.score > best[0]:
                guess = StampGuess(
                    columns=columns,
                    format=format_,
                    timezone=clock,
                    stamp=_meaning(columns[0], texts, fit, clock, closes=midnight == "end"),
                    midnight=midnight,
                    interval_s=fit.interval_s,
                    day_or_month=_is_ambiguous(texts, format_),
                )
                best = (fit.score, guess)
        if best[0] >= ENOUGH:
            break
    return best[1]


def _candidates(
    header: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Columns that may hold stamps, a date with the time of day beside it first."""
    columns = [[row[at].strip() for row in rows] for at in range(len(header))]
    clocks = [
        at for at, texts in enumerate(columns)
        if texts and all(_TIME_OF_DAY.fullmatch(text) for text in texts[:FIRST])
    ]  # fmt: skip
    for at in clocks:
        day = at - 1
        if day >= 0:
            yield (
                (header[day], header[at]),
                [f"{a} {b}" for a, b in zip(columns[day], columns[at], strict=True)],
            )
    for at, texts in enumerate(columns):
        if any(texts) and at not in clocks:
            yield (header[at],), texts


def _fits(texts: Sequence[str], zone: str) -> Iterator[tuple[str, Literal["start", "end"], _Fit]]:
    given = [text for text in texts if text]
    meanings: tuple[Literal["start", "end"], ...] = ("start", "end")
    for format_ in FORMATS:
        for midnight in meanings:
            fit = _fit(given, format_, zone, closes=midnight == "end")
            if fit is not None:
                yield format_, midnight, fit


def _fit(texts: Sequence[str], format_: str, zone: str, *, closes: bool) -> _Fit | None:
    """How regular the times are when they are read so; None where they cannot be."""
    reader = StampReader(format_, zone=zone, midnight_closes=closes)
    times: list[int] = []
    for count, text in enumerate(texts):
        try:
            times.append(reader.read(text))
        except WattProofError:
            if count < FIRST:
                return None
    if len(times) < ENOUGH * len(texts) or len(times) < 2:
        return None
    steps = [after - before for before, after in pairwise(times)]
    forward = [step for step in steps if 0 < step <= MAX_INTERVAL_S]
    if not forward:
        return None
    interval_s = Counter(forward).most_common(1)[0][0]
    regular = sum(step > 0 and step % interval_s == 0 for step in steps)
    exact = sum(step == interval_s for step in steps)
    # Whole intervals that are missing are less likely than a wrong order of day and month.
    score = (regular + 3 * exact) / (4 * len(steps))
    return _Fit(score=score, interval_s=interval_s, first_s=times[0])


def _clock(header: Sequence[str], columns: tuple[str, ...], texts: Sequence[str], zone: str) -> str:
    """The zone that the names of the columns speak of."""
    here = columns[0].lower()
    carries = any(_OFFSET.search(text) for text in texts[:FIRST])
    if "utc" in here and not carries:
        return "UTC"
    for names in ((here,), tuple(name.lower() for name in header)):
        for word, found in _ZONES:
            if any(re.search(rf"(?<![a-z]){word}(?![a-z])", name) for name in names):
                return found
    return zone


def _meaning(
    name: str, texts: Sequence[str], fit: _Fit, zone: str, *, closes: bool
) -> Literal["start", "end"]:
    """Whether a stamp opens or closes its interval."""
    if closes or any(" 24:" in text or "T24:" in text for text in texts):
        return "end"
    lower = name.lower()
    if any(word in lower for word in _OPENS):
        return "start"
    if any(word in lower for word in _CLOSES):
        return "end"
    first = local_time(fit.first_s, zone)
    since_midnight_s = first.hour * 3600 + first.minute * 60 + first.second
    return "end" if 0 < since_midnight_s == fit.interval_s else "start"


def _is_ambiguous(texts: Sequence[str], format_: str) -> bool:
    """Whether every stamp could also be read with day and month the other way round."""
    if not format_.startswith(("%d/%m", "%m/%d", "%d-%m-", "%m-%d")):
        return False
    numbers = [re.findall(r"\d+", text)[:2] for text in texts if text]
    return all(len(pair) == 2 and max(map(int, pair)) <= 12 for pair in numbers)
