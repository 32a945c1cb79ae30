"""A meter that publishes through a real Mosquitto."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.support.broker import Broker
from tests.support.meter_lines import (
    Conversation,
    Teller,
    fails,
    free_port,
    nothing_left_open,
    says,
)

from wattproof.edge.source import Sample, Source
from wattproof.edge.sources.table import open_source

TOPIC = "plant/meters/7"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker.started(tmp_path) as running:
        yield running


@contextmanager
def opened(port: int, **settings: Any) -> Iterator[Source]:
    source = open_source({
        "kind": "mqtt", "host": "127.0.0.1", "port": port, "topic": TOPIC, "timeout_s": 0.4,
        **settings,
    })  # fmt: skip
    try:
        yield source
    finally:
        source.close()


@contextmanager
def meter(port: int) -> Iterator[Callable[..., None]]:
    """A client that publishes: numbers and texts as they are, anything else as JSON."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish(value: object, *, retain: bool = False) -> None:
        payload = value if isinstance(value, str | bytes) else json.dumps(value)
        client.publish(TOPIC, payload, qos=1, retain=retain).wait_for_publish(5)

    yield publish
    client.disconnect()
    client.loop_stop()


def listening(source: Source) -> None:
    """Read once, so that the source is at its broker, and has heard nothing."""
    with fails("edge.line.silent"):
        source.read()


def eventually(source: Source) -> Sample:
    end = time.monotonic() + 8
    while True:
        try:
            return source.read()
        except Exception:
            if time.monotonic() > end:
                raise


def test_a_register(broker: Broker) -> None:
    with (
        meter(broker.port) as publish,
        nothing_left_open(),
        opened(broker.port, scale="0.001") as source,
    ):
        assert source.mode == "register"
        listening(source)
        publish("1234567")
        publish(" 1234568\n")
        end = time.monotonic() + 5
        sample = eventually(source)
        while sample.value != Decimal("1234.568") and time.monotonic() < end:
            sample = eventually(source)  # each came by itself
        assert sample.value == Decimal("1234.568")
        assert (sample.unit, sample.doubt) == ("kWh", "")
        with fails("edge.line.silent"):
            source.read()  # nothing new


def test_json_with_paths_and_times(broker: Broker) -> None:
    paths = {"path": "em.0.total", "time_path": "at", "unit": "Wh"}
    with opened(broker.port, **paths) as source, meter(broker.port) as publish:
        listening(source)
        now = int(time.time())
        publish({"em": [{"total": 500.125}], "at": now})
        assert eventually(source).value == Decimal("500.125")
        publish({"em": [{"total": 400}], "at": now - 30})  # late
        listening(source)
        publish({"em": [{"total": 600}], "at": 12})
        with fails("edge.mqtt.stale"):
            source.read()


def test_retained_messages(broker: Broker) -> None:
    with meter(broker.port) as publish:
        publish("42", retain=True)
        with opened(broker.port) as source:
            with fails("edge.mqtt.retained"):
                source.read()
            publish("43")
            assert eventually(source).value == 43
        with opened(broker.port, retained=True) as source:
            assert eventually(source).value == 42


def test_increments_while_the_agent_is_away(broker: Broker, tmp_path: Path) -> None:
    settings = {
        "mode": "increment", "path": "v", "id_path": "n", "client_id": "agent-7",
        "state": str(tmp_path / "counted.json"),
    }  # fmt: skip
    with meter(broker.port) as publish:
        with opened(broker.port, **settings) as source:
            assert source.read().value == 0  # alive, and nothing came
            for number in (1, 2, 2):
                publish({"v": "0.5", "n": number})
            assert sum(source.read().value for _ in range(3)) == 1
        for number in (2, 3, 4):
            publish({"v": "0.5", "n": number})
        with opened(broker.port, **settings) as source:
            assert sum(source.read().value for _ in range(4)) == 1


def test_bad_messages_by_name(broker: Broker) -> None:
    with opened(broker.port) as source, meter(broker.port) as publish:
        listening(source)
        for payload, code in (
            ("NaN", "not_finite"), ("abc", ""), ("[1]", "not_number"), (b"9" * 70_000, ""),
        ):  # fmt: skip
            publish(payload)
            with pytest.raises(Exception, match=rf"edge\.\w+\.{code}"):
                source.read()
        publish("7")
        assert eventually(source).value == 7


def test_a_broker_that_goes_and_comes_back(broker: Broker) -> None:
    with opened(broker.port, client_id="agent-8") as source:
        listening(source)
        broker.stop()
        time.sleep(0.3)
        with pytest.raises(Exception, match=r"edge\.line\.(reset|refused|silent)"):
            source.read()
        broker.start()
        end = time.monotonic() + 10
        with meter(broker.port) as publish:
            while time.monotonic() < end:
                publish("99")
                try:
                    assert source.read().value == 99
                    break
                except AssertionError:
                    raise
                except Exception:
                    continue
            else:
                pytest.fail("it did not come back")


def test_nobody_is_there() -> None:
    with nothing_left_open(), opened(free_port()) as source, fails("edge.line.refused"):
        source.read()


def test_a_broker_that_does_not_know_the_agent(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    (tmp_path / "mosquitto.conf").write_text(
        f"listener {broker.port} 127.0.0.1\nallow_anonymous false\n"
    )
    broker.start()
    try:
        known = {"username": "agent", "password": "?"}
        with opened(broker.port, **known) as source, fails("edge.frame.refusal"):
            source.read()
    finally:
        broker.stop()


@pytest.mark.parametrize("conversation", [says(b"HTTP/1.1 400\r\n\r\n"), says(then="hang")])
def test_what_is_no_broker(conversation: Conversation) -> None:
    with (
        Teller(conversation) as server,
        nothing_left_open(),
        opened(server.port) as source,
        pytest.raises(Exception, match=r"edge\.line\."),
    ):
        source.read()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"topic": "plant/+/7"}, "edge.source.setting"),
        ({"topic": ""}, "edge.source.setting"),
        ({"port": 0}, "edge.source.setting"),
        ({"mode": "increment"}, "edge.source.setting"),
        ({"unit": "cord"}, "core.unit"),
        ({"mode": "total"}, "edge.source.settings"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code), opened(**({"port": 1} | more)):
        pass
