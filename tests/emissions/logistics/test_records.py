"""Files of shipments: what is taken, what is left and why; the real file and small bad ones."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.emissions.logistics.files import (
    DISTANCES,
    POINTS,
    SCMS,
    SCMS_MAP,
    SMALL,
    SMALL_MAP,
    TRACKED_MAP,
)
from tests.emissions.logistics.shippers import shippers, statements
from tests.support.memory_ledger import MemoryLedger, key_of
from tests.support.real_data import data_file
from tests.support.refusals import refused

from wattproof.core.errors import Refused
from wattproof.emissions.logistics.mapping import read_shipment_map
from wattproof.emissions.logistics.model import SHIPMENTS
from wattproof.emissions.logistics.plan import (
    ShipmentPlan,
    ShipmentSummary,
    plan_shipments,
    read_files,
)
from wattproof.emissions.logistics.queries import shipped
from wattproof.emissions.logistics.records import Records
from wattproof.emissions.model import PublishFactors
from wattproof.ledger.transaction import encode_payload

NOW_S = 1_800_000_000
AIR, OCEAN = "glec-air-freighter-fleet-tkm-wtw", "glec-container-ship-tkm-wtw"


def read(text: str, mapping: str, points: str = "") -> Records:
    tracking = ("points.csv", points.encode()) if points else None
    return read_files(
        read_shipment_map(mapping), records=("out.csv", text.encode()), tracking=tracking
    )


def reasons(records: Records) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.column, one.value, one.code) for one in records.left]


def planned(ledger: MemoryLedger, records: Records, mapping: str) -> ShipmentPlan:
    return plan_shipments(
        ledger.state, records, read_shipment_map(mapping), shipper="owner", now_s=NOW_S
    )


def test_what_cannot_be_read_is_listed_with_its_line_and_value() -> None:
    records = read(SMALL, SMALL_MAP)
    assert records.rows == 8
    assert [taken.line for taken in records.taken] == [2, 9]
    assert reasons(records) == [
        (3, "kg", "heavy", "core.number"),
        (4, "km", "", "emissions.shipment.no_distance"),
        (5, "left", "2 November", "import.stamp"),
        (6, "no", "a-1", "shipments.twice_in_file"),
        (7, "kg", "-1", "shipments.negative"),
        (7, "customer", "jane@example.org", "emissions.shipment.customer"),
        (7, "km", "many", "core.number"),
        (8, "no", "a-6", "import.row_length"),
    ]
    (whole, _) = records.taken
    assert (whole.body.weight_g, whole.body.distance_m) == (5_000_000, 300_000)


def test_the_ledger_is_asked_beforehand_and_the_same_file_adds_nothing() -> None:
    ledger = shippers()
    records = read(SMALL, SMALL_MAP)
    plan = planned(ledger, records, SMALL_MAP)
    assert [body.shipment for body in plan.bodies] == ["a-1"]
    (total,) = plan.sums
    assert (total.shipments, total.emission_g) == (1, 115_545)
    late = plan.left[-1]
    assert (late.line, late.code, late.value) == (
        9, "emissions.shipment.times", "2023-12-03T07:00+08:00",
    )  # fmt: skip
    for body in plan.bodies:
        ledger.submit(body, key_of("owner"))
    again = planned(ledger, records, SMALL_MAP)
    assert (again.bodies, again.already) == ((), 1)
    other = planned(ledger, read(SMALL.replace("5000,300", "5000,301"), SMALL_MAP), SMALL_MAP)
    assert (other.already, other.bodies) == (0, ())
    assert other.left[0].code == "shipments.differs"


def test_a_distance_along_tracking_points() -> None:
    ledger = shippers()
    records = read(SMALL, TRACKED_MAP, POINTS)
    body = records.taken[0].body
    assert (body.distance_from, len(body.points)) == ("geodesic", 32)
    assert body.distance_m == 556_675
    plan = planned(ledger, records, TRACKED_MAP)
    assert plan.sums[0].emission_g == 556_675 * 5_000_000 * 77_030 // 10**12
    assert records.taken[1].body.distance_from == "given", "it has no points of its own"


@pytest.mark.parametrize(
    ("points", "line", "code"),
    [
        (POINTS.replace("32.0603", "132.0603"), 3, "shipments.point_range"),
        (POINTS.replace("T11:00", "T07:00"), 3, "shipments.point_backwards"),
        (POINTS.replace("T11:00", "T08:01"), 3, "shipments.point_speed"),
        (POINTS.replace("118.7969", "east"), 3, "core.number"),
        (POINTS.replace("2023-11-01T11:00+08:00", "noon"), 3, "import.stamp"),
        (POINTS.replace(",118.7969", ""), 3, "import.row_length"),
    ],
)
def test_a_bad_point_is_named_and_its_shipment_left(points: str, line: int, code: str) -> None:
    records = read(SMALL, TRACKED_MAP, points)
    (bad,) = [one for one in records.left if one.file == "points.csv"]
    assert (bad.line, bad.shipment, bad.code) == (line, "a-1", code)
    assert [taken.body.shipment for taken in records.taken] == ["a-7"]
    left, *_ = [one for one in records.left if one.code == "shipments.bad_track"]
    assert left.line == 2 and f"line {line}" in left.en


def test_one_point_is_no_way() -> None:
    records = read(SMALL, TRACKED_MAP, "\n".join(POINTS.splitlines()[:2]))
    assert records.left[0].code == "shipments.point_count"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "import.empty"),
        (SMALL.splitlines()[0], "import.empty"),
        (SMALL.replace("kg", "lb"), "import.missing_column"),
        (SMALL.replace("no,left", "km,left"), "import.missing_column"),
        (SMALL.replace("no,left", "no,kg"), "import.missing_column"),
        (SMALL.replace("no,left,", "no,left,kg,"), "import.duplicate_column"),
    ],
)
def test_files_that_cannot_be_read_at_all(text: str, code: str) -> None:
    with pytest.raises(Exception) as caught:
        read(text, SMALL_MAP)
    assert getattr(caught.value, "code", "") == code


def test_bytes_that_are_no_text_and_quotes_that_do_not_close() -> None:
    mapping = read_shipment_map(SMALL_MAP)
    data = SMALL.encode().replace(b"heavy", b"\xff\xfe")
    records = read_files(mapping, records=("out.csv", data), tracking=None)
    assert records.left[0].code == "import.encoding"
    records = read(SMALL + 'a-9,"2023', SMALL_MAP)
    assert records.left[-1].code == "import.csv"


def test_tracking_needs_its_table_and_the_table_its_file() -> None:
    refused("shipments.no_tracking", lambda: read(SMALL, SMALL_MAP, POINTS))
    refused("shipments.no_tracking", lambda: read(SMALL, TRACKED_MAP))


def test_times_before_1970_are_none() -> None:
    records = read(SMALL.replace("2023-11-01T08:00", "1969-11-01T08:00"), SMALL_MAP)
    assert records.left[0].code == "shipments.too_early"


@pytest.mark.parametrize("value", ["1.5", "1e30"])
def test_units_are_whole(value: str) -> None:
    mapping = SMALL_MAP.replace('weight = "kg"', 'units = "kg"')
    records = read(SMALL.replace("5000,300,c-1", f"{value},300,c-1", 1), mapping)
    assert records.left[0].code in ("shipments.not_whole", "shipments.too_large")


WORDS = st.sampled_from(
    ["a-1", "5000", "-1", "1e-999999999", "1e999999999", "nan", "2023-11-01T08:00Z", "x" * 70,
     "9999-12-31T23:59Z", "0001-01-01", "", '"', "\x00", "\r", "\udcff", "１", "31.2", "180"]
)  # fmt: skip


@given(st.lists(st.lists(WORDS, max_size=8), max_size=6), st.booleans())
def test_whatever_stands_in_a_file_is_taken_or_left(rows: list[list[str]], tracking: bool) -> None:
    """No cell makes anything else happen than a shipment or a reason with its line."""
    mapping = read_shipment_map(TRACKED_MAP if tracking else SMALL_MAP)
    text = "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogateescape")
    records, points = (
        f"{head}\n".encode() + text for head in (SMALL.splitlines()[0], POINTS.splitlines()[0])
    )
    try:
        found = read_files(
            mapping,
            records=("out.csv", records),
            tracking=("points.csv", points) if tracking else None,
        )
    except Refused as refusal:
        assert refusal.code == "import.empty"
        return
    lines = {taken.line for taken in found.taken} | {
        left.line for left in found.left if left.file == "out.csv"
    }
    assert len(lines) == found.rows
    for taken in found.taken:
        encode_payload(taken.body, nonce=bytes(16))


@given(st.binary(max_size=300))
def test_any_bytes_at_all(data: bytes) -> None:
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        form = f'[file]\nencoding = "{encoding}"\n'
        with pytest.raises(Refused):
            read_files(read_shipment_map(SMALL_MAP + form), records=("x", data), tracking=None)


def test_a_header_that_never_ends() -> None:
    refused("import.csv", lambda: read('"' + "x" * 200_000, SMALL_MAP))


# --- the real file -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> bytes:
    return data_file(SCMS).read_bytes()


def test_real_shipments_have_no_distance_and_so_none_is_taken(real: bytes) -> None:
    mapping = SCMS_MAP.replace('place = "Country"\n', "")
    records = read_files(read_shipment_map(mapping), records=(SCMS, real), tracking=None)
    assert (records.rows, records.taken) == (5162, ())
    found = Counter(one.code for one in records.left)
    assert found == {
        "emissions.shipment.no_distance": 5162,
        "core.number": 1951,
        "shipments.not_in_mapping": 360,
    }


def test_real_shipments_with_a_table_of_distances(real: bytes) -> None:
    text = SCMS_MAP + DISTANCES
    records = read_files(read_shipment_map(text), records=(SCMS, real), tracking=None)
    weights = [one for one in records.left if one.column == "Weight (Kilograms)"]
    assert len(weights) == 1951, "those that are words, each with its line and its words"
    assert sum(one.value == "Weight Captured Separately" for one in weights) == 1090
    assert sum(one.value.startswith("See ") for one in weights) == 861
    assert all(one.value in one.en and one.value in one.zh for one in weights)
    first = weights[0]
    assert real.decode().splitlines()[first.line - 1].partition(",")[0] == first.shipment
    assert sum(one.value == "N/A" for one in records.left if one.column == "Shipment Mode") == 360

    ledger = shippers()
    published = statements(AIR, OCEAN)
    ledger.submit(PublishFactors(factors=published), key_of("publisher"))
    plan = planned(ledger, records, text)
    refusals = Counter(one.code for one in plan.left)
    nothing = [one for one in plan.left if one.code == "emissions.shipment.no_weight"]
    assert all(one.value == "0" for one in nothing)
    summary = ShipmentSummary.of(plan, added=0)
    assert summary.left_rows == 5162 - len(plan.bodies)
    assert set(refusals) == {
        "core.number", "shipments.not_in_mapping", "emissions.shipment.no_weight",
    }  # fmt: skip
    assert len(plan.bodies) == len(records.taken) - len(nothing) > 800
    for body in plan.bodies[:300]:
        ledger.submit(body, key_of("owner"))
    taken = list(ledger.state.scan(SHIPMENTS, "owner"))
    assert len(taken) == 300
    assert all(len(one.customer) == 64 for one in taken), "countries are salted hashes here"
    by_scope = {(row.set, row.scope): row for row in shipped(ledger.state, "owner")}
    for basis, row in by_scope.items():
        exact = sum(
            one.rate_ug * one.weight_g * one.distance_m
            for one in taken
            if (one.set, one.scope) == basis
        )
        assert row.emission_g == exact // 10**12
        assert row.emission_g == sum(
            one.emission_g for one in taken if (one.set, one.scope) == basis
        )


def test_real_dates_that_are_words(real: bytes) -> None:
    text = (SCMS_MAP + DISTANCES).replace(
        "arrival = ", 'departure = "PO Sent to Vendor Date"\narrival = '
    ).replace('"%d-%b-%y"', '"%m/%d/%y"')  # fmt: skip
    records = read_files(read_shipment_map(text), records=(SCMS, real), tracking=None)
    words = Counter(
        one.value
        for one in records.left
        if one.column == "PO Sent to Vendor Date" and not one.value[0].isdigit()
    )
    assert words == {"N/A - From RDC": 1660, "Date Not Captured": 310}
