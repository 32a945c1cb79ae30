"""Short secrets sealed under the key of an epoch: AES-256-GCM-SIV (RFC 8452).

From the epoch's key follow, by HKDF-SHA-256 (RFC 5869) with the ledger's id and the key's id as
salt, the key that seals and a check value that may be published:

    sealing key = HKDF(key, "wattproof seal v1")        check = HKDF(key, "wattproof check v1")

A secret is sealed for a *place*, a number of 64 bits. The nonce is four zero bytes and the place,
so it need not be carried; the associated data are the ledger's id, the key's id and the place. A
sealed secret that is moved to another place, key or ledger does not open.

Several secrets share a place, and with it a nonce: that is what this mode was made for. All that
it gives away is that two secrets of the same place are equal, whole and to the last bit. No other
equality can be seen, neither of parts nor between places.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from wattproof.core.errors import ErrorCode, Malformed, Unavailable
from wattproof.keys.derived import hkdf

__all__ = ["KEY_BYTES", "KEY_ID_BYTES", "MAX_PLACE", "TAG_BYTES", "EpochKey"]

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 16
TAG_BYTES: Final = 16
"""By how much a sealed secret is longer than the secret."""
MAX_PLACE: Final = 2**64 - 1

KEY_LENGTH: Final = ErrorCode(
    Malformed,
    "keys.sealed.key_length",
    en="An epoch's key has {expected} bytes, not {bytes}.",
    zh="周期密钥应为 {expected} 字节，实为 {bytes} 字节。",
)
NOT_OPENED: Final = ErrorCode(
    Malformed,
    "keys.sealed.not_opened",
    en="The sealed bytes do not open: another key, another place, or they were changed.",
    zh="密文无法打开：密钥不符、位置不符或内容已被改动。",
)
NO_CIPHER: Final = ErrorCode(
    Unavailable,
    "keys.sealed.no_cipher",
    en="The OpenSSL of this computer has no AES-GCM-SIV: it came with version 3.2.",
    zh="本机的 OpenSSL 不支持 AES-GCM-SIV（3.2 版起支持）。",
)

_DOMAIN: Final = b"wattproof sealed v1\0"


class EpochKey:
    """The 32-byte key of an epoch on one ledger; its repr shows the public key id only.

    Raises `Malformed` for a key or an id of another length, and `Unavailable` where the cipher is
    missing.
    """

    __slots__ = ("_cipher", "_context", "check", "key_id", "ledger_id", "secret")

    def __init__(self, secret: bytes, *, ledger_id: bytes, key_id: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise KEY_LENGTH(bytes=len(secret), expected=KEY_BYTES)
        if len(key_id) != KEY_ID_BYTES:
            raise KEY_LENGTH(bytes=len(key_id), expected=KEY_ID_BYTES)
        self.secret: Final = secret
        self.ledger_id: Final = ledger_id
        self.key_id: Final = key_id
        self.check: Final = self.derived(b"wattproof check v1")
        self._context: Final = _DOMAIN + ledger_id + key_id
        try:
            self._cipher: Final = AESGCMSIV(self.derived(b"wattproof seal v1"))
        except UnsupportedAlgorithm:
            raise NO_CIPHER() from None

    def derived(self, purpose: bytes) -> bytes:
        """32 bytes that follow from the key for this purpose, on this ledger."""
        return hkdf(self.secret, salt=self.ledger_id + self.key_id, info=purpose)

    def seal(self, secrets: Iterable[bytes], *, place: int) -> list[bytes]:
        """Each secret sealed for the place: `TAG_BYTES` longer, always the same bytes."""
        nonce, context, encrypt = self._nonce(place), self._at(place), self._cipher.encrypt
        return [encrypt(nonce, secret, context) for secret in secrets]

    def open(self, sealed: bytes, *, place: int) -> bytes:
        """The secret; raises ``keys.sealed.not_opened`` for any byte that is not as it was."""
        try:
            return self._cipher.decrypt(self._nonce(place), sealed, self._at(place))
        except (InvalidTag, ValueError):
            raise NOT_OPENED() from None

    def _nonce(self, place: int) -> bytes:
        return place.to_bytes(12, "big")

    def _at(self, place: int) -> bytes:
        return self._context + place.to_bytes(8, "big")

    def __repr__(self) -> str:
        return f"EpochKey(key_id={self.key_id.hex()})"
