"""A node that pays, and a ledger that is served: real processes, real HTTP, real money."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.edge.paying_child import AGO_S, clock_of, settings
from tests.support.memory_ledger import genesis_of, key_of

from wattproof.book.model import BALANCES, DefineAsset, OpenAccount
from wattproof.book.queries import conservation
from wattproof.edge.queue import Queue
from wattproof.edge.send_http import HttpLink
from wattproof.edge.sender import Sender
from wattproof.engines.folder import LOG_KEY, LedgerFolder, Writer
from wattproof.gateway.app import make_app
from wattproof.gateway.host import Host
from wattproof.gateway.server import ServerThread
from wattproof.identity.model import AuthenticateDevice, ConfirmDevice, EnrolDevice
from wattproof.ledger.chain import Receipt
from wattproof.ledger.genesis import sign_genesis
from wattproof.ledger.transaction import NONCE_BYTES, Body, sign_transaction
from wattproof.metering.model import STREAMS, Stream
from wattproof.node import machine
from wattproof.settlement.model import FreezeWallet, TopUpWallet, UnfreezeWallet

ROOT = Path(__file__).parents[2]
KILLS = 10
WAIT_S = 30
FOUNDERS = {
    "registrar": ("registrar",),
    "importer": ("consumer", "importer"),
    "bank": ("bank", "issuer"),
    "landlord": ("consumer",),
}


class Served:
    """The ledger behind its server, with meters ``m1`` and ``m2`` and the account ``landlord``."""

    def __init__(self, folder: LedgerFolder, writer: Writer, url: str) -> None:
        self.folder = folder
        self.writer = writer
        self.url = url

    @property
    def ledger_id(self) -> bytes:
        return self.writer.ledger_id

    def submit(self, body: Body, by: str) -> None:
        raw = sign_transaction(body, key_of(by), ledger_id=self.ledger_id)
        assert isinstance(self.writer.engine.submit(raw), Receipt)

    def top_up(self, fen: int) -> None:
        body = TopUpWallet(device="m1", asset="CNY", amount=fen, source="", memo="")
        self.submit(body, "bank")

    def fen(self, account: str) -> int:
        with closing(self.folder.read()) as reader:
            found = reader.get(BALANCES, account, "CNY")
        return 0 if found is None else found.amount

    @property
    def stream(self) -> Stream | None:
        """What the ledger has of the meter ``m1``."""
        with closing(self.folder.read()) as reader:
            return reader.get(STREAMS, 1)

    def check(self) -> None:
        with closing(self.folder.read()) as reader:
            for row in conservation(reader):
                assert row.sum == 0, row


@contextmanager
def serving(path: Path) -> Iterator[Served]:
    folder = LedgerFolder(path, machine())
    with folder.create_keys() as keys:
        keys.add(LOG_KEY, key_of("log"))
    genesis = sign_genesis(genesis_of(FOUNDERS), key_of("registrar"), nonce=bytes(NONCE_BYTES))
    folder.create(genesis=genesis, first=[], log_key=key_of("log"), time_ms=time.time_ns() // 10**6)
    with folder.write(workers=0) as writer:
        host = Host(folder=folder, writer=writer, version="test", routers=[])
        with ServerThread(make_app(host)) as server:
            served = Served(folder, writer, server.url)
            served.submit(DefineAsset(id="CNY", kind="money", unit="fen", decimals=2), "bank")
            served.submit(OpenAccount(id="landlord"), "landlord")
            for meter in ("m1", "m2"):
                enrol = EnrolDevice(
                    id=meter, owner="importer", quantity="electricity.import", zone="Asia/Shanghai"
                )
                served.submit(enrol, meter)
                served.submit(AuthenticateDevice(device=meter, evidence=bytes(32)), "importer")
                served.submit(ConfirmDevice(device=meter), "importer")
            yield served
            served.check()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "ledger") as found:
        yield found


def test_killed_at_any_moment_each_hour_is_paid_once(tmp_path: Path, served: Served) -> None:
    served.top_up(10**7)
    begun_s = int(time.time())
    command = [
        sys.executable, "-m", "tests.edge.paying_child", str(tmp_path), served.ledger_id.hex(),
        served.url, str(begun_s),
    ]  # fmt: skip
    for seed in range(KILLS):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"runs\n"
            time.sleep(random.Random(seed).uniform(0.05, 0.8))
            child.kill()
            assert child.wait() == -9
    orders = settings(tmp_path, served.ledger_id, served.url).orders
    with Queue(tmp_path / "queue.sqlite") as queue:
        link = HttpLink(served.url, timeout_s=10)
        sender = Sender(queue, link, clock=lambda: clock_of(begun_s)() // 10**9, batch=64)
        while sender.once() == 0:
            pass
        link.close()
        assert (queue.refused(), queue.length) == ([], 0)
        payments = queue.payments.last(10_000)[::-1]
        reached = queue.payments.reached()
        measured = queue.state().measured
    assert {each.state for each in payments} == {"paid"}
    assert len({each.entry for each in payments}) == len(payments)
    rents = [each for each in payments if each.fen == 7]
    first_s = rents[0].due_s
    last_s = reached[orders[0].name].through_s
    assert len(rents) > KILLS
    assert 0 < first_s - (begun_s - AGO_S) < 2 * 86_400
    assert [each.due_s for each in rents] == list(range(first_s, last_s + 1, 3600))
    assert served.fen("landlord") == 7 * len(rents)
    power = reached[orders[1].name]
    assert 0 < power.measured <= measured
    assert served.fen("wallet:2") * 10**6 + power.carry_ufen == power.measured * 65_437
    assert served.fen("wallet:1") == 10**7 - served.fen("landlord") - served.fen("wallet:2")
    stream = served.stream
    assert stream is not None
    assert 0 < stream.total <= measured


def edge(config: Path, *arguments: str) -> tuple[int, Any]:
    """One command of the node's; its exit and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "wattproof", "edge", arguments[0], str(config), "--json",
         *arguments[1:]],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    assert holds()


