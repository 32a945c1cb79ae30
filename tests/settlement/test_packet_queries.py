"""Which packets are behind a trade, against what settlement did packet by packet."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pytest
from tests.support.meters import packet_of
from tests.support.settled_region import DAY_S, HOUR_S, OFFSET_S, START_S, SettledRegion

from wattproof.settlement.packet_queries import packets_behind, packets_of
from wattproof.settlement.records import day_of
from wattproof.settlement.trade_queries import TradeView, trades_of

DAYS = 3
RUNS_S = (30 * HOUR_S, 31 * HOUR_S, 55 * HOUR_S, DAYS * DAY_S)
"""When runs end, after the start; each comes while packets of later hours are in already."""


class Meter:
    """A meter that reports at random, and which packet each hour's energy is from."""

    def __init__(self, region: SettledRegion, id_: str, seed: int) -> None:
        self.region = region
        self.id = id_
        self.random = random.Random(seed)
        self.end_s = START_S
        self.register = 0
        self.sequence = 1
        self.waiting: dict[int, dict[int, int]] = defaultdict(dict)
        self.expected: list[tuple[int, dict[int, int]]] = []

    def report_up_to(self, until_s: int) -> None:
        """Packets of hours up to some time behind `until_s`, now and then after a gap."""
        while self.end_s < until_s:
            interval_s = self.random.choice((900, 1_800, HOUR_S, 2 * HOUR_S))
            gap_s = self.random.choice((0, 0, 0, 900, HOUR_S, 5 * HOUR_S))
            gained = self.random.choice((0, 70)) if gap_s and self.sequence > 1 else 0
            count = self.random.randrange(1, 14) if self.random.random() < 0.9 else 0
            if not count and not gap_s:
                continue
            self._report(interval_s, gap_s, gained, count)

    def _report(self, interval_s: int, gap_s: int, gained: int, count: int) -> None:
        start_s = self.end_s + gap_s
        amounts = [self.random.choice((0, 5, 90)) for _ in range(count)]
        packet = packet_of(
            amounts, sequence=self.sequence, start_s=start_s, interval_s=interval_s,
            kind="register", opening=self.register + gained,
        )  # fmt: skip
        self.region.submit(packet, self.id)
        if gained:
            self._wait(start_s - min(gap_s, interval_s), gained)
        for at, amount in enumerate(amounts):
            self._wait(start_s + at * interval_s, amount)
        self.register += gained + sum(amounts)
        self.end_s = start_s + count * interval_s
        self.sequence += self.random.choice((1, 1, 3))

    def _wait(self, at_s: int, wh: int) -> None:
        hour = self.waiting[at_s - (at_s + OFFSET_S) % HOUR_S]
        hour[self.sequence] = hour.get(self.sequence, 0) + wh

    def settle(self, until_s: int) -> None:
        """What a run takes of this meter, a day in each trade."""
        days: dict[int, dict[int, int]] = defaultdict(dict)
        for hour_s in sorted(self.waiting):
            if hour_s + HOUR_S <= until_s:
                taken = days[day_of(hour_s, OFFSET_S)]
                for sequence, wh in self.waiting.pop(hour_s).items():
                    taken[sequence] = taken.get(sequence, 0) + wh
        self.expected += [(day_s, taken) for day_s, taken in days.items() if any(taken.values())]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_packets_behind_each_trade(tmp_path: Path, seed: int) -> None:
    region = SettledRegion.made(tmp_path / "ledger")
    with region:
        meters = [Meter(region, f"m{number}", 100 * seed + number) for number in range(6)]
        for meter in meters:
            region.meter(meter.id)
        for run_s in RUNS_S:
            for meter in meters:
                ahead_s = meter.random.choice((-6, -1, 0, 7, 30)) * HOUR_S
                meter.report_up_to(START_S + run_s + ahead_s)
                meter.settle(START_S + run_s)
            region.run(START_S + run_s)
        for meter in meters:
            trades = trades_of(region.store, meter.id)[::-1]
            assert len(trades) == len(meter.expected) > 3
            for trade, (day_s, taken) in zip(trades, meter.expected, strict=True):
                assert day_of(trade.first_s, OFFSET_S) == day_s
                assert trade.wh == sum(taken.values())
                _check(region, trade, taken)


def _check(region: SettledRegion, trade: TradeView, taken: dict[int, int]) -> None:
    """All packets that have energy in a trade are behind it, and no others but of no energy."""
    found = [row.sequence for row in packets_behind(region.store, trade)]
    assert found == sorted(set(found))
    assert {sequence for sequence, wh in taken.items() if wh} <= set(found) <= set(taken), trade


def test_packets_from_before_a_meter_traded_are_behind_nothing(tmp_path: Path) -> None:
    region = SettledRegion.made(tmp_path / "ledger")
    with region:
        region.meter("m", region="")
        region.report("m", [1_000] * 3)
        region.associate("m", "CN-SH")
        region.report("m", [1_000] * 3, start_s=START_S + 3 * HOUR_S)
        region.run(START_S + DAY_S)
        (trade,) = trades_of(region.store, "m")
        assert [row.sequence for row in packets_behind(region.store, trade)] == [2]
        number = trade.number
        assert [row.sequence for row in packets_of(region.store, number, START_S, 2**40)] == [2]
        assert packets_of(region.store, number, START_S, START_S) == []
        assert packets_of(region.store, number + 7, START_S, 2**40) == []


def test_no_more_than_asked_for(tmp_path: Path) -> None:
    region = SettledRegion.made(tmp_path / "ledger")
    with region:
        number = region.meter("m")
        for at in range(5):
            region.report("m", [10], start_s=START_S + at * HOUR_S)
        some = packets_of(region.store, number, START_S + HOUR_S, START_S + DAY_S, limit=2)
        assert [row.sequence for row in some] == [2, 3]


def test_a_meter_that_moved_to_another_region(tmp_path: Path) -> None:
    region = SettledRegion.made(tmp_path / "ledger", regions=("CN-SH", "CN-ZJ"))
    with region:
        region.meter("m")
        region.report("m", [1_000] * 5)
        region.run(START_S + DAY_S)
        region.associate("m", "CN-ZJ")
        region.report("m", [2_000] * 5, start_s=START_S + 5 * HOUR_S)
        region.run(START_S + DAY_S, region="CN-ZJ")
        there, here = trades_of(region.store, "m")
        assert (there.region, there.wh, here.region, here.wh) == ("CN-ZJ", 10_000, "CN-SH", 5_000)
        assert [row.sequence for row in packets_behind(region.store, here)] == [1]
        assert [row.sequence for row in packets_behind(region.store, there)] == [2]
