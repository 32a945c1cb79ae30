"""Settlement over HTTP: what everybody may read of a region, and what owners alone may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.settled_region import DAY_S, GRID, HOUR_S, REGION, START_S
from tests.support.site import PASSWORD, Site
from tests.support.street import METERS, PARTIES, new_street

from wattproof.console.cli import USERS_FILE
from wattproof.console.users import Users
from wattproof.keys.passphrase import LOWEST
from wattproof.node import OPERATOR
from wattproof.settlement.filing import filing_of
from wattproof.settlement.model import AcceptContract, OfferContract
from wattproof.settlement.statement import statement
from wattproof.settlement.statement_bundle import verify_file

ROOT = "/api/v1/settlement"
AT = f"{ROOT}/regions/{REGION}"
NOON_S = START_S + DAY_S + 12 * HOUR_S


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A street that is settled, with a statement and a contract, and an account for each party."""
    path = tmp_path_factory.mktemp("street") / "ledger"
    street = new_street(path)
    with street:
        street.run(START_S + DAY_S)
        street.run(NOON_S, batch=2)
        street.late()
        made = statement(
            street.store, street.lake(), region=REGION, from_s=START_S, to_s=START_S + DAY_S
        )
        street.submit(filing_of(made))
        offer = OfferContract(
            id="c1", supply="turbine", consumption="mill", wh_per_hour=100, price_ufen=45_000,
            from_s=START_S + 60 * DAY_S, to_s=START_S + 90 * DAY_S,
        )  # fmt: skip
        street.submit(offer, "wind")
        street.submit(AcceptContract(id="c1"), "works")
    users = Users(path / USERS_FILE, cost=LOWEST)
    for party in (*PARTIES, GRID, OPERATOR):
        users.add(party, password=PASSWORD, party=party, lang="en", key=None)
    users.close()
    running = Site(street.folder)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def house(site: Site) -> Iterator[httpx.Client]:
    with site.client("house") as client:
        yield client


@pytest.fixture
def grid(site: Site) -> Iterator[httpx.Client]:
    with site.client(GRID) as client:
        yield client


def got(client: httpx.Client, path: str, **params: Any) -> Any:
    answer = client.get(path, params=params or None)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def refusal(client: httpx.Client, path: str) -> tuple[int, str]:
    answer = client.get(path)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", path
    if answer.status_code != 401:
        assert problem["code"], path
    return answer.status_code, str(problem["code"])


def pages(client: httpx.Client, path: str, limit: int, **params: Any) -> list[Any]:
    """All items of a list, so many at a time."""
    found, cursor = [], None
    while True:
        asked = {**params, **({} if cursor is None else {"cursor": cursor})}
        page = got(client, path, limit=limit, **asked)
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def test_a_region_and_what_it_comes_to(house: httpx.Client) -> None:
    (region,) = got(house, f"{ROOT}/regions")["items"]
    assert region == got(house, AT)
    assert (region["operator"], region["money"], region["runs"]) == (GRID, "CNY", 2)
    value = got(house, f"{AT}/sums")
    assert value["sums"]["supplied_wh"] == 36 * 6_300
    assert value["sums"]["net_wh"] == value["sums"]["supplied_wh"] - value["sums"]["consumed_wh"]
    assert value["sums"]["verdict"] == "positive"
    assert value["location_factor"] == "grid@1" and value["market_based_g"] > 0
    day = got(house, f"{AT}/sums", **{"from": "2025-01-01", "to": "2025-01-02"})["sums"]
    assert (day["days"], day["consumed_wh"]) == (1, 24 * 5_200)
    assert got(house, f"{AT}/sums", **{"from": "2026"})["sums"]["verdict"] == "neutral"


def test_hours_and_days_page_by_page(house: httpx.Client) -> None:
    for limit in (7, 12, 36, 500):
        hours = pages(house, f"{AT}/hours", limit)
        assert [hour["start_s"] for hour in hours] == list(range(START_S, NOON_S, HOUR_S))
    assert {hour["supplied_wh"] for hour in hours} == {6_300}
    period = {"from": "2025-01-01T22:00", "to": "2025-01-02T03:00+08:00"}
    some = pages(house, f"{AT}/hours", 2, **period)
    assert [hour["start_s"] - START_S for hour in some] == [at * HOUR_S for at in range(22, 27)]
    days = pages(house, f"{AT}/days", 1)
    assert [day["day_s"] for day in days] == [START_S, START_S + DAY_S]
    assert days[0]["trades_consumption"] == 3 and days[0]["supply_fen"] == 24 * 6_300 * 4 // 100


