"""A node with standing orders, whose clock is twenty thousand times too fast; to be killed.

Run as a program by `test_pay_served`: ``paying_child FOLDER LEDGER_ID URL BEGUN_S``. It makes
packets and payments and sends them over HTTP; its time begins 200 days ago at `BEGUN_S`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.beside_meter import CountingMeter, settings_of
from tests.support.memory_ledger import key_of

from wattproof.edge.agent import Agent
from wattproof.edge.config import Config
from wattproof.edge.queue import Queue
from wattproof.edge.send_http import HttpLink
from wattproof.edge.sender import Sender
from wattproof.edge.source import Sample

FAST = 20_000
AGO_S = 200 * 86_400
ORDERS = [
    {"to": "landlord", "amount": "0.07", "every": "hour", "memo": "rent"},
    {"to_device": "m2", "per_kwh": "0.65437", "every": "hour", "memo": "power"},
]


def clock_of(begun_s: int) -> Callable[[], int]:
    """A clock in nanoseconds: 200 days ago when it was `begun_s`, and fast since."""
    begun_ns = begun_s * 10**9
    return lambda: begun_ns - AGO_S * 10**9 + (time.time_ns() - begun_ns) * FAST


def settings(folder: Path, ledger: bytes, url: str) -> Config:
    """The node's settings."""
    tables = {"pay": ORDERS, "send": {"url": url}}
    return settings_of(folder, ledger=ledger, tables=tables, emit=False, late_s=86_400)


class Counting(CountingMeter):
    """Counts 7 Wh a second."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        super().__init__()
        self._clock_ns = clock_ns

    def read(self) -> Sample:
        self.value = self.value.__class__(self._clock_ns() // 10**9 * 7 % 10**9)
        return super().read()


def main() -> None:
    folder, ledger, url, begun_s = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    config, clock_ns = settings(folder, bytes.fromhex(ledger), url), clock_of(begun_s)
    with Queue(folder / "queue.sqlite") as queue:
        sender = Sender(
            queue, HttpLink(url, timeout_s=10), clock=lambda: clock_ns() // 10**9, batch=8
        )
        agent = Agent(
            config,
            key=key_of("m1"),
            queue=queue,
            clock_ns=clock_ns,
            made=sender.wake,
            open_=lambda _: Counting(clock_ns),
        )
        sender.start()
        sys.stdout.write("runs\n")
        sys.stdout.flush()
        while True:
            agent.once()


if __name__ == "__main__":
    main()
