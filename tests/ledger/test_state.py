"""The state against a dictionary, over nothing and over a real store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wattproof.ledger.state import (
    Collection,
    Key,
    Record,
    Row,
    RowSource,
    State,
    Write,
    hash_writes,
)
from wattproof.ledger.store import Block, Store


class Crate(Record):
    aisle: int
    label: str
    colour: str = "plain"
    mark: bytes = b""
    lids: tuple[int, ...] = ()


class Plain(Record):
    id: bytes
    owner: str | None = None


CRATES = Collection(
    "crates",
    Crate,
    key=("aisle", "label"),
    indexes={"colour": ("colour", "aisle"), "mark": ("mark",)},
)
PLAINS = Collection("plains", Plain, key=("id",))

AISLES = st.sampled_from([-(2**63), 0, 2**63 - 1])
LABELS = st.sampled_from(["", "aa", "a\x00b", "电", "\N{ELECTRIC PLUG}"])
COLOURS = st.sampled_from(["plain", "red", "", "红"])
MARKS = st.sampled_from([b"", b"\x00", b"\x00\xff", b"z"])
CRATE = st.builds(
    Crate, aisle=AISLES, label=LABELS, colour=COLOURS, mark=MARKS,
    lids=st.lists(st.integers(-5, 5), max_size=2).map(tuple),
)  # fmt: skip


class Model:
    """What the state must agree with: dictionaries, copied whole for an undo."""

    def __init__(self) -> None:
        self.rows: dict[Key, tuple[Crate, int]] = {}
        self.kept: dict[Key, tuple[Crate, int]] = {}
        self.touched: dict[Key, int] = {}
        self.kept_touched: dict[Key, int] = {}

    def records(self, fits: Callable[[Crate], bool]) -> list[Crate]:
        return [self.rows[key][0] for key in sorted(self.rows) if fits(self.rows[key][0])]


class StateMachine(RuleBasedStateMachine):
    """Puts, deletes and reads, in transactions that are kept or undone, in blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.state = State(self.source(), cache_records=3)
        self.state.entry = 1

    def source(self) -> RowSource:
        raise NotImplementedError

    def restarted(self) -> RowSource:
        raise NotImplementedError

    def commit(self, writes: list[Write]) -> None:
        raise NotImplementedError

    @rule(crate=CRATE)
    def put(self, crate: Crate) -> None:
        self.state.put(CRATES, crate)
        key = (crate.aisle, crate.label)
        self.model.rows[key] = (crate, self.state.entry)
        self.model.touched[key] = self.state.entry

    @rule(aisle=AISLES, label=LABELS)
    def delete(self, aisle: int, label: str) -> None:
        if (aisle, label) in self.model.rows:
            self.state.delete(CRATES, aisle, label)
            del self.model.rows[aisle, label]
            self.model.touched[aisle, label] = self.state.entry
        else:
            with pytest.raises(AssertionError, match="to delete"):
                self.state.delete(CRATES, aisle, label)

    @rule(aisle=AISLES, label=LABELS)
    def get(self, aisle: int, label: str) -> None:
        found = self.model.rows.get((aisle, label))
        assert self.state.get(CRATES, aisle, label) == (found[0] if found else None)

    @rule(colour=COLOURS, aisle=AISLES, mark=MARKS)
    def find(self, colour: str, aisle: int, mark: bytes) -> None:
        model = self.model.records
        assert self.state.find(CRATES, "colour", colour) == model(lambda c: c.colour == colour)
        assert self.state.find(CRATES, "colour", colour, aisle) == model(
            lambda c: (c.colour, c.aisle) == (colour, aisle)
        )
        assert self.state.find(CRATES, "mark", mark) == model(lambda c: c.mark == mark)

    @rule(aisle=AISLES, label=LABELS)
    def scan(self, aisle: int, label: str) -> None:
        model = self.model.records
        assert list(self.state.scan(CRATES, aisle)) == model(lambda c: c.aisle == aisle)
        assert list(self.state.scan(CRATES, aisle, label)) == model(
            lambda c: (c.aisle, c.label) == (aisle, label)
        )

    @rule()
    def undo(self) -> None:
        self.state.undo()
        self.model.rows = dict(self.model.kept)
        self.model.touched = dict(self.model.kept_touched)

    @rule()
    def keep(self) -> None:
        self.state.keep()
        self.model.kept = dict(self.model.rows)
        self.model.kept_touched = dict(self.model.touched)
        self.state.entry += 1

    @rule()
    def end_block(self) -> None:
        self.keep()
        writes = self.state.take_writes()
        rows, touched = self.model.rows, self.model.touched
        expected = [
            Write(CRATES, key, crate, None if crate is None else CRATES.encode(crate), touched[key])
            for key in sorted(touched)
            for crate in [rows[key][0] if key in rows else None]
        ]
        assert writes == expected
        self.commit(writes)
        self.model.touched, self.model.kept_touched = {}, {}

    @rule()
    def restart(self) -> None:
        """What was not committed is gone, and nothing else."""
        self.end_block()
        entry = self.state.entry
        self.state = State(self.restarted(), cache_records=3)
        self.state.entry = entry

    @invariant()
    def everything_is_read_in_order(self) -> None:
        assert list(self.state.scan(CRATES)) == self.model.records(lambda _: True)


