"""Tracking over HTTP, as its host and as others see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.site import Site, copied
from tests.support.wired_offices import wire_offices

from wattproof.engines.folder import LedgerFolder
from wattproof.node import machine

ROOT = "/api/v1/tracking"


@pytest.fixture(scope="module")
def site(demo_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("wired") / "ledger"
    running = copied(demo_ledger, path)
    wire_offices(LedgerFolder(path, machine()))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def offices(site: Site) -> Iterator[httpx.Client]:
    with site.client("offices") as client:
        yield client


def got(client: httpx.Client, path: str, **params: Any) -> Any:
    answer = client.get(ROOT + path, params=params or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_host_reads_its_wiring(offices: httpx.Client) -> None:
    ports = got(offices, "/ports")["items"]
    assert [(port["number"], port["device"], port["plant"]) for port in ports] == [
        (1, "office-a", "park"), (2, "office-b", "park"),
    ]  # fmt: skip
    (bound,) = got(offices, "/bindings", host="offices")["items"]
    assert (bound["group"], bound["kind"], bound["left"], bound["right"]) == (2, "total", [1], [2])
    (lines,) = got(offices, "/thresholds")["items"]
    assert lines["lines"] == [{"value": 5_000_000, "unit": "absolute", "open": 0}]
    assert got(offices, "/interrupts")["items"] == []
    nodes = got(offices, "/nodes")["items"]
    assert [node["device"] for node in nodes] == ["office-a", "office-b"]
    assert all(node["packets"] and node["wrong"] == 0 and node["age_s"] > 0 for node in nodes)


def test_an_error_report_as_json_and_as_csv(offices: httpx.Client) -> None:
    days = got(offices, "/errors/offices/2", by="day")
    hours = got(offices, "/errors/offices/2", by="hour")
    assert days["total"] == hours["total"]
    assert sum(row["error"] for row in hours["rows"]) == days["total"]["error"]
    assert got(offices, "/errors/offices/2", by="hour", set=1)["rows"] == []
    text = offices.get(f"{ROOT}/errors/offices/2/rows.csv", params={"by": "day"})
    assert text.headers["content-type"].startswith("text/csv")
    assert len(text.text.splitlines()) == len(days["rows"]) + 1
    for path in ("/errors/offices/9", "/errors/offices/2?set=5", "/reports/offices/7"):
        assert offices.get(ROOT + path).status_code == 404, path
    assert offices.get(f"{ROOT}/errors/offices/2?zone=Nowhere").status_code == 400


def test_a_filed_report_is_made_again(offices: httpx.Client) -> None:
    filed = got(offices, "/reports/offices/1")
    (listed,) = got(offices, "/reports")["items"]
    assert listed == filed
    again = got(offices, "/reports/offices/1/again")
    assert again["same"] and again["digest"] == filed["digest"]
    assert len(again["report"]["rows"]) == filed["rows"]


def test_stages_and_rollup(offices: httpx.Client, site: Site) -> None:
    stages = got(offices, "/stages/office-a", by="day")
    assert stages["unit"] == "Wh" and stages["rows"][-1]["mean_count"] == 12
    park = got(offices, "/rollup", of="plant")
    assert (park["host"], [label["label"] for label in park["labels"]]) == ("offices", ["park"])
    assert park["left_out"] == ["office-b"]
    with site.client("registrar") as registrar:
        everything = got(registrar, "/rollup", of="region")
        assert everything["host"] is None and everything["total_g"] > park["total_g"] > 0


def test_others_do_not_see_it(site: Site) -> None:
    with site.client("steel") as steel:
        assert got(steel, "/ports")["items"] == got(steel, "/ports", host="offices")["items"] == []
        assert steel.get(f"{ROOT}/rollup?host=offices").status_code == 403
        assert steel.get(f"{ROOT}/stages/office-a").status_code == 403
