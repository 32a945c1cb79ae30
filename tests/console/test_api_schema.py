"""The whole application's API, on a node that has accounts: its schema, and who may read what."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.support.site import Site, copied
from tests.support.traced import codes_of
from tests.support.wired_offices import wire_offices

from wattproof.demo.market import END_S
from wattproof.demo.region import REGION
from wattproof.engines.folder import LedgerFolder
from wattproof.keys.sealed import EpochKey
from wattproof.ledger.proof import verify_proof
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.node import machine
from wattproof.settlement.model import OfferContract
from wattproof.settlement.traces.sealing import opening, publishing
from wattproof.settlement.trade_queries import trades_of

CONFIG: Final = Path(__file__).parents[1] / "gateway" / "schemathesis.toml"

EPOCH: Final = "5e" * 16
"""An epoch of trace codes, of the grid company."""
UNHEARD: Final = "00" * 16
CONTRACT: Final = "sun-for-offices"
"""A contract of the solar park with the office park."""

PUBLIC: Final = {
    "/api/v1/errors",
    "/api/v1/errors/gateway.not_yours",
    "/api/v1/ledger",
    "/api/v1/transactions/{id}/proof",
    "/api/v1/transactions/{id}/receipt",
    "/healthz",
    "/log/checkpoint",
    "/log/tile/0/000.p/1",
    "/log/vkey",
    "/metrics",
}
"""What everybody may read: what proves a record, and what is the same for all."""

FOR_ALL_WHO_SIGNED_IN: Final = {
    "/api/v1/assets",
    "/api/v1/assets/CNY",
    "/api/v1/conservation",
    "/api/v1/factors",
    "/api/v1/factors/cn-grid-2023-sh",
    "/api/v1/roles",
    "/api/v1/settlement/regions",
    f"/api/v1/settlement/regions/{REGION}",
    f"/api/v1/settlement/regions/{REGION}/days",
    f"/api/v1/settlement/regions/{REGION}/flows",
    f"/api/v1/settlement/regions/{REGION}/hours",
    f"/api/v1/settlement/regions/{REGION}/runs",
    f"/api/v1/settlement/regions/{REGION}/runs/1",
    f"/api/v1/settlement/regions/{REGION}/statements",
    f"/api/v1/settlement/regions/{REGION}/statement",
    f"/api/v1/settlement/regions/{REGION}/statements/1",
    f"/api/v1/settlement/regions/{REGION}/statements/1/again",
    f"/api/v1/settlement/regions/{REGION}/statements/1/proofs",
    f"/api/v1/settlement/regions/{REGION}/sums",
    f"/api/v1/settlement/regions/{REGION}/tariffs",
}

LISTS: Final = {
    "/api/v1/accounts",
    "/api/v1/devices",
    "/api/v1/entries",
    "/api/v1/logistics/products",
    "/api/v1/logistics/report",
    "/api/v1/logistics/shipments",
    "/api/v1/logistics/vehicles",
    "/api/v1/parties",
    "/api/v1/reports/emissions",
    "/api/v1/settlement/contracts",
    "/api/v1/settlement/traces/epochs",
    "/api/v1/settlement/wallets",
    "/api/v1/tracking/bindings",
    "/api/v1/tracking/interrupts",
    "/api/v1/tracking/nodes",
    "/api/v1/tracking/ports",
    "/api/v1/tracking/reports",
    "/api/v1/tracking/rollup",
    "/api/v1/tracking/thresholds",
}
"""Lists of which everybody sees what is their own."""

OF_OTHERS: Final = {
    "/api/v1/accounts/wind-farm-wallet",
    "/api/v1/accounts/wind-farm-wallet/postings?asset=CNY",
    "/api/v1/devices/office-a",
    "/api/v1/logistics/shipments/offices/furniture-1",
    "/api/v1/meters/office-a/packets",
    "/api/v1/meters/office-a/stream",
    "/api/v1/parties/offices",
    f"/api/v1/settlement/contracts/{CONTRACT}",
    "/api/v1/settlement/meters/office-a/trades",
    "/api/v1/settlement/meters/office-a/trades/{trade}",
    f"/api/v1/settlement/traces/epochs/{EPOCH}/batches",
    f"/api/v1/settlement/traces/epochs/{EPOCH}/batches/0",
    f"/api/v1/settlement/traces/epochs/{EPOCH}/copies",
    "/api/v1/settlement/wallets/office-a",
    "/api/v1/settlement/wallets/office-a/statement?asset=CNY",
    "/api/v1/tracking/errors/offices/2",
    "/api/v1/tracking/errors/offices/2/rows.csv",
    "/api/v1/tracking/reports/offices/1",
    "/api/v1/tracking/reports/offices/1/again",
    "/api/v1/tracking/stages/office-a",
    "/api/v1/transactions/{id}",
}
"""What belongs to others than the steel works; `{id}` is the enrolment of an office's meter, and
`{trade}` a trade of its."""

FOR_THOSE_WHO_SEE_ALL: Final = {
    "/api/v1/reports/emissions/groups",
    "/log/tile/entries/000.p/1",
}

NOT_ON_THE_LEDGER: Final = (
    "/api/v1/accounts/unheard",
    "/api/v1/accounts/unheard/postings?asset=CNY",
    "/api/v1/devices/unheard",
    "/api/v1/logistics/shipments/unheard/unheard",
    "/api/v1/meters/unheard/packets",
    "/api/v1/meters/unheard/stream",
    "/api/v1/parties/unheard",
    "/api/v1/settlement/contracts/unheard",
    "/api/v1/settlement/meters/unheard/trades",
    "/api/v1/settlement/meters/unheard/trades/1-1",
    f"/api/v1/settlement/traces/epochs/{UNHEARD}/batches",
    f"/api/v1/settlement/traces/epochs/{UNHEARD}/batches/0",
    f"/api/v1/settlement/traces/epochs/{UNHEARD}/copies",
    "/api/v1/settlement/wallets/unheard",
    "/api/v1/settlement/wallets/unheard/statement?asset=CNY",
    "/api/v1/tracking/errors/unheard/2",
    "/api/v1/tracking/errors/unheard/2/rows.csv",
    "/api/v1/tracking/reports/unheard/1",
    "/api/v1/tracking/reports/unheard/1/again",
    "/api/v1/tracking/stages/unheard",
)

READS: Final = PUBLIC | FOR_ALL_WHO_SIGNED_IN | LISTS | OF_OTHERS | FOR_THOSE_WHO_SEE_ALL


@pytest.fixture(scope="module")
def site(settled_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration, its region settled, with the office park's meters at numbered ports, its
    contract, and sealed trace codes."""
    path = tmp_path_factory.mktemp("wired") / "ledger"
    running = copied(settled_ledger, path)
    wire_offices(LedgerFolder(path, machine()))
    running.start()
    _seal(running)
    _offer(running)
    yield running
    running.stop()


