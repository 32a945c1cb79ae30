"""A proof file: all that a stranger needs to check one transaction, without the ledger.

The file is JSON in one exact form (members sorted, no white space, one newline at the end; byte
strings in base64), so that no byte of it can change without the check failing:

    format       "wattproof-proof/1"
    genesis      the signed genesis transaction; its SHA-256 is the ledger's id
    transaction  the signed transaction
    height, time_ms   of its block; with the transaction they form the leaf
    receipt      an RFC 9942 receipt: leaf index, tree size, path, the log key's signature
    checkpoint   the signed checkpoint of that tree size, which also commits to the state
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from wattproof.core.errors import ErrorCode, Malformed, Refused
from wattproof.keys import cbor, cose
from wattproof.keys.did import did_of
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger import merkle
from wattproof.ledger.chain import open_genesis
from wattproof.ledger.checkpoint import Checkpoint, open_checkpoint, parse_body
from wattproof.ledger.genesis import Genesis, ledger_id_of, origin_of
from wattproof.ledger.leaf import leaf_of, leaf_parts
from wattproof.ledger.note import parse_note
from wattproof.ledger.receipt import make_receipt, open_receipt, verify_receipt
from wattproof.ledger.store import Block, Entry, Store
from wattproof.ledger.tiles import TileNodes
from wattproof.ledger.transaction import Codec, transaction_id

__all__ = ["FORMAT", "MAX_PROOF_BYTES", "Step", "Verdict", "failed", "make_proof",
           "make_receipt_of", "proven_transaction", "verify_proof"]  # fmt: skip

FORMAT: Final = "wattproof-proof/1"
MAX_PROOF_BYTES: Final = 1 << 20
"""A proof file is refused beyond this: two transactions and a few hundred hashes are far less."""

Base64 = Annotated[str, Meta(max_length=MAX_PROOF_BYTES)]

NOT_A_PROOF = ErrorCode(
    Malformed,
    "proof.form",
    en="The file is not a proof in its one exact form.",
    zh="该文件不是规范格式的证明文件。",
)
OTHER_LEDGER = ErrorCode(
    Malformed,
    "proof.other_ledger",
    en="The proof is one of the ledger {found}, not of {expected}.",
    zh="该证明属于账本 {found}，而不是 {expected}。",
)
NOT_INCLUDED = ErrorCode(
    Malformed,
    "proof.inclusion",
    en="The path does not lead from the transaction to the root that the log signed.",
    zh="路径无法由该交易推出日志签署的根哈希。",
)
BAD_SIGNATURE = ErrorCode(
    Malformed,
    "proof.signature",
    en="The transaction's signature does not hold for this ledger.",
    zh="该交易的签名对本账本无效。",
)
OTHER_TREE = ErrorCode(
    Malformed,
    "proof.checkpoint",
    en="The checkpoint is of another tree than the receipt.",
    zh="检查点与回执所指的不是同一棵树。",
)


class ProofFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of a proof file, as they are written."""

    checkpoint: Annotated[str, Meta(max_length=4096)]
    format: str
    genesis: Base64
    height: Annotated[int, Meta(ge=0, le=2**53)]
    receipt: Base64
    time_ms: Annotated[int, Meta(ge=0, le=2**53)]
    transaction: Base64


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was checked, in words, and what was found; `code` says why it failed."""

    name: str
    ok: bool
    en: str
    zh: str
    code: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome: every step up to the first that failed, and what the transaction says."""

    ok: bool
    steps: tuple[Step, ...]
    ledger_id: str = ""
    transaction_id: str = ""
    type: str = ""
    signer: str = ""
    index: int | None = None
    size: int | None = None
    time_ms: int | None = None


def make_receipt_of(store: Store, entry: Entry, *, log_key: SigningKey) -> bytes:
    """The RFC 9942 receipt of an entry, in the tree of the newest checkpoint."""
    return _receipt(store, entry, block=_newest(store), log_key=log_key)


def make_proof(store: Store, entry: Entry, *, log_key: SigningKey) -> bytes:
    """The proof file of an entry, against the newest checkpoint."""
    block = _newest(store)
    height, time_ms, raw = leaf_parts(entry.leaf)
    proof = ProofFile(
        checkpoint=block.checkpoint,
        format=FORMAT,
        genesis=_text(leaf_parts(store.entry(0).leaf)[2]),
        height=height,
        receipt=_text(_receipt(store, entry, block=block, log_key=log_key)),
        time_ms=time_ms,
        transaction=_text(raw),
    )
    return _encode(proof)


def _newest(store: Store) -> Block:
    block = store.latest_block()
    assert block is not None, "a ledger has a genesis"
    return block


def _receipt(store: Store, entry: Entry, *, block: Block, log_key: SigningKey) -> bytes:
    """Signs only the root that the block's checkpoint states; damaged tiles give no other."""
    return make_receipt(
        key=log_key,
        leaf_hash=merkle.leaf_hash(entry.leaf),
        index=entry.index,
        size=block.size,
        path=merkle.inclusion_path(
            TileNodes(store.tile, size=block.size), index=entry.index, size=block.size
        ),
        root=parse_body(parse_note(block.checkpoint).body).root,
    )


