"""From a packet to the notice of the interrupt that it raised, while packets pour in.

Meters are bound by four, a total with three parts, and watched by the hour; one window in 49 is
beyond its line. Packets of an hour come at a steady rate. Measured is the time from handing in the
packet that completes such a window until it is durable on the ledger, and until a webhook on the
loopback has the notice; the receiver is a process of its own.

    python -m bench.interrupts [--bindings 500] [--rates 2000,5000,10000] [--seconds 10]
"""

from __future__ import annotations

import argparse
import http.server
import json
import multiprocessing
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.ingest import check
from bench.machine import write_result
from wattproof.cli.host import Opening
from wattproof.emissions.tracking.model import DefineBinding, DefinePort, DefineThreshold, Line
from wattproof.emissions.tracking.notify import Notifier
from wattproof.emissions.tracking.outputs import Outputs, Webhook
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.identity.model import AuthenticateDevice, ConfirmDevice, EnrolDevice
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.metering.model import Packet
from wattproof.node import IMPORTER, create_ledger, machine

HOUR_S = 3600
START_S = 946_684_800
PORTS = 4
ONE_IN = 49
CHUNK_S = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bindings", type=int, default=500)
    parser.add_argument("--rates", default="2000,5000,10000")
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    rates = [int(rate) for rate in options.rates.split(",")]
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        rows = [measure(root, options.bindings, rate, options.seconds) for rate in rates]
    finally:
        shutil.rmtree(root)
    path = write_result("interrupts", {"bindings": options.bindings, "results": rows})
    print(path.read_text(encoding="utf-8"))


