"""An agent over a meter that counts with a clock a thousand times too fast; to be killed.

Run as a program by `test_survival`: ``counting_child FOLDER LEDGER_ID``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.support.beside_meter import CountingMeter, settings_of
from tests.support.memory_ledger import key_of

from wattproof.edge.agent import Agent
from wattproof.edge.factors import typed
from wattproof.edge.queue import Queue
from wattproof.edge.source import Sample

FAST = 1000
BEGUN_NS = 1_790_000_000 * 10**9


def clock_ns() -> int:
    """Real time since 2026-09-21, a thousand times as fast."""
    return BEGUN_NS + (time.time_ns() - BEGUN_NS) * FAST


def shown(time_s: int) -> int:
    """What the meter shows at a moment, in Wh."""
    return (time_s - BEGUN_NS // 10**9) * 7 + time_s % 5


class Counting(CountingMeter):
    """Shows the register of the moment that is due."""

    def read(self) -> Sample:
        self.value = self.value.__class__(shown(clock_ns() // 10**9))
        return super().read()


def main() -> None:
    folder = Path(sys.argv[1])
    config = settings_of(folder, ledger=bytes.fromhex(sys.argv[2]), interval_s=1, late_s=86_400)
    meter = Counting()
    with Queue(folder / "queue.sqlite") as queue:
        agent = Agent(
            config, key=key_of("m1"), queue=queue, clock_ns=clock_ns, open_=lambda _: meter
        )
        if not queue.state().factors:
            choice = typed("0.5306", unit="kgCO2e/kWh", quantity="electricity.import")
            agent.enter(choice, by="badge-7")
        sys.stdout.write("runs\n")
        sys.stdout.flush()
        while True:
            agent.once()


if __name__ == "__main__":
    main()
