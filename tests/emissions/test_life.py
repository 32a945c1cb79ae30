"""A meter's life, found in the lake."""

from __future__ import annotations

from pathlib import Path

from tests.support.memory_ledger import key_of
from tests.support.meters import QUARTER_S, START_S, packet_of, statement
from tests.support.recorded import RecordedMeters

from wattproof.analytics.lake import Lake
from wattproof.analytics.project import lake_for, project
from wattproof.emissions.life import PROJECTORS, life_of
from wattproof.identity.model import SuspendDevice


def projected(meters: RecordedMeters, folder: Path) -> Lake:
    lake = lake_for(folder, PROJECTORS, ledger_id=meters.ledger.ledger_id)
    project(meters.log, lake, PROJECTORS)
    return lake


def test_a_life(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.publish(statement())
    number = meters.install("m1", region="CN-SH")
    other = meters.install("m2")
    first = meters.ledger.size
    meters.assign("grid", meter="m1")
    for sequence in (1, 2, 3):
        start_s = START_S + (sequence - 1) * QUARTER_S
        meters.send(packet_of([5], sequence=sequence, opening=5 * (sequence - 1), start_s=start_s))
    meters.send(packet_of([5], sequence=4, opening=15, start_s=START_S + 9 * QUARTER_S))
    meters.ledger.submit(SuspendDevice(device="m1"), key_of("importer"))
    lake = projected(meters, tmp_path)
    suspended, gap, begun, assigned = first + 5, first + 4, first + 1, first
    found = life_of(lake, number, limit=100)
    assert found[:4] == [suspended, gap, begun, assigned]
    assert len(found[4:]) == 4, "enrolled, authenticated, confirmed, associated"
    assert life_of(lake, other, limit=100) == [first - 1, first - 2, first - 3]
    assert life_of(lake, number, limit=2) == [suspended, gap]
    assert life_of(lake, number, before=gap, limit=2) == [begun, assigned]
    assert life_of(lake, 99, limit=100) == []


def test_the_life_grows_with_the_log(tmp_path: Path) -> None:
    meters = RecordedMeters()
    number = meters.install("m1")
    lake = projected(meters, tmp_path)
    before = life_of(lake, number, limit=100)
    meters.send(packet_of([5]))
    project(meters.log, lake, PROJECTORS)
    assert life_of(lake, number, limit=100) == [meters.ledger.size - 1, *before]
