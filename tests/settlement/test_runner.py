"""Runs on a ledger on disk: killed in the middle, gone on with, started twice at once."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from wattproof.book.model import DefineAsset, SetOverdraft
from wattproof.book.queries import conservation
from wattproof.cli.host import Opening
from wattproof.core.errors import WattProofError
from wattproof.engines.folder import LedgerFolder, Writer
from wattproof.identity.model import (
    AssociateDevice,
    AuthenticateDevice,
    ConfirmDevice,
    EnrolDevice,
    RegisterParty,
)
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.uint_array import UintArray
from wattproof.ledger.chain import Receipt
from wattproof.ledger.transaction import Body, sign_transaction
from wattproof.metering.model import Packet
from wattproof.node import IMPORTER, OPERATOR, create_ledger, machine
from wattproof.settlement.model import (
    Band,
    DefineRegion,
    PublishTariff,
    TopUpWallet,
)
from wattproof.settlement.records import (
    REGIONS,
    RUNS,
    USAGE,
    Run,
)
from wattproof.settlement.runner import settle_region

REGION = "CN-SH"
START_S = 1_735_660_800
HOUR_S = 3600
METERS = 60
HOURS = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A region of sixty meters, every fourth of which supplies, with three hours reported."""
    path = tmp_path_factory.mktemp("region") / "ledger"
    folder = LedgerFolder(path, machine())
    create_ledger(folder, Opening(name="r", organisation="R", uscc="", zone="Asia/Shanghai"))
    grid = SigningKey.generate()
    with folder.keys() as keys:
        keys.add("grid", grid)
        operator, importer = keys.get(OPERATOR), keys.get(IMPORTER)
    with folder.write(workers=0) as writer:
        submit(writer, _region(grid, operator))
        for number in range(METERS):
            submit(writer, _meter(number, grid=grid, importer=importer))
    return path


Step = tuple[Body, SigningKey]


def submit(writer: Writer, steps: Iterable[Step]) -> None:
    raws = [sign_transaction(body, key, ledger_id=writer.ledger_id) for body, key in steps]
    for answer in writer.engine.submit_many(raws):
        assert isinstance(answer, Receipt), answer


def _region(grid: SigningKey, operator: SigningKey) -> Iterator[Step]:
    roles = ("bank", "consumer", "grid_company", "issuer", "supplier")
    yield (
        RegisterParty(id="grid", kind="organisation", key=grid.public, name="Grid", roles=roles),
        operator,
    )
    yield DefineAsset(id="CNY", kind="money", unit="fen", decimals=2), grid
    factor = "cn-grid-2023-sh@1"
    yield (
        DefineRegion(
            region=REGION, money="CNY", offset_s=8 * HOUR_S, tolerance_wh=0,
            location_factor=factor, residual_factor=factor,
            supply_tariff="buy", consumption_tariff="sell",
        ),
        grid,
    )  # fmt: skip
    for id_, price in (("buy", 40_000), ("sell", 50_000)):
        bands = (Band(from_s=0, price_ufen=price),)
        yield PublishTariff(region=REGION, id=id_, from_s=0, bands=bands), grid
    yield SetOverdraft(account=f"pool:{REGION}", asset="CNY", limit=10**9), grid


def _meter(number: int, *, grid: SigningKey, importer: SigningKey) -> Iterator[Step]:
    key, supplies = SigningKey.generate(), number % 4 == 0
    name, quantity = f"m{number}", "electricity.export" if supplies else "electricity.import"
    yield EnrolDevice(id=name, owner=IMPORTER, quantity=quantity, zone="UTC"), key
    yield AuthenticateDevice(device=name, evidence=bytes(32)), importer
    yield ConfirmDevice(device=name), importer
    yield (
        AssociateDevice(
            device=name, point=name, region=REGION, suppliers=(IMPORTER,), consumers=("grid",)
        ),
        importer,
    )
    yield TopUpWallet(device=name, asset="CNY", amount=1000, source="", memo=""), grid
    packet = Packet(
        sequence=1,
        start_s=START_S,
        interval_s=HOUR_S,
        kind="increment",
        opening=0,
        increments=UintArray.from_ints([number * 100 + at for at in range(HOURS)]),
        quality=UintArray.from_ints(()),
    )
    yield packet, key


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> LedgerFolder:
    shutil.copytree(made, tmp_path / "ledger")
    return LedgerFolder(tmp_path / "ledger", machine())


