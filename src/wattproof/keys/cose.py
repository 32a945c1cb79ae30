"""The envelope of every transaction: COSE_Sign1 (RFC 9052) with Ed25519, in one exact layout.

    d2 84                              tag 18, array of 4
       58 26 a2 01 32 04 58 20 <kid>   protected header {1: -19, 4: kid}, 38 bytes
       a0                              unprotected header: empty
       <payload>                       byte string with the shortest head
       58 40 <signature>               64 bytes

`kid` is the signer's 32-byte public key. The algorithm is Ed25519 (-19, RFC 9864), written 0x32;
EdDSA (-8, RFC 9053), written 0x27, is accepted on input. All else is refused, so an envelope has
one encoding and its SHA-256 can be its name.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, OverLimit, WattProofError
from wattproof.keys import ed25519

__all__ = [
    "ALG_ED25519",
    "ALG_EDDSA",
    "MAX_TRANSACTION_BYTES",
    "Envelope",
    "parse",
    "sig_structure",
    "sign",
    "verify",
]

MAX_TRANSACTION_BYTES: Final = 61_440
"""60 KiB for the whole envelope."""
ALG_ED25519: Final = -19
ALG_EDDSA: Final = -8

TOO_LARGE: Final = ErrorCode(
    OverLimit,
    "keys.cose.too_large",
    en="The envelope has {bytes} bytes; at most {limit} are taken.",
    zh="签名信封有 {bytes} 字节，上限为 {limit} 字节。",
)
NOT_SIGN1: Final = ErrorCode(
    Malformed,
    "keys.cose.not_sign1",
    en="The bytes are not a tagged COSE_Sign1 (they begin with d2 84).",
    zh="数据不是带标签的 COSE_Sign1（应以 d2 84 开头）。",
)
PROTECTED: Final = ErrorCode(
    Malformed,
    "keys.cose.protected",
    en="The protected header is not {{1: algorithm, 4: 32-byte key}} in deterministic form.",
    zh="受保护头部不是确定性编码的 {{1: 算法, 4: 32 字节公钥}}。",
)
ALGORITHM: Final = ErrorCode(
    Malformed,
    "keys.cose.algorithm",
    en="The signature algorithm is not Ed25519 (-19, or -8).",
    zh="签名算法不是 Ed25519（-19 或 -8）。",
)
UNPROTECTED: Final = ErrorCode(
    Malformed,
    "keys.cose.unprotected",
    en="The unprotected header is not empty: {head} in place of 0xa0.",
    zh="未受保护头部不为空：应为 0xa0，实为 {head}。",
)
PAYLOAD: Final = ErrorCode(
    Malformed,
    "keys.cose.payload",
    en="At byte {at} the payload is not a byte string with the shortest head.",
    zh="第 {at} 字节处的载荷不是采用最短长度编码的字节串。",
)
SIGNATURE: Final = ErrorCode(
    Malformed,
    "keys.cose.signature",
    en="The signature is not a byte string of 64 bytes.",
    zh="签名不是 64 字节的字节串。",
)
TRUNCATED: Final = ErrorCode(
    Malformed,
    "keys.cose.truncated",
    en="The envelope ends after {bytes} bytes, before it is complete.",
    zh="签名信封不完整：在 {bytes} 字节处中断。",
)
TRAILING: Final = ErrorCode(
    Malformed,
    "keys.cose.trailing",
    en="{bytes} bytes follow the envelope.",
    zh="签名信封之后还有 {bytes} 字节多余数据。",
)

_OPEN: Final = bytes.fromhex("d284")
_PROTECTED_19: Final = bytes.fromhex("a2013204 5820")
_PROTECTED_8: Final = bytes.fromhex("a2012704 5820")
_PROTECTED_HEAD: Final = bytes.fromhex("5826")
_HEAD_19: Final = _OPEN + _PROTECTED_HEAD + _PROTECTED_19
_HEAD_8: Final = _OPEN + _PROTECTED_HEAD + _PROTECTED_8
_SIGNATURE_HEAD: Final = bytes.fromhex("5840")
# 84, "Signature1", and the head of the protected header: RFC 9052, 4.4.
_SIG_OPEN: Final = b"\x84\x6aSignature1" + _PROTECTED_HEAD

_PROTECTED_AT: Final = 4
_KID_AT: Final = 10
_UNPROTECTED_AT: Final = 42
_PAYLOAD_AT: Final = 43
_TAIL_BYTES: Final = 2 + ed25519.SIGNATURE_BYTES


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A parsed COSE_Sign1, whose signature is not yet verified.

    `protected` is the 38 bytes of the encoded protected header, `alg` -19 or -8, `kid` the
    signer's 32-byte public key, `signature` 64 bytes.
    """

    protected: bytes
    alg: int
    kid: bytes
    payload: bytes
    signature: bytes


