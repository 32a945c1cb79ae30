"""Reports over shipments in memory: sums hold however they are cut, and have their limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.refusals import refused

from wattproof.core.actor import Actor
from wattproof.core.periods import Step
from wattproof.emissions.logistics import api, import_pages, report
from wattproof.emissions.logistics.mapping import read_shipment_map
from wattproof.emissions.logistics.model import SHIPMENTS, Shipment
from wattproof.emissions.logistics.plan import ShipmentPlan, read_files
from wattproof.emissions.logistics.report import (
    GROUPINGS,
    By,
    Period,
    check_by,
    shipment_report,
)
from wattproof.emissions.logistics.uploads import MAX_UPLOADS, Uploads
from wattproof.ledger.state import Collection, Key

DAY_S = 1_700_000_000


def one(number: int, **fields: Any) -> Shipment:
    first: dict[str, Any] = {
        "shipper": "owner", "shipment": f"s-{number:04}", "entry": number, "at_s": DAY_S,
        "method": "tonne-km", "emission_g": 10, "distance_m": 5, "distance_from": "given",
        "set": "defra-2025", "scope": "ttw", "mode": "road", "rate_ug": 1,
    }  # fmt: skip
    return Shipment(**{**first, **fields})


class Held:
    """These shipments, read a page at a time."""

    def __init__(self, shipments: list[Shipment]) -> None:
        self._rows = {SHIPMENTS.key_of(shipment): shipment for shipment in shipments}

    def page(
        self,
        collection: Collection[Any],
        index: str | None = None,
        values: Key = (),
        *,
        after: Key | None,
        limit: int,
    ) -> list[Any]:
        assert collection is SHIPMENTS and index is None
        keys = [key for key in sorted(self._rows) if key[: len(values)] == values]
        return [self._rows[key] for key in keys if after is None or key > after][:limit]


SHIPMENT = st.builds(
    one,
    st.integers(0, 40),
    shipper=st.sampled_from(["owner", "other"]),
    at_s=st.integers(DAY_S - 10**8, DAY_S),
    emission_g=st.integers(0, 10**9),
    set=st.sampled_from(["defra-2025", "own"]),
    scope=st.sampled_from(["ttw", "wtw"]),
    customer=st.sampled_from(["", "c-1", "c-2"]),
    method=st.sampled_from(["tonne-km", "vehicle-km"]),
)


@given(
    st.lists(SHIPMENT, max_size=20),
    st.sampled_from(GROUPINGS),
    st.sampled_from(["hour", "day", "month", "year"]),
    st.sampled_from(["Asia/Shanghai", "America/St_Johns"]),
)
def test_every_shipment_is_in_one_row_and_sets_are_never_mixed(
    shipments: list[Shipment], by: By, step: Step, zone: str
) -> None:
    held = {SHIPMENTS.key_of(shipment): shipment for shipment in shipments}
    rows = shipment_report(Held(shipments), by=by, period=Period(zone=zone, step=step))
    assert sum(row.shipments for row in rows) == len(held)
    for basis in {(row.set, row.scope, row.shipper) for row in rows}:
        expected = sum(
            shipment.emission_g
            for shipment in held.values()
            if (shipment.set, shipment.scope, shipment.shipper) == basis
        )
        assert expected == sum(
            row.emission_g for row in rows if (row.set, row.scope, row.shipper) == basis
        )
    assert [row.key for row in rows] == sorted(row.key for row in rows)


def test_a_period_holds_its_start_and_not_its_end() -> None:
    shipments = [one(number, at_s=DAY_S + number) for number in range(4)]
    period = Period(zone="UTC", start_s=DAY_S + 1, end_s=DAY_S + 3)
    (row,) = shipment_report(Held(shipments), by="method", period=period)
    assert (row.key, row.shipments) == ("tonne-km", 2)


def test_of_one_shipper() -> None:
    shipments = [one(1), one(2, shipper="other")]
    period = Period(zone="UTC")
    rows = shipment_report(Held(shipments), by="shipment", period=period, shipper="other")
    assert [(row.key, row.shipper) for row in rows] == [("s-0002", "other")]


def test_what_is_too_much_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    shipments = [one(number) for number in range(9)]
    monkeypatch.setattr(report, "AT_ONCE", 2)
    monkeypatch.setattr(report, "MAX_SHIPMENTS", 9)
    period = Period(zone="UTC")
    (row,) = shipment_report(Held(shipments), by="mode", period=period)
    assert row.shipments == 9
    monkeypatch.setattr(report, "MAX_SHIPMENTS", 8)

    def whole() -> object:
        return shipment_report(Held(shipments), by="mode", period=period)

    refused("shipments.report_size", whole)


def test_groupings() -> None:
    assert check_by("mode") == "mode"
    refused("shipments.report_by", lambda: check_by("colour"))


def test_uploads_are_kept_for_their_own_login_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "no,at,km\na,2023-11-01T08:00Z,\n"
    mapping = read_shipment_map(
        '[columns]\nshipment = "no"\narrival = "at"\ndistance = "km"\n'
        '[method]\nmethod = "vehicle-km"\nfactor = "f@1"\n'
    )
    records = read_files(mapping, records=("a.csv", text.encode()), tracking=None)
    plan = ShipmentPlan(
        file="a.csv", rows=records.rows, bodies=(), already=0, sums=(), left=records.left
    )
    uploads = Uploads()
    first = uploads.add(login="a", party="p", plan=plan, unconfirmed=())
    assert uploads.find("a", first.id) is first
    uploads.finish(first, done=3)
    assert uploads.find("a", first.id).done == 3
    gone: list[Callable[[], object]] = [
        lambda: uploads.find("b", first.id),
        lambda: uploads.find("a", "0"),
    ]
    for call in gone:
        refused("shipments.upload_gone", call)
    for _ in range(MAX_UPLOADS):
        last = uploads.add(login="a", party="p", plan=plan, unconfirmed=())
    refused("shipments.upload_gone", lambda: uploads.find("a", first.id))
    monkeypatch.setattr("time.time", lambda: last.made_s + 3601)
    refused("shipments.upload_gone", lambda: uploads.find("a", last.id))


def test_limits_of_the_pages_are_below_those_of_the_command() -> None:
    assert import_pages.MAX_SHIPMENTS < report.MAX_SHIPMENTS
    assert api.MAX_ROWS < report.MAX_SHIPMENTS
    assert api.where_to_look(Actor(kind="party", id="me", roles=()), shipper="", customer="") == (
        None,
        ("me",),
    )
