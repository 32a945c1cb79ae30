"""Where a node sends notices, and which reports it files by itself: ``outputs.toml``.

    [[webhook]]
    host = "steel-works"               # whose notices; "*" (the default) for everybody's
    url = "https://example.org/hook"
    secret = "..."                     # optional: signs each message (HMAC-SHA-256)

    [[mqtt]]
    broker = "mqtt://127.0.0.1:1883"
    topic = "wattproof/notices/{host}"

    [[report]]
    host = "steel-works"
    group = 2
    by = "day"
    set = 1                            # 0 (the default): all rows
    since = "2025-01-01"               # optional: file what is over already, from this day on
    grace_s = 3600                     # how long after the end of the day, at most, ports may lag

The file lies in the ledger's folder and is read when the node starts. It is the operator's, not an
account's: whoever may write it can make the node call any address.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.core.periods import DEFAULT_ZONE, Step, parse_time
from wattproof.emissions.tracking.model import MAX_NUMBER

__all__ = ["EVERYBODY", "MAX_OUTPUTS", "MqttOutput", "Outputs", "ScheduledReport", "Webhook",
           "broker_address", "read_outputs"]  # fmt: skip

EVERYBODY: Final = "*"
MAX_OUTPUTS: Final = 64
"""Webhooks, topics and reports in the file at most, each."""
MAX_BYTES: Final = 256 * 1024
MQTT_PORT: Final = 1883

BAD_OUTPUTS = ErrorCode(
    Malformed,
    "emissions.outputs",
    en="{file} cannot be used: {reason}.",
    zh="无法使用 {file}：{reason}。",
)

Text = Annotated[str, Meta(min_length=1, max_length=500)]


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A POST of each notice of `host` to `url`."""

    url: Text
    host: str = EVERYBODY
    secret: Annotated[str, Meta(max_length=500)] = ""

    @property
    def name(self) -> str:
        """By what a delivery is remembered."""
        return f"webhook {self.url}"


class MqttOutput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message of each notice of `host` to a topic, with QoS 1; ``{host}`` stands for the host."""

    broker: Text
    topic: Text = "wattproof/notices/{host}"
    host: str = EVERYBODY
    username: str = ""
    password: str = ""

    @property
    def name(self) -> str:
        """By what a delivery is remembered."""
        return f"mqtt {self.broker} {self.topic}"


class ScheduledReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The error report of a binding after the end of each day (``by = "hour"``), month or year.

    A report by hour is of a day, by day of a month, by month of a year, by year of a year. It is
    filed when all ports have reported to its end, or `grace_s` seconds after it. The first one is
    of the period that holds the day `since`; without that, of the one in which ports were bound.
    """

    host: Text
    group: Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
    by: Step
    set: Annotated[int, Meta(ge=0, le=MAX_NUMBER)] = 0
    since: Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = ""
    grace_s: Annotated[int, Meta(ge=0, le=31 * 86_400)] = 3600


class Outputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of the file."""

    webhook: Annotated[tuple[Webhook, ...], Meta(max_length=MAX_OUTPUTS)] = ()
    mqtt: Annotated[tuple[MqttOutput, ...], Meta(max_length=MAX_OUTPUTS)] = ()
    report: Annotated[tuple[ScheduledReport, ...], Meta(max_length=MAX_OUTPUTS)] = ()


def read_outputs(path: Path) -> Outputs:
    """The outputs of a file; none where there is no file. Raises ``emissions.outputs``."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Outputs()
    except OSError as error:
        raise BAD_OUTPUTS(file=str(path), reason=error.strerror or str(error)) from None
    if len(data) > MAX_BYTES:
        raise BAD_OUTPUTS(file=str(path), reason=f"it has more than {MAX_BYTES} bytes")
    try:
        found = msgspec.convert(tomllib.loads(data.decode()), Outputs)
    except (ValueError, msgspec.ValidationError) as error:
        raise BAD_OUTPUTS(file=str(path), reason=str(error)) from None
    for report in found.report:
        if report.since:
            parse_time(report.since, DEFAULT_ZONE)
    for hook in found.webhook:
        if urlsplit(hook.url).scheme not in ("http", "https") or not urlsplit(hook.url).hostname:
            raise BAD_OUTPUTS(file=str(path), reason=f"{hook.url} is not an address of the web")
    for output in found.mqtt:
        if broker_address(output.broker) is None:
            raise BAD_OUTPUTS(file=str(path), reason=f"{output.broker} is not mqtt://host:port")
    return found


def broker_address(url: str) -> tuple[str, int] | None:
    """Host and port of ``mqtt://host:port``; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port or MQTT_PORT
    except ValueError:
        return None
    if parts.scheme != "mqtt" or not parts.hostname or parts.path.strip("/") or parts.query:
        return None
    return parts.hostname, port
