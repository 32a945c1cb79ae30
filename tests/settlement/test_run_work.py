"""Runs in the background: how far they are, one a region, halted by a closing node, by a fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.support.gate import Gate
from tests.support.settled_region import GRID, HOUR_S, REGION, START_S, SettledRegion

from wattproof.keys.ed25519 import SigningKey
from wattproof.settlement import run_work, runner
from wattproof.settlement.model import OpenRun
from wattproof.settlement.queries import run_of
from wattproof.settlement.run_work import RunProgress, RunWork

METERS = 12
HOURS = 3
END_S = START_S + HOURS * HOUR_S


@pytest.fixture
def region(tmp_path: Path) -> Iterator[SettledRegion]:
    made = SettledRegion.made(tmp_path / "ledger")
    with made:
        for number in range(METERS):
            made.meter(f"m{number}", supply=number % 3 == 0)
            made.report(f"m{number}", [1_000 + number] * HOURS)
        yield made


@pytest.fixture
def key(region: SettledRegion) -> SigningKey:
    with region.folder.keys() as keys:
        return keys.get(GRID)


@pytest.fixture
def work(region: SettledRegion) -> Iterator[RunWork]:
    made = RunWork(region.folder, region.writer)
    yield made
    made.close()


def gated(work: RunWork) -> Gate:
    gate = Gate(work._engine)
    work._engine = gate
    return gate


def wait(until: Callable[[], bool]) -> None:
    for _ in range(400):
        if until():
            return
        time.sleep(0.02)
    raise AssertionError("nothing comes of it")


def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """One meter after the other, so that there is something to see."""
    settle = runner.settle_region
    monkeypatch.setattr(runner, "AHEAD", 1)
    monkeypatch.setattr(run_work, "settle_region", lambda *a, **k: settle(*a, **k, batch=5))


def test_a_run_tells_how_far_it_is(
    region: SettledRegion, work: RunWork, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch)
    gate = gated(work)
    assert work.progress(REGION) is None
    work.start(REGION, key=key, until_s=END_S)
    work.start(REGION, key=key, until_s=END_S)  # it is at work already
    assert work.progress(REGION) == RunProgress()

    def told(done: int) -> bool:
        progress = work.progress(REGION)
        return progress is not None and (progress.done, progress.total) == (done, METERS)

    for done in (0, 5, 10, 12):
        gate.allowed.release()
        wait(partial(told, done))
    gate.allowed.release()
    wait(lambda: work.progress(REGION) is None)
    run = run_of(region.store, REGION, 1)
    assert (run.state, run.batches, work.trouble(REGION)) == ("closed", 3, None)
    assert run.supplied_wh + run.consumed_wh == HOURS * sum(1_000 + at for at in range(METERS))


def test_a_node_that_stops_leaves_the_run_open_and_another_goes_on(
    region: SettledRegion, work: RunWork, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch)
    gate = gated(work)
    gate.allowed.release(2)
    work.start(REGION, key=key, until_s=END_S)
    wait(lambda: getattr(work.progress(REGION), "done", 0) == 5)
    closing = threading.Thread(target=work.close)
    closing.start()
    wait(lambda: work._closing)
    gate.allowed.release()
    closing.join(20)
    run = run_of(region.store, REGION, 1)
    assert (run.state, run.batches) == ("open", 2)
    work.start(REGION, key=key, until_s=END_S)  # closed: nothing happens any more
    following = RunWork(region.folder, region.writer)
    following.start(REGION, key=key, until_s=run.until_s)
    wait(lambda: following.progress(REGION) is None)
    following.close()
    ended = run_of(region.store, REGION, 1)
    assert (ended.state, ended.number, ended.batches) == ("closed", 1, 3)


def test_what_follows_on_an_opened_run(
    region: SettledRegion, work: RunWork, key: SigningKey
) -> None:
    opened = OpenRun(region=REGION, until_s=END_S)
    region.submit(opened)
    assert work.follow(opened, None) == f"/settlement/regions/{REGION}/runs/1"
    assert run_of(region.store, REGION, 1).state == "open"
    assert work.follow(opened, key) == f"/settlement/regions/{REGION}/runs/1"
    wait(lambda: run_of(region.store, REGION, 1).state == "closed")


def test_troubles_are_told_until_it_is_begun_again(
    region: SettledRegion, work: RunWork, key: SigningKey
) -> None:
    other = SigningKey.generate()
    work.start(REGION, key=other, until_s=END_S)
    wait(lambda: work.trouble(REGION) is not None)
    trouble = work.trouble(REGION)
    assert trouble is not None and trouble.code.startswith("identity.")
    gate = gated(work)
    gate.failure = ZeroDivisionError("a fault of ours")
    gate.allowed.release()
    wait(lambda: work.progress(REGION) is None)
    work.start(REGION, key=key, until_s=END_S)
    wait(lambda: work.progress(REGION) is None)
    trouble = work.trouble(REGION)
    assert trouble is not None and trouble.code == "gateway.fault"
    gate.failure = None
    gate.allowed.release(10)
    work.start(REGION, key=key, until_s=END_S)
    wait(lambda: work.progress(REGION) is None)
    assert work.trouble(REGION) is None
    assert run_of(region.store, REGION, 1).state == "closed"
