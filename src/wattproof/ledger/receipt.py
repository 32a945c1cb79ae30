"""A proof that stands alone: an entry is in the log, says the log's key (RFC 9942, COSE Receipts).

    d2 84                                     tag 18, array of 4: COSE_Sign1
       58 2a a3                               protected header, 42 bytes:
          01 32                                 alg 1: Ed25519, -19
          04 58 20 <kid>                        kid 4: the log's public key
          19 01 8b 01                           vds 395: 1, the tree of RFC 9162 with SHA-256
       a1 19 01 8c a1 20 81 <head> <proof>    unprotected {vdp 396: {inclusion -1: [bstr proof]}}
       f6                                     payload: detached
       58 40 <signature>                      64 bytes

    proof = CBOR [size, index, [hash, ...]], the path from the leaf's sibling up

The payload is the root, which the verifier computes from the entry and the path; so the signature
covers ["Signature1", protected, h'', root]. It follows that the root is vouched for, and with it
that the entry is in the log, while `size` and `index` only say how to get there: who must know the
position compares the root with that of a checkpoint of the same size.

RFC 9942 wants at least one hash in the path, so a log of a single entry has no receipts yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from wattproof.core.errors import Broken, Conflict, ErrorCode, Malformed
from wattproof.keys import cbor
from wattproof.keys.cose import ALG_ED25519, ALG_EDDSA
from wattproof.keys.ed25519 import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, verify
from wattproof.ledger.merkle import HASH_BYTES, MAX_SIZE, inclusion_root

__all__ = [
    "BAD_RECEIPT",
    "MAX_RECEIPT_BYTES",
    "ONE_ENTRY",
    "OTHER_ROOT",
    "ReceiptProof",
    "make_receipt",
    "open_receipt",
    "verify_receipt",
]

MAX_RECEIPT_BYTES: Final = 4_096
"""More than a tree of 2**62 entries needs."""

_ALGORITHMS: Final = {ALG_ED25519: b"\x32", ALG_EDDSA: b"\x27"}
_OPEN: Final = bytes.fromhex("d284 582a")
_PROTECTED: Final = bytes.fromhex("a301"), bytes.fromhex("045820"), bytes.fromhex("19018b01")
_UNPROTECTED: Final = bytes.fromhex("a1 19018c a1 20 81")
_TAIL: Final = bytes.fromhex("f6 5840")
_SIG_OPEN: Final = b"\x84\x6aSignature1\x58\x2a"
_SIG_PAYLOAD: Final = bytes.fromhex("40 5820")  # no external data, then the 32 bytes of the root

_ALG_AT: Final = 6
_KID_AT: Final = 10
_PROOF_AT: Final = 53
_TAIL_BYTES: Final = len(_TAIL) + SIGNATURE_BYTES

BAD_RECEIPT: Final = ErrorCode(
    Malformed,
    "ledger.receipt.form",
    en="This is not a receipt of inclusion in the form of RFC 9942 that this ledger issues.",
    zh="这不是本账本按 RFC 9942 签发的收录回执。",
)
ONE_ENTRY: Final = ErrorCode(
    Conflict,
    "ledger.receipt.one_entry",
    en="A log of a single entry has no receipts yet; there will be one with the next entry.",
    zh="日志只有一条记录时尚无收录回执，待下一条记录写入后即可签发。",
)
OTHER_ROOT: Final = ErrorCode(
    Broken,
    "ledger.receipt.root",
    en="The stored tree does not lead from entry {index} to the root of {size} entries.",
    zh="所存的树无法由第 {index} 条记录得到 {size} 条记录的根。",
)


class ReceiptProof(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt holds, unverified.

    `alg` is -19 or -8, `kid` the key that it names (32 bytes), `path` the hashes from the leaf's
    sibling up, `signature` 64 bytes.
    """

    alg: int
    kid: bytes
    size: int
    index: int
    path: tuple[bytes, ...]
    signature: bytes

    def root(self, leaf_hash: bytes) -> bytes | None:
        """The root to which the path leads from `leaf_hash`, or None if it leads to none."""
        return inclusion_root(leaf=leaf_hash, index=self.index, size=self.size, path=self.path)


