"""verify.js in a real browser: it says what the Python says, of right and of wrong proofs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.console.changed import mixed_up, random_changes, wrong_form
from tests.console.checking import READY, serving_checks, visiting
from tests.console.forged import IDENTITY, by_key_holders
from tests.console.proofs import Case, right
from tests.support.chromium import Chromium

from wattproof.console.assets import assets
from wattproof.keys import ed25519
from wattproof.ledger.proof import Verdict, verify_proof

VECTORS = Path(__file__).parents[1] / "vectors"

JUDGE = """async (cases) => {
    const { fromBase64, verifyProof } = await import("/static/verify.js");
    const verdicts = [];
    for (const { data, ledgerId } of cases) {
        const { payload, zone, ledger_name, ...verdict } =
            await verifyProof(fromBase64(data), { ledgerId });
        verdicts.push(verdict);
    }
    return verdicts;
}"""
REFUSES = """async ([name, data]) => {
    const verify = await import("/static/verify.js");
    try {
        verify[name](verify.fromHex(data));
        return false;
    } catch (error) {
        return error instanceof verify.Refusal;
    }
}"""
SIGNATURE = """async ([key, message, signature]) => {
    const { fromHex, verifySignature } = await import("/static/verify.js");
    return verifySignature(fromHex(key), fromHex(message), fromHex(signature));
}"""


@pytest.fixture(scope="module")
def page(browser: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of the node, from which verify.js can be loaded."""
    with (
        serving_checks(tmp_path_factory.mktemp("ledger")) as served,
        visiting(browser, f"{served.url}/verify") as page,
    ):
        page.wait_for_selector(READY)
        yield page


def judged(page: Page, cases: list[Case]) -> list[dict[str, Any]]:
    """What the browser says of each."""
    handed = [
        {
            "data": base64.b64encode(case.data).decode(),
            "ledgerId": case.ledger_id.hex() if case.ledger_id is not None else None,
        }
        for case in cases
    ]
    verdicts: list[dict[str, Any]] = page.evaluate(JUDGE, handed)
    return verdicts


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def facts(verdict: Verdict) -> dict[str, Any]:
    """A verdict as verify.js gives it, without the sentences of the step that failed."""
    found = {
        "ok": verdict.ok,
        "steps": [(step.name, step.ok, step.en, step.zh) for step in verdict.steps if step.ok],
        "last": verdict.steps[-1].name,
        "ledger_id": verdict.ledger_id,
        "transaction_id": verdict.transaction_id,
        "type": verdict.type,
        "signer": verdict.signer,
        "index": verdict.index,
        "size": verdict.size,
        "time_ms": verdict.time_ms,
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def facts_in_browser(verdict: dict[str, Any]) -> dict[str, Any]:
    steps = verdict["steps"]
    assert all(step["en"] and step["zh"] for step in steps)
    assert not any("could not be checked" in step["en"] for step in steps)
    found = {
        **verdict,
        "steps": [
            (step["name"], step["ok"], step["en"], step["zh"]) for step in steps if step["ok"]
        ],
        "last": steps[-1]["name"],
    }
    return {name: value for name, value in found.items() if value != ""}


def test_it_says_what_the_python_says(page: Page) -> None:
    """Of every case: the outcome, each step's name, the sentences, and all that was found."""
    cases = [*right(), *wrong_form(), *mixed_up(), *by_key_holders()]
    cases += random_changes(120, seed=20_260_101)
    assert len(cases) > 300
    for case, verdict in zip(cases, judged(page, cases), strict=True):
        expected = verify_proof(case.data, ledger_id=case.ledger_id)
        assert facts_in_browser(verdict) == facts(expected), case.what


def test_right_proofs_hold_and_mixed_up_ones_do_not(page: Page) -> None:
    """So that two implementations do not agree in refusing, or in taking, everything."""
    good, bad = list(right()), list(mixed_up())
    assert all(verdict["ok"] for verdict in judged(page, good))
    assert not any(verdict["ok"] for verdict in judged(page, bad))
    failing = {verdict["steps"][-1]["name"] for verdict in judged(page, list(by_key_holders()))}
    assert failing == {"form", "ledger", "signature", "inclusion", "checkpoint"}


def test_every_bit_of_a_proof_counts(page: Page) -> None:
    """Flip one bit in each byte of the file: none of them passes."""
    good = next(right()).data
    flipped = [
        Case(what=f"byte {at}", data=good[:at] + bytes([good[at] ^ (1 << at % 8)]) + good[at + 1 :])
        for at in range(len(good))
    ]
    assert [
        case.what
        for case, verdict in zip(flipped, judged(page, flipped), strict=True)
        if verdict["ok"]
    ] == []


@pytest.mark.parametrize("kind", ["cbor", "cose"])
def test_it_refuses_what_must_be_refused(page: Page, kind: str) -> None:
    name = {"cbor": "decodeCbor", "cose": "parseEnvelope"}[kind]
    for case in vectors("refused.json")[kind]:
        assert page.evaluate(REFUSES, [name, case["data"]]), case["name"]


def test_it_reads_the_golden_envelopes(page: Page) -> None:
    for case in vectors("envelopes.json")["cases"]:
        did = page.evaluate(
            """async (data) => {
                const verify = await import("/static/verify.js");
                const envelope = verify.parseEnvelope(verify.fromHex(data));
                verify.decodeCbor(envelope.payload);
                return verify.didOf(envelope.kid);
            }""",
            case["transaction"],
        )
        assert did == case["did"], case["name"]


def test_signatures_on_which_libraries_differ(page: Page) -> None:
    """Browsers use several libraries; the ledger's rules are checked before them."""
    for case in vectors("ed25519.json")["signatures"]:
        triple = [case["public"], case["message"], case["signature"]]
        assert page.evaluate(SIGNATURE, triple) == case["valid"], case
        assert ed25519.verify(*map(bytes.fromhex, triple)) == case["valid"], case


def test_keys_that_anyone_could_sign_for_are_refused(page: Page) -> None:
    """With R of order 1 and S = 0 the plain equation holds for each of these keys and a message."""
    keys = vectors("ed25519.json")["weak_keys"]
    weak = [key["public"] for key in keys if key["why"] in ("small_order", "non_canonical")]
    assert len(weak) > 10
    forged = (IDENTITY + bytes(32)).hex()
    for public in weak:
        for message in range(16):
            assert not page.evaluate(SIGNATURE, [public, f"{message:02x}", forged]), public


def test_the_check_is_small_enough_to_be_read() -> None:
    source = assets()["verify.js"].data.decode()
    assert source.count("\n") < 500
    assert "import " not in source
