"""Batches that fill up before their meters are through: the runner goes on where they stopped."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.support.settled_region import DAY_S, REGION, START_S, SettledRegion

from wattproof.book.queries import conservation
from wattproof.ledger.fsck import audit
from wattproof.settlement import batch
from wattproof.settlement.events import Settled
from wattproof.settlement.queries import runs_of
from wattproof.settlement.records import USAGE
from wattproof.settlement.trade_records import batches_of

METERS, DAYS = 7, 3


@pytest.fixture
def region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettledRegion:
    """Seven meters, each with three days: three trades a meter, and batches of four trades."""
    monkeypatch.setattr(batch, "MAX_TRADES", 4)
    region = SettledRegion.made(tmp_path / "ledger")
    with region:
        for at in range(METERS):
            region.meter(f"m{at}", supply=at % 3 == 0)
            region.report(f"m{at}", [10 * at + 1] * (24 * DAYS))
    return region


def check(region: SettledRegion) -> None:
    """Everything is settled, once; no batch has more trades than it may and one meter's more."""
    store = region.store
    found: list[Settled] = [one.settled for one in batches_of(store, REGION)]
    sizes = [len(one.supply) + len(one.consumption) for one in found]
    assert sum(sizes) == METERS * DAYS and max(sizes) < 4 + DAYS
    for at, usage in enumerate(store.scan(USAGE)):
        assert (usage.settled_wh, usage.hours_wh) == ((10 * at + 1) * 24 * DAYS, ())
    assert all(row.sum == 0 for row in conservation(store))
    verifier = region.folder.verifier
    report = audit(
        store, region.folder.machine, check_many=lambda id_: verifier(id_, workers=0).check_many
    )
    assert report.ok, report.first_break


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_run_goes_on_where_a_batch_stopped(region: SettledRegion, size: int) -> None:
    with region:
        run = region.run(START_S + DAYS * DAY_S, batch=size)
        assert (run.state, run.trades_supply + run.trades_consumption) == ("closed", METERS * DAYS)
        check(region)


def test_several_run_it_at_once(region: SettledRegion) -> None:
    with region:
        threads = [
            threading.Thread(target=region.run, args=(START_S + DAYS * DAY_S,),
                             kwargs={"batch": size})
            for size in (1, 2, 5)
        ]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(region)
        assert all(run.state == "closed" for run in runs_of(region.store, REGION))
