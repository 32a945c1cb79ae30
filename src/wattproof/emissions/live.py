"""The lake of a running node: brought up to the log's end whenever somebody asks it something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakKeyDictionary

from wattproof.analytics.lake import Lake
from wattproof.analytics.log import Log, LogEntry, StoredLog
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
        self._read = 0

    @property
    def entries(self) -> int:
        """How many log entries were read so far; 0 before anybody asked."""
        return self._read

    def up_to_date(self, ledger: Store) -> Lake:
        """The lake, with all that is in the log now."""
        with self._guard:
            if self._lake is None:
                self._lake = lake_for(self._folder.lake, PROJECTORS, ledger_id=ledger.entry(0).id)
        log = _Watched(StoredLog(ledger, self._folder.machine.codec), self._note)
        project(log, self._lake, PROJECTORS)
        return self._lake

    def _note(self, entries: int) -> None:
        self._read = entries


class _Watched:
    """A log that tells how far it was read: segments are large, and people want to see it move."""

    def __init__(self, log: Log, note: Callable[[int], None]) -> None:
        self._log = log
        self._note = note

    @property
    def size(self) -> int:
        return self._log.size

    def read(self, first: int, count: int) -> Iterable[LogEntry]:
        self._note(first)
        return self._log.read(first, count)


_LAKES: Final[WeakKeyDictionary[LedgerFolder, LiveLake]] = WeakKeyDictionary()


def live_lake(folder: LedgerFolder) -> LiveLake:
    """The lake of an open ledger's folder, always the same for the same `LedgerFolder`."""
    return _LAKES.setdefault(folder, LiveLake(folder))
