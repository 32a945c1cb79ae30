"""Reports that a node files by itself, when their period is over."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.support.watched_plant import HOUR_S, START_S, ZONE, WatchedPlant

from wattproof.emissions.live import live_lake
from wattproof.emissions.tracking.filing import made_again
from wattproof.emissions.tracking.model import REPORTS, FiledReport
from wattproof.emissions.tracking.notices import Notice
from wattproof.emissions.tracking.outputs import ScheduledReport
from wattproof.emissions.tracking.scheduler import Scheduler
from wattproof.engines.folder import Writer
from wattproof.node import IMPORTER, OPERATOR

DAY_S = 24 * HOUR_S
DAILY = ScheduledReport(host=IMPORTER, group=1, by="hour", since="2025-01-01", grace_s=HOUR_S)


class Told:
    """Keeps the notices."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def __call__(self, host: str, notices: Iterable[Notice]) -> None:
        self.notices += [notice for notice in notices if notice.host == host]


def scheduler(
    plant: WatchedPlant, writer: Writer, *reports: ScheduledReport, told: Told | None = None
) -> Scheduler:
    with plant.folder.keys() as keys:
        key = keys.get(OPERATOR)
    return Scheduler(plant.folder, writer, reports, key=lambda: key, zone=ZONE, tell=told or Told())


def filed(plant: WatchedPlant) -> list[FiledReport]:
    store = plant.folder.read()
    found = list(store.scan(REPORTS))
    store.close()
    return found


@pytest.fixture
def plant(tmp_path: Path) -> WatchedPlant:
    return WatchedPlant(tmp_path)


def test_a_day_is_filed_when_its_ports_have_reported(plant: WatchedPlant) -> None:
    told = Told()
    with plant.folder.write(workers=0) as writer:
        work = scheduler(plant, writer, DAILY, told=told)
        plant.report(writer, [1] * 23)
        assert work.file_due(START_S + DAY_S) == 0  # one hour is missing
        plant.report(writer, [1, 1])
        assert work.file_due(START_S + DAY_S - 1) == 0  # the day is not over
        assert work.file_due(START_S + DAY_S) == 1
        assert work.file_due(START_S + DAY_S) == 0  # once
        # A node that starts again finds on the ledger what it filed.
        assert scheduler(plant, writer, DAILY).file_due(START_S + DAY_S) == 0
        (one,) = filed(plant)
        assert (one.from_s, one.to_s, one.rows) == (START_S, START_S + DAY_S, 24)
        assert (one.host, one.filed_by, one.step) == (IMPORTER, OPERATOR, "hour")
        (notice,) = told.notices
        assert notice.what == "report" and notice.digest == one.digest.hex()


def test_it_comes_out_the_same_after_more_has_come(plant: WatchedPlant) -> None:
    with plant.folder.write(workers=0) as writer:
        plant.report(writer, [1, 20] * 12)
        scheduler(plant, writer, DAILY).file_due(START_S + DAY_S)
        plant.report(writer, [5] * 30)
        store = plant.folder.read()
        lake = live_lake(plant.folder).up_to_date(store)
        (one,) = filed(plant)
        assert made_again(store, lake, one).same
        store.close()


def test_a_port_that_lags_is_waited_for_a_while(plant: WatchedPlant) -> None:
    with plant.folder.write(workers=0) as writer:
        plant.report(writer, [1] * 20)
        work = scheduler(plant, writer, DAILY)
        assert work.file_due(START_S + DAY_S + HOUR_S - 1) == 0
        assert work.file_due(START_S + DAY_S + HOUR_S) == 1
        assert filed(plant)[0].rows == 20


def test_days_follow_each_other(plant: WatchedPlant) -> None:
    with plant.folder.write(workers=0) as writer:
        plant.report(writer, [0] * 72)
        work = scheduler(plant, writer, DAILY)
        assert [work.file_due(START_S + 5 * DAY_S) for _ in range(4)] == [1, 1, 1, 1]
        days = [(one.from_s - START_S) // DAY_S for one in filed(plant)]
        assert days == [0, 1, 2, 3]
        assert [one.rows for one in filed(plant)] == [24, 24, 24, 0]


def test_what_is_not_bound_is_not_reported(plant: WatchedPlant) -> None:
    other = ScheduledReport(host=IMPORTER, group=9, by="hour")
    with plant.folder.write(workers=0) as writer:
        assert scheduler(plant, writer, other).file_due(START_S + 9 * DAY_S) == 0


def test_it_runs_beside_the_node(plant: WatchedPlant) -> None:
    with plant.folder.write(workers=0) as writer:
        plant.report(writer, [1] * 24)
        work = scheduler(plant, writer, DAILY)
        work.start()
        try:
            for _ in range(200):
                if filed(plant):
                    break
                work._stop.wait(0.05)
        finally:
            work.close()
        assert filed(plant)[0].rows == 24


def test_without_a_day_it_begins_when_the_ports_were_bound(plant: WatchedPlant) -> None:
    late = ScheduledReport(host=IMPORTER, group=1, by="hour")
    with plant.folder.write(workers=0) as writer:
        plant.report(writer, [1] * 48)
        assert scheduler(plant, writer, late).file_due(int(time.time())) == 0
