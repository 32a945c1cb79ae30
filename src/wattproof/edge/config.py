"""What one node is told: a TOML file, checked as a whole before anything is opened.

    [node]      who it is, what it measures, its ledger, its key, its interval
    [factor]    the factor that it starts with, if it is not entered on the spot
    [source]    what it reads: ``kind`` and the settings of that kind
    [send]      where its packets go: ``url`` or ``mqtt``
    [queue]     where they wait meanwhile
    [[pay]]     what it pays by itself, an order each
    [display] [keypad] [lamp] [page]    what stands beside the meter, each as it is there

Paths are relative to the folder of the file. Numbers of the file are exact decimals.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from wattproof.core.codes import check_id
from wattproof.core.errors import ErrorCode, Malformed, NotFound, Unavailable, WattProofError
from wattproof.core.periods import load_zone
from wattproof.core.units import MAX_AMOUNT, family, parse_quantity
from wattproof.edge.orders import Order, PaySettings, order_of
from wattproof.edge.sources.table import check_source, placed

__all__ = [
    "MAX_CONFIG_BYTES",
    "MAX_READINGS",
    "Config",
    "DisplaySettings",
    "FactorSettings",
    "KeypadSettings",
    "LampSettings",
    "NodeSettings",
    "PageSettings",
    "QueueSettings",
    "SendSettings",
    "read_config",
]

MAX_CONFIG_BYTES: Final = 1 << 20
"""How large the file may be."""

MAX_ORDERS: Final = 32
"""Standing orders of one node at most."""

MAX_READINGS: Final = 4_096
"""Readings in one packet at most, as the ledger takes them."""

EARLIEST_S: Final = 1_577_836_800
"""2020-01-01: a clock that says less has lost its time."""

NO_FILE = ErrorCode(
    NotFound,
    "edge.config.missing",
    en="There is no settings file {path}.",
    zh="没有设置文件 {path}。",
)
UNREADABLE = ErrorCode(
    Unavailable,
    "edge.config.unreadable",
    en="The settings file {path} cannot be read: {reason}.",
    zh="无法读取设置文件 {path}：{reason}。",
)
NOT_TOML = ErrorCode(
    Malformed,
    "edge.config.toml",
    en="{path} is not TOML: {reason}.",
    zh="{path} 不是有效的 TOML：{reason}。",
)
BAD_KEY = ErrorCode(
    Malformed,
    "edge.config.key",
    en="In {path}: {reason}.",
    zh="{path} 中的设置不正确：{reason}。",
)
BAD_SETTING = ErrorCode(
    Malformed,
    "edge.config.setting",
    en="In {path}, [{table}] {key}: {reason}",
    zh="{path} 中 [{table}] {key} 不正确：{reason_zh}",
)

TWICE = ErrorCode(
    Malformed,
    "edge.pay.order.twice",
    en="Two orders are called {name}: give each a name of its own.",
    zh="有两项定期付款都叫 {name}：请分别命名（name）。",
)

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=64)]
PathText = Annotated[str, Meta(min_length=1, max_length=4096)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Seconds = Annotated[int, Meta(ge=1, le=600)]


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The node itself.

    `ledger` is the ledger's id (64 hex digits), `key` the file with the node's seed. A reading is
    taken every `interval_s` seconds; a packet is closed after `readings` of them or `flush_s`
    seconds. `register_modulus` is where the register starts again, in base units (0: never).
    `most_per_hour` is the largest plausible amount of an hour, in base units (0: any). With
    ``emit = false`` packets are sent without emission. `late_s` is how long after the moment a
    reading still counts as of it (0: a tenth of the interval). The clock must be at `earliest_s`.
    """

    id: Name
    quantity: Name
    ledger: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    key: PathText
    owner: Text = ""
    interval_s: Annotated[int, Meta(ge=1, le=86_400)] = 900
    readings: Annotated[int, Meta(ge=1, le=MAX_READINGS)] = 96
    flush_s: Annotated[int, Meta(ge=1, le=31 * 86_400)] = 3_600
    zone: Name = "Asia/Shanghai"
    register_modulus: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)] = 0
    most_per_hour: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)] = 0
    late_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    earliest_s: Annotated[int, Meta(ge=0, le=2**53)] = EARLIEST_S
    emit: bool = True
    maker: Text = ""
    model: Text = ""
    serial: Text = ""

    @property
    def tolerance_s(self) -> int:
        """How many seconds after its moment a reading may be taken."""
        return self.late_s or max(1, self.interval_s // 10)


class FactorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first factor: a packaged one (`id`: ``cn-grid-2023-national@1``), or `value` and `unit`.

    `by` is who answers for it: a party's id, or a badge.
    """

    by: Name
    id: Text = ""
    value: Decimal | None = None
    unit: Text = ""


class SendSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where packets go: to the host's `url` over HTTP, or to the broker `mqtt` (``mqtt://host``).

    Up to `batch` packets are sent at once when many wait. `user` and `password_file` are for the
    broker.
    """

    url: Text | None = None
    mqtt: Text | None = None
    timeout_s: Seconds = 30
    batch: Annotated[int, Meta(ge=1, le=1_024)] = 64
    user: Text = ""
    password_file: Annotated[str, Meta(max_length=4096)] = ""


class QueueSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The durable queue: an SQLite file, and how many packets may wait in it."""

    path: PathText = "queue.sqlite"
    capacity: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000


class DisplaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The second path of a reading: to a display.

    `to` is ``stdout``, ``file`` (`path`), ``serial`` (`path`, `baud`) or ``mqtt`` (the broker
    `mqtt`, `topic`).
    """

    to: Literal["stdout", "file", "serial", "mqtt"]
    path: Annotated[str, Meta(max_length=4096)] = ""
    baud: Annotated[int, Meta(ge=50, le=4_000_000)] = 9_600
    mqtt: Text = ""
    topic: Annotated[str, Meta(max_length=256)] = ""


class KeypadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keypad: its input device, in whose name it enters, the unit, and what its table holds.

    An entry of table key, number, confirm takes that row of `table` (packaged factors, from 1 on).
    An entry that nobody finishes is forgotten after `forget_s`.
    """

    device: PathText
    by: Name
    unit: Text = ""
    table: Annotated[tuple[Text, ...], Meta(max_length=99)] = ()
    forget_s: Seconds = 60


class LampSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lamp: the number of its GPIO pin, in Broadcom's counting."""

    pin: Annotated[int, Meta(ge=0, le=53)]


class PageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The local page. Only the loopback may enter factors, whatever `address` it listens on."""

    port: Port
    address: Text = "127.0.0.1"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a node. `source` is as its kind knows it, with its paths in `folder`."""

    node: NodeSettings
    source: dict[str, Any]
    send: SendSettings
    factor: FactorSettings | None = None
    queue: QueueSettings = QueueSettings()
    display: DisplaySettings | None = None
    keypad: KeypadSettings | None = None
    lamp: LampSettings | None = None
    page: PageSettings | None = None
    pay: Annotated[tuple[PaySettings, ...], Meta(max_length=MAX_ORDERS)] = ()
    folder: Path = Path()

    @property
    def ledger_id(self) -> bytes:
        """The ledger's id, 32 bytes."""
        return bytes.fromhex(self.node.ledger)

    def path(self, text: str) -> Path:
        """A path of the file, relative to its folder."""
        return self.folder / text

    @property
    def orders(self) -> tuple[Order, ...]:
        """The node's standing orders."""
        node = self.node
        return tuple(
            order_of(given, node=node.id, quantity=node.quantity, zone=node.zone)
            for given in self.pay
        )

    @property
    def is_co2(self) -> bool:
        """Whether the node measures CO2 itself, which has the factor 1."""
        return family(self.node.quantity) == "co2"


def read_config(path: Path) -> Config:
    """The settings in a file, checked; the source's own settings too.

    Raises `NotFound` or `Unavailable` where there is no such file, and `Malformed` naming the key
    that is wrong.
    """
    try:
        data = path.read_bytes()[: MAX_CONFIG_BYTES + 1]
    except FileNotFoundError:
        raise NO_FILE(path=path) from None
    except OSError as failed:
        raise UNREADABLE(path=path, reason=failed.strerror or "?") from None
    if len(data) > MAX_CONFIG_BYTES:
        raise NOT_TOML(path=path, reason=f"> {MAX_CONFIG_BYTES} bytes")
    try:
        tables = tomllib.loads(data.decode(), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise NOT_TOML(path=path, reason=str(wrong)) from None
    if "folder" in tables:
        raise BAD_KEY(path=path, reason="Object contains unknown field `folder`")
    try:
        config = msgspec.convert(tables, Config)
    except msgspec.ValidationError as wrong:
        raise BAD_KEY(path=path, reason=str(wrong)) from None
    folder = path.absolute().parent
    config = msgspec.structs.replace(config, folder=folder, source=placed(config.source, folder))
    _check(path, config)
    return config


def _check(path: Path, config: Config) -> None:
    """What the types cannot say."""
    node, send, factor = config.node, config.send, config.factor
    for key, check, value in (
        ("id", check_id, node.id),
        ("quantity", parse_quantity, node.quantity),
        ("zone", load_zone, node.zone),
    ):
        _asked(path, "node", key, check, value)
    if parse_quantity(node.quantity) != node.quantity:
        raise _wrong(path, "node", "quantity", parse_quantity(node.quantity))
    if (send.url is None) == (send.mqtt is None):
        raise _wrong(path, "send", "url", "url / mqtt: 1")
    for key, text, scheme in (("url", send.url, "http"), ("mqtt", send.mqtt, "mqtt")):
        if text is not None and not _is_address(text, scheme):
            raise _wrong(path, "send", key, f"{scheme}://host:port")
    if factor is not None:
        _asked(path, "factor", "by", check_id, factor.by)
        if bool(factor.id) == (factor.value is not None):
            raise _wrong(path, "factor", "id", "id / value: 1")
    if config.keypad is not None:
        _asked(path, "keypad", "by", check_id, config.keypad.by)
    display = config.display
    if display is not None and display.to in ("file", "serial") and not display.path:
        raise _wrong(path, "display", "path", f'to = "{display.to}"')
    if display is not None and display.to == "mqtt" and not (display.mqtt and display.topic):
        raise _wrong(path, "display", "topic", 'to = "mqtt"')
    _check_orders(path, config)
    check_source(config.source)


def _check_orders(path: Path, config: Config) -> None:
    """Each order by itself, and that no two have one name."""
    node, names = config.node, set()
    for number, given in enumerate(config.pay, 1):

        def check(_: str, given: PaySettings = given) -> None:
            order = order_of(given, node=node.id, quantity=node.quantity, zone=node.zone)
            if order.name in names:
                raise TWICE(name=order.name)
            names.add(order.name)

        _asked(path, "[pay]", str(number), check, "")


def _is_address(text: str, scheme: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in (scheme, f"{scheme}s") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _asked(path: Path, table: str, key: str, check: Any, value: str) -> None:
    try:
        check(value)
    except WattProofError as wrong:
        raise BAD_SETTING(
            path=path, table=table, key=key, reason=wrong.text("en"), reason_zh=wrong.text("zh")
        ) from wrong


def _wrong(path: Path, table: str, key: str, hint: str) -> WattProofError:
    return BAD_SETTING(path=path, table=table, key=key, reason=f"{hint}.", reason_zh=f"{hint}。")
