"""What tests of pages share: a served site over the demonstration's ledger, and a real browser."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # else every test would wait for the browser and the whole node to be imported
    from playwright.sync_api import Page
    from tests.support.chromium import Chromium, Opener, WatchedPage
    from tests.support.site import Site


@pytest.fixture(scope="session")
def demo_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's ledger, told once; to be copied, never opened where it lies."""
    from tests.support.site import make_ledger

    path = tmp_path_factory.mktemp("demo") / "ledger"
    make_ledger(path)
    return path


@pytest.fixture(scope="session")
def tracked_ledger(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's ledger with a wired steel works (`support.tracked`); to be copied."""
    from tests.support.tracked import track

    from wattproof.engines.folder import LedgerFolder
    from wattproof.node import machine

    path = tmp_path_factory.mktemp("tracked") / "ledger"
    shutil.copytree(demo_ledger, path)
    track(LedgerFolder(path, machine()), now_s=int(time.time()))
    return path


@pytest.fixture(scope="session")
def settled_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's ledger with a wired steel works and a settled region; to be copied."""
    from tests.support.site import make_settled_ledger
    from tests.support.tracked import track

    from wattproof.engines.folder import LedgerFolder
    from wattproof.node import machine

    path = tmp_path_factory.mktemp("settled") / "ledger"
    make_settled_ledger(path)
    track(LedgerFolder(path, machine()), now_s=int(time.time()))
    return path


@pytest.fixture(scope="session")
def site(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that all tests share: what they write into it must not get into each other's way."""
    from tests.support.site import copied

    running = copied(demo_ledger, tmp_path_factory.mktemp("site") / "ledger")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def fresh_site(demo_ledger: Path, tmp_path: Path) -> Iterator[Site]:
    """A site of this test's own, which may be stopped and started again."""
    from tests.support.site import copied

    running = copied(demo_ledger, tmp_path / "ledger")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """Chromium, for the tests of one module: Playwright holds the thread's event loop meanwhile."""
    from tests.support.chromium import Chromium, chromium_path

    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium: neither chromium nor google-chrome is on the PATH")
    with Chromium(path) as chromium:
        yield chromium


@pytest.fixture
def open_page(browser: Chromium, site: Site) -> Iterator[Opener]:
    """Opens pages of the shared site: ``open_page("steel", lang="zh", size=PHONE)``.

    The login may be left out; `lang` is chosen in this browser alone, as by a cookie; `url` names
    another site. Every page must end without a fault.
    """
    from tests.support.chromium import sign_in

    opened: list[WatchedPage] = []

    def open_(login: str = "", *, url: str = "", lang: str = "", **options: Any) -> Page:
        watched = browser.open(url or site.url, **options)
        opened.append(watched)
        if lang:
            watched.page.context.add_cookies(
                [{"name": "wattproof_lang", "value": lang, "url": url or site.url}]
            )
        if login:
            sign_in(watched.page, login, site.password)
        return watched.page

    yield open_
    for watched in opened:
        watched.close()


@pytest.fixture
def page(open_page: Opener) -> Page:
    """A page of the shared site, in English, nobody signed in."""
    return open_page()
