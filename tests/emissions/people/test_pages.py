"""A person's day in a real browser: from the first visit to the history, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.support.chromium import PHONE, Chromium, Opener, sign_in
from tests.support.citizens import (
    active_node,
    citizen,
    citizen_with_node,
    declare,
    key_of_citizen,
    submit,
)
from tests.support.paths import fits, go_on, refused_at, sign
from tests.support.site import PASSWORD, Site

from wattproof.console.visitor import now_s
from wattproof.emissions.people.day import last_over
from wattproof.emissions.people.details import DETAILS_FILE
from wattproof.emissions.people.own_node import own_node
from wattproof.identity.model import AuthenticateDevice
from wattproof.keys.ed25519 import SigningKey

ZONE = "Asia/Shanghai"


def yesterday() -> date:
    return last_over(now_s(), ZONE)


@pytest.fixture
def phone(fresh_site: Site, browser: Chromium) -> Iterator[Page]:
    watched = browser.open(fresh_site.url, size=PHONE)
    yield watched.page
    watched.close()


@pytest.fixture
def plain_phone(fresh_site: Site, browser: Chromium) -> Iterator[Page]:
    """A phone in Chinese, without JavaScript."""
    watched = browser.open(fresh_site.url, size=PHONE, locale="zh-CN", java_script_enabled=False)
    yield watched.page
    watched.close()


def test_from_the_first_visit_to_a_declared_day(fresh_site: Site, phone: Page) -> None:
    key = citizen(fresh_site, "lin")
    sign_in(phone, "lin", PASSWORD)
    phone.get_by_role("link", name="My day").click()
    expect(phone.locator("#steps .active")).to_contain_text("Enrol your node")
    assert fits(phone)
    go_on(phone)
    sign(phone, "key of your own node", "declared", "lin")

    phone.goto("/my-day")
    node = own_node(fresh_site.writer.store, key)
    expect(phone.locator("#steps .active")).to_contain_text(node.id)
    expect(phone.locator("#steps .active")).to_contain_text("never that what you will declare")
    submit(
        fresh_site,
        AuthenticateDevice(device=node.id, evidence=bytes(32)),
        fresh_site.key_of("metering"),
    )
    phone.goto("/my-day")
    go_on(phone)
    sign(phone, "Confirm the rights to a device", node.id)

    phone.goto("/my-day")
    expect(phone.get_by_label("Day", exact=True)).to_have_value(yesterday().isoformat())
    phone.get_by_label("Car, petrol").fill("12.5")
    expect(phone.locator("#total")).to_have_text("2.034 kg")
    phone.get_by_text("Food bought").click()
    phone.get_by_label("Beef").fill("300 g")
    expect(phone.locator("#total")).to_have_text("31.878 kg")
    expect(phone.locator("#sum")).to_contain_text("29.844 kg of it from unconfirmed factors")
    assert fits(phone)
    phone.get_by_label("Beef").fill("300 apples")
    expect(phone.locator("#sum")).to_contain_text("apples does not fit here")
    go_on(phone)
    refused_at(phone, "a-beef", "people.unit")
    phone.get_by_label("Beef").fill("300 g")
    go_on(phone)
    sign(phone, "Report readings", "31.878 kg", "read and typed by a person")

    stream = own_node(fresh_site.writer.store, key).stream
    assert stream is not None and (stream.total, stream.readings) == (31_878, 1)
    raw = b"".join(fresh_site.writer.store.entry(i).leaf for i in range(fresh_site.size))
    assert b"beef" not in raw and b"car-petrol" not in raw

    phone.goto("/my-day/days")
    expect(phone.locator("#history li").first).to_contain_text(yesterday().isoformat())
    expect(phone.locator(".chart[data-drawn]")).to_be_visible()
    phone.locator("#history summary").click()
    expect(phone.locator("#history")).to_contain_text("Beef: 0.3 kg")
    assert fits(phone)


def test_a_day_is_declared_once_and_in_order(fresh_site: Site) -> None:
    key = citizen_with_node(fresh_site, "lin")
    declare(fresh_site, key, yesterday() - timedelta(days=3), 4_000)
    with fresh_site.client("lin") as client:
        for ago, code in ((3, "people.day_declared"), (4, "people.day_declared"),
                          (-1, "people.day_future"), (0, "people.day_future")):  # fmt: skip
            day = yesterday() - timedelta(days=ago) + timedelta(days=1 if ago <= 0 else 0)
            fields = {"day": day.isoformat(), "a-car": "10", "do": "declare"}
            answer = client.form("/my-day", **fields)
            assert answer.status_code == 409 and code in answer.text, day
        answer = client.form("/my-day", day=yesterday().isoformat(), do="declare")
        assert answer.status_code == 400 and "people.nothing" in answer.text
        answer = client.form("/my-day", **{"day": yesterday().isoformat(), "a-car": "10"})
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign/")
        draft = answer.headers["location"]
        declare(fresh_site, key, yesterday(), 1)
        answer = client.form(draft)
        assert "metering.conflict" in answer.text, "the ledger has the last word"


def test_in_chinese_and_without_javascript(fresh_site: Site, plain_phone: Page) -> None:
    key = citizen_with_node(fresh_site, "lin")
    declare(fresh_site, key, yesterday() - timedelta(days=2), 4_321)
    page = plain_phone
    sign_in(page, "lin", PASSWORD)
    page.goto("/my-day")
    page.get_by_label("汽油车", exact=True).fill("12.5 公里")
    page.get_by_role("button", name="只计算合计").click()
    expect(page.locator("#total")).to_have_text("2.034 千克")
    expect(page.get_by_label("汽油车", exact=True)).to_have_value("12.5 公里")
    page.get_by_text("饮食", exact=True).click()
    page.get_by_label("纯素食").check()
    assert fits(page)
    page.get_by_role("button", name="继续").click()
    page.wait_for_url("**/sign/*")
    expect(page.locator("main")).to_contain_text("4.924 千克")
    page.locator("main form button").click()
    page.wait_for_url("**/ledger/transactions/*")
    page.goto("/my-day/days")
    assert page.locator("#history li").count() >= 2
    expect(page.locator("#history")).to_contain_text("明细未保留")
    page.locator("#history summary").click()
    expect(page.locator("#history")).to_contain_text("纯素食")
    assert fits(page)
    page.get_by_label("删除我各日的明细").check()
    page.get_by_role("button", name="删除我的明细").click()
    expect(page.locator("#history")).not_to_contain_text("纯素食")
    expect(page.locator("#history")).to_contain_text("4.924 千克")


def test_nobody_sees_anothers_days(fresh_site: Site) -> None:
    lin = citizen_with_node(fresh_site, "lin")
    citizen_with_node(fresh_site, "chen")
    with fresh_site.client("lin") as client:
        fields = {"day": yesterday().isoformat(), "a-car": "77", "keep": "yes", "do": "declare"}
        draft = client.form("/my-day", **fields).headers["location"]
        entry = client.form(draft).headers["location"]
        assert "77 km" in client.page("/my-day/days")
    device = own_node(fresh_site.writer.store, lin).id
    with fresh_site.client("chen") as other:
        assert "77 km" not in other.page("/my-day/days")
        assert other.get(draft).status_code == 404
        for path in (entry, f"/devices/{device}", f"/meters/{device}"):
            assert other.get(path).status_code == 403, path
        other.form("/my-day/forget", sure="yes")
    with fresh_site.client("lin") as client:
        assert "77 km" in client.page("/my-day/days"), "chen forgot chen's own"
    with fresh_site.client("registrar") as authority:
        assert authority.get("/my-day/days").status_code == 403


def test_details_of_what_was_never_signed_are_not_shown(fresh_site: Site) -> None:
    key = citizen_with_node(fresh_site, "lin")
    with fresh_site.client("lin") as client:
        fields = {"day": yesterday().isoformat(), "a-car": "77", "keep": "yes", "do": "declare"}
        assert client.form("/my-day", **fields).status_code == 303
        declare(fresh_site, key, yesterday(), 5)
        assert "77 km" not in client.page("/my-day/days")


def test_details_are_kept_only_where_that_is_wanted(fresh_site: Site) -> None:
    citizen_with_node(fresh_site, "lin")
    path: Path = fresh_site.folder.path / DETAILS_FILE
    with fresh_site.client("lin") as client:
        fields = {"day": yesterday().isoformat(), "a-car": "77", "do": "declare"}
        assert client.form("/my-day", **fields).status_code == 303
        assert not path.exists()
        assert client.form("/my-day/forget").status_code == 409


def test_who_cannot_declare_is_told_why(fresh_site: Site) -> None:
    citizen(fresh_site, "own", keeps_key=False)
    with fresh_site.client("steel") as client:
        assert "is no person on this ledger" in client.page("/my-day")
        assert client.form("/my-day/node").status_code == 403
    with fresh_site.client("own") as client:
        assert "your node follows from it" in client.page("/my-day")
        assert client.form("/my-day/node").status_code == 409
    citizen(fresh_site, "new")
    with fresh_site.client("new") as client:
        assert "people.node_waiting" in client.form("/my-day", **{"a-car": "1"}).text
        client.page("/my-day/days")
    with fresh_site.client() as stranger:
        assert stranger.get("/my-day").status_code in (200, 303, 401)
        assert stranger.get("/my-day/days").status_code != 200


def test_a_form_of_another_site_is_refused(fresh_site: Site) -> None:
    citizen_with_node(fresh_site, "lin")
    with fresh_site.client("lin") as client:
        for path in ("/my-day", "/my-day/sum", "/my-day/node", "/my-day/confirm", "/my-day/forget"):
            assert client.post(path, data={"csrf": "x"}).status_code == 403, path


def test_after_a_change_of_key_the_earlier_days_stand(fresh_site: Site) -> None:
    """Another node follows from the new key; days go on in order over both."""
    citizen_with_node(fresh_site, "lin")
    earlier = SigningKey.generate()
    active_node(fresh_site, earlier, owner="lin", owner_key=key_of_citizen("lin"))
    declare(fresh_site, earlier, yesterday() - timedelta(days=1), 4_321)
    with fresh_site.client("lin") as client:
        assert "4.321 kg" in client.page("/my-day/days")
        day = yesterday() - timedelta(days=1)
        answer = client.form("/my-day", **{"day": day.isoformat(), "a-car": "1", "do": "declare"})
        assert "people.day_declared" in answer.text
        day = yesterday()
        answer = client.form("/my-day", **{"day": day.isoformat(), "a-car": "1", "do": "declare"})
        assert answer.status_code == 303


def test_everybody_can_read_them_dark_and_light(fresh_site: Site, open_page: Opener) -> None:
    """axe-core finds nothing serious on the form, filled in, and on the history."""
    key = citizen_with_node(fresh_site, "lin")
    declare(fresh_site, key, yesterday() - timedelta(days=1), 4_321)
    page = open_page(url=fresh_site.url)
    sign_in(page, "lin", PASSWORD)
    for look in ("Dark", "Light"):
        page.get_by_role("button", name=look).click()
        for path in ("/my-day", "/my-day/days"):
            page.goto(path)
            if path == "/my-day":
                page.get_by_label("Car, petrol").fill("12")
                page.get_by_text("Food bought").click()
                page.get_by_label("Beef").fill("1")
                expect(page.locator("#sum")).to_contain_text("unconfirmed")
            page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")
            assert fits(page)
            found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
            faults = [one for one in found if one["impact"] in ("serious", "critical")]
            assert not faults, [(one["id"], one["nodes"][0]["html"]) for one in faults]
