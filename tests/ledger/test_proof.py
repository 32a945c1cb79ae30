"""Proof files: they stand alone, and no byte of them can change."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.growing import (
    KEY,
    LEDGER_ID,
    LOG,
    OTHER,
    START_MS,
    add_block,
    begin,
    grow,
    in_memory,
    raws,
    signed,
)
from tests.ledger.toy import Fill, machine, signed_genesis
from tests.support.refusals import refused

from wattproof.keys.did import did_of
from wattproof.ledger.chain import Chain
from wattproof.ledger.genesis import ledger_id_of
from wattproof.ledger.note import cosign_note
from wattproof.ledger.proof import MAX_PROOF_BYTES, Verdict, make_proof, verify_proof
from wattproof.ledger.store import Store

STEPS = ("form", "ledger", "signature", "inclusion", "checkpoint")
CHAIN = in_memory(40)
INDEX = 9
PROOF = make_proof(CHAIN.store, CHAIN.store.entry(INDEX), log_key=LOG)


def failed(data: bytes, *, ledger_id: bytes | None = None) -> str:
    """The name of the step that fails, which says why in both languages."""
    verdict = verify_proof(data, ledger_id=ledger_id)
    assert not verdict.ok
    *good, bad = verdict.steps
    assert all(step.ok for step in good)
    assert not bad.ok
    assert tuple(step.name for step in verdict.steps) == STEPS[: len(verdict.steps)]
    assert bad.en
    assert any("\u4e00" <= letter <= "\u9fff" for letter in bad.zh)
    return bad.name


def packed(members: dict[str, Any]) -> bytes:
    """The one exact form of a proof file."""
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def test_a_proof_says_what_it_proves() -> None:
    verdict = verify_proof(PROOF, ledger_id=LEDGER_ID)
    entry = CHAIN.store.entry(INDEX)
    assert tuple(step.name for step in verdict.steps) == STEPS
    assert all(step.ok and step.en and step.zh for step in verdict.steps)
    assert verdict == Verdict(
        ok=True,
        steps=verdict.steps,
        ledger_id=LEDGER_ID.hex(),
        transaction_id=entry.id.hex(),
        type="toy.fill",
        signer=did_of(KEY.public),
        index=INDEX,
        size=40,
        time_ms=verdict.time_ms,
    )
    assert verdict.time_ms is not None
    assert verdict.time_ms > START_MS
    assert packed(json.loads(PROOF)) == PROOF


@pytest.mark.parametrize("size", [2, 3, 40, 255, 256, 257, 300])
def test_every_entry_has_a_proof_genesis_included(size: int) -> None:
    chain = in_memory(size)
    for index in {*range(0, size, 17), 0, 1, size - 1, *range(250, min(size, 260))}:
        verdict = verify_proof(make_proof(chain.store, chain.store.entry(index), log_key=LOG))
        assert verdict.ok, verdict.steps[-1]
        assert (verdict.index, verdict.size) == (index, size)
        if index == 0:
            assert verdict.type == "ledger.genesis"
            assert verdict.transaction_id == verdict.ledger_id == LEDGER_ID.hex()


def test_a_log_of_genesis_alone_has_no_proofs_yet() -> None:
    store = in_memory(1).store
    refused("ledger.receipt.one_entry", lambda: make_proof(store, store.entry(0), log_key=LOG))


def test_a_proof_outlives_its_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    store = Store.create(path, machine().collections)
    chain = begin(store, machine())
    grow(chain, 12)
    proofs = [make_proof(store, store.entry(index), log_key=LOG) for index in range(12)]
    store.close()
    path.unlink()
    assert all(verify_proof(proof).ok for proof in proofs)


def test_every_byte_changed_removed_or_added() -> None:
    size = len(PROOF)
    for at in range(size):
        byte = PROOF[at]
        for other in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, (byte + 1) % 256, 0, ord(" ")} - {byte}:
            failed(PROOF[:at] + bytes((other,)) + PROOF[at + 1 :])
        failed(PROOF[:at] + PROOF[at + 1 :])
        failed(PROOF[:at])
    for at in range(size + 1):
        for added in b' \nA0="\\\0\xff':
            failed(PROOF[:at] + bytes((added,)) + PROOF[at:])


@given(st.binary(max_size=120))
def test_other_files_are_no_proofs(data: bytes) -> None:
    assert failed(data) == "form"


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_spliced_files(data: st.DataObject) -> None:
    left, right = (data.draw(st.integers(0, len(PROOF))) for _ in range(2))
    spliced = PROOF[:left] + data.draw(st.binary(max_size=6)) + PROOF[right:]
    if spliced != PROOF:
        failed(spliced)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(json.loads(PROOF)),
        json.dumps(json.loads(PROOF), sort_keys=True, separators=(",", ":")) + "\n\n",
        json.dumps(dict(reversed(json.loads(PROOF).items())), separators=(",", ":")) + "\n",
        "[" * 100_000,
        '{"checkpoint":' + "[" * 100_000,
        "null",
        "\ufeff" + PROOF.decode(),
        PROOF.decode().replace("proof/1", "proof/2"),
        PROOF.decode().replace('"height":', '"height":0'),
        PROOF.decode() * 2,
    ],
)
def test_other_forms_of_the_file(text: str) -> None:
    assert failed(text.encode()) == "form"


def test_a_file_that_is_too_long() -> None:
    assert failed(PROOF.ljust(MAX_PROOF_BYTES + 1, b" ")) == "form"


def other_ledger() -> Chain:
    """A ledger with another genesis, and otherwise the same."""
    store = Store.create(":memory:", machine().collections)
    opening = signed_genesis(OTHER, LOG)
    chain = Chain.create(store, machine(), log_key=LOG, genesis=opening, time_ms=START_MS)
    bodies = [Fill(jar="a", shelf="low", beans=number) for number in range(39)]
    add_block(
        chain,
        [signed(body, n, ledger_id=ledger_id_of(opening)) for n, body in enumerate(bodies)],
    )
    return chain


def test_a_proof_of_another_ledger() -> None:
    chain = other_ledger()
    proof = make_proof(chain.store, chain.store.entry(INDEX), log_key=LOG)
    assert verify_proof(proof, ledger_id=chain.ledger_id).ok
    assert failed(proof, ledger_id=LEDGER_ID) == "ledger"
    assert failed(PROOF, ledger_id=chain.ledger_id) == "ledger"
    mine, theirs = json.loads(PROOF), json.loads(proof)
    assert failed(packed({**mine, "genesis": theirs["genesis"]})) == "signature"
    assert failed(packed({**mine, "checkpoint": theirs["checkpoint"]})) == "checkpoint"
    foreign = {**mine, **{name: theirs[name] for name in ("receipt", "transaction", "height")}}
    assert failed(packed({**foreign, "time_ms": theirs["time_ms"]})) == "signature"


def test_members_of_two_proofs_do_not_mix() -> None:
    """Two entries, and one entry at two sizes: every mixture fails, but for equal members."""
    chain = in_memory(40)
    other_entry = make_proof(chain.store, chain.store.entry(INDEX + 1), log_key=LOG)
    add_block(chain, raws(39, 3))
    other_size = make_proof(chain.store, chain.store.entry(INDEX), log_key=LOG)
    mine = json.loads(PROOF)
    for theirs in (json.loads(other_entry), json.loads(other_size)):
        for names in itertools.product([False, True], repeat=len(mine)):
            mixed = {
                name: (theirs if take else mine)[name]
                for take, name in zip(names, mine, strict=True)
            }
            if mixed in (mine, theirs):
                assert verify_proof(packed(mixed)).ok
            else:
                failed(packed(mixed))


def test_a_checkpoint_with_a_strangers_signature_is_not_the_exact_form() -> None:
    members = json.loads(PROOF)
    members["checkpoint"] = cosign_note(members["checkpoint"], OTHER, name="witness")
    assert failed(packed(members)) == "form"


@pytest.mark.parametrize(
    ("member", "value", "step"),
    [
        ("transaction", "", "signature"),
        ("transaction", "AAAA", "signature"),
        ("genesis", "", "ledger"),
        ("genesis", "AAAA", "ledger"),
        ("receipt", "", "inclusion"),
        ("receipt", "AAAA", "inclusion"),
        ("receipt", "A", "form"),
        ("receipt", "AB==", "form"),
        ("receipt", "AA=\n", "form"),
        ("height", 2**53, "inclusion"),
        ("height", 2**53 + 1, "form"),
        ("height", -1, "form"),
        ("height", "3", "form"),
        ("time_ms", 0, "inclusion"),
        ("time_ms", 1.5, "form"),
        ("checkpoint", "", "form"),
        ("checkpoint", "a\n\nb\n", "form"),
        ("more", 1, "form"),
    ],
)
def test_members_that_are_not_as_they_must_be(member: str, value: Any, step: str) -> None:
    assert failed(packed({**json.loads(PROOF), member: value})) == step


def test_genesis_in_place_of_the_transaction() -> None:
    members = json.loads(PROOF)
    members["transaction"] = members["genesis"]
    assert failed(packed(members)) == "inclusion"
    members["genesis"] = json.loads(PROOF)["transaction"]
    assert failed(packed(members)) == "ledger"
