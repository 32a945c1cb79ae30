"""Transactions through a real broker: every one is answered, by name where it is refused."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.served import new_folder
from tests.ledger.growing import KEY, OTHER
from tests.ledger.toy import Fill
from tests.support.broker import Broker

from wattproof.core.errors import Unavailable
from wattproof.edge.broker import Broker as Connection
from wattproof.edge.send_mqtt import MqttLink
from wattproof.engines.folder import Writer
from wattproof.gateway.limits import RateLimit
from wattproof.gateway.mqtt import MqttListener
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.transaction import sign_transaction

WAIT_S = 20


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker.started(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with new_folder(tmp_path / "ledger").write(workers=0) as opened:
        yield opened


@contextmanager
def listening(writer: Writer, url: str, **options: Any) -> Iterator[MqttListener]:
    with MqttListener(url, engine=writer.engine, ledger_id=writer.ledger_id, **options) as listener:
        listener.wait(WAIT_S)
        yield listener


@contextmanager
def linked(
    writer: Writer, url: str, key: SigningKey = KEY, timeout_s: int = WAIT_S
) -> Iterator[MqttLink]:
    link = MqttLink(url, ledger_id=writer.ledger_id, public=key.public, timeout_s=timeout_s)
    try:
        yield link
    finally:
        link.close()


def bean(writer: Writer, number: int, key: SigningKey = KEY) -> bytes:
    nonce = number.to_bytes(16, "big")
    return sign_transaction(BODY, key, ledger_id=writer.ledger_id, nonce=nonce)


BODY = Fill(jar="a", shelf="b", beans=1)


def test_every_transaction_is_answered_in_order(writer: Writer, broker: Broker) -> None:
    with listening(writer, broker.url), linked(writer, broker.url) as link:
        raws = [bean(writer, number) for number in range(30)]
        answers = link.send(raws)
        assert [answer.entry for answer in answers] == list(range(1, 31))
        assert [answer.entry for answer in link.send(raws[:3])] == [1, 2, 3]


def test_refusals_have_their_code_and_both_languages(writer: Writer, broker: Broker) -> None:
    with listening(writer, broker.url), linked(writer, broker.url, OTHER) as link:
        (answer,) = link.send([bean(writer, 1, OTHER)])
        assert (answer.code, answer.status) == ("tests.not_you", 403)
        assert answer.en
        assert answer.zh
        (answer,) = link.send([bean(writer, 1, KEY)])
        assert answer.code == "gateway.mqtt_key"
        (answer,) = link.send([b"no transaction"])
        assert answer.code == "keys.cose.not_sign1"


def test_one_device_cannot_send_more_than_its_share(writer: Writer, broker: Broker) -> None:
    limit = RateLimit(per_second=1, burst=2)
    with listening(writer, broker.url, limit=limit), linked(writer, broker.url) as link:
        codes = [answer.code for answer in link.send([bean(writer, n) for n in range(4)])]
        assert codes[:2] == ["", ""]
        assert codes[-1] == "gateway.rate"


def test_without_a_host_nothing_is_taken_for_sent(writer: Writer, broker: Broker) -> None:
    with linked(writer, broker.url, timeout_s=1) as link:
        with pytest.raises(Unavailable, match=r"edge\.mqtt\.no_answer"):
            link.send([bean(writer, 1)])
        with listening(writer, broker.url):
            assert link.send([bean(writer, 1)])[0].entry == 1


def test_a_broker_that_is_away_is_found_again(writer: Writer, tmp_path: Path) -> None:
    with Broker.started(tmp_path) as broker, listening(writer, broker.url) as listener:
        broker.stop()
        with (
            linked(writer, broker.url, timeout_s=1) as link,
            pytest.raises(Unavailable, match=r"edge\.mqtt\.no_broker"),
        ):
            link.send([bean(writer, 1)])
        broker.start()
        listener.wait(40)
        with linked(writer, broker.url) as link:
            assert link.send([bean(writer, 1)])[0].entry == 1


def test_answers_are_json_with_the_id(writer: Writer, broker: Broker) -> None:
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    names = f"wattproof/v1/{writer.ledger_id.hex()}/{{}}/{KEY.public.hex()}"
    with listening(writer, broker.url):
        connection = Connection(
            broker.url,
            topics=(names.format("answers"),),
            heard=lambda _topic, payload: heard.put(payload),
        )
        connection.wait()
        connection.publish(names.format("transactions"), bean(writer, 1))
        answer = json.loads(heard.get(timeout=WAIT_S))
        connection.close()
    assert set(answer) == {"id", "index", "first"}
    assert len(bytes.fromhex(answer["id"])) == 32
