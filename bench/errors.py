"""Error reports over 57.6 million readings, against bare DuckDB on the same Parquet files.

The lake is that of `bench.report`: 20,000 meters, a quarter of an hour each, 30 days. The meters
are wired as 1,250 groups of a total and fifteen parts. In turns, both sides of every group are
added up by day by our own function and by the plainest query that DuckDB can be given for the same
sums; both hand over numpy arrays. The bare query does less: it knows neither local days nor
readings without a factor, nor ports that were silent. All reports with a row object for each group
and day, the report of one group by hour, and the same pinned to half of the log are timed as well.

    python -m bench.errors [--meters 20000] [--days 30] [--rounds 7] [--folder DIR]
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
from bench.report import ZONE, fill
from wattproof.analytics.lake import Lake
from wattproof.analytics.project import lake_for
from wattproof.analytics.readings import READINGS
from wattproof.analytics.sides import Member, sums_by_side
from wattproof.analytics.snapshot import Snapshot
from wattproof.analytics.sums import window
from wattproof.emissions.projection import ReadingsProjector
from wattproof.emissions.tracking.error_report import error_report, error_reports
from wattproof.emissions.tracking.model import BINDINGS, PORTS, Binding, Port
from wattproof.ledger.state import Collection, R

HOST = "owner"
IN_GROUP = 16
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
    write_result("errors", result)


def measure(lake: Lake, meters: int, *, rounds: int) -> dict[str, Any]:
    """Median seconds of each way, taken in turns; the first round only warms up.

    Seconds of CPU time say the same on a machine that has other work to do.
    """
    wiring = Wiring(meters)
    members = wiring.members
    half = lake.cursor // 2
    ways: dict[str, Callable[[], int]] = {
        "bare": lambda: len(lake.read(lambda snapshot: bare(snapshot, members))["member_of"]),
        "ours": lambda: lake.read(lambda snapshot: ours(snapshot, members)),
        "reports": lambda: sum(len(one.rows) for one in everything(wiring, lake)),
        "one_group": lambda: len(one_group(wiring, lake, None)),
        "one_group_pinned": lambda: len(one_group(wiring, lake, half)),
    }
    check(lake, wiring)
    rows = {name: way() for name, way in ways.items()}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    used: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started, used_before = time.perf_counter(), time.process_time()
            way()
            taken[name].append(time.perf_counter() - started)
            used[name].append(time.process_time() - used_before)
    ratios = [mine / plain for mine, plain in zip(taken["ours"], taken["bare"], strict=True)]
    whole = [mine / plain for mine, plain in zip(taken["reports"], taken["bare"], strict=True)]
    cpu = {name: statistics.median(times) for name, times in used.items()}
    return {
        "groups": len(wiring.bindings),
        "rounds": rounds,
        "seconds": {name: round(statistics.median(times), 3) for name, times in taken.items()},
        "least_seconds": {name: round(min(times), 3) for name, times in taken.items()},
        "rows": rows,
        "ratio": round(statistics.median(ratios), 3),
        "ratio_of_least": round(min(taken["ours"]) / min(taken["bare"]), 3),
        "ratio_of_reports": round(statistics.median(whole), 3),
        "cpu_seconds": {name: round(value, 3) for name, value in cpu.items()},
        "cpu_ratio": round(cpu["ours"] / cpu["bare"], 3),
        "cpu_ratio_of_reports": round(cpu["reports"] / cpu["bare"], 3),
        "target": TARGET,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def bare(snapshot: Snapshot, members: list[Member]) -> dict[str, Any]:
    """Both sides of every group by day in UTC, as plain as can be without joining every row."""
    columns = np.array(members, np.int64)
    names = ("meter", "member_of", "side")
    table = {name: columns[:, at].copy() for at, name in enumerate(names)}
    snapshot.db.register("members", table)
    found = snapshot.db.execute(
        "SELECT member_of, day,"
        " SUM(amount) FILTER (side = 0) AS l, SUM(amount) FILTER (side = 1) AS r,"
        " SUM(grams) FILTER (side = 0) AS lg, SUM(grams) FILTER (side = 1) AS rg FROM ("
        "SELECT meter, start_s // 86400 AS day, SUM(amount) AS amount, SUM(emission_g) AS grams"
        f" FROM {snapshot.relation(READINGS.name)} GROUP BY ALL"
        ") JOIN members USING (meter) GROUP BY ALL"
    ).fetchnumpy()
    snapshot.db.unregister("members")
    return dict(found)


def ours(snapshot: Snapshot, members: list[Member]) -> int:
    """The same by local day, by the function that reports are made with."""
    where = window(snapshot, step="day", zone=ZONE, start_s=None, end_s=None)
    return 0 if where is None else len(sums_by_side(snapshot, where, members=members).group)


def everything(wiring: Wiring, lake: Lake) -> list[Any]:
    """The reports of all groups, by day."""
    return error_reports(wiring, lake, host=HOST, step="day", zone=ZONE)


def one_group(wiring: Wiring, lake: Lake, entries: int | None) -> tuple[Any, ...]:
    """The rows of one group by hour, of all the log or of its first entries."""
    report = error_report(wiring, lake, host=HOST, group=7, step="hour", zone=ZONE, entries=entries)
    return report.rows


def check(lake: Lake, wiring: Wiring) -> None:
    """All groups together come to what the bare query has, on both sides."""
    found = lake.read(lambda snapshot: bare(snapshot, wiring.members))
    reports = everything(wiring, lake)
    for name, side in (("l", "left"), ("r", "right"), ("lg", "left_g"), ("rg", "right_g")):
        mine = sum(getattr(one.total, side) for one in reports)
        assert mine == sum(int(value) for value in found[name].tolist()), name


class Wiring:
    """As much of a ledger's state as error reports look at."""

    def __init__(self, meters: int) -> None:
        self.bindings: dict[int, Binding] = {}
        self.ports: dict[int, Port] = {}
        self.members: list[Member] = []
        for number in range(1, meters + 1):
            self.ports[number] = Port(
                host=HOST,
                number=number,
                device=str(number),
                meter=number,
                quantity="electricity.import",
                entry=0,
            )
        for at, first in enumerate(range(1, meters - IN_GROUP + 2, IN_GROUP)):
            parts = tuple(range(first + 1, first + IN_GROUP))
            self.bindings[at + 1] = Binding(
                host=HOST,
                group=at + 1,
                kind="total",
                measure="amount",
                left=(first,),
                right=parts,
                entry=0,
            )
            self.members.append((first, at, 0))
            self.members += [(part, at, 1) for part in parts]

    def get(self, collection: Collection[R], *key: int | str | bytes) -> R | None:
        table: dict[int, Any] = self.bindings if collection is BINDINGS else self.ports
        assert collection is BINDINGS or collection is PORTS
        number = key[1]
        assert isinstance(number, int)
        found: R | None = table.get(number)
        return found

    def scan(self, collection: Collection[R], *prefix: int | str | bytes) -> Iterator[R]:
        assert collection is BINDINGS and prefix == (HOST,)
        bindings: Any = self.bindings.values()
        return iter(bindings)

    def find(self, collection: Collection[R], index: str, *values: int | str | bytes) -> list[R]:
        raise AssertionError(f"a report looks for {collection} {index} {values}")


def show(result: dict[str, Any]) -> None:
    seconds, rows = result["seconds"], result["rows"]
    print(f"{result['readings']:,} readings, {result['groups']:,} groups")
    for name, value in seconds.items():
        print(f"{name:17} {value:7.3f} s  {rows[name]:9,} rows")
    print(f"ours to bare: {result['ratio']} (target {TARGET}); peak {result['peak_mib']:,} MiB")
    print(f"with all reports made: {result['ratio_of_reports']}")
    print(f"of CPU time: {result['cpu_ratio']}, {result['cpu_ratio_of_reports']} with all reports")
    print(describe()["cpu"], describe()["cores"], "cores")


if __name__ == "__main__":
    main()
