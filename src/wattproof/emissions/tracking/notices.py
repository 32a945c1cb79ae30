"""Notices: what is told of an interrupt and of its end, in words and for programs."""

from __future__ import annotations

from typing import Literal

import msgspec

from wattproof.core.errors import Lang
from wattproof.core.periods import iso
from wattproof.core.units import format_amount
from wattproof.emissions.tracking.model import BINDINGS, InterruptRecord
from wattproof.emissions.tracking.percent import percent_text, percentage
from wattproof.emissions.tracking.syntax import binding_text
from wattproof.emissions.tracking.windows import base_of
from wattproof.emissions.tracking.words import unit_of
from wattproof.ledger.state import Reading

__all__ = ["Notice", "interrupt_notice"]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A message about one thing that happened, as it is sent.

    `id` is the same however often it is sent. `what` is ``interrupt``, ``over`` or ``report``;
    `entry` the log entry that made it happen, by which it can be proved. Sums and error are in
    `unit`; `percent` is in hundredths, None where there is nothing to divide by.
    """

    id: str
    ledger: str
    what: Literal["interrupt", "over", "report"]
    host: str
    number: int
    group: int
    binding: str
    set: int
    entry: int
    start: str
    end: str
    en: str
    zh: str
    line: int = 0
    unit: str = ""
    left: int | None = None
    right: int | None = None
    error: int | None = None
    percent: int | None = None
    digest: str = ""


def interrupt_notice(
    reading: Reading, record: InterruptRecord, *, over: bool, ledger_id: bytes, zone: str
) -> Notice:
    """The notice that an interrupt was raised, or that it is over; times in `zone`."""
    binding = reading.get(BINDINGS, record.host, record.group)
    text, unit, percent = str(record.group), "", None
    error = record.left - record.right
    if binding is not None:
        text = binding_text(binding.group, binding.left, binding.right)
        unit = unit_of(reading, binding)
        base = base_of(binding, left=record.left, right=record.right)
        percent = percentage(error, base)
    start, end = iso(record.start_s, zone), iso(record.end_s, zone)

    def amount(value: int, lang: Lang) -> str:
        return format_amount(value, unit, lang) if unit else f"{value:,}"

    share = f" ({percent_text(percent)})"
    if over:
        en = f"Interrupt {record.number} of {record.host} is over: group {text} is within its line."
        zh = f"{record.host} 的第 {record.number} 号中断已恢复：{text} 回到阈值以内。"
    else:
        en = (
            f"Interrupt {record.number} of {record.host}: from {start} to {end} the error of "
            f"{text} is {amount(error, 'en')}{share}, beyond line {record.line}."
        )
        zh = (
            f"{record.host} 的第 {record.number} 号中断：{start} 至 {end}，{text} 的误差为 "
            f"{amount(error, 'zh')}{share}，越过第 {record.line} 条阈值。"
        )
    what: Literal["interrupt", "over"] = "over" if over else "interrupt"
    return Notice(
        id=f"{ledger_id.hex()}/{record.host}/{record.number}/{what}",
        ledger=ledger_id.hex(),
        what=what,
        host=record.host,
        number=record.number,
        group=record.group,
        binding=text,
        set=record.set,
        line=record.line,
        entry=record.over_entry if over else record.entry,
        start=start,
        end=end,
        unit=unit,
        left=record.left,
        right=record.right,
        error=error,
        percent=percent,
        en=en,
        zh=zh,
    )
