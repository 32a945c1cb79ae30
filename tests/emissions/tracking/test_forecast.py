"""Forecasts: what the methods say, that they do not look ahead, and how they do on real data."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.support.maps import OPSD, STEEL
from tests.support.real_data import data_file
from tests.support.refusals import refused
from tests.support.wired import HOUR_S, WiredMeters

from wattproof.core.periods import parse_time
from wattproof.emissions.tracking.forecast import (
    Forecast,
    forecast,
    forecast_readings,
    predicted_quantity,
)
from wattproof.emissions.tracking.forecast_methods import (
    DAY_S,
    MAX_STEPS,
    METHODS,
    History,
    Method,
    check_method,
)
from wattproof.metering.csvfile import read_csv
from wattproof.metering.mapping import read_map

ZONE = "Asia/Shanghai"
START_S = parse_time("2023-05-01", ZONE)
WEEK_H = 168


def history(amounts: list[int], *, zone: str = ZONE, start_s: int = START_S) -> History:
    known = {start_s + hour * HOUR_S: amount for hour, amount in enumerate(amounts)}
    return History(known, interval_s=HOUR_S, zone=zone)


def at(hours: int) -> int:
    return START_S + hours * HOUR_S


def test_naive_is_the_same_hour_a_week_earlier() -> None:
    week = [hour * 7 % 101 for hour in range(WEEK_H)]
    past = history(week * 3)
    assert past.forecast("naive", at(3 * WEEK_H), 2 * WEEK_H) == week * 2, "two weeks ahead too"


def test_with_less_than_two_weeks_it_is_the_same_hour_a_day_earlier() -> None:
    past = history([*range(24), *range(100, 124)])
    assert past.season_s(at(48)) == DAY_S
    assert past.forecast("naive", at(48), 30) == [*range(100, 124), *range(100, 106)]


def test_level_keeps_the_shape_and_follows_the_level() -> None:
    """A plant that doubles: the shape is that of all weeks, the sum that of the last."""
    week = [10 + hour % 24 for hour in range(WEEK_H)]
    past = history([*week, *week, *week, *(2 * amount for amount in week)])
    made = past.forecast("level", at(4 * WEEK_H), WEEK_H)
    assert made == [2 * amount for amount in week]


def test_by_the_local_clock_over_a_change_of_it() -> None:
    """The shift begins at 8:00 before and after the clocks go forward."""
    zone = "Europe/Berlin"
    start_s = parse_time("2023-03-06", zone)
    week = [100 if hour % 24 == 8 else 0 for hour in range(WEEK_H)]
    past = history(week * 3, zone=zone, start_s=start_s)  # to the end of the day of the change
    end_s = start_s + 3 * WEEK_H * HOUR_S
    made = past.forecast("naive", end_s, 48)
    shifts = [end_s + hour * HOUR_S for hour, amount in enumerate(made) if amount]
    assert shifts == [parse_time(f"2023-03-{day}T08:00", zone) for day in (27, 28)]


@pytest.mark.parametrize("method", METHODS)
def test_it_does_not_look_ahead(method: Method) -> None:
    """What comes after the moment changes nothing."""
    before = [hour * 13 % 97 for hour in range(3 * WEEK_H)]
    one, other = history([*before, *[5] * 100]), history([*before, *[99] * 100])
    assert one.forecast(method, at(3 * WEEK_H), 100) == other.forecast(method, at(3 * WEEK_H), 100)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=24, max_size=700), st.integers(1, 400))
def test_amounts_are_whole_and_level_is_kept(amounts: list[int], steps: int) -> None:
    past = history(amounts)
    for method in METHODS:
        made = past.forecast(method, at(len(amounts)), steps)
        assert len(made) == steps and all(amount >= 0 for amount in made)
        tried = past.backtest(method, at(len(amounts)), steps)
        assert (tried.count == 0) == (tried.mae is None)
        assert tried.error_sum >= 0
    season = past.season_s(at(len(amounts))) // HOUR_S
    whole = past.forecast("level", at(len(amounts)), season)
    recent = sum(amounts[-season:])
    if recent:
        assert recent - 1 <= sum(whole) <= recent, "the season to come is what the last one was"


def test_gaps_are_stepped_over() -> None:
    known = {at(hour): 10 for hour in range(4 * WEEK_H) if hour % 5}
    past = History(known, interval_s=HOUR_S, zone=ZONE)
    for method in METHODS:
        assert set(past.forecast(method, at(4 * WEEK_H), 48)) == {10}
        assert past.backtest(method, at(4 * WEEK_H), 24).wape == 0


REAL = (
    ("steel_industry_kr_2018_15min.csv", STEEL, 0, 96, 5401, 4700),
    ("opsd_household_60min.csv", OPSD, 0, 24, 4310, 3522),
    ("opsd_household_60min.csv", OPSD, 2, 24, 10548, 8565),
)


@pytest.mark.parametrize(("name", "mapping", "series", "steps", "naive", "level"), REAL)
def test_on_real_meters_level_is_the_better_one(
    name: str, mapping: str, series: int, steps: int, naive: int, level: int
) -> None:
    """A day ahead, from each of the last 28 days; the figures are those of the handbook."""
    one = read_csv(data_file(name), read_map(mapping)).series[series]
    known = {
        run.start_s + index * run.interval_s: amount
        for run in one.runs
        for index, amount in enumerate(run.amounts)
    }
    past = History(known, interval_s=one.interval_s, zone=one.map.zone)
    found = [past.backtest(method, one.end_s, steps) for method in METHODS]
    assert [one.origins for one in found] == [28, 28]
    assert [one.wape for one in found] == [naive, level]


def made(meters: WiredMeters, folder: Path, *, steps: int = 24) -> Forecast:
    lake = meters.projected(folder)
    return forecast(meters.ledger.state, lake, meter="m1", steps=steps, method="naive")


def test_from_the_ledger(tmp_path: Path) -> None:
    meters = WiredMeters("electricity.import")
    meters.hours("m1", START_S, list(range(48)))
    found = made(meters, tmp_path)
    assert (found.start_s, found.unit, found.amounts) == (at(48), "Wh", tuple(range(24, 48)))
    readings = forecast_readings(meters.ledger.state, found, forecaster="oracle")
    (series,) = readings.series
    assert (series.map.quantity, series.total) == ("electricity.predicted", sum(range(24, 48)))
    assert list(series.runs[0].amounts) == list(range(24, 48))


def test_what_was_said_stays_said(tmp_path: Path) -> None:
    """A forecaster that has got further than the meter goes on from there."""
    meters = WiredMeters("electricity.import", "electricity.predicted")
    meters.hours("m1", START_S, list(range(48)))
    meters.hours("m2", at(48), [7] * 20)
    found = made(meters, tmp_path)
    (series,) = forecast_readings(meters.ledger.state, found, forecaster="m2").series
    assert (series.start_s, list(series.runs[0].amounts)) == (at(68), [44, 45, 46, 47])
    meters.hours("m2", at(68), [7] * 4)
    assert forecast_readings(meters.ledger.state, found, forecaster="m2").series == ()


def test_bad_questions(tmp_path: Path) -> None:
    meters = WiredMeters("electricity.import", "electricity.predicted")
    state, lake = meters.ledger.state, meters.projected(tmp_path)

    def ask(meter: str, steps: int = 1) -> object:
        return forecast(state, lake, meter=meter, steps=steps, method="level")

    refused("emissions.forecast_history", lambda: ask("m1"))
    meters.hours("m1", START_S, [1] * 23)
    refused("emissions.forecast_history", lambda: ask("m1"))
    refused("emissions.forecast_of_prediction", lambda: ask("m2"))
    refused("identity.device.unknown", lambda: ask("m3"))
    for steps in (0, MAX_STEPS + 1):
        refused("emissions.forecast_steps", lambda steps=steps: ask("m1", steps))  # type: ignore[misc]
    refused("emissions.forecast_method", lambda: check_method("magic"))
    assert predicted_quantity("gas.natural") == "gas.predicted"
