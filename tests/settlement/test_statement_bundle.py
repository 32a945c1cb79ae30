"""A statement with its proofs in one file: checked without the ledger, byte by byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.cli.conftest import Command, command  # noqa: F401
from tests.support.refusals import refused
from tests.support.settled_region import DAY_S, REGION, SettledRegion
from tests.support.statements import Change, StatementFiles, spoilt_statements, written

from wattproof.ledger.proof import Verdict, verify_proof
from wattproof.settlement.queries import filed_statement
from wattproof.settlement.statement_bundle import (
    MAX_BUNDLE_BYTES,
    is_bundle,
    make_bundle,
    verify_bundle,
    verify_file,
)

PROOF = ["form", "ledger", "signature", "inclusion", "checkpoint"]
RECORDED = "5c4b1edcb11ea2e9555f1ee44ea835fec6eb8ab1e97a9e6ac47c3e37300e2817"
"""SHA-256 of the file in the vectors."""
STEPS = ["bundle", *PROOF, "filing", "digest", "sums", "region", "rows", "net", "emissions",
         "differences"]  # fmt: skip


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StatementFiles]:
    with StatementFiles.made(tmp_path_factory.mktemp("bundles") / "ledger") as found:
        yield found


@pytest.fixture(scope="module")
def good(bundles: StatementFiles) -> bytes:
    return bundles.of()


def names(verdict: Verdict) -> list[str]:
    return [step.name for step in verdict.steps]


def test_a_bundle_holds_and_says_so_in_both_languages(good: bytes) -> None:
    verdict = verify_file(good)
    assert verdict.ok and names(verdict) == STEPS
    assert all(step.ok and step.en and step.zh and not step.code for step in verdict.steps)
    assert verdict.type == "settlement.statement.file" and verdict.index
    said = " ".join(step.en for step in verdict.steps)
    assert "36,000 Wh supplied (first records: 2)" in said
    assert "6,000 Wh: positive (tolerance 500 Wh)" in said
    assert "net 3,184 g, consumption 15,918 g location-based, 18,000 g market-based" in said
    assert "settled: 1 (listed: 1), 0 Wh of supply and 7 Wh of consumption" in said


def test_make_bundle_is_the_same(bundles: StatementFiles, good: bytes) -> None:
    region = bundles.region
    filed = filed_statement(region.store, REGION, 1)
    made = make_bundle(region.store, region.lake(), filed, log_key=bundles.log_key)
    assert verify_bundle(made).ok
    assert json.loads(made)["statement"] == json.loads(good)["statement"]
    other = replace(filed, digest=bytes(32))
    refused(
        "settlement.statement_changed",
        lambda: make_bundle(region.store, region.lake(), other, log_key=bundles.log_key),
    )


@given(data=st.data())
def test_no_byte_can_change(good: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != good[at]))
    fails(good[:at] + bytes([byte]) + good[at + 1 :])
    fails(good[:at] + good[at + 1 :])
    fails(good[:at] + bytes([byte]) + good[at:])


def test_every_byte_counts(good: bytes) -> None:
    changed = bytearray(good)
    for at in range(len(good)):
        changed[at] ^= 1
        fails(bytes(changed))
        changed[at] ^= 1


def fails(data: bytes) -> str:
    verdict = verify_file(data)
    assert not verdict.ok
    *before, last = verdict.steps
    assert all(step.ok and not step.code for step in before)
    assert not last.ok and last.code and last.en.endswith(".") and last.zh.endswith("。")
    return last.code


def test_only_the_expected_ledger_will_do(good: bytes) -> None:
    verdict = verify_file(good)
    assert verify_file(good, ledger_id=bytes.fromhex(verdict.ledger_id)).ok
    other = verify_file(good, ledger_id=bytes(32))
    assert not other.ok and other.steps[-1].code == "proof.other_ledger"


def test_a_proof_is_still_a_proof(bundles: StatementFiles) -> None:
    proof = bundles.proof(3).encode()
    assert not is_bundle(proof)
    assert verify_file(proof) == verify_proof(proof)
    assert fails(b"{}") == fails(b"\xff") == fails(b"") == "proof.form"


@pytest.mark.parametrize(("code", "change"), spoilt_statements())
def test_what_an_operator_might_sign_wrongly_is_found(
    bundles: StatementFiles, code: str, change: Change
) -> None:
    assert fails(bundles.of(change)) == code


def test_a_statement_of_other_sums_or_periods_than_filed(good: bytes) -> None:
    members = json.loads(good)
    made = json.loads(members["statement"])
    for code, changes in (
        ("settlement.bundle_filing", {"from_s": made["from_s"] + DAY_S}),
        ("settlement.bundle_filing", {"region": "CN-BJ"}),
        ("settlement.bundle_filing", {"entries": made["entries"] + 1}),
        ("settlement.bundle_filing", {"step": "day"}),
        ("settlement.bundle_digest", {"supplied_wh": made["supplied_wh"] + 1}),
        ("settlement.bundle_form", {"supplied_wh": 1.5}),
        ("settlement.bundle_digest", {"supplied_wh": 10**30}),
        ("settlement.bundle_form", {"supplied_wh": "1"}),
        ("settlement.bundle_form", {"step": "year"}),
        ("settlement.bundle_form", {"format": "x"}),
        ("settlement.bundle_form", {"more": 1}),
    ):
        text = json.dumps(made | changes, separators=(",", ":"), sort_keys=True)
        assert fails(written(**{**members, "statement": text})) == code
    for text in ("", "[]", "1", "{}", "null", '{"format":1}', "\ud800"):
        data = json.dumps({**members, "statement": text}, separators=(",", ":"), sort_keys=True)
        assert fails(data.encode() + b"\n") in ("settlement.bundle_form", "proof.form")
    spaced = members["statement"].replace(",", ", ")
    assert fails(written(**{**members, "statement": spaced})) == "settlement.bundle_form"


def test_proofs_of_other_transactions_will_not_do(good: bytes) -> None:
    members = json.loads(good)
    swapped = {**members, "filing": members["region"]}
    assert fails(written(**swapped)) == "settlement.bundle_type"
    swapped = {**members, "region": members["filing"]}
    assert fails(written(**swapped)) == "settlement.bundle_type"
    assert fails(written(**{**members, "region": "{}"})) == "proof.form"
    assert fails(written(**{**members, "filing": "{}"})) == "proof.form"
    assert fails(good[:-1]) == fails(good + b"\n") == "settlement.bundle_form"
    assert fails(good[:-1] + b" " * MAX_BUNDLE_BYTES) == "settlement.bundle_form"


def test_another_ledgers_region_will_not_do(good: bytes, tmp_path: Path) -> None:
    with SettledRegion.made(tmp_path / "other", tolerance_wh=500) as other:
        foreign = StatementFiles(other)
        region = foreign.proof(foreign.region_entry)
    assert fails(written(**{**json.loads(good), "region": region})) == "proof.other_ledger"


def test_the_digest_is_that_of_the_statements_bytes(bundles: StatementFiles, good: bytes) -> None:
    text = json.loads(good)["statement"].encode()
    filed = filed_statement(bundles.region.store, REGION, 1)
    assert sha256(text).digest() == filed.digest


def test_the_command_checks_it_without_the_ledger(
    good: bytes, tmp_path: Path, command: Command  # noqa: F811
) -> None:  # fmt: skip
    path = tmp_path / "statement.json"
    path.write_bytes(good)
    ran = command("verify", path)
    assert ran.code == 0 and ran.out.endswith("The proof holds.\n")
    assert ran.out.count("ok  ") == len(STEPS)
    ran = command("verify", path, lang="zh")
    assert "供电减用电为 6,000 瓦时：正值" in ran.out and ran.out.endswith("证明成立。\n")
    assert command("verify", path, "--json").json["ok"] is True
    path.write_bytes(good.replace(b"1200", b"1201", 1))
    ran = command("verify", path)
    assert ran.code == 1 and "[settlement.bundle_digest]" in ran.out


def test_a_file_that_was_written_once_holds_for_ever() -> None:
    """The recorded file keeps its form: whoever was given one can check it with any version."""
    data = (Path(__file__).parents[1] / "vectors" / "statement.json").read_bytes()
    verdict = verify_file(data)
    assert verdict.ok and names(verdict) == STEPS
    assert sha256(data).hexdigest() == RECORDED
    made = json.loads(json.loads(data)["statement"])
    assert (made["net_wh"], made["verdict"], made["net_emission_g"]) == (6000, "positive", 3184)