def make_receipt(
    *,
    key: SigningKey,
    leaf_hash: bytes,
    index: int,
    size: int,
    path: Sequence[bytes],
    root: bytes,
    alg: int = ALG_ED25519,
) -> bytes:
    """The receipt that the leaf is at `index` of the log of `size` entries with `root`.

    `root` must be one that the log's checkpoint vouches for. `alg` may be -8 for readers that do
    not know RFC 9864's -19 yet; the signature's algorithm is the same. Raises `ONE_ENTRY`, and
    `OTHER_ROOT` when the path does not lead to the root: nothing is signed that would not verify.
    """
    if size == 1:
        raise ONE_ENTRY()
    if inclusion_root(leaf=leaf_hash, index=index, size=size, path=path) != root:
        raise OTHER_ROOT(index=index, size=size)
    signature = key.sign(_signed(_protected(alg, key.public), root))
    return _encode(
        ReceiptProof(
            alg=alg,
            kid=key.public,
            size=size,
            index=index,
            path=tuple(path),
            signature=signature,
        )
    )


def open_receipt(raw: bytes) -> ReceiptProof:
    """What a receipt holds, nothing verified; only the one encoding is taken. `BAD_RECEIPT`."""
    if not _PROOF_AT + _TAIL_BYTES < len(raw) <= MAX_RECEIPT_BYTES:
        raise BAD_RECEIPT()
    alg = next((alg for alg, byte in _ALGORITHMS.items() if raw[_ALG_AT] == byte[0]), None)
    if alg is None:
        raise BAD_RECEIPT()
    framed = raw[_PROOF_AT:-_TAIL_BYTES]
    size, index, path = _parse_proof(framed[3:] if framed[0] == 0x59 else framed[2:])
    receipt = ReceiptProof(
        alg=alg,
        kid=raw[_KID_AT : _KID_AT + PUBLIC_BYTES],
        size=size,
        index=index,
        path=path,
        signature=raw[-SIGNATURE_BYTES:],
    )
    if _encode(receipt) != raw:  # whatever stands in the places that were not read
        raise BAD_RECEIPT()
    return receipt


def verify_receipt(raw: bytes, *, leaf_hash: bytes, public: bytes) -> bool:
    """Whether the log's key `public` vouches in this receipt that the leaf is in the log.

    Raises `BAD_RECEIPT` for bytes that are no receipt.
    """
    receipt = open_receipt(raw)
    root = receipt.root(leaf_hash)
    if root is None or receipt.kid != public:
        return False
    return verify(public, _signed(_protected(receipt.alg, public), root), receipt.signature)


def _parse_proof(data: bytes) -> tuple[int, int, tuple[bytes, ...]]:
    try:
        value = cbor.decode(data)
    except Malformed as error:
        raise BAD_RECEIPT() from error
    match value:
        case [int(size), int(index), [*items]] if items and not isinstance(index, bool):
            path = tuple(
                item for item in items if isinstance(item, bytes) and len(item) == HASH_BYTES
            )
            if len(path) == len(items) and 2 <= size <= MAX_SIZE and 0 <= index < size:
                return size, index, path
    raise BAD_RECEIPT()


def _protected(alg: int, kid: bytes) -> bytes:
    return _PROTECTED[0] + _ALGORITHMS[alg] + _PROTECTED[1] + kid + _PROTECTED[2]


def _signed(protected: bytes, root: bytes) -> bytes:
    """The bytes that are signed: RFC 9052 section 4.4, with the root as payload."""
    return _SIG_OPEN + protected + _SIG_PAYLOAD + root


def _encode(receipt: ReceiptProof) -> bytes:
    proof = cbor.encode([receipt.size, receipt.index, list(receipt.path)])
    return b"".join(
        (
            _OPEN,
            _protected(receipt.alg, receipt.kid),
            _UNPROTECTED,
            cbor.encode(proof),
            _TAIL,
            receipt.signature,
        )
    )