def _seal(running: Site) -> None:
    """An epoch of the grid company, with a batch in it."""
    ledger_id, grid = running.writer.ledger_id, running.key_of("grid")
    key = EpochKey(bytes(32), ledger_id=ledger_id, key_id=bytes.fromhex(EPOCH))
    bodies: list[Body] = [opening(key, region="CN-SH", holders={"grid": grid.public})]
    bodies += publishing(key, codes_of(20), first=0)
    for body in bodies:
        running.writer.engine.submit(sign_transaction(body, grid, ledger_id=ledger_id))


def _offer(running: Site) -> None:
    body = OfferContract(
        id=CONTRACT, supply="solar-1", consumption="office-a", wh_per_hour=1_000,
        price_ufen=45_000, from_s=END_S, to_s=END_S + 86_400,
    )  # fmt: skip
    park = running.key_of("solar-park")
    running.writer.engine.submit(sign_transaction(body, park, ledger_id=running.writer.ledger_id))


@pytest.fixture
def anybody(site: Site) -> Iterator[httpx.Client]:
    with site.client() as client:
        client.headers["Accept"] = "application/json"
        yield client


@pytest.fixture
def steel(site: Site) -> Iterator[httpx.Client]:
    """An enterprise."""
    with site.client("steel") as client:
        yield client


@pytest.fixture
def registrar(site: Site) -> Iterator[httpx.Client]:
    with site.client("registrar") as client:
        yield client


@pytest.fixture
def enrolment(registrar: httpx.Client) -> str:
    """The id of the transaction that enrolled a meter of the office park."""
    for entry in entries_seen_by(registrar):
        for event in entry["events"]:
            if event["event"] == "identity.device.enrolled" and event["device"] == "office-a":
                return str(entry["id"])
    raise AssertionError("office-a is enrolled")


@pytest.fixture
def names(site: Site, enrolment: str) -> dict[str, str]:
    """What stands in braces in the paths above."""
    return {"id": enrolment, "trade": trades_of(site.writer.store, "office-a")[0].id}


def entries_seen_by(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    start: int | None = 0
    while start is not None:
        page = json_of(client, "/api/v1/entries", **{"from": start, "limit": 256})
        found += page["entries"]
        start = page["next"]
    return found


def json_of(client: httpx.Client, path: str, **params: Any) -> Any:
    answer = client.get(path, params=params or None)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def refusal(client: httpx.Client, path: str) -> tuple[int, str]:
    """Status and code of a read that must be refused."""
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/problem+json", (path, answer.text)
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("login", ["", "steel", "registrar"])
def test_the_api_keeps_to_its_schema(site: Site, login: str, tmp_path: Path) -> None:
    size = site.size
    with site.client(login) as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
                *("run", site.url + "/api/v1/schema", "--no-color", "--generation-deterministic"),
                *("--phases", "examples,coverage,fuzzing", "--max-examples", "8"),
                *(["--header", f"Cookie: {cookies}"] if cookies else []),
            ],
            capture_output=True, text=True, timeout=180, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stdout + run.stderr
        assert client.get("/healthz").json()["status"] == "ok"
    assert site.size == size, "what was made up was refused"


