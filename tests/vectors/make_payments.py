"""Writes payments.json: what a device signs to pay out of its own wallet, in golden bytes.

Made without any of WattProof's own code, with the CBOR and the signatures of `make_envelopes`. Run
``python -m tests.vectors.make_payments`` from the root of the repository to write the file anew.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.vectors.make_envelopes import HERE, LEDGER_ID, envelope, integer, octets

__all__ = ["as_text", "payment_vectors"]

MIDNIGHT_S = 1_792_512_000
"""2026-10-21 00:00 in Shanghai."""


def standing_nonce(name: str, due_s: int) -> bytes:
    """The nonce of a standing order's payment, as docs/edge.md has it."""
    return hashlib.sha256(f"wattproof edge pay\n{name}\n{due_s}".encode()).digest()[:16]


def payment(
    name: str, nonce: bytes, *, target: str, to_device: str, asset: str, fen: int, memo: str
) -> Any:
    fields = [
        "settlement.wallet.pay", 1, octets(nonce), "press-3", target, to_device, asset,
        integer(fen), memo,
    ]  # fmt: skip
    return envelope(name, fields, aad=LEDGER_ID)


def payment_vectors() -> Any:
    daily = standing_nonce("landlord/CNY/day/per_kwh", MIDNIGHT_S)
    return {
        "about": "Payments out of a device's wallet; see docs/wire-format.md",
        "transactions": [
            payment(
                "12.50 CNY to an account", bytes(range(16)),
                target="landlord", to_device="", asset="CNY", fen=1_250, memo="key deposit",
            ),
            payment(
                "one fen to a device, without a memo", bytes(16),
                target="", to_device="charger-1", asset="CNY", fen=1, memo="",
            ),
            payment(
                "a day of a standing order with a price", daily,
                target="landlord", to_device="", asset="CNY", fen=226,
                memo="电费 2026-10-20 3.48 kWh * 0.65/kWh",
            ),
            payment(
                "the most that can be paid", bytes([255] * 16),
                target="wallet:7", to_device="", asset="e-CNY", fen=2**53, memo="x" * 128,
            ),
        ],
    }  # fmt: skip


def as_text(vectors: Any) -> str:
    return json.dumps(vectors, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    (HERE / "payments.json").write_text(as_text(payment_vectors()), encoding="utf-8")


if __name__ == "__main__":
    main()