class Rows:
    """Committed rows in a dictionary."""

    def __init__(self) -> None:
        self.committed: dict[Key, Row] = {}

    def row(self, _: Collection[Any], key: Key) -> Row | None:
        return self.committed.get(key)

    def rows(
        self, collection: Collection[Any], fields: tuple[str, ...], values: Key
    ) -> list[bytes]:
        found = (self.committed[key].value for key in sorted(self.committed))
        return [
            value
            for value in found
            if tuple(getattr(collection.decode(value), field) for field in fields) == values
        ]


class OverRows(StateMachine):
    """Over a dictionary that begins empty."""

    def source(self) -> RowSource:
        self.beneath = Rows()
        return self.beneath

    def restarted(self) -> RowSource:
        return self.beneath

    def commit(self, writes: list[Write]) -> None:
        for write in writes:
            if write.value is None:
                self.beneath.committed.pop(write.key, None)
            else:
                self.beneath.committed[write.key] = Row(write.value, write.entry)


class OverStore(StateMachine):
    """Over the real store, whose rows must be those of the model, column by column."""

    def source(self) -> RowSource:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.store = Store.create(self.path, [CRATES])
        self.height = 0
        return self.store

    def restarted(self) -> RowSource:
        self.store.close()
        self.store = Store.open(self.path, [CRATES], write=True)
        return self.store

    def commit(self, writes: list[Write]) -> None:
        self.height += 1
        self.store.commit(block(self.height), entries=(), tiles=(), writes=writes)
        assert list(CRATES.columns) == ["aisle", "label", "colour", "mark"]
        rows = self.model.rows
        assert list(self.store.columns(CRATES)) == [
            (c.aisle, c.label.encode(), c.colour.encode(), c.mark, CRATES.encode(c), entry)
            for c, entry in (rows[key] for key in sorted(rows))
        ]

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


def block(height: int) -> Block:
    return Block(height=height, time_ms=0, size=0, writes_hash=b"", app_hash=b"", checkpoint="")


TestOverRows = OverRows.TestCase
TestOverRows.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestOverStore = OverStore.TestCase
TestOverStore.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


def test_undo_goes_back_over_all_writes_of_one_row() -> None:
    state = State(Rows())
    first, second, third = (Crate(aisle=1, label="a", colour=c) for c in ("red", "blue", "green"))
    state.put(CRATES, first)
    state.keep()
    state.put(CRATES, second)
    state.delete(CRATES, 1, "a")
    state.put(CRATES, third)
    state.undo()
    assert state.get(CRATES, 1, "a") == first
    assert [write.value for write in state.take_writes()] == [CRATES.encode(first)]


