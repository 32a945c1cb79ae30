"""Products, vehicles and shipments: the worked cases, the carry, and every refusal."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.emissions.logistics.shippers import (
    NOW_S,
    TKM_TTW,
    TKM_WTW,
    VKM_TTW,
    VKM_WTW,
    product,
    record,
    shipment,
    shippers,
    vehicle,
)
from tests.support.declared import codes_in, events_in, fields_of_template
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.refusals import submit_refused

from wattproof.emissions.logistics import model, refusals
from wattproof.emissions.logistics.model import (
    PG_PER_G,
    PRODUCTS,
    SHIPPED,
    VEHICLES,
    DefineVehicle,
    RecordShipment,
    ShipmentRecorded,
)
from wattproof.emissions.logistics.queries import (
    latest_products,
    latest_vehicles,
    shipped,
)
from wattproof.emissions.logistics.queries import shipment as known_shipment


@pytest.fixture
def ledger() -> MemoryLedger:
    return shippers()


def test_five_tonnes_over_three_hundred_kilometres(ledger: MemoryLedger) -> None:
    found = record(ledger, shipment())
    assert found.emission_g == 115_545
    assert (found.set, found.scope, found.mode) == ("defra-2025", "ttw", "road")
    assert (found.factor, found.factor_version, found.rate_ug) == (TKM_TTW, 1, 77_030)
    wtw = record(ledger, shipment("s-2", factor=TKM_WTW))
    assert wtw.emission_g == 142_530  # 142.5 kg
    assert {row.scope: row.emission_g for row in shipped(ledger.state, "owner")} == {
        "ttw": 115_545,
        "wtw": 142_530,
    }


def test_a_whole_vehicle_over_three_hundred_kilometres(ledger: MemoryLedger) -> None:
    ledger.submit(vehicle(), key_of("owner"))
    body = shipment(method="vehicle-km", vehicle="lorry", vehicle_version=1, factor="", weight_g=0)
    found = record(ledger, body)
    assert found.emission_g == 280_263
    assert (found.factor, found.vehicle, found.mode) == (VKM_TTW, "lorry", "road")
    direct = shipment("s-2", method="vehicle-km", factor=VKM_TTW, weight_g=0)
    assert record(ledger, direct).emission_g == 280_263


def test_units_of_a_product_ride_on_top_of_the_vehicle(ledger: MemoryLedger) -> None:
    ledger.submit(product(), key_of("owner"))
    ledger.submit(vehicle(), key_of("owner"))
    body = shipment(
        method="product-vehicle", product="box", product_version=1, units=1000, vehicle="lorry",
        vehicle_version=1, factor=VKM_TTW, weight_g=0,
    )  # fmt: skip
    found = record(ledger, body)
    assert found.emission_g == (1000 * 12 + 934_210) * 300_000 // 10**6 == 283_863
    assert (found.product_ug, found.rate_ug) == (12, 934_210)


def test_a_vehicle_of_tonne_kilometres_and_a_value_of_ones_own(ledger: MemoryLedger) -> None:
    freight = vehicle(id="tkm", quantity="freight", factor=TKM_TTW)
    own = vehicle(
        id="barge", mode="inland", quantity="freight", factor="", factor_version=0,
        value_ug=22_000, scope="wtw", source="its log book",
    )  # fmt: skip
    for body in (freight, own):
        ledger.submit(body, key_of("owner"))
    by_road = shipment(vehicle="tkm", vehicle_version=1, factor="", factor_version=0)
    assert record(ledger, by_road).emission_g == 115_545
    by_barge = shipment("s-2", vehicle="barge", vehicle_version=1, factor="", factor_version=0)
    found = record(ledger, by_barge)
    assert found.emission_g == 33_000
    assert (found.set, found.scope, found.mode, found.factor) == ("own", "wtw", "inland", "")


def test_definitions_have_versions_and_a_shipment_keeps_to_its_own(ledger: MemoryLedger) -> None:
    for value in (12, 15):
        ledger.submit(product(value_ug=value), key_of("owner"))
    ledger.submit(vehicle(), key_of("owner"))
    ledger.submit(vehicle(factor=VKM_WTW), key_of("owner"))
    ledger.submit(product(value_ug=99), key_of("other"))
    assert latest_products(ledger.state, "owner")["box"].version == 2
    assert latest_vehicles(ledger.state, "owner")["lorry"].scope == "wtw"
    body = shipment(
        method="product-vehicle", product="box", product_version=1, units=1, vehicle="lorry",
        vehicle_version=1, factor="", distance_m=1_000_000,
    )  # fmt: skip
    assert record(ledger, body).product_ug == 12
    assert ledger.one(PRODUCTS, "owner", "box", 2).value_ug == 15
    assert ledger.one(VEHICLES, "owner", "lorry", 1).value_ug == 934_210


def test_the_event_names_method_and_factor(ledger: MemoryLedger) -> None:
    told = ledger.submit(shipment(), key_of("owner")).event(ShipmentRecorded)
    assert told == ShipmentRecorded(
        shipper="owner", shipment="s-1", method="tonne-km", distance_m=300_000,
        emission_g=115_545, set="defra-2025", scope="ttw", factor=f"{TKM_TTW}@1",
    )  # fmt: skip


def test_it_counts_from_its_departure_or_else_its_arrival(ledger: MemoryLedger) -> None:
    assert record(ledger, shipment()).at_s == NOW_S - 7200
    assert record(ledger, shipment("s-2", departure_s=0)).at_s == NOW_S
    assert record(ledger, shipment("s-3", arrival_s=0)).at_s == NOW_S - 7200


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**6), st.integers(1, 10**5), st.sampled_from([TKM_TTW, TKM_WTW])
        ),
        min_size=1, max_size=8,
    )
)  # fmt: skip
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_grams_add_up_to_the_exact_sum(rows: list[tuple[int, int, str]]) -> None:
    ledger = shippers()
    exact = {"ttw": 0, "wtw": 0}
    given_out = {"ttw": 0, "wtw": 0}
    for number, (weight_g, distance_m, factor) in enumerate(rows):
        body = shipment(f"s-{number}", weight_g=weight_g, distance_m=distance_m, factor=factor)
        found = record(ledger, body)
        assert type(found.emission_g) is int
        exact[found.scope] += weight_g * distance_m * found.rate_ug
        given_out[found.scope] += found.emission_g
    for row in shipped(ledger.state, "owner"):
        assert row.emission_g == given_out[row.scope] == exact[row.scope] // PG_PER_G
        assert row.carry_pg == exact[row.scope] % PG_PER_G
        assert Fraction(exact[row.scope], PG_PER_G) - row.emission_g < 1


UNLOADED = {"vehicle": "lorry", "vehicle_version": 1, "factor": "", "factor_version": 0}
WITH_BOX = {**UNLOADED, "method": "product-vehicle", "product": "box", "product_version": 1}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"weight_g": 0}, "emissions.shipment.no_weight"),
        ({"distance_m": 0}, "emissions.shipment.no_distance"),
        ({"factor": ""}, "emissions.shipment.no_factor"),
        ({"factor": "nothing"}, "emissions.no_factor"),
        ({"factor_version": 2}, "emissions.no_factor"),
        ({"factor": VKM_TTW}, "emissions.vehicle.mismatch"),
        ({"factor": "cn-grid-2023-national"}, "emissions.vehicle.mismatch"),
        ({"method": "vehicle-km"}, "emissions.vehicle.mismatch"),
        (UNLOADED, "emissions.vehicle.mismatch"),
        ({**UNLOADED, "vehicle_version": 9}, "emissions.vehicle.unknown"),
        ({**UNLOADED, "factor": TKM_TTW, "factor_version": 1}, "emissions.shipment.factor"),
        ({"product": "box", "product_version": 7}, "emissions.product.unknown"),
        ({**WITH_BOX, "product": ""}, "emissions.shipment.no_product"),
        ({**WITH_BOX, "units": 0}, "emissions.shipment.no_units"),
        ({**WITH_BOX, "product": "plain", "units": 1}, "emissions.shipment.no_product_factor"),
        ({**WITH_BOX, "product": "whole", "units": 1}, "emissions.shipment.scope"),
        ({"customer": "jane@example.org"}, "emissions.shipment.customer"),
        ({"customer": "Jane Doe"}, "core.id"),
        ({"shipment": "a b"}, "core.id"),
        ({"departure_s": 0, "arrival_s": 0}, "emissions.shipment.no_time"),
        ({"arrival_s": NOW_S - 7201}, "emissions.shipment.times"),
        ({"arrival_s": NOW_S + 301}, "emissions.shipment.future"),
        ({"distance_from": "geodesic"}, "emissions.shipment.no_points"),
        ({"points": b"short"}, "emissions.shipment.no_points"),
        ({"shipment": "s-0"}, "emissions.shipment.twice"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(ledger: MemoryLedger, fields: dict[str, Any], code: str) -> None:
    for body in (
        product(), product(id="plain", value_ug=None, scope=""), product(id="whole", scope="wtw"),
        vehicle(), shipment("s-0"),
    ):  # fmt: skip
        ledger.submit(body, key_of("owner"))
    first = {"id_": "s-1", **{("id_" if k == "shipment" else k): v for k, v in fields.items()}}
    submit_refused(ledger, code, shipment(**first), "owner")


def test_another_has_the_same_id_for_itself(ledger: MemoryLedger) -> None:
    record(ledger, shipment())
    assert record(ledger, shipment(), by="other").emission_g == 115_545
    with pytest.raises(Exception, match=r"emissions\.shipment\.unknown"):
        known_shipment(ledger.state, "other", "s-2")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (product(scope=""), "emissions.product.scope"),
        (product(value_ug=None), "emissions.product.scope"),
        (product(id="a box"), "core.id"),
        (vehicle(factor=""), "emissions.vehicle.factor"),
        (vehicle(factor="", factor_version=0, value_ug=5), "emissions.vehicle.factor"),
        (vehicle(value_ug=5), "emissions.vehicle.both_factors"),
        (vehicle(scope="ttw"), "emissions.vehicle.both_factors"),
        (vehicle(factor="nothing"), "emissions.no_factor"),
        (vehicle(quantity="freight"), "emissions.vehicle.mismatch"),
        (vehicle(factor="cn-grid-2023-national"), "emissions.vehicle.mismatch"),
    ],
)
def test_definitions_that_cannot_be(
    ledger: MemoryLedger, body: DefineVehicle | RecordShipment, code: str
) -> None:
    submit_refused(ledger, code, body, "owner")


def test_more_than_can_be_counted(ledger: MemoryLedger) -> None:
    heavy = vehicle(
        id="absurd", quantity="freight", factor="", factor_version=0, value_ug=10**15, scope="ttw"
    )
    ledger.submit(heavy, key_of("owner"))
    body = shipment(
        vehicle="absurd", vehicle_version=1, factor="", factor_version=0, weight_g=10**12,
        distance_m=10**9,
    )  # fmt: skip
    submit_refused(ledger, "emissions.shipment.limit", body, "owner")
    assert ledger.state.get(SHIPPED, "owner", "own", "ttw") is None


def test_everything_declared_is_tested_and_told() -> None:
    source = Path(__file__).read_text("utf-8")
    declared = codes_in(refusals)
    assert len(declared) == len(refusals.__all__)
    assert [code for code in declared if code not in source.replace("\\", "")] == []
    for kind in events_in(model):
        fields = set(kind.__struct_fields__)
        assert fields_of_template(kind.en) <= fields
        assert fields_of_template(kind.zh) == fields_of_template(kind.en)