def verify_proof(data: bytes, *, ledger_id: bytes | None = None) -> Verdict:
    """Check a proof file by itself; with `ledger_id`, only one of that ledger will do.

    Never raises for a wrong proof: the verdict says which step failed and why.
    """
    check = _Check(ledger_id)
    for name, step in check.plan:
        try:
            en, zh = step(data)
        except Refused as refusal:
            check.steps.append(failed(name, refusal))
            return Verdict(ok=False, steps=tuple(check.steps), **check.found)
        check.steps.append(Step(name=name, ok=True, en=en, zh=zh))
    return Verdict(ok=True, steps=tuple(check.steps), **check.found)


def failed(name: str, refusal: Refused) -> Step:
    """The step of this name, which ended with a refusal."""
    en, zh = refusal.text("en"), refusal.text("zh")
    return Step(name=name, ok=False, en=en, zh=zh, code=refusal.code)


def proven_transaction(data: bytes) -> bytes:
    """The signed transaction of a proof file that holds."""
    return _bytes(msgspec.json.decode(data, type=ProofFile).transaction)


Said = tuple[str, str]


class _Check:
    """The steps of a verification; each uses what the ones before it have established."""

    def __init__(self, expected: bytes | None) -> None:
        self._expected = expected
        self.steps: list[Step] = []
        self.found: dict[str, Any] = {}
        self.plan: tuple[tuple[str, Callable[[bytes], Said]], ...] = (
            ("form", self._form),
            ("ledger", self._ledger),
            ("signature", self._signature),
            ("inclusion", self._inclusion),
            ("checkpoint", self._checkpoint),
        )

    def _form(self, data: bytes) -> Said:
        if len(data) > MAX_PROOF_BYTES:
            raise NOT_A_PROOF()
        try:
            proof = msgspec.json.decode(data, type=ProofFile)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise NOT_A_PROOF() from None
        if proof.format != FORMAT or _encode(proof) != data:
            raise NOT_A_PROOF()
        if len(parse_note(proof.checkpoint).signatures) != 1:  # of a stranger's, any byte would do
            raise NOT_A_PROOF()
        self._proof = proof
        self._genesis_raw = _bytes(proof.genesis)
        self._raw = _bytes(proof.transaction)
        self._receipt_raw = _bytes(proof.receipt)
        return (
            f"The file is a proof in its one exact form ({len(data)} bytes).",
            f"文件是规范格式的证明（{len(data)} 字节）。",
        )

    def _ledger(self, _data: bytes) -> Said:
        genesis = open_genesis(self._genesis_raw, Codec([Genesis])).body
        assert isinstance(genesis, Genesis), genesis
        self._id = ledger_id_of(self._genesis_raw)
        self._log_key = genesis.log_key
        self.found["ledger_id"] = self._id.hex()
        if self._expected is not None and self._expected != self._id:
            raise OTHER_LEDGER(found=self._id.hex(), expected=self._expected.hex())
        return (
            f"Genesis opens the ledger “{genesis.name}”, id {self._id.hex()}; "
            f"its log key is {did_of(genesis.log_key)}.",
            f"创世交易建立账本“{genesis.name}”，编号 {self._id.hex()}；"
            f"日志公钥为 {did_of(genesis.log_key)}。",
        )

    def _signature(self, _data: bytes) -> Said:
        envelope = cose.parse(self._raw)
        values = cbor.decode(envelope.payload)
        name = str(values[0]) if isinstance(values, list) and values else ""
        is_genesis = self._raw == self._genesis_raw
        if not is_genesis and not cose.verify(envelope, aad=self._id):
            raise BAD_SIGNATURE()
        signer = did_of(envelope.kid)
        self.found["transaction_id"] = transaction_id(self._raw).hex()
        self.found["type"] = name
        self.found["signer"] = signer
        return (
            f"A transaction “{name}”, signed by {signer} for this ledger.",
            f"交易“{name}”由 {signer} 为本账本签名。",
        )

    def _inclusion(self, _data: bytes) -> Said:
        proof = self._proof
        leaf = leaf_of(self._raw, height=proof.height, time_ms=proof.time_ms)
        hashed = merkle.leaf_hash(leaf)
        receipt = open_receipt(self._receipt_raw)
        root = merkle.inclusion_root(
            leaf=hashed, index=receipt.index, size=receipt.size, path=receipt.path
        )
        if root is None or not verify_receipt(
            self._receipt_raw, leaf_hash=hashed, public=self._log_key
        ):
            raise NOT_INCLUDED()
        self._root, self._size = root, receipt.size
        self.found["index"], self.found["size"] = receipt.index, receipt.size
        self.found["time_ms"] = proof.time_ms
        return (
            f"It is entry {receipt.index} of {receipt.size}: {len(receipt.path)} hashes lead to "
            f"the root {root.hex()}, which the log key signed.",
            f"它是 {receipt.size} 条中的第 {receipt.index} 条：经 {len(receipt.path)} 个哈希得到根 "
            f"{root.hex()}，该根由日志密钥签署。",
        )

    def _checkpoint(self, _data: bytes) -> Said:
        checkpoint: Checkpoint = open_checkpoint(
            self._proof.checkpoint, name=origin_of(self._id), public=self._log_key
        )
        if (checkpoint.size, checkpoint.root) != (self._size, self._root):
            raise OTHER_TREE()
        return (
            f"The signed checkpoint of {checkpoint.size} entries has the same root.",
            f"已签名的检查点（{checkpoint.size} 条）具有相同的根。",
        )


def _encode(proof: ProofFile) -> bytes:
    return msgspec.json.encode(proof, order="sorted") + b"\n"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NOT_A_PROOF() from None
    if _text(data) != text:
        raise NOT_A_PROOF()
    return data
