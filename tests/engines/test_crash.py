"""kill -9, really: at every write step, in the middle of writes, and at any time.

There is a death at each write step of three ways of submitting, and beyond those as many at random
as `WATTPROOF_KILLS` says (100 unless set).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from tests.engines.conformance import fill, receipts
from tests.engines.crash_child import Life, Order, Shape
from tests.ledger.growing import LEDGER_ID, LOG
from tests.ledger.toy import JARS, machine

from wattproof.engines.folder import PASSPHRASE_VARIABLE, LedgerFolder
from wattproof.ledger import merkle
from wattproof.ledger.chain import Receipt, receipt_of
from wattproof.ledger.checkpoint import Checkpoint, open_checkpoint
from wattproof.ledger.fsck import audit
from wattproof.ledger.genesis import origin_of
from wattproof.ledger.store import Store
from wattproof.ledger.tiles import TileNodes

KILLS = int(os.environ.get("WATTPROOF_KILLS", "100"))
OPENING = 3  # genesis, and the two transactions that the ledger opens with
ROOT = Path(__file__).parents[2]
TOY = machine()


class Server:
    """The process that forks the ones to be killed."""

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if k != PASSPHRASE_VARIABLE}
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("crash_child.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment, "PYTHONPATH": str(ROOT)},
        )
        self.deaths: Counter[int] = Counter()

    def carry_out(self, order: Order) -> Life:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        life = msgspec.json.decode(self._process.stdout.readline(), type=Life)
        assert life.status in (0, -signal.SIGKILL, -signal.SIGXFSZ), (order, life.status)
        self.deaths[life.status] += 1
        return life

    @property
    def killed(self) -> int:
        return self.deaths.total() - self.deaths[0]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LedgerFolder:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    return LedgerFolder(tmp_path / "ledger", TOY)


def signed_by_log(text: str) -> Checkpoint:
    return open_checkpoint(text, name=origin_of(LEDGER_ID), public=LOG.public)


class Witness:
    """Remembers what was acknowledged, and demands it of the ledger."""

    def __init__(self, folder: LedgerFolder) -> None:
        self.folder = folder
        self.receipts: dict[int, Receipt] = {}
        self.seen = 0
        self.checkpoint: Checkpoint | None = None

    @property
    def first(self) -> int:
        """The first transaction that is not acknowledged."""
        return next(n for n in range(len(self.receipts) + 1) if n not in self.receipts)

    def hear(self, life: Life) -> None:
        """Take down a life's acknowledgements and look for each in what is stored."""
        store = self.folder.read()
        latest = store.latest_block()
        assert latest is not None
        head = signed_by_log(latest.checkpoint)
        for ack in life.acks:
            known = self.receipts.setdefault(ack.number, ack.receipt)
            assert known.view() == {**ack.receipt.view(), "first": known.first}
            entry = store.find_entry(ack.receipt.id)
            assert entry is not None, f"transaction {ack.number} is lost"
            assert receipt_of(entry, first=True).view() == {**known.view(), "first": True}
        old = {signed_by_log(text) for text in {ack.checkpoint for ack in life.acks}}
        self._extended(store, old | ({self.checkpoint} if self.checkpoint else set()), head)
        self.checkpoint = head
        assert store.size >= OPENING + len(self.receipts)
        store.close()

    @staticmethod
    def _extended(store: Store, old: set[Checkpoint], new: Checkpoint) -> None:
        """What was signed then is a prefix of what is signed now."""
        nodes = TileNodes(store.tile, size=new.size)
        for head in old:
            path = merkle.consistency_path(nodes, old_size=head.size, new_size=new.size)
            assert merkle.verify_consistency(
                old_size=head.size,
                new_size=new.size,
                old_root=head.root,
                new_root=new.root,
                path=path,
            )

    def resubmit(self) -> None:
        """Open the ledger, with no help, and submit all that was acknowledged once more."""
        with self.folder.write(workers=0) as writer:
            numbers = sorted(self.receipts)
            answers = receipts(writer.engine.submit_many([fill(n) for n in numbers]))
            for number, answer in zip(numbers, answers, strict=True):
                assert answer.view() == {**self.receipts[number].view(), "first": False}


def sound(folder: LedgerFolder) -> int:
    """The number of entries of a ledger that an audit finds nothing wrong with."""
    store = folder.read()
    report = audit(store, TOY, check_many=lambda id_: folder.verifier(id_, workers=0).check_many)
    store.close()
    assert report.first_break is None, report.first_break
    return report.entries


