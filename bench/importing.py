"""A CSV of a year of 15-minute readings into the ledger: rows a second, whole command.

The file is made here, in the form of a common metering export, so that no data of others is
needed. The baseline reads the same file with the csv module and turns each value into a Decimal.

    python -m bench.importing [--days 366] [--rounds 3]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.machine import write_result

MAPPING = """
[file]
timestamp = "date"
format = "%d/%m/%Y %H:%M"
timezone = "Asia/Seoul"
stamp = "start"
interval_s = 900
"""
SERIES = """
[[series]]
meter = "m{number}"
column = "c{number}"
quantity = "electricity.import"
unit = "kWh"
kind = "increment"
factor = "cn-grid-2022-national"
"""
COLUMNS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=366)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        print(
            write_result("importing", measure(root, options.days, options.rounds)).read_text(
                encoding="utf-8"
            )
        )
    finally:
        shutil.rmtree(root)


def measure(root: Path, days: int, rounds: int) -> dict[str, Any]:
    file, mapping = root / "readings.csv", root / "map.toml"
    rows = make_file(file, days)
    series = "".join(SERIES.format(number=number) for number in range(COLUMNS))
    mapping.write_text(MAPPING + series, encoding="utf-8")
    bare, ours = [], []
    for number in range(rounds):
        bare.append(bare_read(file))
        ours.append(run_import(root / f"ledger-{number}", file, mapping))
    seconds = statistics.median(ours)
    return {
        "results": {
            "rows": rows,
            "values": rows * COLUMNS,
            "rows_per_s": round(rows / seconds),
            "values_per_s": round(rows * COLUMNS / seconds),
            "bare_csv_values_per_s": round(rows * COLUMNS / statistics.median(bare)),
            "ratio": round(statistics.median(bare) / seconds, 3),
            "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        },
    }


def make_file(path: Path, days: int) -> int:
    start = datetime(2016, 1, 1)  # noqa: DTZ001
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", *(f"c{number}" for number in range(COLUMNS))])
        for row in range(days * 96):
            stamp = start + timedelta(minutes=15 * row)
            values = [f"{(row * 37 + number * 11) % 9000 / 100:.2f}" for number in range(COLUMNS)]
            writer.writerow([stamp.strftime("%d/%m/%Y %H:%M"), *values])
    return days * 96


def bare_read(path: Path) -> float:
    started = time.perf_counter()
    total = Decimal(0)
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            for value in row[1:]:
                total += Decimal(value)
    return time.perf_counter() - started


def run_import(ledger: Path, file: Path, mapping: Path) -> float:
    command = [sys.executable, "-m", "wattproof"]
    subprocess.run([*command, "init", ledger], check=True, capture_output=True)
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "import", ledger, file, "--mapping", mapping, "--json"],
        check=True,
        capture_output=True,
    )
    seconds = time.perf_counter() - started
    assert json.loads(done.stdout)["packets"] > 0
    return seconds


if __name__ == "__main__":
    main()
