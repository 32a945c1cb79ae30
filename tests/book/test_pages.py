"""Accounts and assets in a real browser: who issues, who pays, who sees what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.support.chromium import Chromium, Opener
from tests.support.paths import fits, go_on, in_chinese, refused_at, sign
from tests.support.site import Site

from wattproof.book import queries
from wattproof.book.model import (
    DefineAsset,
    Issue,
    Movement,
    OpenAccount,
    SetOverdraft,
    Transfer,
)
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction


def submit(site: Site, *steps: tuple[Body, str]) -> None:
    """Transactions signed with the keys of these parties."""
    raws = [
        sign_transaction(body, site.key_of(party), ledger_id=site.writer.ledger_id)
        for body, party in steps
    ]
    for answer in site.writer.engine.submit_many(raws):
        assert isinstance(answer, Receipt), answer


def held(site: Site, account: str, asset: str) -> int:
    return queries.balance(site.writer.store, account=account, asset=asset)


def test_a_bank_defines_and_issues(site: Site, open_page: Opener) -> None:
    submit(site, (OpenAccount(id="offices-till"), "offices"))
    bank = open_page("bank")
    bank.get_by_role("link", name="Assets").click()
    bank.get_by_text("Define an asset").click()
    bank.get_by_label("Id").fill("cert:gold")
    bank.get_by_label("Kind").select_option("money")
    bank.get_by_label("Amounts are shown in").select_option("fen:2")
    go_on(bank)
    refused_at(bank, "id", "book.name_reserved")
    expect(bank.get_by_label("Kind")).to_have_value("money")
    bank.get_by_label("Id").fill("yuan-2")
    bank.get_by_label("Kind").select_option("energy")
    go_on(bank)
    refused_at(bank, "counted", "book.asset.unit")
    bank.get_by_label("Kind").select_option("money")
    go_on(bank)
    sign(bank, "Define an asset", "yuan-2")

    bank.goto("/assets/yuan-2")
    form = bank.locator("#issue")
    form.get_by_label("Into account").fill("no-such-till")
    form.get_by_label("Amount").fill("1,000.50")
    form.get_by_label("Memo").fill("first top-up")
    go_on(form)
    refused_at(form, "account", "book.account.unknown")
    expect(form.get_by_label("Memo")).to_have_value("first top-up")
    form.get_by_label("Into account").fill("offices-till")
    go_on(form)
    sign(bank, "offices-till", "1,000.50", "first top-up")
    assert held(site, "offices-till", "yuan-2") == 100_050
    bank.goto("/assets/yuan-2")
    bank.get_by_text("Set an overdraft limit").click()
    overdraft = bank.locator("#overdraft")
    overdraft.get_by_label("Account").fill("offices-till")
    overdraft.get_by_label("Limit").fill("200")
    go_on(overdraft)
    sign(bank, "offices-till", "200.00")


def test_an_enterprise_opens_an_account_and_pays(site: Site, open_page: Opener) -> None:
    steel = open_page("steel")
    steel.get_by_role("link", name="Accounts").click()
    steel.get_by_label("Id").fill("steel-till")
    go_on(steel)
    sign(steel, "Open an account", "steel-till")
    submit(
        site,
        (DefineAsset(id="yuan-3", kind="money", unit="fen", decimals=2), "bank"),
        (Issue(asset="yuan-3", account="steel-till", amount=100_050, memo="top-up"), "bank"),
        (SetOverdraft(account="steel-till", asset="yuan-3", limit=20_000), "bank"),
    )
    steel.goto("/accounts/steel-till")
    expect(steel.locator("main")).to_contain_text("200.00 CNY")
    pay = steel.locator("#transfer")
    pay.get_by_label("Amount").fill("1,200.501")
    pay.get_by_label("To account").fill("wind-farm-wallet")
    pay.get_by_label("Memo").fill("wind, February")
    go_on(pay)
    refused_at(pay, "amount", "book.amount")
    pay.get_by_label("Amount").fill("1,200.51")
    go_on(pay)
    refused_at(pay, "amount", "book.overdraft")
    expect(pay).to_contain_text("has 1,000.50 of yuan-3 and may be overdrawn by 200.00")
    expect(pay.get_by_label("To account")).to_have_value("wind-farm-wallet")
    pay.get_by_label("Amount").fill("1100")
    go_on(pay)
    size = site.size
    steel.wait_for_url("**/sign/*")
    expect(steel.locator("main")).to_contain_text("wind, February")
    steel.get_by_role("button", name="Sign and submit").dblclick()
    steel.wait_for_url("**/ledger/transactions/*")
    assert site.size == size + 1
    assert held(site, "steel-till", "yuan-3") == -9_950
    steel.goto("/accounts/steel-till")
    rows = steel.locator("table").last.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("wind-farm-wallet")
    expect(rows.nth(1)).to_contain_text("-1,100.00")
    expect(rows.nth(2)).to_contain_text("+1,000.50")
    rows.nth(1).get_by_role("link").click()
    expect(steel.locator("main")).to_contain_text("wind, February")


def test_an_owner_retires(site: Site, open_page: Opener) -> None:
    submit(
        site,
        (DefineAsset(id="offset-2", kind="offset", unit="g", decimals=6), "bank"),
        (OpenAccount(id="steel-offsets"), "steel-works"),
        (Issue(asset="offset-2", account="steel-offsets", amount=5_000_000), "bank"),
    )
    page = open_page("steel")
    page.goto("/accounts/steel-offsets")
    page.get_by_text("Retire", exact=True).click()
    form = page.locator("#retire")
    form.get_by_label("Amount").fill("1.25")
    form.get_by_label("Memo").fill("used in January")
    go_on(form)
    sign(page, "Retire", "used in January")
    page.goto("/assets")
    row = page.get_by_role("row").filter(has_text="offset-2")
    for figure in ("5.000000", "1.250000", "3.750000", "0.000000"):
        expect(row).to_contain_text(figure)
    expect(page.locator("main")).to_contain_text("nothing is counted twice")


def test_postings_by_the_page(site: Site, open_page: Opener) -> None:
    steps: list[tuple[Body, str]] = [
        (DefineAsset(id="points", kind="certificate", unit="pc"), "bank"),
        (OpenAccount(id="steel-points"), "steel-works"),
        (OpenAccount(id="office-points"), "offices"),
        (Issue(asset="points", account="steel-points", amount=10_000), "bank"),
    ]
    for amount in range(1, 65):
        part = Movement(
            source="steel-points", target="office-points", asset="points", amount=amount
        )
        steps.append((Transfer(movements=(part,), memo=f"number {amount}"), "steel-works"))
    submit(site, *steps)
    page = open_page("offices", java_script_enabled=False)
    page.goto("/accounts/office-points")
    seen: list[str] = []
    while True:
        seen += re.findall(r"number \d+", page.locator("main").inner_text())
        older = page.get_by_role("link", name="Older postings")
        if not older.count():
            break
        older.click()
    assert seen == [f"number {amount}" for amount in range(64, 0, -1)]
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("main")).to_contain_text("number 64")


def test_what_is_somebody_elses_is_not_told_from_what_is_not_there(site: Site) -> None:
    with site.client("steel") as client:
        answers = [client.get(f"/accounts/{name}") for name in ("wind-farm-wallet", "nothing-here")]
        forms = [
            client.form(f"/accounts/{name}/transfer", asset="CNY", amount="1", account="x")
            for name in ("wind-farm-wallet", "nothing-here")
        ]
        api = [
            client.get(f"/api/v1/accounts/{name}{more}")
            for name in ("wind-farm-wallet", "nothing-here")
            for more in ("", "/postings?asset=CNY")
        ]
        assert "wind-farm-wallet" not in client.page("/accounts")
        assert "wind-farm-wallet" not in client.page("/accounts?owner=wind-farm")
    assert [answer.status_code for answer in (*answers, *forms, *api)] == [403] * 8
    one, other = (
        answer.text.replace("wind-farm-wallet", "X").replace("nothing-here", "X")
        for answer in answers
    )
    assert one == other
    assert "320,000" not in one


def test_who_sees_everything(site: Site) -> None:
    with site.client("metering") as client:
        assert "wind-farm-wallet" in client.page("/accounts")
        mine = client.page("/accounts?owner=wind-farm")
        assert "wind-farm-wallet" in mine
        assert "steel-works-wallet" not in mine
        page = client.page("/accounts/wind-farm-wallet?asset=CNY")
        assert "January, wind power" in page
        assert 'id="transfer"' not in page
        assert "Who holds it" in client.page("/assets/CNY")


def test_only_issuers_issue(site: Site) -> None:
    with site.client("steel") as client:
        assert "Define an asset" not in client.page("/assets")
        page = client.page("/assets/CNY")
        assert "500,000.00" in page
        for secret in ("Who holds it", "What was issued", 'id="issue"', "wind-farm-wallet"):
            assert secret not in page
        answer = client.form("/assets/CNY/issue", account="steel-works-wallet", amount="1")
        assert (answer.status_code, "identity.role.missing" in answer.text) == (403, True)
        answer = client.form("/assets", id="mine", kind="money", counted="fen:2")
        assert (answer.status_code, "identity.role.missing" in answer.text) == (403, True)
    with site.client("bank") as client:
        page = client.page("/assets/CNY")
        assert "What was issued" in page
        assert "Who holds it" not in page


def test_forms_made_by_hand(site: Site) -> None:
    """What no browser would send is refused on the form, never a fault of ours."""
    with site.client("steel") as client:
        path = "/accounts/steel-works-wallet"
        for fields, code in (
            ({}, "console.field_needed"),
            ({"asset": "gold", "amount": "1", "account": "x"}, "book.asset.unknown"),
            ({"asset": "CNY", "amount": "1", "account": "x" * 300}, "core.id"),
            (
                {"asset": "CNY", "amount": "1", "account": "bank-x", "memo": "m" * 500},
                "console.field",
            ),
            (
                {"asset": "CNY", "amount": "1", "account": "steel-works-wallet"},
                "book.transfer.same_account",
            ),
        ):
            answer = client.form(f"{path}/transfer", **fields)
            assert 400 <= answer.status_code < 500, answer.text
            assert code in answer.text
            assert "Go on" in answer.text
        unknown = client.form(f"{path}/burn")
        assert (unknown.status_code, "book.no_action" in unknown.text) == (404, True)
        assert client.get(f"{path}?asset=CNY&start=0").status_code == 404
        assert client.get("/assets/gold").status_code == 404
    with site.client("bank") as client:
        for counted in ("", ":", "fen", "fen:", "fen:x", "fen:99", "Wh:2"):
            answer = client.form("/assets", id="odd", kind="energy", counted=counted)
            assert answer.status_code in (303, 400)


@pytest.mark.parametrize(
    ("login", "path", "words"),
    [
        ("steel", "/accounts", "开立账户"),
        ("steel", "/accounts/steel-works-wallet", "转账"),
        ("bank", "/assets", "流通中"),
        ("bank", "/assets/CNY", "发行记录"),
        ("metering", "/assets/CNY", "持有者"),
        ("metering", "/accounts", "所有者"),
    ],
)
def test_in_chinese_on_a_phone_without_javascript(
    pages_in_chinese: Callable[[str], Page], login: str, path: str, words: str
) -> None:
    page = pages_in_chinese(login)
    page.goto(path)
    expect(page.locator("main")).to_contain_text(words)
    assert fits(page), path


@pytest.fixture(scope="module")
def pages_in_chinese(browser: Chromium, site: Site) -> Iterator[Callable[[str], Page]]:
    with in_chinese(browser, site) as page_of:
        yield page_of
