"""The checking page where people find it: in the console, without an account."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from tests.console.checking import READY, hand_in, paste
from tests.console.proofs import proof
from tests.support.chromium import PHONE, WIDE, Opener
from tests.support.site import Site

PACKET = 100
"""An entry of the demonstration's ledger that is a meter's packet."""


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_anybody_checks_a_packet_by_its_code(
    open_page: Opener, site: Site, size: tuple[int, int], look: str
) -> None:
    page = open_page(size=size, color_scheme=look)
    page.goto("/verify")
    page.wait_for_selector(READY)
    expect(page.get_by_role("heading", level=1)).to_have_text("Check a proof")
    assert paste(page, site.writer.store.entry(PACKET).id.hex()) == "ok"
    contents = page.locator("#verify-contents")
    for text in ("Report readings", "metering.packet 1", "increments", "interval_s"):
        expect(contents).to_contain_text(text)
    found = Axe().run(page, context="#verify").response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_a_proof_of_another_ledger_is_not_one_of_this_node(open_page: Opener) -> None:
    page = open_page(locale="zh-CN")
    page.goto("/verify")
    page.wait_for_selector(READY)
    assert hand_in(page, proof(7, 3)) == "wrong"
    expect(page.locator("#verify-headline")).to_have_text("证明不成立", use_inner_text=True)
    page.fill("#verify-ledger", "")
    assert hand_in(page, proof(7, 3)) == "ok"


def test_the_file_that_the_console_gives(open_page: Opener, site: Site) -> None:
    page = open_page(locale="zh-CN")
    page.goto("/verify")
    with page.expect_download() as download:
        page.get_by_role("link", name="保存此页").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in text
    assert site.writer.ledger_id.hex() in text
