"""The pages of regions: who sees what of them, the figures of a period, and the form."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from playwright.sync_api import expect
from tests.support.chromium import PHONE, Opener
from tests.support.market import refused, signed, text_of
from tests.support.site import Site

from wattproof.core.units import format_amount
from wattproof.demo.market import END_S
from wattproof.demo.region import REGION, START_S
from wattproof.settlement.model import DAY_S
from wattproof.settlement.queries import region_of, sums_of
from wattproof.settlement.region_value import value_of

PAGE = f"/settlement/regions/{REGION}"
FORM = {
    "region": "CN-JS", "money": "CNY", "offset_s": "+08:00", "tolerance_wh": "1,000",
    "location_factor": "cn-grid-2023-js@1",
    "residual_factor": "cn-grid-2023-national-residual@1",
    "supply_tariff": "buy", "consumption_tariff": "sell",
}  # fmt: skip


def charts(page: str) -> list[dict[str, Any]]:
    """What the page's charts are drawn from."""
    return [json.loads(html.unescape(one)) for one in re.findall(r"data-chart='([^']+)'", page)]


def test_regions_with_the_value_of_all_that_was_settled(market: Site) -> None:
    sums = sums_of(market.writer.store, REGION)
    with market.client("steel") as client:
        shown = text_of(client.page("/settlement"))
        assert "Define a region" not in shown
    for words in ("Shanghai", "grid", "positive", format_amount(sums.net_wh, "Wh", "en")):
        assert words in shown


def test_a_month_by_the_day(market: Site) -> None:
    value = value_of(market.writer.store, REGION, START_S, END_S)
    with market.client("citizen") as client:
        page = client.page(PAGE)
    shown = text_of(page)
    assert "January 2025" in shown
    assert "The region supplied more than it consumed." in shown
    assert format_amount(value.sums.net_wh, "Wh", "en") in shown
    for grams in (value.net_emission_g, value.location_based_g, value.market_based_g):
        assert format_amount(grams, "g", "en") in page
    assert page.count('href="/factors/cn-grid-2023-sh"') == 2
    assert 'href="/factors/cn-grid-2023-national-residual"' in page
    drawn = charts(page)[0]
    assert len(drawn["x"]) == 31
    assert [line["name"] for line in drawn["series"]] == ["supplied", "consumed", "net"]
    assert round(sum(drawn["series"][2]["values"]) * 1000) == value.sums.net_wh


def test_hours_months_and_other_periods(market: Site) -> None:
    day = sums_of(market.writer.store, REGION, START_S, START_S + DAY_S)
    with market.client("grid") as client:
        hours = client.page(f"{PAGE}?by=hour&from=2025-01-01&to=2025-01-01")
        months = client.page(f"{PAGE}?by=month")
        some = client.page(f"{PAGE}?by=hour&from=2025-01-01&to=2025-01-02")
        none = text_of(client.page(f"{PAGE}?from=2024-12-30&to=2024-12-31"))
        before = re.search(r'rel="prev" href="([^"]+)"', hours)
        assert before is not None
        earlier = text_of(client.page(html.unescape(before[1])))
    assert "1 January 2025" in text_of(hours)
    assert len(charts(hours)[0]["x"]) == 24
    assert charts(hours)[0]["x"][8] == "08:00"
    assert round(sum(charts(hours)[0]["series"][0]["values"]) * 1000) == day.supplied_wh
    assert len(charts(months)[0]["x"]) == 12
    assert charts(months)[0]["series"][0]["values"][1] is None
    assert charts(some)[0]["x"][25] == "2 Jan 01:00"
    assert "Nothing was settled in this period" in none
    assert "31 December 2024" in earlier


def test_periods_that_are_none(market: Site) -> None:
    with market.client("grid") as client:
        assert "settlement.days" in client.page(f"{PAGE}?from=2025-01-02&to=2025-01-01", 400)
        assert "settlement.days" in client.page(f"{PAGE}?from=2000-01-01&to=2025-01-01", 400)
        assert "core.time" in client.page(f"{PAGE}?from=tomorrow", 400)
        assert "gateway.request" in client.page(f"{PAGE}?by=week", 400)
        assert "settlement.region_unknown" in client.page("/settlement/regions/CN-BJ", 404)
        client.page(f"{PAGE}?from=1970-01-02&to=1970-01-02")
        client.page(f"{PAGE}?by=month&from=1970-01-02&to=1970-01-02")


