"""A year of a real house and a made neighbourhood, settled to the watt-hour and the fen.

What is expected is added up here from the file alone, with decimals and fractions, by another way
than the ledger's: registers at each hour, prices hour by hour.
"""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.neighbourhood import (
    CONTRACT_UFEN,
    CONTRACT_WH,
    END_S,
    HOUR_S,
    HOURS,
    LAST_FROM_S,
    LAST_HOUSE,
    LATE_HOUSE,
    MADE,
    MONTHS,
    NIGHT,
    OFFSET_S,
    POOR_HOUSE,
    REGION,
    REPLACED,
    START_S,
    SUPPLY_UFEN,
    TARIFFS,
    Neighbourhood,
)
from tests.support.real_data import data_file
from tests.support.settled_region import SettledRegion

from wattproof.book.model import BALANCES
from wattproof.book.queries import conservation
from wattproof.engines.folder import LOG_KEY
from wattproof.identity.queries import device
from wattproof.ledger.fsck import audit
from wattproof.ledger.store import Store
from wattproof.metering.model import STREAMS, Stream
from wattproof.settlement.events import Trade
from wattproof.settlement.filing import filing_of
from wattproof.settlement.queries import hours_of, region_of, run_of, runs_of, statements_of
from wattproof.settlement.records import USAGE
from wattproof.settlement.statement import statement
from wattproof.settlement.statement_bundle import make_bundle, verify_bundle
from wattproof.settlement.trade_records import batches_of

FILE = "opsd_household_60min.csv"
MICRO = 10**6
DAY_S = 24 * HOUR_S


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Neighbourhood:
    """The neighbourhood with its year behind it."""
    made = Neighbourhood(tmp_path_factory.mktemp("year"), data_file(FILE))
    made.live()
    return made


@pytest.fixture
def store(year: Neighbourhood) -> Iterator[Store]:
    store = year.region.folder.read()
    yield store
    store.close()


@pytest.fixture(scope="module")
def registers() -> Mapping[str, list[Decimal]]:
    """What the real registers showed at each hour of the year, in kWh: the last known."""
    shown: dict[str, dict[int, Decimal]] = defaultdict(dict)
    with data_file(FILE).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            end_s = int(datetime.fromisoformat(row["utc_timestamp"]).timestamp()) + HOUR_S
            for name in ("grid_import", "grid_export", "pv"):
                if text := row[f"DE_KN_residential4_{name}"]:
                    shown[name][end_s] = Decimal(text)
    found = {}
    for name, values in shown.items():
        last = max(at_s for at_s in values if at_s <= START_S)
        level, levels = values[last], []
        for at_s in range(START_S, END_S + 1, HOUR_S):
            level = values.get(at_s, level)
            levels.append(level)
        found[name] = levels
    return found


@pytest.fixture(scope="module")
def expected(registers: Mapping[str, list[Decimal]]) -> Mapping[str, list[int]]:
    """Wh of each meter in each hour of the year."""
    found = {
        "house-import": increments(registers["grid_import"], Fraction(1), 0),
        "house-export": increments(registers["grid_export"], Fraction(1), 0),
    }
    for made in MADE:
        found[f"{made.id}-import"] = increments(registers["grid_import"], made.bought, made.shift)
        if made.sold is not None:
            found[f"{made.id}-export"] = increments(registers["grid_export"], made.sold, made.shift)
    return found


def increments(levels: list[Decimal], share: Fraction, shift: int) -> list[int]:
    """What a register would show that runs `shift` hours behind and counts a share, cut to Wh."""

    def level(hour: int) -> Fraction:
        """The curve goes round: before the year's first hour comes its last."""
        turns, at = divmod(hour - shift, HOURS)
        whole = Fraction(levels[-1] - levels[0])
        return turns * whole + Fraction(levels[at] - levels[0])

    begun = level(0)
    shown = [int((level(hour) - begun) * share * 1000) for hour in range(HOURS + 1)]
    return [after - before for before, after in pairwise(shown)]


def price_ufen(meter: str, at_s: int) -> int:
    """What a Wh costs by tariff in an hour."""
    if meter.endswith("export"):
        return SUPPLY_UFEN
    # Its own tariff was assigned when only January was settled.
    own = meter == NIGHT and at_s >= MONTHS[1]
    versions = TARIFFS["night" if own else "retail"]
    hours = [hours for from_s, hours in versions if from_s <= at_s][-1]
    hour = (at_s + OFFSET_S) // HOUR_S % 24
    return [ufen for from_hour, ufen in hours if from_hour <= hour][-1]


def cost_ufen(meter: str, at_s: int, wh: int) -> int:
    """What a meter's hour costs."""
    price = price_ufen(meter, at_s)
    if meter in ("n2-export", "n1-import") and at_s >= MONTHS[1]:
        part = min(wh, CONTRACT_WH)
        return part * CONTRACT_UFEN + (wh - part) * price
    return wh * price


