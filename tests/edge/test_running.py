"""Everything that a site runs, as processes: host, broker, three meters, three agents, and trouble.

One agent reads Modbus and is killed with -9; one reads DLMS and its way to the host is cut; one
reads DL/T 645 and reports through Mosquitto, which goes away for a while. In the end the ledger
has what each meter counted: nothing lost, nothing twice, in order.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.support.broker import Broker
from tests.support.meter_lines import free_port, server_process

from wattproof.cli.host import Opening
from wattproof.emissions.tracking.model import NODES, Node
from wattproof.engines.folder import LedgerFolder
from wattproof.identity.model import DEVICES, AuthenticateDevice, ConfirmDevice
from wattproof.ledger.genesis import ledger_id_of
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.metering.model import PACKETS, STREAMS, PacketRow, Stream
from wattproof.node import IMPORTER, create_ledger, machine

START_S = 60
METER = "000000000161"
COSE = {"Content-Type": "application/cose"}


class Tick:
    """A meter that counts a little several times a second, until told to stop."""

    def __init__(self, process: subprocess.Popen[str], line: Callable[[int], str]) -> None:
        self._process, self._line = process, line
        self._stopping = threading.Event()
        self.count = 0
        self._thread = threading.Thread(target=self._run)
        self._set()
        self._thread.start()

    def stop(self) -> int:
        """Count no more; how often it did."""
        self._stopping.set()
        self._thread.join(10)
        return self.count

    def _run(self) -> None:
        while not self._stopping.wait(0.15):
            self.count += 1
            self._set()

    def _set(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(self._line(self.count) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "changed\n"


class Gate:
    """A TCP relay to the host that can be shut: what is shut out is refused."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = free_port()
        self.open = True
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        while not self._stopping:
            connection, _ = self._listener.accept()
            with connection, contextlib.suppress(OSError):
                if self.open:
                    self._relay(connection)

    def _relay(self, connection: socket.socket) -> None:
        """Carry both ways until an end closes, or the gate is shut."""
        with socket.create_connection(("127.0.0.1", self._target)) as host:
            connection.settimeout(0.05)
            host.settimeout(0.05)
            while self.open and not self._stopping:
                for here, there in ((connection, host), (host, connection)):
                    with contextlib.suppress(TimeoutError):
                        data = here.recv(65_536)
                        if not data:
                            return
                        there.sendall(data)


class Agent:
    """``wattproof edge`` for one node, as processes."""

    def __init__(self, folder: Path, name: str, settings: dict[str, Any]) -> None:
        folder.mkdir()
        self.config = folder / "node.toml"
        self.name = name
        self.config.write_bytes(_toml(settings))
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, *arguments: str) -> Any:
        """Run another command of the node's; what it answers."""
        done = subprocess.run(
            [sys.executable, "-m", "wattproof", "edge", arguments[0], str(self.config), "--json",
             *arguments[1:]],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        return msgspec.json.decode(done.stdout)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wattproof", "edge", "run", str(self.config)],
            stdout=subprocess.DEVNULL,
        )

    def end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(30)
        assert code == (0 if number == signal.SIGTERM else -number)
        self._process = None

    def abandon(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)


def _toml(tables: dict[str, Any]) -> bytes:
    """Tables of texts and numbers as TOML."""
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        for key, value in table.items():
            inner = (
                "{" + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + "}"
                if isinstance(value, dict)
                else _value(value)
            )
            lines.append(f"{key} = {inner}")
    return "\n".join(lines).encode()