@pytest.mark.parametrize(
    ("aisle", "label"),
    [("1", "a"), (1, b"a"), (True, "a"), (1.0, "a"), (None, "a"), (1, 2)],
)
def test_a_key_of_another_type_is_a_bug_in_the_rule(aisle: Any, label: Any) -> None:
    state = State(Rows())
    with pytest.raises(AssertionError, match="is never"):
        state.get(CRATES, aisle, label)
    with pytest.raises(AssertionError, match="is never"):
        list(state.scan(CRATES, aisle, label))
    with pytest.raises(AssertionError):
        state.put(CRATES, Crate(aisle=aisle, label=label))
    with pytest.raises(AssertionError, match="is never"):
        state.find(CRATES, "colour", 5)
    with pytest.raises(AssertionError, match="too many"):
        state.find(CRATES, "mark", b"", b"")


@pytest.mark.parametrize(
    "crate",
    [
        Crate(aisle=2**63, label="a"),
        Crate(aisle=-(2**63) - 1, label="a"),
        Crate(aisle=1, label="a", lids=(2**64,)),
        Crate(aisle=1, label="a", lids=(object(),)),  # type: ignore[arg-type]
        Crate(aisle=1, label="\ud800"),
    ],
)
def test_a_record_that_cannot_be_stored_fails_at_once_and_leaves_nothing(crate: Crate) -> None:
    state = State(Rows())
    state.put(CRATES, Crate(aisle=0, label="kept"))
    with pytest.raises((OverflowError, TypeError, UnicodeEncodeError)):
        state.put(CRATES, crate)
    state.keep()
    assert [write.key for write in state.take_writes()] == [(0, "kept")]


def test_writes_come_by_collection_and_key() -> None:
    state = State(Rows())
    state.put(PLAINS, Plain(id=b"b"))
    state.put(CRATES, Crate(aisle=2, label="a"))
    state.put(PLAINS, Plain(id=b"a", owner="x"))
    state.put(CRATES, Crate(aisle=-2, label="b"))
    with pytest.raises(AssertionError, match="still open"):
        state.take_writes()
    state.keep()
    writes = state.take_writes()
    assert [(w.collection.name, w.key) for w in writes] == [
        ("crates", (-2, "b")),
        ("crates", (2, "a")),
        ("plains", (b"a",)),
        ("plains", (b"b",)),
    ]
    assert state.take_writes() == []


def test_a_field_with_its_default_is_not_stored() -> None:
    assert PLAINS.encode(Plain(id=b"a")) == b"\x81\xa2id\xc4\x01a"
    assert PLAINS.decode(b"\x81\xa2id\xc4\x01a") == Plain(id=b"a", owner=None)


def test_no_two_lists_of_writes_have_one_hash() -> None:
    def write(key: Key, value: bytes | None, *, entry: int = 1) -> Write:
        return Write(CRATES, key, None, value, entry)

    ways: list[tuple[list[bytes], list[Write]]] = [
        ([], []),
        ([b""], []),
        ([b"", b""], []),
        ([b"a", b"b"], []),
        ([b"ab"], []),
        ([], [write((1, "a"), b"v")]),
        ([], [write((1, "a"), None)]),
        ([], [write((1, "a"), b"")]),
        ([], [write((1, "a"), b"v", entry=2)]),
        ([], [write((1, b"a"), b"v")]),
        ([], [write((1, "a"), b"v"), write((1, "b"), b"v")]),
        ([], [write((1, "b"), b"v"), write((1, "a"), b"v")]),
        ([], [Write(PLAINS, (1, "a"), None, b"v", 1)]),
    ]
    assert len({hash_writes(results, writes) for results, writes in ways}) == len(ways)


class WithFloat(Record):
    id: str
    value: float


class WithMap(Record):
    id: str
    inner: dict[str, int]


class WithSet(Record):
    id: str
    inner: tuple[frozenset[int], ...]


@pytest.mark.parametrize("kind", [WithFloat, WithMap, WithSet])
def test_records_hold_what_has_one_encoding(kind: type[Record]) -> None:
    with pytest.raises(AssertionError, match="in a record"):
        Collection("refused", kind, key=("id",))


def test_keys_and_indexes_are_plain() -> None:
    with pytest.raises(AssertionError, match="cannot be a key"):
        Collection("refused", Plain, key=("id",), indexes={"owner": ("owner",)})
    with pytest.raises(AssertionError, match="cannot be a key"):
        Collection("refused", Crate, key=("lids",))
