"""Real Chromium on a served site, and what must never happen on any of its pages.

A page fails its test on an error or warning in the console, an error in a script, an answer 5xx, or
a request to another host. A 4xx of the page itself is no error: the test looks at it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

__all__ = ["PHONE", "WIDE", "Chromium", "Opener", "WatchedPage", "chromium_path", "sign_in"]

Opener = Callable[..., Page]
"""What the fixture `open_page` is."""

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDE: Final = (1280, 900)
PHONE: Final = (390, 844)
TIMEOUT_MS: Final = 15_000


def chromium_path() -> str | None:
    """The system's Chromium; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def sign_in(page: Page, login: str, password: str) -> None:
    """Sign in through the form; the browser is then at the ledger's page."""
    page.goto("/sign-in?next=/ledger")
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill(password)
    page.locator("main form button").click()
    page.wait_for_url("**/ledger")


class Chromium:
    """One running browser; each page of `open` has cookies of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stack = ExitStack()
        self._browser: Browser

    def __enter__(self) -> Self:
        playwright = self._stack.enter_context(sync_playwright())
        self._browser = playwright.chromium.launch(executable_path=self._path, args=list(FLAGS))
        self._stack.callback(self._browser.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def open(
        self, url: str, *, locale: str = "en-GB", size: tuple[int, int] = WIDE, **options: Any
    ) -> WatchedPage:
        """A page of a browser that has never been here; `options` are those of Playwright."""
        width, height = size
        context = self._browser.new_context(
            base_url=url,
            locale=locale,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(TIMEOUT_MS)
        return WatchedPage(context, urlsplit(url).netloc)


class WatchedPage:
    """A page, and what has gone wrong on it so far."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        self.faults: Final[list[str]] = []
        self._context = context
        self._host = host
        self._documents: set[str] = set()
        context.on("request", self._on_request)
        context.on("response", self._on_response)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        self.page: Final[Page] = context.new_page()

    def close(self) -> None:
        """Close it; raises where something went wrong."""
        self._context.close()
        assert not self.faults, "\n".join(self.faults)

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if request.is_navigation_request():
            self._documents.add(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._host:
            self.faults.append(f"request to another host: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.faults.append(f"{response.status}: {response.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        where = str(message.location.get("url", ""))
        of_page = message.text.startswith("Failed to load resource") and where in self._documents
        if message.type in ("error", "warning") and not of_page:
            self.faults.append(f"console {message.type}: {message.text} ({where})")
