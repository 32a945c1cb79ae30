from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.memory_ledger import key_of
from tests.support.served_rooms import METERS, Region, serving_region

from wattproof.keys.did import did_of


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with serving_region(tmp_path_factory.mktemp("ledger")) as region:
        yield region


def ids(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["id"] for item in page["items"]]


def test_parties(region: Region) -> None:
    page = region.json("parties", limit=4)
    assert ids(page) == ["authority", "consumer", "issuer", "owner"]
    assert ids(region.json("parties", cursor=page["next"])) == [
        "publisher",
        "registrar",
        "supplier",
    ]
    assert ids(region.json("parties", role="supplier")) == ["supplier"]
    assert ids(region.json("parties", role="none of ours")) == []


def test_a_party(region: Region) -> None:
    found = region.json("parties/consumer")
    party = found["party"]
    assert (party["kind"], party["status"], party["roles"]) == (
        "organisation",
        "active",
        ["consumer"],
    )
    assert party["did"] == did_of(key_of("consumer").public)
    (key,) = found["keys"]
    assert key["key"] == key_of("consumer").public.hex()
    assert key["retired_entry"] is None
    assert region.refused("parties/nobody") == (404, "identity.party.unknown")
    assert region.refused(f"parties/{'x' * 65}") == (400, "gateway.request")


def test_devices(region: Region) -> None:
    assert ids(region.json("devices")) == list(METERS)
    first = region.json("devices", limit=2)
    assert ids(first) == ["m0", "m1"]
    assert ids(region.json("devices", limit=3, cursor=first["next"])) == ["m2", "m3", "m4"]
    assert ids(region.json("devices", owner="owner", status="active")) == ["m0", "m1", "m2", "m3"]
    assert ids(region.json("devices", owner="owner", quantity="electricity.export")) == ["m3"]
    assert ids(region.json("devices", status="enrolled")) == ["m4"]
    assert ids(region.json("devices", region="CN-SH")) == ["m0"]
    assert ids(region.json("devices", owner="supplier")) == []
    assert region.refused("devices", limit=501) == (400, "gateway.request")


def test_a_device(region: Region) -> None:
    found = region.json("devices/m0")
    assert found["device"]["owner"] == "owner"
    assert found["device"]["number"] == 1
    assert found["device"]["register_modulus"] == 0, "defaults are shown too"
    assert [(item["side"], item["party"]) for item in found["associations"]] == [
        ("consumer", "consumer"),
        ("supplier", "supplier"),
    ]
    assert [key["key"] for key in found["keys"]] == [key_of("m0").public.hex()]
    assert region.refused("devices/none") == (404, "identity.device.unknown")


def test_the_table_of_roles_is_the_one_that_is_enforced(region: Region) -> None:
    table = region.json("roles")
    specs = region.folder.machine.specs
    assert [(row["type"], row["version"], tuple(row["by"])) for row in table["transactions"]] == [
        (spec.type, spec.version, spec.by) for spec in specs
    ]
    names = {role["name"] for role in (*table["roles"], *table["everyone"])}
    assert {name for spec in specs for name in spec.by} <= names
