"""Bilateral contracts on their pages: offered by one, accepted by the other, seen by no third."""

from __future__ import annotations

from tests.support.market import refused, signed, signed_outside, text_of, usage_of
from tests.support.site import Site

from wattproof.settlement.queries import contract_of

OFFER = {
    "id": "spring", "supply": "wind-1", "device": "steel-main", "kwh": "12.5", "price": "0.40005",
    "day": "2027-03-01", "hour": "06:00", "end_day": "2027-06-01", "end_hour": "00:00",
}  # fmt: skip


def test_a_contract_says_what_it_does(market: Site) -> None:
    with market.client("steel") as client:
        shown = text_of(client.page("/settlement/contracts/wind-for-steel-2025"))
        assert "wind-for-steel-2025" in client.page("/settlement/contracts")
    assert "up to 300 kWh of what wind-1 supplies" in shown
    assert "is settled at 0.45 CNY/kWh" in shown
    assert "1 January 2025, 00:00" in shown
    assert "over" in shown


def test_no_third_party_sees_it(market: Site) -> None:
    with market.client("offices") as client:
        assert client.get("/settlement/contracts/wind-for-steel-2025").status_code == 403
        assert client.get("/settlement/contracts/no-such").status_code == 403
        assert client.form("/settlement/contracts/wind-for-steel-2025/accept").status_code == 403
        assert "wind-for-steel-2025" not in client.page("/settlement/contracts")
    for login in ("grid", "registrar"):
        with market.client(login) as client:
            client.page("/settlement/contracts/wind-for-steel-2025")
            assert "wind-for-steel-2025" in client.page("/settlement/contracts")
    with market.client("registrar") as client:
        assert client.get("/settlement/contracts/no-such").status_code == 404


def test_offered_by_one_and_accepted_by_the_other(market: Site) -> None:
    with market.client("wind") as client:
        path = "/settlement/contracts"
        page = refused(client.form(path, **{**OFFER, "kwh": "1.2345"}), "kwh", "settlement.kwh")
        assert 'value="1.2345"' in page
        refused(client.form(path, **{**OFFER, "price": "x"}), "price", "settlement.price")
        refused(client.form(path, **{**OFFER, "device": "none"}), "device",
                "identity.device.unknown")  # fmt: skip
        refused(client.form(path, **{**OFFER, "device": "wind-1"}), "device",
                "settlement.not_this_kind")  # fmt: skip
        refused(client.form(path, **{**OFFER, "supply": "solar-1"}), "supply",
                "settlement.not_yours")  # fmt: skip
        refused(client.form(path, **{**OFFER, "end_day": "2027-02-01"}), "day",
                "settlement.period")  # fmt: skip
        refused(client.form(path, **{**OFFER, "id": "wind-for-steel-2025"}), "id",
                "settlement.contract_taken")  # fmt: skip
        signed_outside(market, client, "wind-farm", path, **OFFER)
        waiting = text_of(client.page(f"{path}/spring"))
        assert "It waits for steel-works to accept it." in waiting
        answer = client.form(f"{path}/spring/accept")
        assert answer.status_code == 403
    made = contract_of(market.writer.store, "spring")
    assert (made.wh_per_hour, made.price_ufen) == (12_500, 40_005)
    assert (made.from_s, made.to_s) == (1_803_852_000, 1_811_779_200)
    with market.client("steel") as client:
        assert "offered, not accepted yet" in text_of(client.page("/settlement/contracts"))
        signed(client, "/settlement/contracts/spring/accept")
        shown = text_of(client.page("/settlement/contracts/spring"))
        assert "accepted, not begun yet" in shown
        refused(client.form("/settlement/contracts/spring/accept"), "",
                "settlement.contract_unknown")  # fmt: skip
    assert "spring" in usage_of(market.writer.store, "steel-main").contracts


def test_who_supplies_nothing_is_told_so(market: Site) -> None:
    with market.client("grid") as client:
        assert "You have no meter that supplies" in client.page("/settlement/contracts")
    with market.client("steel") as client:
        assert "Offer a contract" not in client.page("/settlement/contracts")
