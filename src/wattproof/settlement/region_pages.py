"""The pages of regions: the list of those that are settled.

GET  /settlement                       the regions that are settled here
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.response import Response

from wattproof.console.frame import Frame
from wattproof.console.visitor import Visitor
from wattproof.gateway.reading import Asker, Ledger
from wattproof.settlement.queries import regions, sums_of
from wattproof.settlement.region_view import may_define, region_view

__all__ = ["region_pages"]


@get("/settlement", include_in_schema=False)
async def list_regions(
    visitor: NamedDependency[Visitor],
    frame: NamedDependency[Frame],
    ledger: Ledger,
    actor: Asker,
) -> Response[Any]:
    """The regions, each with the value of all that was settled of it."""
    with ledger.snapshot():
        found = [
            (region_view(ledger, visitor, actor, one.region), sums_of(ledger, one.region))
            for one in regions(ledger)
        ]
    return frame.page(
        visitor, "settlement/regions.html", regions=found, defines=may_define(visitor)
    )


def region_pages() -> Sequence[Router]:
    """The handlers."""
    return [Router("/", route_handlers=[list_regions])]
