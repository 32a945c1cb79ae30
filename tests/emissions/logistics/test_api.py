"""Shipments, definitions and reports over HTTP, and the words of their records."""

from __future__ import annotations

from typing import Any

import pytest
from tests.emissions.logistics.files import SMALL, SMALL_MAP
from tests.support.freight import VEHICLE_FACTOR
from tests.support.site import Client, Site

from wattproof.console.ledger_words import WORDS as CONSOLE
from wattproof.console.words import Words
from wattproof.core.errors import Lang
from wattproof.emissions.logistics import api, import_pages
from wattproof.emissions.logistics.model import DefineProduct, DefineVehicle, RecordShipment
from wattproof.node import WORDS

LOGISTICS = "/api/v1/logistics"


def json_of(client: Client, path: str, **params: Any) -> Any:
    answer = client.get(f"{LOGISTICS}/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page: Any) -> set[str]:
    return {item["shipment"] for item in page["items"]}


def test_shipments_by_shipper_customer_and_product(site: Site) -> None:
    with site.client("registrar") as client:
        everything = ids(json_of(client, "shipments"))
        assert {"coil-1", "coil-2", "scrap-1", "furniture-1"} <= everything
        assert ids(json_of(client, "shipments", shipper="offices")) == {"furniture-1"}
        assert ids(json_of(client, "shipments", customer="offices")) == {"coil-2"}
        coils = json_of(client, "shipments", shipper="steel-works", product="coil")
        assert ids(coils) == {"coil-1", "coil-2"}
        first = json_of(client, "shipments", shipper="steel-works", limit=2)
        rest = json_of(client, "shipments", shipper="steel-works", cursor=first["next"])
        assert ids(first) | ids(rest) == {"coil-1", "coil-2", "scrap-1"}


def test_one_shipment_says_how_it_was_worked_out(site: Site) -> None:
    with site.client("steel") as client:
        one = json_of(client, "shipments/steel-works/coil-1")
    assert (one["method"], one["emission_g"]) == ("product-vehicle", 139_774)
    assert (one["factor"], one["factor_version"]) == (VEHICLE_FACTOR, 1)
    assert (one["rate_ug"], one["product_ug"], one["units"]) == (1_154_790, 250, 40)
    assert (one["set"], one["scope"], one["mode"]) == ("defra-2025", "wtw", "road")
    assert one["points"] == ""


def test_definitions_are_ones_own(site: Site) -> None:
    with site.client("steel") as client:
        assert [one["id"] for one in json_of(client, "products")["items"]] == ["coil"]
        assert [one["id"] for one in json_of(client, "vehicles")["items"]] == ["lorry"]
    with site.client("wind") as client:
        assert json_of(client, "products")["items"] == []
        assert json_of(client, "vehicles", party="steel-works")["items"] == []


def test_a_report_sums_to_the_same_by_anything(site: Site) -> None:
    with site.client("steel") as client:
        for by in ("shipment", "product", "customer", "method", "mode"):
            rows = json_of(client, "report", by=by)
            assert {row["shipper"] for row in rows} == {"steel-works"}
            assert sum(row["emission_g"] for row in rows) == 422_079, by
        for step in ("hour", "day", "month", "year"):
            rows = json_of(client, "report", step=step)
            assert sum(row["emission_g"] for row in rows) == 422_079, step
        january = json_of(client, "report", step="year", to="2025-02")
        assert [row["emission_g"] for row in january] == [279_549]
        assert january[0]["key"] == "2025-01-01T00:00:00+08:00"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("report?by=colour", 400, "gateway.request"),
        ("report?zone=Moon", 400, "core.zone"),
        ("report?from=now", 400, "core.time"),
        ("report?shipper=offices", 403, "gateway.not_yours"),
        ("shipments/offices/furniture-1", 403, "gateway.not_yours"),
        ("shipments/steel-works/none", 404, "emissions.shipment.unknown"),
        ("shipments?cursor=x", 400, "gateway.cursor"),
    ],
)
def test_bad_requests(site: Site, path: str, status: int, code: str) -> None:
    with site.client("steel") as client:
        answer = client.get(f"{LOGISTICS}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("body", [DefineProduct, DefineVehicle, RecordShipment])
def test_every_field_has_a_name_in_both_languages(body: type[Any], lang: Lang) -> None:
    words = Words((CONSOLE, *WORDS), zone="UTC")
    unnamed = [
        name for name in body.__struct_fields__ if words.label(name, lang, body.__name__) == name
    ]
    assert unnamed == []


def test_what_is_too_long_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_ROWS", 1)
    with site.client("steel") as client:
        answer = client.get(f"{LOGISTICS}/report", params={"by": "shipment"})
        assert (answer.status_code, answer.json()["code"]) == (413, "shipments.report_rows")
        monkeypatch.setattr(import_pages, "MAX_SHIPMENTS", 0)
        files = {"file": ("out.csv", SMALL.encode())}
        fields = {"csrf": client.csrf, "mapping": SMALL_MAP}
        page = client.post("/shipments/import", data=fields, files=files)
        assert page.status_code == 413
        assert "shipments.upload_rows" in page.text
