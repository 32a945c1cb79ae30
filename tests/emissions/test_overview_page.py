"""The overview in a real browser: figures, charts, choices, the short tour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.support.chromium import Opener
from tests.support.site import Site, serving_a_copy


@pytest.fixture(scope="module")
def site(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that nobody else writes into: figures are looked at here."""
    with serving_a_copy(demo_ledger, tmp_path_factory.mktemp("own") / "ledger") as site:
        yield site


def chart(page: Page, title: str) -> None:
    """Wait until a chart of this title is drawn, and look whether there is anything on it."""
    drawn = page.get_by_role("img", name=title)
    expect(drawn).to_have_attribute("data-drawn", "true")
    pixels = """canvas => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height);
        const context = copy.getContext("2d", {willReadFrequently: true});
        context.drawImage(canvas, 0, 0);
        return new Set(context.getImageData(0, 0, copy.width, copy.height).data).size;
    }"""
    assert drawn.locator("canvas").first.evaluate(pixels) > 20


def test_what_a_registrar_sees(open_page: Opener) -> None:
    page = open_page("registrar")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    figures = page.locator("#figures")
    expect(figures).to_contain_text("1,107 MWh")
    expect(figures).to_contain_text("942.1 t")
    expect(figures).to_contain_text("17,850")
    chart(page, "Energy")
    chart(page, "CO2 emissions")
    energy = page.get_by_role("region", name="Energy")
    expect(energy.get_by_role("row")).to_have_count(33)
    expect(energy.get_by_role("row", name="Sum")).to_contain_text("1,106,906.803")


def test_an_enterprise_sees_its_own_alone(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto("/")
    figures = page.locator("#figures")
    expect(figures).to_contain_text("1,003 MWh")
    expect(figures).not_to_contain_text("fed into")
    page.goto("/?meter=office-a")
    expect(page.get_by_text("No readings yet")).to_be_visible()
    page.goto("/?by=year&quantity=electricity.export")
    expect(page.get_by_text("No readings yet")).to_be_visible()


def test_choosing_what_is_shown(open_page: Opener) -> None:
    page = open_page("offices")
    page.goto("/")
    page.get_by_label("Quantity").select_option("electricity.generation")
    page.get_by_label("Show", exact=True).select_option("hour")
    page.get_by_label("Around").fill("2025-01-12")
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("navigation", name="Period")).to_contain_text("12 January 2025")
    table = page.get_by_role("region", name="Energy")
    expect(table.get_by_role("row")).to_have_count(26)
    expect(table).not_to_contain_text("taken")
    chart(page, "Energy")
    page.get_by_role("link", name="After").click()
    expect(page.get_by_role("navigation", name="Period")).to_contain_text("13 January 2025")
    expect(page.get_by_label("Quantity")).to_have_value("electricity.generation")
    page.get_by_role("link", name="Before").click()
    page.get_by_role("link", name="Before").click()
    expect(page.get_by_role("navigation", name="Period")).to_contain_text("11 January 2025")


@pytest.mark.parametrize(
    ("by", "rows", "first"), [("day", 31, "1 Jan"), ("month", 12, "Jan 2025"), ("year", 1, "2025")]
)
def test_hours_to_years_add_up_to_the_same(
    open_page: Opener, by: str, rows: int, first: str
) -> None:
    page = open_page("registrar")
    page.goto(f"/?by={by}")
    table = page.get_by_role("region", name="CO2 emissions")
    expect(table.get_by_role("row")).to_have_count(rows + 2)
    expect(table.get_by_role("rowheader").first).to_have_text(first)
    expect(table.get_by_role("row", name="Sum")).to_contain_text("635,032.431")


def test_a_time_without_readings(open_page: Opener) -> None:
    page = open_page("registrar")
    page.goto("/?at=2020-05-05")
    expect(page.get_by_text("No readings in this period")).to_be_visible()
    page.get_by_role("link", name="To the newest readings").click()
    expect(page.get_by_role("navigation", name="Period")).to_contain_text("January 2025")


def test_a_time_that_is_none(site: Site) -> None:
    with site.client("registrar") as client:
        assert "core.time" in client.page("/?at=yesterday", 400)
        assert "gateway.request" in client.page("/?by=week", 400)


def test_the_tour_goes_away_and_stays_away(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto("/")
    expect(page.get_by_role("heading", name="A short tour")).to_be_visible()
    page.get_by_role("button", name="Put it away").click()
    expect(page.get_by_role("heading", name="A short tour")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="A short tour")).to_have_count(0)


def test_charts_change_with_the_look(open_page: Opener) -> None:
    page = open_page("registrar", color_scheme="light")
    page.goto("/")
    chart(page, "Energy")
    page.emulate_media(color_scheme="dark")
    chart(page, "Energy")


def test_figures_come_by_themselves(open_page: Opener, site: Site) -> None:
    page = open_page("registrar")
    page.clock.install()
    page.goto("/")
    with page.expect_response(re.compile(r"/$")) as answer:
        page.clock.run_for(16_000)
    assert answer.value.status == 200
    expect(page.locator("#figures")).to_have_count(1)
    expect(page.locator("#figures")).to_contain_text(f"{site.size:,}")
