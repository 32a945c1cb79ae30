"""Keys that follow from another one, so that nothing else has to be kept.

A derived key is HMAC-SHA-256 over a purpose, keyed by the seed of the key that it follows from (the
expansion step of HKDF, RFC 5869, for one block). Who has the derived key learns nothing of the
other one, nor of keys for other purposes.
"""

from __future__ import annotations

import hashlib
import hmac

from wattproof.keys.ed25519 import SigningKey

__all__ = ["derived_key", "derived_secret", "hkdf"]

_DOMAIN = b"wattproof derived key v1\0"


def derived_key(key: SigningKey, purpose: str) -> SigningKey:
    """The signing key that follows from `key` for this purpose: always the same one."""
    return SigningKey.from_seed(derived_secret(key, f"signing\0{purpose}"))


def derived_secret(key: SigningKey, purpose: str) -> bytes:
    """32 bytes that follow from `key` for this purpose, for sealing what is one's own."""
    if not purpose:
        raise AssertionError("a derived key is for something")
    text = purpose.encode() + b"\x01"  # the number of the block
    return hmac.digest(key.seed, _DOMAIN + text, hashlib.sha256)


def hkdf(secret: bytes, *, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 (RFC 5869), extraction and one block of expansion: 32 bytes."""
    extracted = hmac.digest(salt, secret, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)
