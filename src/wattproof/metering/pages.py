"""The pages of metering.

GET /meters                      the meters that the visitor may see, and how far each has got
GET /meters/{id}                 one meter: register, last days, packets, what rooms above add
GET /meters/{id}/readings.csv    its readings as a file
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.response import Response
from litestar.response import Stream as Streamed

from wattproof.console.chart import Line, TimeChart
from wattproof.console.frame import Frame, NavItem, Room
from wattproof.console.i18n import marked, step_label
from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import Lang
from wattproof.core.periods import iso, parse_time
from wattproof.core.units import QUANTITY_LABELS, base_unit, quantity_label
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.access import may_see, require_sight
from wattproof.gateway.reading import Asker, Cursor, Ledger, Long, page_with
from wattproof.identity.lifecycle import DEVICE_STATUSES
from wattproof.identity.model import DEVICES, Device
from wattproof.identity.queries import device as known_device
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store
from wattproof.metering.history import Reading, Report, Sums, hours, readings, reports
from wattproof.metering.model import OUTCOMES, STREAMS, Stream
from wattproof.metering.panels import Asked, PanelOf, Panels

__all__ = ["ROOM", "pages"]

PER_PAGE: Final = 50
PACKETS_SHOWN: Final = 25
PACKETS_CHARTED: Final = 300
"""So many of the newest packets are read for the chart: three days of one a quarter of an hour."""
LINES_AT_ONCE: Final = 1_000
"""Lines of a file that are sent at a time."""

ROOM: Final = Room(
    name="metering",
    package="wattproof.metering",
    navigation=(NavItem(path="/meters", text=marked("Meters"), icon="gauge", order=15),),
)

HEAD: Final = "begins,seconds,amount,unit,quality,packet,log_entry\n"

Text = Annotated[str, QueryParameter(max_length=64)]
Before = Annotated[int | None, QueryParameter(ge=1, le=2**53)]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A meter in the list; there is no stream before its first packet."""

    device: Device
    unit: str
    stream: Stream | None
    missing: int


@get("/meters", include_in_schema=False)
async def list_meters(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
    status: Text = "",
    quantity: Text = "",
    owner: Text = "",
) -> Response[Any]:
    """The meters that the visitor may see, by id."""
    status = status if status in DEVICE_STATUSES else ""
    index, values = _index(actor, status=status, owner=owner)
    page = page_with(
        ledger,
        DEVICES,
        index,
        values,
        cursor=cursor,
        limit=PER_PAGE,
        show=lambda device: _row(ledger, device),
        keep=lambda device: (
            status in ("", device.status)
            and owner in ("", device.owner)
            and quantity in ("", device.quantity)
            and may_see(actor, [device.owner])
        ),
    )
    return frame.page(
        visitor,
        "metering/meters.html",
        page=page,
        asked={"status": status, "quantity": quantity, "owner": owner},
        quantities=sorted(QUANTITY_LABELS),
        sees_all=may_see(actor, ()),
        statuses={name: words[visitor.lang == "zh"] for name, words in DEVICE_STATUSES.items()},
    )


@get("/meters/{meter_id:str}", include_in_schema=False)
async def show_meter(
    meter_id: FromPath[str],
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    machine: NamedDependency[Machine],
    folder: NamedDependency[LedgerFolder],
    long_reads: Long,
    actor: Asker,
    panels: NamedDependency[Panels],
    before: Before = None,
) -> Response[Any]:
    """One meter."""
    device = _seen(ledger, actor, meter_id)
    stream = ledger.get(STREAMS, device.number)
    asked = Asked(
        device=device,
        stream=stream,
        ledger=ledger,
        folder=folder,
        long_reads=long_reads,
        words=frame.words,
        lang=visitor.lang,
    )
    found: list[Report] = []
    sums = Sums(bounds=(), amounts=())
    if stream is not None:
        found = reports(ledger, stream, before=before, limit=PACKETS_SHOWN)
        sums = hours(ledger, machine.codec, stream, packets=PACKETS_CHARTED, zone=device.zone)
    return frame.page(
        visitor,
        "metering/meter.html",
        device=device,
        unit=base_unit(device.quantity),
        stream=stream,
        missing=_missing(stream),
        reports=found,
        older=found[-1].row.sequence if found and found[-1].row.sequence > 1 else None,
        before=before,
        chart=_chart(device, sums, visitor.lang),
        outcomes={row.name: (row.en, row.zh)[visitor.lang == "zh"] for row in OUTCOMES},
        panels=await panels.of(asked),
    )


