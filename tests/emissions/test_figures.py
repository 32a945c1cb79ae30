"""The overview's figures: the same sums as the reports, cut to what is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.memory_ledger import key_of
from tests.support.meters import packet_of, statement
from tests.support.recorded import RecordedMeters

from wattproof.analytics.lake import Lake
from wattproof.core.periods import STEPS, Step, parse_time
from wattproof.emissions import figures as module
from wattproof.emissions.figures import Choice, Figures, figures, period_of
from wattproof.emissions.overview import Overview
from wattproof.emissions.report import emission_report
from wattproof.emissions.tracking.model import DefineBinding, DefinePort

ZONE = "Asia/Shanghai"
HOUR_S = 3600
NEW_YEAR_S = parse_time("2023-01-01", ZONE)


def send(meters: RecordedMeters, meter: str, amounts: list[int], *, start_s: int) -> None:
    """Hourly readings as one packet, the meter's first."""
    meters.ledger.time_ms = max(meters.ledger.time_ms, (start_s + len(amounts) * HOUR_S) * 1000)
    meters.send(packet_of(amounts, start_s=start_s, interval_s=HOUR_S), meter=meter)


@pytest.fixture(scope="module")
def meters() -> RecordedMeters:
    """Two meters that report over the turn of a year, one of another region that does not."""
    meters = RecordedMeters()
    meters.publish(statement())
    meters.install("m1", region="CN-SH")
    meters.install("m2", region="CN-SH", quantity="gas.natural")
    meters.install("m3", region="CN-BJ")
    meters.assign("grid", meter="m1")
    send(meters, "m1", [1000 + hour for hour in range(96)], start_s=NEW_YEAR_S - 48 * HOUR_S)
    send(meters, "m2", [7] * 24, start_s=NEW_YEAR_S)
    return meters


