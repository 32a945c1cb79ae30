"""Every page that each visitor can come to, in real Chromium: both languages, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from tests.emissions.logistics.files import SMALL as SHIPMENTS
from tests.emissions.logistics.files import SMALL_MAP as SHIPMENTS_MAP
from tests.support.chromium import PHONE, WIDE, Chromium, Opener, WatchedPage, sign_in
from tests.support.crawl import addresses, page_routes
from tests.support.site import LOGINS, Client, Site, serving_a_copy
from tests.support.tracked import file_report

from wattproof.book.model import OpenAccount
from wattproof.core.errors import Lang
from wattproof.emissions.model import FACTORS
from wattproof.identity.model import PARTIES
from wattproof.ledger.transaction import encode_payload, new_nonce

VISITORS: Final = ("", *LOGINS)

NOT_LINKED: Final = {
    "/sign/{draft_id:str}/payload",  # a download, linked for those who hold their own key
    "/meters/{meter_id:str}/readings.csv",
    "/devices/enrol/file",
    "/import/{draft_id:str}/mapping.toml",
    "/import/{draft_id:str}/progress",  # a piece of a page
    "/settlement/regions/{region_id:str}/runs/{number:int}/progress",  # a piece of a page
    "/settlement/regions/{region_id:str}/statement/rows.csv",
    "/settlement/regions/{region_id:str}/statements/{number:int}/{file:str}",
    "/shipments/report.csv",
    "/tracking/errors/{group:int}/rows.csv",
    "/verify/offline.html",
}
"""Addresses that are asked for with GET and are no pages."""

EXAMPLE: Final = Path(__file__).parents[2] / "docs" / "example"

LOCALES: Final[Mapping[Lang, str]] = {"en": "en-GB", "zh": "zh-CN"}
DRAWN: Final = "() => [...document.querySelectorAll('[data-chart]')].every((c) => c.dataset.drawn)"

TABLES: Final = """() => [...document.querySelectorAll('main table, main dl, main .datagrid')]
    .map((one) => one.textContent.replace(/\\s+/g, ' ').trim())"""

PROSE: Final = """() => {
    const skipped = 'code, pre, script, style, option, textarea, [lang=en], [data-verbatim]';
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (!node.parentElement.closest(skipped)) found.push(node.data);
    }
    for (const one of document.querySelectorAll('[aria-label], [placeholder], [title], [alt]'))
        for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
            found.push(one.getAttribute(name) ?? '');
    return found.map((text) => text.replace(/\\s+/g, ' ').trim()).filter((text) => text);
}"""
"""The texts of a page that are not codes, with those that only a screen reader says."""

SENTENCE: Final = re.compile(r"(?:\b[A-Za-z][a-z’']*\b[,;]? ){3,}[A-Za-z]+")
"""Four English words or more in a row."""

Reach = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def site(settled_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where every page has something to show."""
    with serving_a_copy(settled_ledger, tmp_path_factory.mktemp("whole") / "ledger") as site:
        with site.client("steel") as client:
            file_report(client, "/tracking/errors/2")
        yield site


@pytest.fixture(scope="module")
def reach(site: Site) -> Reach:
    """The addresses, by route, that a visitor can come to."""
    routes = page_routes(site.app)
    found: dict[str, dict[str, str]] = {}

    def reach_(login: str) -> dict[str, str]:
        if login not in found:
            with site.client(login) as client:
                found[login] = addresses(
                    client, routes, start=["/", *after_forms(site, client, login)]
                )
        return found[login]

    return reach_


@pytest.fixture(scope="module")
def data(site: Site) -> re.Pattern[str]:
    """What people wrote of parties and factors: it is shown as it was written."""
    store = site.writer.store
    records = [*store.scan(PARTIES), *(factor.stated for factor in store.scan(FACTORS))]
    texts = {
        text for one in records for text in msgspec.structs.astuple(one) if isinstance(text, str)
    }
    return re.compile("|".join(re.escape(text) for text in texts if " " in text))


def after_forms(site: Site, client: Client, login: str) -> list[str]:
    """Pages to which forms lead: what this user is to sign, what was signed, what is imported."""
    if not login:
        return []
    found = []
    if login == "readings":
        files = {"file": ("office.csv", (EXAMPLE / "office.csv").read_bytes())}
        answer = client.post("/import", data={"csrf": client.csrf}, files=files)
        path = answer.headers["location"].removesuffix("/mapping")
        found.append(path)
        mapping = (EXAMPLE / "office.toml").read_text("utf-8")
        assert client.form(f"{path}/mapping/text", toml=mapping).status_code == 303
        found.append(f"{path}/mapping")
    if login == "steel":
        files = {"file": ("out.csv", SHIPMENTS.encode())}
        fields = {"csrf": client.csrf, "mapping": SHIPMENTS_MAP}
        answer = client.post("/shipments/import", data=fields, files=files)
        found.append(answer.headers["location"])
    with site.users() as users:
        payload = encode_payload(OpenAccount(id=f"crawled-{login}"), nonce=new_nonce())
        draft = users.drafts.add(login, payload, now_s=1)
    registration = site.writer.store.get(PARTIES, LOGINS[login])
    assert registration is not None
    entry = site.writer.store.entry(registration.registered_entry)
    return [f"/sign/{draft.id}", f"/ledger/transactions/{entry.id.hex()}", *found]


