"""The pages of nodes: what streams in, how nodes are, one node with its factors and stages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.support.chromium import Opener
from tests.support.site import Site, serving_a_copy
from tests.support.tracked import QUARTER_S, key_of_node, node_packet, submit

from wattproof.core.errors import Refused
from wattproof.identity.model import DEVICES
from wattproof.metering.model import STREAMS


@pytest.fixture(scope="module")
def site(tracked_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving_a_copy(tracked_ledger, tmp_path_factory.mktemp("own") / "ledger") as site:
        yield site


def test_what_streams_in(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto("/tracking")
    rows = page.get_by_role("region", name="Nodes and their last packets").get_by_role("row")
    expect(rows).to_have_count(8)
    mill = rows.filter(has_text="mill")
    for text in ("silent for", "1,920 kWh", "96 readings", "1,101.504 kg", "0.5737 kgCO2/kWh"):
        expect(mill).to_contain_text(text)
    expect(rows.filter(has_text="furnace")).to_contain_text("0.55 kgCO2/kWh")
    expect(rows.filter(has_text="finishing")).to_contain_text("2 wrong packets")
    expect(rows.filter(has_text="probe")).to_contain_text("measures CO2")
    expect(rows.filter(has_text="spare")).to_contain_text("It has not reported yet.")


def test_the_table_comes_anew_by_itself(open_page: Opener, site: Site) -> None:
    """What a node reports while the page is open appears on it; the page is asked for in parts."""
    page = open_page("steel")
    page.goto("/tracking")
    row = page.get_by_role("row", name="spare")
    expect(row).to_contain_text("It has not reported yet.")
    live = page.locator("#live")
    expect(live).to_have_attribute("hx-trigger", "every 15s")
    start_s = int(time.time()) // QUARTER_S * QUARTER_S - QUARTER_S
    packet = node_packet([7], sequence=1, start_s=start_s, value_ug=530_000, factor="")
    with pytest.raises(Refused) as caught:  # no factor was entered at it
        submit(site.writer, [(packet, key_of_node("spare"))])
    assert caught.value.code == "emissions.node_factor"
    probed = node_packet(
        [4_000],
        sequence=2,
        start_s=_end_of(site, "probe"),
        before=[9_000] * 8,
        factor="unity@1",
        value_ug=1_000_000,
    )
    submit(site.writer, [(probed, key_of_node("probe"))])
    page.evaluate("htmx.ajax('GET', location.pathname, {target: '#live', select: '#live'})")
    expect(page.get_by_role("row", name="probe")).to_contain_text("1 reading")
    expect(page.get_by_role("row", name="probe")).to_contain_text("76 kg")


def _end_of(site: Site, device: str) -> int:
    found = site.writer.store.get(DEVICES, device)
    assert found is not None
    stream = site.writer.store.get(STREAMS, found.number)
    assert stream is not None
    return stream.end_s


def test_one_node(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto("/tracking/nodes")
    page.get_by_role("link", name="finishing").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("finishing")
    packets = page.get_by_role("region", name="Its last packets").get_by_role("row")
    expect(packets.nth(1)).to_contain_text("its emission register does not go on")
    expect(packets.nth(2)).to_contain_text("its grams do not follow from amounts and factor")
    factors = page.get_by_role("region", name="Factors that were entered")
    expect(factors).to_contain_text("cn-grid-2023-sh@1")
    chart = page.get_by_role("img", name="Its stages")
    expect(chart).to_have_attribute("data-drawn", "true")
    stages = page.get_by_role("region", name="Its stages").get_by_role("row")
    expect(stages).to_have_count(4)
    page.get_by_label("Show").select_option("hour")
    page.get_by_role("button", name="Show these").click()
    expect(stages).to_have_count(25)
    expect(stages.nth(2)).to_contain_text("0.00 %")


def test_who_entered_what_and_when(site: Site) -> None:
    with site.client("steel") as client:
        text = client.page("/tracking/nodes/furnace")
        assert "badge-17" in text and "typed in by hand" in text and "5 Jan 2025, 23:00" in text
        assert "measures CO2 itself and needs no factor" in client.page("/tracking/nodes/probe")
        assert "It has not reported yet." in client.page("/tracking/nodes/spare")


def test_nodes_of_others_are_refused_as_those_that_are_not_there(site: Site) -> None:
    with site.client("steel") as client:
        for device in ("office-a", "nobody", "steel-main"):
            assert "emissions.port_device" in client.page(f"/tracking/nodes/{device}", 403)
    with site.client("bank") as client:
        assert "emissions.port_device" in client.page("/tracking/nodes/mill", 403)
        assert "Nothing is wired yet" in client.page("/tracking")
        assert "No nodes yet" in client.page("/tracking/nodes")
    with site.client("registrar", lang="zh") as client:
        client.cookies.set("wattproof_lang", "zh")
        text = client.page("/tracking/nodes/finishing?host=steel-works&by=month")
        assert "克数与数量和因子不符" in text
