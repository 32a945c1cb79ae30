"""Sending a notice: a POST to a webhook, or an MQTT message."""

from __future__ import annotations

import hmac
import threading
import urllib.error
import urllib.request
from hashlib import sha256
from typing import Any, Final, Protocol

from wattproof.core.errors import ErrorCode, Unavailable
from wattproof.emissions.tracking.deliveries import Due
from wattproof.emissions.tracking.outputs import MqttOutput, Webhook, broker_address

__all__ = ["TIMEOUT_S", "MqttSender", "Sender", "WebhookSender", "sender_of"]

TIMEOUT_S: Final = 10
"""How long a receiver may take."""

NOT_SENT = ErrorCode(
    Unavailable,
    "emissions.notice_not_sent",
    en="The notice was not sent to {output}: {reason}.",
    zh="通知未能发送至 {output}：{reason}。",
)
NO_MQTT = ErrorCode(
    Unavailable,
    "emissions.no_mqtt",
    en="MQTT needs the extra 'mqtt': pip install 'wattproof[mqtt]'.",
    zh="MQTT 需要安装可选组件 mqtt：pip install 'wattproof[mqtt]'。",
)


class Sender(Protocol):
    """Sends notices to one output."""

    def send(self, due: Due) -> None:
        """Send and wait until it was taken. Raises ``emissions.notice_not_sent``."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A receiver that sends us elsewhere has not taken the notice."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


class WebhookSender:
    """POSTs the notice as JSON; any answer of 200 to 299 takes it.

    With a secret, the header ``WattProof-Signature`` is ``sha256=`` and the HMAC of the body, hex.
    """

    def __init__(self, hook: Webhook) -> None:
        self._hook = hook
        self._opener = urllib.request.build_opener(_NoRedirect())

    def send(self, due: Due) -> None:
        """Send and wait for the answer."""
        headers = {"Content-Type": "application/json", "WattProof-Notice": due.notice}
        if self._hook.secret:
            mac = hmac.new(self._hook.secret.encode(), due.body, sha256).hexdigest()
            headers["WattProof-Signature"] = f"sha256={mac}"
        request = urllib.request.Request(
            self._hook.url, data=due.body, headers=headers, method="POST"
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            error.close()
            raise NOT_SENT(output=self._hook.url, reason=f"HTTP {error.code}") from None
        except (OSError, ValueError) as error:
            raise NOT_SENT(output=self._hook.url, reason=str(error)) from None

    def close(self) -> None:
        """Nothing is kept open."""


class MqttSender:
    """Publishes with QoS 1 and waits for the broker's answer; connects again when it must."""

    def __init__(self, output: MqttOutput) -> None:
        try:
            from paho.mqtt import client as mqtt
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise NO_MQTT() from None
        self._output = output
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if output.username:
            self._client.username_pw_set(output.username, output.password or None)
        self._connected = threading.Event()
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._started = False

    def send(self, due: Due) -> None:
        """Publish and wait."""
        try:
            if not self._started:
                address = broker_address(self._output.broker)
                assert address is not None, "outputs are checked when they are read"
                self._client.connect(*address, keepalive=30)
                self._client.loop_start()
                self._started = True
            if not self._connected.wait(TIMEOUT_S):
                raise NOT_SENT(output=self._output.broker, reason="no connection")
            topic = self._output.topic.replace("{host}", due.host)
            message = self._client.publish(topic, due.body, qos=1)
            message.wait_for_publish(TIMEOUT_S)
            if not message.is_published():
                raise NOT_SENT(output=self._output.broker, reason="no answer")
        except (OSError, ValueError, RuntimeError) as error:
            raise NOT_SENT(output=self._output.broker, reason=str(error)) from None

    def close(self) -> None:
        """Disconnect."""
        if self._started:
            self._client.disconnect()
            self._client.loop_stop()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
        if not reason.is_failure:
            self._connected.set()

    def _on_disconnect(self, *_arguments: Any) -> None:
        self._connected.clear()


def sender_of(output: Webhook | MqttOutput) -> Sender:
    """What sends to an output."""
    return WebhookSender(output) if isinstance(output, Webhook) else MqttSender(output)