def settle(folder: LedgerFolder, writer: Writer, *, batch: int = 7, hours: int = HOURS) -> Run:
    with folder.keys() as keys:
        key = keys.get("grid")
    store = folder.read()
    try:
        return settle_region(
            store, writer.engine, region=REGION, key=key, ledger_id=writer.ledger_id,
            until_s=START_S + hours * HOUR_S, batch=batch,
        )  # fmt: skip
    finally:
        store.close()


def outcome(folder: LedgerFolder) -> tuple[object, ...]:
    """What a region comes to, however it was run: usage, without where it stands in the log."""
    store = folder.read()
    usages = [
        (one.number, one.settled_wh, one.settled_fen, one.carry_ufen, one.due_fen, one.trades)
        for one in store.scan(USAGE)
    ]
    sums = {row.asset: (row.issued, row.retired) for row in conservation(store)}
    assert all(row.sum == 0 for row in conservation(store))
    runs = [(one.trades_supply, one.trades_consumption, one.state) for one in store.scan(RUNS)]
    store.close()
    return usages, sums, runs


@pytest.fixture(scope="module")
def expected(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    path = tmp_path_factory.mktemp("expected") / "ledger"
    shutil.copytree(made, path)
    folder = LedgerFolder(path, machine())
    with folder.write(workers=0) as writer:
        run = settle(folder, writer, batch=1000)
    wanted = [sum(number * 100 + at for at in range(HOURS)) for number in range(METERS)]
    assert run.supplied_wh == sum(wanted[::4])
    assert run.consumed_wh == sum(wanted) - sum(wanted[::4])
    assert (run.trades_supply, run.trades_consumption) == (METERS // 4, METERS - METERS // 4)
    return outcome(folder)


def test_batches_of_any_size_come_to_the_same(
    folder: LedgerFolder, expected: tuple[object, ...]
) -> None:
    with folder.write(workers=0) as writer:
        settle(folder, writer, batch=1)
        assert outcome(folder) == expected
        size = writer.store.size
        again = settle(folder, writer)
        assert again.trades_supply + again.trades_consumption == 0
        assert writer.store.size > size  # a run of its own, without trades


def test_two_at_once_settle_once(folder: LedgerFolder, expected: tuple[object, ...]) -> None:
    with folder.write(workers=0) as writer:
        runs: list[Run] = []
        threads = [
            threading.Thread(
                target=lambda size=size: runs.append(settle(folder, writer, batch=size))
            )
            for size in (3, 5, 5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(runs) == 3
    usages, sums, states = outcome(folder)
    assert (usages, sums) == expected[:2]
    assert isinstance(states, list)
    assert sum(bought + sold for bought, sold, _ in states) == METERS
    assert all(state == "closed" for _, _, state in states)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from tests.settlement.test_runner import REGION, START_S, HOUR_S, HOURS
from wattproof.engines.folder import LedgerFolder
from wattproof.node import machine
from wattproof.settlement.runner import settle_region
folder = LedgerFolder(Path(sys.argv[1]), machine())
left = int(sys.argv[2])
def tell(run, meters):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
with folder.write(workers=0) as writer:
    with folder.keys() as keys:
        key = keys.get("grid")
    settle_region(folder.read(), writer.engine, region=REGION, key=key,
                  ledger_id=writer.ledger_id, until_s=START_S + HOURS * HOUR_S, batch=4, tell=tell)
"""


def test_killed_inside_a_run_and_gone_on_with(
    folder: LedgerFolder, expected: tuple[object, ...]
) -> None:
    for after in (0, 1, 1, 2):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder.path), str(after)], check=False, timeout=120
        )
        assert done.returncode == -signal.SIGKILL
    store = folder.read()
    region = store.get(REGIONS, REGION)
    assert region is not None and region.open_run == 1
    store.close()
    with folder.write(workers=0) as writer:
        settle(folder, writer)
    assert outcome(folder) == expected


def test_only_the_operators_key_settles(folder: LedgerFolder) -> None:
    with folder.write(workers=0) as writer:
        store = folder.read()
        with folder.keys() as keys:
            other = keys.get(OPERATOR)
        with pytest.raises(WattProofError) as caught:
            settle_region(
                store, writer.engine, region=REGION, key=other, ledger_id=writer.ledger_id,
                until_s=START_S + HOUR_S,
            )  # fmt: skip
        assert caught.value.code == "identity.role.missing"
        store.close()
