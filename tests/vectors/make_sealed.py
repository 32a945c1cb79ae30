"""Writes sealed.json: epoch keys, sealed secrets, tokens and wrapped keys in golden bytes.

AES-GCM-SIV is plain arithmetic here, after RFC 8452, over single blocks of AES from OpenSSL; HKDF
is written out from RFC 5869; a sealed box is put together with a one-time key that stays the same.
None of it is WattProof's own code. The arithmetic is held against the RFC's cases, in rfc8452.json.
Run it as a script to write the file anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from nacl.bindings import crypto_box_easy, crypto_scalarmult_base

__all__ = ["gcm_siv", "sealed_vectors"]

HERE = Path(__file__).parent
LEDGER_ID = hashlib.sha256(b"wattproof test vector ledger").digest()
KEY_ID = bytes(range(16))
SECRET = hashlib.sha256(b"wattproof test vector epoch key").digest()
SEED = hashlib.sha256(b"wattproof test vector key").digest()
ONE_TIME = hashlib.sha256(b"wattproof test vector one-time key").digest()

REDUCTION = (1 << 128) | (1 << 127) | (1 << 126) | (1 << 121) | 1
X_MINUS_128 = (1 << 127) | (1 << 124) | (1 << 121) | (1 << 114) | 1


def times(one: int, two: int) -> int:
    """The product of two elements of the field of POLYVAL (RFC 8452, 3)."""
    product = 0
    for bit in range(128):
        if two >> bit & 1:
            product ^= one << bit
    for bit in range(254, 127, -1):
        if product >> bit & 1:
            product ^= REDUCTION << (bit - 128)
    return product


def polyval(key: bytes, data: bytes) -> bytes:
    h, total = int.from_bytes(key, "little"), 0
    for at in range(0, len(data), 16):
        block = int.from_bytes(data[at : at + 16], "little")
        total = times(times(total ^ block, h), X_MINUS_128)
    return total.to_bytes(16, "little")


def aes(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def gcm_siv(key: bytes, *, nonce: bytes, plain: bytes, aad: bytes) -> bytes:
    """Ciphertext and tag (RFC 8452, 4)."""
    parts = [aes(key, number.to_bytes(4, "little") + nonce)[:8] for number in range(6)]
    authentication, encryption = b"".join(parts[:2]), b"".join(parts[2:])
    lengths = (8 * len(aad)).to_bytes(8, "little") + (8 * len(plain)).to_bytes(8, "little")
    hashed = bytearray(polyval(authentication, padded(aad) + padded(plain) + lengths))
    for place, byte in enumerate(nonce):
        hashed[place] ^= byte
    hashed[15] &= 0x7F
    tag = aes(encryption, bytes(hashed))
    counter = bytearray(tag)
    counter[15] |= 0x80
    out = bytearray()
    for at in range(0, len(plain), 16):
        stream = aes(encryption, bytes(counter))
        out += bytes(a ^ b for a, b in zip(plain[at : at + 16], stream, strict=False))
        number = (int.from_bytes(counter[:4], "little") + 1) % 2**32
        counter[:4] = number.to_bytes(4, "little")
    return bytes(out) + tag


def hkdf(secret: bytes, info: bytes) -> bytes:
    extracted = hmac.new(LEDGER_ID + KEY_ID, secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def sealed(plain: bytes, place: int) -> dict[str, Any]:
    place_bytes = place.to_bytes(8, "big")
    out = gcm_siv(
        hkdf(SECRET, b"wattproof seal v1"),
        nonce=bytes(4) + place_bytes,
        plain=plain,
        aad=b"wattproof sealed v1\0" + LEDGER_ID + KEY_ID + place_bytes,
    )
    return {"place": place, "secret": plain.hex(), "sealed": out.hex()}


def token(field: str, value: str, place: int) -> dict[str, Any]:
    message = place.to_bytes(8, "big") + field.encode() + b"\0" + value.encode()
    full = hmac.new(hkdf(SECRET, b"wattproof index v1"), message, hashlib.sha256).digest()
    return {"place": place, "field": field, "value": value, "token": full[:4].hex()}


def montgomery(public: bytes) -> bytes:
    """The X25519 public key of an Ed25519 one: u = (1 + y) / (1 - y) (RFC 7748, 4.1)."""
    p = 2**255 - 19
    y = int.from_bytes(public, "little") & (2**255 - 1)
    return ((1 + y) * pow(1 - y, -1, p) % p).to_bytes(32, "little")


def wrapped(secret: bytes) -> dict[str, Any]:
    """A sealed box: nonce = BLAKE2b-24(one-time public key || receiver's public key)."""
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
    receiver, one_time = montgomery(public), crypto_scalarmult_base(ONE_TIME)
    nonce = hashlib.blake2b(one_time + receiver, digest_size=24).digest()
    box = one_time + crypto_box_easy(secret, nonce, receiver, ONE_TIME)
    return {"seed": SEED.hex(), "public": public.hex(), "secret": secret.hex(), "box": box.hex()}


def sealed_vectors() -> dict[str, Any]:
    places = (0, 1, 2**32, 2**64 - 1)
    return {
        "ledger_id": LEDGER_ID.hex(),
        "key_id": KEY_ID.hex(),
        "key": SECRET.hex(),
        "check": hkdf(SECRET, b"wattproof check v1").hex(),
        "sealed": [
            sealed(plain, place)
            for place in places
            for plain in (b"", b"watt-hours", bytes(range(32)), bytes(range(64)))
        ],
        "tokens": [
            token(field, value, place)
            for place in places
            for field, value in (("kind", "supply"), ("province", "CN-SH"), ("", "0"))
        ],
        "wrapped": [wrapped(SECRET), wrapped(b"")],
    }


if __name__ == "__main__":
    text = json.dumps(sealed_vectors(), indent=1) + "\n"
    (HERE / "sealed.json").write_text(text, encoding="utf-8")
