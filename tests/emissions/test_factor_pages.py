"""The factor pages: the library, publishing, assigning, and who may do and see what."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.support.chromium import PHONE, Opener
from tests.support.site import Site

from wattproof.emissions.model import FACTORS
from wattproof.emissions.queries import assignments_of, emission_stream
from wattproof.identity.queries import device

RESIDUAL = "cn-grid-2022-national-residual"


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        element = page.locator(f"main [name={name}]")
        if element.evaluate("(one) => one.tagName") == "SELECT":
            element.select_option(value)
        else:
            element.fill(value)


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Go on: see what will be signed").click()


def test_the_library_is_filtered_searched_and_paged(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto("/factors")
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Next page").click()
    expect(rows).to_have_count(50)
    page.get_by_label("Applies to").select_option("heat")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("110 kgCO2/GJ")
    page.get_by_role("link", name="Show all").click()
    page.get_by_label("Name, place or source").fill("shanghai 2023")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("0.5737 kgCO2/kWh")
    expect(rows).to_contain_text("2025-12-31")
    page.get_by_label("Name, place or source").fill("nothing like it")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No factor fits")).to_be_visible()


def test_filters_together_and_in_either_language(site: Site) -> None:
    with site.client("steel") as client:
        text = client.page("/factors?set=cn-grid&quantity=electricity&region=CN-SH&year=2022")
        assert re.findall(r'href="/factors/(cn-[^"?]*)"', text) == ["cn-grid-2022-sh"]
        assert "cn-fuel-a-diesel" in client.page("/factors?q=柴油")
        assert "cn-fuel-a-diesel" in client.page("/factors?q=DIESEL")
        assert "No factor fits" in client.page("/factors?year=1999")
        assert client.get("/factors?cursor=nonsense").status_code == 400
        assert client.get(f"/factors?q={'x' * 200}").status_code == 400


@pytest.mark.parametrize(
    ("locale", "unconfirmed", "alert"),
    [
        ("en-GB", "unconfirmed", "This factor is not confirmed."),
        ("zh-CN", "未经证实", "该排放因子未经证实。"),
    ],
)
def test_what_is_not_confirmed_is_marked(
    open_page: Opener, locale: str, unconfirmed: str, alert: str
) -> None:
    page = open_page("steel", locale=locale)
    if locale == "zh-CN":
        page.locator("button[name=lang][value=zh]").click()
    page.goto("/factors?q=2022-national")
    row = page.locator("tr", has=page.locator(f"a[href='/factors/{RESIDUAL}']"))
    expect(row.locator(".badge")).to_contain_text([unconfirmed, unconfirmed])
    page.goto(f"/factors/{RESIDUAL}")
    expect(page.get_by_text(alert)).to_be_visible()
    expect(page.locator("main")).to_contain_text("0.5856 kgCO2/kWh")
    page.goto("/factors/cn-grid-2022-national")
    expect(page.get_by_text(alert)).to_have_count(0)
    if locale == "zh-CN":
        page.locator("button[name=lang][value=en]").click()


def test_one_factor_and_the_meters_that_use_it(site: Site) -> None:
    path = "/factors/cn-grid-2023-sh"
    with site.client("registrar") as client:
        text = client.page(path)
        assert all(f'"/meters/{meter}"' in text for meter in ("steel-main", "office-a"))
        assert "573,700 µg per base unit" in text
        assert "公告2025年第47号" in text and "/ledger/entries/" in text
    with site.client("steel") as client:
        text = client.page(path)
        assert "steel-main" in text and "office" not in text
    with site.client("bank") as client:
        assert "None of the meters that you may see uses it." in client.page(path)
        assert "emissions.factor_unknown" in client.page("/factors/nothing", status=404)


def test_publishing_a_factor_and_its_next_version(open_page: Opener, fresh_site: Site) -> None:
    page = open_page("registrar", url=fresh_site.url)
    page.goto("/factors")
    page.get_by_role("link", name="Publish a factor").click()
    fill(page, id="test-heat", name_en="A heat plant", name_zh="某热力厂", quantity="heat",
         value="0.1", unit="tCO2/kWhh", set="test", kind="default", region="310000",
         data_year="2024", published="2025-06-01", source="Notice 1")  # fmt: skip
    size = fresh_site.size
    go_on(page)
    expect(page.locator("#w-unit")).to_contain_text("core.unit")
    expect(page.locator("#w-confidence")).to_be_visible()
    fill(page, unit="tCO2/GJ", value="0.0000000001", confidence="medium")
    go_on(page)
    expect(page.locator("#w-value")).to_contain_text("emissions.factor_inexact")
    expect(page.get_by_label("Name in Chinese")).to_have_value("某热力厂")
    fill(page, value="0.11")
    go_on(page)
    expect(page.locator("main")).to_contain_text("396,000")
    assert fresh_site.size == size
    page.get_by_role("button", name="Sign and submit").click()
    page.wait_for_url("**/ledger/transactions/*")
    page.goto("/factors/test-heat")
    expect(page.locator("main")).to_contain_text("110 kgCO2/GJ")
    page.get_by_role("link", name="Publish a new version").click()
    expect(page.get_by_label("Value")).to_have_value("0.11")
    fill(page, value="0.12", confidence="high")
    go_on(page)
    page.get_by_role("button", name="Sign and submit").click()
    page.wait_for_url("**/ledger/transactions/*")
    store = fresh_site.writer.store
    versions = list(store.scan(FACTORS, "test-heat"))
    assert [(one.stated.value_ug, one.stated.confidence) for one in versions] == [
        (396_000, "medium"),
        (432_000, "high"),
    ]
    assert versions[0].stated.region == "CN-SH"
    page.goto("/factors/test-heat")
    expect(page.locator("main")).to_contain_text("0.12 tCO2/GJ")
    page.goto("/factors?q=heat+plant")
    expect(page.locator("main tbody tr")).to_have_count(1)


def test_only_a_factor_authority_publishes(open_page: Opener, site: Site) -> None:
    page = open_page("steel")
    page.goto("/factors")
    expect(page.get_by_role("link", name="Publish a factor")).to_have_count(0)
    page.goto("/factors/new")
    expect(page.locator("main")).to_contain_text("emissions.not_publisher")
    with site.client("steel") as client:
        size = site.size
        assert client.form("/factors/new", id="x").status_code == 403
        assert client.post("/factors/new", data={"id": "x"}).status_code == 403
        assert site.size == size


def test_an_unconfirmed_factor_takes_a_tick(open_page: Opener, fresh_site: Site) -> None:
    page = open_page("offices", url=fresh_site.url)
    page.goto(f"/factors/{RESIDUAL}")
    page.get_by_role("link", name="Assign to a meter").click()
    page.get_by_label("Meter", exact=True).select_option("office-a")
    fill(page, start="2025-01-15T00:00", end="2025-01-10T00:00")
    go_on(page)
    expect(page.locator("#w-agreed")).to_contain_text("emissions.form_unconfirmed")
    expect(page.locator("#w-start")).to_contain_text("2025-02-01T00:00:00+08:00")
    expect(page.get_by_label("Meter", exact=True)).to_have_value("office-a")
    fill(page, start="", end="2025-03-01T00:00")
    page.locator("[name=agreed]").check()
    go_on(page)
    expect(page.locator("main")).to_contain_text("1 Feb 2025")
    page.get_by_role("button", name="Sign and submit").click()
    page.wait_for_url("**/ledger/transactions/*")
    store = fresh_site.writer.store
    number = device(store, "office-a").number
    last = list(assignments_of(store, number))[-1]
    assert (last.factor, last.party) == (RESIDUAL, "offices")
    stream = emission_stream(store, number)
    assert stream is not None
    assert stream.spans[-1].factor == RESIDUAL
    page.goto(f"/factors/{RESIDUAL}")
    expect(page.get_by_role("link", name="office-a")).to_be_visible()
    with fresh_site.client("steel") as client:
        assert "office-a" not in client.page(f"/factors/{RESIDUAL}")


def test_meters_of_others_are_not_told_from_none(site: Site) -> None:
    path, size = "/factors/cn-grid-2022-national/assign", site.size
    with site.client("steel") as client:
        page = client.page(path)
        assert "steel-main" in page and "office-a" not in page and "steel-stack" not in page
        assert "office-a" not in client.page(f"{path}?meter=office-a").replace(
            'value="/factors/cn-grid-2022-national/assign?meter=office-a"', ""
        )
        foreign = client.form(path, device="office-a")
        unknown = client.form(path, device="office-z")
        assert foreign.status_code == unknown.status_code == 404
        assert "emissions.form_meter" in foreign.text
        assert foreign.text.count("office-a") == unknown.text.count("office-z")
        stack = client.form(path, device="steel-stack", start="2026-01-01")
        assert (stack.status_code, "emissions.co2_already" in stack.text) == (409, True)
    with site.client("metering") as client:
        assert "office-a" in client.page(path)
    assert site.size == size


PAGES = ("/factors", f"/factors/{RESIDUAL}", "/factors/new", f"/factors/{RESIDUAL}/assign")


def test_pages_on_a_phone_and_for_everyone(open_page: Opener) -> None:
    page = open_page("registrar", size=PHONE)
    for path in PAGES:
        page.goto(path)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], len(one["nodes"])) for one in found] == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_reading_needs_no_javascript(open_page: Opener) -> None:
    page = open_page("steel", java_script_enabled=False)
    page.goto("/factors?quantity=gas")
    expect(page.locator("main tbody tr").first).to_contain_text("kgCO2/m3")
