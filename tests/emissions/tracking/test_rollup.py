"""Accumulation: every node once, predictions never, and no total beside its own parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.meters import statement
from tests.support.refusals import refused
from tests.support.wired import HOST, WiredMeters

from wattproof.core.periods import STEPS, Step, parse_time
from wattproof.emissions.tracking.rollup import Rollup, RollupBy, check_rollup, rollup

ZONE = "Asia/Shanghai"
DAY_S = parse_time("2023-05-31", ZONE)
METER = "electricity.import"


def works(*quantities: str) -> WiredMeters:
    """Meters with a factor of 1 g for each base unit, not at ports yet."""
    meters = WiredMeters()
    meters.publish(statement("grid", value_ug=1_000_000))
    for number, quantity in enumerate(quantities, start=1):
        meters.install(f"m{number}", quantity=quantity, region="CN-SH" if number % 2 else "CN-BJ")
        meters.assign("grid", meter=f"m{number}")
        meters.hours(f"m{number}", DAY_S, [10**number] * 3)
    return meters


def rolled(
    meters: WiredMeters,
    folder: Path,
    by: RollupBy,
    *,
    host: str | None = HOST,
    step: Step = "day",
) -> Rollup:
    return rollup(
        meters.ledger.state, meters.projected(folder), by=by, step=step, zone=ZONE, host=host
    )


def sums(found: Rollup) -> dict[str, int | None]:
    assert found.total_g == sum(label.emission_g or 0 for label in found.labels)
    return {label.label: label.emission_g for label in found.labels}


def test_labels_of_ports(tmp_path: Path) -> None:
    meters = works(METER, METER, METER)
    meters.port(1, "m1", plant="north", process="melting", person="alice")
    meters.port(2, "m2", plant="north", process="rolling")
    meters.port(3, "m3", plant="south")
    assert sums(rolled(meters, tmp_path, "plant")) == {"north": 330, "south": 3000}
    assert sums(rolled(meters, tmp_path, "process")) == {"": 3000, "melting": 30, "rolling": 300}
    assert sums(rolled(meters, tmp_path, "person")) == {"": 3300, "alice": 30}
    assert sums(rolled(meters, tmp_path, "region")) == {"CN-BJ": 300, "CN-SH": 3030}


def test_each_node_counts_once_however_many_ports_it_has(tmp_path: Path) -> None:
    meters = works(METER, METER)
    meters.port(1, "m1")
    meters.port(2, "m1", plant="north")
    meters.port(3, "m1", plant="south")
    meters.port(4, "m2", plant="south")
    meters.port(9, "m1", by="authority", plant="elsewhere")
    assert sums(rolled(meters, tmp_path, "plant")) == {"north": 30, "south": 300}
    assert sums(rolled(meters, tmp_path, "plant", host="authority")) == {"elsewhere": 30}
    everywhere = rolled(meters, tmp_path, "plant", host=None)
    assert everywhere.total_g == 330 and "elsewhere" in sums(everywhere)


def test_predictions_never_count(tmp_path: Path) -> None:
    meters = works(METER, "electricity.predicted")
    meters.port(1, "m1", plant="north")
    meters.port(2, "m2", plant="north")
    found = rolled(meters, tmp_path, "plant")
    assert sums(found) == {"north": 30} and found.labels[0].nodes == 1
    assert sums(rolled(meters, tmp_path, "region", host=None)) == {"CN-SH": 30}


def test_of_a_total_and_its_parts_one_counts(tmp_path: Path) -> None:
    """By plant the total, which the parts lie in; by process the parts, which have one each."""
    meters = works(METER, METER, METER, METER)
    meters.port(1, "m1", plant="north", process="melting")
    meters.port(2, "m2", plant="north", process="rolling")
    meters.port(3, "m3", plant="north")
    meters.port(4, "m4", plant="south")
    meters.bind("1-3-1/2")
    by_plant = rolled(meters, tmp_path, "plant")
    assert sums(by_plant) == {"north": 3000, "south": 30_000}
    assert by_plant.left_out == ("m1", "m2")
    by_process = rolled(meters, tmp_path, "process")
    assert sums(by_process) == {"": 30_000, "melting": 30, "rolling": 300}
    assert by_process.left_out == ("m3",)


def test_parts_of_parts_do_not_count_beside_the_whole(tmp_path: Path) -> None:
    meters = works(METER, METER, METER)
    meters.port(1, "m1", process="spindle")
    meters.port(2, "m2")
    meters.port(3, "m3")
    meters.bind("1-2-1")
    meters.bind("2-3-2")
    found = rolled(meters, tmp_path, "process")
    assert (sums(found), found.left_out) == ({"": 3000}, ("m1", "m2"))


@pytest.mark.parametrize("step", STEPS)
def test_every_step_adds_up_to_the_same(tmp_path: Path, step: Step) -> None:
    meters = works(METER, METER)
    meters.port(1, "m1", plant="north")
    meters.port(2, "m2", plant="south")
    found = rolled(meters, tmp_path, "plant", step=step)
    assert found.total_g == 330
    assert len(found.rows) == (6 if step == "hour" else 2)


def test_what_has_no_factor_is_said(tmp_path: Path) -> None:
    meters = WiredMeters(METER)
    meters.hours("m1", DAY_S, [5])
    (row,) = rolled(meters, tmp_path, "plant").rows
    assert (row.label, row.emission_g, row.unassigned) == ("", None, True)


def test_bad_questions(tmp_path: Path) -> None:
    meters = WiredMeters(METER)
    assert rolled(meters, tmp_path, "plant").rows == ()
    assert check_rollup("person") == "person"
    refused("emissions.rollup_by", lambda: check_rollup("colour"))
    lake = meters.projected(tmp_path)
    refused(
        "emissions.rollup_period",
        lambda: rollup(
            meters.ledger.state, lake, by="plant", step="day", zone=ZONE, from_s=5, to_s=5
        ),
    )
