"""The lake of a running node: brought up to the log's end whenever somebody asks it something."""

from __future__ import annotations

import threading
from typing import Final
from weakref import WeakKeyDictionary

from wattproof.analytics.lake import Lake
from wattproof.analytics.log import StoredLog
from wattproof.analytics.project import lake_for, project
from wattproof.emissions.life import PROJECTORS
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.store import Store

__all__ = ["LiveLake", "live_lake"]


class LiveLake:
    """One lake for all who ask in this process. Projecting and reading take their time: call both
    in a thread of their own (`gateway.long_reads`).
    """

    def __init__(self, folder: LedgerFolder) -> None:
        self._folder: Final = folder
        self._guard = threading.Lock()
        self._lake: Lake | None = None

    @property
    def entries(self) -> int:
        """How many log entries are in the lake so far; 0 before anybody asked."""
        return 0 if self._lake is None else self._lake.cursor

    def up_to_date(self, ledger: Store) -> Lake:
        """The lake, with all that is in the log now."""
        with self._guard:
            if self._lake is None:
                self._lake = lake_for(self._folder.lake, PROJECTORS, ledger_id=ledger.entry(0).id)
        log = StoredLog(ledger, self._folder.machine.codec)
        project(log, self._lake, PROJECTORS)
        return self._lake


_LAKES: Final[WeakKeyDictionary[LedgerFolder, LiveLake]] = WeakKeyDictionary()


def live_lake(folder: LedgerFolder) -> LiveLake:
    """The lake of an open ledger's folder, always the same for the same `LedgerFolder`."""
    return _LAKES.setdefault(folder, LiveLake(folder))