@pytest.fixture(scope="module")
def lake(meters: RecordedMeters, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return meters.projected(tmp_path_factory.mktemp("lake"))


def shown(
    meters: RecordedMeters, lake: Lake, choice: Choice, *, owner: str | None = None
) -> Figures:
    return figures(meters.ledger.state, lake, owner=owner, choice=choice, zone=ZONE)


def test_what_is_counted(meters: RecordedMeters, lake: Lake) -> None:
    found = shown(meters, lake, Choice())
    assert found.entries == meters.ledger.size
    assert found.meters == {"active": 3}
    assert found.readings == 96 + 24
    assert found.newest_s == NEW_YEAR_S + 48 * HOUR_S
    assert found.choices["region"] == ("CN-BJ", "CN-SH")
    assert found.choices["quantity"] == ("electricity.import", "gas.natural")
    assert found.choices["meter"] == ("m1", "m2", "m3")


def test_the_newest_month_unless_another_is_asked_for(meters: RecordedMeters, lake: Lake) -> None:
    january = shown(meters, lake, Choice())
    assert january.bounds[0] == NEW_YEAR_S
    assert len(january.bounds) == 32
    assert january.sums[0].amount == sum(range(1048, 1096))
    december = shown(meters, lake, Choice(at_s=NEW_YEAR_S - 1))
    assert december.bounds[-1] == NEW_YEAR_S
    assert december.sums[0].amount == sum(range(1000, 1048))
    assert december.sums[0].amounts[:29] == (0,) * 29
    assert [one.quantity for one in december.sums] == ["electricity.import"]


@pytest.mark.parametrize("many", [0, 1000])
@pytest.mark.parametrize("step", STEPS)
def test_the_same_sums_as_the_report(
    meters: RecordedMeters, lake: Lake, step: Step, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few meters and with many."""
    monkeypatch.setattr(module, "MANY", many)
    period = period_of(NEW_YEAR_S, step, ZONE) or (None, None)
    rows = list(
        emission_report(
            meters.ledger.state, lake, step=step, start_s=period[0], end_s=period[1], zone=ZONE
        )
    )
    found = shown(meters, lake, Choice(step=step, at_s=NEW_YEAR_S))
    for one in found.sums:
        of_quantity = [row for row in rows if row.quantity == one.quantity]
        assert [amount for amount in one.amounts if amount] == [row.amount for row in of_quantity]
        grams = [row.emission_g for row in of_quantity if row.emission_g is not None]
        assert [gram for gram in one.emissions_g if gram is not None] == grams
        assert one.emission_g == (sum(grams) if grams else None)
    electricity, gas = found.sums
    assert not electricity.unassigned
    assert gas.unassigned
    assert gas.emission_g is None


def test_only_what_is_chosen(meters: RecordedMeters, lake: Lake) -> None:
    assert [one.quantity for one in shown(meters, lake, Choice(quantity="gas.natural")).sums] == [
        "gas.natural"
    ]
    assert shown(meters, lake, Choice(region="CN-BJ")).sums == ()
    assert shown(meters, lake, Choice(region="CN-BJ")).meters == {"active": 1}
    assert shown(meters, lake, Choice(meter="m2")).readings == 24
    assert shown(meters, lake, Choice(meter="no such")).sums == ()


def test_only_what_is_ones_own(meters: RecordedMeters, lake: Lake) -> None:
    assert shown(meters, lake, Choice(), owner="importer").readings == 120
    nothing = shown(meters, lake, Choice(), owner="stranger")
    assert nothing.sums == ()
    assert nothing.meters == {}
    assert nothing.newest_s is None
    assert nothing.choices["quantity"] == ()


def test_a_time_without_readings(meters: RecordedMeters, lake: Lake) -> None:
    found = shown(meters, lake, Choice(at_s=parse_time("2001-02-03", ZONE)))
    assert found.sums == ()
    assert len(found.bounds) == 29


def test_an_empty_ledger(tmp_path: Path) -> None:
    meters = RecordedMeters()
    for step in STEPS:
        found = shown(meters, meters.projected(tmp_path), Choice(step=step))
        assert found.sums == ()
        assert found.readings == 0


def test_predictions_are_shown_and_never_counted(tmp_path: Path) -> None:
    """They do not move the newest reading, and are no part of the emissions."""
    meters = RecordedMeters()
    meters.publish(statement("grid", value_ug=1_000_000))
    meters.install("m1")
    meters.install("m2", quantity="electricity.predicted")
    meters.assign("grid", meter="m1")
    meters.assign("grid", meter="m2")
    send(meters, "m1", [10] * 24, start_s=NEW_YEAR_S)
    send(meters, "m2", [1000] * 24, start_s=NEW_YEAR_S)
    meters.send(
        packet_of(
            [7], sequence=2, opening=24_000, start_s=NEW_YEAR_S + 90 * 86_400, interval_s=HOUR_S
        ),
        meter="m2",
    )
    found = shown(meters, meters.projected(tmp_path), Choice())
    assert found.newest_s == NEW_YEAR_S + 24 * HOUR_S
    assert [one.emission_g for one in found.sums] == [240, 24_000]
    for lang in ("en", "zh"):
        view = Overview(found, Choice(), ZONE, lang)
        assert view.emission_g == 240
        assert view.emissions is not None and len(view.emissions.lines) == 1
        assert view.unassigned == []
        assert len(view.charts[0].lines) == 2


def test_parts_are_shown_and_the_total_counts(tmp_path: Path) -> None:
    """What is measured twice, as a total and by its parts, is emitted once."""
    meters = RecordedMeters()
    meters.publish(statement("grid", value_ug=1_000_000))
    for number, meter in enumerate(("m1", "m2", "m3"), start=1):
        meters.install(meter)
        meters.assign("grid", meter=meter)
        port = DefinePort(
            number=number, device=meter, transport="", plant="", process="", person=""
        )
        meters.ledger.submit(port, key_of("importer"))
        send(meters, meter, [30 if meter == "m1" else 15] * 24, start_s=NEW_YEAR_S)
    bind = DefineBinding(group=1, kind="total", measure="amount", left=(1,), right=(2, 3))
    meters.ledger.submit(bind, key_of("importer"))
    lake = meters.projected(tmp_path)
    found = shown(meters, lake, Choice())
    assert [(one.part, one.emission_g) for one in found.sums] == [(False, 720), (True, 720)]
    assert Overview(found, Choice(), ZONE, "en").emission_g == 720
    view = Overview(found, Choice(), ZONE, "zh")
    assert [line.name for line in view.charts[0].lines] == ["受电量", "受电量（分项）"]
    only = shown(meters, lake, Choice(meter="m2"))
    assert [(one.part, one.emission_g) for one in only.sums] == [(False, 360)]
