from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.served_rooms import Region, serving_region


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with serving_region(tmp_path_factory.mktemp("ledger")) as region:
        yield region


def test_assets(region: Region) -> None:
    asset = {"id": "power", "kind": "energy", "unit": "Wh", "issuer": "issuer", "decimals": 0}
    assert region.json("assets") == {"items": [asset], "next": None}
    assert region.json("assets/power") == asset
    assert region.refused("assets/gold") == (404, "book.asset.unknown")


def test_accounts(region: Region) -> None:
    everything = [item["id"] for item in region.json("accounts")["items"]]
    assert {"a-owner", "a-consumer"} <= set(everything)
    assert everything == sorted(everything)
    for params in ({"owner": "owner"}, {"owner": "owner", "owner_kind": "party"}):
        (account,) = region.json("accounts", **params)["items"]
        assert account == {"id": "a-owner", "owner_kind": "party", "owner": "owner"}
    assert region.json("accounts", owner="owner", owner_kind="device")["items"] == []
    parties = region.json("accounts", owner_kind="party")["items"]
    assert [item["id"] for item in parties] == ["a-consumer", "a-owner"]


def test_an_account(region: Region) -> None:
    found = region.json("accounts/a-owner")
    assert found["account"]["owner"] == "owner"
    (balance,) = found["balances"]
    last = balance.pop("last_entry")
    assert balance == {"account": "a-owner", "asset": "power", "amount": 700, "overdraft": 0}
    assert last > 0
    assert region.refused("accounts/none") == (404, "book.account.unknown")


def test_postings(region: Region) -> None:
    found = region.json("accounts/a-owner/postings", asset="power")
    assert [line["amount"] for line in found["lines"]] == [-300, 1_000]
    assert [line["others"] for line in found["lines"]] == [["a-consumer"], ["issue:power"]]
    assert found["next"] is None
    newest = region.json("accounts/a-owner/postings", asset="power", limit=1)
    assert newest["lines"] == found["lines"][:1]
    older = region.json("accounts/a-owner/postings", asset="power", start=newest["next"])
    assert older["lines"] == found["lines"][1:]
    none = region.json("accounts/a-owner/postings", asset="gold")
    assert none == {"lines": [], "next": None}
    assert region.refused("accounts/none/postings", asset="power") == (404, "book.account.unknown")
    bad = region.refused("accounts/a-owner/postings", asset="power", start=0)
    assert bad == (404, "book.statement.start")


def test_conservation(region: Region) -> None:
    (power,) = region.json("conservation")
    assert power == {
        "asset": "power",
        "unit": "Wh",
        "issued": 1_000,
        "retired": 0,
        "circulating": 1_000,
        "sum": 0,
    }