def trades_by_meter(store: Store) -> dict[str, list[Trade]]:
    """All trades of the region from its chain of records, by meter, in their order."""
    names = {usage.number: usage.device for usage in store.scan(USAGE)}
    found: dict[str, list[Trade]] = {name: [] for name in names.values()}
    for batch in reversed(list(batches_of(store, REGION))):
        for trade in (*batch.settled.supply, *batch.settled.consumption):
            found[names[trade.meter]].append(trade)
    return found


def test_every_watt_hour_of_the_file_is_settled(
    store: Store, expected: Mapping[str, list[int]]
) -> None:
    settled = {usage.device: usage.settled_wh for usage in store.scan(USAGE)}
    assert settled == {meter: sum(hours) for meter, hours in expected.items()}
    assert not any(usage.hours_wh for usage in store.scan(USAGE)), "nothing waits"
    by_hour = {
        hour.start_s: (hour.supplied_wh, hour.consumed_wh) for hour in hours_of(store, REGION)
    }
    for at in range(HOURS):
        sides = [0, 0]
        for meter, hours in expected.items():
            sides[meter.endswith("import")] += hours[at]
        assert by_hour.get(START_S + at * HOUR_S, (0, 0)) == tuple(sides)


def test_the_roof_is_measured_and_not_traded(
    store: Store, registers: Mapping[str, list[Decimal]]
) -> None:
    number = device(store, "house-pv").number
    assert store.get(USAGE, number) is None
    stream = stream_of(store, "house-pv")
    generated, sold = (registers[name][-1] - registers[name][0] for name in ("pv", "grid_export"))
    assert stream.total == generated * 1000
    assert generated > sold > 0, "the house uses some of its roof's itself"


def stream_of(store: Store, meter: str) -> Stream:
    found = store.get(STREAMS, device(store, meter).number)
    assert found is not None
    return found


def test_a_register_that_was_replaced_goes_on(
    store: Store, expected: Mapping[str, list[int]]
) -> None:
    stream = stream_of(store, REPLACED)
    assert stream.total == sum(expected[REPLACED]) > stream.register > 0


def test_every_fen_is_the_hours_times_their_prices(
    store: Store, expected: Mapping[str, list[int]]
) -> None:
    for meter, trades in trades_by_meter(store).items():
        ufen = fen = 0
        for number, trade in enumerate(trades, start=1):
            first = (trade.first_s - START_S) // HOUR_S
            hours = expected[meter][first : first + trade.hours]
            assert trade.trade == number
            assert trade.wh == sum(hours)
            at = range(trade.first_s, trade.first_s + trade.hours * HOUR_S, HOUR_S)
            ufen += sum(map(cost_ufen, [meter] * trade.hours, at, hours))
            fen += trade.fen
            assert fen == ufen // MICRO, (meter, number)
        whole = sum(
            cost_ufen(meter, START_S + at * HOUR_S, wh) for at, wh in enumerate(expected[meter])
        )
        usage = store.get(USAGE, device(store, meter).number)
        assert usage is not None
        assert (usage.settled_fen, usage.carry_ufen) == divmod(whole, MICRO)


def test_money_is_only_moved(year: Neighbourhood, store: Store) -> None:
    assert all(row.sum == 0 for row in conservation(store))
    pool_fen = 0
    for meter, trades in trades_by_meter(store).items():
        paid = sum(trade.paid_fen for trade in trades)
        in_wallet = balance(store, f"wallet:{device(store, meter).number}")
        if meter.endswith("import"):
            assert in_wallet == year.topped_up[meter] - paid >= 0
            pool_fen += paid
        else:
            assert in_wallet == paid
            pool_fen -= paid
        due = 0
        for trade in trades:
            due += trade.fen - trade.paid_fen
            assert trade.due_fen == due >= 0
    region = region_of(store, REGION)
    assert balance(store, region.pool) == pool_fen >= 0
    wallets = sum(balance(store, f"wallet:{usage.number}") for usage in store.scan(USAGE))
    assert wallets + pool_fen == sum(year.topped_up.values())


def balance(store: Store, account: str, asset: str = "CNY") -> int:
    found = store.get(BALANCES, account, asset)
    return 0 if found is None else found.amount


