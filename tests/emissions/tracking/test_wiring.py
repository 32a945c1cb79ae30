"""Ports, bindings and lines: what a host may wire, and what is raised when a line is crossed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.memory_ledger import Accepted, key_of
from tests.support.meters import QUARTER_S, START_S, Meters, packet_of, statement

from wattproof.core.errors import Refused
from wattproof.emissions.model import AssignFactor
from wattproof.emissions.tracking.events import Interrupt, InterruptOver, ReportFiled
from wattproof.emissions.tracking.model import (
    BINDINGS,
    INTERRUPTS,
    PORTS,
    THRESHOLDS,
    WATCHES,
    WINDOWS,
    BindingKind,
    DefineBinding,
    DefinePort,
    DefineThreshold,
    FileReport,
    Line,
    Measure,
    RemoveBinding,
    RemovePort,
    RemoveThreshold,
)
from wattproof.emissions.tracking.syntax import parse_binding
from wattproof.ledger.state import Collection
from wattproof.ledger.transaction import Body

HOUR_S = 3600
HOST = "importer"


def submit(meters: Meters, body: Body, by: str = HOST) -> Accepted:
    return meters.ledger.submit(body, key_of(by))


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.text("en") and caught.value.text("zh")


def port(number: int, device: str) -> DefinePort:
    return DefinePort(
        number=number, device=device, transport="mqtt", plant="works", process="", person=""
    )


def bind(text: str, kind: BindingKind = "total", measure: Measure = "amount") -> DefineBinding:
    group, left, right = parse_binding(text)
    return DefineBinding(group=group, kind=kind, measure=measure, left=left, right=right)


def line(value: int, unit: Literal["absolute", "percent"] = "absolute") -> Line:
    return Line(value=value, unit=unit)


def lines(*values: Line, set_: int = 1, group: int = 1) -> DefineThreshold:
    return DefineThreshold(group=group, set=set_, step_s=HOUR_S, offset_s=0, lines=values)


def ready(*quantities: str) -> Meters:
    """Meters m1, m2 ... at ports 1, 2 ...: a total and two parts unless told otherwise."""
    meters = Meters()
    for number, quantity in enumerate(quantities or ("electricity.import",) * 3, start=1):
        meters.add(f"m{number}", quantity=quantity)
        submit(meters, port(number, f"m{number}"))
    return meters


def hour(
    meters: Meters, device: str, amounts: Sequence[int], *, sequence: int = 1, start_s: int = 0
) -> Accepted:
    """Quarters of an hour from the first whole hour after START_S on."""
    first_s = START_S - START_S % HOUR_S + HOUR_S
    opening = 0 if sequence == 1 else meters.stream(int(device[1:])).register
    packet = packet_of(
        amounts, sequence=sequence, start_s=first_s + start_s, kind="register", opening=opening
    )
    return meters.accept(packet, meter=device)


def raised(accepted: Accepted) -> list[Interrupt]:
    return [event for event in accepted.events if isinstance(event, Interrupt)]


def ended(accepted: Accepted) -> list[InterruptOver]:
    return [event for event in accepted.events if isinstance(event, InterruptOver)]


def test_ports_are_numbered_by_their_host() -> None:
    meters = ready()
    found = meters.ledger.one(PORTS, HOST, 2)
    assert (found.device, found.meter, found.plant, found.transport) == ("m2", 2, "works", "mqtt")
    refused("emissions.port_taken", lambda: submit(meters, port(2, "m1")))
    refused("identity.device.unknown", lambda: submit(meters, port(9, "nobody")))
    refused("emissions.port_device", lambda: submit(meters, port(1, "m1"), by="stranger"))
    submit(meters, port(1, "m1"), by="authority")
    submit(meters, RemovePort(number=2))
    refused("emissions.port_unknown", lambda: submit(meters, RemovePort(number=2)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1-1-9", "emissions.port_unknown"),
        ("1-1-2/1", "emissions.port_both_sides"),
        ("1-1-2/2", "emissions.port_repeated"),
        ("1-1-4", "emissions.port_quantity"),
        ("1-1-5", "emissions.prediction_misplaced"),
    ],
)
def test_what_cannot_be_bound(text: str, code: str) -> None:
    electricity = ("electricity.import",) * 3
    meters = ready(*electricity, "gas.natural", "electricity.predicted")
    refused(code, lambda: submit(meters, bind(text)))


def test_groups_do_not_overlap() -> None:
    meters = ready(*("electricity.import",) * 5)
    submit(meters, bind("1-1-2/3"))
    refused("emissions.group_taken", lambda: submit(meters, bind("1-4-5")))
    refused("emissions.groups_overlap", lambda: submit(meters, bind("2-4-5/3")))
    submit(meters, bind("2-1-4/5"))  # the same total, split otherwise
    refused("emissions.port_bound", lambda: submit(meters, RemovePort(number=3)))
    submit(meters, RemoveBinding(group=1))
    assert meters.ledger.state.get(BINDINGS, HOST, 1) is None
    submit(meters, RemovePort(number=3))


def test_predictions_stand_on_the_left_of_what_was_measured() -> None:
    meters = ready("electricity.predicted", "electricity.import", "electricity.import")
    submit(meters, bind("1-1-2", kind="predicted"))
    wrong = bind("2-2-3", kind="predicted")
    refused("emissions.prediction_missing", lambda: submit(meters, wrong))
    wrong = bind("2-2-1", kind="predicted")
    refused("emissions.prediction_missing", lambda: submit(meters, wrong))


def test_emissions_of_different_quantities_can_be_bound() -> None:
    meters = ready("co2.measured", "gas.natural")
    refused("emissions.port_quantity", lambda: submit(meters, bind("1-1-2")))
    submit(meters, bind("1-1-2", measure="emission"))


def test_a_line_is_crossed_once_and_comes_back() -> None:
    meters = ready()
    submit(meters, bind("1-1-2/3"))
    submit(meters, lines(line(10)))
    hour(meters, "m1", [100] * 12)
    hour(meters, "m2", [50] * 12)
    last = hour(meters, "m3", [50, 50, 50, 50, 50, 50, 39, 50, 30, 50, 50, 50])
    (one,) = raised(last)
    assert (one.line, one.set, one.left, one.right) == (1, 1, 400, 389)
    assert one.end_s - one.start_s == HOUR_S
    record = meters.ledger.one(INTERRUPTS, HOST, 1)
    assert record.over_entry == -1 and record.entry == last.index
    hour(meters, "m1", [100] * 8, sequence=2, start_s=3 * HOUR_S)
    hour(meters, "m2", [50] * 8, sequence=2, start_s=3 * HOUR_S)
    still = hour(meters, "m3", [40] * 4, sequence=2, start_s=3 * HOUR_S)
    assert not raised(still) and not ended(still)
    back = hour(meters, "m3", [50, 50, 50, 40], sequence=3, start_s=4 * HOUR_S)
    assert not raised(back)
    (over,) = ended(back)
    assert over.interrupt == 1 and over.left - over.right == 10  # as much as the line: within it
    assert meters.ledger.one(INTERRUPTS, HOST, 1).over_entry == back.index


def test_the_packet_that_completes_the_window_raises() -> None:
    meters = ready()
    submit(meters, bind("1-1-2/3"))
    submit(meters, lines(line(1)))
    hour(meters, "m2", [1] * 4)
    assert not raised(hour(meters, "m1", [9] * 4))
    assert not raised(hour(meters, "m3", [1] * 3))
    assert raised(hour(meters, "m3", [1], sequence=2, start_s=3 * QUARTER_S))


def test_a_percentage_is_of_the_total_or_of_what_was_measured() -> None:
    meters = ready()
    submit(meters, bind("1-1-2/3"))
    submit(meters, lines(line(1_000, "percent"), line(1_050, "percent")))
    hour(meters, "m1", [250] * 4)
    hour(meters, "m2", [200] * 4)
    (one,) = raised(hour(meters, "m3", [24, 24, 24, 24]))  # 104 of 1,000
    assert one.line == 1
    meters = ready("electricity.predicted", "electricity.import")
    submit(meters, bind("1-1-2", kind="predicted"))
    submit(meters, lines(line(1_000, "percent")))
    hour(meters, "m1", [110] * 4)
    assert not raised(hour(meters, "m2", [100] * 4))
    hour(meters, "m1", [110] * 4, sequence=2, start_s=HOUR_S)
    assert not raised(hour(meters, "m2", [0] * 4, sequence=2, start_s=HOUR_S))  # of nothing: n/a


def test_emissions_are_compared_in_grams() -> None:
    meters = ready()
    meters.publish(statement(value_ug=2_000_000))
    for device in ("m1", "m2"):
        body = AssignFactor(device=device, factor="grid", version=1, from_s=0, to_s=0)
        submit(meters, body)
    submit(meters, bind("1-1-2", measure="emission"))
    submit(meters, lines(line(19)))
    hour(meters, "m1", [10] * 4)
    (one,) = raised(hour(meters, "m2", [10, 10, 0, 10]))
    assert (one.left, one.right) == (80, 60)


def test_only_what_comes_is_watched() -> None:
    meters = ready()
    submit(meters, bind("1-1-2/3"))
    hour(meters, "m1", [100] * 6)
    submit(meters, lines(line(1)))
    found = meters.ledger.one(THRESHOLDS, HOST, 1, 1)
    assert found.from_s % HOUR_S == 0 and found.from_s - meters.stream(1).end_s == HOUR_S // 2
    hour(meters, "m2", [0] * 6)
    assert not raised(hour(meters, "m3", [0] * 6))


def test_two_sets_are_reports_of_their_own() -> None:
    meters = ready()
    submit(meters, bind("1-1-2/3"))
    submit(meters, lines(line(1), line(50)))
    submit(meters, lines(line(5, "percent"), set_=2))
    hour(meters, "m1", [100] * 4)
    hour(meters, "m2", [50] * 4)
    crossed = raised(hour(meters, "m3", [40] * 4))
    assert [(one.set, one.line) for one in crossed] == [(1, 1), (2, 1)]
    assert [one.interrupt for one in crossed] == [1, 2]


def test_what_is_removed_leaves_nothing() -> None:
    meters = ready()
    submit(meters, bind("1-1-2/3"))
    submit(meters, lines(line(1)))
    refused("emissions.threshold_unknown", lambda: submit(meters, RemoveThreshold(group=1, set=2)))
    hour(meters, "m1", [100] * 4)
    hour(meters, "m2", [0] * 4)
    hour(meters, "m3", [0] * 4)
    hour(meters, "m1", [100] * 4, sequence=2, start_s=HOUR_S)
    submit(meters, RemoveBinding(group=1))
    collections: tuple[Collection[Any], ...] = (THRESHOLDS, WATCHES, WINDOWS, BINDINGS)
    for collection in collections:
        assert not list(meters.ledger.state.scan(collection))
    assert meters.ledger.one(INTERRUPTS, HOST, 1).over_entry == meters.ledger.size - 1
    hour(meters, "m2", [0] * 4, sequence=2, start_s=HOUR_S)


def test_windows_begin_where_they_are_told() -> None:
    meters = ready()
    submit(meters, bind("1-1-2/3"))
    bad = DefineThreshold(group=1, set=1, step_s=HOUR_S, offset_s=HOUR_S, lines=(line(1),))
    refused("emissions.window_offset", lambda: submit(meters, bad))
    refused("emissions.binding_unknown", lambda: submit(meters, lines(line(1), group=2)))


def test_a_report_is_filed_by_its_host_or_a_registrar() -> None:
    meters = ready()
    submit(meters, bind("1-1-2/3"))

    def filed(*, group: int = 1, entries: int = 5, to_s: int = HOUR_S, set_: int = 0) -> FileReport:
        return FileReport(
            host=HOST, group=group, set=set_, step="hour", from_s=0, to_s=to_s,
            zone="Asia/Shanghai", entries=entries, rows=0, digest=bytes(32),
        )  # fmt: skip

    assert submit(meters, filed()).event(ReportFiled).report == 1
    assert submit(meters, filed(), by="registrar").event(ReportFiled).report == 2
    refused("emissions.report_host", lambda: submit(meters, filed(), by="stranger"))
    refused("emissions.binding_unknown", lambda: submit(meters, filed(group=2)))
    refused("emissions.threshold_unknown", lambda: submit(meters, filed(set_=3)))
    refused("emissions.report_filed_period", lambda: submit(meters, filed(to_s=0)))
    refused("emissions.report_entries", lambda: submit(meters, filed(entries=10**6)))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.integers(1, 9)), min_size=1, max_size=30),
    st.lists(st.integers(0, 20), min_size=120, max_size=120),
)
def test_however_packets_come_the_same_windows_are_beyond(
    turns: list[tuple[int, int]], amounts: list[int]
) -> None:
    """Packets of three ports in any order and size: interrupts follow from the hours alone."""
    meters = ready()
    submit(meters, bind("1-1-2/3"))
    submit(meters, lines(line(25)))
    done, sequence = [0, 0, 0], [0, 0, 0]
    found: list[bool] = []
    for who, count in turns:
        values = [amounts[(at * 3 + who) % 120] for at in range(done[who], done[who] + count)]
        sequence[who] += 1
        accepted = hour(
            meters, f"m{who + 1}", values, sequence=sequence[who], start_s=done[who] * QUARTER_S
        )
        done[who] += count
        found += [isinstance(event, Interrupt) for event in accepted.events
                  if isinstance(event, Interrupt | InterruptOver)]  # fmt: skip
    beyond = []
    for first in range(0, min(done) // 4 * 4, 4):
        left, *right = (
            sum(amounts[(at * 3 + who) % 120] for at in range(first, first + 4)) for who in range(3)
        )
        beyond.append(abs(left - sum(right)) > 25)
    before = [False, *beyond]
    changes = [now for was, now in zip(before, beyond, strict=False) if was != now]
    assert found == changes
    assert len(list(meters.ledger.state.scan(WINDOWS))) <= (max(done) - min(done)) // 4 + 2
