"""The submitter alone, over an engine that answers when the test says so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from wattproof.core.errors import ErrorCode, Unavailable, WattProofError
from wattproof.gateway.limits import RateLimit
from wattproof.gateway.submission import BATCHES_AT_ONCE, Answer, Done, Submitter
from wattproof.ledger.chain import Receipt

FULL = ErrorCode(Unavailable, "tests.full", en="Full of {what}.", zh="满：{what}。")


def receipt(number: int) -> Receipt:
    return Receipt(id=bytes(32), index=number, height=1, time_ms=0, result=b"\x92\x00\x90")


class HeldEngine:
    """Takes all and answers on `answer`, from another thread."""

    def __init__(self) -> None:
        self.taken: list[Done] = []
        self.batch_may_end = threading.Event()

    def submit_soon(self, raw: bytes, done: Done) -> None:
        if raw == b"full":
            raise FULL(what="beans")
        self.taken.append(done)

    def submit_many(self, raws: Sequence[bytes]) -> list[Answer]:
        assert self.batch_may_end.wait(10)
        return [receipt(number) for number in range(len(raws))]

    def answer(self, answers: Sequence[Answer]) -> None:
        def work() -> None:
            for done, answer in zip(self.taken, answers, strict=True):
                done([answer])

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()


async def until_taken(engine: HeldEngine, count: int) -> None:
    while len(engine.taken) < count:
        await asyncio.sleep(0)


def test_each_gets_its_own_answer() -> None:
    async def run() -> None:
        engine = HeldEngine()
        submitter = Submitter(engine, RateLimit())
        tasks = [asyncio.create_task(submitter.submit(b"")) for _ in range(5)]
        await until_taken(engine, 5)
        assert submitter.waiting == 5
        fault = FULL(what="peas")
        engine.answer([receipt(0), fault, receipt(2), fault, receipt(4)])
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [item.index for item in found if isinstance(item, Receipt)] == [0, 2, 4]
        errors = [item for item in found if isinstance(item, WattProofError)]
        assert [error.params for error in errors] == [{"what": "peas"}] * 2
        assert errors[0] is not errors[1]
        assert submitter.waiting == 0

    asyncio.run(run())


def test_a_full_queue_is_told_at_once() -> None:
    async def run() -> None:
        submitter = Submitter(HeldEngine(), RateLimit())
        with pytest.raises(WattProofError, match=r"tests\.full"):
            await submitter.submit(b"full")
        assert submitter.waiting == 0

    asyncio.run(run())


def test_whoever_left_is_passed_over() -> None:
    async def run() -> None:
        engine = HeldEngine()
        submitter = Submitter(engine, RateLimit())
        gone, stays = (asyncio.create_task(submitter.submit(b"")) for _ in range(2))
        await until_taken(engine, 2)
        gone.cancel()
        await asyncio.sleep(0)
        engine.answer([receipt(0), receipt(1)])
        assert (await stays).index == 1
        assert gone.cancelled()

    asyncio.run(run())


def test_the_engine_outlives_the_loop() -> None:
    engine = HeldEngine()
    submitter = Submitter(engine, RateLimit())

    async def run() -> None:
        task = asyncio.create_task(submitter.submit(b""))
        await until_taken(engine, 1)
        task.cancel()

    asyncio.run(run())
    engine.answer([receipt(0)])


def test_batches_at_once_are_few() -> None:
    async def run() -> None:
        engine = HeldEngine()
        submitter = Submitter(engine, RateLimit())
        batch = [b"", b""]
        tasks = [asyncio.create_task(submitter.submit_batch(batch)) for _ in range(BATCHES_AT_ONCE)]
        await asyncio.sleep(0)
        assert submitter.waiting == 2 * BATCHES_AT_ONCE
        with pytest.raises(WattProofError, match=r"gateway\.busy"):
            await submitter.submit_batch(batch)
        engine.batch_may_end.set()
        for answers in await asyncio.gather(*tasks):
            assert len(answers) == 2
        assert submitter.waiting == 0

    asyncio.run(run())
