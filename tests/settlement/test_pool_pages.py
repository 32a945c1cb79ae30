"""The pool on its page: what is in it, who sees it, and what is drawn out of it."""

from __future__ import annotations

from tests.support.market import drafted, refused, report, signed, text_of
from tests.support.site import Site

from wattproof.book.model import OpenAccount
from wattproof.book.queries import balance
from wattproof.demo.region import REGION
from wattproof.ledger.transaction import sign_transaction
from wattproof.settlement.model import OpenRun

PAGE = f"/settlement/regions/{REGION}/pool"


def submit(market: Site, body: OpenAccount | OpenRun) -> None:
    raw = sign_transaction(body, market.key_of("grid"), ledger_id=market.writer.ledger_id)
    market.writer.engine.submit(raw)


def held(market: Site, account: str) -> int:
    return balance(market.writer.store, account=account, asset="CNY")


def test_the_pool_is_seen_by_who_settles_and_by_those_who_see_all(market: Site) -> None:
    shown = f"{held(market, f'pool:{REGION}') / 100:,.2f}"
    for login in ("grid", "registrar"):
        with market.client(login) as client:
            told = text_of(client.page(PAGE))
            assert shown in told and "Movements of CNY" in told
            assert ("Draw money" in told) == (login == "grid")
            assert f'href="{PAGE}"' in client.page(f"/settlement/regions/{REGION}")
    with market.client("steel") as client:
        assert client.get(PAGE).status_code == 403
        assert f'href="{PAGE}"' not in client.page(f"/settlement/regions/{REGION}")
        assert client.form(PAGE, target="x", amount="1").status_code == 403


def test_what_is_left_is_drawn(market: Site) -> None:
    submit(market, OpenAccount(id="grid-own"))
    before = held(market, f"pool:{REGION}")
    assert before > 100_000
    with market.client("grid") as client:
        fields = {"target": "grid-own", "amount": "1,000.00", "memo": "January"}
        assert '<option value="grid-own">' in client.page(PAGE)
        refused(client.form(PAGE, **{**fields, "amount": "-1"}), "amount", "book.amount")
        refused(client.form(PAGE, **{**fields, "target": ""}), "target", "console.field_needed")
        refused(client.form(PAGE, **{**fields, "target": "none"}), "target", "book.account.unknown")
        refused(
            client.form(PAGE, **{**fields, "target": f"pool:{REGION}"}),
            "target",
            "book.account.not_owner",
        )
        too_much = {**fields, "amount": "99999999"}
        refused(client.form(PAGE, **too_much), "amount", "settlement.pool_amount")
        told = signed(client, PAGE, **fields)
        assert "Draw money out of a region's pool" in told and "1,000.00 CNY" in told
        page = text_of(client.page(PAGE))
    assert held(market, "grid-own") == 100_000
    assert held(market, f"pool:{REGION}") == before - 100_000
    assert "-1,000.00" in page and "January" in page


def test_nothing_is_drawn_while_a_run_is_open(market: Site) -> None:
    end_s = report(market, "office-a", (100,))
    with market.client("grid") as client:
        draft = drafted(client, PAGE, target="grid-own", amount="1", memo="")
        submit(market, OpenRun(region=REGION, until_s=end_s))
        refused(client.form(PAGE, target="grid-own", amount="1"), "", "settlement.run_open")
        assert "settlement.run_open" in client.form(draft).text
