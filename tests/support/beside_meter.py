"""An agent of the edge in a test: its settings, a meter that counts, a clock, a way to a ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
from tests.support.memory_ledger import key_of
from tests.support.meters import Meters

from wattproof.core.errors import ErrorCode, Refused, Unavailable, WattProofError
from wattproof.edge.agent import Agent
from wattproof.edge.config import Config
from wattproof.edge.link import Answer
from wattproof.edge.packets import transaction_id
from wattproof.edge.queue import Queue
from wattproof.edge.sender import Sender
from wattproof.edge.source import Mode, Sample, Source
from wattproof.edge.sources.faults import SILENT
from wattproof.keys.ed25519 import SigningKey

__all__ = ["INTERVAL_S", "NOON_S", "CountingMeter", "LedgerLink", "Node", "Time", "settings_of"]

NOON_S: Final = 1_690_000_200
"""Where the clock of a test begins: on a quarter of an hour."""

INTERVAL_S: Final = 900

CUT = ErrorCode(Unavailable, "tests.cut", en="The line is cut.", zh="线路中断。")


class CountingMeter:
    """A meter whose register, or whose amount since the last reading, a test sets; in Wh."""

    kind: ClassVar[str] = "counting"

    def __init__(self, mode: Mode = "register", value: int | str = 0, unit: str = "Wh") -> None:
        self.mode: Mode = mode
        self.value = Decimal(value)
        self.unit = unit
        self.doubt = ""
        self.error: WattProofError | None = None
        self.reads = 0
        self.read_s = 0
        self.time: Time | None = None

    def count(self, amount: int | str, *, modulus: int = 0) -> None:
        """The meter counts on."""
        self.value += Decimal(amount)
        if modulus:
            self.value %= modulus

    def silence(self) -> None:
        """The meter does not answer."""
        self.error = SILENT(where="meter", seconds=1)

    def read(self) -> Sample:
        """What it shows; the amount of a meter of increments is gone then."""
        self.reads += 1
        if self.time is not None:
            self.time.now_s += self.read_s
        if self.error is not None:
            raise self.error
        sample = Sample(time_s=0, value=self.value, unit=self.unit, doubt=self.doubt)
        if self.mode == "increment":
            self.value = Decimal(0)
        return sample

    def close(self) -> None:
        """Nothing is held."""


class Time:
    """A clock that stands still until a test moves it."""

    def __init__(self, now_s: int = NOON_S) -> None:
        self.now_s = now_s

    def ns(self) -> int:
        """The time as an agent asks for it."""
        return self.now_s * 10**9


class LedgerLink:
    """The way to a ledger in memory, whose rules are the real ones. It can be cut.

    With `lose` the ledger takes what is sent, and the answer does not come back.
    """

    def __init__(self, meters: Meters, time: Time) -> None:
        self.meters = meters
        self.cut = False
        self.lose = False
        self._time = time
        self._known: dict[bytes, int] = {}

    def send(self, raws: Sequence[bytes]) -> list[Answer]:
        """Submit in order; the same bytes again give the first answer again."""
        if self.cut:
            raise CUT()
        self.meters.ledger.time_ms = self._time.now_s * 1000
        answers = [self._one(raw) for raw in raws]
        if self.lose:
            raise CUT()
        return answers

    def close(self) -> None:
        """Nothing is held."""

    def _one(self, raw: bytes) -> Answer:
        id_ = transaction_id(raw)
        if id_ not in self._known:
            try:
                self._known[id_] = self.meters.ledger.submit_raw(raw).index
            except Refused as refused:
                return Answer(
                    code=refused.code, en=refused.text("en"), zh=refused.text("zh"),
                    status=refused.http_status,
                )  # fmt: skip
        return Answer(entry=self._known[id_])


def settings_of(
    folder: Path, *, ledger: bytes = bytes(32), tables: Mapping[str, Any] | None = None, **node: Any
) -> Config:
    """Settings of the node ``m1``; `tables` are others than ``[node]``."""
    given: dict[str, Any] = {
        "node": {
            "id": "m1",
            "owner": "importer",
            "quantity": "electricity.import",
            "ledger": ledger.hex(),
            "key": "node.key",
            "interval_s": INTERVAL_S,
            "readings": 4,
            "flush_s": 31 * 86_400,
            **node,
        },
        "source": {"kind": "counting"},
        "send": {"url": "http://127.0.0.1:1"},
        **(tables or {}),
    }
    return msgspec.structs.replace(msgspec.convert(given, Config), folder=folder)


class Node:
    """An agent beside a meter, and the ledger it reports to; `restart` is a power cut."""

    def __init__(
        self,
        folder: Path,
        *,
        meter: CountingMeter | None = None,
        meters: Meters | None = None,
        capacity: int = 100_000,
        batch: int = 8,
        tables: Mapping[str, Any] | None = None,
        **node: Any,
    ) -> None:
        self.time = Time()
        self.meter = meter or CountingMeter()
        self.meter.time = self.time
        self.meters = meters or Meters()
        self.link = LedgerLink(self.meters, self.time)
        self.config = settings_of(
            folder, ledger=self.meters.ledger.ledger_id, tables=tables, **node
        )
        self.key: SigningKey = key_of("m1")
        self._capacity, self._batch = capacity, batch
        self._open()

    def restart(self) -> None:
        """Everything in memory is gone; the queue's file is there."""
        self.close()
        self._open()

    def close(self) -> None:
        """Let go of the queue."""
        self.agent.close()
        self.queue.close()

    def at(self, seconds: int) -> None:
        """Set the clock, in seconds after noon, and do what is due."""
        self.time.now_s = NOON_S + seconds
        self.agent.once()

    def quarter(self, number: int) -> None:
        """Set the clock to this quarter of an hour after noon, and do what is due."""
        self.at(number * INTERVAL_S)

    def send(self) -> None:
        """Send until nothing waits or the host wants to be left alone."""
        while self.sender.once() == 0:
            pass

    def codes(self) -> dict[str, str]:
        """The code of what is wrong, by place."""
        return {fault.place: fault.code for fault in self.queue.faults()}

    def _open(self) -> None:
        self.queue = Queue(self.config.folder / "queue.sqlite", capacity=self._capacity)
        self.sender = Sender(
            self.queue, self.link, clock=lambda: self.time.now_s, batch=self._batch
        )
        open_: Callable[[Mapping[str, Any]], Source] = lambda _settings: self.meter  # noqa: E731
        self.agent = Agent(
            self.config, key=self.key, queue=self.queue, clock_ns=self.time.ns, open_=open_
        )
