"""The embedded engine: all that every engine does, group commit, and disks that are full."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from tests.engines.conformance import EngineConformance, Reopen, fill, receipts
from tests.ledger.growing import LOG, START_MS, begin, raw, raws
from tests.ledger.toy import JARS, machine

from wattproof.core.errors import Broken, Unavailable, WattProofError
from wattproof.engines.embedded import BLOCK_LIMIT, EmbeddedEngine
from wattproof.engines.verifier import Verifier
from wattproof.ledger.chain import Chain, Receipt
from wattproof.ledger.fsck import audit
from wattproof.ledger.store import Store

TOY = machine()


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now_ms = START_MS + 5

    def __call__(self) -> int:
        return self.now_ms


class Node:
    """An engine over a store on disk, and a reader beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.store = Store.create(path, TOY.collections)
        begin(self.store, TOY)
        self.engine = self.new_engine()
        self.reader = Store.open(path, TOY.collections)

    def new_engine(self) -> EmbeddedEngine:
        chain = Chain(self.store, TOY, log_key=LOG)
        return EmbeddedEngine(chain, clock_ms=self.clock, workers=0)

    def reopen(self) -> EmbeddedEngine:
        self.engine.close()
        self.store.close()
        self.store = Store.open(self.path, TOY.collections, write=True)
        self.engine = self.new_engine()
        return self.engine

    def close(self) -> None:
        self.engine.close()
        self.store.close()
        self.reader.close()

    def audited(self) -> bool:
        report = audit(
            self.reader,
            TOY,
            check_many=lambda id_: Verifier(TOY.codec, ledger_id=id_, workers=0).check_many,
        )
        assert report.first_break is None, report.first_break
        return report.ok


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "ledger.db")
    yield node
    node.close()


class TestEmbedded(EngineConformance):
    """The conformance suite, unchanged."""

    @pytest.fixture
    def engine(self, node: Node) -> EmbeddedEngine:
        return node.engine

    @pytest.fixture
    def reopen(self, node: Node) -> Reopen:
        return node.reopen

    @pytest.fixture
    def reader(self, node: Node) -> Store:
        return node.reader


def test_concurrent_submitters_share_a_commit(node: Node) -> None:
    def submit(part: int) -> None:
        for number in range(10):
            node.engine.submit(fill(part * 100 + number))

    with ThreadPoolExecutor(32) as threads:
        list(threads.map(submit, range(32)))
    blocks = list(node.reader.blocks())
    assert node.reader.size == 321
    assert len(blocks) < 200
    assert node.audited()


def test_a_block_has_a_limit(node: Node) -> None:
    with ThreadPoolExecutor(8) as threads:
        parts = [[fill(part * 1000 + n) for n in range(500)] for part in range(8)]
        for answers in threads.map(node.engine.submit_many, parts):
            receipts(answers)
    sizes = [block.size for block in node.reader.blocks()]
    steps = [after - before for before, after in pairwise(sizes)]
    assert sum(steps) == 4000
    assert max(steps) <= BLOCK_LIMIT
    assert len(steps) < 100
    assert node.audited()


def test_refusals_alone_make_no_block(node: Node) -> None:
    node.engine.submit(raw(0))
    height = node.engine.submit(raw(1)).height
    with pytest.raises(WattProofError):
        node.engine.submit(b"x")
    node.engine.submit(raw(0))
    assert node.engine.submit(raw(2)).height == height + 1


