"""Tariffs on their pages: everybody reads them, who settles the region publishes and assigns."""

from __future__ import annotations

import re

import pytest
from tests.support.market import refused, signed, text_of, usage_of
from tests.support.site import Site

from wattproof.console.filled import Filled
from wattproof.core.errors import Refused
from wattproof.settlement.model import Band
from wattproof.settlement.queries import tariffs_of
from wattproof.settlement.tariff_forms import hour_of, offer_body, publish_body, rows_of

REGION = "CN-SH"
PUBLISH = f"/settlement/tariffs/{REGION}/publish"


@pytest.mark.parametrize("login", ["steel", "citizen", "grid", "registrar"])
def test_every_reader_sees_prices_exactly(market: Site, login: str) -> None:
    with market.client(login) as client:
        tariffs = text_of(client.page("/settlement/tariffs"))
        page = client.page(f"/settlement/tariffs/{REGION}/prices/retail")
    assert "feed-in" in tariffs
    assert "0.31 – 1.03" in tariffs
    shown = text_of(page)
    for band in ("00:00–06:00 0.31", "08:00–11:00 1.03", "22:00–24:00 0.31"):
        assert band in shown
    hours = re.findall(r'<th scope="row">(\d\d:00)</th><td class="num">([\d.]+)</td>', page)
    assert len(hours) == 24
    assert dict(hours)["18:00"] == "1.03"


def test_prices_and_regions_that_there_are_not(market: Site) -> None:
    with market.client("steel") as client:
        assert client.get(f"/settlement/tariffs/{REGION}/prices/none").status_code == 404
        assert client.get("/settlement/tariffs/CN-BJ/prices/retail").status_code == 404
        assert client.get("/settlement/tariffs?region=CN-BJ").status_code == 404
        assert client.get("/settlement/tariffs/CN-BJ/publish").status_code == 404


def test_a_tariff_by_time_of_use_is_published(market: Site) -> None:
    fields = {
        "id": "night", "day": "2027-01-01", "hour": "00:00", "price_1": "0.3",
        "from_2": "08:00", "price_2": "0.90001", "from_3": "22:00", "price_3": "0.3",
    }  # fmt: skip
    with market.client("grid") as client:
        bad = client.form(PUBLISH, **{**fields, "price_2": "0.900001", "from_3": "07:00"})
        page = refused(bad, "price_2", "settlement.price")
        refused(bad, "from_3", "settlement.row_time")
        assert 'value="0.900001"' in page
        lone = client.form(PUBLISH, **{**fields, "price_3": ""})
        refused(lone, "price_3", "settlement.row_price")
        refused(client.form(PUBLISH, **{**fields, "id": "a b"}), "id", "core.id")
        refused(client.form(PUBLISH, **{**fields, "day": "tomorrow"}), "day", "core.time")
        signed(client, PUBLISH, **fields)
        shown = text_of(client.page(f"/settlement/tariffs/{REGION}/prices/night"))
        again = client.page(f"{PUBLISH}?like=night")
    (made,) = tariffs_of(market.writer.store, REGION, "night")
    assert made.from_s == 1_798_732_800  # 2027-01-01 00:00 in Shanghai
    assert made.prices_ufen == (30_000,) * 8 + (90_001,) * 14 + (30_000,) * 2
    assert "08:00–22:00 0.90001" in shown
    assert "to come" in shown
    assert 'value="0.90001"' in again


def test_what_is_settled_keeps_its_prices(market: Site) -> None:
    fields = {"id": "retail", "day": "2025-01-10", "hour": "00:00", "price_1": "9"}
    with market.client("grid") as client:
        refused(client.form(PUBLISH, **fields), "day", "settlement.settled_already")


def test_nobody_else_publishes(market: Site) -> None:
    fields = {"id": "cheap", "day": "2027-01-01", "hour": "00:00", "price_1": "0"}
    with market.client("steel") as client:
        assert "Only grid, who settles the region" in text_of(client.page(PUBLISH))
        answer = client.form(PUBLISH, **fields)
        assert answer.status_code == 403
        assert "Publish a tariff" not in client.page("/settlement/tariffs")
    assert tariffs_of(market.writer.store, REGION, "cheap") == []


def test_a_meter_gets_a_tariff_of_its_own(market: Site) -> None:
    path = f"/settlement/tariffs/{REGION}/assign"
    with market.client("grid") as client:
        refused(client.form(path, device="no-such", tariff=""), "device", "identity.device.unknown")
        refused(client.form(path, device="steel-stack", tariff=""), "device",
                "settlement.not_this_kind")  # fmt: skip
        refused(client.form(path, device="office-a", tariff="none"), "tariff",
                "settlement.tariff_unknown")  # fmt: skip
        signed(client, path, device="office-a", tariff="feed-in")
        assert usage_of(market.writer.store, "office-a").tariff == "feed-in"
        signed(client, path, device="office-a", tariff="")
    assert usage_of(market.writer.store, "office-a").tariff == ""


def test_rows_become_bands() -> None:
    form = Filled({"id": "t", "day": "2025-01-01", "hour": "08:00", "price_1": "0.5",
                   "from_5": "12:00", "price_5": "1"})  # fmt: skip
    body = publish_body(form, region=REGION, offset_s=8 * 3600)
    assert body.from_s == 1_735_660_800 + 8 * 3600
    assert body.bands == (
        Band(from_s=0, price_ufen=50_000),
        Band(from_s=12 * 3600, price_ufen=100_000),
    )


def test_an_hour_is_a_whole_one() -> None:
    assert hour_of("23:00") == 23 * 3600
    for text in ("", "24:00", "8:00", "08:30"):
        with pytest.raises(Refused):
            hour_of(text)


def test_enough_rows_are_open() -> None:
    assert rows_of(None) == 6
    assert rows_of((1,) * 24) == 6
    assert rows_of(tuple(range(24))) == 24


@pytest.mark.parametrize("kwh", ["0", "-1", "0.0001", "x", ""])
def test_energy_of_a_contract_is_whole_watt_hours(kwh: str) -> None:
    form = Filled({"id": "c", "supply": "a", "device": "b", "kwh": kwh, "price": "1",
                   "day": "2025-01-01", "hour": "00:00", "end_day": "2025-01-02",
                   "end_hour": "00:00"})  # fmt: skip
    with pytest.raises(Refused):
        offer_body(form, offset_s=0)
    assert form.why("kwh", "en") is not None
