"""The golden bytes of nodes: fresh, signed as an agent signs, taken by the ledger's codec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.vectors import make_payments
from tests.vectors.make_node_packets import as_text, node_packet_vectors

from wattproof.edge.emission import grams_of
from wattproof.edge.packets import (
    Emission,
    Pay,
    Report,
    factor_payload,
    pay_payload,
    report_payload,
    sign,
    transaction_id,
)
from wattproof.edge.state import EnteredFactor
from wattproof.emissions.tracking.model import DeclareFactor, NodePacket
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.transaction import Codec
from wattproof.settlement.model import PayFromWallet

FILE = Path(__file__).parents[1] / "vectors" / "node_packets.json"
STEPS = [
    step
    for story in json.loads(FILE.read_text(encoding="utf-8"))["stories"]
    for step in story["transactions"]
]
CODEC = Codec([NodePacket, DeclareFactor, PayFromWallet])
PAYMENTS = FILE.with_name("payments.json")


def test_the_file_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == as_text(node_packet_vectors())


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step["name"])
def test_an_agent_signs_the_same_bytes(step: dict[str, Any]) -> None:
    payload = bytes.fromhex(step["payload"])
    body = CODEC.body_of(payload)
    if isinstance(body, DeclareFactor):
        fields = {name: getattr(body, name) for name in body.__struct_fields__}
        nonce = bytes.fromhex(step["fields"][2]["bytes"])
        ours = factor_payload(EnteredFactor(**fields), nonce=nonce)
    else:
        assert isinstance(body, NodePacket)
        increments = tuple(body.increments)
        grams = grams_of(increments, value_ug=body.value_ug, carry_ug=body.carry_ug)
        assert grams == list(body.emissions)
        ours = report_payload(
            Report(
                sequence=body.sequence,
                start_s=body.start_s,
                interval_s=body.interval_s,
                kind=body.kind,
                opening=body.opening,
                increments=increments,
                quality=tuple(body.quality),
                emission=Emission(
                    factor=body.factor,
                    value_ug=body.value_ug,
                    opening_g=body.opening_g,
                    carry_ug=body.carry_ug,
                    grams=tuple(grams),
                ),
            )
        )
    assert ours == payload
    check_signed(ours, step)


def check_signed(ours: bytes, step: dict[str, Any]) -> None:
    """An agent's signature under this payload is the golden one."""
    key = SigningKey.from_seed(bytes.fromhex(step["key_seed"]))
    aad = bytes.fromhex(step["external_aad"])
    raw = sign(ours, key, ledger_id=aad)
    assert raw.hex() == step["transaction"]
    assert transaction_id(raw).hex() == step["id"]
    assert cose.verify(cose.parse(raw), aad=aad)


def test_the_payments_are_fresh() -> None:
    text = make_payments.as_text(make_payments.payment_vectors())
    assert PAYMENTS.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "step",
    json.loads(PAYMENTS.read_text(encoding="utf-8"))["transactions"],
    ids=lambda step: step["name"],
)
def test_an_agent_pays_with_the_same_bytes(step: dict[str, Any]) -> None:
    payload = bytes.fromhex(step["payload"])
    body = CODEC.body_of(payload)
    assert isinstance(body, PayFromWallet)
    pay = Pay(
        target=body.target,
        to_device=body.to_device,
        asset=body.asset,
        fen=body.amount,
        memo=body.memo,
    )
    nonce = bytes.fromhex(step["fields"][2]["bytes"])
    ours = pay_payload(pay, device=body.device, nonce=nonce)
    assert ours == payload
    check_signed(ours, step)
