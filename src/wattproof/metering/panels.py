"""What rooms above add to a meter's page: the factor in force, what it emitted, its life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from wattproof.console.words import Words
from wattproof.core.errors import Lang
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.long_reads import LongReads
from wattproof.identity.model import Device
from wattproof.ledger.store import Store
from wattproof.metering.model import Stream

__all__ = ["Asked", "Panel", "PanelOf", "Panels"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The meter whose page is made, in which language, and what a panel may read.

    There is no stream before the first packet.
    """

    device: Device
    stream: Stream | None
    ledger: Store
    folder: LedgerFolder
    long_reads: LongReads
    words: Words
    lang: Lang


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the page: a template, the values it finds under ``panel``, and its place."""

    template: str
    values: Mapping[str, Any]
    place: Literal["side", "below"]


PanelOf = Callable[[Asked], Awaitable[Panel]]
"""Makes the panel of a meter."""


class Panels:
    """The panels of every meter's page, in their order."""

    def __init__(self, panels: Iterable[PanelOf]) -> None:
        self._panels = tuple(panels)

    async def of(self, asked: Asked) -> list[Panel]:
        """Those of one meter."""
        return [await panel(asked) for panel in self._panels]
