"""The pages of nodes: what streams in, how nodes are, and one node.

GET  /tracking                     live: the host's nodes with their last packets
GET  /tracking/nodes               how they are: silent, wrong, gaps, factors
GET  /tracking/nodes/{device}      one node: factors that were entered, stages
"""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from wattproof.console.frame import Frame
from wattproof.console.visitor import Visitor, now_s
from wattproof.emissions.tracking.host_view import HostAsked, host_view
from wattproof.emissions.tracking.node_view import NodeView, node_view, nodes_of
from wattproof.gateway.access import may_see
from wattproof.gateway.reading import Asker, Ledger, Long
from wattproof.ledger.store import Store

__all__ = ["live_pages"]


@get("/tracking", include_in_schema=False)
async def show_live(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    long_reads: Long,
    actor: Asker,
    host: HostAsked = "",
) -> Response[Any]:
    """What streams in; the page asks for its table again from time to time."""
    view = host_view(ledger, visitor, actor, host)
    nodes = await long_reads.run(lambda: _nodes(ledger, view.host))
    return frame.page(
        visitor,
        "tracking/live.html",
        view=view,
        nodes=nodes,
        now_s=now_s(),
        seen=lambda node: may_see(actor, [node.device.owner]),
        counts={
            state: sum(node.state == state for node in nodes)
            for state in ("live", "silent", "waiting", "stopped")
        },
        wrong=sum(bool(node.wrong) for node in nodes),
    )


@get("/tracking/nodes", include_in_schema=False)
async def show_nodes(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    long_reads: Long,
    actor: Asker,
    host: HostAsked = "",
) -> Response[Any]:
    """How the nodes are."""
    view = host_view(ledger, visitor, actor, host)
    nodes = await long_reads.run(lambda: _nodes(ledger, view.host))
    return frame.page(visitor, "tracking/nodes.html", view=view, nodes=nodes)


def live_pages() -> list[HTTPRouteHandler]:
    """The handlers."""
    return [show_live, show_nodes]


def _nodes(ledger: Store, host: str) -> list[NodeView]:
    now = now_s()
    return [node_view(ledger, *found, now_s=now) for found in nodes_of(ledger, host)]
