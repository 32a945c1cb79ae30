"""Imports: what a file adds to a ledger, once, in the same bytes, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.support.maps import SMALL, read_text, small
from tests.support.memory_ledger import START_MS, Accepted, key_of
from tests.support.meters import Meters, statement
from tests.support.refusals import refused

from wattproof.core.errors import WattProofError
from wattproof.emissions.intake import (
    BATCH,
    PACKET_READINGS,
    Importer,
    ImportPlan,
    ImportSummary,
    plan_import,
    run_import,
)
from wattproof.emissions.model import EMISSION_STREAMS
from wattproof.emissions.queries import assignments_of
from wattproof.identity.model import (
    ASSOCIATIONS,
    DEVICES,
    Device,
    RevokeRole,
    SuspendDevice,
    SuspendParty,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.metering.model import PACKETS, ReplaceMeter
from wattproof.metering.queries import stream_of

NOW_S = START_MS // 1000
FULL = small() + 'region = "CN-ZJ"\nfactor = "grid"\n'
REGISTER = small(kind='"register"')


class Keys:
    """Keys by name, as a key store gives them."""

    def get_or_create(self, name: str) -> SigningKey:
        return key_of(name)


class Engine:
    """Submits to a ledger in memory, as an engine does: an answer each, errors returned."""

    def __init__(self, meters: Meters) -> None:
        self.meters = meters
        self.batches: list[int] = []

    def submit_many(self, raws: Sequence[bytes]) -> list[Accepted | WattProofError]:
        self.batches.append(len(raws))
        return [self._submit(raw) for raw in raws]

    def _submit(self, raw: bytes) -> Accepted | WattProofError:
        try:
            return self.meters.ledger.submit_raw(raw)
        except WattProofError as error:
            return error


class Import:
    """A folder, and a ledger to import into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meters = Meters()
        self.meters.publish(statement(), statement("coal", quantity="fuel"))
        self.state = self.meters.ledger.state

    def plan(
        self,
        text: str,
        mapping: str = SMALL,
        *,
        now_s: int = NOW_S,
        party: str = "importer",
        key: str = "importer",
    ) -> ImportPlan:
        importer = Importer(party=party, key=key_of(key), ledger_id=self.meters.ledger.ledger_id)
        file = read_text(self.folder, text, mapping)
        return plan_import(self.state, file, keys=Keys(), importer=importer, now_s=now_s)

    def run(self, text: str, mapping: str = SMALL) -> ImportPlan:
        plan = self.plan(text, mapping)
        run_import(plan, Engine(self.meters))
        return plan

    def refuse(self, code: str, text: str, mapping: str = SMALL) -> None:
        size = self.meters.ledger.size
        refused(code, lambda: self.plan(text, mapping))
        assert self.meters.ledger.size == size


@pytest.fixture
def ledger(tmp_path: Path) -> Import:
    return Import(tmp_path)


def rows(*values: object, first: int = 1, column: str = "kWh") -> str:
    """A file of quarters of an hour; the first row closes quarter `first` of May 2023."""
    start = datetime(2023, 5, 1, tzinfo=UTC)
    lines = [f"time,{column}"]
    for quarter, value in enumerate(values, start=first):
        stamp = start + timedelta(minutes=15 * quarter)
        lines.append(f"{stamp:%Y-%m-%dT%H:%M},{value}")
    return "\n".join(lines) + "\n"


def device(ledger: Import) -> Device:
    return ledger.meters.ledger.one(DEVICES, "m1")


def test_a_meter_is_made_ready_and_reports(ledger: Import) -> None:
    plan = ledger.run(rows(1, 2, "", 4), FULL)
    made = device(ledger)
    digest = read_text(ledger.folder, rows(1, 2, "", 4), FULL).digest
    assert (made.status, made.owner, made.zone) == ("active", "importer", "Asia/Shanghai")
    assert (made.imported, made.authenticated_by) == (True, "importer")
    assert made.evidence == digest.hex()
    assert (made.point, made.region) == ("m1", "CN-ZJ")
    sides = [(one.side, one.party) for one in ledger.state.scan(ASSOCIATIONS, "m1")]
    assert sides == [("consumer", "importer")]
    (assigned,) = assignments_of(ledger.state, 1)
    assert (assigned.factor, assigned.version, assigned.to_s) == ("grid", 1, 0)
    stream = stream_of(ledger.state, "m1")
    assert stream is not None and stream.total == 7000
    assert [row.closing for row in ledger.state.scan(PACKETS, 1)] == [3000, 7000]
    assert ledger.meters.ledger.one(EMISSION_STREAMS, 1).total_g == 7000 * 530_600 // 10**6
    assert (plan.packets, plan.transactions) == (2, 7)


