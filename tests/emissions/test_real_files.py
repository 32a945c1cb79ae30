"""The real files through the real engine: exact totals, exact grams, and a second run that adds
nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.maps import OPSD, STEEL
from tests.support.real_data import data_file

from wattproof.cli.host import Opening
from wattproof.core.periods import parse_time
from wattproof.emissions.intake import Importer, ImportPlan, plan_import, run_import
from wattproof.emissions.queries import emission_stream
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.keys.store import KeyStore
from wattproof.metering.csvfile import read_csv
from wattproof.metering.mapping import read_map
from wattproof.metering.model import Stream
from wattproof.metering.queries import packets_of, stream_of
from wattproof.node import IMPORTER, create_ledger, machine

UG_PER_WH = 536_600
"""cn-grid-2022-national: 0.5366 kg/kWh."""


class Imported:
    """An open ledger, and what was imported into it."""

    def __init__(self, writer: Writer, keys: KeyStore) -> None:
        self.writer = writer
        self.keys = keys

    def run(self, name: str, mapping: str) -> ImportPlan:
        importer = Importer(
            party=IMPORTER, key=self.keys.get(IMPORTER), ledger_id=self.writer.ledger_id
        )
        plan = plan_import(
            self.writer.store,
            read_csv(data_file(name), read_map(mapping)),
            keys=self.keys,
            importer=importer,
            now_s=int(time.time()),
        )
        run_import(plan, self.writer.engine)
        return plan

    def stream(self, meter: str) -> Stream:
        found = stream_of(self.writer.store, meter)
        assert found is not None
        return found


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Imported]:
    monkeypatch.delenv("WATTPROOF_PASSPHRASE", raising=False)
    folder = LedgerFolder(tmp_path / "ledger", machine())
    create_ledger(folder, Opening(name="Test", organisation="Test", uscc="", zone="Asia/Shanghai"))
    with folder.write(workers=0) as writer, folder.keys() as keys:
        yield Imported(writer, keys)


def test_the_steel_plant(imported: Imported) -> None:
    name = "steel_industry_kr_2018_15min.csv"
    plan = imported.run(name, STEEL)
    assert [(one.meter, one.total, one.unit, one.readings) for one in plan.meters] == [
        ("steel-main", 959_636_710, "Wh", 35_040),
        ("steel-co2", 403_810_000, "g", 35_040),
    ]
    assert plan.packets == 2 * 365
    assert plan.meters[0].first == "2018-01-01T00:00:00+09:00"
    assert plan.meters[0].last == "2019-01-01T00:00:00+09:00"
    store = imported.writer.store
    power, co2 = (imported.stream(one.meter) for one in plan.meters)
    assert (power.total, co2.total) == (959_636_710, 403_810_000)
    bought, measured = emission_stream(store, power.number), emission_stream(store, co2.number)
    assert bought is not None and measured is not None
    exact_ug = 959_636_710 * UG_PER_WH
    assert (bought.total_g, bought.carry_ug) == divmod(exact_ug, 10**6)
    assert (measured.total_g, measured.carry_ug) == (403_810_000, 0)
    # A packet is a day of the plant's own calendar, the midnight row its last reading.
    rows = list(packets_of(store, power.number))
    assert rows[0].start_s == parse_time("2018-01-01", "Asia/Seoul")
    assert all(row.end_s - row.start_s == 86_400 for row in rows)
    assert all(before.end_s == after.start_s for before, after in pairwise(rows))
    again = imported.run(name, STEEL)
    assert (again.packets, again.transactions) == (0, 0)
    assert [one.added for one in again.meters] == [0, 0]


def test_the_house_in_konstanz(imported: Imported) -> None:
    name = "opsd_household_60min.csv"
    plan = imported.run(name, OPSD)
    totals = {"house-import": 6_321_316, "house-export": 9_563_098, "house-pv": 12_336_971}
    assert {one.meter: one.total for one in plan.meters} == totals
    assert [one.gaps for one in plan.meters] == [12, 12, 11]
    assert [one.flagged for one in plan.meters] == [2837, 2770, 38]
    assert plan.meters[0].gap_list[0].start == "2015-11-06T19:00:00+01:00"
    for one in plan.meters:
        stream = imported.stream(one.meter)
        assert (stream.total, stream.readings) == (one.total, one.readings)
        assert stream.kind == "register"
    assert imported.run(name, OPSD).transactions == 0
