"""What a node signs is, byte for byte, what the ledger itself would sign."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.beside_meter import settings_of
from tests.support.memory_ledger import key_of

from wattproof.core.errors import OverLimit
from wattproof.edge.emission import UG_PER_G, advance, grams_of
from wattproof.edge.packets import (
    Emission,
    Report,
    enrolment_payload,
    factor_payload,
    report_payload,
    sign,
    transaction_id,
)
from wattproof.edge.state import EnteredFactor
from wattproof.emissions.carry import emissions_g
from wattproof.emissions.tracking.model import DeclareFactor, NodePacket
from wattproof.identity.model import EnrolDevice
from wattproof.keys import cose
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.transaction import sign_transaction
from wattproof.ledger.transaction import transaction_id as ledger_transaction_id
from wattproof.metering.model import Packet

LEDGER_ID = bytes(range(32))
KEY = key_of("m1")
AMOUNTS = st.lists(st.integers(0, 2**40), max_size=20).map(tuple)


def nonce_of(payload: bytes) -> bytes:
    """The 16 bytes after the type and the version."""
    return payload[payload.index(b"\x01\x50") + 2 :][:16]


@st.composite
def reports(draw: st.DrawFn, *, emits: bool) -> Report:
    increments = draw(AMOUNTS)
    count = len(increments)
    carry_ug, value_ug = draw(st.integers(0, 999_999)), draw(st.integers(0, 10**9))
    emission = Emission(
        factor=draw(st.sampled_from(("", "cn-grid-2023-national@1", "unity@1"))),
        value_ug=value_ug,
        opening_g=draw(st.integers(0, 2**62)),
        carry_ug=carry_ug,
        grams=tuple(grams_of(increments, value_ug=value_ug, carry_ug=carry_ug)),
    )
    return Report(
        sequence=draw(st.integers(1, 2**53 - 1)),
        start_s=draw(st.integers(0, 2**53 - 1)),
        interval_s=draw(st.integers(1, 31 * 86_400)),
        kind=draw(st.sampled_from(("register", "increment"))),
        opening=draw(st.integers(0, 2**62)),
        increments=increments,
        quality=draw(st.lists(st.integers(0, 3), min_size=count, max_size=count).map(tuple)),
        emission=emission if emits else None,
    )


def plain_fields(report: Report) -> dict[str, object]:
    return {
        "sequence": report.sequence,
        "start_s": report.start_s,
        "interval_s": report.interval_s,
        "kind": report.kind,
        "opening": report.opening,
        "increments": UintArray.from_ints(report.increments),
        "quality": UintArray.from_ints(report.quality),
    }


@given(reports(emits=False))
def test_a_packet_of_readings(report: Report) -> None:
    payload = report_payload(report)
    body = Packet(**plain_fields(report))  # type: ignore[arg-type]
    nonce = report.sequence.to_bytes(16, "big")
    theirs = sign_transaction(body, KEY, ledger_id=LEDGER_ID, nonce=nonce)
    assert sign(payload, KEY, ledger_id=LEDGER_ID) == theirs
    assert transaction_id(theirs) == ledger_transaction_id(theirs)


@given(reports(emits=True))
def test_a_packet_with_its_emission(report: Report) -> None:
    emission = report.emission
    assert emission is not None
    body = NodePacket(
        **plain_fields(report),  # type: ignore[arg-type]
        factor=emission.factor,
        value_ug=emission.value_ug,
        opening_g=emission.opening_g,
        carry_ug=emission.carry_ug,
        emissions=UintArray.from_ints(emission.grams),
    )
    payload = report_payload(report)
    theirs = sign_transaction(body, KEY, ledger_id=LEDGER_ID, nonce=nonce_of(payload))
    assert sign(payload, KEY, ledger_id=LEDGER_ID) == theirs


@given(st.integers(0, 10**12), st.integers(0, 2**53 - 1))
def test_a_factor_entry(value_ug: int, from_s: int) -> None:
    fields = {
        "factor": "cn-grid-2023-national@1",
        "value": "0.5306",
        "unit": "kgCO2/kWh",
        "value_ug": value_ug,
        "entered_by": "badge-7",
        "entered_s": 1_690_000_000,
        "from_s": from_s,
    }
    nonce = bytes(range(16))
    payload = factor_payload(EnteredFactor(**fields), nonce=nonce)  # type: ignore[arg-type]
    body = DeclareFactor(**fields)  # type: ignore[arg-type]
    theirs = sign_transaction(body, KEY, ledger_id=LEDGER_ID, nonce=nonce)
    assert sign(payload, KEY, ledger_id=LEDGER_ID) == theirs


def test_an_enrolment() -> None:
    node = settings_of(Path(), maker="Maker", serial="SN 1", register_modulus=10**8).node
    body = EnrolDevice(
        id="m1",
        owner="importer",
        quantity="electricity.import",
        zone="Asia/Shanghai",
        maker="Maker",
        serial="SN 1",
        register_modulus=10**8,
    )
    raw = sign(enrolment_payload(node), KEY, ledger_id=LEDGER_ID)
    assert raw == sign_transaction(body, KEY, ledger_id=LEDGER_ID, nonce=bytes(16))
    assert cose.verify(cose.parse(raw), aad=LEDGER_ID)


@given(AMOUNTS, st.integers(0, 10**9), st.integers(0, 999_999))
def test_grams_add_up_to_the_floor_of_the_exact_emission(
    amounts: tuple[int, ...], value_ug: int, carry_ug: int
) -> None:
    grams = grams_of(amounts, value_ug=value_ug, carry_ug=carry_ug)
    total, left_ug = advance(5, carry_ug, amount=sum(amounts), value_ug=value_ug)
    assert 5 + sum(grams) == total
    assert total - 5 == (carry_ug + value_ug * sum(amounts)) // UG_PER_G
    assert 0 <= left_ug < UG_PER_G
    assert grams == list(emissions_g(amounts, value_ug=value_ug, carry_ug=carry_ug))


def test_an_emission_register_has_an_end() -> None:
    with pytest.raises(OverLimit):
        advance(2**62, 0, amount=10, value_ug=10**6)
