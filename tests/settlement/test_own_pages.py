"""One's own electricity: what is added up, and that it is nobody else's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.market import text_of, usage_of
from tests.support.settled_region import DAY_S, HOUR_S, OFFSET_S, START_S, SettledRegion
from tests.support.site import Site

from wattproof.core.periods import Step
from wattproof.settlement.local_clock import LocalClock
from wattproof.settlement.local_days import bucket_of
from wattproof.settlement.own_trades import newest_traded_s, own_trades
from wattproof.settlement.own_view import period_around
from wattproof.settlement.records import USAGE
from wattproof.settlement.trade_queries import trades_of

PAGE = "/my-electricity"


def test_a_consumers_month_is_the_sum_of_its_trades(market: Site) -> None:
    trades = trades_of(market.writer.store, "steel-main", limit=500)
    with market.client("steel") as client:
        page = client.page(PAGE)
        shown = text_of(page)
    assert f"Sum {sum(one.wh for one in trades) / 1000:,.3f} 654,771.86" in shown
    assert f"Cost {sum(one.fen for one in trades) / 100:,.2f} CNY" in shown
    assert "1 January 2025 37,355.149 24,477.34" in shown
    days = re.findall(r'<th scope="row">(\d+ January 2025)</th>', page)
    assert len(days) == 31
    assert "In all wallets 145,228.14 CNY" in shown
    assert "Supplied 1" not in shown


def test_by_the_month_and_other_periods(market: Site) -> None:
    with market.client("steel") as client:
        year = text_of(client.page(f"{PAGE}?step=month"))
        before = text_of(client.page(f"{PAGE}?at={START_S - 1}"))
    assert "January 2025 1,002,615.385 654,771.86" in year
    assert "December 2024" in before
    assert "Nothing was settled of this period" in before


def test_a_supplier_sees_what_it_earned(market: Site) -> None:
    with market.client("wind") as client:
        shown = text_of(client.page(PAGE))
    usage = usage_of(market.writer.store, "wind-1")
    assert f"Earned {usage.settled_fen / 100:,.2f} CNY" in shown
    assert "Supplied, kWh" in shown
    assert "Consumed, kWh" not in shown


def test_everybody_sees_their_own(market: Site) -> None:
    with market.client("offices") as client:
        own = client.page(PAGE)
        assert client.page(f"{PAGE}?party=steel-works").count("office-a") == own.count("office-a")
    assert "office-a" in own
    assert "steel-main" not in own
    with market.client("registrar") as client:
        assert "Whose electricity?" in client.page(PAGE)
        assert "Electricity of bakery" in text_of(client.page(f"{PAGE}?party=bakery"))
        assert "No meters of electricity" in client.page(f"{PAGE}?party=nobody")
    with market.client("citizen") as client:
        assert "Enrol one first" in client.page(PAGE)


@pytest.fixture
def region(tmp_path: Path) -> SettledRegion:
    return SettledRegion.made(tmp_path / "ledger")


def test_sums_are_those_of_the_trades_run_after_run(region: SettledRegion) -> None:
    with region:
        meters = {"house": False, "shop": False, "roof": True}
        numbers = [region.meter(id_, supply=supply) for id_, supply in meters.items()]
        for day in range(3):
            at_s = START_S + day * DAY_S
            for shift, id_ in enumerate(meters):
                region.report(id_, [100 + day + shift] * 24, start_s=at_s)
            region.run(at_s + (20 if day == 1 else 24) * HOUR_S)
        region.run(START_S + 3 * DAY_S)
        store = region.store

        def sums(step: Step, from_s: int, to_s: int) -> dict[tuple[int, str], int]:
            found = own_trades(
                store, numbers, step=step, offset_s=OFFSET_S, from_s=from_s, to_s=to_s
            )
            assert found.complete
            return {(one.start_s, one.kind): one.wh for one in found.sums}

        expected: dict[tuple[int, str], int] = {}
        for id_ in meters:
            for one in trades_of(store, id_, limit=100):
                key = bucket_of(one.first_s, "day", OFFSET_S)[0], one.kind
                expected[key] = expected.get(key, 0) + one.wh
        assert sums("day", 0, 2**40) == expected
        assert len(expected) == 6
        middle = sums("day", START_S + DAY_S, START_S + 2 * DAY_S)
        assert middle == {key: wh for key, wh in expected.items() if key[0] == START_S + DAY_S}
        assert sums("month", 0, 2**40) == {
            (START_S, kind): sum(wh for key, wh in expected.items() if key[1] == kind)
            for kind in ("supply", "consumption")
        }
        usages = list(store.scan(USAGE))
    assert newest_traded_s(usages) == START_S + 3 * DAY_S - HOUR_S
    assert newest_traded_s([]) == 0


def test_too_many_batches_are_not_read(
    region: SettledRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wattproof.settlement.own_trades.MAX_BATCHES", 1)
    with region:
        number = region.meter("house")
        for day in range(2):
            region.report("house", [5] * 24, start_s=START_S + day * DAY_S)
            region.run(START_S + (day + 1) * DAY_S)
        found = own_trades(
            region.store, [number], step="day", offset_s=OFFSET_S, from_s=0, to_s=2**40
        )
    assert not found.complete
    assert len(found.sums) == 1


@pytest.mark.parametrize("offset_s", [0, OFFSET_S, -5 * HOUR_S, 19_800])
def test_periods_are_local(offset_s: int) -> None:
    def at(*date: int) -> int:
        return int(datetime(*date, tzinfo=UTC).timestamp()) - offset_s  # type: ignore[arg-type, misc]

    month = period_around(at(2024, 2, 29, 23), "day", offset_s)
    assert (month.start_s, month.end_s) == (at(2024, 2, 1), at(2024, 3, 1))
    year = period_around(at(2024, 12, 31, 23), "month", offset_s)
    assert (year.start_s, year.end_s) == (at(2024, 1, 1), at(2025, 1, 1))
    clock = LocalClock(offset_s=offset_s, lang="en")
    assert month.label(clock) == "February 2024"
    assert year.label(clock) == "2024"
    assert clock.span(at(2024, 2, 29), at(2024, 3, 1)) == "29 February 2024, 00:00–24:00"
    assert (clock.date_field(at(2024, 2, 29, 7)), clock.hour_field(at(2024, 2, 29, 7))) == (
        "2024-02-29",
        "07:00",
    )
