"""Whether the node is well, and its figures.

GET /healthz   200 when the newest block and its last entry can be read, else 503
GET /metrics   counters in the text format of Prometheus
"""

from __future__ import annotations

import logging
import sqlite3

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency

from wattproof.core.errors import Broken, ErrorCode, Unavailable
from wattproof.gateway.access import PUBLIC
from wattproof.gateway.errors import problems
from wattproof.gateway.ledger import latest_block
from wattproof.gateway.metrics import METRICS_MEDIA_TYPE, Metrics
from wattproof.gateway.reading import Ledger

__all__ = ["Health", "router"]

UNWELL = ErrorCode(
    Unavailable,
    "gateway.unwell",
    en="The ledger cannot be read.",
    zh="无法读取账本。",
)

log = logging.getLogger("wattproof.gateway")


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries the log has, and the newest block's height."""

    status: str
    entries: int
    height: int


@get("/healthz", responses=problems(503), summary="Whether the node is well", opt=PUBLIC)
async def show_health(ledger: Ledger) -> Health:
    """Reads the newest block and the last entry."""
    try:
        with ledger.snapshot():
            block = latest_block(ledger)
            ledger.entry(block.size - 1)
    except (sqlite3.Error, Broken, AssertionError) as error:
        log.error("the ledger cannot be read", exc_info=error)
        raise UNWELL() from error
    return Health(status="ok", entries=block.size, height=block.height)


@get("/metrics", media_type=METRICS_MEDIA_TYPE, summary="Figures for Prometheus", opt=PUBLIC)
async def show_metrics(metrics: NamedDependency[Metrics]) -> Response[bytes]:
    """Requests by route, method and status, and how far the ledger has come."""
    return Response(metrics.text())


def router() -> Router:
    """The routes."""
    return Router("/", route_handlers=[show_health, show_metrics], tags=["node"])
