"""verify-statement.js in a real browser: it says what the Python says of a statement's file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.console.checking import READY, hand_in, paste, serving_checks, visiting
from tests.support.chromium import PHONE, Chromium
from tests.support.statements import StatementFiles, spoilt_statements, written

from wattproof.console.verify_page import standalone_page
from wattproof.ledger.proof import Verdict
from wattproof.settlement.statement_bundle import verify_file

JUDGE = """async (cases) => {
    const { fromBase64 } = await import("/static/verify.js");
    const { verifyFile } = await import("/static/verify-statement.js");
    const verdicts = [];
    for (const { data, ledgerId } of cases) {
        const { payload, zone, ledger_name, statement, ...verdict } =
            await verifyFile(fromBase64(data), { ledgerId });
        verdicts.push(verdict);
    }
    return verdicts;
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StatementFiles]:
    with StatementFiles.made(tmp_path_factory.mktemp("region") / "ledger") as found:
        yield found


@pytest.fixture(scope="module")
def good(files: StatementFiles) -> bytes:
    return files.of()


@pytest.fixture(scope="module")
def page(browser: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with (
        serving_checks(tmp_path_factory.mktemp("ledger")) as served,
        visiting(browser, f"{served.url}/verify") as page,
    ):
        page.wait_for_selector(READY)
        yield page


def judged(page: Page, cases: list[bytes], ledger_id: str | None = None) -> list[dict[str, Any]]:
    handed = [{"data": base64.b64encode(data).decode(), "ledgerId": ledger_id} for data in cases]
    verdicts: list[dict[str, Any]] = page.evaluate(JUDGE, handed)
    return verdicts


def facts(verdict: Verdict) -> dict[str, Any]:
    """A verdict, without the sentence of the step that failed."""
    return {
        "ok": verdict.ok,
        "steps": [(step.name, step.en, step.zh) for step in verdict.steps if step.ok],
        "last": verdict.steps[-1].name,
        "index": verdict.index,
        "ledger_id": verdict.ledger_id,
    }


def facts_in_browser(verdict: dict[str, Any]) -> dict[str, Any]:
    steps = verdict["steps"]
    assert all(step["en"] and step["zh"] for step in steps)
    assert not any("could not be checked" in step["en"] for step in steps)
    return {
        "ok": verdict["ok"],
        "steps": [(step["name"], step["en"], step["zh"]) for step in steps if step["ok"]],
        "last": steps[-1]["name"],
        "index": verdict.get("index"),
        "ledger_id": verdict.get("ledger_id", ""),
    }


def test_it_says_what_the_python_says(page: Page, files: StatementFiles, good: bytes) -> None:
    members = json.loads(good)
    cases = [good, *(files.of(change) for _, change in spoilt_statements())]
    cases += [files.of(step=step) for step in ("day", "month")]
    cases += [
        written(**{**members, "filing": members["region"]}),
        written(**{**members, "region": members["filing"]}),
        written(**{**members, "region": "{}"}),
        written(**{**members, "filing": "{}"}),
        written(**{**members, "statement": members["statement"].replace(",", ", ")}),
        good[:-1], good + b"\n", b"{}", b"", b"\xff", files.proof(3).encode(),
    ]  # fmt: skip
    verdicts = judged(page, cases)
    assert sum(verdict["ok"] for verdict in verdicts) == 4
    for data, verdict in zip(cases, verdicts, strict=True):
        assert facts_in_browser(verdict) == facts(verify_file(data))


def test_every_bit_counts(page: Page, good: bytes) -> None:
    flipped = [
        good[:at] + bytes([good[at] ^ (1 << at % 8)]) + good[at + 1 :]
        for at in range(0, len(good), 3)
    ]
    assert not any(verdict["ok"] for verdict in judged(page, flipped))


def test_a_number_that_a_browser_cannot_hold_does_not_pass(page: Page, good: bytes) -> None:
    members = json.loads(good)
    large = members["statement"].replace('"entries":', '"entries":9007199254740993')
    (verdict,) = judged(page, [written(**{**members, "statement": large})])
    assert [step["name"] for step in verdict["steps"]] == ["bundle"]


def test_the_page_shows_the_steps_of_a_statement(page: Page, good: bytes, files: StatementFiles,
                                                 ) -> None:  # fmt: skip
    steps = page.locator(".verify-steps > li")
    assert hand_in(page, good) == "ok"
    expect(page.locator("#verify-headline")).to_contain_text("The statement and its proofs hold")
    expect(steps).to_have_count(14)
    assert {steps.nth(at).get_attribute("data-result") for at in range(14)} == {"ok"}
    expect(page.locator('[data-step="net"]')).to_contain_text("6,000 Wh: positive")
    expect(page.locator("#verify-facts")).to_contain_text("settlement.statement.file")
    assert hand_in(page, good.replace(b"1200", b"1201", 1)) == "wrong"
    expect(page.locator('[data-step="digest"]')).to_have_attribute("data-result", "wrong")
    expect(page.locator('[data-step="sums"]')).to_have_attribute("data-result", "")
    assert hand_in(page, files.proof(3).encode()) == "ok"
    expect(steps).to_have_count(5)
    assert paste(page, good.decode()) == "ok"
    expect(steps).to_have_count(14)


def test_the_saved_page_checks_a_statement_without_a_network(
    browser: Chromium, good: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("saved") / "verify.html"
    path.write_text(standalone_page("zh"), encoding="utf-8")
    with visiting(browser, path.as_uri()) as page:
        page.wait_for_selector(READY)
        assert hand_in(page, good) == "ok"
        expect(page.locator('[data-step="net"]')).to_contain_text("6,000 瓦时：正值")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_everybody_can_read_the_steps_of_a_statement(
    browser: Chromium, page: Page, good: bytes, look: str
) -> None:
    """axe-core without findings, at phone width; nothing sticks out."""
    options: dict[str, Any] = {"color_scheme": look, "size": PHONE}
    with visiting(browser, page.url, **options) as small:
        small.wait_for_selector(READY)
        for data in (good, good.replace(b"1200", b"1201", 1)):
            hand_in(small, data)
            found = Axe().run(small).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            assert small.evaluate("document.documentElement.scrollWidth") == PHONE[0]
