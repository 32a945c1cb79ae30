"""The pages of notices: interrupts, the newest first, and what each of them is of.

GET  /tracking/notices            interrupts, those still open marked
GET  /tracking/notices/{number}   one: its window, the readings in it, its packet and proof
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Response

from wattproof.analytics.lake import Lake
from wattproof.analytics.readings import READINGS
from wattproof.analytics.snapshot import Snapshot
from wattproof.console.frame import Frame
from wattproof.console.kept import Kept
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, Lang, NotFound
from wattproof.core.units import base_unit
from wattproof.emissions.live import live_lake
from wattproof.emissions.tracking.forms import line_text
from wattproof.emissions.tracking.host_view import HostAsked, host_view, newest_first
from wattproof.emissions.tracking.model import (
    BINDINGS,
    HOSTS,
    INTERRUPTS,
    PORTS,
    THRESHOLDS,
    Binding,
    InterruptRecord,
    Line,
    Port,
)
from wattproof.emissions.tracking.percent import percent_text, percentage
from wattproof.emissions.tracking.syntax import binding_text
from wattproof.emissions.tracking.windows import base_of
from wattproof.emissions.tracking.words import unit_of
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.gateway.sight import Sight
from wattproof.gateway.words import decode_entry
from wattproof.identity.model import DEVICES
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Entry, Store

__all__ = ["NoticeView", "WindowReading", "notice_pages"]

READINGS_SHOWN: Final = 500
"""Readings of one port in one window that a page holds."""

NO_NOTICE = ErrorCode(
    NotFound,
    "emissions.interrupt_unknown",
    en="{host} has had no interrupt {number}.",
    zh="{host} 没有第 {number} 号中断。",
)

Before = Annotated[int | None, QueryParameter(ge=1, le=2**53)]


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """An interrupt in words; `binding` is None where its group was released or bound anew since."""

    record: InterruptRecord
    binding: Binding | None
    text: str
    unit: str
    line: str
    percent: str

    @property
    def error(self) -> int:
        """Left less right, in `unit`."""
        return self.record.left - self.record.right

    @property
    def is_open(self) -> bool:
        """Whether it lasts."""
        return self.record.over_entry < 0


class WindowReading(msgspec.Struct, frozen=True, kw_only=True):
    """A reading in a window: base units, grams (None without a factor), and its log entry."""

    start_s: int
    seconds: int
    amount: int
    emission_g: int | None
    entry: int


PortReadings = tuple[Port, str, Literal["left", "right"], list[WindowReading]]
"""A port, its unit, its side, and its readings in a window."""


@get("/tracking/notices", include_in_schema=False)
async def list_notices(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    host: HostAsked = "",
    before: Before = None,
) -> Response[Any]:
    """The interrupts of a host."""
    view = host_view(ledger, visitor, actor, host)
    record = ledger.get(HOSTS, view.host)
    count = 0 if record is None else record.interrupts
    found, older, newest = newest_first(ledger, INTERRUPTS, view.host, count=count, before=before)
    return frame.page(
        visitor,
        "tracking/notices.html",
        view=view,
        notices=[_notice(ledger, one, visitor.lang) for one in found],
        older=older,
        newest=newest,
    )


@get("/tracking/notices/{number:int}", include_in_schema=False)
async def show_notice(
    number: FromPath[int],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    folder: NamedDependency[LedgerFolder],
    machine: NamedDependency[Machine],
    sight: NamedDependency[Sight],
    long_reads: Long,
    actor: Asker,
    kept: NamedDependency[Kept[list[PortReadings]]],
    host: HostAsked = "",
) -> Response[Any]:
    """One interrupt, and what it was raised by."""
    view = host_view(ledger, visitor, actor, host)
    record = ledger.get(INTERRUPTS, view.host, number) if 0 < number < 2**53 else None
    if record is None:
        raise NO_NOTICE(host=view.host, number=number)
    notice, live, size = _notice(ledger, record, visitor.lang), live_lake(folder), ledger.size

    def make() -> list[PortReadings]:
        return _readings(ledger, live.up_to_date(ledger), notice)

    found = await kept.get((view.host, number), size=size, make=make, long_reads=long_reads)
    if found is None:
        return frame.page(visitor, "tracking/preparing.html", done=live.entries, size=size)
    entry = ledger.entry(record.entry)
    return frame.page(
        visitor,
        "tracking/notice.html",
        view=view,
        notice=notice,
        readings=found,
        most=READINGS_SHOWN,
        seen={port.device: _seen(ledger, actor, port.device) for port, *_ in found},
        watched=ledger.get(THRESHOLDS, view.host, record.group, record.set) is not None,
        proof=entry.id.hex(),
        shown_entries=_shown(ledger, machine, sight, actor, [record.entry, record.over_entry]),
    )


def notice_pages() -> Sequence[Router]:
    """The handlers, with what they keep between pages."""
    kept: Kept[list[PortReadings]] = Kept()
    given = {"kept": Provide(lambda: kept, sync_to_thread=False)}
    return [Router("/", route_handlers=[list_notices, show_notice], dependencies=given)]


def _notice(ledger: Store, record: InterruptRecord, lang: Lang) -> NoticeView:
    binding = ledger.get(BINDINGS, record.host, record.group)
    if binding is not None and binding.entry > record.entry:
        binding = None
    unit = "" if binding is None else unit_of(ledger, binding)
    kind: Literal["absolute", "percent"] = "percent" if record.unit == "percent" else "absolute"
    percent = ""
    if binding is not None:
        base = base_of(binding, left=record.left, right=record.right)
        percent = percent_text(percentage(record.left - record.right, base))
    return NoticeView(
        record=record,
        binding=binding,
        text=str(record.group)
        if binding is None
        else binding_text(binding.group, binding.left, binding.right),
        unit=unit,
        line=line_text(Line(value=record.value, unit=kind), unit, lang),
        percent=percent,
    )


def _readings(ledger: Store, lake: Lake, notice: NoticeView) -> list[PortReadings]:
    """The readings in the window, port by port; none where the binding is gone."""
    binding, record = notice.binding, notice.record
    if binding is None:
        return []
    sides: list[tuple[Literal["left", "right"], tuple[int, ...]]] = [
        ("left", binding.left),
        ("right", binding.right),
    ]

    def work(snapshot: Snapshot) -> list[PortReadings]:
        found: list[PortReadings] = []
        for side, numbers in sides:
            for number in numbers:
                port = ledger.get(PORTS, record.host, number)
                assert port is not None, "bound ports stay"
                rows = _in_window(snapshot, port.meter, record.start_s, record.end_s)
                found.append((port, base_unit(port.quantity), side, rows))
        return found

    return lake.read(work)


def _in_window(snapshot: Snapshot, meter: int, start_s: int, end_s: int) -> list[WindowReading]:
    relation = snapshot.relation(READINGS.name, meter=(meter, meter))
    rows = snapshot.db.execute(
        f"SELECT start_s, interval_s, amount, emission_g, entry FROM {relation}"
        " WHERE meter = ? AND start_s >= ? AND start_s < ? ORDER BY start_s, entry LIMIT ?",
        (meter, start_s, end_s, READINGS_SHOWN),
    )
    return [
        WindowReading(start_s=at_s, seconds=seconds, amount=amount, emission_g=grams, entry=entry)
        for at_s, seconds, amount, grams, entry in rows.fetchall()
    ]


def _seen(ledger: Store, actor: Actor, device: str) -> bool:
    """Whether the log entries of a device's packets are shown to `actor`."""
    found = ledger.get(DEVICES, device)
    return found is not None and may_see(actor, [found.owner])


def _shown(
    ledger: Store, machine: Machine, sight: Sight, actor: Actor, indices: Sequence[int]
) -> set[int]:
    """Those of the log entries whose contents `actor` may see."""

    def allowed(entry: Entry) -> bool:
        return sight.allows(actor, ledger, decode_entry(machine.codec, entry))

    return {index for index in indices if index >= 0 and allowed(ledger.entry(index))}
