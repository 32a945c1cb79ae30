"""Writes envelopes.json, the golden envelopes, without any of WattProof's own code.

The CBOR is cbor2's and the signatures are OpenSSL's (through `cryptography`), so the vectors are a
second opinion: the tests demand that WattProof agrees with them byte for byte. Run it as a script
to write the file anew.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["envelope_vectors"]

HERE = Path(__file__).parent
TAG_OF_WIDTH = {1: 64, 2: 69, 4: 70, 8: 71}
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

LEDGER_ID = hashlib.sha256(b"wattproof test vector ledger").digest()
OTHER_LEDGER_ID = hashlib.sha256(b"another ledger").digest()
SEED = hashlib.sha256(b"wattproof test vector key").digest()
NONCE = bytes(range(16))


def uints(numbers: list[int], width: int) -> dict[str, Any]:
    return {"uint_array": [str(n) if n >> 53 else n for n in numbers], "width": width}


def octets(data: bytes) -> dict[str, str]:
    return {"bytes": data.hex()}


def integer(number: int) -> int | dict[str, str]:
    """A number that every JSON reader takes exactly, or its decimal digits."""
    return number if abs(number) < 1 << 53 else {"int": str(number)}


def plain(field: Any) -> Any:
    """The value that cbor2 encodes for a field of the JSON file."""
    if isinstance(field, list):
        return [plain(item) for item in field]
    if not isinstance(field, dict):
        return field
    if "bytes" in field:
        return bytes.fromhex(field["bytes"])
    if "int" in field:
        return int(field["int"])
    width = field["width"]
    data = b"".join(int(n).to_bytes(width, "little") for n in field["uint_array"])
    return cbor2.CBORTag(TAG_OF_WIDTH[width], data)


def did_key(public: bytes) -> str:
    number = int.from_bytes(b"\xed\x01" + public, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return "did:key:z" + digits


def envelope(name: str, fields: list[Any], *, aad: bytes = LEDGER_ID, alg: int = -19) -> Any:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    public = key.public_key().public_bytes_raw()
    payload = cbor2.dumps(plain(fields))
    protected = cbor2.dumps({1: alg, 4: public})
    signed = cbor2.dumps(["Signature1", protected, aad, payload])
    signature = key.sign(signed)
    transaction = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))
    return {
        "name": name,
        "key_seed": SEED.hex(),
        "public": public.hex(),
        "did": did_key(public),
        "external_aad": aad.hex(),
        "alg": alg,
        "fields": fields,
        "payload": payload.hex(),
        "protected": protected.hex(),
        "sig_structure": signed.hex(),
        "signature": signature.hex(),
        "transaction": transaction.hex(),
        "id": hashlib.sha256(transaction).hexdigest(),
    }


def envelope_vectors() -> Any:
    readings = [250 + 37 * i % 400 for i in range(96)]
    packet = ["example.packet", 1, octets(NONCE), 7, 1514732400, 900, 123456]
    nested: list[Any] = []
    for _ in range(7):
        nested = [nested]
    integers = [0, 1, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53, 2**63 - 1]
    negative = [-1, -24, -25, -256, -257, -65536, -65537, -(2**32), -(2**32) - 1, -(2**63)]
    arrays = [
        uints([], 1),
        uints([0, 1, 255], 1),
        uints([0, 256, 65535], 2),
        uints([65536, 2**32 - 1], 4),
        uints([0, 2**32, 2**64 - 1], 8),
    ]
    texts = ["", "a", "上海电力", "x" * 23, "x" * 24, "\U0001f50c"]
    cases = [
        envelope("smallest", ["example.a", 1, octets(NONCE)]),
        envelope("packet of 4 readings", [*packet, uints([250, 287, 324, 361], 2)]),
        envelope("packet of 96 readings", [*packet, uints(readings, 2), uints([], 1)]),
        envelope(
            "same payload, another ledger", ["example.a", 1, octets(NONCE)], aad=OTHER_LEDGER_ID
        ),
        envelope(
            "genesis: text as external_aad",
            ["example.a", 1, octets(NONCE)],
            aad=b"wattproof genesis v1",
        ),
        envelope("algorithm -8, accepted on input", ["example.a", 1, octets(NONCE)], alg=-8),
        envelope("integers", [integer(n) for n in integers + negative]),
        envelope("typed arrays", arrays),
        envelope("texts", texts),
        envelope("simple values", [True, False, None]),
        envelope("byte strings", [octets(bytes(n)) for n in (0, 1, 23, 24, 255, 256)]),
        envelope("eight arrays deep", nested),
        *(
            envelope(f"payload of {size} bytes", [octets(bytes(size - head))])
            for size, head in ((2, 2), (23, 2), (24, 2), (255, 3), (256, 3), (257, 3), (1024, 4))
        ),
    ]
    return {"about": "Signed envelopes; see docs/wire-format.md", "cases": cases}


def main() -> None:
    text = json.dumps(envelope_vectors(), ensure_ascii=False, indent=1)
    (HERE / "envelopes.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
