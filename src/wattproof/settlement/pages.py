"""The pages of settlement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from wattproof.console.frame import NavItem, Room
from wattproof.console.i18n import marked
from wattproof.settlement import (
    contract_pages,
    own_pages,
    tariff_pages,
    trade_pages,
    wallet_pages,
)
from wattproof.settlement.pool_pages import pool_pages
from wattproof.settlement.region_pages import region_pages
from wattproof.settlement.run_pages import run_pages
from wattproof.settlement.statement_pages import statement_pages
from wattproof.settlement.traces import pages as trace_pages

__all__ = ["ROOM", "pages"]

ROOM: Final = Room(
    name="settlement",
    package="wattproof.settlement",
    navigation=(
        NavItem(path="/my-electricity", text=marked("My electricity"), icon="bolt", order=12),
        NavItem(path="/settlement", text=marked("Settlement"), icon="coins", order=19),
    ),
)


def pages() -> Sequence[HTTPRouteHandler | Router]:
    """The handlers, with what they keep between pages."""
    return [
        *region_pages(),
        *run_pages(),
        *statement_pages(),
        *pool_pages(),
        *wallet_pages.pages(),
        *tariff_pages.pages(),
        *contract_pages.pages(),
        *trade_pages.pages(),
        *own_pages.pages(),
        *trace_pages.pages(),
    ]
