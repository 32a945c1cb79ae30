"""What takes long to work out, kept between pages and renewed behind the reader's back.

A page waits a moment for the newest figures. Where they take longer it shows those that it has,
which say of themselves how old they are, and the next page finds the new ones. So a page is quick
however long the log is, and a log that grows all the time is not read all the time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from wattproof.gateway.long_reads import LongReads

__all__ = ["FIRST_WAIT_S", "MAX_KEPT", "WAIT_S", "Kept"]

WAIT_S: Final = 0.06
"""How long a page waits for newer figures when it has older ones, in seconds."""
FIRST_WAIT_S: Final = 5
"""How long it waits when it has none, from when the work on them began."""
REST: Final = 4
"""After work that took a second, so many seconds pass before it is done again."""
MAX_KEPT: Final = 256
"""Results that are kept; the one that was longest not asked for goes first."""

log = logging.getLogger("wattproof.console")

T = TypeVar("T")


class _Slot(Generic[T]):
    """One result, and the work on the next one."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.size = -1
        self.begun_at = 0.0
        self.next_at = 0.0
        self.work: asyncio.Task[T] | None = None


class Kept(Generic[T]):
    """Results by key, each of a log of some size. For one event loop."""

    def __init__(self) -> None:
        self._slots: OrderedDict[Hashable, _Slot[T]] = OrderedDict()

    async def get(
        self, key: Hashable, *, size: int, make: Callable[[], T], long_reads: LongReads
    ) -> T | None:
        """What `make` gave for this key when the log had `size` entries, or not long before.

        None while the first result takes longer than a page waits. Raises what `make` raises.
        """
        slot = self._slot(key)
        if slot.value is not None and slot.size == size:
            return slot.value
        now = time.monotonic()
        if slot.work is None and now < slot.next_at:
            return slot.value
        if slot.work is None:
            slot.begun_at = now
            slot.work = asyncio.create_task(self._renew(slot, size, make, long_reads))
            slot.work.add_done_callback(_look_at)
        wait_s = WAIT_S
        if slot.value is None:
            wait_s = max(WAIT_S, slot.begun_at + FIRST_WAIT_S - now)
        done, _ = await asyncio.wait([slot.work], timeout=wait_s)
        for work in done:
            return work.result()
        return slot.value

    def _slot(self, key: Hashable) -> _Slot[T]:
        slot = self._slots.setdefault(key, _Slot())
        self._slots.move_to_end(key)
        if len(self._slots) > MAX_KEPT:
            self._slots.popitem(last=False)
        return slot

    async def _renew(
        self, slot: _Slot[T], size: int, make: Callable[[], T], long_reads: LongReads
    ) -> T:
        started = time.monotonic()
        try:
            value = await long_reads.run(make)
            slot.value, slot.size = value, size
        finally:
            ended = time.monotonic()
            slot.next_at = ended + REST * (ended - started)
            slot.work = None
        return value


def _look_at(work: asyncio.Task[T]) -> None:
    """Log what went wrong, for it may be that no page waits any more."""
    if not work.cancelled() and (error := work.exception()) is not None:
        log.warning("figures could not be worked out", exc_info=error)
