"""Packets of 96 readings into the ledger, end to end, against the bare verify+hash+commit loop.

Both take the same signed bytes, in blocks of 1024, in the same run, in turns. The bare loop checks
the signature, hashes the bytes and commits them durably to SQLite, and does nothing else.

    python -m bench.ingest [--meters 1000] [--packets 20] [--rounds 3]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import write_result
from wattproof.cli.host import Opening
from wattproof.emissions.model import AssignFactor
from wattproof.engines.embedded import BLOCK_LIMIT
from wattproof.engines.folder import LedgerFolder
from wattproof.identity.model import AuthenticateDevice, ConfirmDevice, EnrolDevice
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.metering.model import Packet
from wattproof.node import IMPORTER, create_ledger, machine

READINGS = 96
INTERVAL_S = 900
START_S = 946_684_800


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meters", type=int, default=1000)
    parser.add_argument("--packets", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        result = measure(root, options.meters, options.packets, options.rounds)
    finally:
        shutil.rmtree(root)
    path = write_result("ingest", result)
    print(path.read_text(encoding="utf-8"))


def measure(root: Path, meters: int, packets: int, rounds: int) -> dict[str, Any]:
    cores = sorted(os.sched_getaffinity(0))
    base = LedgerFolder(root / "base", machine())
    create_ledger(base, Opening(name="bench", organisation="Bench", uscc="", zone="UTC"))
    keys = [SigningKey.generate() for _ in range(meters)]
    with base.write() as writer:
        enrol(base, writer, keys)
        ledger_id = writer.ledger_id
    raws = signed_packets(keys, packets, ledger_id)
    rows: dict[str, Any] = {"packets": len(raws), "bytes_each": len(raws[0])}
    for label, used in (("one_core", cores[:1]), ("two_cores", cores[:2])):
        if label == "two_cores" and len(cores) < 2:
            continue
        os.sched_setaffinity(0, used)
        bare, ours = [], []
        for number in range(rounds):
            bare.append(bare_loop(root / f"bare-{label}-{number}.db", raws, ledger_id))
            ours.append(ledger_loop(base, root / f"{label}-{number}", raws, len(used) - 1))
        rows[label] = summary(len(raws), bare, ours)
    os.sched_setaffinity(0, cores)
    return {"results": rows}


def summary(count: int, bare: list[float], ours: list[float]) -> dict[str, Any]:
    ratios = [b / o for b, o in zip(bare, ours, strict=True)]
    return {
        "bare_per_s": round(count / statistics.median(bare)),
        "ledger_per_s": round(count / statistics.median(ours)),
        "readings_per_s": round(READINGS * count / statistics.median(ours)),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
    }


def enrol(folder: LedgerFolder, writer: Any, keys: list[SigningKey]) -> None:
    with folder.keys() as store:
        importer = store.get(IMPORTER)
    raws: list[bytes] = []
    for number, key in enumerate(keys):
        name = f"m{number}"
        steps: tuple[tuple[Body, SigningKey], ...] = (
            (EnrolDevice(id=name, owner=IMPORTER, quantity="electricity.import", zone="UTC"), key),
            (AuthenticateDevice(device=name, evidence=bytes(32)), importer),
            (ConfirmDevice(device=name), importer),
            (
                AssignFactor(
                    device=name, factor="cn-grid-2022-national", version=1, from_s=0, to_s=0
                ),
                importer,
            ),
        )
        raws += [sign_transaction(body, k, ledger_id=writer.ledger_id) for body, k in steps]
    check(writer.engine.submit_many(raws))


def signed_packets(keys: list[SigningKey], packets: int, ledger_id: bytes) -> list[bytes]:
    """Packet 1 of every meter, then packet 2 of every meter, and so on: as a region sends them."""
    raws = []
    opening = [0] * len(keys)
    for sequence in range(packets):
        for number, key in enumerate(keys):
            values = [300 + (number * 7 + sequence * 13 + i * i) % 900 for i in range(READINGS)]
            body = Packet(
                sequence=sequence + 1,
                start_s=START_S + sequence * READINGS * INTERVAL_S,
                interval_s=INTERVAL_S,
                kind="increment",
                opening=opening[number],
                increments=UintArray.from_ints(values),
                quality=UintArray.from_ints([]),
            )
            opening[number] += sum(values)
            raws.append(sign_transaction(body, key, ledger_id=ledger_id))
    return raws


def ledger_loop(base: LedgerFolder, path: Path, raws: list[bytes], workers: int) -> float:
    shutil.copytree(base.path, path)
    folder = LedgerFolder(path, machine())
    with folder.write(workers=workers) as writer:
        writer.engine.warm_up()
        started = time.perf_counter()
        answers = writer.engine.submit_many(raws)
        seconds = time.perf_counter() - started
        check(answers)
    shutil.rmtree(path)
    return seconds


def check(answers: list[Any]) -> None:
    for answer in answers:
        if not isinstance(answer, Receipt):
            raise SystemExit(str(answer))


def bare_loop(path: Path, raws: list[bytes], ledger_id: bytes) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE log(idx INTEGER PRIMARY KEY, hash BLOB, raw BLOB)")
    started = time.perf_counter()
    for start in range(0, len(raws), BLOCK_LIMIT):
        rows = []
        for index, raw in enumerate(raws[start : start + BLOCK_LIMIT], start):
            if not cose.verify(cose.parse(raw), aad=ledger_id):
                raise SystemExit("a signature does not hold")
            rows.append((index, hashlib.sha256(raw).digest(), raw))
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO log VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


if __name__ == "__main__":
    main()
