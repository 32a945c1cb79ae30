"""What a node signs, byte for byte: packets, factor entries, payments, its enrolment.

The payloads are those of docs/wire-format.md. They are built here from keys alone, for an agent
does not carry the ledger's code; the tests hold the bytes equal to the ledger's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from wattproof.edge.config import NodeSettings
from wattproof.edge.source import Mode
from wattproof.edge.state import EnteredFactor
from wattproof.keys import cbor, cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray

__all__ = [
    "NONCE_BYTES",
    "Emission",
    "Pay",
    "Report",
    "enrolment_payload",
    "factor_payload",
    "pay_payload",
    "report_payload",
    "sign",
    "transaction_id",
]

NONCE_BYTES: Final = 16


class Emission(msgspec.Struct, frozen=True, kw_only=True):
    """What a node emitted in a packet: its factor, its emission register at the start, the grams.

    `carry_ug` are the micrograms that were no gram yet; `grams` has one number a reading.
    """

    factor: str
    value_ug: int
    opening_g: int
    carry_ug: int
    grams: tuple[int, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A packet to be signed: amounts in base units from `start_s` on, with or without emission."""

    sequence: int
    start_s: int
    interval_s: int
    kind: Mode
    opening: int
    increments: tuple[int, ...]
    quality: tuple[int, ...] = ()
    emission: Emission | None = None


def report_payload(report: Report) -> bytes:
    """The payload of ``emissions.node.packet``, or of ``metering.packet`` without an emission.

    The nonce is the sequence number, so that the same packet always has the same bytes.
    """
    emission = report.emission
    fields: list[cbor.Value] = [
        "metering.packet" if emission is None else "emissions.node.packet",
        1,
        report.sequence.to_bytes(NONCE_BYTES, "big"),
        report.sequence,
        report.start_s,
        report.interval_s,
        report.kind,
        report.opening,
        UintArray.from_ints(report.increments),
        UintArray.from_ints(report.quality),
    ]
    if emission is not None:
        fields += [
            emission.factor,
            emission.value_ug,
            emission.opening_g,
            emission.carry_ug,
            UintArray.from_ints(emission.grams),
        ]
    return cbor.encode(fields)


def factor_payload(entered: EnteredFactor, *, nonce: bytes) -> bytes:
    """The payload of ``emissions.node.factor``; `nonce` is 16 bytes that are new each time.

    For the same factor may be entered twice in a second, with another one between.
    """
    fields: Sequence[cbor.Value] = [
        entered.factor,
        entered.value,
        entered.unit,
        entered.value_ug,
        entered.entered_by,
        entered.entered_s,
        entered.from_s,
    ]
    return cbor.encode(["emissions.node.factor", 1, nonce, *fields])


class Pay(msgspec.Struct, frozen=True, kw_only=True):
    """A payment to be signed: `fen` of an asset to the account `target` or to a device's wallet."""

    target: str
    to_device: str
    asset: str
    fen: int
    memo: str


def pay_payload(pay: Pay, *, device: str, nonce: bytes) -> bytes:
    """The payload of ``settlement.wallet.pay``, out of the wallet of the `device` that signs.

    `nonce` is 16 bytes: new each time a person pays, the same for the same period of a standing
    order, so that this always has the same bytes.
    """
    fields: Sequence[cbor.Value] = [
        device,
        pay.target,
        pay.to_device,
        pay.asset,
        pay.fen,
        pay.memo,
    ]
    return cbor.encode(["settlement.wallet.pay", 1, nonce, *fields])


def enrolment_payload(node: NodeSettings) -> bytes:
    """The payload of ``identity.device.enrol``; the nonce is zero: a key enrols one device once."""
    return cbor.encode(
        [
            "identity.device.enrol",
            1,
            bytes(NONCE_BYTES),
            node.id,
            node.owner,
            node.quantity,
            node.zone,
            node.maker,
            node.model,
            node.serial,
            node.register_modulus,
        ]
    )


def sign(payload: bytes, key: SigningKey, *, ledger_id: bytes) -> bytes:
    """The signed transaction. Raises `OverLimit` for one that is too large for the ledger."""
    return cose.sign(payload, key, aad=ledger_id)


def transaction_id(raw: bytes) -> bytes:
    """The id of a transaction: SHA-256 of its bytes."""
    return hashlib.sha256(raw).digest()
