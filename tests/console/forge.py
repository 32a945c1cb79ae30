"""Makes whole proofs, as only the holders of a ledger's keys could."""

from __future__ import annotations

from typing import Any

from tests.console.proofs import written
from tests.ledger.growing import KEY, LOG

from wattproof.keys import cbor, cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger import merkle
from wattproof.ledger.checkpoint import Checkpoint, encode_body
from wattproof.ledger.genesis import GENESIS_AAD, PROFILE, ledger_id_of, origin_of
from wattproof.ledger.leaf import leaf_of
from wattproof.ledger.note import base64_text, key_id
from wattproof.ledger.proof import FORMAT
from wattproof.ledger.receipt import make_receipt

__all__ = ["Forge", "note_by", "signed"]


class Forge:
    """Makes whole proofs of a ledger of two entries, of which any part may be other than it ought.

    Each of `parts` replaces one part or is a function of it; what depends on it is made to fit.
    """

    def __init__(self, **parts: Any) -> None:
        self._parts = parts

    def proof(self) -> bytes:
        """The proof of the second entry."""
        log_key = self._part("log_key", LOG.public)
        genesis_payload = self._part(
            "genesis", ["ledger.genesis", 1, bytes(16), *self._genesis_fields(log_key)]
        )
        genesis = self._part("genesis_raw", signed(genesis_payload, GENESIS_AAD))
        ledger_id = ledger_id_of(genesis)
        payload = self._part("payload", ["toy.fill", 1, bytes(16), "jar", "low", 1])
        raw = self._part("raw", signed(payload, ledger_id))
        height, time_ms = self._part("height", 1), self._part("time_ms", 1_700_000_000_000)
        leaves = [
            leaf_of(genesis, height=0, time_ms=0),
            leaf_of(raw, height=height, time_ms=time_ms),
        ]
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        root = merkle.root_of(hashes)
        receipt = make_receipt(
            key=LOG, leaf_hash=hashes[1], index=1, size=2, path=hashes[:1], root=root,
            alg=self._part("alg", cose.ALG_ED25519),
        )  # fmt: skip
        origin = self._part("origin", origin_of(ledger_id))
        state = Checkpoint(
            origin=origin, size=self._part("size", 2), root=root, extensions=("app x 1",)
        )
        body = self._part("body", encode_body(state))
        return written(
            {
                "checkpoint": self._part("checkpoint", note_by(body, origin_of(ledger_id))),
                "format": FORMAT,
                "genesis": base64_text(genesis),
                "height": height,
                "receipt": base64_text(self._part("receipt", receipt)),
                "time_ms": time_ms,
                "transaction": base64_text(raw),
            }
        )

    def _genesis_fields(self, log_key: object) -> list[Any]:
        founder = ["registrar", "Registrar", "", KEY.public, ["registrar"]]
        fields = {
            "name": "forged", "zone": "Asia/Shanghai", "profile": PROFILE, "log_key": log_key,
            "founders": [self._part("founder", founder)], "registrar": "registrar",
        }  # fmt: skip
        return [self._part(name, value) for name, value in fields.items()]

    def _part(self, name: str, usual: Any) -> Any:
        part = self._parts.get(name, usual)
        return part(usual) if callable(part) else part


def signed(payload: Any, aad: bytes, key: SigningKey = KEY) -> bytes:
    encoded = payload if isinstance(payload, bytes) else cbor.encode(payload)
    return cose.sign(encoded, key, aad=aad)


def note_by(body: str, name: str, key: SigningKey = LOG) -> str:
    signature = key.sign(body.encode())
    return f"{body}\n— {name} {base64_text(key_id(name, key.public) + signature)}\n"