def measure(root: Path, bindings: int, rate: int, seconds: int) -> dict[str, Any]:
    folder = LedgerFolder(root / str(rate), machine())
    create_ledger(folder, Opening(name="bench", organisation="Bench", uscc="", zone="UTC"))
    keys = [SigningKey.generate() for _ in range(bindings * PORTS)]
    hours = -(-rate * seconds // len(keys))
    with receiver() as (url, pipe), folder.write() as writer:
        wire(folder, writer, keys)
        raws = signed(keys, hours, writer.ledger_id)
        outputs = Outputs(webhook=(Webhook(url=url),))
        notifier = Notifier(folder, outputs, ledger_id=writer.ledger_id, zone="UTC")
        notifier.start()
        time.sleep(1)
        expected = 2 * sum(map(is_beyond, range(bindings * hours)))
        with ThreadPoolExecutor(1) as beside:
            arrived_soon = beside.submit(collect, pipe, expected=expected)
            handed, durable, took = pour(writer, raws, rate)
            arrived = arrived_soon.result()
        notifier.close()
    on_ledger, by_hook = [], []
    for window in filter(is_beyond, range(bindings * hours)):
        hour, binding = divmod(window, bindings)
        last = (hour * bindings + binding) * PORTS + PORTS - 1
        on_ledger.append(durable[last] - handed[last])
        by_hook.append(arrived[binding + 1, START_S + hour * HOUR_S, "interrupt"] - handed[last])
    return {
        "rate_wanted_per_s": rate,
        "rate_reached_per_s": round(len(raws) / took),
        "packets": len(raws),
        "interrupts": len(by_hook),
        "on_the_ledger_ms": spread(on_ledger),
        "at_the_webhook_ms": spread(by_hook),
    }


def spread(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "p50": round(cuts[49] * 1000, 1),
        "p99": round(cuts[98] * 1000, 1),
        "most": round(max(seconds) * 1000, 1),
    }


def is_beyond(window: int) -> bool:
    return window % ONE_IN == 7


def wire(folder: LedgerFolder, writer: Writer, keys: Sequence[SigningKey]) -> None:
    with folder.keys() as store:
        importer = store.get(IMPORTER)

    def steps() -> Iterator[tuple[Body, SigningKey]]:
        for number, key in enumerate(keys, start=1):
            name = f"m{number}"
            quantity = "electricity.import"
            yield EnrolDevice(id=name, owner=IMPORTER, quantity=quantity, zone="UTC"), key
            yield AuthenticateDevice(device=name, evidence=bytes(32)), importer
            yield ConfirmDevice(device=name), importer
            port = DefinePort(
                number=number, device=name, transport="", plant="", process="", person=""
            )
            yield port, importer
        for group in range(1, len(keys) // PORTS + 1):
            first = (group - 1) * PORTS + 1
            right = tuple(range(first + 1, first + PORTS))
            bound = DefineBinding(
                group=group, kind="total", measure="amount", left=(first,), right=right
            )
            yield bound, importer
            lines = (Line(value=50, unit="absolute"),)
            watch = DefineThreshold(group=group, set=1, step_s=HOUR_S, offset_s=0, lines=lines)
            yield watch, importer

    raws = [sign_transaction(body, key, ledger_id=writer.ledger_id) for body, key in steps()]
    check(writer.engine.submit_many(raws))


def signed(keys: Sequence[SigningKey], hours: int, ledger_id: bytes) -> list[bytes]:
    """An hour of every binding, then the next: the total first, the last part completes it."""
    opening = [0] * len(keys)
    raws = []
    for hour in range(hours):
        for number, key in enumerate(keys):
            window = hour * (len(keys) // PORTS) + number // PORTS
            part = number % PORTS
            amount = 300 if part == 0 else 100 - (60 if part == 3 and is_beyond(window) else 0)
            body = Packet(
                sequence=hour + 1,
                start_s=START_S + hour * HOUR_S,
                interval_s=HOUR_S // 4,
                kind="increment",
                opening=opening[number],
                increments=UintArray.from_ints([amount, 0, 0, 0]),
                quality=UintArray.from_ints(()),
            )
            opening[number] += amount
            raws.append(sign_transaction(body, key, ledger_id=ledger_id))
    return raws


def pour(writer: Writer, raws: list[bytes], rate: int) -> tuple[list[float], list[float], float]:
    """Hand packets in at a steady rate; when each was handed in, and when it was durable."""
    writer.engine.warm_up()
    handed, durable = [0.0] * len(raws), [0.0] * len(raws)
    left = threading.Semaphore(0)
    chunk = max(1, int(rate * CHUNK_S))
    began = time.time()

    def submit(first: int) -> None:
        some = raws[first : first + chunk]
        check(writer.engine.submit_many(some))
        now = time.time()
        durable[first : first + len(some)] = [now] * len(some)
        left.release()

    threads = []
    for first in range(0, len(raws), chunk):
        due = began + first / rate
        time.sleep(max(0.0, due - time.time()))
        handed[first : first + chunk] = [time.time()] * len(raws[first : first + chunk])
        thread = threading.Thread(target=submit, args=(first,))
        thread.start()
        threads.append(thread)
        while len(threads) > 64:  # the engine lags: wait for it, and count the wait
            threads.pop(0).join()
    for thread in threads:
        thread.join()
    return handed, durable, time.time() - began


@contextmanager
def receiver() -> Iterator[tuple[str, Connection]]:
    """A webhook in a process of its own: its address, and where it says what came when."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=receive, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        ours.send("stop")
        process.join()


def receive(pipe: Connection) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            now = time.time()
            self.send_response(204)
            self.send_header("Content-Length", "0")
            self.end_headers()
            pipe.send((body["group"], body["start"], body["what"], now))

        def log_message(self, *_arguments: object) -> None:
            return

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(f"http://127.0.0.1:{server.server_port}/hook")
    pipe.recv()
    server.shutdown()


def collect(pipe: Connection, *, expected: int) -> dict[tuple[int, int, str], float]:
    """All notices, by group, window and kind. The last windows' ends may have no next window."""
    from wattproof.core.periods import parse_time

    arrived: dict[tuple[int, int, str], float] = {}
    while len(arrived) < expected and pipe.poll(10):
        group, start, what, now = pipe.recv()
        arrived[group, parse_time(start, "UTC"), what] = now
    return arrived


if __name__ == "__main__":
    main()
