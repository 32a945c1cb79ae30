"""Strangers' COSE libraries take our envelopes, refuse changed ones, and write ones that we take.

cwt knows the algorithm number -19 and reads our envelopes as they are. pycose (1.1) knows only the
older -8 for the same signature, so for it the envelope is signed with -8, which WattProof accepts
on input; with -19 it answers that it does not know the algorithm.
"""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from cwt import COSE, COSEKey
from cwt.exceptions import CWTError
from pycose.algorithms import EdDSA
from pycose.exceptions import CoseException
from pycose.headers import KID, Algorithm
from pycose.keys.curves import Ed25519
from pycose.keys.okp import OKPKey
from pycose.messages.cosemessage import CoseMessage
from pycose.messages.sign1message import Sign1Message

from wattproof.keys import cose
from wattproof.keys.cbor import UintArray, encode
from wattproof.keys.ed25519 import SigningKey

KEY = SigningKey.from_seed(bytes(range(32)))
LEDGER = b"\x11" * 32
OTHER_LEDGER = b"\x12" * 32
PAYLOAD = encode(["example.packet", 1, bytes(16), 7, UintArray.from_ints([250, 287, 324])])
KID_AT, PAYLOAD_AT = 10, 45


def cwt_key(alg: int, **parameters: bytes) -> Any:
    # 1: key type OKP, 2: key id, 3: algorithm, -1: curve Ed25519, -2: x, -4: d (RFC 9053, 7.2)
    key: dict[int, object] = {1: 1, 2: KEY.public, 3: alg, -1: 6, -2: KEY.public}
    if "d" in parameters:
        key[-4] = parameters["d"]
    return COSEKey.new(key)


def signed_with_8() -> bytes:
    protected = b"\xa2\x01\x27\x04\x58\x20" + KEY.public
    signature = KEY.sign(cose.sig_structure(protected, payload=PAYLOAD, aad=LEDGER))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, PAYLOAD, signature]))


def cwt_takes(raw: bytes, *, alg: int, aad: bytes = LEDGER) -> bool:
    try:
        payload = COSE.new(verify_kid=True).decode(raw, cwt_key(alg), external_aad=aad)
    except (CWTError, ValueError):
        return False
    assert payload == PAYLOAD
    return True


def pycose_takes(raw: bytes, *, aad: bytes = LEDGER) -> bool:
    message: Any = CoseMessage.decode(raw)
    message.key = OKPKey(crv=Ed25519, x=KEY.public)
    message.external_aad = aad
    return bool(message.verify_signature())


def changes(raw: bytes) -> list[bytes]:
    """One bit changed in each byte of the key id, the payload and the signature."""
    places = [*range(KID_AT, KID_AT + 32), *range(PAYLOAD_AT, PAYLOAD_AT + len(PAYLOAD))]
    places += range(len(raw) - 64, len(raw))
    return [raw[:at] + bytes((raw[at] ^ 1 << at % 8,)) + raw[at + 1 :] for at in places]


def test_the_places_that_are_changed_are_the_ones_meant() -> None:
    raw = cose.sign(PAYLOAD, KEY, aad=LEDGER)
    assert raw[KID_AT : KID_AT + 32] == KEY.public
    assert raw[PAYLOAD_AT : PAYLOAD_AT + len(PAYLOAD)] == PAYLOAD


def test_cwt_takes_ours_and_refuses_changed_ones() -> None:
    raw = cose.sign(PAYLOAD, KEY, aad=LEDGER)
    assert cwt_takes(raw, alg=cose.ALG_ED25519)
    assert not cwt_takes(raw, alg=cose.ALG_ED25519, aad=OTHER_LEDGER)
    assert not cwt_takes(raw, alg=cose.ALG_ED25519, aad=b"")
    for changed in changes(raw):
        assert not cwt_takes(changed, alg=cose.ALG_ED25519)
    assert cwt_takes(signed_with_8(), alg=cose.ALG_EDDSA)


def test_pycose_takes_ours_with_the_older_number_and_refuses_changed_ones() -> None:
    raw = signed_with_8()
    assert cose.verify(cose.parse(raw), aad=LEDGER)
    assert pycose_takes(raw)
    assert not pycose_takes(raw, aad=OTHER_LEDGER)
    # A changed key id is noticed as well: the protected header is signed.
    for changed in changes(raw):
        assert not pycose_takes(changed)


def test_pycose_does_not_know_the_newer_number() -> None:
    with pytest.raises(CoseException):
        pycose_takes(cose.sign(PAYLOAD, KEY, aad=LEDGER))


@pytest.mark.parametrize("alg", [cose.ALG_ED25519, cose.ALG_EDDSA])
def test_we_take_what_cwt_signs(alg: int) -> None:
    raw = COSE.new(deterministic_header=True).encode(
        PAYLOAD,
        cwt_key(alg, d=KEY.seed),
        protected={1: alg, 4: KEY.public},
        external_aad=LEDGER,
    )
    envelope = cose.parse(raw)
    assert envelope.alg == alg
    assert envelope.payload == PAYLOAD
    assert cose.verify(envelope, aad=LEDGER)
    assert not cose.verify(envelope, aad=OTHER_LEDGER)
    if alg == cose.ALG_ED25519:
        assert raw == cose.sign(PAYLOAD, KEY, aad=LEDGER)


def test_we_take_what_pycose_signs() -> None:
    message = Sign1Message(
        phdr={Algorithm: EdDSA, KID: KEY.public}, payload=PAYLOAD, external_aad=LEDGER
    )
    message.key = OKPKey(crv=Ed25519, x=KEY.public, d=KEY.seed)
    raw = message.encode()
    assert raw == signed_with_8()
    assert cose.verify(cose.parse(raw), aad=LEDGER)
