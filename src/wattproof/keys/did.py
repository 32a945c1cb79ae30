"""Public keys as did:key texts (W3C CCG did:key method, Ed25519 with multicodec 0xed)."""

from __future__ import annotations

from typing import Final

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.keys.ed25519 import PUBLIC_BYTES, PUBLIC_LENGTH

__all__ = ["did_of", "public_of"]

DID_MALFORMED: Final = ErrorCode(
    Malformed,
    "keys.did.malformed",
    en="{did} is not a did:key of an Ed25519 key (did:key:z6Mk...).",
    zh="{did} 不是 Ed25519 密钥的 did:key（did:key:z6Mk……）。",
)

_PREFIX: Final = "did:key:z"
_MULTICODEC: Final = b"\xed\x01"
# Any 34 bytes that begin with 0xed have 47 digits in base 58.
_DIGITS: Final = 47
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {digit: value for value, digit in enumerate(_ALPHABET)}
_SHOWN_CHARACTERS: Final = 80


def did_of(public: bytes) -> str:
    """Write a 32-byte public key as ``did:key:z6Mk...``; it is not checked for weakness."""
    if len(public) != PUBLIC_BYTES:
        raise PUBLIC_LENGTH(bytes=len(public))
    number = int.from_bytes(_MULTICODEC + public, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    return _PREFIX + "".join(reversed(digits))


def public_of(did: str) -> bytes:
    """Read the 32-byte public key out of a did:key; it is not checked for weakness.

    Raises `Malformed` for every text but the one that `did_of` writes for some key.
    """
    digits = did[len(_PREFIX) :]
    if not did.startswith(_PREFIX) or len(digits) != _DIGITS:
        raise DID_MALFORMED(did=did[:_SHOWN_CHARACTERS])
    number = 0
    for digit in digits:
        value = _VALUES.get(digit)
        if value is None:
            raise DID_MALFORMED(did=did[:_SHOWN_CHARACTERS])
        number = number * 58 + value
    size = len(_MULTICODEC) + PUBLIC_BYTES
    if number >> 8 * size or number >> 8 * PUBLIC_BYTES != int.from_bytes(_MULTICODEC, "big"):
        raise DID_MALFORMED(did=did[:_SHOWN_CHARACTERS])
    return number.to_bytes(size, "big")[len(_MULTICODEC) :]
