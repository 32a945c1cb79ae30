"""Genesis: the first entry of a ledger, from whose bytes its id follows."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

from msgspec import Meta

from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.transaction import Body, Part, encode_payload, transaction

__all__ = ["GENESIS_AAD", "PROFILE", "Founder", "Genesis", "ledger_id_of", "origin_of",
           "sign_genesis"]  # fmt: skip

GENESIS_AAD: Final = b"wattproof genesis v1"
"""External data of the genesis signature: the ledger's id does not exist yet."""

PROFILE: Final = "ed25519-libsodium/sha-256/1"
"""The verification profile: one library's rule set for signatures, and one hash."""

PublicKey = Annotated[bytes, Meta(min_length=32, max_length=32)]
Text = Annotated[str, Meta(max_length=200)]


class Founder(Part):
    """An organisation of the consortium that opens the ledger, with its first roles."""

    id: Text
    name: Text
    uscc: Text
    key: PublicKey
    roles: Annotated[tuple[Text, ...], Meta(max_length=64)]


@transaction("ledger.genesis", 1, by=("anyone",), en="Open the ledger", zh="创建账本")
class Genesis(Body):
    """The ledger's name, default time zone, verification profile, log key and consortium.

    `log_key` signs checkpoints; `registrar` is the id of the founder who registers others, and
    whose key signs this transaction.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    zone: Annotated[str, Meta(max_length=64)]
    profile: Text
    log_key: PublicKey
    founders: Annotated[tuple[Founder, ...], Meta(min_length=1, max_length=128)]
    registrar: Text


def sign_genesis(genesis: Genesis, key: SigningKey, *, nonce: bytes) -> bytes:
    """The signed genesis transaction."""
    return cose.sign(encode_payload(genesis, nonce=nonce), key, aad=GENESIS_AAD)


def ledger_id_of(raw: bytes) -> bytes:
    """A ledger's id: SHA-256 of its signed genesis transaction, 32 bytes."""
    return hashlib.sha256(raw).digest()


def origin_of(ledger_id: bytes) -> str:
    """The origin line of a ledger's checkpoints (C2SP tlog-checkpoint)."""
    return f"wattproof/{ledger_id.hex()}"
