"""Packets that an agent can make, sign and queue on one core, against the bare sign+SQLite loop.

The agent's path is the whole of it: a sample, its register, the reading, the emission, the packet,
its signature, and the durable commit of packet and state together. The bare loop signs payloads of
the same bytes and commits them one by one to SQLite, and does nothing else. Both in the same run,
in turns, one durable commit a packet; the meter is a number in memory.

    python -m bench.edge [--packets 2000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from bench.machine import write_result
from wattproof.edge.agent import Agent
from wattproof.edge.config import Config
from wattproof.edge.factors import typed
from wattproof.edge.queue import Queue
from wattproof.edge.source import Mode, Sample
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey

START_S = 1_790_000_000
LEDGER_ID = bytes(32)


class Meter:
    """A register that counts 250 Wh from one reading to the next."""

    kind: ClassVar[str] = "bench"

    def __init__(self) -> None:
        self.mode: Mode = "register"
        self._value = 0

    def read(self) -> Sample:
        self._value += 250
        return Sample(time_s=0, value=Decimal(self._value), unit="Wh")

    def close(self) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        result = measure(root, options.packets, options.rounds)
    finally:
        shutil.rmtree(root)
    path = write_result("edge", result)
    print(path.read_text(encoding="utf-8"))


def measure(root: Path, packets: int, rounds: int) -> dict[str, Any]:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:1])
    key = SigningKey.generate()
    bare, ours, day = [], [], []
    busy: list[tuple[float, float]] = []
    payload_bytes = 0
    for number in range(rounds):
        begun = time.process_time()
        seconds, payload_bytes = agent_loop(root / f"agent-{number}", key, packets, readings=1)
        ours.append(seconds)
        between = time.process_time()
        bare.append(bare_loop(root / f"bare-{number}.db", key, packets, payload_bytes))
        busy.append((between - begun, time.process_time() - between))
        day.append(agent_loop(root / f"day-{number}", key, max(1, packets // 96), readings=96)[0])
    os.sched_setaffinity(0, cores)
    return {
        "results": {
            "packets": packets,
            "payload_bytes": payload_bytes,
            "agent_per_s": round(packets / statistics.median(ours)),
            "bare_per_s": round(packets / statistics.median(bare)),
            "ratio": round(statistics.median(b / o for b, o in zip(bare, ours, strict=True)), 3),
            "agent_cpu_us": round(1e6 * statistics.median(each[0] for each in busy) / packets),
            "bare_cpu_us": round(1e6 * statistics.median(each[1] for each in busy) / packets),
            "readings_per_s_in_packets_of_96": round(
                96 * max(1, packets // 96) / statistics.median(day)
            ),
            "start": start_of_command(),
        }
    }


def agent_loop(folder: Path, key: SigningKey, packets: int, *, readings: int) -> tuple[float, int]:
    """Seconds for these packets, of so many readings each, and the bytes of a payload."""
    folder.mkdir()
    config = msgspec.convert(
        {
            "node": {
                "id": "m1", "quantity": "electricity.import", "ledger": LEDGER_ID.hex(),
                "key": "node.key", "interval_s": 1, "readings": readings, "flush_s": 86_400,
            },
            "source": {"kind": "bench"},
            "send": {"url": "http://127.0.0.1:1"},
        },
        Config,
    )  # fmt: skip
    now_ns = START_S * 10**9
    with Queue(folder / "queue.sqlite", capacity=10_000_000) as queue:
        agent = Agent(
            config, key=key, queue=queue, clock_ns=lambda: now_ns, open_=lambda _: Meter()
        )
        choice = typed("0.5306", unit="kgCO2e/kWh", quantity="electricity.import")
        agent.enter(choice, by="bench")
        agent.once()
        before = queue.length
        started = time.perf_counter()
        for _ in range(packets * readings):
            now_ns += 10**9
            agent.once()
        seconds = time.perf_counter() - started
        if queue.length - before != packets:
            raise SystemExit(f"{queue.length - before} packets instead of {packets}")
        payload = cose.parse(queue.first(before + 2)[-1].raw).payload
    return seconds, len(payload)


def bare_loop(path: Path, key: SigningKey, packets: int, payload_bytes: int) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE queue(position INTEGER PRIMARY KEY, raw BLOB)")
    started = time.perf_counter()
    for number in range(packets):
        payload = number.to_bytes(8, "big") + bytes(payload_bytes - 8)
        raw = cose.sign(payload, key, aad=LEDGER_ID)
        connection.execute("BEGIN")
        connection.execute("INSERT INTO queue (raw) VALUES (?)", (raw,))
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def start_of_command() -> dict[str, int]:
    """How long ``wattproof edge --help`` takes, and the most memory it holds."""
    command = [sys.executable, "-m", "wattproof", "edge", "--help"]
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - started)
    held = subprocess.run(
        [sys.executable, "-c",
         "import resource, wattproof.edge.command;"
         "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {"milliseconds": round(1000 * statistics.median(taken)), "rss_kib": int(held.stdout)}


if __name__ == "__main__":
    main()
