"""Transactions that come through an MQTT broker: signed bytes in, an answer each out.

    wattproof/v1/<ledger id>/transactions/<public key>    COSE bytes, from a device
    wattproof/v1/<ledger id>/answers/<public key>         JSON: {"id", "index", "first"}, or
                                                          {"id", "code", "en", "zh", "status"}

The listener is a client of a broker as devices are. The broker carries, and promises nothing: a
device publishes the same bytes again until it has an answer, and gets the first receipt again. So
nothing is kept here, and what waits for the engine is bounded.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self

import msgspec

from wattproof.core.errors import ErrorCode, Refused, Unavailable, WattProofError
from wattproof.edge.broker import Broker
from wattproof.gateway.errors import problem_of
from wattproof.gateway.limits import Buckets, RateLimit
from wattproof.keys.cose import parse
from wattproof.ledger.chain import Receipt

__all__ = ["MAX_WAITING", "MqttListener"]

MAX_WAITING: Final = 4_096
"""Transactions that may wait for the engine or for their answer's publishing at once."""

OTHER_KEY = ErrorCode(
    Refused,
    "gateway.mqtt_key",
    en="The transaction is signed by another key than its topic names.",
    zh="交易的签名密钥与主题所指的密钥不同。",
)
BUSY = ErrorCode(
    Unavailable,
    "gateway.mqtt_busy",
    en="{limit} transactions from the broker wait already; send this one again later.",
    zh="来自消息代理的待处理交易已达 {limit} 条，请稍后重发。",
)

Answer = Receipt | WattProofError


class Engine(Protocol):
    """What takes transactions without waiting, and answers from a thread of its own."""

    def submit_soon(self, raw: bytes, done: Any) -> None:
        """Submit; `done` is called once with the answers. Raises `Unavailable` when full."""
        ...


class MqttListener:
    """Listens on the broker `url` for one ledger until closed; one device may send `limit`.

    A broker that is away is tried again for as long as the listener lives.
    """

    def __init__(
        self, url: str, *, engine: Engine, ledger_id: bytes, limit: RateLimit | None = None
    ) -> None:
        self._engine = engine
        self._answers_topic = f"wattproof/v1/{ledger_id.hex()}/answers/"
        self._topic = f"wattproof/v1/{ledger_id.hex()}/transactions/"
        self._buckets = Buckets(limit or RateLimit())
        self._room = threading.BoundedSemaphore(MAX_WAITING)
        self._answers: queue.SimpleQueue[tuple[str, bytes, Answer] | None] = queue.SimpleQueue()
        self._broker = Broker(url, topics=(f"{self._topic}+",), heard=self._hear)
        self._thread = threading.Thread(target=self._publish, name="wattproof-mqtt", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def wait(self, timeout_s: int) -> None:
        """Wait until it listens. Raises `Unavailable`."""
        self._broker.wait(timeout_s)

    def close(self) -> None:
        """Take nothing more, publish the answers that are there, and leave the broker."""
        self._answers.put(None)
        self._thread.join()
        self._broker.close()

    def _hear(self, topic: str, raw: bytes) -> None:
        """One transaction, in the connection's thread: submit it, or answer why not."""
        public = topic.removeprefix(self._topic)
        id_ = hashlib.sha256(raw).digest()
        if not self._room.acquire(blocking=False):
            self._say(public, id_, BUSY(limit=MAX_WAITING))
            return

        def done(answers: Sequence[Answer]) -> None:
            self._answers.put((public, id_, answers[0]))

        try:
            if parse(raw).kid.hex() != public:
                raise OTHER_KEY()
            self._buckets.take(public, 1)
            self._engine.submit_soon(raw, done)
        except WattProofError as refusal:
            self._answers.put((public, id_, refusal))

    def _publish(self) -> None:
        """Publish answers as they come, so that the engine need not wait for the broker."""
        while (item := self._answers.get()) is not None:
            self._say(*item)
            self._room.release()

    def _say(self, public: str, id_: bytes, answer: Answer) -> None:
        fields: dict[str, Any] = {"id": id_.hex()}
        if isinstance(answer, Receipt):
            fields |= {"index": answer.index, "first": answer.first}
        else:
            problem = problem_of(answer)
            fields |= {
                "code": problem.code,
                "en": problem.en,
                "zh": problem.zh,
                "status": problem.status,
            }
        self._broker.publish_soon(self._answers_topic + public, msgspec.json.encode(fields))
