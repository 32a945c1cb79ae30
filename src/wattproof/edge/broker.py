"""A connection to an MQTT broker that restores itself, for displays and for sending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from wattproof.core.errors import ErrorCode, Malformed, Unavailable

__all__ = ["CONNECT_S", "DEFAULT_PORT", "NO_BROKER", "Broker"]

DEFAULT_PORT: Final = 1883
SECURE_PORT: Final = 8883
KEEPALIVE_S: Final = 30
CONNECT_S: Final = 10
"""How long a message waits for the connection, in seconds."""
RETRY_MOST_S: Final = 30
QOS: Final = 1
MAX_QUEUED: Final = 10_000
"""Messages that wait for the broker; more are dropped, and their senders ask again."""

NOT_INSTALLED = ErrorCode(
    Unavailable,
    "edge.mqtt.not_installed",
    en="MQTT needs the package paho-mqtt: install wattproof[mqtt].",
    zh="MQTT 需要软件包 paho-mqtt：请安装 wattproof[mqtt]。",
)
NO_BROKER = ErrorCode(
    Unavailable,
    "edge.mqtt.no_broker",
    en="The broker {url} cannot be reached: {reason}.",
    zh="无法连接消息代理 {url}：{reason}。",
)

BAD_URL = ErrorCode(
    Malformed,
    "edge.mqtt.url",
    en="{url!r} is not the address of a broker, such as mqtt://127.0.0.1:1883.",
    zh="“{url}”不是消息代理的地址，例如 mqtt://127.0.0.1:1883。",
)

Heard = Callable[[str, bytes], None]


class Broker:
    """Connects to ``mqtt://host[:port]`` (``mqtts`` with TLS) in the background, again and again.

    Messages on `topics` go to `heard` (topic, payload) in the connection's own thread. Raises
    `Malformed` for another address.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        password: str = "",
        topics: Sequence[str] = (),
        heard: Heard | None = None,
    ) -> None:
        try:
            from paho.mqtt import client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError:
            raise NOT_INSTALLED() from None
        host, port, secure = _place(url)
        self.url = url
        self._topics = topics
        self._heard = heard
        self._reason = "no answer yet"
        self._ready = threading.Event()
        self._client: Any = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(MAX_QUEUED)
        self._client.reconnect_delay_set(1, RETRY_MOST_S)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        if user:
            self._client.username_pw_set(user, password or None)
        if secure:
            self._client.tls_set()
        self._client.connect_async(host, port, KEEPALIVE_S)
        self._client.loop_start()

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, timeout_s: int = CONNECT_S
    ) -> None:
        """Publish with QoS 1 and wait until the broker has it. Raises `Unavailable`."""
        if not self._ready.wait(timeout_s):
            raise NO_BROKER(url=self.url, reason=self._reason)
        sent = self._client.publish(topic, payload, qos=QOS, retain=retain)
        try:
            sent.wait_for_publish(timeout_s)
            arrived = sent.is_published()
        except (RuntimeError, ValueError) as failed:
            raise NO_BROKER(url=self.url, reason=str(failed)) from None
        if not arrived:
            raise NO_BROKER(url=self.url, reason=self._reason or "timeout")

    def publish_soon(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1 without waiting."""
        self._client.publish(topic, payload, qos=QOS)

    def wait(self, timeout_s: int = CONNECT_S) -> None:
        """Wait until the connection stands and listens. Raises `Unavailable`."""
        if not self._ready.wait(timeout_s):
            raise NO_BROKER(url=self.url, reason=self._reason)

    def close(self) -> None:
        """End the connection in order."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Any, _data: Any, _flags: Any, code: Any, _props: Any) -> None:
        if code.is_failure:
            self._reason = str(code)
            return
        self._reason = ""
        if self._topics:
            client.subscribe([(topic, QOS) for topic in self._topics])
        else:
            self._ready.set()

    def _on_subscribe(self, *_: Any) -> None:
        self._ready.set()

    def _on_connect_fail(self, *_: Any) -> None:
        self._reason = "nothing answers there"

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: Any, _p: Any) -> None:
        self._ready.clear()
        self._reason = str(code)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        if self._heard is not None:
            self._heard(message.topic, message.payload)


def _place(url: str) -> tuple[str, int, bool]:
    """Host, port, and whether with TLS."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BAD_URL(url=url[:80]) from None
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == 0:
        raise BAD_URL(url=url[:80])
    secure = parts.scheme == "mqtts"
    return parts.hostname, port or (SECURE_PORT if secure else DEFAULT_PORT), secure
