"""WattProof agrees, byte for byte, with vectors that other libraries and plain arithmetic made."""

from __future__ import annotations

import hashlib
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from wattproof.core.errors import Malformed
from wattproof.keys import cbor, cose, did, ed25519
from wattproof.keys.cbor import UintArray

VECTORS = Path(__file__).parents[1] / "vectors"


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


ENVELOPES = load("envelopes")["cases"]
ED25519 = load("ed25519")
REFUSED = load("refused")


def by_name(cases: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def value(field: Any) -> cbor.Value:
    """The value that a field of the JSON file stands for (see its notation in the docs)."""
    if isinstance(field, list):
        return [value(item) for item in field]
    if not isinstance(field, dict):
        plain: int | str | bool | None = field
        return plain
    if "bytes" in field:
        return bytes.fromhex(field["bytes"])
    if "int" in field:
        return int(field["int"])
    array = UintArray.from_ints(int(number) for number in field["uint_array"])
    assert array.width == field["width"]
    return array


@pytest.mark.parametrize("name", ["envelopes", "ed25519", "refused"])
def test_the_files_are_what_their_makers_write(name: str) -> None:
    maker = runpy.run_path(str(VECTORS / f"make_{name}.py"))
    function = {"envelopes": "envelope", "ed25519": "ed25519", "refused": "refused"}[name]
    assert maker[f"{function}_vectors"]() == load(name)


@by_name(ENVELOPES)
def test_payload_is_encoded_and_decoded_exactly(case: Any) -> None:
    fields, payload = value(case["fields"]), bytes.fromhex(case["payload"])
    assert cbor.encode(fields) == payload
    assert cbor.decode(payload) == fields


@by_name(ENVELOPES)
def test_envelope_is_parsed_and_verified(case: Any) -> None:
    raw, aad = bytes.fromhex(case["transaction"]), bytes.fromhex(case["external_aad"])
    envelope = cose.parse(raw)
    assert envelope.alg == case["alg"]
    assert envelope.kid.hex() == case["public"]
    assert envelope.protected.hex() == case["protected"]
    assert envelope.payload.hex() == case["payload"]
    assert envelope.signature.hex() == case["signature"]
    signed = cose.sig_structure(envelope.protected, payload=envelope.payload, aad=aad)
    assert signed.hex() == case["sig_structure"]
    assert cose.verify(envelope, aad=aad)
    assert not cose.verify(envelope, aad=aad + b"\0")
    assert hashlib.sha256(raw).hexdigest() == case["id"]


@by_name([case for case in ENVELOPES if case["alg"] == cose.ALG_ED25519])
def test_signing_gives_the_same_bytes(case: Any) -> None:
    key = ed25519.SigningKey.from_seed(bytes.fromhex(case["key_seed"]))
    assert key.public.hex() == case["public"]
    assert did.did_of(key.public) == case["did"]
    payload, aad = bytes.fromhex(case["payload"]), bytes.fromhex(case["external_aad"])
    assert cose.sign(payload, key, aad=aad).hex() == case["transaction"]


@pytest.mark.parametrize("public", ED25519["good_keys"])
def test_good_keys_pass(public: str) -> None:
    ed25519.check_public(bytes.fromhex(public))


@pytest.mark.parametrize("case", ED25519["weak_keys"], ids=lambda c: f"{c['why']}-{c['public']}")
def test_weak_keys_are_refused(case: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        ed25519.check_public(bytes.fromhex(case["public"]))
    assert refusal.value.code == f"keys.public.{case['why']}"
    assert case["public"] in refusal.value.text("zh")


@by_name(ED25519["signatures"])
def test_only_strict_signatures_verify(case: Any) -> None:
    public, message = bytes.fromhex(case["public"]), bytes.fromhex(case["message"])
    assert ed25519.verify(public, message, bytes.fromhex(case["signature"])) is case["valid"]


@by_name(REFUSED["cbor"])
def test_other_cbor_is_refused(case: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        cbor.decode(bytes.fromhex(case["data"]))
    assert refusal.value.code == f"keys.cbor.{case['why']}"
    assert refusal.value.text("en") and refusal.value.text("zh")


@by_name(REFUSED["cose"])
def test_other_envelopes_are_refused(case: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        cose.parse(bytes.fromhex(case["data"]))
    assert refusal.value.code == f"keys.cose.{case['why']}"
    assert refusal.value.text("en") and refusal.value.text("zh")
