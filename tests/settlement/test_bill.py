"""How a trade's money came about, read again from packets and prices, against the trade itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.support.meters import packet_of
from tests.support.settled_region import DAY_S, HOUR_S, REGION, START_S, SettledRegion
from tests.support.site import Site

from wattproof.identity.model import DEVICES
from wattproof.metering.model import STREAMS, ReplaceMeter
from wattproof.node import IMPORTER
from wattproof.settlement.bill import Bill, bill_of, exact_cny
from wattproof.settlement.model import (
    UFEN_PER_FEN,
    AcceptContract,
    AssignTariff,
    Band,
    OfferContract,
    PublishTariff,
)
from wattproof.settlement.records import USAGE
from wattproof.settlement.trade_queries import TradeView, trades_of

DAYS = 3
RUNS_S = (30 * HOUR_S, 31 * HOUR_S, 55 * HOUR_S, DAYS * DAY_S)
"""When runs end, after the start; each comes while packets of later hours are in already."""


@pytest.fixture
def region(tmp_path: Path) -> SettledRegion:
    return SettledRegion.made(tmp_path / "ledger")


def bills(region: SettledRegion, meter: str) -> list[tuple[TradeView, Bill]]:
    """A meter's trades and their bills, oldest first."""
    store, codec = region.store, region.folder.machine.codec
    trades = trades_of(store, meter, limit=500)[::-1]
    return [(trade, bill_of(store, codec, trade)) for trade in trades]


def prices(region: SettledRegion, tariff: str, *bands: tuple[int, int], from_s: int = 0) -> None:
    """Prices of a tariff, each from an hour of the day on."""
    made = tuple(Band(from_s=hour * HOUR_S, price_ufen=ufen) for hour, ufen in bands)
    region.submit(PublishTariff(region=REGION, id=tariff, from_s=from_s, bands=made))


def check(trade: TradeView, bill: Bill) -> None:
    """A bill that agrees says all that there is to say."""
    assert bill.whole, trade
    assert bill.agrees, trade
    assert sum(hour.wh for hour in bill.hours) == sum(share.wh for share in bill.shares) == trade.wh
    assert len(bill.hours) == trade.hours
    ufen = sum(share.ufen for share in bill.shares)
    assert ufen == sum(hour.ufen for hour in bill.hours) == bill.ufen
    assert trade.fen * UFEN_PER_FEN == bill.ufen + bill.carried_ufen


def report_at_random(region: SettledRegion, meter: str, *, seed: int) -> None:
    """Packets of a register over all days, with gaps, catch-ups and intervals of many lengths."""
    chosen = random.Random(seed)
    end_s, register, sequence = START_S, 0, 1
    settled = iter(RUNS_S)
    until_s = next(settled)
    while end_s < START_S + DAYS * DAY_S:
        interval_s = chosen.choice((900, 1_800, HOUR_S, 2 * HOUR_S))
        gap_s = chosen.choice((0, 0, 0, 900, HOUR_S, 5 * HOUR_S))
        gained = chosen.choice((0, 7_077)) if gap_s and sequence > 1 else 0
        amounts = [chosen.choice((0, 33, 911)) for _ in range(chosen.randrange(1, 14))]
        packet = packet_of(
            amounts, sequence=sequence, start_s=end_s + gap_s, interval_s=interval_s,
            kind="register", opening=register + gained,
        )  # fmt: skip
        region.submit(packet, meter)
        register += gained + sum(amounts)
        end_s += gap_s + len(amounts) * interval_s
        sequence += 1
        while until_s and end_s >= START_S + until_s:
            region.run(START_S + until_s)
            until_s = next(settled, 0)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_reported_the_money_is_told(region: SettledRegion, seed: int) -> None:
    with region:
        prices(region, "sell", (0, 31_313), (7, 90_009), (21, 31_313), from_s=START_S)
        region.meter("house")
        region.meter("roof", supply=True)
        contract = OfferContract(
            id="c", supply="roof", consumption="house", wh_per_hour=1_000, price_ufen=44_444,
            from_s=START_S + 5 * HOUR_S, to_s=START_S + 40 * HOUR_S,
        )  # fmt: skip
        region.submit(contract, IMPORTER)
        region.submit(AcceptContract(id="c"), IMPORTER)
        report_at_random(region, "house", seed=seed)
        found = bills(region, "house")
    assert len(found) > DAYS
    for trade, bill in found:
        check(trade, bill)
    assert {share.contract for _, bill in found for share in bill.shares} == {"", "c"}


def test_a_contract_that_is_over_is_told_of_the_trades_that_it_was_for(
    region: SettledRegion,
) -> None:
    """A meter forgets contracts that are over when it accepts another; its bills do not."""
    with region:
        for meter, supply in (("house", False), ("roof", True)):
            region.meter(meter, supply=supply)
            region.report(meter, [900] * 24)
        for day in range(2):
            contract = OfferContract(
                id=f"c{day}", supply="roof", consumption="house", wh_per_hour=500,
                price_ufen=44_444, from_s=START_S + 2 * day * DAY_S,
                to_s=START_S + (2 * day + 1) * DAY_S,
            )  # fmt: skip
            region.submit(contract, IMPORTER)
            region.submit(AcceptContract(id=contract.id), IMPORTER)
            region.run(START_S + DAY_S)
            if not day:
                region.report("house", [100] * 2, start_s=START_S + DAY_S)
                region.run(START_S + DAY_S + 2 * HOUR_S)
        usage = region.store.get(USAGE, region.number("house"))
        assert usage is not None and usage.contracts == ("c1",)
        found = bills(region, "house")
    for trade, bill in found:
        check(trade, bill)
    assert {share.contract for share in found[0][1].shares} == {"c0", ""}


