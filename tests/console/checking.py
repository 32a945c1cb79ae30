"""The checking page in a real browser, served by the real gateway over a toy ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Page
from tests.gateway.served import Served, serving
from tests.support.chromium import Chromium

from wattproof.console.verify_page import verify_routes

DONE = '#verify:is([data-state="ok"], [data-state="wrong"], [data-state="unable"])'
READY = "#verify[data-ready]"


@contextmanager
def serving_checks(path: Path, **options: Any) -> Iterator[Served]:
    """A new toy ledger whose node serves the page."""
    with serving(path, routers=[verify_routes(**options)]) as served:
        yield served


@contextmanager
def visiting(browser: Chromium, url: str, *, before: str = "", **options: Any) -> Iterator[Page]:
    """The page at an address, where the script `before` ran first.

    Fails in the end where something went wrong on it.
    """
    watched = browser.open(url, **options)
    watched.page.add_init_script(before)
    watched.page.goto(url)
    yield watched.page
    watched.close()


def hand_in(page: Page, data: bytes) -> str:
    """Choose a file of these bytes and wait for the outcome: ok, wrong or unable."""
    file = FilePayload(name="a.proof.json", mimeType="application/json", buffer=data)
    page.set_input_files("#verify-file", file)
    return outcome(page)


def paste(page: Page, text: str) -> str:
    """Paste a text, ask for the check and wait for the outcome."""
    page.fill("#verify-text", text)
    page.locator("#verify-form button").click()
    return outcome(page)


def outcome(page: Page) -> str:
    """Wait for the outcome."""
    page.wait_for_selector(DONE)
    return page.locator("#verify").get_attribute("data-state") or ""
