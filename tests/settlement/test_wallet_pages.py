"""Wallets on their pages: who sees which, and who may do what with one."""

from __future__ import annotations

import html
import re

import pytest
from tests.support.market import drafted, refused, signed, text_of
from tests.support.site import Site

from wattproof.core.actor import Actor
from wattproof.settlement.records import WALLETS
from wattproof.settlement.wallet_forms import ACTIONS, offered
from wattproof.settlement.wallet_queries import wallet_of

STEEL = "/settlement/wallets/steel-main"


def fen(site: Site, device: str) -> int:
    return wallet_of(site.writer.store, device).held("CNY")


@pytest.mark.parametrize("login", ["steel", "grid", "registrar", "metering"])
def test_those_who_may_see_a_wallet(market: Site, login: str) -> None:
    with market.client(login) as client:
        shown = text_of(client.page(STEEL))
    assert "145,228.14 CNY" in shown
    assert "1,002.615385 MWh" in shown
    assert "settlement run 1" in shown
    assert "-654,771.86" in shown
    assert "+800,000.00" in shown


@pytest.mark.parametrize("login", ["offices", "bank", "wind", "citizen"])
def test_a_wallet_is_nobody_elses(market: Site, login: str) -> None:
    with market.client(login) as client:
        assert client.get(STEEL).status_code == 403
        assert client.get("/settlement/wallets/no-such-meter").status_code == 403
        assert client.form(f"{STEEL}/freeze", reason="x").status_code == 403
        assert "steel-main" not in client.page("/settlement/wallets")


def test_whoever_sees_all_is_told_that_there_is_none(market: Site) -> None:
    with market.client("registrar") as client:
        assert client.get("/settlement/wallets/no-such-meter").status_code == 404


def test_lists_hold_what_may_be_seen(market: Site) -> None:
    with market.client("offices") as client:
        own = text_of(client.page("/settlement/wallets"))
        asked_for_others = text_of(client.page("/settlement/wallets?owner=steel-works"))
    assert "office-a" in own
    assert "steel-main" not in own
    assert "steel-main" not in asked_for_others
    with market.client("grid") as client:
        region = text_of(client.page("/settlement/wallets"))
        nobodys = text_of(client.page("/settlement/wallets?region=CN-BJ"))
    assert all(meter in region for meter in ("steel-main", "wind-1", "bakery-1"))
    assert "steel-main" not in nobodys
    with market.client("registrar") as client:
        of_bakery = text_of(client.page("/settlement/wallets?owner=bakery"))
        assert "No wallets like these" in client.page("/settlement/wallets?owner=nobody")
    assert "bakery-1" in of_bakery
    assert "steel-main" not in of_bakery


def test_a_bank_tops_up_what_it_does_not_see(market: Site) -> None:
    before = fen(market, "office-a")
    with market.client("bank") as client:
        bad = client.form("/settlement/wallets", do="top-up", device="office-a", asset="CNY",
                          amount="1.234", source="", memo="")  # fmt: skip
        page = refused(bad, "amount", "book.amount")
        assert 'value="office-a"' in page  # what was typed stays
        unknown = client.form("/settlement/wallets", do="top-up", device="no-such", asset="CNY",
                              amount="1", source="", memo="")  # fmt: skip
        refused(unknown, "device", "identity.device.unknown")
        shown = signed(client, "/settlement/wallets", do="top-up", device="office-a",
                       asset="CNY", amount="1,000.50", source="", memo="February")  # fmt: skip
    assert "1,000.50 CNY" in shown
    assert fen(market, "office-a") == before + 100_050


def test_only_a_bank_tops_up(market: Site) -> None:
    with market.client("steel") as client:
        answer = client.form(f"{STEEL}/top-up", asset="CNY", amount="1", source="", memo="")
        assert answer.status_code == 403
        assert 'id="top-up"' not in client.page(STEEL)
        assert client.form(f"{STEEL}/burn").status_code == 404
        assert client.form("/settlement/wallets", do="pay", device="steel-main").status_code == 404


