"""Notices of interrupts: to a real webhook and a real broker, once for each excursion."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from tests.support.broker import Broker
from tests.support.watched_plant import ZONE, WatchedPlant

from wattproof.core.errors import Malformed
from wattproof.emissions.tracking.notify import Notifier
from wattproof.emissions.tracking.outputs import Outputs, Webhook, read_outputs
from wattproof.engines.folder import Writer
from wattproof.node import IMPORTER


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted; answers with the status of the server's `status`."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((server.status, self.headers, body))
        self.send_response(server.status)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        return


@contextmanager
def receiving() -> Iterator[Any]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.status = [], 204
    server.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def notifier(plant: WatchedPlant, writer: Writer, outputs: Outputs) -> Notifier:
    return Notifier(plant.folder, outputs, ledger_id=writer.ledger_id, zone=ZONE)


@contextmanager
def running(notifier: Notifier) -> Iterator[Notifier]:
    notifier.start()
    try:
        yield notifier
    finally:
        notifier.close()


def wait_for(holds: Callable[[], bool], *, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


def told(server: Any) -> list[tuple[str, int]]:
    """What was taken: (what, number), in order."""
    bodies = [json.loads(body) for status, _, body in server.got if status == 204]
    return [(body["what"], body["number"]) for body in bodies]


def test_a_webhook_hears_of_each_excursion_once(tmp_path: Path) -> None:
    plant = WatchedPlant(tmp_path)
    with receiving() as server, plant.folder.write(workers=0) as writer:
        hook = Webhook(url=server.url, secret="well kept")
        with running(notifier(plant, writer, Outputs(webhook=(hook,)))):
            time.sleep(0.5)  # the first look, at a ledger on which nothing was raised
            plant.report(writer, [0, 20, 30, 5, 0, 99])
            wait_for(lambda: len(server.got) == 3)
        assert told(server) == [("interrupt", 1), ("over", 1), ("interrupt", 2)]
        _, headers, body = server.got[0]
        mac = hmac.new(b"well kept", body, hashlib.sha256).hexdigest()
        assert headers["WattProof-Signature"] == f"sha256={mac}"
        said = json.loads(body)
        assert (said["left"], said["right"], said["error"], said["percent"]) == (100, 80, 20, 2000)
        assert said["start"] == "2025-01-01T01:00:00+08:00"
        assert "20 Wh" in said["en"] and "20.00 %" in said["zh"]
        assert said["id"] == headers["WattProof-Notice"]


def test_what_could_not_be_sent_is_sent_later_and_not_twice(tmp_path: Path) -> None:
    plant = WatchedPlant(tmp_path)
    with receiving() as server, plant.folder.write(workers=0) as writer:
        outputs = Outputs(webhook=(Webhook(url=server.url),))
        with running(notifier(plant, writer, outputs)):
            time.sleep(0.5)
        plant.report(writer, [0, 20])  # while nobody looks
        server.status = 503
        with running(notifier(plant, writer, outputs)):
            wait_for(lambda: len(server.got) == 1)
            server.status = 204
            wait_for(lambda: told(server) == [("interrupt", 1)])
        plant.report(writer, [0])
        with running(notifier(plant, writer, outputs)):
            wait_for(lambda: len(told(server)) == 2)
            time.sleep(0.5)
        assert told(server) == [("interrupt", 1), ("over", 1)]


def test_a_redirect_takes_nothing(tmp_path: Path) -> None:
    plant = WatchedPlant(tmp_path)
    with receiving() as server, plant.folder.write(workers=0) as writer:
        server.status = 302
        with running(notifier(plant, writer, Outputs(webhook=(Webhook(url=server.url),)))):
            time.sleep(0.5)
            plant.report(writer, [20])
            wait_for(lambda: len(server.got) >= 1)
            server.status = 204
            wait_for(lambda: told(server) == [("interrupt", 1)])


def test_other_hosts_are_not_told(tmp_path: Path) -> None:
    plant = WatchedPlant(tmp_path)
    with receiving() as server, plant.folder.write(workers=0) as writer:
        hooks = (
            Webhook(url=server.url, host="somebody-else"),
            Webhook(url=server.url + "/mine", host=IMPORTER),
        )
        with running(notifier(plant, writer, Outputs(webhook=hooks))):
            time.sleep(0.5)
            plant.report(writer, [20])
            wait_for(lambda: len(server.got) == 1)
            time.sleep(0.5)
        assert len(server.got) == 1


def test_a_broker_that_goes_away_gets_it_when_it_is_back(tmp_path: Path) -> None:
    plant = WatchedPlant(tmp_path)
    with Broker.started(tmp_path) as broker, plant.folder.write(workers=0) as writer:
        config = f'[[mqtt]]\nbroker = "{broker.url}"\ntopic = "plant/{{host}}/notices"\n'
        (tmp_path / "outputs.toml").write_text(config)
        outputs = read_outputs(tmp_path / "outputs.toml")
        heard = Heard(broker, f"plant/{IMPORTER}/notices")
        with running(notifier(plant, writer, outputs)):
            time.sleep(0.5)
            plant.report(writer, [20])
            wait_for(lambda: len(heard.said) == 1)
            heard.close()
            broker.stop()
            plant.report(writer, [0])
            time.sleep(1)
            broker.start()
            heard = Heard(broker, f"plant/{IMPORTER}/notices")
            wait_for(lambda: len(heard.said) == 1, seconds=30)
        assert heard.said[0]["what"] == "over"
        heard.close()


class Heard:
    """A subscriber that keeps what it hears."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self.said: list[dict[str, Any]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = lambda _c, _d, message: self.said.append(
            json.loads(message.payload)
        )
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe(topic, qos=1)
        self._client.loop_start()
        assert ready.wait(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.parametrize(
    "text",
    [
        "webhook = 1",
        '[[webhook]]\nurl = "file:///etc/passwd"',
        '[[webhook]]\nurl = "http://a"\nhots = "b"',
        '[[mqtt]]\nbroker = "http://a"',
        '[[report]]\nhost = "a"\ngroup = 0\nby = "day"',
        '[[report]]\nhost = "a"\ngroup = 1\nby = "week"',
        "[[webhook",
        "\xff",
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "outputs.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Malformed) as caught:
        read_outputs(path)
    assert caught.value.code == "emissions.outputs"
    assert str(path) in caught.value.text("zh")


def test_no_file_is_no_output(tmp_path: Path) -> None:
    assert read_outputs(tmp_path / "outputs.toml") == Outputs()