def test_the_summary_has_the_fixed_keys(ledger: Import) -> None:
    plan = ledger.run(rows(1, 2, "", 4))
    summary = ImportSummary(meters=plan.meters, packets=plan.packets, seconds=0.5)
    assert msgspec.json.decode(msgspec.json.encode(summary)) == {
        "meters": [
            {
                "meter": "m1",
                "quantity": "electricity.import",
                "readings": 3,
                "first": "2023-05-01T00:00:00+08:00",
                "last": "2023-05-01T01:00:00+08:00",
                "total": 7000,
                "unit": "Wh",
                "gaps": 1,
                "flagged": 0,
                "added": 3,
                "gap_list": [
                    {
                        "start": "2023-05-01T00:30:00+08:00",
                        "end": "2023-05-01T00:45:00+08:00",
                        "amount": None,
                    }
                ],
            }
        ],
        "packets": 2,
        "seconds": 0.5,
    }


def test_packets_hold_a_day_of_quarters_and_end_at_a_gap(ledger: Import) -> None:
    values: list[object] = [1] * 250
    values[100] = ""
    ledger.run(rows(*values))
    spans = [(row.end_s - row.start_s) // 900 for row in ledger.state.scan(PACKETS, 1)]
    assert spans == [96, 4, 96, 53]
    assert PACKET_READINGS == 96


def test_running_it_again_adds_nothing(ledger: Import) -> None:
    text = rows(1, 2, "", 4)
    ledger.run(text, FULL)
    plan = ledger.run(text, FULL)
    assert (plan.packets, plan.transactions, plan.meters[0].added) == (0, 0, 0)
    assert plan.meters[0].total == 7000
    assert list(plan.batches()) == []


@pytest.mark.parametrize("mapping", [FULL, REGISTER + 'region = "CN-ZJ"\nfactor = "grid"\n'])
def test_an_import_that_was_cut_short_goes_on_with_the_very_same_bytes(
    tmp_path: Path, mapping: str
) -> None:
    values: list[object] = list(range(220))
    values[120:125] = [""] * 5
    values[150], values[152] = "", ""
    text = rows(*values)
    whole = [raw for _, raw in Import(tmp_path).plan(text, mapping).steps()]
    for cut in range(len(whole)):
        ledger = Import(tmp_path)
        Engine(ledger.meters).submit_many(whole[:cut])
        rest = [raw for _, raw in ledger.plan(text, mapping).steps()]
        assert rest == whole[cut:], f"after {cut} transactions"


def test_a_file_that_has_grown_adds_what_is_new(ledger: Import) -> None:
    ledger.run(rows(1, 2, 3), FULL)
    plan = ledger.run(rows(1, 2, 3, 4, "", 5), FULL)
    assert (plan.meters[0].added, plan.packets) == (2, 2)
    stream = stream_of(ledger.state, "m1")
    assert stream is not None and stream.total == 15_000
    assert len(list(assignments_of(ledger.state, 1))) == 1


def test_a_file_that_follows_goes_on(ledger: Import) -> None:
    ledger.run(rows(1, 2, 3))
    plan = ledger.run(rows(4, 5, first=4))
    assert plan.meters[0].added == 2
    stream = stream_of(ledger.state, "m1")
    assert stream is not None and (stream.total, stream.readings) == (15_000, 5)


def test_a_file_that_overlaps_is_compared_from_where_it_begins(ledger: Import) -> None:
    ledger.run(rows(*["0.0006"] * 200))
    plan = ledger.run(rows(*["0.0006"] * 200, first=97))
    assert plan.meters[0].added == 96
    ledger.refuse("import.conflict", rows(*["0.0006"] * 96, 1, *["0.0006"] * 103, first=97))


def test_a_register_that_follows_goes_on_without_a_gap(ledger: Import) -> None:
    ledger.run(rows(10, 11, 13), REGISTER)
    plan = ledger.run(rows(16, 20, first=4), REGISTER)
    assert plan.packets == 1
    stream = stream_of(ledger.state, "m1")
    assert stream is not None and (stream.total, stream.readings) == (10_000, 4)
    # The same instant is in both files: nothing stands between them either.
    plan = ledger.run(rows(20, 21, first=5), REGISTER)
    assert (plan.packets, plan.meters[0].added) == (1, 1)
    ledger.refuse("import.conflict", rows(22, 23, first=6), REGISTER)
    # After a gap the difference is caught up.
    plan = ledger.run(rows(30, 31, first=9), REGISTER)
    stream = stream_of(ledger.state, "m1")
    assert stream is not None and (stream.total, stream.readings) == (21_000, 6)


def test_a_register_that_rolls_over_between_files(ledger: Import) -> None:
    mapping = REGISTER + "modulus = 100\n"
    ledger.run(rows(97, 98), mapping)
    ledger.run(rows(1, 2, first=3), mapping)
    stream = stream_of(ledger.state, "m1")
    assert stream is not None and (stream.total, stream.register) == (5000, 2000)
    assert ledger.run(rows(97, 98, 1, 2), mapping).packets == 0


def test_a_single_value_of_a_register_is_reported_alone(ledger: Import) -> None:
    plan = ledger.run(rows(5, 6, "", 9), REGISTER)
    stream = stream_of(ledger.state, "m1")
    assert stream is not None and (stream.total, stream.readings) == (4000, 1)
    assert (plan.packets, plan.meters[0].total) == (2, 4000)
    assert ledger.run(rows(5, 6, "", 9), REGISTER).packets == 0
    assert ledger.run(rows(5, 6, "", 9, 11), REGISTER).meters[0].added == 1


def test_interpolated_readings_are_flagged(ledger: Import) -> None:
    text = rows(1, 2, 3, column="kWh,interpolated_values").replace(",2", ",2,kWh")
    plan = ledger.run(text.replace(",1\n", ",1,\n").replace(",3\n", ",3,\n"))
    assert plan.meters[0].flagged == 1


@pytest.mark.parametrize(
    "changed", [rows(1, 5, 3), rows(1, "", 3), rows(1, 2, 3.001), rows(1, 2, 3.001, 4)]
)
def test_what_the_ledger_has_differently_is_a_conflict(ledger: Import, changed: str) -> None:
    ledger.run(rows(1, 2, 3))
    ledger.refuse("import.conflict", changed)


def test_a_register_that_the_ledger_has_differently(ledger: Import) -> None:
    ledger.run(rows(1, 2, 3), REGISTER)
    ledger.refuse("import.conflict", rows(1, 2, 3.5, 4), REGISTER)


def test_readings_cannot_be_put_before_or_between(ledger: Import) -> None:
    ledger.run(rows(1, "", 3, first=10))
    ledger.refuse("import.too_early", rows(1, 1, first=9))
    ledger.refuse("import.conflict", rows(1, 2, 3, first=10))
    ledger.refuse("import.kind", rows(1, first=20), REGISTER)


def test_the_middle_of_a_reading_cannot_be_cut(ledger: Import) -> None:
    ledger.run(rows(1, 2, 3))
    half = small(interval_s="1800", stamp='"start"')
    text = "time,kWh\n2023-05-01T00:00,3\n2023-05-01T00:30,9\n"
    ledger.refuse("import.ledger_grid", text, half)
    replaced_s = NOW_S - NOW_S % 900 + 60
    last = datetime.fromtimestamp(replaced_s - 60, UTC) + timedelta(hours=8)
    body = ReplaceMeter(
        device="m1", at_s=replaced_s, old_closing=6000, new_opening=6000, new_modulus=0
    )
    ledger.meters.ledger.submit(body, key_of("importer"))
    later = rows(1, 2, 3) + f"{last:%Y-%m-%dT%H:%M},1\n{last + timedelta(minutes=15):%FT%H:%M},1\n"
    refused("import.ledger_grid", lambda: ledger.plan(later, now_s=NOW_S + 1800))


@pytest.mark.parametrize(
    ("mapping", "field"),
    [
        (small(quantity='"electricity.export"'), "quantity"),
        (small(timezone='"Asia/Seoul"'), "zone"),
        (REGISTER + "modulus = 9\n", "modulus"),
        (small() + 'region = "CN-SH"\n', "region"),
    ],
)
def test_a_meter_stays_what_it_is(ledger: Import, mapping: str, field: str) -> None:
    ledger.run(rows(1), FULL)
    ledger.refuse("import.meter_differs", rows(1), mapping)
    with pytest.raises(WattProofError) as caught:
        ledger.plan(rows(1), mapping)
    assert caught.value.params["field"] == field


def test_the_meter_of_somebody_else(ledger: Import) -> None:
    ledger.meters.add("m1", owner="stranger")
    ledger.refuse("import.meter_differs", rows(1))


def test_a_meter_with_a_key_that_is_not_here(ledger: Import) -> None:
    ledger.meters.add("m1")
    ledger.refuse("import.meter_differs", rows(1))


def test_a_region_can_be_added_later(ledger: Import) -> None:
    ledger.run(rows(1))
    assert device(ledger).region == ""
    ledger.run(rows(1), FULL)
    assert device(ledger).region == "CN-ZJ"


def test_a_factor_can_be_changed_from_the_next_reading_on(ledger: Import) -> None:
    ledger.run(rows(1, 2), FULL)
    ledger.meters.publish(statement("grid-2", value_ug=1))
    other = FULL.replace('"grid"', '"grid-2"')
    assert ledger.run(rows(1, 2), other).transactions == 0
    ledger.run(rows(1, 2, "", 3), other)
    first, second = assignments_of(ledger.state, 1)
    assert first.to_s == second.from_s
    assert second.factor == "grid-2"
    assert second.from_s - first.from_s == 1800


def test_factors_that_do_not_fit_are_found_before_anything_is_sent(ledger: Import) -> None:
    ledger.refuse("emissions.factor_unknown", rows(1), small() + 'factor = "none"\n')
    ledger.refuse("emissions.mismatch", rows(1), small() + 'factor = "coal"\n')
    co2 = small(quantity='"co2"', unit='"kg"')
    ledger.meters.publish(statement("unity", quantity="co2", value_ug=10**6))
    ledger.refuse("emissions.co2_already", rows(1), co2 + 'factor = "grid"\n')
    ledger.run(rows(1), co2 + 'factor = "unity"\n')
    assert ledger.meters.ledger.one(EMISSION_STREAMS, 1).total_g == 1000


def test_readings_from_the_future(ledger: Import) -> None:
    refused("import.future", lambda: ledger.plan(rows(1), now_s=1_600_000_000))


def test_a_plan_may_lie_ahead_where_it_says_that_it_is_one(ledger: Import) -> None:
    """Planned values come in as any others; the quantity says that nobody measured them."""
    before_s = int(datetime(2023, 4, 20, tzinfo=UTC).timestamp())
    ledger.meters.ledger.time_ms = before_s * 1000
    planned = small(quantity='"electricity.predicted"')
    plan = ledger.plan(rows(1, 2, 3), planned, now_s=before_s)
    run_import(plan, Engine(ledger.meters))
    assert stream_of(ledger.state, "m1").total == 6000  # type: ignore[union-attr]
    refused("import.future", lambda: ledger.plan(rows(1, 2, 3), now_s=before_s))
    too_far_s = before_s - 400 * 86_400
    refused("import.future", lambda: ledger.plan(rows(1), planned, now_s=too_far_s))


def test_who_may_import(ledger: Import) -> None:
    for party, key in (("nobody", "importer"), ("importer", "stranger"), ("stranger", "stranger")):
        refused(
            "import.importer",
            lambda p=party, k=key: ledger.plan(rows(1), party=p, key=k),  # type: ignore[misc]
        )
    take = RevokeRole(party="importer", role="consumer")
    ledger.meters.ledger.submit(take, key_of("registrar"))
    ledger.refuse("import.importer", rows(1))


def test_a_suspended_importer_or_meter(ledger: Import) -> None:
    ledger.run(rows(1))
    registrar = key_of("registrar")
    ledger.meters.ledger.submit(SuspendDevice(device="m1"), registrar)
    ledger.refuse("identity.device.suspended", rows(1, 2))
    ledger.meters.ledger.submit(SuspendParty(party="importer"), registrar)
    ledger.refuse("import.importer", rows(1, 2))


def test_a_refusal_stops_the_import_and_names_the_meter(ledger: Import) -> None:
    plan = ledger.plan(rows(1, 2))
    ledger.meters.ledger.submit(SuspendParty(party="importer"), key_of("registrar"))
    refused("import.refused", lambda: run_import(plan, Engine(ledger.meters)))
    with pytest.raises(WattProofError) as caught:
        run_import(plan, Engine(ledger.meters))
    assert caught.value.params["meter"] == "m1"
    assert str(caught.value.params["code"]) in caught.value.text("zh")


def test_batches_and_progress(ledger: Import) -> None:
    values: list[object] = [1, ""] * (BATCH + 10)
    engine, told = Engine(ledger.meters), list[tuple[int, int]]()
    plan = ledger.plan(rows(*values))
    run_import(plan, engine, progress=lambda done, total: told.append((done, total)))
    assert engine.batches == [BATCH, plan.transactions - BATCH]
    assert told == [(BATCH, plan.transactions), (plan.transactions, plan.transactions)]


def test_several_meters_of_one_file(ledger: Import) -> None:
    second = (
        SMALL[SMALL.index("[[series]]") :].replace('"m1"', '"m2"').replace('"kWh"\nq', '"b"\nq')
    )
    plan = ledger.run("time,kWh,b\n2023-05-01T00:15,1,2\n2023-05-01T00:30,,3\n", SMALL + second)
    assert [(one.meter, one.total) for one in plan.meters] == [("m1", 1000), ("m2", 5000)]
    assert [one.number for one in ledger.state.scan(DEVICES)] == [1, 2]
