"""Killed at any write, in a run or while a statement is filed: what comes of it is the same."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.settlement.settling_child import Life, Order, settle_and_file
from tests.support.settled_region import REGION, START_S, SettledRegion

from wattproof.book.queries import conservation
from wattproof.ledger.fsck import audit
from wattproof.settlement.filing import made_again
from wattproof.settlement.records import REGION_DAYS, REGION_HOURS, RUNS, STATEMENTS, USAGE
from wattproof.settlement.trade_records import batches_of

METERS = 9
DEATHS = 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine meters that reported a day by the hour; every third supplies, one has no money."""
    path = tmp_path_factory.mktemp("killed") / "ledger"
    with SettledRegion.made(path) as region:
        for at in range(METERS):
            name = f"m{at}"
            region.meter(name, supply=at % 3 == 0, money=0 if at == 4 else 10**6)
            region.report(name, [100 * at + hour for hour in range(24)], start_s=START_S)
    return path


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        shutil.copytree(made, tmp_path / name)
        return tmp_path / name

    return copy


@pytest.fixture(scope="module")
def live() -> Iterator[Callable[[Order], Life]]:
    """Sends orders to the process that forks."""
    command = [sys.executable, "-m", "tests.settlement.settling_child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        stdin, stdout = child.stdin, child.stdout

        def send(order: Order) -> Life:
            stdin.write(msgspec.json.encode(order) + b"\n")
            stdin.flush()
            return msgspec.json.decode(stdout.readline(), type=Life)

        yield send
        stdin.close()


def outcome(path: Path) -> tuple[object, ...]:
    """What it comes to, wherever in the log it stands and in whichever batches it was done."""
    region = SettledRegion(path)
    with region:
        store = region.store
        assert all(row.sum == 0 for row in conservation(store))
        (filed,) = store.scan(STATEMENTS)
        remade = made_again(store, region.lake(), filed)
        assert remade.same and remade.statement.meters_differing == 0
        report = audit(
            store,
            region.folder.machine,
            check_many=lambda id_: region.folder.verifier(id_, workers=0).check_many,
        )
        assert report.ok, report.first_break
        trades = sorted(
            msgspec.structs.astuple(msgspec.structs.replace(trade, previous=0))
            for batch in batches_of(store, REGION)
            for trade in (*batch.settled.supply, *batch.settled.consumption)
        )
        usages = [
            (one.number, one.settled_wh, one.settled_fen, one.carry_ufen, one.due_fen, one.trades)
            for one in store.scan(USAGE)
        ]
        runs = [
            msgspec.structs.replace(run, batches=0, opened_entry=0, closed_entry=0)
            for run in store.scan(RUNS)
        ]
        return (
            trades, usages, runs, list(store.scan(REGION_HOURS)), list(store.scan(REGION_DAYS)),
            filed.supplied_wh, filed.consumed_wh, filed.verdict,
        )  # fmt: skip


def test_it_comes_to_the_same_wherever_it_is_killed(
    copied: Callable[[str], Path], live: Callable[[Order], Life]
) -> None:
    path = copied("whole")
    whole = live(Order(folder=str(path), batch=2))
    assert whole.status == 0 and whole.steps > 40
    wanted = outcome(path)
    chance = random.Random(5)
    deaths, rounds = 0, 0
    while deaths < DEATHS:
        path = copied(f"killed-{rounds}")
        status = -1
        while status:
            kill_at = chance.randint(1, whole.steps) if deaths < DEATHS else None
            status = live(
                Order(folder=str(path), batch=chance.randint(1, 4), kill_at=kill_at)
            ).status
            assert status in (0, -signal.SIGKILL)
            deaths += status != 0
        assert outcome(path) == wanted
        rounds += 1
    assert rounds > 1


def test_done_again_it_files_the_same_statement_once(copied: Callable[[str], Path]) -> None:
    path = copied("again")
    for _ in range(2):
        settle_and_file(path, batch=5)
        outcome(path)
