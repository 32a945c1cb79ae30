"""A meter's trades on their pages, and beside its readings."""

from __future__ import annotations

import re

import pytest
from tests.console.test_translations import english
from tests.support.market import text_of
from tests.support.site import OWN_KEY, Site

from wattproof.core.trace_codes import parse_trace
from wattproof.identity.queries import device
from wattproof.settlement.trade_queries import TradeView, trades_of

BAKERY = "/settlement/trades/bakery-1"
STEEL = "/settlement/trades/steel-main"


def newest(site: Site, meter: str) -> TradeView:
    return trades_of(site.writer.store, meter, limit=1)[0]


def test_trades_are_listed_with_what_is_behind_them(market: Site) -> None:
    with market.client("registrar") as client:
        page = client.page(BAKERY)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        assert older is not None
        rest = client.page(older[1])
    trades = trades_of(market.writer.store, "bakery-1")
    ids = re.findall(rf'href="{BAKERY}/([^"]+)"', page + rest)
    assert ids == [one.id for one in trades]
    shown = text_of(page)
    assert "31 January 2025 00:00–24:00" in shown
    assert "641.92" in shown  # what was due, with the day's own
    assert "557.95" in shown
    entries = re.findall(r'href="/ledger/entries/(\d+)">(\d+)<', page)
    assert len(entries) == 20


def test_a_trade_says_what_is_paid_and_why(market: Site) -> None:
    trade = newest(market, "steel-main")
    with market.client("steel") as client:
        page = client.page(f"{STEEL}/{trade.id}")
        shown = text_of(page)
        packet = re.search(r'href="(/ledger/entries/\d+)"', page)
        assert packet is not None
        assert client.get(packet[1]).status_code == 200  # the owner may open what is linked
    assert "What you pay" in shown
    assert "contract wind-for-steel-2025 7,200.000 0.45 3,240.00" in shown
    assert "tariff retail 4,074.336 0.31 1,263.04416" in shown
    assert "carried from the trade before and to the next -0.00153" in shown
    assert "This energy costs 37,087.298 24,427.16" in shown
    assert "08:00 2,294.496 0.45 + 1.03 2,189.33088" in shown
    with market.client("grid") as client:
        page = client.page(f"{STEEL}/{trade.id}")
        assert "What is paid" in page
        assert f'href="/ledger/entries/{trade.entry}"' in page
        assert client.get(f"/ledger/entries/{trade.entry}").status_code == 200
        links = re.findall(r'href="/ledger/entries/(\d+)"', page)
        assert links == [str(trade.entry)]  # packets are their owner's


def test_a_code_is_read_by_who_holds_its_key(market: Site) -> None:
    trade = newest(market, "wind-1")
    path = f"/settlement/trades/wind-1/{trade.id}"
    with market.client("grid") as client:
        page = client.page(path)
    (code,) = (parse_trace(text) for text in re.findall(r"1-00CNSH-[-0-9A-Z*]{59}", page))
    assert (code.record, code.start_s) == (trade.trade, trade.first_s)
    assert code.meter == device(market.writer.store, "wind-1").number
    assert code.technology != "F00000000"
    for login in ("registrar", OWN_KEY):  # who holds none, and whose key is not here
        with market.client(login) as client:
            page = client.page(path)
        assert "1-00CNSH-" not in page
        assert "for holders of its key" in page


def test_what_is_due_is_explained(market: Site) -> None:
    due = next(one for one in trades_of(market.writer.store, "bakery-1") if one.due_fen)
    with market.client("registrar") as client:
        shown = text_of(client.page(f"{BAKERY}/{due.id}"))
    assert "Due from before 474.16" in shown
    assert "Still due after it 557.95" in shown
    assert "have the wallet topped up" in shown


def test_a_supplier_reads_what_it_earned(market: Site) -> None:
    with market.client("wind") as client:
        trade = newest(market, "wind-1")
        shown = text_of(client.page(f"/settlement/trades/wind-1/{trade.id}"))
    assert "What you earn" in shown
    assert "Paid into the wallet" in shown


@pytest.mark.parametrize("login", ["offices", "bank", "wind"])
def test_trades_are_nobody_elses(market: Site, login: str) -> None:
    trade = newest(market, "steel-main")
    with market.client(login) as client:
        for path in (STEEL, f"{STEEL}/{trade.id}", "/settlement/trades/no-such"):
            assert client.get(path).status_code == 403


def test_trades_that_there_are_not(market: Site) -> None:
    with market.client("steel") as client:
        for id_ in ("1-1", "x", f"{newest(market, 'bakery-1').entry}-99", "9" * 40):
            assert client.get(f"{STEEL}/{id_}").status_code in (400, 404)
            assert client.get(f"{STEEL}?before={id_}").status_code in (400, 404)


def test_a_meter_that_does_not_trade_says_what_is_missing(market: Site) -> None:
    with market.client("steel") as client:
        shown = text_of(client.page("/settlement/trades/steel-stack"))
        wallet = text_of(client.page("/settlement/wallets/steel-stack"))
    assert "No trades yet" in shown
    assert "It does not trade" in wallet
    assert "Nothing has moved yet" in wallet


def test_a_meters_page_shows_its_wallet_and_its_last_trades(market: Site) -> None:
    with market.client("steel") as client:
        shown = text_of(client.page("/meters/steel-main"))
        other = text_of(client.page("/meters/steel-stack"))
    assert "In the wallet 145,228.14 CNY" in shown
    assert "Last trades" in shown
    assert "31 January 2025" in shown
    assert "Last trades" not in other


def test_no_english_is_left_on_a_chinese_trade(market: Site) -> None:
    due = next(one for one in trades_of(market.writer.store, "bakery-1") if one.due_fen)
    with market.client("registrar") as client:
        client.cookies.set("wattproof_lang", "zh")
        page = client.page(f"{BAKERY}/{due.id}")
        assert english(page, {"wind-for-steel-2025"}) == []
        assert "2025年1月25日 00:00–24:00" in text_of(page)
        keys = client.page("/settlement/trace-keys")
        epoch = re.search(r'href="(/settlement/trace-keys/[0-9a-f]{32})"', keys)
        assert epoch is not None
        assert english(client.page(epoch[1])) == []
