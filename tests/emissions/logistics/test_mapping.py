"""The mapping of shipment files: what it says, and which key is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.emissions.logistics.files import DISTANCES, SCMS_MAP, SMALL_MAP, TRACKED_MAP
from tests.support.refusals import refused

from wattproof.emissions.logistics.mapping import (
    How,
    Named,
    load_shipment_map,
    read_shipment_map,
)


def test_a_whole_mapping() -> None:
    found = read_shipment_map(SCMS_MAP + DISTANCES)
    assert found.columns.shipment == "ID"
    assert found.columns.departure is None
    assert found.modes["Truck"] == How(
        method="tonne-km", factor=Named(id="uk-2025-hgv-artic-33t-plus-tkm-wtw", version=1)
    )
    assert found.distances["Vietnam"] == 9_500_000
    assert found.distances["Côte d'Ivoire"] == 4_890_500
    assert found.how is None


def test_tracking_is_written_as_the_file_is_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "M.toml"
    text = TRACKED_MAP.replace("[columns]", '[file]\ntimezone = "Asia/Shanghai"\n[columns]')
    path.write_text(text, encoding="utf-8")
    tracking = load_shipment_map(path).tracking
    assert tracking is not None
    assert (tracking.timezone, tracking.max_speed_kmh) == ("Asia/Shanghai", 1200)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x = ", "import.map_syntax"),
        (SMALL_MAP + "[extra]", "import.map_unknown_key"),
        ('[method]\nmethod = "tonne-km"\nfactor = "a@1"', "import.map_missing_key"),
        (SMALL_MAP.replace('shipment = "no"', ""), "import.map_missing_key"),
        (SMALL_MAP.replace('weight = "kg"', "weight = 5"), "import.map_text"),
        (SMALL_MAP.replace("departure", "depart"), "import.map_unknown_key"),
        (
            SMALL_MAP.replace('departure = "left"', "").replace('arrival = "arrived"', ""),
            "shipments.map_time",
        ),
        (SMALL_MAP.partition("[method]")[0], "shipments.map_method"),
        (SMALL_MAP.replace('"tonne-km"', '"by guess"'), "import.map_choice"),
        (SMALL_MAP.replace("ttw@1", "ttw"), "shipments.map_version"),
        (SMALL_MAP + 'vehicle = "lorry@1"', "shipments.map_rate"),
        (SMALL_MAP + "[distances]\nX = 0", "shipments.map_distance"),
        (SMALL_MAP + "[distances]\nX = 1.5", "shipments.map_distance"),
        (SMALL_MAP + '[distances]\nX = "far"', "import.map_value"),
        (SMALL_MAP + '[customer]\nsalt = "short"', "shipments.map_salt"),
        (SMALL_MAP + '[file]\nweight_unit = "km"', "import.map_value"),
        (SMALL_MAP + "[modes]\nAir = 5", "shipments.map_table"),
        (TRACKED_MAP.replace('latitude = "lat"', ""), "import.map_missing_key"),
    ],
)
def test_the_key_that_is_wrong_is_named(text: str, code: str) -> None:
    with pytest.raises(Exception) as caught:
        read_shipment_map(text)
    assert getattr(caught.value, "code", "") == code, caught.value


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused("import.map_file", lambda: load_shipment_map(tmp_path / "none.toml"))
