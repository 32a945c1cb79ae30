"""Reading a region's trade records: all of them, or those of a time, newest first."""

from __future__ import annotations

from pathlib import Path

from tests.support.refusals import refused
from tests.support.settled_region import DAY_S, HOUR_S, REGION, START_S, SettledRegion

from wattproof.settlement.trade_records import batches_of, find_batch

DAYS = 4


def test_batches_of_a_time_hold_all_trades_of_it(tmp_path: Path) -> None:
    with SettledRegion.made(tmp_path / "ledger") as region:
        region.meter("poor", money=0)
        for number in range(3):
            region.meter(f"m{number}", supply=number == 0)
        for day in range(DAYS):
            at_s = START_S + day * DAY_S
            if day == 1:
                region.top_up("poor", 20)
            else:
                region.report("poor", [0] * 20 + [1000], start_s=at_s)
            for number in range(day % 3 + 1):
                region.report(f"m{number}", [10 * (day + 1)] * 24, start_s=at_s)
            region.run(at_s + DAY_S, batch=2)
        store = region.store
        whole = list(batches_of(store, REGION))
        entries = [batch.entry for batch in whole]
        assert entries == sorted(entries, reverse=True) and len(entries) >= DAYS
        assert [batch.settled.previous for batch in whole] == [*entries[1:], -1]
        trades = [
            (batch.entry, trade)
            for batch in whole
            for trade in (*batch.settled.supply, *batch.settled.consumption)
        ]
        assert any(not trade.hours for _, trade in trades), "arrears alone, too"
        for first in range(-1, DAYS + 1):
            for last in range(first + 1, DAYS + 2):
                from_s, to_s = START_S + first * DAY_S, START_S + last * DAY_S
                found = {batch.entry for batch in batches_of(store, REGION, from_s=from_s,
                                                             to_s=to_s)}  # fmt: skip
                wanted = {entry for entry, trade in trades if from_s <= trade.first_s < to_s}
                assert wanted <= found <= set(entries)
        assert len(list(batches_of(store, REGION, to_s=START_S))) < len(whole)
        assert list(batches_of(store, REGION, from_s=4 * 10**9)) == []
        half = entries[len(entries) // 2]
        assert [batch.entry for batch in batches_of(store, REGION, entries=half)] == [
            entry for entry in entries if entry < half
        ]


def test_entries_that_hold_no_trades(tmp_path: Path) -> None:
    with SettledRegion.made(tmp_path / "ledger") as region:
        region.meter("m")
        region.report("m", [1])
        region.run(START_S + HOUR_S)
        store = region.store
        (batch,) = batches_of(store, REGION)
        assert find_batch(store, batch.entry) == batch
        for entry in (0, batch.entry - 1, store.size, -1, 2**70):
            assert find_batch(store, entry) is None
        refused("settlement.region_unknown", lambda: list(batches_of(store, "CN-BJ")))
