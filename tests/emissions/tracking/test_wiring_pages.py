"""Wiring a site by its pages: the picture, ports, bindings typed on a keypad, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.support.chromium import PHONE, Opener
from tests.support.site import Site, serving_a_copy
from tests.support.tracked import HOST

from wattproof.emissions.tracking.model import BINDINGS, PORTS

WIRING = "/tracking/wiring"


@pytest.fixture(scope="module")
def site(tracked_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving_a_copy(tracked_ledger, tmp_path_factory.mktemp("own") / "ledger") as site:
        yield site


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Go on: see what will be signed").click()


def sign(page: Page) -> None:
    page.get_by_role("button", name="Sign and submit").click()
    page.wait_for_url("**/ledger/transactions/*")


def test_the_picture_and_the_tables_say_the_same(open_page: Opener) -> None:
    page = open_page("steel")
    page.goto(WIRING)
    picture = page.get_by_role("img", name="Wires from nodes")
    for text in ("works-total", "Port 11", "Group 2 · 2 open interrupts", "right: 11 / 12 / 13"):
        expect(picture).to_contain_text(text)
    expect(picture.locator(".wire-left")).to_have_count(2)
    expect(picture.locator(".wire-right")).to_have_count(4)
    expect(picture.locator(".is-wrong")).to_have_count(2)  # a node and a group
    groups = page.get_by_role("region", name="Bindings")
    expect(groups.get_by_role("row", name="2-10-11/12/13")).to_contain_text("2 open interrupts")
    expect(groups.get_by_role("row", name="1-20-10")).to_contain_text("within its lines")
    ports = page.get_by_role("region", name="Ports", exact=True)
    expect(ports.get_by_role("row", name="finishing").first).to_contain_text("2 wrong packets")
    expect(ports.get_by_role("row", name="probe")).to_contain_text("live")


def test_a_port_is_defined_and_removed(open_page: Opener, site: Site) -> None:
    page = open_page("steel", size=PHONE)
    page.goto(f"{WIRING}/port")
    expect(page.get_by_label("Number")).to_have_value("1")
    page.get_by_label("Number").fill("10")
    page.get_by_label("Node").fill("office-a")
    go_on(page)
    expect(page.locator("#w-device")).to_contain_text("emissions.port_device")
    page.get_by_label("Node").fill("steel-main")
    go_on(page)
    expect(page.locator("#w-number")).to_contain_text("works-total already")
    page.get_by_label("Number").fill("40")
    page.get_by_label("Plant").fill("works")
    go_on(page)
    expect(page.locator("main")).to_contain_text("steel-main")
    sign(page)
    assert site.writer.store.get(PORTS, HOST, 40) is not None
    page.goto(WIRING)
    page.get_by_role("button", name="Remove Port 40").click()
    sign(page)
    assert site.writer.store.get(PORTS, HOST, 40) is None


def test_a_device_that_is_not_there_is_refused_as_one_that_is_not_theirs(site: Site) -> None:
    with site.client("steel") as client:
        for device in ("office-a", "nobody"):
            fields = {"number": "50", "device": device, "transport": "http"}
            answer = client.form(f"{WIRING}/port", **fields, plant="", process="", person="")
            assert answer.status_code == 403
            assert "emissions.port_device" in answer.text


def test_ports_are_bound_on_a_keypad(open_page: Opener, site: Site) -> None:
    page = open_page("steel", size=PHONE)
    page.goto(f"{WIRING}/binding")
    keypad = page.get_by_role("group", name="Keypad")
    for key in "3-30-101":
        keypad.get_by_role("button", name=key, exact=True).click()
    field = page.get_by_label("Binding")
    expect(field).to_have_value("3-30-101")
    keypad.get_by_role("button", name="Back").click()
    expect(field).to_have_value("3-30-10")
    go_on(page)
    expect(page.locator("#w-text")).to_contain_text("bind their emissions instead")
    page.get_by_label("By").select_option("emission")
    go_on(page)
    expect(page.locator("main")).to_contain_text("a total with its parts")
    sign(page)
    found = site.writer.store.get(BINDINGS, HOST, 3)
    assert found is not None and (found.left, found.right) == ((30,), (10,))
    page.goto(WIRING)
    page.get_by_role("button", name="Release 3-30-10").click()
    sign(page)
    assert site.writer.store.get(BINDINGS, HOST, 3) is None


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("4-10", "total", "emissions.binding_syntax"),
        ("4-10-99", "total", "emissions.port_unknown"),
        ("4-10-10/11", "total", "emissions.port_both_sides"),
        ("4-10-30/30", "total", "emissions.port_repeated"),
        ("4-10-30", "total", "emissions.port_quantity"),
        ("4-10-20", "total", "emissions.prediction_misplaced"),
        ("4-10-11", "predicted", "emissions.prediction_missing"),
        ("2-10-31", "total", "emissions.group_taken"),
        ("4-10-11", "total", "emissions.groups_overlap"),
    ],
)
def test_what_is_wrong_with_a_binding_is_said_at_its_field(
    site: Site, text: str, kind: str, code: str
) -> None:
    size = site.size
    with site.client("steel", lang="zh") as client:
        answer = client.form(f"{WIRING}/binding", text=text, kind=kind, measure="amount")
    assert answer.status_code >= 400
    assert 'id="w-text">' in answer.text
    assert f"<code>{code}</code>" in answer.text.partition('id="w-text">')[2][:400]
    assert f'value="{text}"' in answer.text
    assert site.size == size


def test_without_a_script_a_binding_is_typed(open_page: Opener, site: Site) -> None:
    page = open_page("steel", java_script_enabled=False)
    page.goto(f"{WIRING}/binding")
    expect(page.get_by_role("group", name="Keypad")).to_be_hidden()
    page.get_by_label("Binding").fill("５—10 – 31")
    go_on(page)
    expect(page.locator("main")).to_contain_text("Bind ports")
    assert site.writer.store.get(BINDINGS, HOST, 5) is None


def test_only_a_host_changes_its_wiring(site: Site) -> None:
    with site.client("metering") as client:
        text = client.page(f"{WIRING}?host={HOST}")
        assert "2-10-11/12/13" in text and "Release" not in text and "Define a port" not in text
        assert 'href="/tracking/errors/2?host=steel-works"' in text
    with site.client("registrar") as client:
        assert "2-10-11/12/13" in client.page(WIRING)  # the first host that there is


def test_what_is_nobodys_or_somebody_elses(site: Site) -> None:
    with site.client("bank") as client:
        assert "No ports yet" in client.page(WIRING)
        for path in (WIRING, "/tracking", "/tracking/nodes", "/tracking/errors/2",
                     "/tracking/notices/1", "/tracking/rollups", "/tracking/reports"):  # fmt: skip
            for host in (HOST, "nobody-at-all"):
                answer = client.page(f"{path}?host={host}", 403)
                assert "gateway.not_yours" in answer and "10-11" not in answer
        assert client.get(f"/tracking/errors/2/rows.csv?host={HOST}").status_code == 403
    with site.client() as client:
        assert "gateway.sign_in_needed" in client.page(WIRING, 401)
    with site.client("steel") as client:
        forged = client.post(f"{WIRING}/release", data={"group": "2", "csrf": "other"})
        assert forged.status_code == 403
        assert "emissions.port_bound" in client.form(f"{WIRING}/remove-port", number="10").text