def test_flows_name_others_only_to_those_who_see_them(market: Site) -> None:
    sums = sums_of(market.writer.store, REGION, START_S, END_S)
    with market.client("grid") as client:
        every = client.page(PAGE)
    with market.client("steel") as client:
        own = client.page(PAGE)
    flows, mine = charts(every)[1], charts(own)[1]
    assert flows["kind"] == "sankey"
    names = {node["label"] for node in flows["nodes"]}
    assert {"wind-farm", "solar-park", "steel-works", "offices", "bakery"} < names
    assert {node["label"] for node in mine["nodes"]} == {
        "2 others", "the pool", "steel-works", "3 others", "outside the region",
    }  # fmt: skip
    assert "wind-farm" not in text_of(own) and "offices" not in text_of(own)
    for found in (flows, mine):
        into = sum(link["value"] for link in found["links"] if link["target"] == "pool")
        out = sum(link["value"] for link in found["links"] if link["source"] == "pool")
        assert round(into * 1000) == round(out * 1000) == sums.supplied_wh


def test_nobody_reads_without_signing_in(market: Site) -> None:
    with market.client() as client:
        for path in ("/settlement", PAGE, f"{PAGE}/runs", f"{PAGE}/statements"):
            assert client.get(path).status_code == 401, path


def test_a_grid_company_defines_a_region(market: Site) -> None:
    with market.client("grid") as client:
        page = client.page("/settlement/define")
        assert '<option value="cn-grid-2023-sh@1">' in page and 'value="CNY"' in page
        define = "/settlement/define"
        refused(client.form(define, **{**FORM, "region": "Jiangsu"}), "region", "core.region")
        refused(client.form(define, **{**FORM, "region": REGION}), "region", "settlement.region_t")
        refused(client.form(define, **{**FORM, "offset_s": "noon"}), "offset_s", "settlement.off")
        energy = {**FORM, "money": f"energy:{REGION}"}
        refused(client.form(define, **energy), "money", "settlement.not_money")
        refused(client.form(define, **{**FORM, "money": "power"}), "money", "book.asset.unknown")
        lost = {**FORM, "tolerance_wh": "-1", "supply_tariff": ""}
        refused(client.form(define, **lost), "tolerance_wh", "settlement.form_wh")
        refused(client.form(define, **lost), "supply_tariff", "console.field_needed")
        unknown = client.form(define, **{**FORM, "location_factor": "none@1"})
        refused(unknown, "", "settlement.factor_unknown")
        assert 'value="none@1"' in unknown.text
        assert "Tolerance 1 kWh" in signed(client, define, **FORM)
        assert region_of(market.writer.store, "CN-JS").operator == "grid"
        empty = text_of(client.page("/settlement/regions/CN-JS"))
        assert "This region has no prices yet" in empty
        assert "Jiangsu" in text_of(client.page("/settlement"))
    with market.client("steel") as client:
        assert "identity.role.missing" in client.page("/settlement/define", 403)
        assert client.form(define, **{**FORM, "region": "CN-BJ"}).status_code == 403


def test_a_ledger_without_regions_says_what_to_do(site: Site) -> None:
    with site.client("grid") as client:
        assert "/settlement/define" in client.page("/settlement")
    with site.client("steel") as client:
        page = client.page("/settlement")
        assert "No region is settled here yet" in page and "/settlement/define" not in page


def test_charts_are_drawn_on_a_phone_too(market: Site, open_page: Opener) -> None:
    page = open_page("steel", url=market.url, size=PHONE)
    page.goto(PAGE)
    for title in ("Supply, use and net", "From suppliers to consumers"):
        expect(page.get_by_role("img", name=title)).to_have_attribute("data-drawn", "true")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.get_by_label("Show").select_option("hour")
    page.get_by_label("First day").fill("2025-01-04")
    page.get_by_label("Last day").fill("2025-01-04")
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("navigation", name="Period")).to_contain_text("4 January 2025")
    table = page.get_by_role("region", name="Supply, use and net")
    expect(table.get_by_role("row")).to_have_count(26)
