"""A secret wrapped under a passphrase: argon2id (RFC 9106), then XChaCha20-Poly1305.

The wrapping carries its own cost, so it can be raised for new ones, and a checksum, so that a
wrong passphrase and changed bytes are told apart.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from typing import Final

import msgspec
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import Aead

from wattproof.core.errors import Broken, ErrorCode, Malformed, Unauthorised, Unavailable
from wattproof.keys import cbor

__all__ = ["LOWEST", "MODERATE", "Cost", "unwrap", "wrap"]

EMPTY: Final = ErrorCode(
    Malformed,
    "keys.passphrase.empty",
    en="A passphrase has at least {least} character.",
    zh="口令至少需要 {least} 个字符。",
)
WRONG: Final = ErrorCode(
    Unauthorised,
    "keys.passphrase.wrong",
    en="The passphrase does not open {what}.",
    zh="口令无法打开{what}。",
)
DAMAGED: Final = ErrorCode(
    Broken,
    "keys.passphrase.damaged",
    en="What the passphrase opens is damaged: {what}.",
    zh="口令保护的数据已损坏：{what}。",
)
COST: Final = ErrorCode(
    Unavailable,
    "keys.passphrase.cost",
    en="argon2id with {operations} passes over {memory_bytes} bytes cannot be run here.",
    zh="此处无法以 {operations} 轮、{memory_bytes} 字节内存运行 argon2id。",
)

_FORMAT: Final = 1
_AAD: Final = b"wattproof wrapped secret v1"
_CHECKSUM_BYTES: Final = 8
_OPERATIONS_LIMIT: Final = 1 << 10
_MEMORY_LIMIT_BYTES: Final = 4 << 30


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one guess at the passphrase costs: argon2id passes and memory."""

    operations: int
    memory_bytes: int


MODERATE: Final = Cost(
    operations=argon2id.OPSLIMIT_MODERATE, memory_bytes=argon2id.MEMLIMIT_MODERATE
)
"""3 passes over 256 MiB, libsodium's middle setting: about half a second."""
LOWEST: Final = Cost(operations=argon2id.OPSLIMIT_MIN, memory_bytes=argon2id.MEMLIMIT_MIN)
"""Microseconds: only where the passphrase is itself a random key, and for tests."""


def wrap(secret: bytes, passphrase: str, *, cost: Cost = MODERATE) -> bytes:
    """Wrap a secret so that the passphrase opens it; raises `Malformed` for an empty one."""
    salt = os.urandom(argon2id.SALTBYTES)
    sealed = bytes(_box(passphrase, salt=salt, cost=cost).encrypt(secret, _AAD))
    return cbor.encode(
        [
            _FORMAT,
            salt,
            cost.operations,
            cost.memory_bytes,
            sealed,
            _checksum(salt, cost=cost, sealed=sealed),
        ]
    )


def unwrap(wrapped: bytes, passphrase: str, *, what: str) -> bytes:
    """The secret in `wrapped`; `what` names it in errors, a path for instance.

    Raises `Unauthorised` for a wrong passphrase, `Broken` for changed bytes.
    """
    try:
        form, salt, operations, memory_bytes, sealed, checksum = msgspec.convert(
            cbor.decode(wrapped), tuple[int, bytes, int, int, bytes, bytes]
        )
    except (Malformed, msgspec.ValidationError) as bad:
        raise DAMAGED(what=what) from bad
    cost = Cost(operations=operations, memory_bytes=memory_bytes)
    if form != _FORMAT or checksum != _checksum(salt, cost=cost, sealed=sealed):
        raise DAMAGED(what=what)
    box = _box(passphrase, salt=salt, cost=cost)
    try:
        return box.decrypt(sealed, _AAD)
    except (CryptoError, ValueError) as failed:
        raise WRONG(what=what) from failed


def _box(passphrase: str, *, salt: bytes, cost: Cost) -> Aead:
    if not passphrase:
        raise EMPTY(least=1)
    # The same text can be typed in several forms of Unicode; surrogates come from odd terminals.
    text = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    refusal = COST(operations=cost.operations, memory_bytes=cost.memory_bytes)
    if cost.operations > _OPERATIONS_LIMIT or cost.memory_bytes > _MEMORY_LIMIT_BYTES:
        raise refusal
    try:
        key = argon2id.kdf(
            Aead.KEY_SIZE, text, salt, opslimit=cost.operations, memlimit=cost.memory_bytes
        )
    except (RuntimeError, ValueError, TypeError) as failed:  # no memory, or below libsodium's least
        raise refusal from failed
    return Aead(key)


def _checksum(salt: bytes, *, cost: Cost, sealed: bytes) -> bytes:
    body = cbor.encode([_FORMAT, salt, cost.operations, cost.memory_bytes, sealed])
    return hashlib.sha256(body).digest()[:_CHECKSUM_BYTES]
