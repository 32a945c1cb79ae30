"""The audit: every stored bit is looked at, and the first break is named."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.damaged import SIZE, Copies, audited, broken, checker, flip
from tests.ledger.growing import (
    GENESIS,
    KEY,
    LOG,
    OTHER,
    add_block,
    begin,
    grow,
    raws,
    signed,
)
from tests.ledger.toy import JARS, Fill, Jar, machine, signed_genesis

from wattproof.core.errors import Broken, ErrorCode
from wattproof.ledger.checkpoint import open_checkpoint, sign_checkpoint
from wattproof.ledger.fsck import audit
from wattproof.ledger.genesis import ledger_id_of, origin_of
from wattproof.ledger.leaf import leaf_of, leaf_parts
from wattproof.ledger.note import cosign_note
from wattproof.ledger.store import Store
from wattproof.ledger.tiles import TILE_WIDTH

TOY = machine()


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    return Copies(tmp_path_factory.mktemp("fsck"))


def test_a_sound_ledger(copies: Copies) -> None:
    seen: list[tuple[int, int]] = []
    store = Store.open(copies.sound, TOY.collections)
    finished: list[Jar | None] = []
    report = audit(
        store,
        TOY,
        check_many=checker,
        progress=lambda done, total: seen.append((done, total)),
        finish=lambda mirror: finished.append(mirror.get(JARS, "vat")),
    )
    latest = store.latest_block()
    assert latest is not None
    checkpoint = open_checkpoint(
        latest.checkpoint, name=origin_of(ledger_id_of(GENESIS)), public=LOG.public
    )
    assert (report.ok, report.first_break) == (True, None)
    assert (report.entries, report.signatures) == (SIZE, SIZE)
    assert report.root == checkpoint.root.hex()
    assert seen[-1] == (SIZE, SIZE)
    assert finished == [store.get(JARS, "vat")]
    store.close()


SAMPLE = (0, 1, 2, 254, 255, 256, 300, 511, 512, 513, 598, 599)


@pytest.mark.parametrize("index", SAMPLE)
@pytest.mark.parametrize("column", ["id", "leaf", "result"])
def test_a_bit_of_an_entry(copies: Copies, column: str, index: int) -> None:
    rng = random.Random(f"{column} {index}")
    for place in (0, 7, *(rng.randrange(10_000) for _ in range(5))):
        code, entry = broken(copies.flipped("entry", column, f"idx = {index}", place))
        assert entry == index, code
        assert (
            code
            in {
                "id": ("wrong_id",),
                "leaf": ("leaf_form", "not_taken", "wrong_id", "block_border"),
                "result": ("other_result",),
            }[column]
        )


def test_every_byte_of_one_leaf_and_one_result(copies: Copies) -> None:
    for column in ("leaf", "result"):
        for position in range(len(copies.value("entry", column, "idx = 300"))):
            report = copies.flipped("entry", column, "idx = 300", position * 8 + position % 8)
            assert broken(report)[1] == 300


@pytest.mark.parametrize("index", SAMPLE)
def test_an_entry_deleted_moved_or_copied(copies: Copies, index: int) -> None:
    assert broken(copies.changed(f"DELETE FROM entry WHERE idx = {index}")) == (
        "entry_missing",
        index,
    )
    moved = broken(copies.changed(f"UPDATE entry SET idx = 5000 WHERE idx = {index}"))
    assert moved == ("entry_missing", index)
    copied = copies.changed(
        f"INSERT INTO entry SELECT 600, zeroblob(32), leaf, result FROM entry WHERE idx = {index}"
    )
    assert broken(copied) == ("extra_entry", 600)


@pytest.mark.parametrize("index", [600, 700, 2**62, -1, -(2**63)])
def test_an_entry_added(copies: Copies, index: int) -> None:
    sql = f"INSERT INTO entry VALUES ({index}, x'00', x'83000040', x'00')"
    assert broken(copies.changed(sql)) == ("extra_entry", index)


@pytest.mark.parametrize(
    ("left", "right"), [(0, 1), (1, 2), (5, 500), (255, 256), (511, 512), (598, 599), (40, 41)]
)
def test_two_entries_swapped(copies: Copies, left: int, right: int) -> None:
    for columns in (["leaf"], ["id"], ["result"], ["leaf", "id"], ["leaf", "id", "result"]):
        rows = [[copies.value("entry", c, f"idx = {i}") for c in columns] for i in (left, right)]
        if rows[0] == rows[1]:
            continue
        names = ", ".join(f"{column} = ?" for column in columns)
        report = copies.changed(
            f"UPDATE entry SET id = x'01' WHERE idx = {right}",
            (f"UPDATE entry SET {names} WHERE idx = {left}", tuple(rows[1])),
            (f"UPDATE entry SET {names} WHERE idx = {right}", tuple(rows[0])),
        )
        assert broken(report)[1] == left, columns


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_of_several_broken_entries_the_first_is_named(copies: Copies, data: st.DataObject) -> None:
    changes = data.draw(
        st.lists(
            st.tuples(st.integers(0, SIZE - 1), st.sampled_from(["id", "leaf", "result"])),
            min_size=2,
            max_size=3,
            unique_by=lambda change: change[0],
        )
    )
    statements: list[tuple[str, tuple[Any, ...]]] = []
    for index, column in changes:
        value = flip(
            copies.value("entry", column, f"idx = {index}"), data.draw(st.integers(0, 999))
        )
        statements.append((f"UPDATE entry SET {column} = ? WHERE idx = {index}", (value,)))
    report = copies.changed(*statements)
    first = min(index for index, _ in changes)
    assert broken(report)[1] == first
    assert report.entries == copies.first_of(copies.block_of(first))


@pytest.mark.parametrize("index", [0, 1])
def test_a_bit_of_a_tile(copies: Copies, index: int) -> None:
    rng = random.Random(index)
    for place in (0, 8191 * 8, *(rng.randrange(8192 * 8) for _ in range(12))):
        report = copies.flipped("tile", "hashes", f"idx = {index}", place)
        assert broken(report) == ("tile", index * TILE_WIDTH)
    for column in ("idx", "level"):
        for place in (0, 2, 40, 63):
            report = copies.flipped("tile", column, f"idx = {index}", place)
            assert report is None or broken(report) == ("tile", index * TILE_WIDTH)


def test_a_tile_deleted_added_or_swapped(copies: Copies) -> None:
    for index in (0, 1):
        report = copies.changed(f"DELETE FROM tile WHERE idx = {index}")
        assert broken(report) == ("tile", index * TILE_WIDTH)
    for level, index in ((0, 2), (1, 0), (0, -1), (-1, 5), (7, 7)):
        report = copies.changed(f"INSERT INTO tile VALUES ({level}, {index}, zeroblob(8192))")
        assert broken(report) == ("extra_tile", None)
        assert report.first_break is not None
        assert report.first_break.why.startswith(f"Tile {index} of level {level} ")
    swapped = copies.changed("UPDATE tile SET idx = idx - 9", "UPDATE tile SET idx = -8 - idx")
    assert broken(swapped) == ("tile", 0)
    for change in ("CAST(hashes || x'00' AS BLOB)", "substr(hashes, 1, 8191)", "x''"):
        report = copies.changed(f"UPDATE tile SET hashes = {change} WHERE idx = 1")
        assert broken(report) == ("tile", 256)


BLOCK_COLUMNS = ("height", "time_ms", "size", "writes_hash", "app_hash", "checkpoint")


@pytest.mark.parametrize("column", BLOCK_COLUMNS)
def test_a_bit_of_a_block(copies: Copies, column: str) -> None:
    rng = random.Random(column)
    last = len(copies.heights) - 1
    for height in (0, 1, 3, last // 2, last):
        for place in (0, 1, 7, 12, 62, 63, *(rng.randrange(4000) for _ in range(4))):
            report = copies.flipped("block", column, f"height = {height}", place)
            if report is None:
                continue  # there is a block at that height
            code, entry = broken(report)
            # A larger size is seen at the first entry that is not the block's own.
            allowed = {copies.first_of(height), copies.heights[height][1]}
            if column == "height" and place % 64 == 63:
                allowed = {0}  # a block at a negative height stands before all others
            assert entry in allowed, (height, place, code)


def test_a_block_deleted_added_or_swapped(copies: Copies) -> None:
    last = len(copies.heights) - 1
    for height in (0, 1, 5, last // 2, last):
        code, entry = broken(copies.changed(f"DELETE FROM block WHERE height = {height}"))
        assert entry == copies.first_of(height), code
    assert broken(copies.changed("DELETE FROM block")) == ("extra_entry", 0)
    columns = ", ".join(BLOCK_COLUMNS[1:])
    for height, shown in ((last + 1, SIZE), (-1, 0), (last + 900, SIZE)):
        sql = f"INSERT INTO block SELECT {height}, {columns} FROM block WHERE height = {last}"
        assert broken(copies.changed(sql)) == ("block_row", shown)
    for left, right in ((0, 1), (4, 5), (5, last)):
        swapped = copies.changed(
            f"UPDATE block SET height = -7 WHERE height = {left}",
            f"UPDATE block SET height = {left} WHERE height = {right}",
            f"UPDATE block SET height = {right} WHERE height = -7",
        )
        assert broken(swapped)[1] in (copies.first_of(left), copies.heights[left][1])


def test_a_checkpoint_that_says_more_or_something_else(copies: Copies) -> None:
    text = copies.value("block", "checkpoint", "height = 9").decode()
    body = open_checkpoint(text, name=origin_of(ledger_id_of(GENESIS)), public=LOG.public)
    height_8 = copies.value("block", "checkpoint", "height = 8").decode()
    first = copies.first_of(9)
    for other in (
        cosign_note(text, OTHER, name="witness"),
        sign_checkpoint(body, OTHER, body.origin),
        text + "\n",
        text.replace("\n\n", "\n \n"),
        text[:-1],
        height_8,
        "",
    ):
        report = copies.changed(("UPDATE block SET checkpoint = ? WHERE height = 9", (other,)))
        code, entry = broken(report)
        assert code in ("checkpoint", "other_checkpoint")
        assert entry == first


STATE_COLUMNS = ("name", "shelf", "value", "entry")


@pytest.mark.parametrize("column", STATE_COLUMNS)
def test_a_bit_of_a_row_of_the_state(copies: Copies, column: str) -> None:
    rng = random.Random(column)
    for jar in copies.jars[::6]:
        where = f"name = '{jar}'"
        entry = copies.value("state_jars", "entry", where)
        for place in (0, 7, *(rng.randrange(400) for _ in range(3))):
            report = copies.flipped("state_jars", column, where, place)
            if report is None:
                continue  # there is a row of that name
            assert broken(report) == ("state_row", entry)
            assert report.first_break is not None
            assert f"row {jar} of jars" in report.first_break.why


def test_a_row_of_the_state_deleted_added_or_swapped(copies: Copies) -> None:
    entries = {jar: copies.value("state_jars", "entry", f"name = '{jar}'") for jar in copies.jars}
    for jar in copies.jars[::5]:
        report = copies.changed(f"DELETE FROM state_jars WHERE name = '{jar}'")
        assert broken(report) == ("state_row", entries[jar])
    for name in ("", "aaa", "vat2", "zzz"):
        value = JARS.encode(Jar(name=name, shelf="low"))
        report = copies.changed(("INSERT INTO state_jars VALUES (?, 'low', ?, 77)", (name, value)))
        assert broken(report) == ("extra_row", None)
        assert report.first_break is not None
        assert f"row {name} of jars" in report.first_break.why
    for left, right in ((0, 1), (2, -1)):
        names = copies.jars[left], copies.jars[right]
        values = [copies.value("state_jars", "value", f"name = '{name}'") for name in names]
        report = copies.changed(
            ("UPDATE state_jars SET value = ? WHERE name = ?", (values[1], names[0])),
            ("UPDATE state_jars SET value = ? WHERE name = ?", (values[0], names[1])),
        )
        assert broken(report) == ("state_row", min(entries[name] for name in names))
    assert broken(copies.changed("DELETE FROM state_jars")) == (
        "state_row",
        min(entries.values()),
    )


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX state_jars_shelf",
        "DROP TABLE state_jars",
        "DROP TABLE tile",
        "CREATE TABLE other(a)",
        "CREATE INDEX more ON entry(leaf)",
        "CREATE VIEW seen AS SELECT * FROM entry",
        "CREATE TRIGGER quiet AFTER INSERT ON entry BEGIN DELETE FROM entry; END",
        "ALTER TABLE block ADD COLUMN note TEXT",
        "ALTER TABLE tile RENAME COLUMN hashes TO hash",
        "ANALYZE",
    ],
)
def test_other_tables_than_a_ledger_has(copies: Copies, change: str) -> None:
    assert broken(copies.changed(change)) == ("schema", None)


def rewritten_index(path: Path) -> None:
    """Make an index of another order than its definition says, as a careless tool might."""
    connection = sqlite3.connect(path, isolation_level=None)
    sql = "SELECT sql FROM sqlite_master WHERE name = 'state_jars_shelf'"
    (before,) = connection.execute(sql).fetchone()
    connection.execute("DROP INDEX state_jars_shelf")
    connection.execute("CREATE INDEX state_jars_shelf ON state_jars(shelf DESC)")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_master SET sql = ? WHERE name = 'state_jars_shelf'", (before,)
    )
    connection.close()


def test_an_index_that_does_not_fit_its_table(copies: Copies) -> None:
    copies.refresh()
    rewritten_index(copies.copy)
    assert broken(audited(copies.copy)) == ("damaged", None)


def test_another_genesis(copies: Copies) -> None:
    leaf = copies.value("entry", "leaf", "idx = 0")
    height, time_ms, _ = leaf_parts(leaf)
    for opening in (signed_genesis(OTHER, LOG), signed_genesis(KEY, OTHER)):
        other = leaf_of(opening, height=height, time_ms=time_ms)
        report = copies.changed(
            (
                "UPDATE entry SET leaf = ?, id = ? WHERE idx = 0",
                (other, ledger_id_of(opening)),
            )
        )
        assert broken(report)[1] == 0
    not_genesis = leaf_of(raws(0, 1)[0], height=height, time_ms=time_ms)
    report = copies.changed(("UPDATE entry SET leaf = ? WHERE idx = 0", (not_genesis,)))
    assert broken(report) == ("not_taken", 0)


def test_a_transaction_replaced_by_another_that_is_signed(copies: Copies) -> None:
    """Whoever holds a signer's key cannot rewrite what the log has committed to."""
    leaf = copies.value("entry", "leaf", "idx = 310")
    height, time_ms, raw = leaf_parts(leaf)
    other = signed(Fill(jar="jar-1", shelf="low", beans=1), 999_999)
    report = copies.changed(
        (
            "UPDATE entry SET leaf = ?, id = ? WHERE idx = 310",
            (leaf_of(other, height=height, time_ms=time_ms), ledger_id_of(other)),
        )
    )
    code, entry = broken(report)
    assert code == "other_result"
    assert entry == 310
    assert raw != other


