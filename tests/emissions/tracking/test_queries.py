"""How nodes are, and what is asked of a host's wiring."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.refusals import refused
from tests.support.tracked import DAYS, FIRST_S, HOST

from wattproof.emissions.tracking.queries import (
    NodeHealth,
    binding_of,
    filed_report,
    interrupts_of,
    measured_quantity,
    node_health,
    nodes_of_host,
)
from wattproof.engines.folder import LedgerFolder
from wattproof.ledger.store import Store
from wattproof.node import machine

END_S = FIRST_S + DAYS * 86_400


@pytest.fixture(scope="module")
def store(tracked_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("tracked") / "ledger"
    shutil.copytree(tracked_ledger, path)
    with closing(LedgerFolder(path, machine()).read()) as store:
        yield store


@pytest.fixture(scope="module")
def nodes(store: Store) -> dict[str, NodeHealth]:
    found = nodes_of_host(store, HOST)
    return {
        device.id: node_health(store, device, ports, now_s=END_S + 60) for device, ports in found
    }


def test_a_node_that_is_well(nodes: dict[str, NodeHealth]) -> None:
    total = nodes["works-total"]
    assert (total.ports, total.status, total.own, total.unit) == ((10,), "active", True, "Wh")
    assert (total.end_s, total.age_s, total.wrong, total.wrong_entry) == (END_S, 60, 0, None)
    assert total.packets > 0 and total.last_entry is not None
    assert total.emission_g > 0 and total.value_ug


def test_a_node_whose_arithmetic_does_not_hold(nodes: dict[str, NodeHealth]) -> None:
    wrong = nodes["finishing"]
    assert wrong.wrong == 2
    assert wrong.wrong_entry is not None and wrong.last_entry is not None
    assert wrong.wrong_entry <= wrong.last_entry


def test_a_node_that_never_reported(nodes: dict[str, NodeHealth]) -> None:
    spare = nodes["spare"]
    assert (spare.packets, spare.last_entry, spare.end_s, spare.age_s) == (0, None, None, None)
    assert (spare.emission_g, spare.wrong) == (0, 0)


def test_what_is_asked_of_the_wiring(store: Store) -> None:
    bound = binding_of(store, HOST, 2)
    assert measured_quantity(store, bound) == "electricity.import"
    assert len(list(interrupts_of(store, HOST))) == len(list(interrupts_of(store, None))) == 4
    assert list(interrupts_of(store, "offices")) == []
    for group in (0, 9, 10**30):
        refused("emissions.binding_unknown", lambda group=group: binding_of(store, HOST, group))  # type: ignore[misc]
    for number in (-1, 5, 10**30):
        refused("emissions.report_unknown", lambda number=number: filed_report(store, HOST, number))  # type: ignore[misc]
