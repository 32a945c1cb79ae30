"""The checking page as people use it: served and from a file, in both languages, on a phone."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.console.changed import mixed_up, wrong_form
from tests.console.checking import DONE, READY, hand_in, outcome, paste, serving_checks, visiting
from tests.console.forge import Forge
from tests.console.proofs import members_of, proof, written
from tests.gateway.served import Served
from tests.ledger.growing import LEDGER_ID
from tests.ledger.toy import Fill, machine
from tests.support.chromium import PHONE, Chromium

from wattproof.console.verify_page import SERVED_POLICY, standalone_page
from wattproof.console.verify_words import verify_data
from wattproof.gateway.front import HEADERS

GOOD = proof(7, 3)
BLOCKED_ED25519 = """
    const importKey = crypto.subtle.importKey.bind(crypto.subtle);
    crypto.subtle.importKey = (form, key, algorithm, ...rest) =>
        algorithm === "Ed25519"
            ? Promise.reject(new DOMException("unknown", "NotSupportedError"))
            : importKey(form, key, algorithm, ...rest);
"""
PHONE_AT_NIGHT = {"size": PHONE, "color_scheme": "dark", "locale": "zh-CN"}
TAKES_EVERYTHING = "crypto.subtle.verify = async () => true;"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_checks(tmp_path_factory.mktemp("ledger"), machine=machine()) as served:
        yield served


@pytest.fixture(scope="module")
def code(node: Served) -> str:
    """A transaction's id, which is the code of its proof."""
    receipt = node.submit(Fill(jar="<i>jar</i>", shelf="low", beans=2**53))
    return str(receipt["id"])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page that was saved as a file."""
    path = tmp_path_factory.mktemp("saved") / "wattproof-verify.html"
    path.write_text(standalone_page(data=verify_data(machine())), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Chromium, node: Served) -> Iterator[Page]:
    """The served page, in English."""
    with visiting(browser, f"{node.url}/verify") as page:
        page.wait_for_selector(READY)
        yield page


def results(page: Page) -> list[str]:
    """What is marked at each step."""
    steps = page.locator(".verify-steps > li")
    return [steps.nth(at).get_attribute("data-result") or "" for at in range(steps.count())]


def test_a_right_proof_holds_and_is_told_in_words(page: Page) -> None:
    assert hand_in(page, GOOD) == "ok"
    assert results(page) == ["ok"] * 5
    expect(page.locator("#verify-headline")).to_have_text("The proof holds", use_inner_text=True)
    expect(page.locator("#verify-reason")).to_contain_text(LEDGER_ID.hex())
    contents = page.locator("#verify-contents")
    expect(contents).to_be_visible()
    for text in ("toy.fill 1", "Fill a jar", "shelf", "high", "15 Nov 2023"):
        expect(contents).to_contain_text(text)
    expect(page.locator("#verify-verdict")).to_be_focused()


def test_wrong_proofs_fail_and_say_where(page: Page) -> None:
    by_step = {"form": 0, "ledger": 1, "signature": 2, "inclusion": 3, "checkpoint": 4}
    swapped = {case.what: case.data for case in mixed_up()}
    for what, step in {
        "genesis of another ledger": "signature",
        "transaction of another entry": "inclusion",
        "receipt of another entry": "inclusion",
        "receipt of another size": "checkpoint",
        "checkpoint of another size": "checkpoint",
    }.items():
        assert hand_in(page, swapped[what]) == "wrong", what
        at = by_step[step]
        assert results(page) == ["ok"] * at + ["wrong"] + [""] * (4 - at), what
        expect(page.locator("#verify-contents")).to_be_hidden()
    for case in wrong_form():
        assert hand_in(page, case.data) in ("wrong", "unable"), case.what


def test_only_of_the_ledger_that_is_asked_for(page: Page) -> None:
    page.fill("#verify-ledger", LEDGER_ID.hex())
    assert hand_in(page, GOOD) == "ok"
    expect(page.locator("#verify-reason")).to_contain_text("the id given in the form")
    page.fill("#verify-ledger", "00" * 32)
    assert hand_in(page, GOOD) == "wrong"
    assert results(page) == ["ok", "wrong", "", "", ""]
    page.fill("#verify-ledger", "toy")
    assert hand_in(page, GOOD) == "unable"


def test_a_node_asks_for_proofs_of_its_own_ledger(browser: Chromium, tmp_path: Path) -> None:
    with (
        serving_checks(tmp_path, ledger_id=LEDGER_ID.hex()) as node,
        visiting(browser, f"{node.url}/verify") as page,
    ):
        expect(page.locator("#verify-ledger")).to_have_value(LEDGER_ID.hex())
        assert hand_in(page, GOOD) == "ok"
        assert hand_in(page, Forge().proof()) == "wrong"


def test_pasting_a_proof(page: Page) -> None:
    """What the clipboard adds around it, or takes away, does not matter; within it all does."""
    text = GOOD.decode()
    assert paste(page, text) == "ok"
    assert paste(page, f"\n  {text.strip()}  ") == "ok"
    assert paste(page, text.replace(",", ", ", 1)) == "wrong"
    assert paste(page, "") == "unable"


def test_dropping_a_file(page: Page) -> None:
    page.evaluate(
        """(text) => {
            const given = new DataTransfer();
            given.items.add(new File([text], "a.proof.json"));
            const drop = new DragEvent("drop", { dataTransfer: given, bubbles: true });
            document.getElementById("verify-drop").dispatchEvent(drop);
        }""",
        GOOD.decode(),
    )
    assert outcome(page) == "ok"


def test_a_transactions_code_is_looked_up_and_checked_here(page: Page, code: str) -> None:
    assert paste(page, code.upper()) == "ok"
    contents = page.locator("#verify-contents")
    expect(contents).to_contain_text("<i>jar</i>")
    expect(contents).to_contain_text(str(2**53))


def test_a_code_that_the_node_does_not_know(browser: Chromium, node: Served) -> None:
    url = f"{node.url}/verify"
    watched = browser.open(url)
    watched.page.goto(url)
    assert paste(watched.page, "ab" * 32) == "unable"
    expect(watched.page.locator("#verify-reason")).to_contain_text("has no transaction abab")
    [fault] = watched.faults  # Chromium notes every answer 404 in its console
    assert "404" in fault
    watched.faults.clear()
    watched.close()


def test_a_code_in_the_address(browser: Chromium, node: Served, code: str) -> None:
    with visiting(browser, f"{node.url}/verify#{code}") as page:
        assert outcome(page) == "ok"


def test_a_node_that_proves_another_transaction_is_caught(page: Page) -> None:
    page.route("**/proof", lambda route: route.fulfill(body=GOOD, content_type="application/json"))
    assert paste(page, "ab" * 32) == "wrong"
    expect(page.locator("#verify-reason")).to_contain_text("another transaction")
    expect(page.locator("#verify-contents")).to_be_hidden()


def test_texts_of_a_proof_never_become_markup(page: Page) -> None:
    attack = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    payload = [f"toy.{attack}", 1, bytes(16), attack, [attack]]
    assert hand_in(page, Forge(name=attack, payload=payload).proof()) == "ok"
    expect(page.locator("#verify-contents")).to_contain_text(attack)
    expect(page.locator("#verify-reason")).to_contain_text(attack)
    assert page.locator("#verify img, #verify script").count() == 0
    assert page.title() == "Check a proof"


@pytest.mark.parametrize("script", [BLOCKED_ED25519, TAKES_EVERYTHING], ids=["lacks", "takes all"])
def test_a_browser_that_cannot_check_says_so(browser: Chromium, node: Served, script: str) -> None:
    with visiting(browser, f"{node.url}/verify", before=script) as page:
        assert outcome(page) == "unable"
        reason = page.locator("#verify-reason")
        expect(reason).to_contain_text("This browser cannot check Ed25519 signatures")
        expect(reason).to_contain_text("此浏览器无法验证 Ed25519 签名")
        assert hand_in(page, GOOD) == "unable"
        assert results(page) == [""] * 5


@pytest.mark.parametrize("options", [{}, PHONE_AT_NIGHT], ids=["desk", "phone"])
def test_from_a_file_without_a_network(
    browser: Chromium, file: str, options: dict[str, Any]
) -> None:
    with visiting(browser, file, offline=True, **options) as page:
        assert hand_in(page, GOOD) == "ok"
        assert hand_in(page, next(mixed_up()).data) == "wrong"
        assert paste(page, "ab" * 32) == "unable"
        expect(page.locator("#verify-reason")).to_contain_text("without a network")
        expect(page.locator("a:visible")).to_have_count(0)


def test_both_languages(browser: Chromium, file: str) -> None:
    with visiting(browser, file) as page:
        assert hand_in(page, GOOD) == "ok"
        english = shown_text(page)
        page.get_by_role("button", name="中文").click()
        assert page.title() == "验证证明"
        chinese = shown_text(page)
        page.get_by_role("button", name="English").click()
        assert shown_text(page) == english
    assert not re.search("[\u4e00-\u9fff]", english.replace("中文", ""))
    assert "证明成立" in chinese and "The proof" not in chinese
    assert english.count("\n") == chinese.count("\n")


def shown_text(page: Page) -> str:
    return page.locator("body").inner_text()


@pytest.mark.parametrize(("asked", "title"), [("en-GB", "Check a proof"), ("zh-CN", "验证证明")])
def test_the_browsers_language_comes_first(
    browser: Chromium, node: Served, asked: str, title: str
) -> None:
    with visiting(browser, f"{node.url}/verify", locale=asked) as page:
        assert page.title() == title
        expect(page.locator("h1")).to_have_text(title, use_inner_text=True)


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_everybody_can_read_it(browser: Chromium, node: Served, locale: str, look: str) -> None:
    """axe-core without findings, at phone width and in each state; nothing sticks out."""
    options: dict[str, Any] = {"locale": locale, "color_scheme": look, "size": PHONE}
    with visiting(browser, f"{node.url}/verify", **options) as page:
        page.wait_for_selector(READY)
        for data in (None, GOOD, next(mixed_up()).data, b""):
            if data:
                hand_in(page, data)
            elif data is not None:
                assert paste(page, "") == "unable"
            page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")
            found = Axe().run(page).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_the_keyboard_alone(page: Page) -> None:
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert reached == [
        "BUTTON", "verify-file", "verify-text", "verify-ledger", "BUTTON", "SUMMARY", "A",
    ]  # fmt: skip
    page.focus("#verify-text")
    page.keyboard.insert_text(GOOD.decode().strip())
    page.focus("#verify-ledger")
    page.keyboard.press("Enter")
    assert outcome(page) == "ok"


def test_reading_without_javascript(browser: Chromium, node: Served) -> None:
    """What is checked can be read, and what to do instead."""
    with visiting(browser, f"{node.url}/verify", java_script_enabled=False) as page:
        expect(page.locator(".verify-steps > li")).to_have_count(5)
        expect(page.get_by_text("The check needs JavaScript")).to_be_visible()


def test_a_node_gives_the_page_as_a_file(browser: Chromium, page: Page, tmp_path: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Save this page").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.name == "wattproof-verify.html"
    assert saved.read_text(encoding="utf-8") == standalone_page(data=verify_data(machine()))
    with visiting(browser, saved.as_uri()) as other:
        assert hand_in(other, GOOD) == "ok"


def test_nothing_can_be_run_that_is_not_ours(node: Served) -> None:
    served = node.client.get("/verify")
    assert served.headers["content-security-policy"] == SERVED_POLICY
    assert not re.search(r"<script(?! type=\"application/json\"| type=\"module\" src)", served.text)
    assert " style=" not in served.text
    alone = standalone_page()
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', alone)
    for tag in ('script type="module"', "style"):
        [text] = re.findall(rf"<{tag}>(.*?)</{tag.split()[0]}>", alone, flags=re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "'self'" not in policy and "unsafe" not in policy + SERVED_POLICY
    assert "://" not in alone.replace("http://www.w3.org/2000/svg", "")
    headers = {name.decode(): value.decode() for name, value in HEADERS}
    assert (
        headers.items()
        <= {
            **dict(served.headers),
            "content-security-policy": headers["content-security-policy"],
        }.items()
    )


def test_a_proof_that_breaks_the_page_is_not_taken(page: Page) -> None:
    """Odd but well-formed payloads are shown, or the check says so; it never stays silent."""
    for payload in (
        [],
        5,
        [None],
        ["t"],
        ["t", 1, "n"],
        ["toy.fill", 1, bytes(16), [], [[]], [1, [2]]],
    ):
        assert hand_in(page, Forge(payload=payload).proof()) == "ok", payload
        expect(page.locator("#verify-contents")).to_be_visible()
    assert hand_in(page, written(members_of(GOOD), format="2")) == "wrong"
    expect(page.locator(DONE)).to_have_count(1)