def at_every_step(server: Server, witness: Witness) -> None:
    """A death at each write step, until there is one life that reaches its end."""
    for shape in get_args(Shape):
        for step in range(1, 10_000):
            life = server.carry_out(order(witness, shape=shape, kill_at=step))
            witness.hear(life)
            if life.status == 0:
                break
            if step % 40 == 0:
                witness.resubmit()


def at_random(server: Server, witness: Witness, rng: random.Random) -> None:
    """A death in the middle of a write, at any step, or at any time."""
    shape: Shape = rng.choice(get_args(Shape))
    size = witness.folder.database.stat().st_size
    choice = rng.randrange(4)
    if choice == 0:
        chosen = order(witness, shape=shape, kill_at=rng.randrange(1, 120))
    elif choice == 1:
        chosen = order(witness, shape=shape, kill_after_us=rng.randrange(25_000))
    elif choice == 2:
        chosen = order(witness, shape=shape, file_limit=rng.randrange(200_000))
    else:
        near = rng.randrange(200_000) // 4096 * 4120 + rng.choice([0, 8, 24, 31, 32, 33, 56])
        chosen = order(witness, shape=shape, file_limit=rng.choice([near, size, size + 100]))
    witness.hear(server.carry_out(chosen))


def order(
    witness: Witness,
    *,
    shape: Shape,
    kill_at: int | None = None,
    kill_after_us: int | None = None,
    file_limit: int | None = None,
) -> Order:
    return Order(
        folder=str(witness.folder.path),
        task="submit",
        first=witness.first,
        shape=shape,
        kill_at=kill_at,
        kill_after_us=kill_after_us,
        file_limit=file_limit,
    )


def test_nothing_acknowledged_is_ever_lost(server: Server, folder: LedgerFolder) -> None:
    rng = random.Random(KILLS)
    server.carry_out(Order(folder=str(folder.path), task="create"))
    witness = Witness(folder)
    at_every_step(server, witness)
    assert server.killed > 150
    for number in range(KILLS):
        at_random(server, witness, rng)
        if number % 40 == 0:
            witness.resubmit()
    witness.resubmit()
    count = len(witness.receipts) + 50
    with folder.write(workers=0) as writer:
        everything = receipts(writer.engine.submit_many([fill(n) for n in range(count)]))
    assert sorted(r.index for r in everything) == list(range(OPENING, OPENING + count))
    for number, receipt in witness.receipts.items():
        assert everything[number].view() == {**receipt.view(), "first": False}
    assert sound(folder) == OPENING + count
    store = folder.read()
    jar = store.get(JARS, "jar")
    store.close()
    assert jar is not None
    assert jar.beans == 2 + count
    assert server.deaths[-signal.SIGXFSZ] > KILLS // 10
    assert server.deaths[-signal.SIGKILL] > 150 + KILLS // 10


def made(folder: LedgerFolder) -> bool:
    """Whether there is a ledger, which must then be whole."""
    if not folder.exists:
        return False
    with folder.write(workers=0) as writer:
        assert writer.store.size == OPENING
        assert writer.engine.submit(fill(0)).index == OPENING
    return sound(folder) == OPENING + 1


def attempt(server: Server, folder: LedgerFolder, chosen: Order) -> tuple[int, bool]:
    """Make a ledger in an empty folder, be killed, and make it again where there is none."""
    shutil.rmtree(folder.path, ignore_errors=True)
    life = server.carry_out(chosen)
    there = made(folder)
    if not there:
        again = server.carry_out(Order(folder=chosen.folder, task="create"))
        assert again.status == 0, chosen
        assert made(folder), chosen
    return life.status, there


def test_a_ledger_is_made_whole_or_can_be_made_again(server: Server, folder: LedgerFolder) -> None:
    outcomes: Counter[tuple[int, bool]] = Counter()
    path = str(folder.path)
    for step in range(1, 10_000):
        outcome = attempt(server, folder, Order(folder=path, task="create", kill_at=step))
        outcomes[outcome] += 1
        if outcome == (0, True):
            break
    for limit in (*range(0, 50, 7), *range(50, 100_000, 2999)):
        outcomes[attempt(server, folder, Order(folder=path, task="create", file_limit=limit))] += 1
    assert outcomes[-signal.SIGKILL, False] > 20
    assert outcomes[-signal.SIGXFSZ, False] > 20
    assert outcomes[0, False] == 0
