"""Single durable submissions over HTTP at 1, 8 and 64 clients, against one durable commit each.

The server is a process of its own; the clients are connections of this one, kept alive, each
sending its next transaction when it has the receipt of the one before. The baseline verifies the
same transactions and commits each by itself, in this process, without HTTP. Every answer must be
201: durable before it was given.

    python -m bench.http [--seconds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.ingest import enrol, signed_packets
from bench.machine import write_result
from wattproof.cli.host import Opening
from wattproof.engines.folder import LedgerFolder
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.node import create_ledger, machine

CLIENTS = (1, 8, 64)
PER_CLIENT_LIMIT = 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        path = write_result("http", measure(root, options.seconds))
        print(path.read_text(encoding="utf-8"))
    finally:
        shutil.rmtree(root)


def measure(root: Path, seconds: float) -> dict[str, Any]:
    base = LedgerFolder(root / "ledger", machine())
    create_ledger(base, Opening(name="bench", organisation="Bench", uscc="", zone="UTC"))
    keys = [SigningKey.generate() for _ in range(sum(CLIENTS))]
    with base.write() as writer:
        enrol(base, writer, keys)
        ledger_id = writer.ledger_id
    rows: dict[str, Any] = {}
    server = subprocess.Popen(
        [sys.executable, "-m", "wattproof", "serve", str(base.path), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        first = 0
        for clients in CLIENTS:
            packets = min(PER_CLIENT_LIMIT, max(150, int(seconds * 3000 / clients)))
            mine = keys[first : first + clients]
            first += clients
            streams = [signed_packets([key], packets, ledger_id) for key in mine]
            took, done = asyncio.run(drive(port, streams, seconds))
            bare_s = bare(root / f"bare-{clients}.db", streams[0][:1000], ledger_id)
            rows[f"clients_{clients}"] = {
                "per_s": round(len(done) / took),
                "p50_ms": round(1000 * statistics.median(done), 2),
                "p99_ms": round(1000 * statistics.quantiles(done, n=100)[98], 2),
                "bare_commit_per_s": round(1 / bare_s),
                "ratio": round(len(done) / took * bare_s, 3),
            }
        rows["server_peak_mb"] = peak_mb(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    return {"results": rows}


async def drive(port: int, streams: list[list[bytes]], seconds: float) -> tuple[float, list[float]]:
    """Seconds that all clients took, and the seconds of each answer."""
    deadline = time.perf_counter() + seconds
    started = time.perf_counter()
    parts = await asyncio.gather(*(client(port, stream, deadline) for stream in streams))
    return time.perf_counter() - started, [took for part in parts for took in part]


async def client(port: int, raws: list[bytes], deadline: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    for raw in raws:
        begun = time.perf_counter()
        if begun > deadline:
            break
        writer.write(
            b"POST /api/v1/transactions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/cose\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 201"):
            raise SystemExit((head + body).decode())
        took.append(time.perf_counter() - begun)
    writer.close()
    return took


def bare(path: Path, raws: list[bytes], ledger_id: bytes) -> float:
    """Seconds for each: verify, insert, commit durably."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE log(raw BLOB)")
    started = time.perf_counter()
    for raw in raws:
        if not cose.verify(cose.parse(raw), aad=ledger_id):
            raise SystemExit("a signature does not hold")
        connection.execute("INSERT INTO log VALUES (?)", (raw,))
    seconds = time.perf_counter() - started
    connection.close()
    return seconds / len(raws)


def peak_mb(pid: int) -> int:
    """The largest resident size that a process has had, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


if __name__ == "__main__":
    main()
