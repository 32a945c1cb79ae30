"""Writes log.json: leaves, Merkle trees and proofs, tiles, checkpoints, receipts.

Everything comes from the definitions in RFC 9162, RFC 9942 and C2SP by way of recursion, cbor2 and
the cryptography package, not from WattProof. Run it as a script to write the file anew.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["log_vectors"]

HERE = Path(__file__).parent
LOG_SEED = hashlib.sha256(b"wattproof test vector log key").digest()
WITNESS_SEED = hashlib.sha256(b"wattproof test vector witness key").digest()
ORIGIN = "ledger.example/north"
WITNESS = "witness.example"
LARGE = 70_000


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


LEAVES = [sha256(b"\x00entry %d" % index) for index in range(LARGE)]


def split_of(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = split_of(len(leaves))
    return sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:]))


def inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = split_of(len(leaves))
    if index < split:
        return [*inclusion(index, leaves[:split]), root_of(leaves[split:])]
    return [*inclusion(index - split, leaves[split:]), root_of(leaves[:split])]


def consistency(size: int, leaves: list[bytes], *, known: bool = True) -> list[bytes]:
    """RFC 9162, 2.1.4.1."""
    if size == len(leaves):
        return [] if known else [root_of(leaves)]
    split = split_of(len(leaves))
    if size <= split:
        return [*consistency(size, leaves[:split], known=known), root_of(leaves[split:])]
    return [*consistency(size - split, leaves[split:], known=False), root_of(leaves[:split])]


def hexes(items: list[bytes]) -> list[str]:
    return [item.hex() for item in items]


def leaf_vectors() -> list[Any]:
    cases = [(0, 0, 1), (23, 24, 23), (24, 255, 24), (256, 65_536, 255), (65_535, 2**32, 256)]
    vectors = []
    for height, time_ms, size in [*cases, (5_120, 1_767_225_600_000, 300)]:
        transaction = bytes(at % 251 for at in range(size))
        leaf = cbor2.dumps([height, time_ms, transaction])
        vectors.append(
            {
                "height": height,
                "time_ms": time_ms,
                "transaction": transaction.hex(),
                "leaf": leaf.hex(),
                "leaf_hash": sha256(b"\x00" + leaf).hex(),
            }
        )
    return vectors


def tree_vectors() -> Any:
    small = range(1, 10)
    places = [(index, size) for size in small for index in range(size)]
    places += [(index, LARGE) for index in (0, 255, 65_535, 65_536, 69_887, 69_999)]
    growths = [(old, new) for new in small for old in range(1, new + 1)]
    growths += [(old, LARGE) for old in (1, 255, 256, 65_536, 69_999)]
    sizes = [*range(18), 255, 256, 257, 65_536, LARGE]
    return {
        "entries": "entry N is the ASCII text “entry N”, N in decimal, from 0",
        "roots": [{"size": size, "root": root_of(LEAVES[:size]).hex()} for size in sizes],
        "inclusion": [
            {"index": index, "size": size, "path": hexes(inclusion(index, LEAVES[:size]))}
            for index, size in places
        ],
        "consistency": [
            {"old_size": old, "new_size": new, "path": hexes(consistency(old, LEAVES[:new]))}
            for old, new in growths
        ],
    }


def tile_vectors() -> Any:
    last = LEAVES[273 * 256 :]
    level_1 = [root_of(LEAVES[at : at + 256]) for at in range(256 * 256, 273 * 256, 256)]
    bundle = b"".join(
        len(entry).to_bytes(2, "big") + entry
        for entry in (b"entry %d" % index for index in range(273 * 256, LARGE))
    )
    files = {
        "tile/0/273.p/112": b"".join(last),
        "tile/1/001.p/17": b"".join(level_1),
        "tile/2/000.p/1": root_of(LEAVES[: 256 * 256]),
        "tile/entries/273.p/112": bundle,
    }
    return {
        "size": LARGE,
        "files_by_sha256": {path: sha256(data).hex() for path, data in files.items()},
        "paths": [
            {"level": 0, "index": 1_234_067, "width": 256, "path": "tile/0/x001/x234/067"},
            {"level": 1, "index": 0, "width": 17, "path": "tile/1/000.p/17"},
            {"level": None, "index": 1_000, "width": 256, "path": "tile/entries/x001/000"},
            {"level": None, "index": 999, "width": 1, "path": "tile/entries/999.p/1"},
        ],
        "no_paths": [
            "tile/0/0",
            "tile/00/000",
            "tile/0/x000/067",
            "tile/0/001/067",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/64/000",
        ],
    }


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def line_of(name: str, key: Ed25519PrivateKey, body: str) -> str:
    public = key.public_key().public_bytes_raw()
    key_id = sha256(name.encode() + b"\n\x01" + public)[:4]
    return f"— {name} {b64(key_id + key.sign(body.encode()))}\n"


def vkey_of(name: str, key: Ed25519PrivateKey) -> str:
    public = key.public_key().public_bytes_raw()
    key_id = sha256(name.encode() + b"\n\x01" + public)[:4]
    return f"{name}+{key_id.hex()}+{b64(bytes([1]) + public)}"


def checkpoint_vectors() -> Any:
    log = Ed25519PrivateKey.from_private_bytes(LOG_SEED)
    witness = Ed25519PrivateKey.from_private_bytes(WITNESS_SEED)
    root, app_hash = root_of(LEAVES), sha256(b"state")
    body = f"{ORIGIN}\n{LARGE}\n{b64(root)}\napp {b64(app_hash)} 5120\n"
    signed = f"{body}\n{line_of(ORIGIN, log, body)}"
    other = body.replace("5120", "5121")
    return {
        "log_seed": LOG_SEED.hex(),
        "log_vkey": vkey_of(ORIGIN, log),
        "witness_seed": WITNESS_SEED.hex(),
        "witness_vkey": vkey_of(WITNESS, witness),
        "origin": ORIGIN,
        "size": LARGE,
        "root": root.hex(),
        "app_hash": app_hash.hex(),
        "height": 5_120,
        "signed": signed,
        "cosigned": signed + line_of(WITNESS, witness, body),
        "refused": {
            "another text under the signature": signed.replace("5120", "5121"),
            "a known key's wrong signature": f"{body}\n{line_of(ORIGIN, log, other)}",
            "signed by nobody known": f"{body}\n{line_of(WITNESS, witness, body)}",
            "no signature": f"{body}\n",
            "no last newline": signed.removesuffix("\n"),
            "a hyphen for the dash": signed.replace("—", "-"),
            "carriage returns": signed.replace("\n", "\r\n"),
            "a leading zero": resigned(body.replace("\n70000\n", "\n070000\n"), log),
            "a root of 31 bytes": resigned(body.replace(b64(root), b64(root[1:])), log),
            "an empty tree with another root": resigned(body.replace("70000", "0"), log),
            "an empty extension line": resigned(body + "\n", log),
            "another log's origin": resigned(body.replace("north", "south"), log),
        },
    }


def resigned(body: str, key: Ed25519PrivateKey) -> str:
    return f"{body}\n{line_of(ORIGIN, key, body)}"


def receipt_of(index: int, size: int, alg: int, **changes: Any) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(LOG_SEED)
    public = key.public_key().public_bytes_raw()
    protected = cbor2.dumps(changes.get("protected", {1: alg, 4: public, 395: 1}))
    root = root_of(LEAVES[:size])
    signature = key.sign(cbor2.dumps(["Signature1", protected, b"", root]))
    path = changes.get("path", inclusion(index, LEAVES[:size]))
    proof = cbor2.dumps([size, index, path])
    unprotected = {396: {-1: [proof] * changes.get("proofs", 1)}}
    payload = root if "attached" in changes else None
    return cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, payload, signature]))


def receipt_vectors() -> Any:
    key = Ed25519PrivateKey.from_private_bytes(LOG_SEED)
    public = key.public_key().public_bytes_raw()
    good = receipt_of(5, 7, -19)
    first_up = inclusion(5, LEAVES[:7])
    return {
        "public": public.hex(),
        "accepted": [
            {
                "alg": alg,
                "index": index,
                "size": size,
                "leaf_hash": LEAVES[index].hex(),
                "root": root_of(LEAVES[:size]).hex(),
                "receipt": receipt_of(index, size, alg).hex(),
            }
            for index, size, alg in [
                (0, 2, -19),
                (5, 7, -19),
                (5, 7, -8),
                (6, 7, -19),
                (65_536, LARGE, -19),
            ]
        ],
        "leaf_hash_of_those_below": LEAVES[5].hex(),
        "proves_nothing": {
            "another signature": (good[:-1] + bytes([good[-1] ^ 1])).hex(),
            "another path": receipt_of(5, 7, -19, path=[LEAVES[0], *first_up[1:]]).hex(),
            "a shorter path": receipt_of(5, 7, -19, path=first_up[:-1]).hex(),
            "another leaf's": receipt_of(4, 7, -19).hex(),
        },
        "refused": {
            "no bytes": "",
            "a byte more": (good + b"\x00").hex(),
            "a byte less": good[:-1].hex(),
            "an attached root": receipt_of(5, 7, -19, attached=True).hex(),
            "no path": receipt_of(0, 1, -19).hex(),
            "two proofs": receipt_of(5, 7, -19, proofs=2).hex(),
            "another algorithm": receipt_of(5, 7, -7).hex(),
            "another tree": receipt_of(5, 7, -19, protected={1: -19, 4: public, 395: 2}).hex(),
            "members in another order": receipt_of(
                5, 7, -19, protected={1: -19, 395: 1, 4: public}
            ).hex(),
            "a hash of 31 bytes": receipt_of(5, 7, -19, path=[LEAVES[0][1:], *first_up[1:]]).hex(),
        },
    }


def log_vectors() -> Any:
    return {
        "about": "Leaves, trees, tiles, checkpoints and receipts; see docs/log-format.md",
        "leaves": leaf_vectors(),
        "tree": tree_vectors(),
        "tiles": tile_vectors(),
        "checkpoint": checkpoint_vectors(),
        "receipt": receipt_vectors(),
    }


def main() -> None:
    text = json.dumps(log_vectors(), ensure_ascii=False, indent=1)
    (HERE / "log.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
