"""Packets become rows, each with its own grams; the same by another road as by ours."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.support.memory_ledger import Accepted, key_of
from tests.support.meters import START_S, packet_of, statement
from tests.support.recorded import LoggedEntry, RecordedMeters, rows_of
from tests.support.refusals import refused

from wattproof.emissions.carry import emissions_g
from wattproof.emissions.model import EMISSION_STREAMS, Emitted
from wattproof.emissions.projection import ReadingsProjector, factor_text, split_factor
from wattproof.metering.model import STREAMS, PacketAccepted, ReplaceMeter, catch_up_span

INTERPOLATED, ESTIMATED, MANUAL, CATCH_UP, REPLACED = 1, 2, 4, 8, 16


def rows(meters: RecordedMeters, folder: Path) -> list[tuple[Any, ...]]:
    """All rows without the entry: meter, start, interval, amount, grams, factor, flags."""
    return [row[:7] for row in rows_of(meters.projected(folder))]


def test_readings_of_a_packet(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    meters.publish(statement("grid", value_ug=530_600))
    meters.assign("grid")
    meters.send(packet_of([1, 2, 300], quality=[0, 1, 2]))
    assert rows(meters, tmp_path) == [
        (1, START_S, 900, 1, 0, 1, 0),
        (1, START_S + 900, 900, 2, 1, 1, INTERPOLATED),
        (1, START_S + 1800, 900, 300, 159, 1, ESTIMATED),
    ]
    lake = meters.lake(tmp_path)
    assert lake.manifest.names == {"factor": ("grid@1",)}
    assert lake.cursor == meters.ledger.size


def test_the_carry_goes_on_from_packet_to_packet(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    meters.publish(statement("grid", value_ug=400_000))
    meters.assign("grid")
    for sequence in range(1, 6):
        start_s = START_S + (sequence - 1) * 900
        meters.send(packet_of([1], sequence=sequence, start_s=start_s, opening=sequence - 1))
    assert [row[4] for row in rows(meters, tmp_path)] == [0, 0, 1, 0, 1]


def test_a_catch_up_is_a_row_of_its_own_at_the_end_of_its_gap(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    meters.publish(statement("grid", value_ug=1_000_000))
    meters.assign("grid")
    meters.send(packet_of([5, 6], kind="register", opening=100))
    late_s = START_S + 6 * 900
    meters.send(packet_of([7], kind="register", opening=131, sequence=2, start_s=late_s))
    assert rows(meters, tmp_path)[2:] == [
        (1, late_s - 900, 900, 20, 20, 1, CATCH_UP),
        (1, late_s, 900, 7, 7, 1, 0),
    ]


def test_a_packet_without_readings_may_still_bring_a_catch_up(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    meters.send(packet_of([5], kind="register", opening=100))
    late_s = START_S + 6 * 900
    meters.send(packet_of([], kind="register", opening=131, sequence=2, start_s=late_s))
    assert rows(meters, tmp_path)[1:] == [(1, late_s - 900, 900, 26, None, 0, CATCH_UP)]


def test_a_replacement_brings_the_old_register_s_last_step(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    meters.publish(statement("grid", value_ug=1_000_000))
    meters.assign("grid")
    meters.send(packet_of([5], kind="register", opening=100))
    at_s = START_S + 900 + 300
    replace = ReplaceMeter(device="m1", at_s=at_s, old_closing=115, new_opening=3, new_modulus=0)
    meters.ledger.submit(replace, key_of("importer"))
    meters.send(packet_of([4], kind="register", opening=3, sequence=2, start_s=at_s))
    assert rows(meters, tmp_path)[1:] == [
        (1, at_s - 300, 300, 10, 10, 1, CATCH_UP | REPLACED),
        (1, at_s, 900, 4, 4, 1, 0),
    ]


def test_factors_change_within_a_packet_and_leave_holes(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    meters.publish(statement("a", value_ug=1_000_000), statement("b", value_ug=2_000_000))
    meters.assign("a", to_s=START_S + 900)
    meters.assign("b", from_s=START_S + 3 * 900)
    meters.send(packet_of([1, 2, 3, 4, 5]))
    found = [(row[3], row[4], row[5]) for row in rows(meters, tmp_path)]
    assert found == [(1, 1, 1), (2, None, 0), (3, None, 0), (4, 8, 2), (5, 10, 2)]
    assert meters.lake(tmp_path).manifest.names == {"factor": ("a@1", "b@1")}


def test_co2_counts_as_it_is(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install(quantity="co2.measured")
    meters.send(packet_of([7, 0, 9]))
    assert [row[4] for row in rows(meters, tmp_path)] == [7, 0, 9]


def test_the_largest_amounts_do_not_wrap(tmp_path: Path) -> None:
    """Running sums over several meters pass 2^64; no reading's grams notice."""
    meters = RecordedMeters()
    most = 2**62 // 3
    meters.publish(statement("three", value_ug=3))
    for meter in ("m1", "m2", "m3", "m4", "m5"):
        meters.install(meter)
        meters.assign("three", meter=meter)
        meters.send(packet_of([most - 1, 1]), meter=meter)
    grams = emissions_g([most - 1, 1], value_ug=3, carry_ug=0)
    assert [row[4] for row in rows(meters, tmp_path)] == grams * 5


