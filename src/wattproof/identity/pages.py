"""The pages of identity: parties, devices, and the queue of devices that wait for somebody."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Response

from wattproof.console.frame import Frame, NavItem, Room
from wattproof.console.visitor import Visitor
from wattproof.gateway.reading import Asker, Cursor, Ledger, page_of
from wattproof.identity import device_pages, key_pages, party_pages
from wattproof.identity.actions import DEVICE_ACTIONS, Queue, queues
from wattproof.identity.labels import statuses
from wattproof.identity.model import DEVICES
from wattproof.ledger.store import Store

__all__ = ["ROOM", "pages"]

PER_PAGE: Final = 50
COUNTED: Final = 99
"""Waiting devices that are counted at most; beyond it a badge says that there are more."""

ROOM: Final = Room(
    name="identity",
    package="wattproof.identity",
    navigation=(
        NavItem(path="/queue", text="Waiting", icon="clock", order=20),
        NavItem(path="/devices", text="Devices", icon="cpu", order=30),
        NavItem(path="/parties", text="Parties", icon="users", order=40),
    ),
)


@get("/queue", include_in_schema=False)
async def show_queue(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
    step: Annotated[str, QueryParameter(max_length=32)] = "",
    cursor: Cursor = None,
) -> Response[Any]:
    """The devices that wait for one step, and how many wait for each."""
    offered = queues(actor)
    counts = {queue.name: _count(ledger, queue) for queue in offered}
    chosen = _chosen(offered, counts, step)
    page = None
    if chosen is not None:
        page = page_of(
            ledger,
            DEVICES,
            chosen.index,
            chosen.values,
            cursor=cursor,
            limit=PER_PAGE,
            keep=chosen.keep,
        )
    return frame.page(
        visitor,
        "identity/queue.html",
        queues=offered,
        counts=counts,
        most=COUNTED,
        chosen=chosen,
        page=page,
        actions=DEVICE_ACTIONS,
        statuses=statuses(visitor.lang),
    )


def pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [show_queue, *party_pages.handlers(), *device_pages.handlers(), *key_pages.handlers()]


def _count(ledger: Store, queue: Queue) -> int:
    """How many devices wait, up to one more than are counted."""
    found = ledger.page(DEVICES, queue.index, queue.values, after=None, limit=COUNTED + 1)
    return len(found) if queue.keep is None else sum(map(queue.keep, found))


def _chosen(offered: tuple[Queue, ...], counts: dict[str, int], name: str) -> Queue | None:
    """The queue of that name; else the first of one's own in which something waits."""
    for queue in offered:
        if queue.name == name:
            return queue
    waiting = [queue for queue in offered if queue.yours and counts[queue.name]]
    return next(iter(waiting), next(iter(offered), None))