def write_settings(folder: Path, served: Served, meter: str) -> Path:
    path = folder / "node.toml"
    path.write_text(
        f'[node]\nid = "m1"\nquantity = "electricity.import"\nemit = false\n'
        f'ledger = "{served.ledger_id.hex()}"\nkey = "node.key"\ninterval_s = 1\nreadings = 2\n'
        f'[source]\nkind = "http"\nurl = "{meter}"\nunit = "Wh"\nmode = "register"\n'
        f'[send]\nurl = "{served.url}"\n[display]\nto = "file"\npath = "line"\n'
        '[[pay]]\nto = "landlord"\nper_kwh = "0.65"\nevery = "month"\n',
        encoding="utf-8",
    )
    key = folder / "node.key"
    key.write_text(key_of("m1").seed.hex() + "\n", encoding="ascii")
    key.chmod(0o600)
    return path


@contextmanager
def running(config: Path, end: signal.Signals) -> Iterator[None]:
    """``wattproof edge run``, ended by this signal."""
    node = subprocess.Popen(
        [sys.executable, "-m", "wattproof", "edge", "run", str(config)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert node.stdout is not None
        assert node.stdout.readline()
        yield
        node.send_signal(end)
        assert node.wait(30) == (0 if end == signal.SIGTERM else -end)
    finally:
        node.kill()
        node.wait(30)
        assert node.stdout is not None
        node.stdout.close()


@pytest.mark.timeout(180)
def test_a_person_pays_at_the_node(tmp_path: Path, served: Served, meter: str) -> None:
    config = write_settings(tmp_path, served, meter)
    served.top_up(2_000)
    assert edge(config, "pay", "--to", "landlord", "--amount", "12.50", "--memo", "deposit")[0] == 0
    with running(config, signal.SIGKILL):
        until(lambda: served.fen("landlord") == 1_250)
        served.submit(FreezeWallet(device="m1", reason="lost"), "bank")
        code, told = edge(config, "pay", "--to-device", "m2", "--amount", "1", "--wait", "30")
        assert (code, told["error"]["code"]) == (1, "edge.command.not_taken")
        assert "settlement.wallet_frozen" in told["error"]["en"]
    served.submit(UnfreezeWallet(device="m1"), "bank")
    edge(config, "pay", "--to", "landlord", "--amount", "7.51")  # while nothing runs
    with running(config, signal.SIGTERM):
        until(lambda: len(edge(config, "refused")[1]) == 2)
        frozen, empty = edge(config, "refused")[1]
        assert (frozen["code"], frozen["what"]) == ("settlement.wallet_frozen", "pay 1.00 CNY m2")
        assert (empty["code"], "750" in empty["en"]) == ("book.overdraft", True)
        edge(config, "refused", "--again", str(frozen["position"]))
        until(lambda: served.fen("wallet:2") == 100)
        told = edge(config, "pay", "--to", "landlord", "--amount", "0.01", "--wait", "30")[1]
        assert (told["state"], told["entry"] > 0) == ("paid", True)
        status = edge(config, "status")[1]
        assert [each["state"] for each in status["payments"]] == [
            "paid", "refused", "paid", "paid",
        ]  # fmt: skip
        assert status["orders"][0]["price"] == "0.65"
        until(lambda: "0.01 CNY landlord: paid" in (tmp_path / "line").read_text(encoding="utf-8"))
        stream = served.stream
        assert stream is not None
        packets = stream.packets
        until(lambda: served.stream is not None and served.stream.packets > packets)
    assert (served.fen("landlord"), served.fen("wallet:1")) == (1_251, 649)