def test_nothing_to_project(tmp_path: Path) -> None:
    meters = RecordedMeters()
    meters.install()
    lake = meters.projected(tmp_path)
    assert rows_of(lake) == []
    assert lake.files("readings") == []
    assert lake.cursor == meters.ledger.size


@pytest.mark.parametrize("factor", ["grid", "cn-grid@2022", "a@b@1"])
def test_a_factor_s_name_in_the_lake_gives_back_its_id_and_version(factor: str) -> None:
    assert split_factor(factor_text(factor, 12)) == (factor, 12)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xa6amount\x06", b"\xa6amount\x07"),
        (b"\xa6amount\x06", b"\xa6among!\x06"),
        (b"\xa5count\x03", b"\xa5count\x02"),
        (b"\xaaemission_g\x06", b"\xaaemission_g\x05"),
        (b"\xa5first\x00", b"\xa5first\x01"),
        (b"\xa5first\x00", b"\xa5first\xff"),
        (b"\xa6number\x01", b"\xa6number\xc0"),
    ],
)
def test_a_result_that_does_not_fit_its_packet_is_refused(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    meters = RecordedMeters()
    meters.install(quantity="co2")
    meters.send(packet_of([1, 2, 3]))
    entry = meters.logged.logged[-1]
    assert before in entry.result
    changed = entry.result.replace(before, after)
    meters.logged.logged[-1] = LoggedEntry(entry.index, entry.leaf, changed)
    refused("emissions.projection", lambda: meters.projected(tmp_path))


PACKETS = st.lists(
    st.tuples(
        st.sampled_from(["m1", "m2"]),
        st.lists(st.integers(0, 2**20), max_size=8),
        st.integers(0, 3),  # intervals of silence before it
        st.integers(0, 5000),  # what the register gained in them
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(PACKETS, st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 40), st.data())
def test_rows_are_those_of_a_reading_by_reading_walk(
    packets: list[tuple[str, list[int], int, int]],
    value_ug: int,
    later_ug: int,
    change: int,
    data: st.DataObject,
) -> None:
    meters = RecordedMeters()
    meters.publish(statement("a", value_ug=value_ug), statement("b", value_ug=later_ug))
    for meter in ("m1", "m2"):
        meters.install(meter)
        meters.assign("a", meter=meter)
        meters.assign("b", meter=meter, from_s=START_S + change * 900)
    expected: list[tuple[Any, ...]] = []
    with TemporaryDirectory() as folder:
        for meter, amounts, silent, gained in packets:
            number = 1 if meter == "m1" else 2
            stream = meters.ledger.state.get(STREAMS, number)
            if stream is None:
                sequence, opening, start_s = 1, 50, START_S
            else:
                sequence, start_s = stream.next_sequence, stream.end_s + silent * 900
                opening = stream.register + (gained if silent else 0)
                if not amounts and not silent:
                    continue
            packet = packet_of(
                amounts, kind="register", sequence=sequence, start_s=start_s, opening=opening
            )
            expected += walk(meters.accept(packet, meter=meter), amounts)
            if data.draw(st.booleans()):
                meters.projected(Path(folder))
        lake = meters.projected(Path(folder))
        names = (None, *lake.manifest.names.get("factor", ()))
        found = [(*row[:2], row[3], row[4], names[row[5]], row[7]) for row in rows_of(lake)]
        assert found == sorted(expected, key=lambda row: (row[5], row[1]))
        for number in {row[0] for row in found}:
            total_g = sum(row[3] for row in found if row[0] == number and row[3] is not None)
            assert total_g == meters.ledger.one(EMISSION_STREAMS, number).total_g
            total = sum(row[2] for row in found if row[0] == number)
            assert total == meters.ledger.one(STREAMS, number).total


def walk(accepted: Accepted, amounts: list[int]) -> list[tuple[Any, ...]]:
    """Meter, start, amount, grams, factor, entry of each row, from the events and `carry` alone."""
    event = accepted.event(PacketAccepted)
    starts = [event.start_s + index * event.interval_s for index in range(event.count)]
    caught_s, _ = catch_up_span(end_s=event.start_s, gap_s=event.gap_s, interval_s=event.interval_s)
    parts = [(caught_s, event.catch_up), *zip(starts, amounts, strict=True)]
    grams: dict[int, tuple[int, str]] = {}
    for emitted in (found for found in accepted.events if isinstance(found, Emitted)):
        for segment in emitted.segments:
            taken = range(segment.first, segment.first + segment.count)
            each = emissions_g(
                [parts[index + 1][1] for index in taken],
                value_ug=segment.value_ug,
                carry_ug=segment.carry_ug,
            )
            text = factor_text(segment.factor, segment.version)
            grams |= {index: (gram, text) for index, gram in zip(taken, each, strict=True)}
    first = -1 if event.catch_up else 0
    return [
        (event.number, *parts[index + 1], *grams.get(index, (None, None)), accepted.index)
        for index in range(first, event.count)
    ]


def test_the_projector_says_what_it_fills() -> None:
    assert ReadingsProjector().table.name == "readings"
