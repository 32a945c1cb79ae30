"""A statement of a region's day: read from the trade records, compared with every reading.

Made data, real parts: the region of `bench.settlement` is settled through the engine; the lake then
gets the readings that would have led there, 24 of each meter, without their packets. Once it is
right, once one meter in a thousand has reported more than was settled.

    python -m bench.statements [--sizes 10000,100000,1000000]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import write_result
from bench.settlement import DAY_S, HOURS, REGION, START_S, SUPPLY_IN, measure
from wattproof.analytics.lake import Lake
from wattproof.analytics.project import lake_for
from wattproof.analytics.readings import meter_factor
from wattproof.analytics.table import Columns
from wattproof.emissions.life import PROJECTORS
from wattproof.engines.folder import LedgerFolder
from wattproof.identity.model import DEVICES, Device
from wattproof.ledger.store import Store
from wattproof.node import machine
from wattproof.settlement.statement import Statement, statement, statement_bytes

AT_ONCE = 100_000
"""Meters whose readings go into the lake together."""
DIFFERS_IN = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wattproof-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        rows = [measured(root / size, int(size)) for size in options.sizes.split(",")]
    finally:
        shutil.rmtree(root)
    path = write_result("statements", {"results": rows})
    print(path.read_text(encoding="utf-8"))


def measured(path: Path, meters: int) -> dict[str, Any]:
    settled = measure(path, meters)
    folder = LedgerFolder(path, machine())
    row: dict[str, Any] = {"trades": meters, "readings": meters * HOURS}
    for name, more_wh in (("agreeing", 0), ("differing", 5)):
        fill_lake(_lake(folder, name), meters, entries=folder.read().size, more_wh=more_wh)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            made, seconds, peak_mib = alone.submit(timed, path, name).result()
        assert (made.supplied_wh, made.consumed_wh) == (
            settled["supplied_wh"], settled["consumed_wh"],
        )  # fmt: skip
        assert made.meters_differing == (meters // DIFFERS_IN if more_wh else 0)
        row |= {
            f"{name}_s": seconds,
            f"{name}_bytes": len(statement_bytes(made)),
            f"{name}_peak_mib": peak_mib,
        }
    return row


def timed(path: Path, name: str) -> tuple[Statement, float, int]:
    """The statement, in a process of its own: seconds, and the process's memory at most."""
    folder = LedgerFolder(path, machine())
    store, lake = _Named(folder.read()), _lake(folder, name)
    began = time.perf_counter()
    made = statement(store, lake, region=REGION, from_s=START_S, to_s=START_S + DAY_S, step="hour")
    seconds = round(time.perf_counter() - began, 2)
    store.close()
    return made, seconds, _peak_mib()


def _peak_mib() -> int:
    """This process's own memory at most; `getrusage` would count its parent's before the exec."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (kib,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, flags=re.M)
    return int(kib) // 1024


def _lake(folder: LedgerFolder, name: str) -> Lake:
    return lake_for(folder.path / name, PROJECTORS, ledger_id=folder.read().entry(0).id)


class _Named(Store):
    """The store, with a device for each number: this bench enrols none."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.path, store.collections, write=False)
        store.close()

    def find(self, collection: Any, index: str, *values: Any) -> list[Any]:
        if collection is not DEVICES:
            return super().find(collection, index, *values)
        number = int(values[0])
        return [Device(id=f"m{number}", number=number, owner="o", quantity="electricity.import",
                       did="d", zone="UTC", enrolled_entry=0)]  # fmt: skip


def fill_lake(lake: Lake, meters: int, *, entries: int, more_wh: int) -> None:
    """Readings of all meters, and where they are, as if their packets were log entry 1."""
    numbers = np.arange(1, meters + 1, dtype=np.int32)
    none = np.zeros(meters, np.int32)
    quantity = np.where(numbers % SUPPLY_IN == 0, 2, 1).astype(np.int32)
    places: list[Columns] = [
        {"meter": numbers, "entry": np.ones(meters, np.int64), "quantity": kind, "region": region}
        for kind, region in ((quantity, none), (none, none + 1))
    ]
    readings = [_readings(numbers[at : at + AT_ONCE], more_wh) for at in range(0, meters, AT_ONCE)]
    lake.append(
        0,
        entries,
        {"places": places, "readings": readings},
        names={"quantity": ("electricity.import", "electricity.export"), "region": (REGION,)},
    )


def _readings(numbers: Any, more_wh: int) -> Columns:
    """What `bench.settlement.usages` has, hour by hour; `more_wh` for some of the meters."""
    count = len(numbers) * HOURS
    hours = np.arange(HOURS)
    amounts = 100 + (numbers[:, None].astype(np.int64) * 31 + hours * 17) % 900
    amounts[numbers % DIFFERS_IN == 0, 0] += more_wh
    meter = np.repeat(numbers, HOURS)
    factor = np.zeros(count, np.int32)
    return {
        "meter": meter,
        "start_s": np.tile(START_S + 3600 * hours, len(numbers)),
        "interval_s": np.full(count, 3600, np.int32),
        "amount": amounts.reshape(-1),
        "emission_g": np.ma.MaskedArray(np.zeros(count, np.int64), np.ones(count, bool)),
        "factor": factor,
        "meter_factor": meter_factor(meter, factor),
        "flags": np.zeros(count, np.uint8),
        "entry": np.ones(count, np.int64),
    }


if __name__ == "__main__":
    main()
