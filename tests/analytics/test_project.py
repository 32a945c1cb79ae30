"""Following the log: in one go or in many, over and over, and when the log is another one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.meters import START_S, packet_of
from tests.support.recorded import LoggedEntry, RecordedMeters, rows_of
from tests.support.refusals import refused

import wattproof.analytics.lake as lake_module
import wattproof.analytics.project as project_module
from wattproof.analytics.log import StoredLog
from wattproof.analytics.project import Names, project
from wattproof.emissions.projection import ReadingsProjector


def reporting(packets: int) -> RecordedMeters:
    """A meter of CO2 with so many packets of two readings."""
    meters = RecordedMeters()
    meters.install(quantity="co2")
    for sequence in range(1, packets + 1):
        report(meters, sequence)
    return meters


def report(meters: RecordedMeters, sequence: int, *, amount: int = 1) -> None:
    opening = meters.stream().register if sequence > 1 else 0
    start_s = START_S + (sequence - 1) * 1800
    meters.send(packet_of([amount, 2], sequence=sequence, start_s=start_s, opening=opening))


def test_the_lake_follows_the_log(tmp_path: Path) -> None:
    meters = reporting(3)
    lake = meters.lake(tmp_path)
    assert project(meters.log, lake, [ReadingsProjector()]) == meters.ledger.size
    assert project(meters.log, lake, [ReadingsProjector()]) == 0
    report(meters, 4)
    assert project(meters.log, lake, [ReadingsProjector()]) == 1
    assert [row[3] for row in rows_of(lake)] == [1, 2] * 4


def test_small_batches_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meters = reporting(12)
    whole = rows_of(meters.projected(tmp_path / "whole"))
    monkeypatch.setattr(project_module, "ENTRIES_AT_ONCE", 2)
    monkeypatch.setattr(project_module, "ROWS_AT_ONCE", 3)
    told: list[tuple[int, int]] = []
    lake = meters.lake(tmp_path / "parts")
    project(meters.log, lake, [ReadingsProjector()], progress=lambda *at: told.append(at))
    assert rows_of(lake) == whole
    assert told[-1] == (meters.ledger.size, meters.ledger.size)
    assert len(told) > 3


def test_an_older_copy_of_the_ledger_gives_its_own_lake(tmp_path: Path) -> None:
    """A ledger put back to an older state and gone on differently: the same id, another log."""
    meters, older = reporting(3), reporting(2)
    assert meters.ledger.ledger_id == older.ledger.ledger_id
    meters.projected(tmp_path)
    assert [row[3] for row in rows_of(older.projected(tmp_path))] == [1, 2, 1, 2]
    meters.projected(tmp_path)
    report(older, 3, amount=9)
    assert older.ledger.size == meters.ledger.size
    assert [row[3] for row in rows_of(older.projected(tmp_path))] == [1, 2, 1, 2, 9, 2]


@pytest.mark.parametrize("missing", [0, 4, -1])
def test_a_missing_entry_is_named(tmp_path: Path, missing: int) -> None:
    meters = reporting(3)
    del meters.logged.logged[missing]
    lake = meters.lake(tmp_path)
    refused("lake.entry_missing", lambda: project(meters.log, lake, [ReadingsProjector()]))
    assert lake.cursor == 0


def test_a_result_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    meters = reporting(1)
    last = meters.logged.logged[-1]
    for result in (b"", last.result[:-1], last.result[:1] + b"\xc1" + last.result[2:]):
        meters.logged.logged[-1] = LoggedEntry(last.index, last.leaf, result)
        refused("lake.result", lambda: meters.projected(tmp_path))


def test_a_busy_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_module, "LOCK_WAIT_S", 0.1)
    meters = reporting(1)
    with meters.lake(tmp_path).writing():
        refused("lake.busy", lambda: meters.projected(tmp_path))


def test_stored_entries_are_decoded_when_asked_for() -> None:
    meters = reporting(1)
    log = StoredLog(meters.logged, meters.ledger.machine.codec)
    entries = list(log.read(log.size - 1, 5))
    assert [entry.index for entry in entries] == [log.size - 1]
    assert [name for name, _ in entries[0].events] == ["metering.accepted", "emissions.emitted"]
    assert entries[0].body == packet_of([1, 2])
    assert entries[0].leaf_hash == meters.logged.logged[-1].leaf_hash


def test_names_are_numbered_from_one() -> None:
    names = Names(["a", "b"])
    assert [names.number(text) for text in ("b", "c", "a", "c")] == [2, 3, 1, 3]
    assert names.texts == ("a", "b", "c")
