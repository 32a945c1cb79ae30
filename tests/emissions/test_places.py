"""Where meters were when: enrolments and associations in the lake."""

from __future__ import annotations

from pathlib import Path

from tests.support.memory_ledger import key_of
from tests.support.recorded import RecordedMeters

from wattproof.analytics.lake import Lake
from wattproof.analytics.project import lake_for, project
from wattproof.emissions.places import PLACES, QUANTITY_NAMES, REGION_NAMES, PlacesProjector
from wattproof.identity.model import AssociateDevice


def rows(lake: Lake) -> list[tuple[int, int, str, str]]:
    names = lake.manifest.names
    quantities = ("", *names.get(QUANTITY_NAMES, ()))
    regions = ("", *names.get(REGION_NAMES, ()))
    found = lake.read(
        lambda snapshot: snapshot.db.execute(
            f"SELECT meter, entry, quantity, region FROM {snapshot.relation(PLACES.name)}"
            " ORDER BY entry"
        ).fetchall()
    )
    return [(meter, entry, quantities[q], regions[r]) for meter, entry, q, r in found]


def test_where_meters_were(tmp_path: Path) -> None:
    meters = RecordedMeters()
    projectors = [PlacesProjector()]
    lake = lake_for(tmp_path, projectors, ledger_id=meters.ledger.ledger_id)
    project(meters.log, lake, projectors)
    assert rows(lake) == []
    first = meters.ledger.size
    one = meters.install("m1", region="CN-SH")
    two = meters.install("m2", quantity="gas.natural")
    project(meters.log, lake, projectors)
    moved = AssociateDevice(device="m1", point="p", region="CN-ZJ", consumers=("consumer",))
    entry = meters.ledger.submit(moved, key_of("importer")).index
    project(meters.log, lake, projectors)
    assert rows(lake) == [
        (one, first, "electricity.import", ""),
        (one, first + 3, "", "CN-SH"),
        (two, first + 4, "gas.natural", ""),
        (one, entry, "", "CN-ZJ"),
    ]
