"""Writes ed25519.json: weak public keys, and signatures on which libraries disagree.

The points come from plain integer arithmetic on the curve (RFC 8032, 5.1), not from WattProof or
libsodium. Run it as a script to write the file anew.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["ed25519_vectors"]

HERE = Path(__file__).parent
SEED = hashlib.sha256(b"wattproof test vector key").digest()

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
SIGN = 1 << 255
Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(one: Point, two: Point) -> Point:
    (a, b), (c, d) = one, two
    product = D * a * b * c * d % P
    x = (a * d + b * c) * pow(1 + product, -1, P) % P
    return x, (b * d + a * c) * pow(1 - product, -1, P) % P


def times(scalar: int, point: Point) -> Point:
    total = IDENTITY
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def root(square: int) -> int:
    """A square root modulo P (RFC 8032, 5.1.3)."""
    found = pow(square, (P + 3) // 8, P)
    if (found * found - square) % P:
        found = found * ROOT % P
    assert (found * found - square) % P == 0, "no square"
    return found


def x_of(y: int, odd: int) -> int:
    x = root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
    return x if x & 1 == odd else P - x


def packed(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


BASE: Point = (x_of(4 * pow(5, -1, P) % P, 0), 4 * pow(5, -1, P) % P)
# On a point of order 8, x^2 = -y^2, so the curve's equation becomes D y^4 + 2 y^2 - 1 = 0. Such a
# point generates all eight points of small order.
Y2 = (root(1 + D) - 1) * pow(D, -1, P) % P
if pow(Y2, (P - 1) // 2, P) != 1:
    Y2 = (-root(1 + D) - 1) * pow(D, -1, P) % P
TORSION = [times(k, (x_of(root(Y2), 0), root(Y2))) for k in range(8)]
assert len(set(TORSION)) == 8 and times(8, TORSION[1]) == IDENTITY


def challenge(r: bytes, a: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % ORDER


def crafted(name: str, a: Point, r: Point, s: int, message: bytes) -> Any:
    signature = packed(r) + s.to_bytes(32, "little")
    return {
        "name": name,
        "public": packed(a).hex(),
        "message": message.hex(),
        "signature": signature.hex(),
        "valid": False,
    }


def signature_vectors() -> list[Any]:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    public, message = key.public_key().public_bytes_raw(), b"watt-hours"
    good = key.sign(message)
    s = int.from_bytes(good[32:], "little")
    clamped = bytearray(hashlib.sha512(SEED).digest()[:32])
    clamped[0] &= 248
    clamped[31] = clamped[31] & 63 | 64
    a = int.from_bytes(clamped, "little")
    point = times(a, BASE)
    assert packed(point) == public
    r = 8 * 9 + 1
    cases = [
        {
            "name": "honest",
            "public": public.hex(),
            "message": message.hex(),
            "signature": good.hex(),
            "valid": True,
        },
        crafted("A = R = identity, S = 0: good for every message", IDENTITY, IDENTITY, 0, message),
        crafted(
            "honest key, R = identity",
            point,
            IDENTITY,
            challenge(packed(IDENTITY), public, message) * a % ORDER,
            message,
        ),
    ]
    for name, number in (
        ("S + L", s + ORDER),
        ("S + 8 L", s + 8 * ORDER),
        ("S = 2^256 - 1", 2**256 - 1),
    ):
        case = dict(cases[0], name=f"non-canonical {name}", valid=False)
        case["signature"] = (good[:32] + number.to_bytes(32, "little")).hex()
        cases.append(case)
    shifted = add(times(r, BASE), TORSION[1])
    s = (r + challenge(packed(shifted), public, message) * a) % ORDER
    cases.append(
        crafted("R of mixed order: only the cofactored equation holds", point, shifted, s, message)
    )
    mixed = add(point, TORSION[1])
    nonce = times(r, BASE)
    h = challenge(packed(nonce), packed(mixed), message)
    assert h % 8, "pick another nonce: this one satisfies both equations"
    s = (r + h * a) % ORDER
    cases.append(
        crafted("A of mixed order: only the cofactored equation holds", mixed, nonce, s, message)
    )
    for k, small in enumerate(TORSION):
        cases.append(
            crafted(
                f"A of small order ({k} times the generator), R = B, S = 1", small, BASE, 1, message
            )
        )
    return cases


def little(number: int) -> str:
    return number.to_bytes(32, "little").hex()


def is_off_curve(y: int) -> bool:
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P)
    return pow(x2, (P - 1) // 2, P) == P - 1


def ed25519_vectors() -> Any:
    honest = times(12345, BASE)
    weak = [{"public": packed(point).hex(), "why": "small_order"} for point in TORSION]
    # The points (0, 1) and (0, -1) with the sign bit that only a nonzero x can have.
    # Then y from p to 2^255 - 1, with either sign: the second spellings of 0 to 18.
    doubles = [1 | SIGN, P - 1 | SIGN]
    doubles += [y | sign for y in range(P, 2**255) for sign in (0, SIGN)]
    weak += [{"public": little(y), "why": "non_canonical"} for y in doubles]
    weak += [
        {"public": packed(add(honest, point)).hex(), "why": "mixed_order"} for point in TORSION[1:]
    ]
    weak += [{"public": little(y), "why": "off_curve"} for y in range(2, 40) if is_off_curve(y)]
    return {
        "about": "Ed25519 public keys and signatures; see docs/wire-format.md",
        "good_keys": [packed(times(n, BASE)).hex() for n in (1, 2, 12345)],
        "weak_keys": weak,
        "signatures": signature_vectors(),
    }


def main() -> None:
    text = json.dumps(ed25519_vectors(), ensure_ascii=False, indent=1)
    (HERE / "ed25519.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
