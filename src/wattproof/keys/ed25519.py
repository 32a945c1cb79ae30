"""Ed25519 (RFC 8032) by libsodium alone, and the refusal of weak public keys.

Libraries disagree on crafted keys and signatures, so the rule set is part of the ledger's
consensus: libsodium's strict verification, and no other library as a fallback. It demands S below
the group order, a canonical public key that is not of small order, an R that is not of small
order, and the equation without the cofactor. What it lets through (a public key with a component
of small order) `check_public` refuses when the key is registered.
"""

from __future__ import annotations

import os
from typing import Final

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError

from wattproof.core.errors import ErrorCode, Malformed

__all__ = [
    "PUBLIC_BYTES",
    "PUBLIC_LENGTH",
    "SEED_BYTES",
    "SIGNATURE_BYTES",
    "SigningKey",
    "check_public",
    "verify",
]

PUBLIC_BYTES: Final = 32
SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

SEED_LENGTH: Final = ErrorCode(
    Malformed,
    "keys.seed.length",
    en="A private key's seed has 32 bytes, not {bytes}.",
    zh="私钥种子应为 32 字节，实为 {bytes} 字节。",
)
PUBLIC_LENGTH: Final = ErrorCode(
    Malformed,
    "keys.public.length",
    en="An Ed25519 public key has 32 bytes, not {bytes}.",
    zh="Ed25519 公钥应为 32 字节，实为 {bytes} 字节。",
)
PUBLIC_NON_CANONICAL: Final = ErrorCode(
    Malformed,
    "keys.public.non_canonical",
    en="The public key {public} is not written in its one canonical form.",
    zh="公钥 {public} 未采用唯一的规范编码。",
)
PUBLIC_OFF_CURVE: Final = ErrorCode(
    Malformed,
    "keys.public.off_curve",
    en="The public key {public} is not a point of the curve.",
    zh="公钥 {public} 不是曲线上的点。",
)
PUBLIC_SMALL_ORDER: Final = ErrorCode(
    Malformed,
    "keys.public.small_order",
    en="The public key {public} is of small order: anyone could sign for it.",
    zh="公钥 {public} 属于小阶点，任何人都可以冒充其签名。",
)
PUBLIC_MIXED_ORDER: Final = ErrorCode(
    Malformed,
    "keys.public.mixed_order",
    en="The public key {public} is not in the prime-order subgroup.",
    zh="公钥 {public} 不在素数阶子群中。",
)

# RFC 8032, 5.1: the field prime and the curve constant d = -121665/121666.
_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


class SigningKey:
    """A private Ed25519 key in memory; its repr shows the public half only."""

    __slots__ = ("_expanded", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise SEED_LENGTH(bytes=len(seed))
        public, self._expanded = crypto_sign_seed_keypair(seed)
        self.seed: Final = seed
        self.public: Final = public

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key from the operating system's randomness."""
        return cls(os.urandom(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """Restore a key from its 32-byte seed; `Malformed` when it is not 32 bytes."""
        return cls(seed)

    def sign(self, message: bytes) -> bytes:
        """Sign: 64 bytes, always the same for the same key and message."""
        return crypto_sign(message, self._expanded)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the 64-byte signature is the 32-byte public key's over the message.

    False for anything else, wrong lengths included. Strict in libsodium's sense (see the module).
    """
    # The binding reads 32 and 64 bytes whatever it is given.
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


def check_public(public: bytes) -> None:
    """Demand a public key that only its holder can sign for.

    Raises `Malformed` for a wrong length, an encoding that is not canonical, a value that is no
    point of the curve, a point of small order, and a point outside the prime-order subgroup.
    """
    if len(public) != PUBLIC_BYTES:
        raise PUBLIC_LENGTH(bytes=len(public))
    if not crypto_core_ed25519_is_valid_point(public):
        raise _weakness(public)(public=public.hex())


def _weakness(public: bytes) -> ErrorCode:
    """Name what is wrong with a key that libsodium has refused."""
    y = int.from_bytes(public, "little")
    x_is_odd = y >> 255
    y &= (1 << 255) - 1
    if y >= _P:
        return PUBLIC_NON_CANONICAL
    y2 = y * y % _P
    x2 = (y2 - 1) * pow(_D * y2 + 1, -1, _P) % _P
    if x2 == 0 and x_is_odd:
        return PUBLIC_NON_CANONICAL
    if x2 and pow(x2, (_P - 1) // 2, _P) != 1:
        return PUBLIC_OFF_CURVE
    # Order 1 and 2: x = 0. Order 4: y = 0. Order 8: the double has y = 0, that is x^2 + y^2 = 0.
    if x2 == 0 or y == 0 or (x2 + y2) % _P == 0:
        return PUBLIC_SMALL_ORDER
    return PUBLIC_MIXED_ORDER