def test_every_read_has_its_place_here(anybody: httpx.Client) -> None:
    """So that nobody adds a route without saying who may read it."""
    schema = json_of(anybody, "/api/v1/schema")
    routes = [path for path, operations in schema["paths"].items() if "get" in operations]
    patterns = {path: re.compile(re.sub(r"{\w+}", "[^/]+", path)) for path in routes}
    patterns["/log/tile/{path}"] = re.compile("/log/tile/.+")
    reads = {path.partition("?")[0] for path in READS}
    nowhere = [path for path, found in patterns.items() if not any(map(found.fullmatch, reads))]
    assert not nowhere
    strays = [path for path in reads if not any(one.fullmatch(path) for one in patterns.values())]
    assert not strays


def test_nobody_reads_without_signing_in(anybody: httpx.Client, names: dict[str, str]) -> None:
    for path in sorted(READS - PUBLIC):
        found = refusal(anybody, path.format(**names))
        assert found == (401, "gateway.sign_in_needed"), path
    for path in NOT_ON_THE_LEDGER:
        assert refusal(anybody, path) == (401, "gateway.sign_in_needed"), path


def test_what_proves_a_record_is_public(
    anybody: httpx.Client, enrolment: str, names: dict[str, str]
) -> None:
    for path in sorted(PUBLIC):
        assert anybody.get(path.format(**names)).status_code == 200, path
    proof = anybody.get(f"/api/v1/transactions/{enrolment}/proof").content
    assert verify_proof(proof).ok
    verdict = anybody.post(
        "/api/v1/verify", content=proof, headers={"Content-Type": "application/json"}
    ).json()
    assert verdict["ok"] and verdict["transaction_id"] == enrolment


def test_an_enterprise_reads_what_is_common(steel: httpx.Client) -> None:
    for path in sorted(FOR_ALL_WHO_SIGNED_IN | LISTS):
        json_of(steel, path)


def test_an_enterprise_does_not_read_what_belongs_to_another(
    steel: httpx.Client, names: dict[str, str]
) -> None:
    for path in sorted(OF_OTHERS | FOR_THOSE_WHO_SEE_ALL):
        assert refusal(steel, path.format(**names)) == (403, "gateway.not_yours"), path
    report = "/api/v1/reports/emissions?meter="
    assert refusal(steel, f"{report}office-a") == (403, "gateway.not_yours")
    assert refusal(steel, f"{report}steel-main&meter=office-a") == (403, "gateway.not_yours")


def test_what_there_is_not_is_refused_alike(steel: httpx.Client, registrar: httpx.Client) -> None:
    """Nobody learns from a refusal whether another has something of that name."""
    for path in (*NOT_ON_THE_LEDGER, "/api/v1/reports/emissions?meter=unheard"):
        assert refusal(steel, path) == (403, "gateway.not_yours"), path
        assert refusal(registrar, path)[0] == 404, path


def test_lists_hold_what_is_ones_own(steel: httpx.Client, registrar: httpx.Client) -> None:
    own: dict[str, Any] = {path: json_of(steel, path) for path in LISTS}
    assert [party["id"] for party in own["/api/v1/parties"]["items"]] == ["steel-works"]
    for path in ("/api/v1/devices", "/api/v1/accounts"):
        assert {item["owner"] for item in own[path]["items"]} == {"steel-works"}, path
    devices = {device["id"] for device in own["/api/v1/devices"]["items"]}
    meters = {row["meter"] for row in own["/api/v1/reports/emissions"]}
    assert {"steel-main", "steel-stack"} <= meters <= devices
    everybodys = {row["meter"] for row in json_of(registrar, "/api/v1/reports/emissions")}
    assert {"office-a", "wind-1"} | meters <= everybodys
    assert "office-a" not in steel.get("/api/v1/devices", params={"owner": "offices"}).text


def test_entries_of_others_say_only_that_they_are(
    steel: httpx.Client, registrar: httpx.Client
) -> None:
    own, everything = entries_seen_by(steel), entries_seen_by(registrar)
    assert [entry["index"] for entry in own] == [entry["index"] for entry in everything]
    hidden = 0
    for mine, whole in zip(own, everything, strict=True):
        if mine["id"] is None:
            hidden += 1
            assert mine == {**whole, "id": None, "signer": None, "events": []}
        else:
            assert mine == whole
            json_of(steel, f"/api/v1/transactions/{mine['id']}")
    assert 0 < hidden < len(own)
    assert "office-a" not in repr(own)


def test_who_sees_all_reads_everything(registrar: httpx.Client, names: dict[str, str]) -> None:
    for path in sorted(READS):
        assert registrar.get(path.format(**names)).status_code == 200, path
