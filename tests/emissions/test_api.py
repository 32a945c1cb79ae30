from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.meters import packet_of, statement
from tests.support.served_rooms import DAY_S, Region, serving_region

from wattproof.emissions import api
from wattproof.emissions.model import PublishFactors


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with serving_region(tmp_path_factory.mktemp("ledger")) as region:
        yield region


def test_factors(region: Region) -> None:
    again = PublishFactors(factors=(statement("grid", value_ug=400_000), statement("other")))
    region.submit([(again, "publisher")])
    factors = region.json("factors")["items"]
    assert [(factor["id"], factor["version"]) for factor in factors] == [
        ("grid", 1),
        ("grid", 2),
        ("other", 1),
    ]
    assert [factor["stated"]["value_ug"] for factor in factors] == [500_000, 400_000, 530_600]
    assert region.json("factors/grid") == factors[:2]
    assert (
        region.json("factors", set="test", quantity="electricity", limit=2)["items"]
        == (factors[:2])
    )
    assert region.json("factors", set="another")["items"] == []
    assert region.refused("factors/none") == (404, "emissions.factor_unknown")


def test_a_report_by_meter(region: Region) -> None:
    rows = region.json("reports/emissions")
    assert [(row["start"][:10], row["amount"], row["emission_g"]) for row in rows] == [
        ("2023-07-21", 9_600, 4_800),
        ("2023-07-22", 19_200, 9_600),
        ("2023-07-23", 27_600, 13_800),
    ]
    assert {(row["meter"], row["unit"], row["factor"]) for row in rows} == {("m0", "Wh", "grid")}
    for by in ("hour", "month", "year"):
        parts = region.json("reports/emissions", by=by)
        assert sum(row["emission_g"] for row in parts) == 28_200
    part = region.json("reports/emissions", **{"from": "2023-07-22", "to": "2023-07-23"})
    assert part == rows[1:2]
    assert region.json("reports/emissions", meter=["m0", "m1"]) == rows
    assert region.json("reports/emissions", meter="m1") == []


def test_a_report_has_what_was_accepted_just_now(region: Region) -> None:
    before = region.json("reports/emissions", by="year", meter="m1")
    packet = packet_of([7], start_s=DAY_S)
    region.submit([(packet, "m1")])
    (row,) = region.json("reports/emissions", by="year", meter="m1")
    assert before == []
    assert (row["amount"], row["emission_g"], row["factor"]) == (7, None, None)


def test_reports_by_quantity_and_region(region: Region) -> None:
    rows = region.json("reports/emissions/groups", of="region", by="year")
    (shanghai,) = (row for row in rows if row["region"] == "CN-SH")
    assert (shanghai["amount"], shanghai["emission_g"]) == (56_400, 28_200)
    rows = region.json("reports/emissions/groups", by="year", zone="Asia/Shanghai")
    assert {row["quantity"] for row in rows} == {"electricity.import"}


def test_bad_questions(region: Region) -> None:
    path = "reports/emissions"
    assert region.refused(path, by="week") == (400, "gateway.request")
    assert region.refused(path, meter="none") == (404, "identity.device.unknown")
    assert region.refused(path, zone="Mars/Olympus")[0] == 400
    assert region.refused(path, **{"from": "soon"})[0] == 400
    assert region.refused(path, **{"from": "2024", "to": "2023"}) == (
        400,
        "emissions.report_period",
    )


def test_a_report_is_bounded(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_ROWS", 2)
    assert region.refused("reports/emissions") == (413, "emissions.report_rows")
    assert len(region.json("reports/emissions", by="year", meter="m0")) == 1