def test_every_page_can_be_come_to(site: Site, reach: Reach) -> None:
    found = {route for login in VISITORS for route in reach(login)}
    assert set(page_routes(site.app)) - NOT_LINKED - found == set()


@pytest.mark.parametrize("lang", LOCALES)
@pytest.mark.parametrize("login", VISITORS)
def test_pages(
    site: Site, reach: Reach, data: re.Pattern[str], open_page: Opener, login: str, lang: Lang
) -> None:
    """Each says what it is, in one language, fits the screen, and nothing goes wrong on it."""
    page, sizes = signed_in(open_page, login, lang, site), (WIDE, PHONE)
    for address in reach(login).values():
        go(page, address)
        for size in sizes:
            fits(page, address, size)
        sizes = (sizes[1], sizes[0])  # the next page is loaded at the size that is there now
        assert page.locator("h1").count() == 1, address
        assert page.locator("html").get_attribute("lang") == ("zh-Hans" if lang == "zh" else "en")
        assert page.title().strip(" ·"), address
        if lang == "zh":
            texts = [data.sub("", text) for text in page.evaluate(PROSE)]
            assert not [text for text in texts if SENTENCE.search(text)], address


def signed_in(open_page: Opener, login: str, lang: Lang, site: Site) -> Page:
    """A page of a visitor who reads this language."""
    page = open_page(locale=LOCALES[lang])
    page.context.add_cookies([{"name": "wattproof_lang", "value": lang, "url": site.url}])
    if login:
        sign_in(page, login, site.password)
    return page


def go(page: Page, address: str) -> None:
    answer = page.goto(address)
    assert answer is not None and answer.status == 200, address
    if page.locator("[data-chart]").count():
        page.wait_for_function(DRAWN)


def fits(page: Page, address: str, size: tuple[int, int]) -> None:
    if page.viewport_size != {"width": size[0], "height": size[1]}:
        page.set_viewport_size({"width": size[0], "height": size[1]})
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0], f"{address} is {width} px wide on a screen of {size[0]}"


@pytest.mark.parametrize("look", ["light", "dark"])
def test_everybody_can_read_them(site: Site, reach: Reach, open_page: Opener, look: Any) -> None:
    """axe-core finds nothing serious on any route; in the dark, colours are all that differs."""
    options = {"resultTypes": ["violations"]}
    if look == "dark":
        options["runOnly"] = ["color-contrast"]
    found = []
    for login, pages in shared_out(reach).items():
        lang: Lang = "zh" if look == "dark" else "en"
        page = signed_in(open_page, login, lang, site)
        page.emulate_media(color_scheme=look)
        for address in pages:
            go(page, address)
            page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")
            for fault in Axe().run(page, options=options).response["violations"]:
                if fault["impact"] in ("serious", "critical"):
                    nodes = [node["html"][:200] for node in fault["nodes"][:3]]
                    found.append((address, fault["id"], nodes))
    assert not found, "\n".join(map(str, found))


def shared_out(reach: Reach) -> dict[str, list[str]]:
    """Every route once, with the first visitor who comes to it."""
    seen: set[str] = set()
    found: dict[str, list[str]] = {}
    for login in ("registrar", *VISITORS):
        new = {route: path for route, path in reach(login).items() if route not in seen}
        seen |= set(new)
        if new:
            found.setdefault(login, []).extend(new.values())
    return found


def test_without_javascript_the_same_is_told(site: Site, reach: Reach, browser: Chromium) -> None:
    """Tables and lists of facts hold the same; a proof is the one thing that needs a script."""
    for login, pages in shared_out(reach).items():
        with_script = entered(browser.open(site.url), login, site)
        without = entered(browser.open(site.url, java_script_enabled=False), login, site)
        for address in pages:
            go(with_script.page, address)
            answer = without.page.goto(address)
            assert answer is not None and answer.status == 200, address
            told = with_script.page.evaluate(TABLES)
            assert without.page.evaluate(TABLES) == told, address
        for watched in (with_script, without):
            watched.close()


def entered(watched: WatchedPage, login: str, site: Site) -> WatchedPage:
    if login:
        sign_in(watched.page, login, site.password)
    return watched
