"""Other people's verifiers accept our roots, proofs and receipts, and refuse spoilt ones."""

from __future__ import annotations

import pymerkle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cwt import COSE, COSEKey
from cwt.exceptions import VerifyError
from pycose.keys.curves import Ed25519
from pycose.keys.okp import OKPKey
from pycose.messages.sign1message import Sign1Message
from scitt_cose import merkle as scitt_merkle
from scitt_cose import receipt as scitt_receipt

from wattproof.keys.cose import ALG_ED25519, ALG_EDDSA
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.merkle import consistency_path, inclusion_path, leaf_hash, root_of
from wattproof.ledger.receipt import make_receipt
from wattproof.ledger.tiles import TileNodes

LOG = SigningKey.from_seed(b"log".ljust(32, b"."))
ENTRIES = [b"entry %d" % index for index in range(100)]
HEX_ENTRIES = [entry.hex() for entry in ENTRIES]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
SIZES = [1, 2, 3, 5, 8, 13, 64, 65, 99, 100]


def nodes(size: int) -> TileNodes:
    return TileNodes(lambda level, index, width: b"".join(LEAVES[:width]), size=size)  # noqa: ARG005


def hexes(path: list[bytes]) -> list[str]:
    return [item.hex() for item in path]


@pytest.fixture(scope="module")
def foreign_tree() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in ENTRIES:
        tree.append_entry(entry)
    return tree


@pytest.mark.parametrize("size", SIZES)
def test_pymerkle_makes_the_same_root_and_paths(
    foreign_tree: pymerkle.InmemoryTree, size: int
) -> None:
    root = root_of(LEAVES[:size])
    assert foreign_tree.get_root(size) == root
    for index in range(size):
        ours = inclusion_path(nodes(size), index=index, size=size)
        proof = foreign_tree.prove_inclusion(index + 1, size)
        assert proof.path == [LEAVES[index], *ours]
        proof.path = [LEAVES[index], *ours]
        pymerkle.verify_inclusion(LEAVES[index], root, proof)
        with pytest.raises(pymerkle.InvalidProof):
            pymerkle.verify_inclusion(LEAVES[index], LEAVES[99], proof)


@pytest.mark.parametrize("size", SIZES)
def test_scitt_cose_accepts_roots_and_inclusion_proofs(size: int) -> None:
    root = root_of(LEAVES[:size])
    assert scitt_merkle.merkle_root(HEX_ENTRIES[:size]) == root.hex()
    for index in range(size):
        path = hexes(inclusion_path(nodes(size), index=index, size=size))
        entry = HEX_ENTRIES[index]
        assert scitt_merkle.inclusion_proof(HEX_ENTRIES[:size], index) == path
        assert scitt_merkle.verify_inclusion(entry, index, size, path, root.hex())
        assert not scitt_merkle.verify_inclusion(entry, index, size, path, LEAVES[99].hex())


@pytest.mark.parametrize("size", SIZES)
def test_scitt_cose_accepts_consistency_proofs(size: int) -> None:
    new_root = root_of(LEAVES[:size])
    for old_size in range(1, size + 1):
        old_root = root_of(LEAVES[:old_size])
        path = hexes(consistency_path(nodes(size), old_size=old_size, new_size=size))
        assert scitt_merkle.consistency_proof(HEX_ENTRIES[:size], old_size, size) == path
        assert scitt_merkle.verify_consistency(old_root.hex(), new_root.hex(), old_size, size, path)
        assert not scitt_merkle.verify_consistency(
            LEAVES[99].hex(), new_root.hex(), old_size, size, path
        )


def receipt_of(index: int, size: int, alg: int) -> bytes:
    return make_receipt(
        key=LOG,
        leaf_hash=LEAVES[index],
        index=index,
        size=size,
        path=inclusion_path(nodes(size), index=index, size=size),
        root=root_of(LEAVES[:size]),
        alg=alg,
    )


def pem_of(public: bytes) -> bytes:
    return Ed25519PublicKey.from_public_bytes(public).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize(("index", "size"), [(0, 2), (1, 2), (4, 5), (17, 64), (64, 65), (7, 99)])
def test_scitt_cose_verifies_a_receipt(index: int, size: int) -> None:
    """With alg -8: scitt-cose 0.5 does not know RFC 9864's -19."""
    raw = receipt_of(index, size, ALG_EDDSA)
    pem = pem_of(LOG.public)
    result = scitt_receipt.verify_receipt(
        raw, leaf_entry_hex=HEX_ENTRIES[index], log_public_key_pem=pem
    )
    assert result.ok, result.errors
    assert result.root == root_of(LEAVES[:size]).hex()
    assert (result.tree_size, result.leaf_index) == (size, index)
    assert result.protected_header_ext == {4: LOG.public}
    other = scitt_receipt.verify_receipt(
        raw, leaf_entry_hex=HEX_ENTRIES[98], log_public_key_pem=pem
    )
    assert not other.ok


def test_scitt_cose_reads_a_receipt_of_alg_19_up_to_its_signature() -> None:
    result = scitt_receipt.verify_receipt(
        receipt_of(7, 99, ALG_ED25519),
        leaf_entry_hex=HEX_ENTRIES[7],
        log_public_key_pem=pem_of(LOG.public),
    )
    assert result.root == root_of(LEAVES[:99]).hex()
    assert "-19" in result.errors[0]


@pytest.mark.parametrize("alg", [ALG_ED25519, ALG_EDDSA])
def test_cwt_verifies_the_signature_of_a_receipt(alg: int) -> None:
    raw = receipt_of(7, 99, alg)
    key = COSEKey.new({1: 1, 2: LOG.public, 3: alg, -1: 6, -2: LOG.public})
    reader = COSE.new(verify_kid=True)
    root = root_of(LEAVES[:99])
    assert reader.decode(raw, key, detached_payload=root) == root
    with pytest.raises(VerifyError):
        reader.decode(raw, key, detached_payload=LEAVES[0])


def test_pycose_verifies_the_signature_of_a_receipt() -> None:
    """With alg -8: pycose 1.1 does not know RFC 9864's -19."""
    message = Sign1Message.decode(receipt_of(7, 99, ALG_EDDSA))
    assert isinstance(message, Sign1Message)
    message.key = OKPKey(crv=Ed25519, x=LOG.public)
    assert message.verify_signature(detached_payload=root_of(LEAVES[:99]))
    assert not message.verify_signature(detached_payload=LEAVES[0])
