"""Receipts: what is proven, and that nothing else passes."""

from __future__ import annotations

from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattproof.core.errors import Broken, Conflict, Malformed
from wattproof.keys.cose import ALG_ED25519, ALG_EDDSA
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.merkle import (
    MAX_SIZE,
    Frontier,
    inclusion_path,
    inclusion_root,
    leaf_hash,
    node_hash,
    root_of,
)
from wattproof.ledger.receipt import (
    MAX_RECEIPT_BYTES,
    make_receipt,
    open_receipt,
    verify_receipt,
)
from wattproof.ledger.tiles import TileNodes

LOG = SigningKey.from_seed(b"log".ljust(32, b"."))
OTHER = SigningKey.from_seed(b"witness".ljust(32, b"."))
LEAVES = [leaf_hash(b"entry %d" % index) for index in range(40)]


def path_of(index: int, size: int) -> list[bytes]:
    nodes = TileNodes(
        lambda level, _, width: b"".join(LEAVES[:width]) if level == 0 else b"", size=size
    )
    return inclusion_path(nodes, index=index, size=size)


def receipt_of(index: int, size: int, *, alg: int = ALG_ED25519) -> bytes:
    return make_receipt(
        key=LOG,
        leaf_hash=LEAVES[index],
        index=index,
        size=size,
        path=path_of(index, size),
        root=root_of(LEAVES[:size]),
        alg=alg,
    )


@pytest.mark.parametrize("alg", [ALG_ED25519, ALG_EDDSA])
@pytest.mark.parametrize("size", [2, 3, 7, 8, 33, 40])
def test_every_entry_has_a_receipt(size: int, alg: int) -> None:
    for index in range(size):
        raw = receipt_of(index, size, alg=alg)
        assert verify_receipt(raw, leaf_hash=LEAVES[index], public=LOG.public)
        proof = open_receipt(raw)
        assert (proof.alg, proof.kid, proof.size, proof.index) == (alg, LOG.public, size, index)
        assert list(proof.path) == path_of(index, size)
        assert proof.root(LEAVES[index]) == root_of(LEAVES[:size])


def test_the_structure_is_that_of_the_rfc() -> None:
    message = cbor2.loads(receipt_of(5, 7))
    assert message.tag == 18
    protected, unprotected, payload, signature = message.value
    assert cbor2.loads(protected) == {1: -19, 4: LOG.public, 395: 1}
    assert list(cbor2.loads(protected)) == [1, 4, 395]
    assert payload is None
    assert len(signature) == 64
    assert unprotected == {396: {-1: [cbor2.dumps([7, 5, path_of(5, 7)])]}}
    signed = cbor2.dumps(["Signature1", protected, b"", root_of(LEAVES[:7])])
    assert LOG.sign(signed) == signature


def test_another_leaf_or_key_is_not_proven() -> None:
    raw = receipt_of(5, 7)
    assert not verify_receipt(raw, leaf_hash=LEAVES[4], public=LOG.public)
    assert not verify_receipt(raw, leaf_hash=LEAVES[5], public=OTHER.public)
    assert not verify_receipt(raw, leaf_hash=b"", public=LOG.public)


@given(index=st.integers(0, 32), data=st.data())
def test_a_changed_bit_is_refused_or_proves_nothing(index: int, data: st.DataObject) -> None:
    raw = bytearray(receipt_of(index, 33))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        proof = open_receipt(bytes(raw))
    except Malformed as error:
        assert error.code == "ledger.receipt.form"
        return
    if verify_receipt(bytes(raw), leaf_hash=LEAVES[index], public=LOG.public):
        # Size and index are not signed: they may say another place that is reached the same way.
        whole = open_receipt(receipt_of(index, 33))
        assert msgspec.structs.replace(proof, size=33, index=index) == whole
        assert proof.root(LEAVES[index]) == root_of(LEAVES[:33])


@given(data=st.binary(max_size=400), cut=st.integers(0, 300))
def test_any_bytes_are_refused_or_prove_nothing(data: bytes, cut: int) -> None:
    raw = receipt_of(5, 7)
    for wrong in (data, raw[:cut] + data, raw[:-1], raw + b"\x00"):
        try:
            assert wrong == raw or not verify_receipt(wrong, leaf_hash=LEAVES[5], public=LOG.public)
        except Malformed as error:
            assert error.code == "ledger.receipt.form"


