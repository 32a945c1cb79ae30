"""What meters have reported, over HTTP.

GET /api/v1/meters/{id}/stream
GET /api/v1/meters/{id}/packets
"""

from __future__ import annotations

import msgspec
from litestar import Router, get

from wattproof.core.actor import Actor
from wattproof.core.errors import Broken, ErrorCode, NotFound
from wattproof.gateway.access import require_sight
from wattproof.gateway.errors import problems
from wattproof.gateway.reading import Asker, Cursor, Id, Ledger, Limit, Page, page_with, shown
from wattproof.identity.model import DEVICES
from wattproof.identity.queries import device
from wattproof.ledger.chain import receipt_of
from wattproof.ledger.store import Store
from wattproof.metering.model import PACKETS, STREAMS, PacketAccepted, PacketRow, Stream

__all__ = ["PacketDetail", "router"]

NO_STREAM = ErrorCode(
    NotFound,
    "metering.not_reported",
    en="The meter {device} has not reported yet.",
    zh="表计 {device} 尚未上报。",
)
NO_EVENT = ErrorCode(
    Broken,
    "metering.no_event",
    en="Log entry {entry} does not say that a packet was accepted in it.",
    zh="日志条目 {entry} 没有数据包被接受的记录。",
)


class PacketDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A packet: where it is and what it closed with, and what was said when it was accepted.

    `accepted` tells its amount and its flags: `outcomes`, gaps, what was not measured. The readings
    are in the transaction of log entry `row.entry`.
    """

    row: PacketRow
    accepted: PacketAccepted


@get("/meters/{id:str}/stream", responses=problems(400, 404), summary="Where a meter has got to")
async def show_stream(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
) -> Stream:
    """The meter's register, totals, and what its next packet must fit."""
    number = _number(ledger, id, actor)
    stream = ledger.get(STREAMS, number)
    if stream is None:
        raise NO_STREAM(device=id)
    return shown(stream)


@get("/meters/{id:str}/packets", responses=problems(400, 404), summary="A meter's packets")
async def list_packets(
    id: Id,  # noqa: A002
    ledger: Ledger,
    actor: Asker,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[PacketDetail]:
    """The packets of a meter with their flags, by sequence number."""
    number = _number(ledger, id, actor)
    return page_with(
        ledger,
        PACKETS,
        None,
        (number,),
        cursor=cursor,
        limit=limit,
        show=lambda row: shown(_detail(ledger, row)),
    )


def router() -> Router:
    """The routes, below ``/api/v1``."""
    return Router("/api/v1", route_handlers=[show_stream, list_packets], tags=["metering"])


def _number(ledger: Store, id_: str, actor: Actor) -> int:
    """The number, if `actor` may see the meter; else the same answer whether it exists or not."""
    found = ledger.get(DEVICES, id_)
    require_sight(actor, () if found is None else [found.owner])
    return device(ledger, id_).number


def _detail(ledger: Store, row: PacketRow) -> PacketDetail:
    receipt = receipt_of(ledger.entry(row.entry), first=False)
    for name, fields in receipt.events:
        if name == PacketAccepted.name:
            accepted = msgspec.convert(fields, PacketAccepted)
            return PacketDetail(row=row, accepted=accepted)
    raise NO_EVENT(entry=row.entry)
