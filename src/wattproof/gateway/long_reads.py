"""Reads that take their time, done beside the event loop and few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from wattproof.core.errors import ErrorCode, Unavailable

__all__ = ["AT_ONCE", "MAX_WAITING", "LongReads"]

AT_ONCE: Final = 2
"""Long reads that are done at once: each may use every core and much memory."""

MAX_WAITING: Final = 32
"""Long reads that may be done or wait at once; more are turned away."""

TOO_MANY_READS = ErrorCode(
    Unavailable,
    "gateway.reads_waiting",
    en="{limit} long reads are waiting already; try again.",
    zh="已有 {limit} 个耗时查询在等待，请稍后重试。",
)

T = TypeVar("T")


class LongReads:
    """A few threads of the application's own, each with its own view of the ledger."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wattproof-read")
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` gives, done in a thread. Raises `TOO_MANY_READS`, and what `work` raises."""
        if self._waiting >= MAX_WAITING:
            raise TOO_MANY_READS(limit=MAX_WAITING)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what is being read, drop what only waits."""
        self._pool.shutdown(cancel_futures=True)
