from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.gateway.served import Served, problem, serving
from tests.ledger.growing import KEY
from tests.ledger.toy import Fill, Move, MoveAll

from wattproof.gateway import reading
from wattproof.gateway.words import plain, sentence_of
from wattproof.keys.did import did_of
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.merkle import leaf_hash
from wattproof.ledger.note import parse_vkey
from wattproof.ledger.proof import verify_proof
from wattproof.ledger.receipt import verify_receipt

JAR_COUNT = 45


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("ledger")) as served:
        for number in range(JAR_COUNT):
            shelf = "high" if number % 3 else "low"
            served.submit(Fill(jar=f"jar-{number:02}", shelf=shelf, beans=number))
        yield served


def walk(served: Served, **params: Any) -> list[list[dict[str, Any]]]:
    """Every page of the jars."""
    pages = []
    while True:
        page = served.json("/api/v1/jars", **params)
        pages.append(page["items"])
        if page["next"] is None:
            return pages
        params["cursor"] = page["next"]


@pytest.mark.parametrize("limit", [1, 7, 44, 45, 46, 500])
def test_pages_hold_everything_once_and_in_order(served: Served, limit: int) -> None:
    pages = walk(served, limit=limit)
    assert all(len(page) == limit for page in pages[:-1])
    names = [jar["name"] for page in pages for jar in page]
    assert names == [f"jar-{number:02}" for number in range(JAR_COUNT)]


def test_pages_of_an_index(served: Served) -> None:
    names = [jar["name"] for page in walk(served, shelf="low", limit=4) for jar in page]
    assert names == [f"jar-{number:02}" for number in range(0, JAR_COUNT, 3)]
    assert walk(served, shelf="nowhere") == [[]]


