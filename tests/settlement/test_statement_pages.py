"""Statements on their pages: made, looked at, filed, made again, as files, on paper.

After the month's statement was filed, meters reported more of January that no run has settled.
"""

from __future__ import annotations

import html
import re
from hashlib import sha256

from playwright.sync_api import expect
from tests.support.chromium import PHONE, Opener
from tests.support.market import drafted, report, signed, text_of
from tests.support.site import Client, Site

from wattproof.core.units import format_amount
from wattproof.demo.region import REGION
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.settlement.model import OpenRun
from wattproof.settlement.queries import filed_statement, region_of
from wattproof.settlement.records import FiledStatement
from wattproof.settlement.runner import settle_region
from wattproof.settlement.statement_bundle import verify_file

ROOT = f"/settlement/regions/{REGION}"
PAGE = f"{ROOT}/statements"
JANUARY = "from=2025-01-01&to=2025-01-31"


def filed(market: Site, number: int = 1) -> FiledStatement:
    return filed_statement(market.writer.store, REGION, number)


def hidden(page: str) -> dict[str, str]:
    """What the form that files a statement carries."""
    form = page[page.index(f'action="{ROOT}/statement/file"') :].partition("</form>")[0]
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in fields if name != "csrf"}


def settle(market: Site, until_s: int) -> None:
    store, engine = market.writer.store, market.writer.engine
    settle_region(
        store, engine, region=REGION, key=market.key_of("grid"),
        ledger_id=market.writer.ledger_id, until_s=until_s,
    )  # fmt: skip


def submit(market: Site, body: Body) -> None:
    raw = sign_transaction(body, market.key_of("grid"), ledger_id=market.writer.ledger_id)
    market.writer.engine.submit(raw)


def download(client: Client, path: str) -> bytes:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    return answer.content


def test_a_filed_statement_comes_out_the_same(market: Site) -> None:
    one = filed(market)
    with market.client("citizen") as client:
        shown = text_of(client.page(PAGE))
        assert "Statement 1" in shown and "1 January 2025 – 31 January 2025" in shown
        page = client.page(f"{PAGE}/1")
    told = text_of(page)
    for words in (
        "Made again: the same.", one.digest.hex(), f"#{one.entry}", "31 January 2025",
        f"the first {one.entries} log entries", format_amount(one.net_wh, "Wh", "en"),
        "Net value × location-based factor", "Consumption, market-based",
        "exactly as much was settled as it reported",
        f"wattproof statement DIR {REGION} --check 1",
    ):  # fmt: skip
        assert words in told, words
    assert '<form method="post" action="/settlement' not in page


def test_its_files(market: Site) -> None:
    one = filed(market)
    with market.client("steel") as client:
        data = download(client, f"{PAGE}/1/statement.json")
        assert sha256(data).digest() == one.digest
        proofs = verify_file(download(client, f"{PAGE}/1/proofs.json"))
        assert proofs.ok, proofs
        rows = download(client, f"{PAGE}/1/rows.csv").decode().splitlines()
        assert len(rows) == 32
        assert rows[1].startswith("2025-01-01T00:00:00+08:00,2025-01-02T00:00:00+08:00,")
        differences = download(client, f"{PAGE}/1/differences.csv").decode().splitlines()
        assert len(differences) == 1
        assert "settlement.statement_file" in client.page(f"{PAGE}/1/other.pdf", 404)
        assert "settlement.statement_unknown" in client.page(f"{PAGE}/99", 404)
        assert "settlement.statement_unknown" in client.page(f"{PAGE}/99/rows.csv", 404)


def test_differences_are_told_to_those_who_see_meters(market: Site) -> None:
    path = f"{ROOT}/statement?by=month&{JANUARY}"
    with market.client("grid") as client:
        page = client.page(path)
        assert "Not filed" in text_of(page)
        assert 'href="/settlement/trades/works-total"' in page
        assert "not settled yet" in text_of(page)
        assert "The next run settles what waits" in text_of(page)
    with market.client("steel") as client:
        page = client.page(path)
        told = text_of(page)
        assert "Who settles the region, and those who see all, see which." in told
        assert "works-total" not in told and "Put it on the ledger" not in told
        lines = download(client, path.replace("statement?", "statement/rows.csv?")).decode()
        assert len(lines.splitlines()) == 2
    with market.client("registrar") as client:
        page = client.page(path)
        assert "works-total" in page and "Put it on the ledger" not in page