@pytest.mark.parametrize("kept", [1, 100, 256, 512, 599])
def test_a_tail_cut_off(copies: Copies, kept: int) -> None:
    """Entries, or entries with their blocks and tiles, are gone: the state still remembers."""
    assert broken(copies.changed(f"DELETE FROM entry WHERE idx >= {kept}")) == (
        "entry_missing",
        kept,
    )
    height = copies.block_of(kept)
    first = copies.first_of(height)
    report = copies.changed(
        f"DELETE FROM entry WHERE idx >= {first}",
        f"DELETE FROM block WHERE height >= {height}",
        f"UPDATE tile SET idx = idx WHERE idx < {max(1, first // TILE_WIDTH)}",
    )
    code, entry = broken(report)
    assert code in ("extra_tile", "state_row", "extra_row")
    assert report.entries == first
    assert entry is None or entry < first


def test_the_ledger_may_be_written_to_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    store = Store.create(path, TOY.collections)
    chain = begin(store, TOY)
    grow(chain, 100)
    reader = Store.open(path, TOY.collections)

    def write(done: int, total: int) -> None:
        if done < total:
            add_block(chain, raws(chain.size - 1, 3))

    report = audit(reader, TOY, check_many=checker, progress=write)
    assert (report.ok, report.entries) == (True, 100), report.first_break
    report = audit(reader, TOY, check_many=checker)
    assert (report.ok, report.entries) == (True, chain.size), report.first_break
    reader.close()
    store.close()