def test_an_owner_pays_within_its_limit(market: Site) -> None:
    before = fen(market, "steel-main"), fen(market, "office-b")
    pay = {"asset": "CNY", "to": "device", "target": "office-b", "memo": "rent"}
    with market.client("steel") as client:
        too_much = client.form(f"{STEEL}/pay", **pay, amount="10,000.01")
        refused(too_much, "amount", "settlement.wallet_limit")
        nobody = client.form(f"{STEEL}/pay", **{**pay, "target": "nobody"}, amount="1")
        refused(nobody, "target", "identity.device.unknown")
        no_account = client.form(
            f"{STEEL}/pay", **{**pay, "to": "account", "target": "no-till"}, amount="1"
        )
        refused(no_account, "target", "book.account.unknown")
        itself = client.form(f"{STEEL}/pay", **{**pay, "target": "steel-main"}, amount="1")
        refused(itself, "target", "settlement.pay_target")
        signed(client, f"{STEEL}/pay", **pay, amount="250")
        shown = text_of(client.page(STEEL))
    assert (fen(market, "steel-main"), fen(market, "office-b")) == (
        before[0] - 25_000,
        before[1] + 25_000,
    )
    assert "250.00 CNY of 10,000.00 CNY a day" in shown
    assert "rent" in shown


def test_limits_are_set_by_whom_they_are_for(market: Site) -> None:
    with market.client("steel") as client:
        refused(client.form(f"{STEEL}/limit-device", limit="-1"), "limit", "book.amount")
        shown = signed(client, f"{STEEL}/limit-device", limit="500.50")
        assert "the meter's own key" in shown
        assert client.form(f"{STEEL}/limit-owner", limit="1").status_code == 403
    with market.client("grid") as client:
        signed(client, f"{STEEL}/limit-owner", limit="20000")
    wallet = wallet_of(market.writer.store, "steel-main")
    assert (wallet.device_limit_fen, wallet.owner_limit_fen) == (50_050, 2_000_000)


def test_a_frozen_wallet_says_by_whom_and_why(market: Site) -> None:
    path = "/settlement/wallets/office-b"
    with market.client("grid") as client:
        refused(client.form(f"{path}/freeze", reason=""), "reason", "console.field_needed")
        signed(client, "/settlement/wallets", do="freeze", device="office-b", reason="disputed")
        frozen = text_of(client.page("/settlement/wallets?only=frozen"))
        assert "office-b" in frozen
        assert "office-a" not in frozen
        assert "steel-main" not in text_of(client.page("/settlement/wallets?only=due"))
    with market.client("offices") as client:
        shown = text_of(client.page(path))
        assert "Frozen by grid. Reason: disputed" in shown
        assert "nothing can be paid now" in shown
        answer = client.form(f"{path}/pay", asset="CNY", amount="1", to="device",
                             target="office-a", memo="")  # fmt: skip
        refused(answer, "", "settlement.wallet_frozen")
        assert 'id="unfreeze"' not in client.page(path)
    with market.client("grid") as client:
        drafted(client, f"{path}/unfreeze")
        signed(client, f"{path}/unfreeze")
        assert "Frozen by" not in client.page(path)


def test_the_list_goes_on_page_by_page(market: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wattproof.settlement.wallet_view.PER_PAGE", 5)
    wallets = [one.device for one in market.writer.store.scan(WALLETS)]
    pages = -(-len(wallets) // 5)
    seen: list[str] = []
    with market.client("registrar") as client:
        path = "/settlement/wallets"
        for _ in range(pages):
            page = client.page(path)
            seen += re.findall(r'<tr><td><a href="/settlement/wallets/([^"]+)"', page)
            found = re.search(r'rel="next" href="([^"]+)"', page)
            path = html.unescape(found[1]) if found else ""
    assert seen == wallets
    assert path == ""


def test_actions_are_offered_to_whom_they_are_for() -> None:
    owner = Actor(kind="party", id="me", roles=("consumer",))
    bank = Actor(kind="party", id="bank", roles=("bank",))
    assert offered(owner, owner="me", frozen=False) == ["pay", "limit-device"]
    assert offered(owner, owner="you", frozen=False) == []
    assert offered(bank, owner="me", frozen=True) == ["top-up", "limit-owner", "unfreeze"]
    assert {*offered(bank, owner="bank", frozen=False), "unfreeze"} == set(ACTIONS)