def test_runs_statements_and_tariffs(house: httpx.Client) -> None:
    runs = pages(house, f"{AT}/runs", 1)
    assert [(run["number"], run["state"]) for run in runs] == [(1, "closed"), (2, "closed")]
    assert got(house, f"{AT}/runs/2") == runs[1]
    (filed,) = pages(house, f"{AT}/statements", 5)
    shown = got(house, f"{AT}/statements/1")
    assert shown["statement"] == filed and len(filed["digest"]) == 64
    assert shown["net_wh"] == filed["supplied_wh"] - filed["consumed_wh"]
    tariffs = pages(house, f"{AT}/tariffs", 1)
    assert [one["id"] for one in tariffs] == ["buy", "sell"]
    assert pages(house, f"{AT}/tariffs", 5, tariff="sell") == tariffs[1:]
    assert tariffs[1]["prices_ufen"] == [50_000] * 24


def test_a_statement_of_now_and_a_filed_one_made_again(
    house: httpx.Client, grid: httpx.Client
) -> None:
    now = got(grid, f"{AT}/statement")
    assert (now["from_s"], now["to_s"], now["step"]) == (START_S, START_S + 2 * DAY_S, "day")
    (kitchen,) = now["differences"]  # its last packet waits
    assert (kitchen["meter"], kitchen["difference_wh"]) == ("kitchen", 6 * METERS["kitchen"][1])
    others = got(house, f"{AT}/statement")
    assert others == {**now, "differences": []} and others["meters_differing"] == 1
    asked = {"from": "2025-01-01", "to": "2025-01-02", "by": "hour"}
    day = got(house, f"{AT}/statement", **asked)
    assert len(day["rows"]) == 24 and day["meters_differing"] == 0
    again = got(house, f"{AT}/statements/1/again")
    assert again["same"] and again["statement"]["net_wh"] == day["net_wh"]
    assert again["digest"] == got(house, f"{AT}/statements/1")["statement"]["digest"]
    for path in ("statement?from=2025-01-01T01:00", "statement?from=2025-01-02&to=2025-01-01"):
        assert refusal(house, f"{AT}/{path}") == (400, "settlement.statement_days")
    assert house.get(f"{AT}/statement?by=week").status_code == 400


def test_a_statement_with_its_proofs_is_checked_alone(
    site: Site, house: httpx.Client, grid: httpx.Client
) -> None:
    data = house.get(f"{AT}/statements/1/proofs").content
    assert verify_file(data, ledger_id=site.writer.ledger_id).ok
    assert not verify_file(data.replace(b"151200", b"151201")).ok
    assert grid.get(f"{AT}/statements/1/proofs").content == data
    assert refusal(grid, f"{AT}/statements/9/proofs") == (404, "settlement.statement_unknown")


@pytest.mark.parametrize(
    ("login", "named"),
    [
        (GRID, ["wind", "house", "works", "house"]),
        (OPERATOR, ["wind", "house", "works", "house"]),
        ("house", ["house", "", "house", ""]),
        ("works", ["", "works", ""]),
        ("north", ["", ""]),
    ],
)
def test_flows_name_whom_one_may_see(site: Site, login: str, named: list[str]) -> None:
    with site.client(login) as client:
        flows = got(client, f"{AT}/flows")
        assert [flow["party"] for flow in flows] == named
        assert sum(flow["wh"] for flow in flows if flow["kind"] == "supply") == 36 * 6_300
        one = got(client, f"{AT}/flows", named=0, to="2025-01-02")
        assert [(flow["party"], flow["wh"]) for flow in one] == [
            ("", 24 * 6_300), ("", 24 * 5_200),
        ]  # fmt: skip


@pytest.mark.parametrize("login", ["house", GRID, OPERATOR])
def test_a_wallet_and_its_trades(site: Site, login: str) -> None:
    with site.client(login) as client:
        wallet = got(client, f"{ROOT}/wallets/kitchen")
        assert (wallet["owner"], wallet["region"], wallet["kind"]) == (
            "house",
            REGION,
            "consumption",
        )
        assert wallet["waiting_wh"] == 6 * METERS["kitchen"][1]
        lines = got(client, f"{ROOT}/wallets/kitchen/statement", asset="CNY", limit=2)
        assert [line["amount"] for line in lines["lines"]] == [-210, -840]
        older = got(client, f"{ROOT}/wallets/kitchen/statement", asset="CNY", start=lines["next"])
        assert [line["amount"] for line in older["lines"]] == [10**6]

        trades = pages(client, f"{ROOT}/meters/kitchen/trades", 1)
        assert [trade["trade"] for trade in trades] == [2, 1]
        for trade, sequence in zip(trades, (2, 1), strict=True):
            shown = got(client, f"{ROOT}/meters/kitchen/trades/{trade['id']}")
            assert shown["trade"] == trade
            assert [packet["sequence"] for packet in shown["packets"]] == [sequence]
            assert len(shown["packets"][0]["digest"]) == 32