ODD = ErrorCode(Broken, "tests.fsck.odd", en="The sum is {sum}.", zh="合计为 {sum}。")


def test_a_check_of_the_callers_own(copies: Copies) -> None:
    def odd(_: Store) -> None:
        raise ODD(sum=1)

    store = Store.open(copies.sound, TOY.collections)
    report = audit(store, TOY, check_many=checker, finish=odd)
    store.close()
    assert broken(report) == ("tests.fsck.odd", None)


def test_a_ledger_without_entries(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Store.create(path, TOY.collections).close()
    assert broken(audited(path)) == ("entry_missing", 0)


def contents(path: Path) -> list[Any]:
    """All that a file holds: its tables' definitions and every value of every row, with types."""
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    try:
        tables = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
        ).fetchall()
        rows = [
            sorted(connection.execute(f'SELECT * FROM "{name.decode()}"').fetchall())
            for kind, name, *_ in tables
            if kind == b"table"
        ]
        return [tables, rows]
    finally:
        connection.close()


def test_flips_in_the_file_itself(copies: Copies) -> None:
    """Either the audit finds a flipped bit, or the bit held nothing: all content is the same."""
    rng = random.Random(11)
    data = copies.sound.read_bytes()
    sound = contents(copies.sound)
    found = 0
    places = [rng.randrange(100 * 8) for _ in range(40)]  # SQLite's header
    places += [rng.randrange(len(data) * 8) for _ in range(260)]
    for place in places:
        copies.refresh()
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        copies.copy.write_bytes(changed)
        try:
            report = audited(copies.copy)
        except Broken:
            found += 1
            continue
        if report.ok:
            assert contents(copies.copy) == sound, place
        else:
            found += 1
    assert found > 200
