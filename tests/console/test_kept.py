"""What takes long is worked out beside the pages, and not again and again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from wattproof.console import kept as module
from wattproof.console.kept import MAX_KEPT, Kept
from wattproof.gateway.long_reads import LongReads

Get = Callable[..., Awaitable[int | None]]


class Work:
    """Something that is counted, and that takes until it is let go."""

    def __init__(self, value: int, *, held: bool = False) -> None:
        self.value = value
        self.times = 0
        self.go = threading.Event()
        if not held:
            self.go.set()

    def __call__(self) -> int:
        self.times += 1
        assert self.go.wait(10)
        return self.value


@pytest.fixture
def reads() -> Iterator[LongReads]:
    reads = LongReads()
    yield reads
    reads.close()


def test_the_same_log_is_read_once(reads: LongReads) -> None:
    work = Work(7)

    async def run() -> None:
        kept: Kept[int] = Kept()
        for _ in range(3):
            assert await kept.get("a", size=5, make=work, long_reads=reads) == 7

    asyncio.run(run())
    assert work.times == 1


def test_a_page_shows_what_there_is_while_newer_is_worked_out(reads: LongReads) -> None:
    first, slow = Work(1), Work(2, held=True)

    async def run() -> None:
        kept: Kept[int] = Kept()
        assert await kept.get("a", size=5, make=first, long_reads=reads) == 1
        began = time.monotonic()
        assert await kept.get("a", size=6, make=slow, long_reads=reads) == 1
        assert await kept.get("a", size=7, make=slow, long_reads=reads) == 1
        assert time.monotonic() - began < 2
        slow.go.set()
        for _ in range(200):
            if await kept.get("a", size=6, make=slow, long_reads=reads) == 2:
                break
            await asyncio.sleep(0.01)
        assert await kept.get("a", size=6, make=slow, long_reads=reads) == 2

    asyncio.run(run())
    assert slow.times == 1


def test_quick_work_is_waited_for(reads: LongReads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 10)
    monkeypatch.setattr(module, "REST", 0)

    async def run() -> None:
        kept: Kept[int] = Kept()
        assert await kept.get("a", size=5, make=Work(1), long_reads=reads) == 1
        assert await kept.get("a", size=6, make=Work(2), long_reads=reads) == 2

    asyncio.run(run())


def test_work_that_took_long_is_not_done_all_the_time(reads: LongReads) -> None:
    def slow() -> int:
        time.sleep(0.05)
        return 1

    again = Work(2)

    async def run() -> None:
        kept: Kept[int] = Kept()
        assert await kept.get("a", size=5, make=slow, long_reads=reads) == 1
        assert await kept.get("a", size=6, make=again, long_reads=reads) == 1
        assert again.times == 0
        await asyncio.sleep(0.3)
        assert await kept.get("a", size=6, make=again, long_reads=reads) == 2

    asyncio.run(run())


def test_nothing_yet(reads: LongReads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.05)
    slow = Work(1, held=True)

    async def run() -> None:
        kept: Kept[int] = Kept()
        assert await kept.get("a", size=5, make=slow, long_reads=reads) is None
        assert await kept.get("a", size=5, make=slow, long_reads=reads) is None
        slow.go.set()
        await asyncio.sleep(0.05)
        assert await kept.get("a", size=5, make=slow, long_reads=reads) == 1

    asyncio.run(run())
    assert slow.times == 1


def test_what_went_wrong_is_said_and_tried_again(reads: LongReads) -> None:
    def broken() -> int:
        raise ValueError("no")

    async def run() -> None:
        kept: Kept[int] = Kept()
        with pytest.raises(ValueError, match="no"):
            await kept.get("a", size=5, make=broken, long_reads=reads)
        await asyncio.sleep(0.05)
        assert await kept.get("a", size=5, make=Work(3), long_reads=reads) == 3

    asyncio.run(run())


def test_not_everything_is_kept(reads: LongReads) -> None:
    work = Work(1)

    async def run() -> None:
        kept: Kept[int] = Kept()
        for key in (*range(MAX_KEPT + 1), MAX_KEPT, 1, 0):
            await kept.get(key, size=5, make=work, long_reads=reads)

    asyncio.run(run())
    assert work.times == MAX_KEPT + 2