def test_arrears_late_packets_and_late_runs_end_well(year: Neighbourhood, store: Store) -> None:
    trades = trades_by_meter(store)
    owed = [trade.due_fen for trade in trades[f"{POOR_HOUSE}-import"]]
    assert max(owed) > 0 and owed[-1] == 0
    runs = runs_of(store, REGION)
    assert len(runs) == year.runs == 12, "eleven months' runs and a supplementary one"
    run_of_day: dict[tuple[str, int], int] = {}
    names = {usage.number: usage.device for usage in store.scan(USAGE)}
    for batch in batches_of(store, REGION):
        for trade in (*batch.settled.supply, *batch.settled.consumption):
            run_of_day[names[trade.meter], trade.first_s] = batch.settled.run
    assert run_of_day[f"{LATE_HOUSE}-import", MONTHS[6] + 19 * DAY_S] == 6
    assert run_of_day[f"{LATE_HOUSE}-import", MONTHS[6] + 20 * DAY_S] == 7
    assert run_of_day["house-import", MONTHS[2]] == run_of_day["house-import", MONTHS[3]] == 3
    assert {run for (meter, _), run in run_of_day.items() if meter.startswith(LAST_HOUSE)} >= {12}
    assert {meter.split("-")[0] for (meter, _), run in run_of_day.items() if run == 12} == {
        LAST_HOUSE
    }


def test_the_months_add_up_to_the_year(
    year: Neighbourhood, store: Store, expected: Mapping[str, list[int]]
) -> None:
    with year.region as region:
        lake = region.lake()
    months = [
        statement(store, lake, region=REGION, from_s=from_s, to_s=to_s)
        for from_s, to_s in pairwise(MONTHS)
    ]
    whole = statement(store, lake, region=REGION, from_s=START_S, to_s=END_S, step="month")
    for name in (
        "supplied_wh", "consumed_wh", "net_wh", "trades_first", "trades_second", "supply_fen",
        "consumption_fen", "paid_supply_fen", "paid_consumption_fen",
    ):  # fmt: skip
        assert sum(getattr(month, name) for month in months) == getattr(whole, name), name
    assert [row.net_wh for row in whole.rows] == [month.net_wh for month in months]
    assert all(sum(row.net_wh for row in month.rows) == month.net_wh for month in months)
    supplied, consumed = (
        sum(sum(hours) for meter, hours in expected.items() if meter.endswith(kind))
        for kind in ("export", "import")
    )
    assert (whole.supplied_wh, whole.consumed_wh) == (supplied, consumed)
    assert whole.net_wh == balance(store, f"pool:{REGION}", f"energy:{REGION}")
    assert whole.verdict == ("positive" if supplied > consumed else "negative")
    assert whole.meters_differing == 0 and not whole.differences
    assert whole.location_based_g == round(Fraction(consumed * 530_600, MICRO))
    assert {month.verdict for month in months} == {"positive", "negative"}, "summer and winter"


def test_what_came_late_was_a_difference_until_it_was_settled(
    year: Neighbourhood, store: Store, expected: Mapping[str, list[int]]
) -> None:
    with year.region as region:
        lake = region.lake()
    before = statement(
        store, lake, region=REGION, from_s=START_S, to_s=END_S,
        entries=run_of(store, REGION, year.runs).opened_entry,
    )  # fmt: skip
    late = {
        meter: sum(hours[(LAST_FROM_S - START_S) // HOUR_S :])
        for meter, hours in expected.items()
        if meter.startswith(f"{LAST_HOUSE}-")
    }
    found = {one.meter: one.difference_wh for one in before.differences}
    assert found == {meter: wh for meter, wh in late.items() if wh}
    assert before.meters_differing == len(found) > 0


def test_a_statement_is_checked_without_the_ledger(year: Neighbourhood, tmp_path: Path) -> None:
    shutil.copytree(year.region.folder.path, tmp_path / "ledger")
    with SettledRegion(tmp_path / "ledger") as region:
        for from_s, to_s in pairwise(MONTHS):
            month = statement(region.store, region.lake(), region=REGION, from_s=from_s, to_s=to_s)
            region.submit(filing_of(month))
        made = statement(
            region.store, region.lake(), region=REGION, from_s=START_S, to_s=END_S, step="hour"
        )
        region.submit(filing_of(made))
        *months, filed = statements_of(region.store, REGION)
        assert sum(one.net_wh for one in months) == filed.net_wh, "and the contract agrees"
        with region.folder.keys() as keys:
            log_key = keys.get(LOG_KEY)
        bundle = make_bundle(region.store, region.lake(), filed, log_key=log_key)
    (tmp_path / "ledger").rename(tmp_path / "away")
    ledger_id = bytes.fromhex(made.ledger)
    verdict = verify_bundle(bundle, ledger_id=ledger_id)
    assert verdict.ok, verdict.steps
    changed = bytearray(bundle)
    changed[bundle.index(str(made.supplied_wh).encode())] ^= 1
    assert not verify_bundle(bytes(changed), ledger_id=ledger_id).ok
    assert not verify_bundle(bundle, ledger_id=bytes(32)).ok


def test_the_audit_of_the_year_holds(year: Neighbourhood, store: Store) -> None:
    folder = year.region.folder
    report = audit(
        store,
        folder.machine,
        check_many=lambda ledger_id: folder.verifier(ledger_id, workers=0).check_many,
    )
    assert report.ok and report.entries == store.size, report
