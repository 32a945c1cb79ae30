"""Sending a notice: a POST to a webhook, or an MQTT message."""

from __future__ import annotations

import hmac
import urllib.error
import urllib.request
from hashlib import sha256
from typing import Any, Final, Protocol

from wattproof.core.errors import ErrorCode, Unavailable
from wattproof.edge.broker import Broker
from wattproof.emissions.tracking.deliveries import Due
from wattproof.emissions.tracking.outputs import MqttOutput, Webhook

__all__ = ["TIMEOUT_S", "MqttSender", "Sender", "WebhookSender", "sender_of"]

TIMEOUT_S: Final = 10
"""How long a receiver may take."""

NOT_SENT = ErrorCode(
    Unavailable,
    "emissions.notice_not_sent",
    en="The notice was not sent to {output}: {reason}.",
    zh="通知未能发送至 {output}：{reason}。",
)


class Sender(Protocol):
    """Sends notices to one output."""

    def send(self, due: Due) -> None:
        """Send and wait until it was taken. Raises `Unavailable`."""
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
    """Publishes with QoS 1 and waits for the broker's answer."""

    def __init__(self, output: MqttOutput) -> None:
        self._topic = output.topic
        self._broker = Broker(output.broker, user=output.username, password=output.password)

    def send(self, due: Due) -> None:
        """Publish and wait. Raises ``edge.mqtt.no_broker``."""
        self._broker.publish(self._topic.replace("{host}", due.host), due.body)

    def close(self) -> None:
        """Disconnect."""
        self._broker.close()


def sender_of(output: Webhook | MqttOutput) -> Sender:
    """What sends to an output."""
    return WebhookSender(output) if isinstance(output, Webhook) else MqttSender(output)
