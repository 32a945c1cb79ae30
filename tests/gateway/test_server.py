from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
from tests.gateway.served import COSE, new_folder, serving
from tests.ledger.growing import signed
from tests.ledger.toy import Fill

from wattproof.core.errors import WattProofError
from wattproof.engines.folder import LedgerFolder
from wattproof.gateway.server import _listen, _url

SCRIPT = Path(__file__).with_name("run_server.py")


@contextmanager
def running(folder: LedgerFolder) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server in a process of its own, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.gateway.run_server", str(folder.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=SCRIPT.parents[2],
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("WattProof http://127.0.0.1:"), line
        yield process, line.split()[1]
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    folder = new_folder(tmp_path / "ledger")
    store = folder.read()
    ledger_id = store.entry(0).id
    nonces = count()
    acknowledged: list[str] = []
    refused: list[httpx.Response] = []

    def client(url: str) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while True:
                raw = signed(Fill(jar="a", shelf="b", beans=1), next(nonces), ledger_id=ledger_id)
                try:
                    answer = client.post("/api/v1/transactions", content=raw, headers=COSE)
                except httpx.TransportError:  # it takes no more connections
                    return
                if answer.status_code == 201:
                    acknowledged.append(answer.json()["id"])
                else:
                    refused.append(answer)

    with running(folder) as (process, url):
        clients = [threading.Thread(target=client, args=(url,)) for _ in range(6)]
        for thread in clients:
            thread.start()
        time.sleep(0.5)
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
        for thread in clients:
            thread.join()
    assert process.returncode == 0, errors
    assert output == ""
    assert errors == "closed\n"
    assert refused == []
    assert len(acknowledged) > 6
    for transaction_id in acknowledged:
        assert store.find_entry(bytes.fromhex(transaction_id)) is not None
    store.close()


def test_a_port_in_use_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WattProofError) as caught:
            _listen("127.0.0.1", port)
    assert caught.value.code == "gateway.cannot_listen"
    assert caught.value.params["port"] == port
    with pytest.raises(WattProofError):
        _listen("no.such.host.invalid", 0)


def test_addresses_as_browsers_write_them() -> None:
    for host, expected in (("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")):
        try:
            listener = _listen(host, 0)
        except WattProofError:
            assert ":" in host, "no IPv6 on this machine"
            continue
        with listener:
            assert _url(listener).startswith(expected)


def test_two_servers_in_one_process(tmp_path: Path) -> None:
    with serving(tmp_path / "one") as one, serving(tmp_path / "two") as two:
        one.submit(Fill(jar="a", shelf="b", beans=1))
        assert one.json("/api/v1/ledger")["size"] == 2
        assert two.json("/api/v1/ledger")["size"] == 1
        assert (
            one.client.post(
                "/api/v1/transactions",
                content=two.sign(Fill(jar="a", shelf="b", beans=1)),
                headers=COSE,
            ).json()["code"]
            == "transaction.signature"
        )
