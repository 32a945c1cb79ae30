"""Settlement statements: the worked cases, what differs, and the same bytes for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.refusals import refused
from tests.support.settled_region import (
    DAY_S,
    HOUR_S,
    OFFSET_S,
    REGION,
    START_S,
    SettledRegion,
)

from wattproof.identity.model import RevokeDevice
from wattproof.metering.model import ReplaceMeter
from wattproof.node import IMPORTER
from wattproof.settlement.filing import filing_of, made_again
from wattproof.settlement.model import StatementStep
from wattproof.settlement.queries import filed_statement
from wattproof.settlement.statement import (
    FORMAT,
    Statement,
    grams,
    statement,
    statement_bytes,
    statement_digest,
)
from wattproof.settlement.statement_check import check_differences
from wattproof.settlement.trade_records import TradeBatch, batches_of


@pytest.fixture
def region(tmp_path: Path) -> Iterator[SettledRegion]:
    """A new region with a wind farm's meter and a works' one, open."""
    with SettledRegion.made(tmp_path / "ledger") as found:
        found.meter("wind", supply=True)
        found.meter("works")
        yield found


def stated(
    region: SettledRegion,
    *,
    days: int = 1,
    step: StatementStep = "hour",
    entries: int | None = None,
    first: int = 0,
    of: str = REGION,
) -> Statement:
    from_s = START_S + first * DAY_S
    return statement(
        region.store, region.lake(), region=of, from_s=from_s, to_s=from_s + days * DAY_S,
        step=step, entries=entries,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("supplied_kwh", "tolerance_wh", "verdict", "net_g"),
    [
        (1200, 0, "positive", 106_120),
        (1000, 0, "neutral", 0),
        (900, 0, "negative", -53_060),
        (1200, 200_000, "neutral", 106_120),
        (900, 99_999, "negative", -53_060),
    ],
)
def test_the_worked_cases(
    tmp_path: Path, supplied_kwh: int, tolerance_wh: int, verdict: str, net_g: int
) -> None:
    with SettledRegion.made(tmp_path / "ledger", tolerance_wh=tolerance_wh) as region:
        region.meter("wind", supply=True)
        region.meter("works")
        region.report("wind", [supplied_kwh * 1000])
        region.report("works", [1_000_000])
        region.run(START_S + DAY_S)
        made = stated(region)
    assert made.net_wh == (supplied_kwh - 1000) * 1000 == made.supplied_wh - made.consumed_wh
    assert (made.verdict, made.net_emission_g) == (verdict, net_g)
    assert (made.location_based_g, made.market_based_g) == (530_600, 600_000)
    assert (made.location_factor, made.residual_factor) == ("grid@1", "rest@1")
    assert (made.trades_first, made.trades_second) == (1, 1)
    assert (made.supply_fen, made.consumption_fen) == (supplied_kwh * 40, 50_000)
    assert (made.paid_supply_fen, made.paid_consumption_fen) == (supplied_kwh * 40, 50_000)
    (row,) = made.rows
    assert (row.start_s, row.end_s, row.net_wh) == (START_S, START_S + HOUR_S, made.net_wh)
    assert row.verdict == verdict
    assert (made.meters_differing, made.differences) == (0, ())


def test_hours_days_and_months_add_up(region: SettledRegion) -> None:
    hours = 24 * 33
    region.report("wind", [at % 7 * 100 for at in range(hours)])
    region.report("works", [at % 5 * 100 for at in range(hours)])
    region.run(START_S + 40 * DAY_S)
    steps: tuple[StatementStep, ...] = ("hour", "day", "month")
    by = {step: stated(region, days=33, step=step) for step in steps}
    for made in by.values():
        assert sum(row.supplied_wh for row in made.rows) == made.supplied_wh
        assert sum(row.consumed_wh for row in made.rows) == made.consumed_wh
        assert replace(made, rows=(), step="day") == replace(by["day"], rows=())
    assert [len(by[step].rows) for step in steps] == [hours - 23, 33, 2]  # 23: no energy at all
    january, february = by["month"].rows
    assert (january.start_s, january.end_s) == (START_S, START_S + 31 * DAY_S)
    assert (february.start_s, february.end_s) == (january.end_s, START_S + 33 * DAY_S)
    assert by["day"].trades_first == by["day"].trades_second == 33
    part = stated(region, days=2, first=1, step="month")
    assert [(row.start_s, row.end_s) for row in part.rows] == [
        (START_S + DAY_S, START_S + 3 * DAY_S)
    ]
    days = [stated(region, first=day) for day in range(33)]
    for name in ("supplied_wh", "consumed_wh", "trades_first", "supply_fen", "paid_supply_fen"):
        assert sum(getattr(day, name) for day in days) == getattr(by["day"], name)


def test_the_bytes_are_canonical(region: SettledRegion) -> None:
    region.report("works", [7])
    region.run(START_S + DAY_S)
    data = statement_bytes(stated(region))
    document = json.loads(data)
    assert document["format"] == FORMAT
    assert data == json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def test_what_was_filed_is_made_again_after_late_packets_and_more_runs(
    region: SettledRegion,
) -> None:
    region.report("wind", [1000] * 20)
    region.report("works", [900] * 24)
    region.run(START_S + DAY_S)
    first = stated(region)
    region.submit(filing_of(first))
    region.report("wind", [500] * 4, start_s=START_S + 20 * HOUR_S)  # late
    region.meter("later")
    region.report("later", [11] * 24)
    waiting = stated(region)
    assert [(one.meter, one.kind, one.difference_wh) for one in waiting.differences] == [
        ("wind", "supply", 2000), ("later", "consumption", 264),
    ]  # fmt: skip
    assert (waiting.unsettled_supply_wh, waiting.unsettled_consumption_wh) == (2000, 264)
    assert waiting.net_wh == first.net_wh, "packets do not make a value, trades do"
    region.submit(filing_of(waiting))
    region.run(START_S + 2 * DAY_S)  # supplementary
    second = stated(region)
    assert second.supplied_wh == first.supplied_wh + 2000
    assert second.trades_first == 2 and second.meters_differing == 0
    region.submit(filing_of(second))
    region.associate("later", "CN-ZJ")
    region.submit(RevokeDevice(device="wind"), IMPORTER)
    for number, made in enumerate((first, waiting, second), start=1):
        filed = filed_statement(region.store, REGION, number)
        again = made_again(region.store, region.lake(), filed)
        assert again.same and again.statement == made
        assert (filed.net_wh, filed.verdict) == (made.net_wh, made.verdict)


def test_what_was_reported_before_its_region_was_settled_is_a_difference(tmp_path: Path) -> None:
    with SettledRegion.made(tmp_path / "ledger", regions=()) as region:
        region.meter("early", money=0)
        region.meter("other", region="", money=0)  # in no region at first
        region.meter("gas", quantity="gas.natural", money=0)
        for id_ in ("early", "other", "gas"):
            region.report(id_, [100] * 3)
        region.define(REGION)
        region.associate("other", REGION)
        for id_ in ("early", "other", "gas"):
            region.report(id_, [10] * 2, start_s=START_S + 3 * HOUR_S)
        region.run(START_S + DAY_S)
        made = stated(region)
    assert [
        (one.meter, one.metered_wh, one.settled_wh, one.difference_wh) for one in made.differences
    ] == [("early", 320, 20, 300), ("other", 320, 20, 300)]
    assert made.meters_differing == 2 and made.unsettled_consumption_wh == 600


def test_a_meter_counts_where_it_was_when_it_reported(tmp_path: Path) -> None:
    other = "CN-ZJ"
    with SettledRegion.made(tmp_path / "ledger", regions=(REGION, other)) as region:
        region.meter("m", money=10**6)
        region.report("m", [100] * 3)
        pinned = region.store.size
        region.run(START_S + DAY_S)
        region.associate("m", other)
        region.report("m", [7] * 2, start_s=START_S + 3 * HOUR_S)
        waits = stated(region, of=other)
        assert [(one.metered_wh, one.settled_wh) for one in waits.differences] == [(14, 0)]
        region.run(START_S + DAY_S, region=other)
        region.associate("m", REGION)
        region.report("m", [5], start_s=START_S + 5 * HOUR_S)
        region.run(START_S + DAY_S)
        here, there = stated(region), stated(region, of=other)
        assert (here.consumed_wh, there.consumed_wh) == (305, 14)
        assert here.meters_differing == there.meters_differing == 0
        before = stated(region, entries=pinned)
        assert (before.consumed_wh, before.trades_second) == (0, 0)
        assert [(one.meter, one.metered_wh) for one in before.differences] == [("m", 300)]


def test_a_replaced_and_a_revoked_meter(region: SettledRegion) -> None:
    region.report("works", [100] * 3)
    region.submit(
        ReplaceMeter(
            device="works", at_s=START_S + 4 * HOUR_S, old_closing=345, new_opening=5, new_modulus=0
        ),
        IMPORTER,
    )
    region.report("works", [10], start_s=START_S + 4 * HOUR_S)
    region.report("wind", [400])
    region.submit(RevokeDevice(device="wind"), IMPORTER)
    region.run(START_S + DAY_S)
    made = stated(region)
    assert (made.supplied_wh, made.consumed_wh, made.meters_differing) == (400, 355, 0)


def test_arrears_paid_later_count_where_they_are_paid(tmp_path: Path) -> None:
    with SettledRegion.made(tmp_path / "ledger") as region:
        region.meter("poor", money=20)
        region.report("poor", [1000])
        region.run(START_S + DAY_S)
        assert (stated(region).consumption_fen, stated(region).paid_consumption_fen) == (50, 20)
        region.run(START_S + 2 * DAY_S)
        assert stated(region, first=1).trades_second == 0, "nothing was paid"
        region.top_up("poor", 25)
        region.run(START_S + 2 * DAY_S)
        first, second = stated(region), stated(region, first=1)
        assert (first.trades_second, second.trades_second) == (1, 1)
        assert (first.paid_consumption_fen, second.paid_consumption_fen) == (20, 25)
        assert (second.consumed_wh, second.consumption_fen, second.rows) == (0, 0, ())
        region.submit(filing_of(second))


def test_a_period_is_of_whole_local_days(region: SettledRegion) -> None:
    lake = region.lake()

    def make(from_s: int, to_s: int, of: str = REGION, entries: int | None = None) -> Statement:
        return statement(region.store, lake, region=of, from_s=from_s, to_s=to_s, entries=entries)

    for from_s, to_s in (
        (START_S + HOUR_S, START_S + DAY_S), (START_S, START_S + 1), (START_S, START_S),
        (START_S + DAY_S, START_S), (START_S, START_S + 4000 * DAY_S), (-OFFSET_S, DAY_S),
        (START_S, START_S + 10**30 * DAY_S),
    ):  # fmt: skip
        refused("settlement.statement_days", lambda a=from_s, b=to_s: make(a, b))  # type: ignore[misc]
    refused("settlement.region_unknown", lambda: make(START_S, START_S + DAY_S, "CN-BJ"))
    refused(
        "settlement.statement_entries",
        lambda: make(START_S, START_S + DAY_S, entries=region.store.size + 1),
    )
    nothing = make(START_S, START_S + DAY_S)
    assert (nothing.rows, nothing.net_wh, nothing.verdict) == ((), 0, "neutral")
    assert region.submit(filing_of(nothing)).index


def test_the_contract_refuses_sums_that_are_not_those_of_the_trades(region: SettledRegion) -> None:
    region.report("works", [100])
    region.run(START_S + DAY_S)
    made = stated(region)
    for changes in (
        {"consumed_wh": 101}, {"supplied_wh": 1}, {"trades_first": 1}, {"trades_second": 0},
    ):  # fmt: skip
        other = replace(made, **changes)
        refused("settlement.statement_sums", lambda one=other: region.submit(filing_of(one)))  # type: ignore[misc]
    region.report("works", [5], start_s=START_S + HOUR_S)
    region.run(START_S + DAY_S)
    refused("settlement.statement_behind", lambda: region.submit(filing_of(made)))


@given(wh=st.integers(-(2**62), 2**62), factor_ug=st.integers(0, 2**40))
def test_grams_are_rounded_half_to_even(wh: int, factor_ug: int) -> None:
    assert grams(wh, factor_ug) == round(Fraction(wh * factor_ug, 10**6))


def test_grams_at_a_half() -> None:
    assert [grams(wh, 500_000) for wh in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]


def test_another_statement_has_another_digest(region: SettledRegion) -> None:
    region.report("works", [100])
    region.run(START_S + DAY_S)
    assert len({statement_digest(stated(region, step=step)) for step in ("hour", "day")}) == 2


def test_of_many_meters_that_differ_those_that_differ_most_are_listed(
    region: SettledRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wattproof.settlement.reconcile.MAX_LISTED", 2)
    monkeypatch.setattr("wattproof.settlement.statement_check.MAX_LISTED", 2)
    for number, wh in enumerate((10, 300, 20, 20, 100)):
        region.meter(f"m{number}")
        region.report(f"m{number}", [wh])
    made = stated(region)
    assert (made.meters_differing, made.unsettled_consumption_wh) == (5, 450)
    assert [(one.meter, one.difference_wh) for one in made.differences] == [
        ("m1", 300),
        ("m4", 100),
    ]
    check_differences(made)
    refused("settlement.difference", lambda: check_differences(replace(made, differences=())))


def test_trades_and_hours_that_do_not_agree_are_our_own_fault(
    region: SettledRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.report("works", [100])
    region.run(START_S + DAY_S)

    def damaged(*arguments: Any, **options: Any) -> Iterator[TradeBatch]:
        for batch in batches_of(*arguments, **options):
            yield replace(batch, settled=replace(batch.settled, hours=()))

    monkeypatch.setattr("wattproof.settlement.statement.batches_of", damaged)
    refused("settlement.trades_misfit", lambda: stated(region))


def test_more_than_a_statement_can_add_up(
    region: SettledRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.report("works", [100])
    region.run(START_S + DAY_S)

    def enormous(*arguments: Any, **options: Any) -> Iterator[TradeBatch]:
        for batch in batches_of(*arguments, **options):
            trades = tuple(replace(one, wh=2**62 + 1) for one in batch.settled.consumption)
            yield replace(batch, settled=replace(batch.settled, consumption=trades))

    monkeypatch.setattr("wattproof.settlement.statement.batches_of", enormous)
    refused("analytics.overflow", lambda: stated(region))