def test_one_is_looked_at_and_filed(market: Site) -> None:
    before = region_of(market.writer.store, REGION).statements
    with market.client("grid") as client:
        page = client.page(f"{ROOT}/statement?by=hour&from=2025-01-06&to=2025-01-08")
        report(market, "office-a", (1,))  # what comes after the look changes nothing of it
        digest = re.search(r"<code>([0-9a-f]{64})</code>", page)
        assert digest is not None
        draft = drafted(client, f"{ROOT}/statement/file", **hidden(page))
        told = text_of(client.page(draft))
        assert "File a settlement statement" in told and digest[1] in told
        number = before + 1
        assert client.form(draft).headers["location"] == f"{PAGE}/{number}"
        assert filed(market, number).digest.hex() == digest[1]
        again = text_of(client.page(f"{PAGE}/{number}"))
        assert "Made again: the same." in again and "works-total" in again
        assert f"Statement {number}" in text_of(client.page(PAGE))
        names = download(client, f"{PAGE}/{number}/differences.csv").decode()
        assert "works-total" in names
        assert verify_file(download(client, f"{PAGE}/{number}/proofs.json")).ok
    with market.client("steel") as client:
        assert "works-total" not in text_of(client.page(f"{PAGE}/{number}"))
        download(client, f"{PAGE}/{number}/rows.csv")
        for name in ("differences.csv", "statement.json", "proofs.json"):
            assert client.get(f"{PAGE}/{number}/{name}").status_code == 403, name


def test_what_was_settled_since_must_be_looked_at_again(market: Site) -> None:
    end_s = report(market, "office-a", (10,))
    with market.client("grid") as client:
        fields = hidden(client.page(f"{ROOT}/statement?{JANUARY}"))
        settle(market, end_s)
        answer = client.form(f"{ROOT}/statement/file", **fields)
        assert answer.status_code == 409 and "settlement.statement_behind" in answer.text
        fields = hidden(client.page(f"{ROOT}/statement?{JANUARY}"))
        assert client.form(f"{ROOT}/statement/file", **fields).status_code == 303
    with market.client("steel") as client:
        answer = client.form(f"{ROOT}/statement/file", **fields)
        assert answer.status_code == 403 and "identity.role.missing" in answer.text


def test_periods_that_no_statement_can_have(market: Site) -> None:
    with market.client("grid") as client:
        path = f"{ROOT}/statement"
        assert "settlement.step" in client.page(f"{path}?by=year", 400)
        assert "settlement.days" in client.page(f"{path}?from=2025-01-02&to=2025-01-01", 400)
        assert "core.time" in client.page(f"{path}?from=soon", 400)
        empty = text_of(client.page(f"{path}?from=2024-01-01&to=2024-01-01"))
        assert "Nothing was settled in this period." in empty
        bad = {"by": "day", "from": "2025-01-01", "to": "2025-01-02", "entries": "9" * 30}
        assert client.form(f"{path}/file", **bad).status_code in (400, 409)
        assert client.form(f"{path}/file", **{**bad, "entries": "x"}).status_code == 303


def test_a_region_that_was_never_settled_has_nothing_to_state(market: Site) -> None:
    with market.client("grid") as client:
        fields = {
            "region": "CN-ZJ", "money": "CNY", "offset_s": "+08:00", "tolerance_wh": "0",
            "location_factor": "cn-grid-2023-sh@1", "residual_factor": "cn-grid-2023-sh@1",
            "supply_tariff": "a", "consumption_tariff": "b",
        }  # fmt: skip
        signed(client, "/settlement/define", **fields)
        page = text_of(client.page("/settlement/regions/CN-ZJ/statements"))
        assert "Nothing to state yet" in page and "Make the statement" not in page
        made = text_of(client.page("/settlement/regions/CN-ZJ/statement"))
        assert "Nothing was settled in this period." in made
        submit(market, OpenRun(region="CN-ZJ", until_s=0))
        assert "This region has no prices yet" in client.page("/settlement/regions/CN-ZJ")
        prices = {"id": "a", "day": "2025-01-01", "hour": "00:00", "price_1": "0.4"}
        signed(client, "/settlement/tariffs/CN-ZJ/publish", **prices)
        shown = text_of(client.page("/settlement/regions/CN-ZJ"))
        assert "found no meter with hours" in shown


def test_on_paper_only_the_statement_is_left(market: Site, open_page: Opener) -> None:
    page = open_page("steel", url=market.url, lang="zh")
    page.goto(f"{PAGE}/1")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation").first).to_be_hidden()
    expect(page.get_by_role("link", name="下载各行（CSV）")).to_be_hidden()
    expect(page.locator("h2").first).to_have_text("上海市第 1 号结算单")
    for text in (filed(market).digest.hex(), f"--check {filed(market).number}"):
        expect(page.get_by_text(text)).to_be_visible()


def test_a_statement_from_the_form_to_the_ledger_on_a_phone(
    market: Site, open_page: Opener
) -> None:
    number = region_of(market.writer.store, REGION).statements + 1
    page = open_page("grid", url=market.url, size=PHONE)
    page.goto(PAGE)
    page.get_by_label("First day").fill("2025-01-20")
    page.get_by_label("Last day").fill("2025-01-21")
    page.get_by_label("Divided by").select_option("hour")
    page.get_by_role("button", name="Make the statement").click()
    table = page.get_by_role("region", name="By the hour")
    expect(table.get_by_role("row")).to_have_count(50)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.get_by_role("button", name="Put it on the ledger").click()
    page.get_by_role("button", name="Sign and submit").click()
    page.wait_for_url(f"**/statements/{number}")
    expect(page.locator("main")).to_contain_text("Made again: the same.")
