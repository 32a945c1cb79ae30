"""Laws of settlement: whatever comes in whatever order, no watt-hour and no fen is made or lost.

The story is told by `tests.support.market_story`; after each step the sums are taken over all that
there is.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from tests.support.market_story import REGIONS, MarketStory, sums_of
from tests.support.trading import DAY_S, HOUR_S
from tests.support.two_regions import Meter

from wattproof.book.queries import conservation
from wattproof.settlement import batch
from wattproof.settlement.contract import CONTRACT as SETTLEMENT
from wattproof.settlement.events import Trade
from wattproof.settlement.records import (
    REGION_DAYS,
    REGION_HOURS,
    RUNS,
    USAGE,
    RegionDay,
    RegionHour,
    day_of,
)
from wattproof.settlement.records import REGIONS as SETTLED_REGIONS
from wattproof.settlement.wallets import wallet_account


class Market(MarketStory):
    """The story, and the laws that hold after each step of it."""

    @invariant()
    def every_watt_hour_is_somewhere(self) -> None:
        """What a meter reported is settled or waits, hour by hour, and nothing else does."""
        for meter in getattr(self, "meters", {}).values():
            usage = self.market.ledger.state.get(USAGE, meter.number)
            if usage is None:
                assert not meter.reported_wh and not meter.trades
                continue
            settled_wh = sum(trade.wh for _, trade in meter.trades)
            assert usage.settled_wh == settled_wh
            assert settled_wh + sum(usage.hours_wh) == meter.reported_wh
            waiting = {
                usage.start_s + at * HOUR_S: wh for at, wh in enumerate(usage.hours_wh) if wh
            }
            assert waiting == {at_s: wh for at_s, wh in meter.hours.items() if wh}
            assert usage.settled_fen == sum(trade.fen for _, trade in meter.trades)
            paid_fen = sum(trade.paid_fen for _, trade in meter.trades)
            assert paid_fen + usage.due_fen == usage.settled_fen
            assert (usage.carry_ufen, usage.due_fen) == (meter.carry_ufen, meter.due_fen)
            assert 0 <= usage.carry_ufen < 10**6 and usage.due_fen >= 0
            assert usage.region == meter.region
            contracts = [id_ for id_ in meter.contracts if id_ in usage.contracts]
            assert usage.contracts == tuple(contracts), "in the order in which they were accepted"

    @invariant()
    def every_fen_is_somewhere(self) -> None:
        """Top-ups are in wallets and pools, and in no other place; no wallet is overdrawn."""
        if not hasattr(self, "meters"):
            return
        for row in conservation(self.market.ledger.state):
            assert row.sum == 0, row
        fen = 0
        for meter in self.meters.values():
            there = self.market.balance(wallet_account(meter.number), "CNY")
            assert there == meter.wallet_fen >= 0
            fen += there
        for region in REGIONS:
            there = self.market.balance(f"pool:{region}", "CNY")
            assert there == self.account.pools_fen[region] >= -self.overdrafts[region]
            fen += there
            usages = self.market.ledger.state.find(USAGE, "region", region)
            owed = sum(usage.due_fen for usage in usages if usage.kind == "supply")
            assert self.market.ledger.one(SETTLED_REGIONS, region).owed_fen == owed
        assert fen == self.topped_up

    @invariant()
    def hours_days_trades_and_pool_agree(self) -> None:
        """A region's hours and days, its pool's energy and the sums of its trades are the same."""
        for region in REGIONS if hasattr(self, "meters") else ():
            state = self.market.ledger.state
            batches = [one for one in self.log.values() if one.region == region]
            supply = [trade for one in batches for trade in one.supply]
            consumption = [trade for one in batches for trade in one.consumption]
            offset_s = self.market.offsets_s[region]
            rows: list[RegionHour] = list(state.scan(REGION_HOURS, region))
            days: list[RegionDay] = list(state.scan(REGION_DAYS, region))
            sums = sum(trade.wh for trade in supply), sum(trade.wh for trade in consumption)
            assert sums == (
                sum(row.supplied_wh for row in rows), sum(row.consumed_wh for row in rows),
            )  # fmt: skip
            assert {
                row.start_s: (row.supplied_wh, row.consumed_wh) for row in rows
            } == self.account.hours_of(region)
            assert self.market.balance(f"pool:{region}", f"energy:{region}") == sums[0] - sums[1]
            for day in days:
                bought, sold = (
                    [trade for trade in some if day_of(trade.first_s, offset_s) == day.day_s]
                    for some in (supply, consumption)
                )
                assert (day.day_s + offset_s) % DAY_S == 0
                assert (
                    day.supplied_wh, day.trades_supply, day.supply_fen, day.paid_supply_fen,
                ) == sums_of(bought)  # fmt: skip
                assert (
                    day.consumed_wh, day.trades_consumption, day.consumption_fen,
                    day.paid_consumption_fen,
                ) == sums_of(sold)  # fmt: skip
            assert sum(day.trades_supply + day.trades_consumption for day in days) == len(
                [*supply, *consumption]
            )

    @invariant()
    def chains_are_whole(self) -> None:
        """From a region's last entry back lie all its batches, from a meter's all its trades."""
        for region in REGIONS if hasattr(self, "meters") else ():
            entry = self.market.region_called(region).last_entry
            found = []
            while entry >= 0:
                found.append(entry)
                entry = self.log[entry].previous
            assert found[::-1] == [at for at, one in self.log.items() if one.region == region]
        for meter in getattr(self, "meters", {}).values():
            usage = self.market.ledger.state.get(USAGE, meter.number)
            if usage is not None:
                assert usage.last_entry == meter.last_entry
                assert [trade.trade for trade in self._chain(meter)] == list(
                    range(usage.trades, 0, -1)
                )

    def _chain(self, meter: Meter) -> Iterator[Trade]:
        """A meter's trades, newest first, by `Trade.previous` alone."""
        entry = meter.last_entry
        while entry >= 0:
            settled = self.log[entry]
            own = [
                trade
                for trade in (*settled.supply, *settled.consumption)
                if trade.meter == meter.number
            ]
            yield from reversed(own)
            (entry,) = {trade.previous for trade in own}

    @invariant()
    def trades_are_of_one_day(self) -> None:
        for settled in list(getattr(self, "log", {}).values())[-1:]:
            offset_s = self.market.offsets_s[settled.region]
            for trade in (*settled.supply, *settled.consumption):
                last_s = trade.first_s + max(0, trade.hours - 1) * HOUR_S
                assert day_of(trade.first_s, offset_s) == day_of(last_s, offset_s)
                assert (trade.first_s + offset_s) % HOUR_S == 0
                assert trade.wh or trade.paid_fen, "a trade is of energy or of money"
                assert trade.hours or not trade.wh

    @invariant()
    def runs_add_up(self) -> None:
        for region in REGIONS if hasattr(self, "meters") else ():
            for run in self.market.ledger.state.scan(RUNS, region):
                batches = [
                    one
                    for one in self.log.values()
                    if (one.region, one.run) == (region, run.number)
                ]
                bought = sums_of([trade for one in batches for trade in one.supply])
                sold = sums_of([trade for one in batches for trade in one.consumption])
                assert (
                    run.supplied_wh, run.trades_supply, run.to_suppliers_fen,
                ) == (bought[0], bought[1], bought[3])  # fmt: skip
                assert (
                    run.consumed_wh, run.trades_consumption, run.from_consumers_fen,
                ) == (sold[0], sold[1], sold[3])  # fmt: skip

    def teardown(self) -> None:
        if not hasattr(self, "meters"):
            return
        state = self.market.ledger.state
        for collection in SETTLEMENT.collections:
            for record in state.scan(collection):
                _no_float(msgspec.to_builtins(record))
        for settled in self.log.values():
            _no_float(msgspec.to_builtins(settled))


def _no_float(value: object) -> None:
    assert not isinstance(value, float)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            _no_float(each)


def test_no_sequence_makes_or_loses_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_TRADES", 5)
    monkeypatch.setattr(batch, "AT_ONCE", 2)
    run_state_machine_as_test(
        Market,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
