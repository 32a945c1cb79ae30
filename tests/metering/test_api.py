from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.meters import QUARTER_S
from tests.support.served_rooms import DAY_S, Region, serving_region


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with serving_region(tmp_path_factory.mktemp("ledger")) as region:
        yield region


def test_a_stream(region: Region) -> None:
    stream = region.json("meters/m0/stream")
    assert stream["number"] == 1
    assert (stream["start_s"], stream["end_s"]) == (DAY_S, DAY_S + 3 * 96 * QUARTER_S)
    assert (stream["packets"], stream["readings"]) == (3, 284)
    assert stream["total"] == stream["register"] == 56_400
    assert stream["next_sequence"] == 4
    assert stream["replaced"] is False


def test_packets_with_their_flags(region: Region) -> None:
    page = region.json("meters/m0/packets", limit=2)
    packets = page["items"] + region.json("meters/m0/packets", cursor=page["next"])["items"]
    assert [packet["row"]["sequence"] for packet in packets] == [1, 2, 3]
    assert [packet["accepted"]["outcomes"] for packet in packets] == [
        ["first"],
        ["continuous"],
        ["gap"],
    ]
    assert [packet["accepted"]["flagged"] for packet in packets] == [0, 0, 3]
    assert packets[2]["accepted"]["gap_s"] == 4 * QUARTER_S
    assert packets[1]["row"]["closing"] == 28_800
    for packet in packets:
        (entry,) = region.json("entries", **{"from": packet["row"]["entry"], "limit": 1})["entries"]
        assert entry["type"] == "metering.packet"
        fields = region.json(f"transactions/{entry['id']}")["fields"]
        assert sum(fields["increments"]) == packet["accepted"]["amount"]


def test_meters_that_have_not_reported_or_do_not_exist(region: Region) -> None:
    assert region.refused("meters/m1/stream") == (404, "metering.not_reported")
    assert region.json("meters/m1/packets") == {"items": [], "next": None}
    for path in ("stream", "packets"):
        assert region.refused(f"meters/none/{path}") == (404, "identity.device.unknown")
