"""The console's main pages over a ledger of a million entries: p50 and p99.

The ledger is filled through the engine itself: a thousand meters of twenty parties, whose packets
hold four readings each. The server is a process of its own; one client asks for each page again
and again over one connection, signed in as one who may see everything. The baseline is ``/healthz``
in the same run: what a request costs that reads one row.

    python -m bench.pages [--entries 1000000] [--rounds 200]
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.ingest import check, enrol
from bench.machine import write_result
from wattproof.cli.host import Opening
from wattproof.console.cli import USERS_FILE
from wattproof.console.users import Users
from wattproof.engines.folder import LedgerFolder
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import sign_transaction
from wattproof.metering.model import Packet
from wattproof.node import OPERATOR, create_ledger, machine

METERS = 1000
READINGS = 4
START_S = 946_684_800
PASSWORD = "bench-bench-bench"
PAGES = (
    "/healthz", "/", "/ledger", "/ledger/entries/1000", "/meters", "/meters/m7", "/devices",
    "/devices/m7", "/parties", "/queue", "/accounts", "/factors",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        path = write_result("pages", measure(root, options.entries, options.rounds))
        print(path.read_text(encoding="utf-8"))
    finally:
        shutil.rmtree(root)


def measure(root: Path, entries: int, rounds: int) -> dict[str, Any]:
    folder = LedgerFolder(root / "ledger", machine())
    create_ledger(folder, Opening(name="bench", organisation="Bench", uscc="", zone="UTC"))
    started = time.perf_counter()
    fill(folder, entries)
    fill_seconds = time.perf_counter() - started
    users = Users(folder.path / USERS_FILE)
    users.add(OPERATOR, password=PASSWORD, party=OPERATOR, lang="en", key=None)
    users.close()
    server = subprocess.Popen(
        [sys.executable, "-m", "wattproof", "serve", str(folder.path), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        cookie = sign_in(connection)
        prepare_seconds = prepare(connection, cookie)
        rows = {page: timed(connection, page, cookie, rounds) for page in PAGES}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    return {
        "entries": entries,
        "fill_seconds": round(fill_seconds, 1),
        "prepare_seconds": prepare_seconds,
        "results": rows,
    }


def fill(folder: LedgerFolder, entries: int) -> None:
    keys = [SigningKey.generate() for _ in range(METERS)]
    with folder.write() as writer:
        enrol(folder, writer, keys)
        left = entries - writer.store.size
        batch: list[bytes] = []
        for raw in packets(keys, writer.ledger_id, left):
            batch.append(raw)
            if len(batch) == 8192:
                check(writer.engine.submit_many(batch))
                batch.clear()
        check(writer.engine.submit_many(batch))


def packets(keys: list[SigningKey], ledger_id: bytes, count: int) -> Iterator[bytes]:
    """`count` packets, round after round of all meters."""
    values = UintArray.from_ints([250, 300, 350, 400])
    none = UintArray.from_ints(())
    for number in range(count):
        sequence, meter = divmod(number, len(keys))
        body = Packet(
            sequence=sequence + 1,
            start_s=START_S + sequence * READINGS * 900,
            interval_s=900,
            kind="increment",
            opening=sequence * 1300,
            increments=values,
            quality=none,
        )
        yield sign_transaction(body, keys[meter], ledger_id=ledger_id)


def sign_in(connection: http.client.HTTPConnection) -> str:
    connection.request("GET", "/sign-in")
    page = connection.getresponse()
    text = page.read().decode()
    visit = page.headers["Set-Cookie"].split(";")[0]
    found = re.search('name="csrf" value="([^"]+)"', text)
    assert found is not None
    form = urlencode({"csrf": found[1], "login": OPERATOR, "password": PASSWORD, "next": "/"})
    headers = {"Cookie": visit, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", form, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 303, answer.status
    return answer.headers["Set-Cookie"].split(";")[0]


def prepare(connection: http.client.HTTPConnection, cookie: str) -> int:
    """Wait until the lake is made and the overview has figures; how long that took, in seconds."""
    begun = time.monotonic()
    while True:
        connection.request("GET", "/", headers={"Cookie": cookie})
        if b'id="figures"' in connection.getresponse().read():
            return round(time.monotonic() - begun)
        time.sleep(1)


def timed(
    connection: http.client.HTTPConnection, page: str, cookie: str, rounds: int
) -> dict[str, Any]:
    took = []
    size = 0
    for _ in range(rounds + 3):
        begun = time.perf_counter()
        connection.request("GET", page, headers={"Cookie": cookie})
        answer = connection.getresponse()
        size = len(answer.read())
        took.append(1000 * (time.perf_counter() - begun))
        if answer.status != 200:
            raise SystemExit(f"{page}: {answer.status}")
    counted = took[3:]
    return {
        "first_ms": round(took[0], 1),
        "p50_ms": round(statistics.median(counted), 2),
        "p99_ms": round(statistics.quantiles(counted, n=100)[98], 2),
        "bytes": size,
    }


if __name__ == "__main__":
    main()
