"""The worked example of the documents, made again from its amounts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.trading import DAY_S, HOUR_S, REGION, START_S, Trading

from wattproof.book.model import issue_account, retired_account
from wattproof.identity.model import DEVICES
from wattproof.settlement.events import Trade
from wattproof.settlement.model import UFEN_PER_FEN, AcceptContract, OfferContract

DOCS = Path(__file__).parents[2] / "docs"
METERS = ("works-1", "wind-1")
FIRST_S = START_S + 22 * HOUR_S
CONTRACT_WH, CONTRACT_UFEN = 500, 45_000

pages = pytest.mark.parametrize("page", ["settlement.md", "settlement.zh.md"])


def cells(page: str) -> list[list[str]]:
    """The rows of a page's tables."""
    text = (DOCS / page).read_text("utf-8")
    rows = re.findall(r"^\| (.*) \|$", text, flags=re.MULTILINE)
    return [row.split(" | ") for row in rows]


def hours(page: str) -> list[list[str]]:
    return [row for row in cells(page) if len(row) == 6 and row[1] in METERS]


def settled(page: str) -> tuple[Trading, dict[str, list[Trade]]]:
    """The example's hours, reported and settled."""
    trading = Trading(pool_fen=0)
    trading.tariff("feed-in", (0, 39_000))
    trading.tariff("retail", (0, 31_000), (6 * HOUR_S, 62_000))
    trading.meter("works-1", owner="works", money=200)
    trading.meter("wind-1", owner="wind", supply=True)
    offer = OfferContract(
        id="c", supply="wind-1", consumption="works-1", wh_per_hour=CONTRACT_WH,
        price_ufen=CONTRACT_UFEN, from_s=START_S, to_s=START_S + 2 * DAY_S,
    )  # fmt: skip
    trading.submit(offer, "wind")
    trading.submit(AcceptContract(id="c"), "works")
    for meter in METERS:
        amounts = [int(row[2]) for row in hours(page) if row[1] == meter]
        trading.report(meter, amounts, start_s=FIRST_S)
    (batch,) = trading.run(START_S + 2 * DAY_S)
    trading.check()
    return trading, {"works-1": list(batch.consumption), "wind-1": list(batch.supply)}


@pages
def test_the_hours_are_priced_as_they_say(page: str) -> None:
    found = hours(page)
    assert [row[0] for row in found] == ["22:00", "23:00", "00:00", "01:00"] * 2
    for _, meter, wh, contract, tariff, ufen in found:
        (agreed, agreed_ufen), (rest, rest_ufen) = (
            [int(number) for number in part.split(" × ")] for part in (contract, tariff)
        )
        assert agreed == min(int(wh), CONTRACT_WH) and agreed + rest == int(wh), meter
        assert agreed * agreed_ufen + rest * rest_ufen == int(ufen), meter


@pages
def test_the_trades_come_out_as_they_say(page: str) -> None:
    _, trades = settled(page)
    found = [row for row in cells(page) if len(row) == 8 and row[0].split(",")[0] in METERS]
    assert len(found) == 4
    for meter in METERS:
        carried = 0
        costs = [int(row[5]) for row in hours(page) if row[1] == meter]
        rows = [row for row in found if row[0].startswith(meter)]
        for trade, day, row in zip(trades[meter], (costs[:2], costs[2:]), rows, strict=True):
            fen, left = divmod(sum(day) + carried, UFEN_PER_FEN)
            numbers = (trade.wh, sum(day), carried, fen, left, trade.paid_fen, trade.due_fen)
            assert row == [f"{meter}, {trade.trade}", *map(str, numbers)]
            assert trade.fen == fen
            carried = left


@pages
def test_the_balances_come_out_as_they_say(page: str) -> None:
    trading, _ = settled(page)
    energy, pool = f"energy:{REGION}", f"pool:{REGION}"
    works, wind = (trading.ledger.one(DEVICES, meter).number for meter in METERS)
    wanted = [
        (trading.fen(works) - 200, 0),
        (trading.fen(wind), 0),
        (trading.balance(pool, "CNY"), trading.net_wh),
        (0, trading.balance(issue_account(energy), energy)),
        (0, trading.balance(retired_account(energy), energy)),
    ]
    rows = [tuple(row[1:]) for row in cells(page) if len(row) == 3]
    stated = [row for row in rows if all(re.fullmatch(r"-?\d+", cell) for cell in row)]
    assert stated == [(str(money), str(wh)) for money, wh in wanted]
    assert f"5050 - 4604 = {trading.net_wh} Wh" in (DOCS / page).read_text("utf-8")
