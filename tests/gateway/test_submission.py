from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from tests.gateway.served import COSE, Served, problem, serving
from tests.ledger.toy import Fill, Move, MoveAll

from wattproof.gateway.intake import BATCH_LIMIT
from wattproof.gateway.limits import RateLimit
from wattproof.keys import cbor
from wattproof.ledger.transaction import transaction_id

CBOR = {"Content-Type": "application/cbor"}


def test_the_first_time_201_and_again_200_with_the_first_receipt(served: Served) -> None:
    raw = served.sign(Fill(jar="again", shelf="low", beans=2))
    first, again = (
        served.post(raw),
        served.post(raw, **{"Content-Type": "application/octet-stream"}),
    )
    assert (first.status_code, again.status_code) == (201, 200)
    receipt = first.json()
    assert receipt["first"] is True
    assert again.json() == {**receipt, "first": False}
    assert receipt["id"] == transaction_id(raw).hex()
    assert receipt["events"] == [{"event": "toy.filled", "jar": "again", "beans": 2}]
    assert first.headers["location"] == f"/api/v1/transactions/{receipt['id']}"
    assert served.client.get(first.headers["location"]).json()["receipt"] == receipt


def test_eight_clients_with_the_same_transaction_get_the_same_receipt(served: Served) -> None:
    raws = [served.sign(Fill(jar="shared", shelf="low", beans=1)) for _ in range(12)]

    def client(_number: int) -> list[httpx.Response]:
        with httpx.Client(base_url=served.url, timeout=30) as client:
            return [client.post("/api/v1/transactions", content=raw, headers=COSE) for raw in raws]

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(client, range(8)))
    for at_once in zip(*answers, strict=True):
        assert Counter(answer.status_code for answer in at_once) == {201: 1, 200: 7}
        receipts = [answer.json() for answer in at_once]
        assert [receipt.pop("first") for receipt in receipts].count(True) == 1
        assert all(receipt == receipts[0] for receipt in receipts)
    jar = served.submit(Fill(jar="shared", shelf="low", beans=0))
    assert jar["events"][0]["beans"] == 12


def test_racing_transactions_never_take_more_than_there_is(served: Served) -> None:
    served.submit(Fill(jar="raced", shelf="low", beans=20))
    move = Move(source="raced", target="won", beans=3)
    raws = [served.sign(MoveAll(moves=(move,))) for _ in range(32)]
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(served.post, raws))
    assert Counter(answer.status_code for answer in answers) == {201: 6, 409: 26}
    for answer in answers:
        if answer.status_code == 409:
            assert problem(answer, 409, "toy.too_few")["params"]["jar"] == "raced"


def test_many_connections_share_commits(tmp_path: Path) -> None:
    with serving(tmp_path / "ledger") as served:
        raws = [served.sign(Fill(jar="many", shelf="low", beans=1)) for _ in range(240)]

        def client(part: list[bytes]) -> None:
            with httpx.Client(base_url=served.url, timeout=30) as client:
                for raw in part:
                    answer = client.post("/api/v1/transactions", content=raw, headers=COSE)
                    assert answer.status_code == 201, answer.text

        with ThreadPoolExecutor(24) as clients:
            list(clients.map(client, [raws[i::24] for i in range(24)]))
        ledger = served.json("/api/v1/ledger")
        assert ledger["size"] == 241
        assert ledger["height"] < 240, "every transaction had a commit of its own"


def test_a_batch_is_answered_in_its_order(served: Served) -> None:
    good = [served.sign(Fill(jar=f"batch-{n}", shelf="low", beans=n)) for n in range(5)]
    refused = served.sign(MoveAll(moves=(Move(source="nowhere", target="x", beans=1),)))
    raws = [good[0], refused, good[1], b"", good[0], good[2][:50], good[3], good[4]]
    answer = served.client.post(
        "/api/v1/transactions/batch", content=cbor.encode(tuple(raws)), headers=CBOR
    )
    assert answer.status_code == 200, answer.text
    answers = answer.json()
    assert [item.get("id") for item in answers] == [
        None if raw not in good else transaction_id(raw).hex() for raw in raws
    ]
    accepted = [answers[position] for position in (0, 2, 6, 7)]
    indexes = [receipt["index"] for receipt in accepted]
    assert indexes == sorted(indexes)
    assert answers[4] == {**answers[0], "first": False}
    assert [answers[position]["error"]["code"] for position in (1, 3, 5)] == [
        "toy.too_few",
        "transaction.empty",
        "keys.cose.truncated",
    ]
    assert answers[1]["error"]["status"] == 409
    assert answers[1]["error"]["zh"] == "nowhere 有 0。"


def test_batches_that_are_none(served: Served) -> None:
    def code(content: bytes) -> tuple[int, str]:
        answer = served.client.post("/api/v1/transactions/batch", content=content, headers=CBOR)
        return answer.status_code, answer.json()["code"]

    assert (
        served.client.post(
            "/api/v1/transactions/batch", content=cbor.encode([]), headers=CBOR
        ).json()
        == []
    )
    whole = cbor.encode([b"a" * 30, b"b"])
    none = (400, "gateway.batch")
    for cut in range(len(whole)):
        assert code(whole[:cut]) == none
    for content in (whole + b"\0", cbor.encode(["text"]), cbor.encode([[b"a"]]), b"\x9f\xff",
                    b"\x81\x5f\x41a\xff", b"\x9b" + b"\0" * 7, cbor.encode(b"a")):  # fmt: skip
        assert code(content) == none
    too_many = (413, "gateway.batch_size")
    assert code(cbor.encode([b""] * (BATCH_LIMIT + 1))) == too_many
    assert code(b"\x9b" + b"\xff" * 8) == too_many


def test_a_client_that_submits_too_much_is_told_to_wait(tmp_path: Path) -> None:
    limit = RateLimit(per_second=1, burst=3, loopback=True)
    with serving(tmp_path / "ledger", limit=limit) as served:
        raws = [served.sign(Fill(jar="slow", shelf="low", beans=1)) for _ in range(4)]
        for raw in raws[:3]:
            assert served.post(raw).status_code == 201
        answer = served.post(raws[3])
        problem(answer, 429, "gateway.rate")
        assert int(answer.headers["retry-after"]) >= 1
        batch = served.client.post(
            "/api/v1/transactions/batch", content=cbor.encode(tuple(raws)), headers=CBOR
        )
        problem(batch, 429, "gateway.rate")
        assert served.json("/api/v1/ledger")["size"] == 4


def test_a_ledger_that_is_closing_is_unavailable(tmp_path: Path) -> None:
    with serving(tmp_path / "ledger") as served:
        raw = served.sign(Fill(jar="late", shelf="low", beans=1))
        served.writer.engine.close()
        answer = served.post(raw)
        problem(answer, 503, "engine.closed")
        assert answer.headers["retry-after"] == "1"
        batch = served.client.post(
            "/api/v1/transactions/batch", content=cbor.encode([raw]), headers=CBOR
        )
        assert [item["error"]["code"] for item in batch.json()] == ["engine.closed"]
