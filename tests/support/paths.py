"""What every path through the console has in common: going on from a form, signing, looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect
from tests.support.chromium import PHONE, Chromium, WatchedPage
from tests.support.site import Site

__all__ = ["fits", "go_on", "in_chinese", "refused_at", "sign"]

GO_ON = "Go on: see what will be signed"


def go_on(form: Page | Locator) -> None:
    """Send a form that leads to what will be signed."""
    form.get_by_role("button", name=GO_ON).click()


def sign(page: Page, *words: str) -> str:
    """Sign what is shown, which must say `words`; the path of the transaction."""
    page.wait_for_url("**/sign/*")
    for word in words:
        expect(page.locator("main")).to_contain_text(word)
    page.get_by_role("button", name="Sign and submit").click()
    page.wait_for_url("**/ledger/transactions/*")
    return page.url.partition("/ledger")[2]


def refused_at(form: Page | Locator, field: str, code: str) -> None:
    """Expect the form to be there again, with the code at this field."""
    shown = form.locator(f"[id$='{field}'][aria-invalid=true]")
    expect(shown).to_be_visible()
    expect(form.locator(f"[id^='w-'][id$='{field}']")).to_contain_text(code)


def fits(page: Page) -> bool:
    """Whether the page can be read without scrolling sideways."""
    widths: list[int] = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    return widths[0] <= widths[1]


@contextmanager
def in_chinese(browser: Chromium, site: Site) -> Iterator[Callable[[str], Page]]:
    """A phone for each login, in Chinese and without JavaScript, signed in when first asked for."""
    opened: dict[str, WatchedPage] = {}

    def page_of(login: str) -> Page:
        if login not in opened:
            opened[login] = browser.open(
                site.url, size=PHONE, locale="zh-CN", java_script_enabled=False
            )
            page = opened[login].page
            page.goto("/sign-in?next=/ledger")
            page.locator("input[name=login]").fill(login)
            page.locator("input[name=password]").fill(site.password)
            page.locator("main form button").click()
            page.locator("button[lang=zh-Hans]").click()
        return opened[login].page

    yield page_of
    for watched in opened.values():
        watched.page.locator("button[lang=en]").click()
        watched.close()
