"""People who act at once, go back, click twice or are cut off: nothing twice, nothing lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from tests.support.chromium import Chromium, WatchedPage, sign_in
from tests.support.site import Site

from wattproof.book.model import ACCOUNTS, OpenAccount
from wattproof.console.cli import USERS_FILE
from wattproof.identity.model import DEVICES, Device, EnrolDevice
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import encode_payload, new_nonce, sign_transaction

METER: Final = "office-new"
SIGN: Final = "Sign and submit"
GO_ON: Final = "Go on: see what will be signed"
EVIDENCE: Final = "5e" * 32

Visit = Callable[[str], Page]


@pytest.fixture
def visit(fresh_site: Site, browser: Chromium) -> Iterator[Visit]:
    """A browser of its own for somebody who has signed in to the site of this test."""
    opened: list[WatchedPage] = []

    def visit_(login: str) -> Page:
        watched = browser.open(fresh_site.url)
        opened.append(watched)
        sign_in(watched.page, login, fresh_site.password)
        return watched.page

    yield visit_
    for watched in opened:
        watched.close()


@pytest.fixture
def meter(fresh_site: Site) -> str:
    """A device of the office park that waits for a metering authority."""
    body = EnrolDevice(id=METER, owner="offices", quantity="gas.natural", zone="Asia/Shanghai")
    raw = sign_transaction(body, SigningKey.generate(), ledger_id=fresh_site.writer.ledger_id)
    [answer] = fresh_site.writer.engine.submit_many([raw])
    assert isinstance(answer, Receipt), answer
    return f"/devices/{METER}"


def device(site: Site) -> Device:
    found = site.writer.store.get(DEVICES, METER)
    assert found is not None
    return found


def entries_from(site: Site, first: int) -> list[str]:
    """The types of the entries that have come since."""
    with site.client("registrar") as client:
        page = client.get("/api/v1/entries", params={"from": first}).json()
    return [entry["type"] for entry in page["entries"]]


def fill_authentication(page: Page, meter: str) -> None:
    page.goto(meter)
    page.get_by_label("or its SHA-256").fill(EVIDENCE)


def send(page: Page) -> None:
    page.get_by_role("button", name=GO_ON).first.click()


def draft_authentication(page: Page, meter: str) -> None:
    """As far as the page on which it is signed."""
    fill_authentication(page, meter)
    send(page)
    expect(page.get_by_role("button", name=SIGN)).to_be_visible()


def sign(page: Page) -> None:
    page.get_by_role("button", name=SIGN).click()
    page.wait_for_url("**/ledger/transactions/*")


def test_one_of_two_wins_and_the_other_is_told(fresh_site: Site, visit: Visit, meter: str) -> None:
    first, second = visit("metering"), visit("registrar")
    for page in (first, second):
        draft_authentication(page, meter)
    size = fresh_site.size
    sign(first)
    second.get_by_role("button", name=SIGN).click()
    refusal = second.get_by_role("alert")
    expect(refusal).to_contain_text("identity.device.already_authenticated")
    expect(refusal).to_contain_text(METER)
    assert "/sign/" in second.url
    assert device(fresh_site).authenticated_by == "metering"
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]
    # Back at the device there is nothing left to do twice.
    second.get_by_role("link", name="Leave it").click()
    second.wait_for_url(f"**{meter}")
    expect(second.get_by_label("or its SHA-256")).to_have_count(0)


def test_who_comes_too_late_is_told_before_signing(
    fresh_site: Site, visit: Visit, meter: str
) -> None:
    first, second = visit("metering"), visit("registrar")
    for page in (first, second):
        fill_authentication(page, meter)
    send(first)
    sign(first)
    size = fresh_site.size
    send(second)
    expect(second.get_by_role("alert").first).to_contain_text("already_authenticated")
    expect(second.get_by_role("heading", level=1)).to_have_text(METER)
    assert fresh_site.size == size


def test_at_the_very_same_moment(fresh_site: Site, meter: str) -> None:
    """Without a browser, since Playwright's own loop cannot click twice at once."""
    size = fresh_site.size
    with (
        fresh_site.client("metering") as one,
        fresh_site.client("registrar") as other,
        ThreadPoolExecutor(2) as pool,
    ):
        drafts = {
            client: client.form(f"{meter}/authenticate", evidence=EVIDENCE).headers["location"]
            for client in (one, other)
        }
        for _ in range(3):  # sent again, the one gets the same entry and the other is refused
            answers = list(pool.map(lambda client: client.form(drafts[client]), drafts))
            assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def test_a_double_click_signs_once(fresh_site: Site, visit: Visit, meter: str) -> None:
    page = visit("metering")
    draft_authentication(page, meter)
    size = fresh_site.size
    page.get_by_role("button", name=SIGN).dblclick(no_wait_after=True)
    page.wait_for_url("**/ledger/transactions/*")
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def test_a_double_click_on_a_form_leaves_no_second_transaction(
    fresh_site: Site, visit: Visit, meter: str
) -> None:
    page = visit("metering")
    fill_authentication(page, meter)
    size = fresh_site.size
    page.get_by_role("button", name=GO_ON).first.dblclick(no_wait_after=True)
    page.wait_for_url("**/sign/*")
    sign(page)
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def test_the_back_button_after_signing(fresh_site: Site, visit: Visit, meter: str) -> None:
    page = visit("metering")
    draft_authentication(page, meter)
    size = fresh_site.size
    sign(page)
    entry = page.url
    page.go_back()
    page.wait_for_url("**/sign/*")
    # From the browser's memory the form may be there still; sent again, it leads to the same entry.
    button = page.get_by_role("button", name=SIGN)
    if button.count():
        button.click()
    else:
        page.get_by_role("link", name="Show it").click()
    page.wait_for_url(entry)
    page.go_back()
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("in the ledger already")
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def test_the_back_button_to_a_form_that_was_sent(
    fresh_site: Site, visit: Visit, meter: str
) -> None:
    page = visit("metering")
    draft_authentication(page, meter)
    page.go_back()
    page.wait_for_url(f"**{meter}")
    expect(page.get_by_label("or its SHA-256")).to_have_value(EVIDENCE)
    size = fresh_site.size
    send(page)
    sign(page)
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def test_a_restart_in_the_middle_of_a_form(fresh_site: Site, visit: Visit, meter: str) -> None:
    page = visit("metering")
    fill_authentication(page, meter)
    size = fresh_site.size
    restart(fresh_site)
    send(page)
    expect(page.get_by_role("button", name=SIGN)).to_be_visible()
    restart(fresh_site)
    sign(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Authenticate a device")
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def restart(site: Site) -> None:
    url = site.url
    site.stop()
    site.start()
    assert site.url == url


def test_a_form_sent_while_nothing_runs_can_be_sent_again(
    fresh_site: Site, browser: Chromium, meter: str
) -> None:
    with closing(browser.open(fresh_site.url)) as watched:
        page = watched.page
        sign_in(page, "metering", fresh_site.password)
        draft_authentication(page, meter)
        draft, size = page.url, fresh_site.size
        fresh_site.stop()
        with page.expect_event("requestfailed"):
            page.get_by_role("button", name=SIGN).click(no_wait_after=True)
        fresh_site.start()
        page.goto(draft)
        sign(page)
        watched.faults.clear()  # that the site was not there is what the browser complained of
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def test_a_session_that_ends_in_the_middle_of_a_form(
    fresh_site: Site, visit: Visit, meter: str
) -> None:
    page = visit("metering")
    fill_authentication(page, meter)
    size = fresh_site.size
    let_sessions_expire(fresh_site)
    send(page)
    expect(page.locator("main")).to_contain_text("gateway.sign_in_needed")
    page.locator("main").get_by_role("link", name="Sign in").click()
    enter(page, "metering", fresh_site.password)
    # Where the form is, not where it was sent to.
    page.wait_for_url(f"**{meter}")
    expect(page.get_by_role("heading", level=1)).to_have_text(METER)
    assert fresh_site.size == size
    draft_authentication(page, meter)
    sign(page)
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def test_a_session_that_ends_before_signing(fresh_site: Site, visit: Visit, meter: str) -> None:
    page = visit("metering")
    draft_authentication(page, meter)
    draft, size = page.url, fresh_site.size
    let_sessions_expire(fresh_site)
    page.get_by_role("button", name=SIGN).click()
    expect(page.locator("main")).to_contain_text("gateway.sign_in_needed")
    assert EVIDENCE not in page.content(), "what was filled in is not shown to just anybody"
    page.locator("main").get_by_role("link", name="Sign in").click()
    enter(page, "metering", fresh_site.password)
    page.wait_for_url(draft)
    expect(page.locator("main")).to_contain_text(EVIDENCE)
    sign(page)
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def let_sessions_expire(site: Site) -> None:
    """As if nobody had used them since yesterday."""
    with closing(sqlite3.connect(site.folder.path / USERS_FILE, isolation_level=None)) as accounts:
        accounts.execute("UPDATE sessions SET seen_s = seen_s - 86400")


def enter(page: Page, login: str, password: str) -> None:
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill(password)
    page.locator("main form button").click()


def test_signing_out_in_one_browser_ends_nothing_in_another(
    fresh_site: Site, visit: Visit, meter: str
) -> None:
    first, second = visit("metering"), visit("metering")
    draft_authentication(second, meter)
    first.get_by_role("button", name="Sign out").click()
    first.wait_for_url("**/")
    size = fresh_site.size
    sign(second)
    assert entries_from(fresh_site, size) == ["identity.device.authenticate"]


def test_two_windows_with_one_draft(fresh_site: Site, visit: Visit) -> None:
    """The same draft signed in two windows of one person comes to one entry."""
    with fresh_site.users() as users:
        payload = encode_payload(OpenAccount(id="offices-two-windows"), nonce=new_nonce())
        draft = users.drafts.add("offices", payload, now_s=1)
    size = fresh_site.size
    first, second = visit("offices"), visit("offices")
    for page in (first, second):
        page.goto(f"/sign/{draft.id}")
    sign(first)
    sign(second)
    assert first.url == second.url
    assert entries_from(fresh_site, size) == ["book.account.open"]
    assert fresh_site.writer.store.get(ACCOUNTS, "offices-two-windows") is not None


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/devices/office-a/associate", "/devices/office-a"),
        ("/account/password", "/account"),
        ("/language", "/"),
        ("/devices/%E4%B8%AD%3F/confirm", "/devices/%E4%B8%AD%3F"),
    ],
)
def test_the_address_of_a_form_leads_to_its_page(site: Site, path: str, page: str) -> None:
    """As where a page that refused a form is loaded again."""
    with site.client("offices") as client:
        answer = client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
