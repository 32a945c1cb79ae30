"""The pages of notices and roll-ups, and how many interrupts are open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.support.chromium import Opener
from tests.support.site import Site, serving_a_copy
from tests.support.tracked import HOST, file_report

from wattproof.emissions.tracking.model import INTERRUPTS


@pytest.fixture(scope="module")
def site(tracked_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving_a_copy(tracked_ledger, tmp_path_factory.mktemp("own") / "ledger") as site:
        yield site


@pytest.fixture
def fresh_tracked(tracked_ledger: Path, tmp_path: Path) -> Iterator[Site]:
    with serving_a_copy(tracked_ledger, tmp_path / "ledger") as site:
        yield site


def test_from_the_overview_to_the_readings_and_the_proof(open_page: Opener, site: Site) -> None:
    page = open_page("steel")
    page.goto("/")
    page.get_by_role("link", name="2 open interrupts").click()
    rows = page.get_by_role("region", name="Interrupts").get_by_role("row")
    expect(rows).to_have_count(5)
    expect(rows.nth(1)).to_contain_text("Interrupt 4")
    expect(rows.nth(1)).to_contain_text("open")
    expect(rows.nth(4)).to_contain_text("over")
    page.get_by_role("link", name="Interrupt 1", exact=True).click()
    expect(page.locator("main")).to_contain_text("32 kWh (20.00 %)")
    readings = page.get_by_role("region", name="Readings in the window").get_by_role("row")
    expect(readings).to_have_count(17)
    expect(readings.filter(has_text="mill").first).to_contain_text("12 kWh")
    found = site.writer.store.get(INTERRUPTS, HOST, 1)
    assert found is not None
    page.get_by_role("link", name=f"#{found.entry}").first.click()
    expect(page.locator("main")).to_contain_text("Interrupt 1 of steel-works: group 2 crossed")
    page.go_back()
    page.get_by_role("link", name="Check it in the browser").click()
    expect(page).to_have_url(
        f"{site.url}/verify?code={site.writer.store.entry(found.entry).id.hex()}"
    )


def test_what_is_gone_since_is_led_to_no_more(fresh_tracked: Site) -> None:
    """Notices and reports outlive their lines and bindings."""
    with fresh_tracked.client("steel") as client:
        file_report(client, "/tracking/errors/2", set="2", by="hour")
        draft = client.form("/tracking/errors/2/remove-lines", set="1").headers["location"]
        assert client.form(draft).status_code == 303
        assert 'href="/tracking/errors/2"' in client.page("/tracking/notices/1")
        draft = client.form("/tracking/wiring/release", group="2").headers["location"]
        assert client.form(draft).status_code == 303
        text = client.page("/tracking/notices/1")
        assert "released or bound anew since" in text and "/tracking/errors/2" not in text
        assert "32,000" in text  # of what, nobody can say any more
        text = client.page("/tracking/reports/1")
        assert "The same." in text and "/tracking/errors/2" not in text
        assert "No interrupts" not in client.page("/tracking/notices")
        assert "open interrupt" not in client.page("/")


def test_notices_are_paged(site: Site) -> None:
    with site.client("steel") as client:
        text = client.page("/tracking/notices?before=3")
        assert "Interrupt 2" in text and "Interrupt 3" not in text and "Newest" in text
        assert "emissions.interrupt_unknown" in client.page("/tracking/notices/99", 404)
        assert client.get("/tracking/notices?before=0").status_code == 400
    with site.client("bank") as client:
        assert "No interrupts" in client.page("/tracking/notices")
        assert "open interrupt" not in client.page("/")


def test_who_sees_all_sees_the_notices_of_a_host(site: Site) -> None:
    with site.client("registrar") as client:
        text = client.page(f"/tracking/notices?host={HOST}")
        assert 'href="/tracking/notices/4?host=steel-works"' in text
        assert "Interrupt 4" in client.page("/tracking/notices/4?host=steel-works")


def test_roll_ups(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto("/tracking/rollups?by=process&from=2025-01-01&to=2025-02-01")
    chart = page.get_by_role("img", name="CO2 emissions")
    expect(chart).to_have_attribute("data-drawn", "true")
    table = page.get_by_role("region", name="CO2 emissions")
    for head in ("rolling, kg", "melting, kg", "finishing, kg"):
        expect(table).to_contain_text(head)
    expect(table.get_by_role("row", name="Sum")).to_contain_text("3,286.153")
    expect(page.locator("main")).to_contain_text("the other side of a total is: works-total")
    page.get_by_label("Add up").select_option("region")
    page.get_by_role("button", name="Show these").click()
    expect(table).to_contain_text("Shanghai")
    page.goto("/tracking/rollups?from=2020-01-01&to=2020-02-01")
    expect(page.get_by_text("Nothing was emitted in this period")).to_be_visible()
