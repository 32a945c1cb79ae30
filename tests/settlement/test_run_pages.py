"""Runs on their pages: begun in words, settled in the background, gone on with, stopped by a price.

The tests of this file share one site and follow each other: each reports hours of its own.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from litestar.di import Provide
from playwright.sync_api import expect
from tests.support.chromium import Opener
from tests.support.gate import Gate
from tests.support.market import drafted, refused, report, signed, text_of, usage_of
from tests.support.site import PASSWORD, Client, Site, serving_a_copy

from wattproof.demo.region import REGION
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.settlement.local_time import iso_local
from wattproof.settlement.model import HOUR_S, AssignTariff, OpenRun
from wattproof.settlement.queries import region_of, run_of
from wattproof.settlement.records import Run
from wattproof.settlement.run_work import RunWork

PAGE = f"/settlement/regions/{REGION}/runs"
OFFSET_S = 8 * HOUR_S


def until(at_s: int) -> dict[str, str]:
    """The form's fields for an instant."""
    local = iso_local(at_s, OFFSET_S)
    return {"day": local[:10], "hour": local[11:16]}


def submit(market: Site, body: Body, by: str = "grid") -> None:
    raw = sign_transaction(body, market.key_of(by), ledger_id=market.writer.ledger_id)
    market.writer.engine.submit(raw)


def over(client: Client, number: int) -> str:
    """The page of a run as soon as nobody is at work on it."""
    for _ in range(200):
        page = client.page(f"{PAGE}/{number}")
        if 'id="progress"' not in page:
            return page
        time.sleep(0.05)
    raise AssertionError(f"run {number} does not end")


def newest(market: Site) -> Run:
    store = market.writer.store
    return run_of(store, REGION, region_of(store, REGION).runs)


def test_runs_that_are_over_are_read_by_every_reader(market: Site) -> None:
    run = run_of(market.writer.store, REGION, 1)
    with market.client("steel") as client:
        shown = client.page(PAGE)
        one = text_of(client.page(f"{PAGE}/1"))
        assert "settlement.run_unknown" in client.page(f"{PAGE}/99", 404)
    assert '<form method="post">' not in shown and "Run 2" in text_of(shown)
    for words in ("finished", "1 February 2025, 00:00", f"#{run.opened_entry}", "620,333.14 CNY"):
        assert words in one


def test_a_run_is_begun_in_words_and_settles_what_waits(market: Site) -> None:
    store = market.writer.store
    before, settled_wh = newest(market).number, usage_of(store, "office-a").settled_wh
    end_s = report(market, "office-a", (1_000, 2_000))
    with market.client("grid") as client:
        draft = drafted(client, PAGE, **until(end_s))
        told = text_of(client.page(draft))
        assert "Open a settlement run" in told and "2025" in told
        assert newest(market).number == before
        answer = client.form(draft)
        assert answer.headers["location"] == f"{PAGE}/{before + 1}"
        page = text_of(over(client, before + 1))
    run = newest(market)
    assert run.state == "closed" and "What it came to" in page
    assert usage_of(store, "office-a").settled_wh == settled_wh + 3_000
    with market.client("grid") as client:  # signed again, the draft leads to its entry
        assert client.form(draft).headers["location"].startswith("/ledger/transactions/")
    assert newest(market) == run


def test_what_cannot_be_settled_is_refused_in_the_form(market: Site) -> None:
    settled_s = region_of(market.writer.store, REGION).settled_s
    with market.client("grid") as client:
        refused(client.form(PAGE, **until(settled_s)), "day", "settlement.nothing_waits")
        refused(client.form(PAGE, **until(2_524_608_000)), "day", "settlement.run_ahead")
        refused(client.form(PAGE, day="", hour="00:00"), "day", "console.field_needed")
        refused(client.form(PAGE, day="2025-02-01", hour="x"), "hour", "core.time")
    with market.client("steel") as client:
        assert client.form(PAGE, **until(settled_s)).status_code == 403
        assert client.post(PAGE, data={"csrf": "no"}).status_code == 403


def test_a_run_that_was_only_opened_is_gone_on_with(market: Site) -> None:
    end_s = report(market, "office-a", (500,))
    submit(market, OpenRun(region=REGION, until_s=end_s))
    number = newest(market).number
    with market.client("steel") as client:
        page = client.page(f"{PAGE}/{number}")
        assert "The run is not over yet." in page and "go-on" not in page
        assert client.form(f"{PAGE}/{number}/go-on").status_code == 403
        assert newest(market).state == "open"
    with market.client("grid") as client:
        assert f"Run {number} is open" in text_of(client.page(PAGE))
        assert "Go on with it" in client.page(f"{PAGE}/{number}")
        assert client.form(f"{PAGE}/{number}/go-on").headers["location"] == f"{PAGE}/{number}"
        assert "finished" in text_of(over(client, number))
        size = market.size
        assert client.form(f"{PAGE}/{number}/go-on").status_code == 303
        assert market.size == size
    assert newest(market).consumed_wh == 500


def test_another_start_goes_on_with_the_run_that_is_open(market: Site) -> None:
    end_s = report(market, "office-a", (700,))
    submit(market, OpenRun(region=REGION, until_s=end_s))
    number = newest(market).number
    with market.client("grid") as client:
        assert client.form(PAGE, **until(end_s)).headers["location"] == f"{PAGE}/{number}"
        over(client, number)
    assert (newest(market).number, newest(market).state) == (number, "closed")