def sign(payload: bytes, key: ed25519.SigningKey, *, aad: bytes) -> bytes:
    """Put the payload into a signed envelope; `aad` (a ledger's id) is signed but not carried.

    Raises `OverLimit` when the envelope would have more than `MAX_TRANSACTION_BYTES`.
    """
    protected = _PROTECTED_19 + key.public
    signature = key.sign(sig_structure(protected, payload=payload, aad=aad))
    raw = b"".join(
        (
            _OPEN,
            _PROTECTED_HEAD,
            protected,
            b"\xa0",
            _bstr_head(len(payload)),
            payload,
            _SIGNATURE_HEAD,
            signature,
        )
    )
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise TOO_LARGE(bytes=len(raw), limit=MAX_TRANSACTION_BYTES)
    return raw


def parse(raw: bytes) -> Envelope:
    """Take an envelope apart without verifying it.

    Raises `Malformed` for anything but the exact layout (see the module) and `OverLimit` for more
    than `MAX_TRANSACTION_BYTES`.
    """
    size = len(raw)
    if size > MAX_TRANSACTION_BYTES:
        raise TOO_LARGE(bytes=size, limit=MAX_TRANSACTION_BYTES)
    head = raw[:_KID_AT]
    if head == _HEAD_19:
        alg = ALG_ED25519
    elif head == _HEAD_8:
        alg = ALG_EDDSA
    else:
        raise _wrong_head(head)
    if size < _PAYLOAD_AT + 1:
        raise TRUNCATED(bytes=size)
    if raw[_UNPROTECTED_AT] != 0xA0:
        raise UNPROTECTED(head=f"0x{raw[_UNPROTECTED_AT]:02x}")
    start, end = _payload_bounds(raw)
    if end + _TAIL_BYTES != size or raw[end : end + 2] != _SIGNATURE_HEAD:
        raise _wrong_tail(raw, end)
    return Envelope(
        protected=raw[_PROTECTED_AT:_UNPROTECTED_AT],
        alg=alg,
        kid=raw[_KID_AT:_UNPROTECTED_AT],
        payload=raw[start:end],
        signature=raw[end + 2 :],
    )


def verify(envelope: Envelope, *, aad: bytes) -> bool:
    """Whether the envelope was signed by its `kid` for this `aad`."""
    signed = sig_structure(envelope.protected, payload=envelope.payload, aad=aad)
    return ed25519.verify(envelope.kid, signed, envelope.signature)


def sig_structure(protected: bytes, *, payload: bytes, aad: bytes) -> bytes:
    """The bytes that are signed: ``["Signature1", protected, aad, payload]`` (RFC 9052, 4.4).

    `protected` is the 38 bytes of the encoded protected header.
    """
    return b"".join(
        (_SIG_OPEN, protected, _bstr_head(len(aad)), aad, _bstr_head(len(payload)), payload)
    )


def _bstr_head(size: int) -> bytes:
    if size < 24:
        return bytes((0x40 | size,))
    if size < 1 << 8:
        return bytes((0x58, size))
    if size < 1 << 16:
        return b"\x59" + size.to_bytes(2, "big")
    return b"\x5a" + size.to_bytes(4, "big")


def _payload_bounds(raw: bytes) -> tuple[int, int]:
    """Where the payload's bytes start and where its head says that they end."""
    head = raw[_PAYLOAD_AT]
    if 0x40 <= head < 0x58:
        return _PAYLOAD_AT + 1, _PAYLOAD_AT + 1 + head - 0x40
    if head not in (0x58, 0x59):  # four-byte lengths do not fit into an envelope
        raise PAYLOAD(at=_PAYLOAD_AT)
    start = _PAYLOAD_AT + head - 0x56
    if len(raw) < start:
        raise TRUNCATED(bytes=len(raw))
    size = int.from_bytes(raw[_PAYLOAD_AT + 1 : start], "big")
    if size < (24 if head == 0x58 else 1 << 8):
        raise PAYLOAD(at=_PAYLOAD_AT)
    return start, start + size


def _wrong_head(head: bytes) -> WattProofError:
    """Name what is wrong with the first ten bytes."""
    if _HEAD_19.startswith(head) or _HEAD_8.startswith(head):
        return TRUNCATED(bytes=len(head))
    if not head.startswith(_OPEN):
        return NOT_SIGN1()
    if head[2:6] == _HEAD_19[2:6] and head[7:] == _HEAD_19[7:]:
        return ALGORITHM()
    return PROTECTED()


def _wrong_tail(raw: bytes, end: int) -> WattProofError:
    """Name what is wrong behind the payload."""
    if len(raw) < end + 2:
        return TRUNCATED(bytes=len(raw))
    if raw[end : end + 2] != _SIGNATURE_HEAD:
        return SIGNATURE()
    if len(raw) < end + _TAIL_BYTES:
        return TRUNCATED(bytes=len(raw))
    return TRAILING(bytes=len(raw) - end - _TAIL_BYTES)
