"""The store: whole blocks or nothing, and readers who see one block at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.ledger.growing import add_block, begin, grow, in_memory, next_block, on_disk, raw, raws
from tests.ledger.toy import JARS, Jar, machine
from tests.support.refusals import refused

from wattproof.core.errors import Broken, Unavailable
from wattproof.ledger import merkle
from wattproof.ledger.chain import Chain
from wattproof.ledger.store import Block, Store
from wattproof.ledger.transaction import transaction_id

TOY = machine()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def chain(path: Path) -> Iterator[Chain]:
    """A ledger of 300 entries that is open for writing."""
    store = Store.create(path, TOY.collections)
    chain = begin(store, TOY)
    grow(chain, 300)
    yield chain
    store.close()


def contents(path: Path) -> list[str]:
    """Every table and row of the file."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_there_must_be_a_ledger(path: Path) -> None:
    for missing in (path, path.parent):
        with pytest.raises(Unavailable, match=r"store\.missing.*wattproof init"):
            Store.open(missing, TOY.collections)


@pytest.mark.parametrize("data", [b"", b"not a database" * 100, b"SQLite format 3\0" + bytes(4080)])
def test_other_files_are_not_ledgers(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    refused("store.format", lambda: Store.open(path, TOY.collections))


def test_another_format_is_not_read(path: Path) -> None:
    on_disk(path, 2)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    refused("store.format", lambda: Store.open(path, TOY.collections))


def test_an_empty_store(path: Path) -> None:
    store = Store.create(path, TOY.collections)
    assert (store.size, store.latest_block(), store.block(0)) == (0, None, None)
    assert not [*store.entries(0, 10), *store.blocks(), *store.tiles()]
    assert store.find_entry(bytes(32)) is None
    assert store.known([]) == []
    refused("store.entry_missing", lambda: store.entry(0))
    assert store.integrity_problems() == []
    store.close()
    store.close()


def test_entries_and_blocks_are_found(chain: Chain) -> None:
    store = chain.store
    ids = [transaction_id(item) for item in raws(0, 299)]
    strangers = [bytes((n % 256, n // 256)) * 16 for n in range(1200)]
    assert sorted(store.known([*strangers, *ids])) == sorted(ids)
    entry = store.find_entry(ids[41])
    assert entry is not None
    assert entry == store.entry(42)
    assert [item.index for item in store.entries(290, 50)] == list(range(290, 300))
    assert store.entries(300, 5) == []
    blocks = list(store.blocks())
    assert [block.height for block in blocks] == list(range(len(blocks)))
    assert store.latest_block() == blocks[-1] == store.block(blocks[-1].height)
    assert store.block(len(blocks)) is None


def test_a_tile_is_read_or_computed(chain: Chain) -> None:
    store = chain.store
    hashes = [merkle.leaf_hash(entry.leaf) for entry in store.entries(0, 300)]
    assert store.tile(0, 0) == b"".join(hashes[:256])
    assert store.tile(0, 0, 3) == b"".join(hashes[:3])
    assert store.tile(0, 1, 44) == b"".join(hashes[256:])
    assert store.tile(1, 0, 1) == merkle.root_of(hashes[:256])
    assert [(tile.level, tile.index) for tile in store.tiles()] == [(0, 0)]
    refused("store.entry_missing", lambda: store.tile(0, 1, 45))
    refused("store.entry_missing", lambda: store.tile(1, 0, 2))


@pytest.mark.parametrize("table", ["entry", "tile", "block", "state_jars"])
def test_a_block_is_written_whole_or_not_at_all(chain: Chain, path: Path, table: str) -> None:
    """Whichever of its statements fails, nothing of the block is left, and the next one fits."""
    before = contents(path)
    grow_by = raws(299, 230)  # fills a tile
    pending = next_block(chain, grow_by)
    with sqlite3.connect(path) as other:
        other.execute(
            f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(sqlite3.IntegrityError, match="no"):
        chain.commit(pending)
    with sqlite3.connect(path) as other:
        other.execute("DROP TRIGGER no")
    other.close()
    assert contents(path) == before
    chain.reload()
    add_block(chain, grow_by)
    twin = in_memory(300)
    add_block(twin, grow_by)
    assert chain.store.latest_block() == twin.store.latest_block()


def test_no_room_for_a_block(chain: Chain, path: Path) -> None:
    before = contents(path)
    connection = chain.store._connect()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        add_block(chain, raws(299, 600))
    assert contents(path) == before
    chain.reload()
    connection.execute("PRAGMA max_page_count = 1000000")
    add_block(chain, raws(299, 600))
    assert chain.store.size == 900


def test_readers_see_a_block_when_it_is_committed(chain: Chain, path: Path) -> None:
    reader = Store.open(path, TOY.collections)
    pending = next_block(chain, raws(299, 5))
    assert reader.size == 300
    chain.commit(pending)
    assert reader.size == 305
    assert reader.find_entry(transaction_id(raw(303))) is not None
    assert reader.get(JARS, "vat") == chain.state.get(JARS, "vat")
    reader.close()


def test_a_snapshot_holds_one_block_in_view(chain: Chain, path: Path) -> None:
    reader = Store.open(path, TOY.collections)
    with reader.snapshot():
        before = (reader.size, list(reader.scan(JARS)))
        add_block(chain, raws(299, 40))
        assert (reader.size, list(reader.scan(JARS))) == before
        with ThreadPoolExecutor(1) as other:
            assert other.submit(lambda: reader.size).result() == 340
    assert reader.size == 340
    with pytest.raises(ZeroDivisionError), reader.snapshot():
        raise ZeroDivisionError
    add_block(chain, raws(339, 1))
    assert reader.size == 341
    reader.close()


def test_readers_in_many_threads_see_whole_blocks(chain: Chain, path: Path) -> None:
    reader = Store.open(path, TOY.collections)
    stop = threading.Event()

    def look() -> int:
        seen = 0
        while not stop.is_set():
            with reader.snapshot():
                block = reader.latest_block()
                assert block is not None
                assert block.size == reader.entries(block.size - 1, 9)[-1].index + 1
            seen += 1
        return seen

    with ThreadPoolExecutor(4) as threads:
        looks = [threads.submit(look) for _ in range(4)]
        for number in range(60):
            add_block(chain, raws(299 + number, 1))
        stop.set()
        assert all(look.result() > 0 for look in looks)
    reader.close()


def test_a_reader_cannot_write(path: Path) -> None:
    on_disk(path, 3)
    reader = Store.open(path, TOY.collections)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.commit(block(9), entries=(), tiles=(), writes=())
    reader.close()


def block(height: int) -> Block:
    return Block(height=height, time_ms=0, size=0, writes_hash=b"", app_hash=b"", checkpoint="")


def open_files() -> list[Path]:
    return [link.resolve() for link in Path("/proc/self/fd").iterdir()]


def test_threads_that_end_leave_no_connection(chain: Chain) -> None:
    def run(look: Callable[[], object]) -> None:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    run(lambda: chain.store.size)
    before = len(open_files())
    for _ in range(20):
        run(lambda: chain.store.size)
    assert len(open_files()) == before


def test_close_closes_the_connections_of_all_threads(chain: Chain, path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: chain.store.size, range(30)))
        chain.store.close()
        assert not path.with_name("ledger.db-wal").exists()
        assert path not in open_files()


def test_state_rows_are_put_and_dropped(chain: Chain) -> None:
    rows = {row[0].decode(): row for row in chain.store.columns(JARS)}
    jar = chain.store.get(JARS, "vat")
    assert jar is not None
    assert rows["vat"][:3] == (b"vat", jar.shelf.encode(), JARS.encode(jar))
    assert [name for name in rows if name.startswith("cup-")] == ["cup-49"]  # emptied next
    assert [jar.name for jar in chain.store.scan(JARS)] == sorted(rows)
    low = chain.store.find(JARS, "shelf", "low")
    assert low == [jar for jar in chain.store.scan(JARS) if jar.shelf == "low"]
    assert list(chain.store.scan(JARS, "vat")) == [jar]
    assert chain.store.get(JARS, "nothing") is None


def test_pages_of_a_collection(chain: Chain) -> None:
    store = chain.store
    everything = list(store.scan(JARS))
    for limit in (1, 3, 100):
        found: list[Jar] = []
        while page := store.page(JARS, after=(found[-1].name,) if found else None, limit=limit):
            assert len(page) <= limit
            found += page
        assert found == everything
    low = store.find(JARS, "shelf", "low")
    assert store.page(JARS, "shelf", ("low",), after=(low[0].name,), limit=2) == low[1:3]


def test_damage_is_found_by_sqlite_itself(path: Path) -> None:
    on_disk(path, 300)
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 4] = bytes(4096)
    path.write_bytes(data)
    store = Store.open(path, TOY.collections)
    assert store.integrity_problems()
    store.close()
    data[100:4096] = bytes(3996)  # the list of tables
    path.write_bytes(data)
    refused("store.format", lambda: Store.open(path, TOY.collections))


@pytest.mark.parametrize("change", ["zeroblob(8191)", "zeroblob(8193)", "x''"])
def test_a_tile_of_another_length_is_broken(chain: Chain, change: str) -> None:
    chain.store._connect().execute(f"UPDATE tile SET hashes = {change}")
    with pytest.raises(Broken):
        chain.store.tile(0, 0)