def rebuilt(**changes: Any) -> bytes:
    """A receipt of entry 5 of 7 with other parts, encoded deterministically and signed."""
    parts: dict[str, Any] = {
        "protected": {1: -19, 4: LOG.public, 395: 1},
        "proof": [7, 5, path_of(5, 7)],
        "payload": None,
        "labels": (396, -1),
        "tag": 18,
        "more": [],
    }
    parts.update(changes)
    protected = cbor2.dumps(parts["protected"])
    signed = cbor2.dumps(["Signature1", protected, b"", root_of(LEAVES[:7])])
    outer, inner = parts["labels"]
    proofs = [cbor2.dumps(parts["proof"]), *parts["more"]]
    return cbor2.dumps(
        cbor2.CBORTag(
            parts["tag"],
            [protected, {outer: {inner: proofs}}, parts["payload"], LOG.sign(signed)],
        )
    )


def test_the_rebuilt_receipt_is_ours() -> None:
    assert rebuilt() == receipt_of(5, 7)


@pytest.mark.parametrize(
    "changes",
    [
        {"protected": {1: -7, 4: LOG.public, 395: 1}},
        {"protected": {1: -19, 4: LOG.public, 395: 2}},
        {"protected": {1: -19, 395: 1, 4: LOG.public}},
        {"protected": {1: -19, 4: LOG.public[:-1], 395: 1}},
        {"protected": {1: -19, 2: [395], 4: LOG.public, 395: 1}},
        {"proof": [7, 5]},
        {"proof": [7, 5, []]},
        {"proof": [7, 5, [b"short"]]},
        {"proof": [7, 5, [7]]},
        {"proof": [7, 7, [LEAVES[0]]]},
        {"proof": [7, -1, [LEAVES[0]]]},
        {"proof": [True, False, [LEAVES[0]]]},
        {"proof": [7, True, [LEAVES[0]]]},
        {"proof": [MAX_SIZE + 1, 5, [LEAVES[0]]]},
        {"proof": [2**64, 5, [LEAVES[0]]]},
        {"proof": {0: 7, 1: 5}},
        {"proof": [7.0, 5, [LEAVES[0]]]},
        {"proof": [7, 5, [LEAVES[0]] * 200]},
        {"payload": b""},
        {"payload": root_of(LEAVES[:7])},
        {"labels": (395, -1)},
        {"labels": (396, -2)},
        {"tag": 17},
        {"more": [cbor2.dumps([7, 5, path_of(5, 7)])]},
    ],
)
def test_other_structures_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=r"ledger\.receipt\.form"):
        open_receipt(rebuilt(**changes))


def test_nothing_is_signed_that_would_not_verify() -> None:
    good: dict[str, Any] = {
        "key": LOG,
        "leaf_hash": LEAVES[5],
        "index": 5,
        "size": 7,
        "path": path_of(5, 7),
        "root": root_of(LEAVES[:7]),
    }
    assert make_receipt(**good) == receipt_of(5, 7)
    wrong: list[dict[str, Any]] = [
        {"leaf_hash": LEAVES[4]},
        {"index": 4},
        {"index": 7},
        {"path": []},
        {"root": LEAVES[0]},
    ]
    for changes in wrong:
        with pytest.raises(Broken, match=r"ledger\.receipt\.root"):
            make_receipt(**{**good, **changes})


def test_a_log_of_one_entry_has_no_receipt() -> None:
    with pytest.raises(Conflict, match="one_entry"):
        make_receipt(
            key=LOG, leaf_hash=LEAVES[0], index=0, size=1, path=[], root=root_of(LEAVES[:1])
        )


def test_the_longest_receipt_fits() -> None:
    levels = [LEAVES[0]]
    for _ in range(62):
        levels.append(node_hash(levels[-1], levels[-1]))
    root = Frontier.restore(MAX_SIZE, [levels[62]]).root()
    path = levels[:62]
    assert inclusion_root(leaf=LEAVES[0], index=MAX_SIZE - 1, size=MAX_SIZE, path=path) == root
    raw = make_receipt(
        key=LOG, leaf_hash=LEAVES[0], index=MAX_SIZE - 1, size=MAX_SIZE, path=path, root=root
    )
    assert len(raw) < MAX_RECEIPT_BYTES
    assert verify_receipt(raw, leaf_hash=LEAVES[0], public=LOG.public)
