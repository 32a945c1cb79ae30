"""Reports: what is in a row, in whose local time, and that every cut adds up to the whole."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings
from tests.support.meters import packet_of, statement
from tests.support.recorded import RecordedMeters
from tests.support.refusals import refused

from wattproof.analytics.lake import Lake
from wattproof.core.periods import STEPS, Step, bucket_start, parse_time
from wattproof.emissions.model import EMISSION_STREAMS
from wattproof.emissions.report import EmissionRow, emission_report, group_report
from wattproof.metering.model import STREAMS

HOUR_S = 3600


def local(text: str, zone: str = "Asia/Shanghai") -> int:
    return parse_time(text, zone)


def send_hours(
    meters: RecordedMeters, amounts: list[int], *, meter: str = "m1", start_s: int
) -> None:
    """Hourly readings from `start_s` on, as one packet after another of a day at most."""
    stream = meters.ledger.state.get(STREAMS, int(meter.removeprefix("m")))
    sequence, opening = (stream.next_sequence, stream.register) if stream else (1, 0)
    meters.ledger.time_ms = max(meters.ledger.time_ms, (start_s + len(amounts) * HOUR_S) * 1000)
    for first in range(0, len(amounts), 24):
        part = amounts[first : first + 24]
        packet = packet_of(
            part,
            sequence=sequence,
            opening=opening,
            start_s=start_s + first * HOUR_S,
            interval_s=HOUR_S,
        )
        meters.send(packet, meter=meter)
        sequence, opening = sequence + 1, opening + sum(part)


def report(
    meters: RecordedMeters,
    lake: Lake,
    step: Step,
    *,
    only: list[str] | None = None,
    zone: str | None = None,
) -> list[EmissionRow]:
    return list(emission_report(meters.ledger.state, lake, step=step, meters=only, zone=zone))


def test_a_row_has_exactly_the_keys_that_others_rely_on(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    meters.publish(statement("grid", value_ug=530_600))
    meters.assign("grid")
    send_hours(meters, [1000] * 24, start_s=local("2023-05-31"))
    (row,) = report(meters, meters.projected(tmp_path), "day")
    assert msgspec.to_builtins(row) == {
        "meter": "m1",
        "quantity": "electricity.import",
        "start": "2023-05-31T00:00:00+08:00",
        "end": "2023-06-01T00:00:00+08:00",
        "amount": 24_000,
        "unit": "Wh",
        "emission_g": 12_734,
        "factor": "grid",
    }
    assert list(msgspec.to_builtins(row)) == [
        "meter", "quantity", "start", "end", "amount", "unit", "emission_g", "factor",
    ]  # fmt: skip


def test_rows_come_by_meter_and_time_each_in_its_own_zone(tmp_path: Path) -> None:
    meters = RecordedMeters()
    zones = ["Asia/Kolkata", "Europe/Berlin", "Asia/Seoul"]
    for number, zone in enumerate(zones, start=1):
        meters.install(f"m{number}", zone=zone)
        send_hours(meters, [1] * 48, meter=f"m{number}", start_s=local("2023-03-25", zone))
    lake = meters.projected(tmp_path)
    found = [(row.meter, row.start, row.end, row.amount) for row in report(meters, lake, "day")]
    assert found == [
        ("m1", "2023-03-25T00:00:00+05:30", "2023-03-26T00:00:00+05:30", 24),
        ("m1", "2023-03-26T00:00:00+05:30", "2023-03-27T00:00:00+05:30", 24),
        ("m2", "2023-03-25T00:00:00+01:00", "2023-03-26T00:00:00+01:00", 24),
        ("m2", "2023-03-26T00:00:00+01:00", "2023-03-27T00:00:00+02:00", 23),
        ("m2", "2023-03-27T00:00:00+02:00", "2023-03-28T00:00:00+02:00", 1),
        ("m3", "2023-03-25T00:00:00+09:00", "2023-03-26T00:00:00+09:00", 24),
        ("m3", "2023-03-26T00:00:00+09:00", "2023-03-27T00:00:00+09:00", 24),
    ]
    shared = report(meters, lake, "day", zone="Asia/Shanghai", only=["m3"])
    assert [(row.start, row.amount) for row in shared] == [
        ("2023-03-24T00:00:00+08:00", 1),
        ("2023-03-25T00:00:00+08:00", 24),
        ("2023-03-26T00:00:00+08:00", 23),
    ]


def test_the_hour_that_a_clock_shows_twice_is_two_rows(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install(zone="Europe/Berlin")
    send_hours(meters, [1, 2, 3, 4], start_s=local("2022-10-30T01:00", "Europe/Berlin"))
    rows = report(meters, meters.projected(tmp_path), "hour")
    assert [(row.start, row.amount) for row in rows] == [
        ("2022-10-30T01:00:00+02:00", 1),
        ("2022-10-30T02:00:00+02:00", 2),
        ("2022-10-30T02:00:00+01:00", 3),
        ("2022-10-30T03:00:00+01:00", 4),
    ]


def test_a_year_s_border(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install(zone="Asia/Seoul")
    send_hours(meters, [1] * 5 + [10] * 3, start_s=local("2022-12-31T19:00", "Asia/Seoul"))
    rows = report(meters, meters.projected(tmp_path), "year")
    assert [(row.start[:4], row.amount) for row in rows] == [("2022", 5), ("2023", 30)]


def test_an_interval_counts_where_it_starts(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    start_s = local("2023-05-31T23:45")
    meters.send(packet_of([7, 8], start_s=start_s, interval_s=1800))
    rows = report(meters, meters.projected(tmp_path), "month")
    assert [(row.start[:7], row.amount) for row in rows] == [("2023-05", 7), ("2023-06", 8)]


def test_factors_versions_and_their_absence_are_rows_of_their_own(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    for value_ug in (1_000_000, 2_000_000):
        meters.publish(statement("grid", value_ug=value_ug))
    day_s = local("2023-05-31")
    meters.assign("grid", to_s=day_s + HOUR_S)
    meters.assign("grid", version=2, from_s=day_s + 2 * HOUR_S)
    send_hours(meters, [1, 2, 3, 4], start_s=day_s)
    rows = report(meters, meters.projected(tmp_path), "day")
    assert [(row.factor, row.amount, row.emission_g) for row in rows] == [
        (None, 2, None),
        ("grid", 1, 1),
        ("grid@2", 7, 14),
    ]


def test_the_time_asked_for(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    day_s = local("2023-05-31")
    send_hours(meters, [1] * 72, start_s=day_s)
    lake = meters.projected(tmp_path)
    found = emission_report(
        meters.ledger.state, lake, step="day", start_s=day_s + 5 * HOUR_S, end_s=day_s + 30 * HOUR_S
    )
    assert [(row.start[8:16], row.end[8:16], row.amount) for row in found] == [
        ("31T05:00", "01T00:00", 19),
        ("01T00:00", "01T06:00", 6),
    ]
    later = emission_report(meters.ledger.state, lake, step="day", start_s=day_s + 72 * HOUR_S)
    assert list(later) == []
    refused(
        "emissions.report_period",
        lambda: emission_report(meters.ledger.state, lake, step="day", start_s=5, end_s=5),
    )


def test_what_cannot_be_reported(tmp_path: Path) -> None:
    meters = RecordedMeters()
    lake = meters.projected(tmp_path)
    assert report(meters, lake, "day") == []
    assert report(meters, lake, "day", only=[]) == []
    meters.install()
    send_hours(meters, [1], start_s=local("2023-05-31"))
    lake = meters.projected(tmp_path)
    with pytest.raises(Exception, match="m7"):
        report(meters, lake, "day", only=["m1", "m7"])
    refused("core.zone", lambda: report(meters, lake, "day", zone="Mars/Olympus"))


def test_groups(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.publish(statement("grid", value_ug=1_000_000))
    day_s = local("2023-05-31")
    kinds = [
        ("m1", "electricity.import", "CN-BJ"),
        ("m2", "electricity.import", "CN-SH"),
        ("m3", "electricity.import", "CN-BJ"),
        ("m4", "water", "CN-BJ"),
        ("m5", "co2.measured", ""),
    ]
    for meter, quantity, region in kinds:
        meters.install(meter, quantity=quantity, region=region)
        if quantity.startswith("electricity") and meter != "m3":
            meters.assign("grid", meter=meter)
        send_hours(meters, [int(meter[1])] * 2, meter=meter, start_s=day_s)
    lake = meters.projected(tmp_path)
    state = meters.ledger.state
    by_quantity = group_report(state, lake, by="quantity", step="day")
    assert [(r.region, r.quantity, r.amount, r.emission_g, r.factor) for r in by_quantity] == [
        (None, "co2.measured", 10, 10, "unity"),
        (None, "electricity.import", 6, None, None),
        (None, "electricity.import", 6, 6, "grid"),
        (None, "water", 8, None, None),
    ]
    by_region = group_report(state, lake, by="region", step="month")
    assert [(r.region, r.quantity, r.start, r.amount, r.unit, r.factor) for r in by_region] == [
        (None, "co2.measured", "2023-05-01T00:00:00+08:00", 10, "g", "unity"),
        ("CN-BJ", "electricity.import", "2023-05-01T00:00:00+08:00", 6, "Wh", None),
        ("CN-BJ", "electricity.import", "2023-05-01T00:00:00+08:00", 2, "Wh", "grid"),
        ("CN-BJ", "water", "2023-05-01T00:00:00+08:00", 8, "dm3", None),
        ("CN-SH", "electricity.import", "2023-05-01T00:00:00+08:00", 4, "Wh", "grid"),
    ]


def test_groups_of_meters_in_several_zones_share_one_clock(tmp_path: Path) -> None:
    meters = RecordedMeters()
    day_s = local("2023-05-31")
    for meter, zone in (("m1", "Asia/Seoul"), ("m2", "Europe/Berlin")):
        meters.install(meter, zone=zone)
        send_hours(meters, [1] * 24, meter=meter, start_s=day_s)
    lake = meters.projected(tmp_path)
    state = meters.ledger.state
    (row,) = group_report(state, lake, by="quantity", step="day")
    assert (row.start, row.amount) == ("2023-05-31T00:00:00+08:00", 48)
    named = group_report(state, lake, by="quantity", step="day", zone="Asia/Seoul")
    assert [(row.start, row.amount) for row in named] == [
        ("2023-05-31T00:00:00+09:00", 46),
        ("2023-06-01T00:00:00+09:00", 2),
    ]
    assert list(group_report(state, meters.lake(tmp_path / "no"), by="region", step="day")) == []


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Asia/Seoul", "Asia/Kolkata"]),
    st.lists(st.integers(0, 5000), min_size=24 * 4, max_size=24 * 5),
    st.sampled_from(["2022-12-29T13:00", "2022-03-24T05:00", "2022-10-28T23:00"]),
    st.integers(0, 2_000_000),
    st.integers(0, 96),
)
def test_hours_days_months_and_years_add_up(
    zone: str, amounts: list[int], start: str, value_ug: int, change: int
) -> None:
    meters = RecordedMeters()
    meters.install("m1", zone=zone)
    start_s = local(start, zone)
    meters.publish(statement("a", value_ug=value_ug), statement("b"))
    meters.assign("a")
    meters.assign("b", from_s=start_s + change * HOUR_S)
    send_hours(meters, amounts, start_s=start_s)
    with TemporaryDirectory() as folder:
        lake = meters.projected(Path(folder))
        rows = {step: report(meters, lake, step) for step in STEPS}
    for step in STEPS:
        assert sum(row.amount for row in rows[step]) == meters.stream().total == sum(amounts)
        grams = sum(row.emission_g or 0 for row in rows[step])
        assert grams == meters.ledger.one(EMISSION_STREAMS, 1).total_g
        assert len({(row.start, row.factor) for row in rows[step]}) == len(rows[step])
        added: dict[tuple[int, str | None], list[int]] = defaultdict(lambda: [0, 0])
        for row in rows["hour"]:
            at_s = bucket_start(parse_time(row.start, zone), step, zone)
            added[at_s, row.factor][0] += row.amount
            added[at_s, row.factor][1] += row.emission_g or 0
        assert {key: tuple(total) for key, total in added.items()} == {
            (parse_time(row.start, zone), row.factor): (row.amount, row.emission_g or 0)
            for row in rows[step]
        }