def test_block_time_is_the_clocks_unless_it_went_back(node: Node) -> None:
    times = []
    for number, now in enumerate([5, 9, 3, -10_000, 20]):
        node.clock.now_ms = START_MS + now
        times.append(node.engine.submit(raw(number)).time_ms - START_MS)
    assert times == [5, 9, 9, 9, 20]


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: as a full disk, and as real."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 24, 100, 4096, 4120, 5000, 9000])
def test_a_full_disk_loses_nothing_and_is_recovered_from(node: Node, room: int) -> None:
    """The write-ahead log has room for so many bytes more, which end anywhere in a block."""
    items = [fill(number) for number in range(300)]
    kept = receipts(node.engine.submit_many(items[:200]))
    with file_limit(node.path.with_name("ledger.db-wal").stat().st_size + room):
        codes = set()
        for item in items[200:206]:
            with pytest.raises(Unavailable) as caught:
                node.engine.submit(item)
            codes.add(caught.value.code)
        assert codes == {"engine.not_written"}
        assert node.reader.size == 201
        again = node.engine.submit(items[5])
        assert again.view() == {**kept[5].view(), "first": False}
    more = receipts(node.engine.submit_many(items[200:]))
    assert [receipt.index for receipt in more] == list(range(201, 301))
    assert all(receipt.first for receipt in more)
    assert receipts(node.reopen().submit_many(items))[250].view() == {
        **more[50].view(),
        "first": False,
    }
    assert node.audited()


def test_a_full_disk_is_told_to_all_who_share_the_block(node: Node) -> None:
    node.engine.submit_many(raws(0, 50))
    with file_limit(node.path.with_name("ledger.db-wal").stat().st_size):
        answers = node.engine.submit_many([*raws(40, 20), b"", raw(3)])
    errors = [answer for answer in answers if isinstance(answer, WattProofError)]
    assert {error.code for error in errors} == {"engine.not_written"}
    assert len(set(map(id, errors))) == len(errors) == 22  # each may be raised in its own thread
    assert receipts(node.engine.submit_many(raws(50, 10)))[0].index == 51
    assert node.audited()


def test_a_ledger_that_cannot_be_read_for_a_while(node: Node) -> None:
    """Even taking everything anew from the store fails; the engine tries again with each block."""
    node.engine.submit_many(raws(0, 20))
    other = sqlite3.connect(node.path, isolation_level=None)
    for table, hidden in (("entry", "entry_away"), ("block", "block_away")):
        other.execute(f"ALTER TABLE {table} RENAME TO {hidden}")
        for number in (20, 21):
            with pytest.raises((Unavailable, Broken)):
                node.engine.submit(raw(number))
        other.execute(f"ALTER TABLE {hidden} RENAME TO {table}")
    other.close()
    assert node.engine.submit(raw(20)).index == 21
    # SQLite rewrote the definitions, quoted: that is seen, and nothing else is wrong.
    report = audit(node.reader, TOY, check_many=lambda _: lambda _: [])
    assert report.first_break is not None
    assert report.first_break.code == "audit.schema"


def test_a_lie_about_the_past_stops_the_engine_until_it_is_gone(node: Node) -> None:
    """After a failed block everything is read anew, and nothing is signed on a changed log."""
    node.engine.submit_many(raws(0, 20))
    other = sqlite3.connect(node.path, isolation_level=None)
    (leaf,) = other.execute("SELECT leaf FROM entry WHERE idx = 7").fetchone()
    other.execute("UPDATE entry SET leaf = x'83000040' WHERE idx = 7")
    with (
        file_limit(node.path.with_name("ledger.db-wal").stat().st_size),
        pytest.raises(Unavailable),
    ):
        node.engine.submit(raw(20))
    for _ in range(2):
        with pytest.raises(Broken) as caught:
            node.engine.submit(raw(20))
        assert caught.value.code == "chain.damaged"
    other.execute("UPDATE entry SET leaf = ? WHERE idx = 7", (leaf,))
    other.close()
    assert node.engine.submit(raw(20)).index == 21
    assert node.audited()


def test_many_blocks_in_one_submission(node: Node) -> None:
    answers = receipts(node.engine.submit_many([fill(n) for n in range(3000)]))
    assert [receipt.index for receipt in answers] == list(range(1, 3001))
    jar = node.reader.get(JARS, "jar")
    assert jar is not None
    assert jar.beans == 3000
    assert isinstance(answers[0], Receipt)
