"""The golden bytes of the log, which anyone may use to test a verifier of their own."""

from __future__ import annotations

import json
import runpy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from wattproof.core.errors import Malformed, Refused
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.checkpoint import (
    Checkpoint,
    app_extension,
    app_of,
    open_checkpoint,
    sign_checkpoint,
)
from wattproof.ledger.leaf import leaf_of, leaf_parts
from wattproof.ledger.merkle import (
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from wattproof.ledger.note import cosign_note, encode_vkey, parse_vkey
from wattproof.ledger.receipt import make_receipt, open_receipt, verify_receipt
from wattproof.ledger.tiles import (
    TILE_WIDTH,
    TileNodes,
    TilePath,
    entry_bundle,
    parse_path,
    tile_root,
    tiles_for,
)

FOLDER = Path(__file__).parent.parent / "vectors"
VECTORS: Any = json.loads((FOLDER / "log.json").read_text(encoding="utf-8"))
TREE, TILES = VECTORS["tree"], VECTORS["tiles"]
CHECKPOINT, RECEIPT = VECTORS["checkpoint"], VECTORS["receipt"]
ENTRIES = [b"entry %d" % index for index in range(TILES["size"])]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def levels_of_tiles() -> list[list[bytes]]:
    levels = [LEAVES]
    while len(below := levels[-1]) >= TILE_WIDTH:
        full = range(0, len(below) - TILE_WIDTH + 1, TILE_WIDTH)
        levels.append([tile_root(b"".join(below[at : at + TILE_WIDTH])) for at in full])
    return levels


LEVELS = levels_of_tiles()


def read_tile(level: int, index: int, width: int) -> bytes:
    begin = index * TILE_WIDTH
    return b"".join(LEVELS[level][begin : begin + width])


def unhex(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(item) for item in path]


def test_the_file_is_what_its_script_writes() -> None:
    made = runpy.run_path(str(FOLDER / "make_log.py"))["log_vectors"]()
    assert json.loads(json.dumps(made)) == VECTORS


@pytest.mark.parametrize("case", VECTORS["leaves"])
def test_leaves(case: Any) -> None:
    raw = bytes.fromhex(case["transaction"])
    leaf = leaf_of(raw, height=case["height"], time_ms=case["time_ms"])
    assert leaf.hex() == case["leaf"]
    assert leaf_parts(leaf) == (case["height"], case["time_ms"], raw)
    assert leaf_hash(leaf).hex() == case["leaf_hash"]


def test_roots_and_proofs() -> None:
    for case in TREE["roots"]:
        assert root_of(LEAVES[: case["size"]]).hex() == case["root"]
    for case in TREE["inclusion"]:
        index, size, path = case["index"], case["size"], unhex(case["path"])
        nodes = TileNodes(read_tile, size=size)
        assert inclusion_path(nodes, index=index, size=size) == path
        assert verify_inclusion(
            leaf=LEAVES[index], index=index, size=size, path=path, root=root_of(LEAVES[:size])
        )
    for case in TREE["consistency"]:
        old_size, new_size, path = case["old_size"], case["new_size"], unhex(case["path"])
        nodes = TileNodes(read_tile, size=new_size)
        assert consistency_path(nodes, old_size=old_size, new_size=new_size) == path
        assert verify_consistency(
            old_size=old_size,
            new_size=new_size,
            old_root=root_of(LEAVES[:old_size]),
            new_root=root_of(LEAVES[:new_size]),
            path=path,
        )


def test_tiles() -> None:
    exist = {path.text for path in tiles_for(TILES["size"])}
    for text, digest in TILES["files_by_sha256"].items():
        path = parse_path(text)
        begin = path.index * TILE_WIDTH
        if path.level is None:
            data = entry_bundle(ENTRIES[begin : begin + path.width])
        else:
            assert text in exist
            data = read_tile(path.level, path.index, path.width)
        assert sha256(data).hexdigest() == digest
    for case in TILES["paths"]:
        path = TilePath(level=case["level"], index=case["index"], width=case["width"])
        assert path.text == case["path"]
        assert parse_path(case["path"]) == path
    for text in TILES["no_paths"]:
        with pytest.raises(Malformed):
            parse_path(text)


def test_checkpoint() -> None:
    log = SigningKey.from_seed(bytes.fromhex(CHECKPOINT["log_seed"]))
    witness = SigningKey.from_seed(bytes.fromhex(CHECKPOINT["witness_seed"]))
    app_hash = bytes.fromhex(CHECKPOINT["app_hash"])
    head = Checkpoint(
        origin=CHECKPOINT["origin"],
        size=CHECKPOINT["size"],
        root=bytes.fromhex(CHECKPOINT["root"]),
        extensions=(app_extension(app_hash=app_hash, height=CHECKPOINT["height"]),),
    )
    name, public = parse_vkey(CHECKPOINT["log_vkey"])
    witness_name, witness_public = parse_vkey(CHECKPOINT["witness_vkey"])
    assert encode_vkey(name, log.public) == CHECKPOINT["log_vkey"]
    signed = sign_checkpoint(head, log, name)
    assert signed == CHECKPOINT["signed"]
    cosigned = cosign_note(signed, witness, name=witness_name)
    assert cosigned == CHECKPOINT["cosigned"]
    assert open_checkpoint(cosigned, name=name, public=public) == head
    assert open_checkpoint(cosigned, name=witness_name, public=witness_public, origin=name) == head
    assert app_of(head) == (app_hash, CHECKPOINT["height"])


@pytest.mark.parametrize("why", CHECKPOINT["refused"])
def test_refused_checkpoints(why: str) -> None:
    name, public = parse_vkey(CHECKPOINT["log_vkey"])
    with pytest.raises(Refused):
        open_checkpoint(CHECKPOINT["refused"][why], name=name, public=public)


@pytest.mark.parametrize("case", RECEIPT["accepted"])
def test_receipts(case: Any) -> None:
    key = SigningKey.from_seed(bytes.fromhex(CHECKPOINT["log_seed"]))
    raw, leaf = bytes.fromhex(case["receipt"]), bytes.fromhex(case["leaf_hash"])
    proof = open_receipt(raw)
    root = bytes.fromhex(case["root"])
    assert (proof.alg, proof.index, proof.size) == (case["alg"], case["index"], case["size"])
    assert proof.root(leaf) == root
    assert verify_receipt(raw, leaf_hash=leaf, public=bytes.fromhex(RECEIPT["public"]))
    made = make_receipt(
        key=key,
        leaf_hash=leaf,
        index=proof.index,
        size=proof.size,
        path=proof.path,
        root=root,
        alg=proof.alg,
    )
    assert made == raw


def test_receipts_that_prove_nothing_or_are_none() -> None:
    public = bytes.fromhex(RECEIPT["public"])
    leaf = bytes.fromhex(RECEIPT["leaf_hash_of_those_below"])
    for text in RECEIPT["proves_nothing"].values():
        assert not verify_receipt(bytes.fromhex(text), leaf_hash=leaf, public=public)
    for text in RECEIPT["refused"].values():
        with pytest.raises(Malformed, match=r"ledger\.receipt\.form"):
            verify_receipt(bytes.fromhex(text), leaf_hash=leaf, public=public)