def test_pages_of_what_is_kept(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [f"jar-{number:02}" for number in range(0, JAR_COUNT, 2)]
    for limit in (1, 5, 23, 24, 500):
        names = [jar["name"] for page in walk(served, even=True, limit=limit) for jar in page]
        assert names == expected
    # a filter that keeps little does not read the whole collection for one page
    monkeypatch.setattr(reading, "LOOKED_AT_ONCE", 10)
    monkeypatch.setattr(reading, "MAX_LOOKED_AT", 20)
    pages = walk(served, even=True, limit=10)
    assert [len(page) for page in pages] == [10, 10, 3]
    assert [jar["name"] for page in pages for jar in page] == expected


def test_a_record_is_shown_with_its_defaults(served: Served) -> None:
    first = served.json("/api/v1/jars", limit=1)["items"][0]
    assert first == {"name": "jar-00", "shelf": "low", "beans": 0}


@pytest.mark.parametrize(
    "cursor", ["", "!", "zzzz", "kQE", "gaFhYQ", "k6FhoWGhYQ", "é", "3Q" * 150]
)
def test_cursors_that_are_none(served: Served, cursor: str) -> None:
    answer = served.client.get("/api/v1/jars", params={"cursor": cursor})
    problem(answer, 400, "gateway.cursor")


def test_the_ledger(served: Served) -> None:
    ledger = served.json("/api/v1/ledger")
    assert ledger["id"] == served.writer.ledger_id.hex()
    assert ledger["origin"] == served.writer.origin == f"wattproof/{ledger['id']}"
    assert (ledger["name"], ledger["zone"]) == ("toy", "Asia/Shanghai")
    assert ledger["size"] == JAR_COUNT + 1 == ledger["height"] + 1
    assert ledger["software"] == "test"
    assert ledger["log_did"] == did_of(parse_vkey(ledger["vkey"])[1])


def test_entries_page_by_page(served: Served) -> None:
    seen: list[dict[str, Any]] = []
    following: int | None = 0
    while following is not None:
        page = served.json("/api/v1/entries", **{"from": following, "limit": 20})
        assert page["size"] == JAR_COUNT + 1
        seen += page["entries"]
        following = page["next"]
    assert [entry["index"] for entry in seen] == list(range(JAR_COUNT + 1))
    assert [entry["type"] for entry in seen[:2]] == ["ledger.genesis", "toy.fill"]
    assert seen[1]["meaning"] == {"en": "Fill a jar", "zh": "装罐"}
    assert seen[2]["events"] == [{"event": "toy.filled", "jar": "jar-01", "beans": 1}]
    beyond = served.json("/api/v1/entries", **{"from": 10_000})
    assert (beyond["entries"], beyond["next"]) == ([], None)


def test_a_transaction_in_words(served: Served) -> None:
    moves = (Move(source="jar-44", target="jar-00", beans=3),)
    receipt = served.submit(MoveAll(moves=moves, label=b"\x00\xff"))
    view = served.json(f"/api/v1/transactions/{receipt['id']}")
    assert view["receipt"] == receipt
    assert (view["type"], view["version"]) == ("toy.move", 1)
    assert view["meaning"] == {"en": "Move beans", "zh": "移动"}
    assert view["signer"] == did_of(KEY.public)
    assert view["fields"] == {
        "moves": [{"source": "jar-44", "target": "jar-00", "beans": 3}],
        "label": "00ff",
    }
    assert view["sentences"] == [{"en": "jar-00 now has 3", "zh": "jar-00 现有 3"}]


def test_genesis_in_words(served: Served) -> None:
    view = served.json(f"/api/v1/transactions/{served.writer.ledger_id.hex()}")
    assert view["type"] == "ledger.genesis"
    assert view["fields"]["founders"][0]["key"] == KEY.public.hex()


def test_a_receipt_and_a_proof_hold_outside(served: Served) -> None:
    receipt = served.submit(Fill(jar="proven", shelf="low", beans=1))
    address = f"/api/v1/transactions/{receipt['id']}"
    entry = served.writer.store.entry(receipt["index"])
    cose = served.client.get(address + "/receipt")
    assert cose.headers["content-type"] == "application/cose"
    _, log_key = parse_vkey(served.json("/api/v1/ledger")["vkey"])
    assert verify_receipt(cose.content, leaf_hash=leaf_hash(entry.leaf), public=log_key)
    file = served.client.get(address + "/proof")
    assert file.headers["content-disposition"] == (
        f'attachment; filename="wattproof-{receipt["id"][:16]}.proof.json"'
    )
    verdict = verify_proof(file.content, ledger_id=served.writer.ledger_id)
    assert verdict.ok
    assert verdict.transaction_id == receipt["id"]
    asked = served.client.post(
        "/api/v1/verify", content=file.content, headers={"Content-Type": "application/json"}
    )
    assert asked.json() == msgspec.json.decode(msgspec.json.encode(verdict))
    changed = file.content.replace(b'"height":', b'"height":1')
    asked = served.client.post(
        "/api/v1/verify", content=changed, headers={"Content-Type": "application/octet-stream"}
    )
    assert asked.status_code == 200
    assert asked.json()["ok"] is False
    assert [step["ok"] for step in asked.json()["steps"]].count(False) == 1


def test_what_is_not_in_the_ledger(served: Served) -> None:
    for tail in ("", "/receipt", "/proof"):
        answer = served.client.get(f"/api/v1/transactions/{'0' * 64}{tail}")
        problem(answer, 404, "gateway.no_transaction")


def test_a_log_of_one_entry_has_no_receipts_yet(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("ledger")) as served:
        address = f"/api/v1/transactions/{served.writer.ledger_id.hex()}"
        for tail in ("/receipt", "/proof"):
            problem(served.client.get(address + tail), 409, "ledger.receipt.one_entry")
        entry = served.writer.store.entry(0)
        assert leaf_parts(entry.leaf)[:2] == (0, served.json(address)["receipt"]["time_ms"])


def test_verify_takes_no_other_media_type_and_no_more_than_a_proof(served: Served) -> None:
    problem(served.client.post("/api/v1/verify", content=b"{}"), 415, "gateway.media_type")
    answer = served.client.post(
        "/api/v1/verify", content=b" " * (1 << 20 | 1), headers={"Content-Type": "application/json"}
    )
    problem(answer, 413, "gateway.too_large")


def test_values_as_json_shows_them() -> None:
    assert plain((b"\x01", UintArray.from_ints([1, 300]), [None, True, "x", 7])) == [
        "01",
        [1, 300],
        [None, True, "x", 7],
    ]


def test_sentences_fill_in_what_was_left_out_and_know_their_limits() -> None:
    assert sentence_of({"event": "toy.filled", "jar": "a", "beans": 1}).en == "a now has 1"
    assert sentence_of({"event": "no.such", "x": 1}).zh == "no.such"
