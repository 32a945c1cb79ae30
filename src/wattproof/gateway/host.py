"""What the composition root hands to the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from litestar.plugins import PluginProtocol
from litestar.types import ControllerRouterHandler

from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.gateway.access import Policy
from wattproof.gateway.limits import RateLimit
from wattproof.gateway.sight import Sight

__all__ = ["Host"]


@dataclass(frozen=True, kw_only=True)
class Host:
    """A ledger opened for writing, and what is served over HTTP beside the ledger itself.

    Whoever opened the `writer` closes it, after the server has stopped. `routers` are the rooms'
    routes; `plugins` may change the application's configuration before it is made (templates,
    sessions, pages for errors). `limit` bounds what one client may submit. While
    `open_to_anybody` says so, reads need no sign-in (see `access`). `sight` decides who sees what a
    log entry says.
    """

    folder: LedgerFolder
    writer: Writer
    version: str
    routers: Sequence[ControllerRouterHandler] = ()
    plugins: Sequence[PluginProtocol] = ()
    limit: RateLimit = field(default_factory=RateLimit)
    open_to_anybody: Policy = lambda: True
    sight: Sight = field(default_factory=Sight)
