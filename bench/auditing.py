"""The audit of a whole ledger against the bare verification of its signatures; and one proof.

Both read the same log from the same file, in turns; the bare loop on one core. The audit replays
every transaction, recomputes every hash and compares every stored row beside that.

    python -m bench.auditing [--meters 500] [--packets 40] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.ingest import check, enrol, signed_packets
from bench.machine import write_result
from wattproof.cli.host import Opening
from wattproof.engines.folder import LOG_KEY, LedgerFolder
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.fsck import audit
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.proof import make_proof, verify_proof
from wattproof.node import create_ledger, machine

PROOFS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meters", type=int, default=500)
    parser.add_argument("--packets", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        path = write_result(
            "auditing", measure(root, options.meters, options.packets, options.rounds)
        )
        print(path.read_text(encoding="utf-8"))
    finally:
        shutil.rmtree(root)


def measure(root: Path, meters: int, packets: int, rounds: int) -> dict[str, Any]:
    folder = LedgerFolder(root / "ledger", machine())
    create_ledger(folder, Opening(name="bench", organisation="Bench", uscc="", zone="UTC"))
    keys = [SigningKey.generate() for _ in range(meters)]
    with folder.write() as writer:
        enrol(folder, writer, keys)
        check(writer.engine.submit_many(signed_packets(keys, packets, writer.ledger_id)))
    cores = sorted(os.sched_getaffinity(0))
    rows: dict[str, Any] = {"verify_proof_ms": round(1000 * proof_seconds(folder), 3)}
    for label, used in (("one_core", cores[:1]), ("two_cores", cores[:2])):
        if label == "one_core" or len(cores) > 1:
            rows[label] = compared(folder, cores[:1], used, rounds)
    os.sched_setaffinity(0, cores)
    return {"results": rows}


def compared(folder: LedgerFolder, one: list[int], used: list[int], rounds: int) -> dict[str, Any]:
    """The audit on the cores `used`, against the bare loop on one."""
    bare, ours = [], []
    entries = 0
    for _ in range(rounds):
        os.sched_setaffinity(0, one)
        bare.append(bare_loop(folder))
        os.sched_setaffinity(0, used)
        seconds, entries = audited(folder, workers=len(used) - 1)
        ours.append(seconds)
    ratios = [b / o for b, o in zip(bare, ours, strict=True)]
    return {
        "entries": entries,
        "bare_verify_per_s": round(entries / statistics.median(bare)),
        "audit_per_s": round(entries / statistics.median(ours)),
        "ratio": round(statistics.median(ratios), 3),
    }


def bare_loop(folder: LedgerFolder) -> float:
    store = folder.read()
    ledger_id = store.entry(0).id
    started = time.perf_counter()
    first = 1
    while entries := store.entries(first, 4096):
        for entry in entries:
            if not cose.verify(cose.parse(leaf_parts(entry.leaf)[2]), aad=ledger_id):
                raise SystemExit("a signature does not hold")
        first += len(entries)
    seconds = time.perf_counter() - started
    store.close()
    return seconds


def audited(folder: LedgerFolder, *, workers: int) -> tuple[float, int]:
    store = folder.read()
    verifier = folder.verifier(store.entry(0).id, workers=workers)
    verifier.warm_up()
    started = time.perf_counter()
    report = audit(store, folder.machine, check_many=lambda _ledger_id: verifier.check_many)
    seconds = time.perf_counter() - started
    verifier.close()
    store.close()
    if not report.ok:
        raise SystemExit(str(report.first_break))
    return seconds, report.entries


def proof_seconds(folder: LedgerFolder) -> float:
    """The median time of checking one proof, once the program runs."""
    store = folder.read()
    with folder.keys() as keys:
        log_key = keys.get(LOG_KEY)
    took = []
    for index in range(1, PROOFS):
        data = make_proof(store, store.entry(index), log_key=log_key)
        started = time.perf_counter()
        if not verify_proof(data).ok:
            raise SystemExit("a proof does not hold")
        took.append(time.perf_counter() - started)
    store.close()
    return statistics.median(took)


if __name__ == "__main__":
    main()
