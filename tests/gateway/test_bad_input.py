"""What is handed in wrong: each with its own code, and nothing of it kept."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
from tests.gateway.served import COSE, Served, problem
from tests.ledger.growing import KEY, OTHER
from tests.ledger.toy import Crash, Empty, Fill

from wattproof.keys import cbor, cose
from wattproof.keys.cose import MAX_TRANSACTION_BYTES

FILL = Fill(jar="bad", shelf="low", beans=1)


def test_nothing_of_it_is_kept(served: Served) -> None:
    before = served.json("/api/v1/ledger")
    good = served.sign(FILL)
    for position in range(0, len(good), 7):
        flipped = bytearray(good)
        flipped[position] ^= 1 << position % 8
        answer = served.post(bytes(flipped))
        assert answer.status_code in (400, 403), answer.text
        problem(answer, answer.status_code, answer.json()["code"])
    assert served.json("/api/v1/ledger") == before


def test_truncated(served: Served) -> None:
    raw = served.sign(FILL)
    for size in (1, 2, 9, 42, 44, len(raw) - 65, len(raw) - 1):
        problem(served.post(raw[:size]), 400, "keys.cose.truncated")


def test_empty(served: Served) -> None:
    problem(served.post(b""), 400, "transaction.empty")


def test_something_behind_it(served: Served) -> None:
    problem(served.post(served.sign(FILL) + b"\0"), 400, "keys.cose.trailing")


def test_not_cose(served: Served) -> None:
    problem(served.post(b'{"type": "toy.fill"}'), 400, "keys.cose.not_sign1")


def test_oversized(served: Served) -> None:
    answer = served.post(b"\xd2" * (MAX_TRANSACTION_BYTES + 1))
    assert problem(answer, 413, "gateway.too_large")["params"] == {"limit": MAX_TRANSACTION_BYTES}
    problem(served.post(b"\xd2" * MAX_TRANSACTION_BYTES), 400, "keys.cose.not_sign1")


def test_oversized_without_saying_so(served: Served) -> None:
    chunks = (b"\xd2" * 8192 for _ in range(100))
    answer = served.client.post("/api/v1/transactions", content=chunks, headers=COSE)
    problem(answer, 413, "gateway.too_large")


def test_a_large_body_is_refused_before_it_is_read(served: Served) -> None:
    address = urlsplit(served.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/cose\r\n"
            b"Content-Length: 1000000000000\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_wrongly_signed(served: Served) -> None:
    raw = bytearray(served.sign(FILL))
    raw[-1] ^= 1
    problem(served.post(bytes(raw)), 403, "transaction.signature")
    raw = bytearray(served.sign(FILL))
    raw[10:42] = OTHER.public
    problem(served.post(bytes(raw)), 403, "transaction.signature")


def test_of_another_ledger(served: Served) -> None:
    raw = served.sign(FILL, ledger_id=bytes(32))
    problem(served.post(raw), 403, "transaction.signature")


def test_of_an_unknown_type(served: Served) -> None:
    for type_, version in (("toy.nothing", 1), ("toy.fill", 2)):
        payload = cbor.encode([type_, version, bytes(16), "a", "b", 1])
        raw = cose.sign(payload, KEY, aad=served.writer.ledger_id)
        params = problem(served.post(raw), 400, "transaction.unknown_type")["params"]
        assert params == {"type": type_, "version": version}


@pytest.mark.parametrize("fields", [["a", "b"], ["a", "b", -1], ["a", "b", "1"], ["a", b"b", 1]])
def test_with_other_fields(served: Served, fields: list[cbor.Value]) -> None:
    payload = cbor.encode(["toy.fill", 1, bytes(16), *fields])
    raw = cose.sign(payload, KEY, aad=served.writer.ledger_id)
    problem(served.post(raw), 400, "transaction.fields")


def test_in_another_encoding(served: Served) -> None:
    payload = cbor.encode(["toy.fill", 1, bytes(16), "a", "b", 1])
    raw = cose.sign(payload[:-1] + b"\x18\x01", KEY, aad=served.writer.ledger_id)
    problem(served.post(raw), 400, "keys.cbor.not_shortest")


def test_unauthorised(served: Served) -> None:
    answer = served.post(served.sign(FILL, OTHER), **{"Accept-Language": "zh"})
    assert problem(answer, 403, "tests.not_you")["detail"] == "不是您。"


def test_against_the_state(served: Served) -> None:
    problem(served.post(served.sign(Empty(jar="there is none"))), 409, "toy.too_few")


def test_a_rule_that_fails_is_our_fault_and_tells_no_traceback(served: Served) -> None:
    answer = served.post(served.sign(Crash(jar="x")))
    problem(answer, 500, "machine.rule_failed")
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data",
     "application/cose2", ""],
)  # fmt: skip
def test_of_another_media_type(served: Served, media_type: str) -> None:
    answer = served.post(served.sign(FILL), **{"Content-Type": media_type})
    params = problem(answer, 415, "gateway.media_type")["params"]
    assert params == {
        "expected": "application/cose / application/octet-stream",
        "found": media_type,
    }


def test_a_parameter_of_the_media_type_is_fine(served: Served) -> None:
    content_type = 'Application/COSE; cose-type="cose-sign1"'
    answer = served.post(served.sign(FILL), **{"Content-Type": content_type})
    assert answer.status_code == 201
