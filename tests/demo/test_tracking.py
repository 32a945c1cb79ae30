"""The demonstration's plants: a made mill, and a real steel plant and house."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.real_data import data_file

from wattproof.cli.host import Opening
from wattproof.core.errors import Unavailable
from wattproof.core.periods import iso
from wattproof.demo.plant import FAULT_S, MILL, Plant, Recorded, made_mill
from wattproof.demo.real_plants import HOUSE, STEEL, STEEL_FAULT_S, house, steel
from wattproof.demo.story import OPERATOR, Story
from wattproof.demo.tracking import Tracking
from wattproof.emissions.tracking.model import NODES
from wattproof.engines.folder import LedgerFolder
from wattproof.node import create_ledger, machine

HOUR_S = 3600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> LedgerFolder:
    """A ledger with the story's parties, which vouch for the plants' meters."""
    folder = LedgerFolder(tmp_path_factory.mktemp("demo") / "ledger", machine())
    create_ledger(folder, Opening(name="demo", organisation="Demo", uscc="", zone="Asia/Shanghai"))
    Story(folder, lambda _en, _zh: None).live()
    return folder


def told(folder: LedgerFolder, plant: Plant, recorded: Recorded) -> dict[str, Any]:
    said: list[str] = []
    chapter = Tracking(folder, lambda en, zh: said.extend((en, zh)), plant, operator=OPERATOR)
    chapter.live(recorded)
    size = folder.read().size
    chapter.live(recorded)
    store = folder.read()
    assert store.size == size, "told again, it adds nothing"
    assert all(node.wrong == 0 for node in store.scan(NODES))
    store.close()
    facts = chapter.facts()
    assert len(said) % 2 == 0 and said
    return facts


def test_one_fault_raises_one_interrupt_in_its_hour(folder: LedgerFolder) -> None:
    facts = told(folder, MILL, made_mill())
    (interrupt,) = facts["interrupts"]
    assert interrupt["start"] == iso(FAULT_S, MILL.zone)
    assert interrupt["end"] == iso(FAULT_S + HOUR_S, MILL.zone)
    predicted, total = facts["bindings"]
    assert (predicted["kind"], total["kind"]) == ("predicted", "total")
    assert total["error"] == interrupt["left"] - interrupt["right"] > 10_000
    amounts = [sum(run.amounts) for run in made_mill().runs["mill-total"]]
    assert total["left"] == predicted["right"] == sum(amounts)
    assert facts["emission_g"] == sum(amounts) * 573_700 // 1_000_000


def test_the_real_steel_plant_by_its_loads(folder: LedgerFolder) -> None:
    recorded = steel(data_file("steel_industry_kr_2018_15min.csv").parent)
    facts = told(folder, STEEL, recorded)
    (interrupt,) = facts["interrupts"]
    assert interrupt["start"] == iso(STEEL_FAULT_S, STEEL.zone) == "2018-03-14T15:00:00+09:00"
    (total,) = facts["bindings"]
    assert total["left"] == 959_636_710
    assert total["error"] == interrupt["left"] - interrupt["right"] > 0


def test_the_real_house_and_what_nobody_accounts_for(folder: LedgerFolder) -> None:
    path = data_file("opsd_household_60min.csv")
    facts = told(folder, HOUSE, house(path.parent))
    assert facts["interrupts"] == []
    (total,) = facts["bindings"]
    gained: dict[str, Decimal] = {}
    with path.open() as file:
        for row in csv.DictReader(file):
            for column, text in row.items():
                if column.startswith("DE_KN_residential4_") and text:
                    gained.setdefault(column, -Decimal(text))
    # The registers never go back, so what each gained is its last value less its first.
    with path.open() as file:
        for column in gained:
            file.seek(0)
            shown = [row[column] for row in csv.DictReader(file) if row[column]]
            gained[column] += Decimal(shown[-1])
    names = {column.removeprefix("DE_KN_residential4_"): wh for column, wh in gained.items()}
    left = int((names.pop("grid_import") + names.pop("pv")) * 1000)
    right = int(sum(names.values()) * 1000)
    assert (total["left"], total["right"], total["error"]) == (left, right, left - right)


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        steel(tmp_path)
    assert caught.value.code == "demo.no_data"


def test_what_is_told_is_json(folder: LedgerFolder) -> None:
    facts = told(folder, MILL, made_mill())
    assert json.loads(json.dumps(facts)) == facts
