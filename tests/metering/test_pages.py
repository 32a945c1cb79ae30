"""The pages of meters: the list, one meter, its packets and life, its readings as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.support.chromium import Opener
from tests.support.site import Site, serving_a_copy

from wattproof.demo.region import METERS, readings
from wattproof.identity.model import DEVICES
from wattproof.metering.history import reports
from wattproof.metering.model import STREAMS


@pytest.fixture(scope="module")
def site(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that nobody else writes into: figures are looked at here."""
    with serving_a_copy(demo_ledger, tmp_path_factory.mktemp("own") / "ledger") as site:
        yield site


def test_the_list(open_page: Opener) -> None:
    page = open_page("registrar")
    page.goto("/meters")
    expect(page.get_by_role("row")).to_have_count(7)
    row = page.get_by_role("row", name="office-b")
    expect(row).to_contain_text("43.182252 MWh")
    expect(row).to_contain_text("1 Feb 2025, 00:00:00")
    expect(row.get_by_role("cell").last).to_have_text("6")
    page.get_by_label("Quantity").select_option("co2.measured")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.goto("/meters?owner=bank")
    expect(page.get_by_text("No meter fits this filter.")).to_be_visible()


def test_a_meter_with_a_gap(open_page: Opener) -> None:
    page = open_page("offices")
    page.goto("/meters/office-b")
    expect(page.get_by_role("img", name="The last days, by hour")).to_have_attribute(
        "data-drawn", "true"
    )
    row = page.get_by_role("row").filter(has_text="time passed without readings").first
    expect(row).to_contain_text("without readings for 90 minutes")
    expect(row).to_contain_text("the register moved on during a gap")
    page.get_by_role("link", name="cn-grid-2023-sh").first.click()
    page.wait_for_url("**/factors/cn-grid-2023-sh")


def test_a_meters_life(open_page: Opener) -> None:
    page = open_page("offices")
    page.goto("/meters/office-b")
    life = page.locator("table").last
    for words in ("was enrolled for offices", "was authenticated by metering",
                  "offices confirmed its rights", "was associated with point",
                  "was assigned to office-b", "Packet 1 of meter office-b"):  # fmt: skip
        expect(life).to_contain_text(words)
    expect(life).not_to_contain_text("Packet 2 of meter")
    life.get_by_role("row", name="authenticated").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Authenticate a device")


def test_older_packets(open_page: Opener) -> None:
    page = open_page("offices")
    page.goto("/meters/office-b")
    packets = page.get_by_role("table", name="Packets")
    expect(packets.get_by_role("row")).to_have_count(26)
    page.get_by_role("link", name="Older packets").click()
    expect(packets.get_by_role("row")).to_have_count(8)
    expect(packets).to_contain_text("the meter's first packet")
    page.get_by_role("link", name="Newest packets").click()
    expect(packets.get_by_role("row")).to_have_count(26)


def test_a_device_that_has_not_reported(site: Site) -> None:
    with site.client("registrar") as client:
        assert "gateway.not_yours" not in client.page("/meters/no-such", 404)
        assert "identity.device.unknown" in client.page("/meters/no-such", 404)
        assert client.get("/meters/" + "x" * 500).status_code == 404
        assert client.get("/meters/office-b?before=0").status_code == 400
        assert client.get("/meters/office-b?before=9007199254740992").status_code == 200


def lines(site: Site, path: str) -> list[dict[str, str]]:
    with site.client("registrar") as client:
        answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_readings_as_a_file(site: Site) -> None:
    wind = next(meter for meter in METERS if meter.id == "wind-1")
    found = lines(site, "/meters/wind-1/readings.csv")
    assert [int(line["amount"]) for line in found] == readings(wind)
    assert found[0]["begins"] == "2025-01-01T00:00:00+08:00"
    assert {line["unit"] for line in found} == {"Wh"}
    assert {line["quality"] for line in found} == {"measured"}


def test_a_catch_up_is_in_the_file_too(site: Site) -> None:
    found = lines(site, "/meters/office-b/readings.csv")
    store = site.writer.store
    device = store.get(DEVICES, "office-b")
    assert device is not None
    stream = store.get(STREAMS, device.number)
    assert stream is not None
    assert sum(int(line["amount"]) for line in found) == stream.total
    assert [line["quality"] for line in found].count("catch_up") == 1


def test_a_part_of_the_file(site: Site) -> None:
    path = "/meters/wind-1/readings.csv?from=2025-01-12&to=2025-01-14"
    found = lines(site, path)
    assert len(found) == 2 * 96
    assert found[0]["begins"] == "2025-01-12T00:00:00+08:00"
    assert found[-1]["begins"] == "2025-01-13T23:45:00+08:00"
    assert lines(site, "/meters/wind-1/readings.csv?from=2026-01-01") == []


def test_reports_go_back_to_the_first(site: Site) -> None:
    store = site.writer.store
    device = store.get(DEVICES, "office-b")
    assert device is not None
    stream = store.get(STREAMS, device.number)
    assert stream is not None
    everything = reports(store, stream, before=None, limit=1000)
    assert [one.row.sequence for one in everything] == list(range(32, 0, -1))
    assert reports(store, stream, before=5, limit=2) == everything[28:30]
    assert reports(store, stream, before=1, limit=2) == []
