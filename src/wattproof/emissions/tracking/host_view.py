"""Whose wiring a page is about: one's own, or for those who see all any host's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, TypeVar
from urllib.parse import quote

import msgspec
from litestar.params import QueryParameter

from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.core.errors import ErrorCode, Unauthorised
from wattproof.emissions.tracking.model import MAX_NUMBER, PORTS, THRESHOLDS
from wattproof.gateway.access import may_see, require_sight
from wattproof.ledger.state import Collection, Reading, Record
from wattproof.ledger.store import Store

__all__ = [
    "HOSTS_OFFERED",
    "HostAsked",
    "HostView",
    "acting",
    "host_view",
    "newest_first",
    "open_interrupts",
]

HOSTS_OFFERED: Final = 200
"""Hosts that are offered to choose from; others can be typed in."""

PER_PAGE: Final = 50
"""Records on a page of a long list."""

N = TypeVar("N", bound=Record)

NOT_HOST = ErrorCode(
    Unauthorised,
    "emissions.not_host",
    en="Only {host} itself changes its wiring.",
    zh="只有 {host} 本身可以更改其接线。",
)

HostAsked = Annotated[str, QueryParameter(max_length=64, description="The host that is meant.")]


class HostView(msgspec.Struct, frozen=True, kw_only=True):
    """A host as a visitor looks at it.

    `acts` says that the visitor signs for it; `first` that it is the visitor's own and is shown
    where none is asked for, so that addresses leave it out. `hosts` are those to choose from, empty
    for who sees only one. `interrupts` is how many are open.
    """

    host: str
    acts: bool
    first: bool
    hosts: tuple[str, ...]
    sees_all: bool
    interrupts: int

    def path(self, path: str) -> str:
        """A path of this host's pages as a link has it."""
        if self.first or not self.host:
            return path
        return f"{path}{'&' if '?' in path else '?'}host={quote(self.host, safe='')}"


def host_view(ledger: Store, visitor: Visitor, actor: Actor, asked: str) -> HostView:
    """The host that is meant: `asked`, or without it the visitor's party, or the first there is.

    Raises ``gateway.not_yours`` for another party's, whether it is there or not.
    """
    sees_all = may_see(actor, ())
    hosts = tuple(_hosts(ledger)) if sees_all else ()
    first = actor.id if actor.id in hosts or not hosts else hosts[0]
    host = asked.strip() or first
    require_sight(actor, [host])
    return HostView(
        host=host,
        acts=visitor.signed_in and host == actor.id,
        first=host == actor.id == first,
        hosts=hosts,
        sees_all=sees_all,
        interrupts=open_interrupts(ledger, host),
    )


def acting(ledger: Store, visitor: Visitor) -> HostView:
    """The visitor's own wiring, to be changed; raises ``gateway.sign_in_needed``."""
    party = visitor.signed_in_as.user.party
    return HostView(
        host=party,
        acts=True,
        first=True,
        hosts=(),
        sees_all=False,
        interrupts=open_interrupts(ledger, party),
    )


def newest_first(
    reading: Reading, collection: Collection[N], host: str, *, count: int, before: int | None
) -> tuple[list[N], int | None, bool]:
    """A page of what a host numbers from 1 to `count`, from below `before` downwards.

    Gives the records, the number below which older ones are found (None: there are none), and
    whether the page begins with the newest.
    """
    top = count if before is None else min(count, before - 1)
    numbers = range(top, max(0, top - PER_PAGE), -1)
    found = [one for number in numbers if (one := reading.get(collection, host, number))]
    return found, numbers[-1] if numbers and numbers[-1] > 1 else None, top == count


def open_interrupts(reading: Reading, host: str) -> int:
    """How many interrupts of a host are open: each stands with the line that it is of."""
    if not host:
        return 0
    found = reading.scan(THRESHOLDS, host)
    return sum(bool(line.open) for threshold in found for line in threshold.lines)


def _hosts(ledger: Store) -> Iterator[str]:
    """The parties that have ports, by id; each is found with one read."""
    after = None
    for _ in range(HOSTS_OFFERED):
        found = ledger.page(PORTS, after=after, limit=1)
        if not found:
            return
        yield found[0].host
        after = (found[0].host, MAX_NUMBER)
