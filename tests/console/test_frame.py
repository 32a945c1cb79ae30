"""The frame in a real browser: sign-in, language, look, phone, no JavaScript, accessibility."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.support.chromium import PHONE, WIDE, Opener, sign_in
from tests.support.site import PASSWORD, Site, serving_a_copy

PAGES = ("/", "/?by=hour&at=2025-01-12", "/meters", "/meters/office-b", "/ledger",
         "/ledger/entries/1", "/ledger/entries/70", "/account", "/nowhere")  # fmt: skip


@pytest.fixture(scope="module")
def site(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that nobody else writes into: figures are looked at here."""
    with serving_a_copy(demo_ledger, tmp_path_factory.mktemp("own") / "ledger") as site:
        yield site


def test_from_sign_in_to_sign_out(page: Page) -> None:
    page.goto("/sign-in?next=/meters")
    page.get_by_label("Name").fill("steel")
    page.get_by_label("Password").fill("not the password")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    expect(page.get_by_label("Name")).to_have_value("steel")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("link", name="steel-main")).to_be_visible()
    page.get_by_role("link", name="steel", exact=True).click()
    expect(page.get_by_text("Regulated enterprise")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")
    page.go_back()
    expect(page.get_by_text("Sign in to see this.")).to_be_visible()


def test_the_language_of_the_browser_then_the_chosen_one(open_page: Opener) -> None:
    page = open_page(locale="zh-CN")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("欢迎")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")
    page.goto("/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_label("密码")).to_be_visible()


def test_light_and_dark(open_page: Opener) -> None:
    page = open_page(color_scheme="dark")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.get_by_role("button", name="Automatic").click()
    expect(page.get_by_role("button", name="Dark")).to_be_visible()


def test_an_expired_session_comes_back_to_where_it_was(open_page: Opener, site: Site) -> None:
    page = open_page("metering")
    [token] = [one["value"] for one in page.context.cookies() if "session" in one.get("name", "")]
    with site.users() as users:
        users.sign_out(str(token))
    page.goto("/meters?status=active")
    page.locator("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("Name").fill("metering")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    page.wait_for_url("**/meters?status=active")
    expect(page.get_by_role("link", name="wind-1")).to_be_visible()


def test_reading_needs_no_javascript(open_page: Opener) -> None:
    page = open_page("steel", java_script_enabled=False)
    page.goto("/")
    row = page.get_by_role("row", name="4 Jan")
    expect(row.first).to_contain_text("18,575.912")
    page.get_by_label("Show", exact=True).select_option("year")
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("row", name="2025").first).to_contain_text("1,002,615.385")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Meters").click()
    page.get_by_role("link", name="steel-main").click()
    page.get_by_role("link", name="Older packets").click()
    page.locator("#packets").wait_for()
    table = page.get_by_role("table", name="Packets")
    table.get_by_role("link", name=re.compile(r"#\d+")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Report readings")
    page.get_by_text("96 values").click()
    expect(page.get_by_role("cell", name="96", exact=True)).to_be_visible()


def test_the_keyboard_reaches_the_content_first(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto("/meters")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def findings(page: Page) -> list[str]:
    """What axe-core finds, by rule and place."""
    response: dict[str, Any] = Axe().run(page).response
    return [
        f"{found['id']}: {node['target']}"
        for found in response["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_on_a_phone_and_for_everyone(open_page: Opener, lang: str, scheme: str) -> None:
    page = open_page("registrar", size=PHONE, lang=lang, color_scheme=scheme)
    for path in PAGES:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE[0], f"{path} is {width} wide"
        assert findings(page) == [], path


def test_the_open_page_is_in_view_in_a_phones_navigation(open_page: Opener) -> None:
    page = open_page("registrar", size=PHONE, lang="en")
    for path in ("/meters", "/factors", "/ledger"):
        page.goto(path)
        expect(page.locator(".main-nav [aria-current]")).to_be_in_viewport(ratio=1)


def test_wide_pages_for_everyone(open_page: Opener) -> None:
    page = open_page(size=WIDE)
    for path in ("/", "/sign-in", "/verify"):
        page.goto(path)
        assert findings(page) == [], path
    sign_in(page, "registrar", PASSWORD)
    for path in PAGES:
        page.goto(path)
        assert findings(page) == [], path