@get("/meters/{meter_id:str}/readings.csv", include_in_schema=False)
async def download_readings(
    meter_id: FromPath[str],
    ledger: Ledger,
    machine: NamedDependency[Machine],
    actor: Asker,
    first: Annotated[str, QueryParameter(name="from", max_length=40)] = "",
    end: Annotated[str, QueryParameter(name="to", max_length=40)] = "",
) -> Streamed:
    """The readings that begin from a day or time up to another, in the meter's local time."""
    device = _seen(ledger, actor, meter_id)
    found = readings(
        ledger,
        machine.codec,
        device.number,
        start_s=parse_time(first, device.zone) if first else 0,
        end_s=parse_time(end, device.zone) if end else 2**53,
    )
    return Streamed(
        _file(device, found),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{device.id}-readings.csv"'},
    )


def pages(panels: Iterable[PanelOf] = ()) -> Sequence[HTTPRouteHandler | Router]:
    """The handlers; `panels` are what rooms above add to a meter's page."""
    all_panels = Panels(panels)
    given = Provide(lambda: all_panels, sync_to_thread=False)
    handlers = [list_meters, show_meter, download_readings]
    return [Router("/", route_handlers=handlers, dependencies={"panels": given})]


def _seen(ledger: Store, actor: Actor, id_: str) -> Device:
    """The device, if `actor` may see its readings; else the same answer as if there were none."""
    device = ledger.get(DEVICES, id_)
    require_sight(actor, () if device is None else [device.owner])
    return known_device(ledger, id_[:64]) if device is None else device


def _index(actor: Actor, *, status: str, owner: str) -> tuple[str | None, tuple[str, ...]]:
    """The index that finds what may be seen without looking at all devices."""
    if not may_see(actor, ()):
        return "owner", (actor.id,)
    if owner:
        return "owner", (owner,)
    return ("status", (status,)) if status else (None, ())


def _row(ledger: Store, device: Device) -> Row:
    stream = ledger.get(STREAMS, device.number)
    return Row(
        device=device, unit=base_unit(device.quantity), stream=stream, missing=_missing(stream)
    )


def _missing(stream: Stream | None) -> int:
    """Readings that are missing between the first and the last, by the present interval."""
    if stream is None:
        return 0
    wanted = (stream.end_s - stream.start_s) // stream.interval_s
    return max(0, wanted - stream.readings)


def _chart(device: Device, sums: Sums, lang: Lang) -> TimeChart | None:
    if not sums.amounts:
        return None
    starts = sums.bounds[:-1]
    days = [step_label(start, "day", device.zone, lang) for start in starts]
    clocks = [step_label(start, "hour", device.zone, lang) for start in starts]
    name = quantity_label(device.quantity, lang)
    return TimeChart(
        title="最近几日（按小时）" if lang == "zh" else "The last days, by hour",
        unit=base_unit(device.quantity),
        steps=[f"{day} {clock}" for day, clock in zip(days, clocks, strict=True)],
        lines=[Line(name=name, values=sums.amounts)],
    )


def _file(device: Device, found: Iterator[Reading]) -> Iterator[str]:
    """The lines of the file, many at a time."""
    unit, zone = base_unit(device.quantity), device.zone
    lines = [HEAD]
    for one in found:
        lines.append(
            f"{iso(one.start_s, zone)},{one.seconds},{one.amount},{unit},{one.quality},"
            f"{one.sequence},{one.entry}\n"
        )
        if len(lines) >= LINES_AT_ONCE:
            yield "".join(lines)
            lines = []
    yield "".join(lines)
