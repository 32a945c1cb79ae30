"""Money in a real browser: on a phone in Chinese without JavaScript, and with charts that draw."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.support.chromium import Chromium, Opener
from tests.support.paths import fits, go_on, in_chinese, refused_at, sign
from tests.support.site import Site

from wattproof.settlement.wallet_queries import wallet_of


@pytest.fixture(scope="module")
def site(market: Site) -> Site:
    """The pages that `open_page` opens are those of the settled region."""
    return market


def test_from_the_bank_to_the_owner(browser: Chromium, site: Site) -> None:
    with in_chinese(browser, site) as page_of:
        bank = page_of("bank")
        bank.goto("/settlement/wallets")
        assert fits(bank)
        form = bank.locator("#top-up")
        form.get_by_label("表计").fill("office-a")
        form.get_by_label("数量").fill("12.345")
        form.get_by_role("button").click()
        refused_at(bank, "amount", "book.amount")
        bank.locator("#top-up").get_by_label("数量").fill("12.34")
        bank.locator("#top-up").get_by_role("button").click()
        bank.wait_for_url("**/sign/*")
        expect(bank.locator("main")).to_contain_text("12.34 元")
        before = wallet_of(site.writer.store, "office-a").held("CNY")
        bank.locator("main form button").last.click()
        bank.wait_for_url("**/ledger/transactions/*")
        assert wallet_of(site.writer.store, "office-a").held("CNY") == before + 1_234

        owner = page_of("offices")
        owner.goto("/my-electricity")
        assert fits(owner)
        owner.get_by_role("link", name=f"{(before + 1_234) / 100:,.2f}").click()
        expect(owner.locator("h1")).to_have_text("office-a 的钱包")
        expect(owner.locator("main")).to_contain_text("+12.34")
        assert fits(owner)


def test_a_tariff_is_published_from_one_that_is_there(open_page: Opener) -> None:
    grid = open_page("grid")
    grid.goto("/settlement/tariffs")
    grid.get_by_role("link", name="retail").click()
    grid.wait_for_selector("[data-chart][data-drawn]")
    grid.get_by_role("link", name="Publish new prices").click()
    expect(grid.locator("#f-price_3")).to_have_value("1.03")
    grid.locator("#f-price_3").fill("0.98765")
    grid.locator("#f-day").fill("2027-02-01")
    go_on(grid)
    sign(grid, "Publish a tariff", "08:00", "0.98765 CNY/kWh")
    grid.goto("/settlement/tariffs/CN-SH/prices/retail")
    expect(grid.get_by_role("table").last).to_contain_text("1 February 2027, 00:00")


def test_a_consumer_finds_out_why(open_page: Opener) -> None:
    steel = open_page("steel", size=(390, 844))
    steel.goto("/my-electricity")
    steel.get_by_role("link", name="31 January 2025").click()
    steel.wait_for_selector("[data-chart][data-drawn]")
    assert fits(steel)
    steel.get_by_role("link", name="wind-for-steel-2025").click()
    expect(steel.locator("main")).to_contain_text("the contract fixes a price")