def test_a_meter_without_a_price_is_named_and_settled_when_it_has_one(market: Site) -> None:
    end_s = report(market, "office-a", (800,))
    fields = {"id": "later", "day": "2030-01-01", "hour": "00:00", "price_1": "0.5"}
    with market.client("grid") as client:
        signed(client, f"/settlement/tariffs/{REGION}/publish", **fields)
        submit(market, AssignTariff(device="office-a", tariff="later"))
        submit(market, OpenRun(region=REGION, until_s=end_s))
        number = newest(market).number
        client.form(f"{PAGE}/{number}/go-on")
        page = text_of(over(client, number))
        for words in ("1 meter was left out", "office-a", "then settle again"):
            assert words in page
        with market.client("steel") as other:
            shown = text_of(other.page(f"{PAGE}/{number}"))
            assert "1 meter was left out" in shown and "office-a" not in shown
        submit(market, AssignTariff(device="office-a", tariff=""))
        client.form(drafted(client, PAGE, **until(end_s)))
        number = newest(market).number
        page = text_of(over(client, number))
        assert "finished" in page and "left out" not in page


@pytest.fixture
def own_key(market: Site) -> str:
    """An account of the grid company's whose key is kept elsewhere."""
    with market.users() as users:
        users.add("outside", password=PASSWORD, party="grid", lang="en", key=None)
    return "outside"


def test_who_keeps_the_key_elsewhere_is_told_the_command(market: Site, own_key: str) -> None:
    end_s = report(market, "office-a", (900,))
    with market.client(own_key) as client:
        page = text_of(client.page(PAGE))
        assert "wattproof settle DIR CN-SH --until" in page and "--as grid" in page
        refused(client.form(PAGE, **until(end_s)), "", "settlement.own_key")
        submit(market, OpenRun(region=REGION, until_s=end_s))
        number = newest(market).number
        local = iso_local(end_s, OFFSET_S)[:16]
        assert f"--until {local} --as grid" in client.page(f"{PAGE}/{number}")
        answer = client.form(f"{PAGE}/{number}/go-on")
        assert answer.status_code == 409 and "settlement.own_key" in answer.text
    with market.client("grid") as client:
        client.form(f"{PAGE}/{number}/go-on")
        over(client, number)


def test_a_run_from_the_form_to_its_end_in_a_browser(market: Site, open_page: Opener) -> None:
    end_s = report(market, "office-a", (1_100,))
    page = open_page("grid", url=market.url)
    page.goto(PAGE)
    page.get_by_label("Hours that end up to").fill(until(end_s)["day"])
    page.get_by_label("Hour of the day").select_option(until(end_s)["hour"])
    page.get_by_role("button", name="Go on: see what will be signed").click()
    page.get_by_role("button", name="Sign and submit").click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_role("region", name="What it came to")).to_contain_text("1.1 kWh")
    expect(page.locator("main")).to_contain_text("finished")


def run_work(market: Site) -> RunWork:
    """The site's own."""
    found = market.app.dependencies["run_work"]
    assert isinstance(found, Provide)
    work = found.dependency()
    assert isinstance(work, RunWork)
    return work


def test_a_page_moves_by_itself_until_the_run_is_over(market: Site, open_page: Opener) -> None:
    end_s = report(market, "office-a", (1_200,))
    work = run_work(market)
    engine, gate = work._engine, Gate(work._engine)
    work._engine = gate
    try:
        with market.client("grid") as client:
            path = client.form(drafted(client, PAGE, **until(end_s))).headers["location"]
        page = open_page("grid", url=market.url)
        plain = open_page("steel", url=market.url, java_script_enabled=False)
        page.goto(path)
        expect(page.get_by_role("status")).to_contain_text("meters are settled")
        plain.goto(path)
        expect(plain.get_by_role("progressbar")).to_be_visible()
        assert "at work" in plain.locator("dl").inner_text()
        page.goto(PAGE)
        expect(page.locator("main")).to_contain_text("is at work.")
        page.goto(path)
        gate.allowed.release(2)
        expect(page.get_by_role("region", name="What it came to")).to_contain_text("1.2 kWh")
        expect(page.locator("dl")).to_contain_text("finished")
        expect(plain.locator("dl")).to_contain_text("finished")  # it is loaded anew by itself
    finally:
        gate.allowed.release(10)
        work._engine = engine


def test_a_node_that_was_stopped_in_the_middle_goes_on_when_it_is_told_to(
    settled_ledger: Path, tmp_path: Path
) -> None:
    with serving_a_copy(settled_ledger, tmp_path / "ledger") as site:
        settled_wh = usage_of(site.writer.store, "office-a").settled_wh
        end_s = report(site, "office-a", (1_300,))
        work = run_work(site)
        work._engine = gate = Gate(work._engine)
        with site.client("grid") as client:
            path = client.form(drafted(client, PAGE, **until(end_s))).headers["location"]
        number = newest(site).number
        letting_through = threading.Timer(0.5, gate.allowed.release)
        letting_through.start()
        site.stop()  # its batch is let through meanwhile
        letting_through.join()
        site.start()
        assert (newest(site).state, newest(site).batches) == ("open", 1)
        with site.client("grid") as client:
            assert "it was interrupted" in text_of(client.page(path))
            client.form(f"{path}/go-on")
            assert "finished" in text_of(over(client, number))
        assert usage_of(site.writer.store, "office-a").settled_wh == settled_wh + 1_300
        assert newest(site).batches == 1


def test_the_moving_part_asks_for_the_page_when_the_run_is_over(market: Site) -> None:
    with market.client("steel") as client:
        answer = client.get(f"{PAGE}/1/progress")
        assert (answer.status_code, answer.headers["hx-refresh"]) == (200, "true")
        assert client.get(f"{PAGE}/1/go-on").headers["location"] == f"{PAGE}/1"
