"""The pages of carbon tracking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from wattproof.console.frame import NavItem, Room
from wattproof.console.i18n import marked
from wattproof.emissions.tracking.error_pages import error_pages
from wattproof.emissions.tracking.line_pages import line_pages
from wattproof.emissions.tracking.live_pages import live_pages
from wattproof.emissions.tracking.node_page import node_page
from wattproof.emissions.tracking.notice_pages import notice_pages
from wattproof.emissions.tracking.report_pages import report_pages
from wattproof.emissions.tracking.rollup_pages import rollup_pages
from wattproof.emissions.tracking.wiring_pages import wiring_pages

__all__ = ["ROOM", "pages"]

ROOM: Final = Room(
    name="tracking",
    package="wattproof.emissions.tracking",
    navigation=(NavItem(path="/tracking", text=marked("Tracking"), icon="link", order=17),),
)


def pages() -> Sequence[HTTPRouteHandler | Router]:
    """The handlers, with what they keep between pages."""
    return [
        *live_pages(),
        *wiring_pages(),
        *error_pages(),
        *line_pages(),
        *notice_pages(),
        *report_pages(),
        *node_page(),
        *rollup_pages(),
    ]