@pytest.mark.parametrize("login", ["works", "north"])
def test_what_is_anothers(site: Site, login: str) -> None:
    own = (
        f"{ROOT}/wallets/kitchen", f"{ROOT}/wallets/kitchen/statement?asset=CNY",
        f"{ROOT}/meters/kitchen/trades", f"{ROOT}/meters/kitchen/trades/1-1",
    )  # fmt: skip
    with site.client(login) as client:
        for path in (*own, *(path.replace("kitchen", "unheard") for path in own)):
            assert refusal(client, path) == (403, "gateway.not_yours"), path
    with site.client() as nobody:
        for path in (*own, AT, f"{AT}/sums", f"{AT}/flows", f"{ROOT}/wallets"):
            assert refusal(nobody, path)[0] == 401, path


@pytest.mark.parametrize(
    ("login", "asked", "devices"),
    [
        ("house", {}, ["kitchen", "roof"]),
        ("house", {"region": REGION}, ["kitchen", "roof"]),
        ("house", {"region": "CN-ZJ"}, []),
        ("house", {"owner": "works"}, []),
        ("north", {"region": REGION}, []),
        (GRID, {}, []),
        (GRID, {"region": REGION}, list(METERS)),
        (GRID, {"owner": "works"}, ["mill", "poor"]),
        (OPERATOR, {}, list(METERS)),
        (OPERATOR, {"region": REGION, "owner": "wind"}, ["turbine"]),
    ],
)
def test_lists_of_wallets(
    site: Site, login: str, asked: dict[str, str], devices: list[str]
) -> None:
    with site.client(login) as client:
        for limit in (1, 2, 100):
            found = pages(client, f"{ROOT}/wallets", limit, **asked)
            assert [one["device"] for one in found] == devices


@pytest.mark.parametrize(
    ("login", "seen"),
    [("wind", True), ("works", True), (GRID, True), (OPERATOR, True), ("house", False),
     ("north", False)],
)  # fmt: skip
def test_contracts_are_seen_by_both_sides(site: Site, login: str, *, seen: bool) -> None:
    with site.client(login) as client:
        listed = pages(client, f"{ROOT}/contracts", 1)
        assert [one["id"] for one in listed] == (["c1"] if seen else [])
        asked = pages(client, f"{ROOT}/contracts", 3, party="wind")
        assert [one["id"] for one in asked] == (["c1"] if seen else [])
        if seen:
            assert got(client, f"{ROOT}/contracts/c1") == listed[0]
        else:
            assert refusal(client, f"{ROOT}/contracts/c1") == (403, "gateway.not_yours")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (f"{ROOT}/regions/CN-ZJ", (404, "settlement.region_unknown")),
        (f"{ROOT}/regions/CN-ZJ/flows", (404, "settlement.region_unknown")),
        (f"{AT}/sums?from=soon", (400, "core.time")),
        (f"{AT}/days?from=1969", (400, "settlement.time_before")),
        (f"{AT}/hours?cursor=x", (400, "gateway.cursor")),
        (f"{AT}/hours?cursor=-5", (400, "gateway.cursor")),
        (f"{AT}/runs?cursor=x", (400, "gateway.cursor")),
        (f"{AT}/runs/9", (404, "settlement.run_unknown")),
        (f"{AT}/statements/9", (404, "settlement.statement_unknown")),
        (f"{ROOT}/wallets/unheard", (404, "identity.device.unknown")),
        (f"{ROOT}/wallets?cursor=unheard", (404, "identity.device.unknown")),
        (f"{ROOT}/wallets/mill/statement?asset=CNY&start=1", (404, "book.statement.start")),
        (f"{ROOT}/meters/mill/trades?cursor=x", (400, "settlement.trade_text")),
        (f"{ROOT}/meters/mill/trades/1-1", (400, "settlement.trade_text")),
        (f"{ROOT}/meters/unheard/trades", (404, "identity.device.unknown")),
        (f"{ROOT}/contracts/c9", (404, "settlement.no_contract")),
    ],
)
def test_bad_input_is_refused_with_its_code(site: Site, path: str, answer: tuple[int, str]) -> None:
    with site.client(OPERATOR) as client:
        assert refusal(client, path) == answer
        client.headers["Accept-Language"] = "zh"
        problem = client.get(path).json()
        assert any("\u4e00" <= sign <= "\u9fff" for sign in problem["title"] + problem["detail"])


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "named=-1", "named=101", "from=" + "9" * 50]
)
def test_limits_of_parameters(grid: httpx.Client, query: str) -> None:
    path = "flows" if "named" in query else "days"
    assert grid.get(f"{AT}/{path}?{query}").status_code == 400
