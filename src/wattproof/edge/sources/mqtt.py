"""A meter that publishes by MQTT: a plain number, or JSON with a path to the value.

The connection stays open from the first read to `close`, for a meter publishes when it likes. With
a `client_id` the broker keeps what comes while the agent is away (for topics with QoS 1).
"""

from __future__ import annotations

import sys
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from wattproof.core.errors import WattProofError
from wattproof.core.units import find_unit
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.faults import NO_LINE, REFUSAL, REFUSED, RESET, SETTING, SILENT
from wattproof.edge.sources.mqtt_inbox import Inbox, Rules

if TYPE_CHECKING:
    import paho.mqtt.client as paho

__all__ = ["Config", "MqttSource", "open_source"]

LONGEST_PAUSE_S = 30


class Config(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="mqtt",
             forbid_unknown_fields=True):  # fmt: skip
    """The broker, the topic (without wildcards), and where the value stands in a message.

    `path`, `time_path` and `id_path` are names and positions with points between; an empty `path`
    is a message that is the number itself. In `increment` mode messages must have a time or an id,
    else a repeated one could not be told. `state` is where counted messages are remembered.
    A message whose time is more than `max_age_s` from now, or a register that came longer ago, is
    not taken. `retained` takes messages that the broker kept and that have no time as well.
    """

    host: str
    topic: str
    port: int = 1883
    client_id: str = ""
    username: str = ""
    password: str = ""
    tls: bool = False
    path: str = ""
    time_path: str = ""
    id_path: str = ""
    unit: str = "kWh"
    scale: Decimal = Decimal(1)
    mode: Mode = "register"
    state: str = ""
    max_age_s: int = 300
    retained: bool = False
    timeout_s: float = 5.0
    most_bytes: int = 65536

    def __post_init__(self) -> None:
        if not self.topic or set(self.topic) & {"+", "#", "\0"}:
            raise SETTING(
                key="topic", value=repr(self.topic), why="name one topic, without wildcards",
                why_zh="须指定一个主题，不含通配符",
            )  # fmt: skip
        if not self.host or not 0 < self.port < 65536 or not 0 < self.timeout_s <= 60:
            raise SETTING(
                key="host", value=repr(self.host),
                why="name a host, a port up to 65535, and a timeout up to 60 seconds",
                why_zh="须指定主机、不超过 65535 的端口和不超过 60 秒的超时",
            )  # fmt: skip
        if self.mode == "increment" and not (self.time_path or self.id_path):
            raise SETTING(
                key="id_path", value=repr(""),
                why="increments need a time or an id in every message",
                why_zh="增量模式下每条消息须有时间或编号",
            )  # fmt: skip


class MqttSource:
    """Gives the newest value of a topic, or the sum of what came since the last sample."""

    kind: ClassVar[str] = "mqtt"

    def __init__(self, config: Config) -> None:
        from paho.mqtt.client import Client  # noqa: F401

        self.mode: Mode = config.mode
        self._config = config
        self._unit = find_unit(config.unit).name
        self._where = f"{config.host}:{config.port}"
        rules = Rules(
            mode=config.mode, path=config.path, time_path=config.time_path, id_path=config.id_path,
            scale=config.scale, max_age_s=config.max_age_s, retained=config.retained,
            most_bytes=config.most_bytes,
        )  # fmt: skip
        self._inbox = Inbox(rules, topic=config.topic, state=config.state)
        self._changed = threading.Condition()
        self._line_fault: WattProofError | None = None
        self._client: paho.Client | None = None

    def read(self) -> Sample:
        """Give what came since the last sample; wait for it up to the timeout.

        Raises what was wrong with the newest message or the connection, or ``edge.line.silent``.
        In `increment` mode a live connection without messages is an amount of zero.
        """
        if self._client is None:
            self._start()
        with self._changed:
            inbox = self._inbox
            inbox.forget_old(now_s=int(time.time()))
            self._changed.wait_for(lambda: inbox.fresh or inbox.fault, self._config.timeout_s)
            if not inbox.fresh:
                fault, inbox.fault = inbox.fault or self._line_fault, None
                if fault is not None:
                    raise fault
                if self.mode == "register" or not self._online:
                    raise SILENT(where=self._config.topic, seconds=self._config.timeout_s)
            value = inbox.give()
        return Sample(time_s=int(time.time()), value=value, unit=self._unit)

    def close(self) -> None:
        """Leave the broker."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None  # its last reference: it closes what it has open

    def _make_client(self) -> paho.Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        config = self._config
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=config.client_id,
            clean_session=not config.client_id,
        )  # fmt: skip
        if config.username:
            client.username_pw_set(config.username, config.password)
        if config.tls:
            client.tls_set()
        client.connect_timeout = config.timeout_s
        client.reconnect_delay_set(1, LONGEST_PAUSE_S)
        client.on_connect = self._connected
        client.on_connect_fail = self._not_connected
        client.on_disconnect = self._disconnected
        client.on_message = self._came
        return client

    def _start(self) -> None:
        self._client = self._make_client()
        self._client.connect_async(self._config.host, self._config.port, keepalive=30)
        self._client.loop_start()

    @property
    def _online(self) -> bool:
        return self._client is not None and self._client.is_connected()

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            self._failed(REFUSAL(reason=str(reason)))
            return
        self._failed(None)
        client.subscribe(self._config.topic, qos=1)

    def _not_connected(self, _client: Any, _data: Any) -> None:
        error = sys.exc_info()[1]  # paho calls this while it handles the error
        if error is None or isinstance(error, ConnectionRefusedError):
            self._failed(REFUSED(where=self._where))
        elif isinstance(error, TimeoutError):
            self._failed(SILENT(where=self._where, seconds=self._config.timeout_s))
        else:
            self._failed(NO_LINE(where=self._where, reason=str(error).rstrip(".")))

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure and self._line_fault is None:
            self._failed(RESET(where=self._where, count=0))

    def _failed(self, fault: WattProofError | None) -> None:
        with self._changed:
            self._line_fault = fault

    def _came(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        with self._changed:
            self._inbox.take(
                bytes(message.payload), retained=message.retain, now_s=int(time.time())
            )
            self._changed.notify_all()


def open_source(config: Config) -> MqttSource:
    """Open the source of this table."""
    return MqttSource(config)