def _value(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerFolder:
    folder = LedgerFolder(tmp_path / "ledger", machine())
    create_ledger(folder, Opening(name="test", organisation="Test", uscc="", zone="UTC"))
    return folder


@contextlib.contextmanager
def serving(ledger: LedgerFolder, broker: Broker) -> Iterator[int]:
    """``wattproof serve`` in a process; its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "wattproof", "serve", str(ledger.path), "--port", str(port),
         "--mqtt", broker.url],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"WattProof http://")
        yield port
    finally:
        process.terminate()
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


def node(
    folder: Path, name: str, ledger_id: bytes, source: dict[str, Any], send: dict[str, Any]
) -> Agent:
    settings: dict[str, Any] = {
        "node": {
            "id": name,
            "owner": IMPORTER,
            "quantity": "electricity.import",
            "ledger": ledger_id.hex(),
            "key": "node.key",
            "interval_s": 1,
            "readings": 2,
            "zone": "UTC",
        },
        "factor": {"id": "cn-grid-2023-national@1", "by": "badge-7"},
        "source": {"host": "127.0.0.1", "timeout_s": 0.5, **source},
        "send": {"timeout_s": 2, **send},
    }
    if name == "m-dlms":
        settings["factor"] = {"value": Decimal("0.6123"), "unit": "kgCO2e/kWh", "by": "badge-7"}
    return Agent(folder / name, name, settings)


def activate(ledger: LedgerFolder, port: int, names: list[str], ledger_id: bytes) -> None:
    with ledger.keys() as keys:
        importer = keys.get(IMPORTER)
    for name in names:
        steps: tuple[Body, ...] = (
            AuthenticateDevice(device=name, evidence=bytes(32)),
            ConfirmDevice(device=name),
        )
        for body in steps:
            raw = sign_transaction(body, importer, ledger_id=ledger_id)
            answer = httpx.post(
                f"http://127.0.0.1:{port}/api/v1/transactions", content=raw, headers=COSE
            )
            assert answer.status_code == 201, answer.text


def settled(agents: list[Agent]) -> None:
    """Wait until nothing waits at any agent."""
    until = time.monotonic() + 60
    while any(agent.call("status")["waiting"] for agent in agents):
        assert time.monotonic() < until, [agent.call("status") for agent in agents]


@pytest.mark.timeout(240)
def test_nothing_is_lost_and_nothing_twice(tmp_path: Path, ledger: LedgerFolder) -> None:
    ports = [free_port() for _ in range(3)]
    with contextlib.closing(ledger.read()) as reader:
        ledger_id = ledger_id_of(leaf_parts(reader.entry(0).leaf)[2])
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Broker.started(tmp_path))
        port = stack.enter_context(serving(ledger, broker))
        gate = Gate(port)
        stack.callback(gate.close)
        meters = [
            stack.enter_context(server_process(*arguments))
            for arguments in (
                ("modbus_server", "tcp", str(ports[0])),
                ("dlms_server", "wrapper", str(ports[1])),
                ("dlt645_server", "tcp", str(ports[2]), METER),
            )
        ]
        agents = [
            node(tmp_path, "m-modbus", ledger_id,
                 {"kind": "modbus", "port": ports[0], "scale": Decimal("0.001"),
                  "value": {"register": 2, "type": "u32"}},
                 {"url": f"http://127.0.0.1:{port}"}),
            node(tmp_path, "m-dlms", ledger_id, {"kind": "dlms", "port": ports[1]},
                 {"url": f"http://127.0.0.1:{gate.port}"}),
            node(tmp_path, "m-dlt645", ledger_id,
                 {"kind": "dlt645", "port": ports[2], "address": METER}, {"mqtt": broker.url}),
        ]  # fmt: skip
        for agent in agents:
            agent.call("key")
            agent.call("enrol")
        activate(ledger, port, [agent.name for agent in agents], ledger_id)
        ticks = [
            Tick(meters[0], lambda count: f"2=0,{1000 + 7 * count}"),
            Tick(meters[1], lambda count: str(1_234_567 + 11 * count)),
            Tick(meters[2], lambda count: f"00010000={123_456 + count * Decimal('0.01')}"),
        ]
        for tick in ticks:
            stack.callback(tick.stop)
        for agent in agents:
            agent.start()
            stack.callback(agent.abandon)
        _trouble(agents, gate, broker)
        counts = [tick.stop() for tick in ticks]
        time.sleep(4)  # two readings more, of meters that stand still
        for agent in agents:
            agent.end(signal.SIGTERM)
        for agent in agents:
            agent.start()
        settled(agents)
        for agent in agents:
            agent.end(signal.SIGTERM)
            assert agent.call("refused") == []
    finals = [1000 + 7 * counts[0], 1_234_567 + 11 * counts[1], 123_456_000 + 10 * counts[2]]
    for name, final in zip([agent.name for agent in agents], finals, strict=True):
        check(ledger, name, final)


def _trouble(agents: list[Agent], gate: Gate, broker: Broker) -> None:
    """What happens to them while they run."""
    time.sleep(4)
    gate.open = False
    agents[0].end(signal.SIGKILL)
    time.sleep(3)
    broker.stop()
    agents[0].start()
    time.sleep(4)
    broker.start()
    gate.open = True
    time.sleep(4)
    agents[0].end(signal.SIGKILL)
    agents[0].start()
    time.sleep(4)


def check(ledger: LedgerFolder, name: str, final: int) -> None:
    """The ledger has what the meter counted, once, in order, and its emission."""
    with contextlib.closing(ledger.read()) as reader:
        device = reader.get(DEVICES, name)
        assert device is not None
        stream: Stream | None = reader.get(STREAMS, device.number)
        emitted: Node | None = reader.get(NODES, device.number)
        rows: list[PacketRow] = list(reader.scan(PACKETS, device.number))
    assert stream is not None
    assert emitted is not None
    assert stream.register == final, name
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert [row.entry for row in rows] == sorted(row.entry for row in rows)
    assert all(one.end_s <= other.start_s for one, other in pairwise(rows))
    assert len(rows) >= 4
    value_ug = emitted.spans[-1].value_ug
    assert emitted.total_g == stream.total * value_ug // 1_000_000
    assert emitted.wrong == 0
