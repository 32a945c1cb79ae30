"""A settled region as a visitor looks at it: whether it is the visitor's own, and what is seen."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from wattproof.console.visitor import Visitor
from wattproof.core.actor import Actor
from wattproof.gateway.access import may_see
from wattproof.ledger.state import Reading
from wattproof.settlement.model import DefineRegion
from wattproof.settlement.queries import region_of
from wattproof.settlement.records import Region

__all__ = ["RegionView", "may_define", "region_view"]


class RegionView(msgspec.Struct, frozen=True, kw_only=True):
    """A region for one visitor.

    `operates` says that the visitor signs for who settles it; `sees_meters` that single meters and
    their owners may be shown: to who settles the region, and to those who see all.
    """

    region: Region
    operates: bool
    sees_meters: bool

    @property
    def id(self) -> str:
        """The region's code."""
        return self.region.region

    def path(self, rest: str = "") -> str:
        """A path of this region's pages as a link has it."""
        return f"/settlement/regions/{quote(self.region.region, safe='')}{rest}"


def region_view(ledger: Reading, visitor: Visitor, actor: Actor, id_: str) -> RegionView:
    """The region; raises ``settlement.region_unknown``."""
    region = region_of(ledger, id_[:64])
    own = visitor.signed_in and actor.id == region.operator
    return RegionView(
        region=region, operates=own, sees_meters=own or may_see(actor, [region.operator])
    )


def may_define(visitor: Visitor) -> bool:
    """Whether the visitor signs for a party that may settle regions."""
    return visitor.signed_in and visitor.has_role(*DefineRegion.spec.by)
