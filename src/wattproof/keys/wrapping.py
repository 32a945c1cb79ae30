"""A secret wrapped for the holder of an Ed25519 key: a sealed box of libsodium.

The Ed25519 keys are taken to X25519 as libsodium does (``crypto_sign_ed25519_pk_to_curve25519``),
so that whoever can sign can open, and nothing more has to be kept. A wrapped secret is 48 bytes
longer: a one-time public key and a tag. It says neither who wrapped it nor for whom, and nothing
binds it to where it stands: what is wrapped must be known by a check value (`sealed.EpochKey`).
"""

from __future__ import annotations

from typing import Final

from nacl.bindings import (
    crypto_box_seal,
    crypto_box_seal_open,
    crypto_box_SEALBYTES,
    crypto_sign_ed25519_pk_to_curve25519,
    crypto_sign_ed25519_sk_to_curve25519,
)
from nacl.exceptions import CryptoError

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.keys.ed25519 import SigningKey, check_public

__all__ = ["WRAPPING_BYTES", "unwrap", "wrap"]

WRAPPING_BYTES: Final = int(crypto_box_SEALBYTES)
"""By how much a wrapped secret is longer than the secret."""

NOT_UNWRAPPED: Final = ErrorCode(
    Malformed,
    "keys.wrapping.not_opened",
    en="The wrapped secret does not open with this key: it was wrapped for another or changed.",
    zh="该密钥无法打开封装内容：封装的对象不是此密钥，或内容已被改动。",
)


def wrap(secret: bytes, public: bytes) -> bytes:
    """Wrap for the holder of a public Ed25519 key; other bytes each time.

    Raises `Malformed` for a public key that `check_public` refuses.
    """
    check_public(public)
    return crypto_box_seal(secret, crypto_sign_ed25519_pk_to_curve25519(public))


def unwrap(wrapped: bytes, key: SigningKey) -> bytes:
    """What was wrapped for this key; raises ``keys.wrapping.not_opened``."""
    private = crypto_sign_ed25519_sk_to_curve25519(key.seed + key.public)
    public = crypto_sign_ed25519_pk_to_curve25519(key.public)
    if len(wrapped) < WRAPPING_BYTES:
        raise NOT_UNWRAPPED()
    try:
        return crypto_box_seal_open(wrapped, public, private)
    except (CryptoError, TypeError):
        raise NOT_UNWRAPPED() from None
