"""The pages of errors: charts with their tables, lines, files, and reports put on the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.support.chromium import PHONE, Opener
from tests.support.site import Site, serving_a_copy
from tests.support.tracked import HOST, submit

from wattproof.emissions.tracking.model import REPORTS, THRESHOLDS, FileReport

TOTAL = "/tracking/errors/2"
DAY = "by=hour&from=2025-01-07&to=2025-01-08"


@pytest.fixture(scope="module")
def site(tracked_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving_a_copy(tracked_ledger, tmp_path_factory.mktemp("own") / "ledger") as site:
        yield site


def sign(page: Page) -> None:
    page.get_by_role("button", name="Sign and submit").click()
    page.wait_for_url("**/ledger/transactions/*")


def drawn(page: Page) -> None:
    for title in ("Left and right", "Error and lines"):
        chart = page.get_by_role("img", name=title)
        expect(chart).to_have_attribute("data-drawn", "true")


def test_all_bindings_with_their_errors(site: Site) -> None:
    with site.client("steel") as client:
        text = client.page("/tracking/errors")
    total, plan = text.index("2-10-11/12/13"), text.index("1-20-10")
    assert plan < total
    assert "64 kWh" in text[total:] and "0.56 %" in text[total:]
    assert "288 kWh" in text[plan:total] and "2.50 %" in text[plan:total]


def test_days_and_hours_of_a_binding(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto(TOTAL)
    drawn(page)
    table = page.get_by_role("region", name="The same in numbers")
    expect(table.get_by_role("row")).to_have_count(5)
    expect(table.get_by_role("row", name="7 Jan")).to_contain_text("0.83 %")
    expect(table.get_by_role("row", name="All of the period")).to_contain_text("64.000")
    expect(page.get_by_role("navigation", name="Period")).to_contain_text("January 2025")
    page.get_by_label("Show").select_option("hour")
    page.get_by_label("From").fill("2025-01-07")
    page.get_by_label("Up to").fill("2025-01-08")
    page.get_by_role("button", name="Show these").click()
    drawn(page)
    expect(table.get_by_role("row")).to_have_count(26)
    expect(table.get_by_role("row", name="10:00")).to_contain_text("32.000")
    expect(table.get_by_role("row", name="10:00")).to_contain_text("19.781")
    page.get_by_role("link", name="After").click()
    expect(table.get_by_role("row", name="23:00")).to_contain_text("20.00 %")


def test_each_set_of_lines_has_a_report_of_its_own(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto(f"{TOTAL}?{DAY}")
    page.get_by_role("link", name="Set 1").click()
    table = page.get_by_role("region", name="Rows that reach a line of set 1")
    expect(table.get_by_role("row")).to_have_count(3)
    expect(table.get_by_role("row", name="10:00")).to_contain_text("line 1")
    drawn(page)
    page.goto(f"{TOTAL}?by=day&set=1")
    expect(page.get_by_text("Of 3 rows none reaches a line of this set.")).to_be_visible()


def test_a_period_without_readings(site: Site) -> None:
    with site.client("steel") as client:
        assert "No readings in this period" in client.page(f"{TOTAL}?from=2020-01-01&to=2020-02-01")
        assert "emissions.error_period" in client.page(
            f"{TOTAL}?from=2025-02-01&to=2025-01-01", 400
        )
        assert "core.time" in client.page(f"{TOTAL}?from=tomorrow", 400)
        assert "emissions.binding_unknown" in client.page("/tracking/errors/7", 404)
        assert "emissions.threshold_unknown" in client.page(f"{TOTAL}?set=9", 404)
        assert "gateway.request" in client.page(f"{TOTAL}?by=week", 400)


def test_the_file_has_the_same_rows(site: Site) -> None:
    with site.client("steel") as client:
        answer = client.get(f"{TOTAL}/rows.csv?{DAY}")
        assert answer.headers["content-type"].startswith("text/csv")
        lines = answer.text.splitlines()
        assert len(lines) == 25 and lines[0].startswith("begins,ends,left,right,error,unit")
        assert lines[11].startswith(
            "2025-01-07T10:00:00+08:00,2025-01-07T11:00:00+08:00,160000,128000,32000,Wh,2000,"
        )
        assert len(client.get(f"{TOTAL}/rows.csv?{DAY}&set=2").text.splitlines()) == 2


def test_lines_are_set_and_removed(open_page: Opener, site: Site) -> None:
    page = open_page("steel", size=PHONE)
    page.goto(f"{TOTAL}/lines")
    expect(page.get_by_label("Set", exact=False).first).to_have_value("3")
    page.get_by_label("Lines").fill("5 %; 3 kg")
    page.get_by_role("button", name="Go on: see what will be signed").click()
    expect(page.locator("#w-lines")).to_contain_text("core.unit_mismatch")
    page.get_by_label("Lines").fill("5 %; 2.5 kWh")
    page.get_by_label("Window", exact=True).select_option("86400")
    page.get_by_label("Windows begin at").fill("08:00")
    page.get_by_role("button", name="Go on: see what will be signed").click()
    expect(page.locator("main")).to_contain_text("2,500")
    sign(page)
    found = site.writer.store.get(THRESHOLDS, HOST, 2, 3)
    assert found is not None and (found.step_s, found.offset_s) == (86_400, 0)
    page.goto(TOTAL)
    sets = page.get_by_role("region", name="Sets of lines")
    expect(sets.get_by_role("row", name="Set 3")).to_contain_text("from 08:00 on")
    page.get_by_role("button", name="Remove Set 3").click()
    sign(page)
    assert site.writer.store.get(THRESHOLDS, HOST, 2, 3) is None


def test_a_report_is_filed_and_comes_out_the_same(open_page: Opener, site: Site) -> None:
    page = open_page("steel")
    page.goto(f"{TOTAL}?{DAY}&set=1")
    page.get_by_role("button", name="Put it on the ledger").click()
    expect(page.locator("main")).to_contain_text("File an error report")
    sign(page)
    page.goto("/tracking/reports")
    page.get_by_role("link", name="Report 1").click()
    expect(page.get_by_role("status")).to_contain_text("The same.")
    expect(page.get_by_role("region", name="The same in numbers")).to_contain_text("32.000")
    filed = site.writer.store.get(REPORTS, HOST, 1)
    assert filed is not None and filed.rows == 1
    expect(page.get_by_text(filed.digest.hex())).to_have_count(2)
    with site.client("registrar") as client:
        assert "The same." in client.page(f"/tracking/reports/1?host={HOST}")


def test_a_report_that_is_not_the_same_is_said_to_be_so(site: Site) -> None:
    filed = site.writer.store.get(REPORTS, HOST, 1)
    assert filed is not None
    false = FileReport(
        host=HOST, group=2, set=0, step="hour", from_s=filed.from_s, to_s=filed.to_s,
        zone=filed.zone, entries=filed.entries, rows=24, digest=bytes(32),
    )  # fmt: skip
    submit(site.writer, [(false, site.key_of(HOST))])
    with site.client("steel") as client:
        text = client.page("/tracking/reports/2")
        assert "Not the same." in text and "alert-danger" in text
        assert "emissions.report_unknown" in client.page("/tracking/reports/9", 404)


def test_who_may_file(site: Site) -> None:
    fields = {"host": HOST, "by": "day", "from": "", "to": "", "set": "0"}
    with site.client("registrar") as client:
        assert client.form(f"{TOTAL}/file", **fields).status_code == 303
    with site.client("metering") as client:
        text = client.page(f"{TOTAL}?host={HOST}")
        assert "Put it on the ledger" not in text and "Set lines" not in text
        assert "emissions.report_host" in client.form(f"{TOTAL}/file", **fields).text
    with site.client("bank") as client:
        assert "gateway.not_yours" in client.form(f"{TOTAL}/file", **fields).text


def test_a_page_on_paper(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto(f"{TOTAL}?{DAY}")
    drawn(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Error report 2-10-11/12/13")).to_be_visible()
    expect(page.get_by_role("button", name="Show these")).to_be_hidden()
    expect(page.get_by_role("link", name="Notices")).to_be_hidden()
    expect(page.get_by_role("region", name="The same in numbers")).to_be_visible()
