"""Sending through an MQTT broker: signed bytes on one topic, the host's answers on another.

    wattproof/v1/<ledger id>/transactions/<public key>    COSE bytes, QoS 1
    wattproof/v1/<ledger id>/answers/<public key>         JSON, an ``id`` in each

The broker only carries: what counts is the host's answer. Without one the same bytes are published
again, for which the host gives its first receipt again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import Final

from wattproof.core.errors import ErrorCode, Unavailable, WattProofError
from wattproof.edge.broker import Broker
from wattproof.edge.link import Answer, answer_of
from wattproof.edge.packets import transaction_id

__all__ = ["ANSWERS", "TRANSACTIONS", "MqttLink"]

TRANSACTIONS: Final = "wattproof/v1/{ledger}/transactions/{public}"
ANSWERS: Final = "wattproof/v1/{ledger}/answers/{public}"

NO_ANSWER = ErrorCode(
    Unavailable,
    "edge.mqtt.no_answer",
    en="No host answers through the broker {url}.",
    zh="消息代理 {url} 上没有主机应答。",
)


class MqttLink:
    """A connection to the broker `url`, for one ledger (32 bytes) and one key (32 bytes)."""

    def __init__(
        self,
        url: str,
        *,
        ledger_id: bytes,
        public: bytes,
        timeout_s: int,
        user: str = "",
        password: str = "",
    ) -> None:
        names = {"ledger": ledger_id.hex(), "public": public.hex()}
        self._topic = TRANSACTIONS.format(**names)
        self._timeout_s = timeout_s
        self._arrived = threading.Condition()
        self._answers: dict[str, Answer | None] = {}
        self._broker = Broker(
            url,
            user=user,
            password=password,
            topics=(ANSWERS.format(**names),),
            heard=self._hear,
        )

    def send(self, raws: Sequence[bytes]) -> list[Answer]:
        """Publish transactions in order; answers to the first ones of them, at least to one.

        Raises `Unavailable`.
        """
        ids = [transaction_id(raw).hex() for raw in raws]
        with self._arrived:
            self._answers = dict.fromkeys(ids)
        try:
            for raw in raws:
                self._broker.publish(self._topic, raw, timeout_s=self._timeout_s)
        except WattProofError:
            if self._answers[ids[0]] is None:
                raise
        answers = self._wait_for(ids)
        if not answers:
            raise NO_ANSWER(url=self._broker.url)
        return answers

    def close(self) -> None:
        """Let go of the connection."""
        self._broker.close()

    def _wait_for(self, ids: Sequence[str]) -> list[Answer]:
        deadline = time.monotonic() + self._timeout_s
        with self._arrived:
            while None in self._answers.values() and (left := deadline - time.monotonic()) > 0:
                self._arrived.wait(left)
            answers = []
            for id_ in ids:
                answer = self._answers[id_]
                if answer is None:
                    break
                answers.append(answer)
            return answers

    def _hear(self, _topic: str, payload: bytes) -> None:
        """Keep an answer that is waited for; what is not an answer is not ours."""
        try:
            fields = json.loads(payload)
            id_, answer = str(fields["id"]), answer_of(fields)
        except (KeyError, TypeError, ValueError):
            return
        with self._arrived:
            if id_ in self._answers:
                self._answers[id_] = answer
                self._arrived.notify_all()