def test_an_hour_that_runs_have_cut_uses_up_a_contract_once(region: SettledRegion) -> None:
    """A quarter of an hour a packet, each settled as it comes."""
    with region:
        for meter, supply in (("house", False), ("roof", True)):
            region.meter(meter, supply=supply)
            region.report(meter, [], interval_s=900)
        for id_, wh in (("c0", 250), ("c1", 300)):
            contract = OfferContract(
                id=id_, supply="roof", consumption="house", wh_per_hour=wh, price_ufen=44_444,
                from_s=START_S, to_s=START_S + HOUR_S,
            )  # fmt: skip
            region.submit(contract, IMPORTER)
            region.submit(AcceptContract(id=id_), IMPORTER)
        for quarter in range(6):
            region.report("house", [200], start_s=START_S + quarter * 900, interval_s=900)
            region.run(START_S + 2 * HOUR_S)
        found = bills(region, "house")
    for trade, bill in found:
        check(trade, bill)
    assert [[(share.contract, share.wh) for share in bill.shares] for _, bill in found] == [
        [("c0", 200)], [("c0", 50), ("c1", 150)], [("c1", 150), ("", 50)], *[[("", 200)]] * 3,
    ]  # fmt: skip


def test_every_trade_of_the_demonstration_is_told(market: Site) -> None:
    store, codec = market.writer.store, market.folder.machine.codec
    meters = {usage.device for usage in store.scan(USAGE)}
    trades = [trade for meter in meters for trade in trades_of(store, meter, limit=500)]
    assert len(trades) > 100
    for trade in trades:
        check(trade, bill_of(store, codec, trade))


def test_prices_of_then_are_used_for_what_came_then(region: SettledRegion) -> None:
    with region:
        region.meter("house")
        region.report("house", [1_000] * 24)
        region.run(START_S + DAY_S)
        prices(region, "sell", (0, 99_000), from_s=START_S + DAY_S)
        region.report("house", [1_000] * 24, start_s=START_S + DAY_S)
        region.run(START_S + 2 * DAY_S)
        (first, old), (second, new) = bills(region, "house")
    check(first, old)
    check(second, new)
    assert [share.price_ufen for share in old.shares] == [50_000]
    assert [share.price_ufen for share in new.shares] == [99_000]


def test_a_tariff_that_was_changed_since_is_not_guessed(region: SettledRegion) -> None:
    with region:
        prices(region, "own", (0, 70_000))
        prices(region, "other", (0, 80_000))
        region.meter("house")
        region.submit(AssignTariff(device="house", tariff="own"))
        region.report("house", [1_000] * 24)
        region.run(START_S + DAY_S)
        ((trade, told),) = bills(region, "house")
        check(trade, told)
        assert told.shares[0].tariff == "own"
        region.submit(AssignTariff(device="house", tariff="other"))
        ((trade, lost),) = bills(region, "house")
    assert lost.whole
    assert not lost.agrees


def test_what_a_register_had_when_it_was_replaced_is_missing(region: SettledRegion) -> None:
    with region:
        number = region.meter("house")
        region.report("house", [1_000] * 10)
        end_s = START_S + 12 * HOUR_S
        stream = region.store.get(STREAMS, number)
        assert stream is not None
        assert region.store.get(DEVICES, "house") is not None
        replacement = ReplaceMeter(
            device="house", at_s=end_s, old_closing=stream.register + 300, new_opening=0,
            new_modulus=0,
        )  # fmt: skip
        region.submit(replacement, IMPORTER)
        region.run(START_S + DAY_S)
        ((trade, bill),) = bills(region, "house")
    assert (trade.wh, bill.wh) == (10_300, 10_000)
    assert not bill.whole
    assert not bill.agrees


def test_money_that_was_due_has_no_hours(region: SettledRegion) -> None:
    with region:
        region.meter("house", money=0)
        region.report("house", [1_000] * 24)
        region.run(START_S + DAY_S)
        region.top_up("house", 10_000)
        region.run(START_S + DAY_S)
        (_, paid) = bills(region, "house")
    trade, bill = paid
    assert (trade.hours, trade.paid_fen, bill.hours, bill.shares) == (0, 1_200, (), ())
    assert bill.agrees


@pytest.mark.parametrize(
    ("ufen", "text"),
    [
        (0, "0.00"),
        (50_000_000, "0.50"),
        (123_456_789_012, "1,234.56789012"),
        (-153_000, "-0.00153"),
    ],
)
def test_micro_fen_are_told_exactly(ufen: int, text: str) -> None:
    assert exact_cny(ufen) == text
