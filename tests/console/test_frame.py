"""The frame in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.support.chromium import Opener


def test_sign_in_and_out(page: Page) -> None:
    page.goto("/sign-in?next=/ledger")
    page.get_by_label("Name").fill("steel")
    page.get_by_label("Password").fill("correct horse battery")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="steel")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def test_ledger_in_both_languages(open_page: Opener) -> None:
    page = open_page("registrar")
    page.goto("/ledger")
    expect(page.get_by_role("heading", level=1)).to_have_text("The ledger")
