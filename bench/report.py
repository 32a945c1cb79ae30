"""The day report over 57.6 million readings, against bare DuckDB on the same Parquet files.

20,000 meters report every quarter of an hour for 30 days. The readings go into a lake by the real
append and compaction. Then, in turns, the sums by meter and day are taken by our own function and
by the plainest query that DuckDB can be given; both hand over numpy arrays. The bare query does
less: it knows neither local days nor factors. The whole report, with a row object and its texts
for each of the 600,000 meter-days, is timed as well.

    python -m bench.report [--meters 20000] [--days 30] [--rounds 7] [--folder DIR]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import describe, write_result
from wattproof.analytics.lake import Lake
from wattproof.analytics.project import lake_for
from wattproof.analytics.readings import READINGS, meter_factor
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import sums_by_meter, window
from wattproof.analytics.table import Columns
from wattproof.core.periods import STEPS, Step, parse_time
from wattproof.emissions.projection import FACTOR_NAMES, ReadingsProjector
from wattproof.emissions.report import emission_report
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.state import Collection, R

ZONE = "Asia/Shanghai"
READINGS_A_DAY = 96
FACTORS = 31
TARGET = 1.25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--meters", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="keep the lake here, and use it again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        lake = lake_for(asked.folder or Path(scratch), [ReadingsProjector()], ledger_id=bytes(32))
        filled = fill(lake, meters=asked.meters, days=asked.days)
        result = measure(lake, asked.meters, rounds=asked.rounds) | filled
    show(result)
    write_result("report", result)


def fill(lake: Lake, *, meters: int, days: int) -> dict[str, Any]:
    """Append a day at a time, as a ledger that grows would, and compact as it goes."""
    started, reused = time.perf_counter(), lake.cursor > 0
    rng = np.random.default_rng(2026)
    while (day := lake.cursor // meters) < days:
        names = {FACTOR_NAMES: tuple(f"factor-{number}@1" for number in range(1, FACTORS + 1))}
        part = day_columns(rng, day, meters)
        lake.append(day * meters, (day + 1) * meters, {READINGS.name: [part]}, names=names)
        lake.compact()
    lake.compact(fan=2)
    seconds = time.perf_counter() - started
    segments = lake.manifest.segments
    rows = sum(segment.rows for segment in segments)
    return {
        "readings": rows,
        "files": len(segments),
        "bytes": sum(segment.size_bytes for segment in segments),
        "fill_rows_per_second": round(rows / seconds) if not reused else None,
    }


def day_columns(rng: np.random.Generator, day: int, meters: int) -> Columns:
    """A day of all meters: each has one of `FACTORS` factors, as provinces have."""
    count = meters * READINGS_A_DAY
    numbers = np.arange(1, meters + 1, dtype=np.int32)
    meter = np.repeat(numbers, READINGS_A_DAY)
    factor = (meter % FACTORS + 1).astype(np.int32)
    day_s = parse_time("2026-01-01", ZONE) + day * 86_400
    amount = rng.integers(0, 3000, count, dtype=np.int64)
    return {
        "meter": meter,
        "start_s": np.tile(day_s + 900 * np.arange(READINGS_A_DAY, dtype=np.int64), meters),
        "interval_s": np.full(count, 900, np.int32),
        "amount": amount,
        "emission_g": amount * (400_000 + 10_000 * factor.astype(np.int64)) // 1_000_000,
        "factor": factor,
        "meter_factor": meter_factor(meter, factor),
        "flags": np.zeros(count, np.uint8),
        "entry": np.repeat(np.arange(meters, dtype=np.int64) + day * meters, READINGS_A_DAY),
    }


def measure(lake: Lake, meters: int, *, rounds: int) -> dict[str, Any]:
    """Median seconds of each way, taken in turns; the first round only warms up."""
    state = Devices(meters)
    ways: dict[str, Callable[[], int]] = {
        "bare_amount": lambda: lake.read(lambda s: bare(s, "SUM(amount)")),
        "bare": lambda: lake.read(lambda s: bare(s, "SUM(amount), SUM(emission_g)")),
        "ours": lambda: lake.read(lambda s: ours(s, "day")),
        "report": lambda: sum(1 for _ in emission_report(state, lake, step="day")),
        "one_meter": lambda: sum(1 for _ in emission_report(state, lake, step="day", meters=["7"])),
        "month": lambda: lake.read(lambda s: ours(s, "month")),
        "berlin_day": lambda: lake.read(lambda s: ours(s, "day", "Europe/Berlin")),
    }
    check(lake)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    rows = {name: way() for name, way in ways.items()}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - started)
    seconds = {name: statistics.median(times) for name, times in taken.items()}
    ratios = [ours / bare for ours, bare in zip(taken["ours"], taken["bare"], strict=True)]
    return {
        "rounds": rounds,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "least_seconds": {name: round(min(times), 3) for name, times in taken.items()},
        "rows": rows,
        "ratio": round(statistics.median(ratios), 3),
        "ratio_of_least": round(min(taken["ours"]) / min(taken["bare"]), 3),
        "target": TARGET,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def bare(snapshot: Snapshot, sums: str) -> int:
    """Sums by meter and UTC day, as plain as can be."""
    found = snapshot.db.execute(
        f"SELECT meter, start_s // 86400 AS day, {sums} FROM {snapshot.relation(READINGS.name)}"
        " GROUP BY ALL"
    ).fetchnumpy()
    return len(found["meter"])


def ours(snapshot: Snapshot, step: Step, zone: str = ZONE) -> int:
    """Sums by meter, factor and local day, by the function that reports are made with."""
    where = window(snapshot, step=step, zone=zone, start_s=None, end_s=None)
    return 0 if where is None else len(sums_by_meter(snapshot, where).key)


def check(lake: Lake) -> None:
    """The sums of every step are those of the whole."""

    def work(snapshot: Snapshot) -> None:
        relation = snapshot.relation(READINGS.name)
        query = f"SELECT SUM(amount), SUM(emission_g) FROM {relation}"
        (whole,) = snapshot.db.execute(query).fetchall()
        for step in STEPS[1:]:
            where = window(snapshot, step=step, zone=ZONE, start_s=None, end_s=None)
            assert where is not None
            sums = sums_by_meter(snapshot, where)
            assert (sums.amount.sum(), sums.emission_g.sum()) == whole

    lake.read(work)


class Devices:
    """As much of a ledger's state as a report looks at."""

    def __init__(self, meters: int) -> None:
        made = (
            Device(
                id=str(number),
                number=number,
                owner="owner",
                quantity="electricity.import",
                did="",
                zone=ZONE,
                enrolled_entry=0,
            )
            for number in range(1, meters + 1)
        )
        self._devices: dict[str, Any] = {device.id: device for device in made}

    def get(self, collection: Collection[R], *key: int | str | bytes) -> R | None:
        assert collection is DEVICES
        found: R | None = self._devices.get(str(key[0]))
        return found

    def scan(self, collection: Collection[R], *prefix: int | str | bytes) -> Iterator[R]:
        assert collection is DEVICES
        assert not prefix
        return iter(sorted(self._devices.values(), key=lambda device: str(device.id)))

    def find(self, collection: Collection[R], index: str, *values: int | str | bytes) -> list[R]:
        raise AssertionError(f"a report looks for {collection} {index} {values}")


def show(result: dict[str, Any]) -> None:
    seconds, rows = result["seconds"], result["rows"]
    print(f"{result['readings']:,} readings, {result['files']} files, {result['bytes']:,} bytes")
    if result["fill_rows_per_second"]:
        print(f"filled at {result['fill_rows_per_second']:,} rows/s")
    for name, value in seconds.items():
        print(f"{name:12} {value:7.3f} s  {rows[name]:9,} rows")
    print(f"ours to bare: {result['ratio']} (target {TARGET}); peak {result['peak_mib']:,} MiB")
    print(describe()["cpu"], describe()["cores"], "cores")


if __name__ == "__main__":
    main()
