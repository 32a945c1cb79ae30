"""The lake: what is appended is held, whatever is merged, removed, damaged or read meanwhile."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from tests.analytics.lakes import LEDGER_ID, Row, columns_of, held_rows, in_order, new_lake
from tests.support.refusals import refused

import wattproof.analytics.lake as lake_module
from wattproof.analytics.lake import Lake
from wattproof.analytics.manifest import MANIFEST
from wattproof.analytics.readings import READINGS
from wattproof.analytics.snapshot import Snapshot
from wattproof.core.errors import Broken


def fill(lake: Lake, count: int, *, first: int = 0) -> list[Row]:
    """One segment an entry: the rows that the lake then holds of these entries."""
    rows = [
        Row(meter=1 + entry % 3, start_s=900 * entry, amount=entry, entry=entry)
        for entry in range(first, first + count)
    ]
    for row in rows:
        lake.append(row.entry, row.entry + 1, {"readings": [columns_of([row])]})
    return rows


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".parquet", ".tmp"))


def test_an_empty_lake_touches_nothing(tmp_path: Path) -> None:
    lake = new_lake(tmp_path / "lake")
    assert lake.cursor == 0
    assert held_rows(lake) == []
    lake.verify()
    assert not (tmp_path / "lake").exists()


def test_what_is_appended_is_held(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    rows = fill(lake, 3)
    lake.append(3, 10, {}, tip="ab", names={"factor": ("a@1",)})
    again = new_lake(tmp_path)
    assert held_rows(again) == rows
    assert again.cursor == 10
    assert again.manifest.tip == "ab"
    assert again.manifest.names == {"factor": ("a@1",)}
    assert len(again.files("readings")) == 3
    again.verify()


def test_parts_become_one_sorted_segment(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    rows = [Row(meter=meter, start_s=meter * -1, amount=1, entry=0) for meter in (3, 1, 2)]
    lake.append(0, 1, {"readings": [columns_of(rows[:2]), columns_of(rows[2:])]})
    (path,) = lake.files("readings")
    held = duckdb.execute(f"SELECT meter FROM read_parquet('{path}')").fetchall()
    assert held == [(1,), (2,), (3,)]
    (segment,) = lake.manifest.segments
    assert segment.ranges == {"meter": (1, 3), "start_s": (-3, -1)}
    assert segment.rows == 3


def test_only_the_next_entries_fit(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    fill(lake, 2)
    for first, after in ((0, 1), (3, 4), (2, 2)):
        with pytest.raises(AssertionError, match="goes on"):
            lake.append(first, after, {})


def test_names_only_grow(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    lake.append(0, 1, {}, names={"factor": ("a",)})
    lake.append(1, 2, {}, names={"factor": ("a", "b"), "other": ("c",)})
    lake.append(2, 3, {})
    assert lake.manifest.names == {"factor": ("a", "b"), "other": ("c",)}
    with pytest.raises(AssertionError, match="factor changed"):
        lake.append(3, 4, {}, names={"factor": ("b", "a")})


@pytest.mark.parametrize(
    ("name", "array", "why"),
    [
        ("amount", np.zeros(2, np.int32), "is int32"),
        ("amount", np.zeros(3, np.int64), "differ in length"),
        ("amount", np.ma.MaskedArray(np.zeros(2, np.int64), [True, False]), "NULL in"),
        ("colour", np.zeros(2, np.int64), "readings has"),
    ],
)
def test_rows_that_do_not_fit_the_table(
    tmp_path: Path, name: str, array: np.ndarray[tuple[int], np.dtype[np.int64]], why: str
) -> None:
    rows = [Row(meter=1, start_s=0, amount=1), Row(meter=2, start_s=0, amount=1)]
    with pytest.raises(AssertionError, match=why):
        new_lake(tmp_path).append(0, 1, {"readings": [{**columns_of(rows), name: array}]})


def test_compaction_merges_neighbours_and_keeps_all_rows(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    rows = fill(lake, 7)
    assert lake.compact() == 0
    rows += fill(lake, 3, first=7)
    assert lake.compact() == 1
    assert held_rows(lake) == rows
    (segment,) = lake.manifest.segments
    assert (segment.first_entry, segment.next_entry, segment.rows) == (0, 10, 10)
    assert files_in(tmp_path) == [segment.file]
    rows += fill(lake, 2, first=10)
    assert lake.compact(fan=2) == 1
    assert held_rows(lake) == rows
    lake.verify()


def test_full_segments_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wattproof.analytics.segments.FULL_ROWS", 4)
    lake = new_lake(tmp_path)
    rows = fill(lake, 13)
    lake.compact(fan=2)
    assert [segment.rows for segment in lake.manifest.segments] == [4, 4, 4, 1]
    assert lake.compact(fan=2) == 0
    assert held_rows(lake) == rows


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=20), st.integers(2, 9), st.data())
def test_any_segmentation_holds_the_same(sizes: list[int], fan: int, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        lake, rows = new_lake(Path(folder)), []
        for entry, size in enumerate(sizes):
            new = [
                Row(meter=data.draw(st.integers(1, 4)), start_s=900 * i, amount=i, entry=entry)
                for i in range(size)
            ]
            lake.append(entry, entry + 1, {"readings": [columns_of(new)]})
            rows += new
            if data.draw(st.booleans()):
                lake.compact(fan=fan)
        assert held_rows(lake) == in_order(rows)
        spans = [(s.first_entry, s.next_entry) for s in lake.manifest.segments]
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        lake.verify()


def test_clear(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    fill(lake, 3)
    lake.clear()
    assert lake.cursor == 0
    assert files_in(tmp_path) == []
    assert held_rows(lake) == []


@pytest.mark.parametrize("other", [{"ledger_id": bytes(32)}, {"version": 2}])
def test_another_ledger_s_or_version_s_lake_counts_as_empty(
    tmp_path: Path, other: dict[str, object]
) -> None:
    fill(new_lake(tmp_path), 3)
    mine = new_lake(tmp_path, **other)  # type: ignore[arg-type]
    assert mine.cursor == 0
    assert held_rows(mine) == []
    rows = fill(mine, 2)
    assert held_rows(mine) == rows
    assert len(files_in(tmp_path)) == 2


def test_a_damaged_manifest_counts_as_empty(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    fill(lake, 3)
    manifest = tmp_path / MANIFEST
    whole = manifest.read_bytes()
    damages = [whole[:-20], b"", whole.replace(b'"cursor":3', b'"cursor":2'), b"\xff" + whole]
    for damaged in damages:
        manifest.write_bytes(damaged)
        assert new_lake(tmp_path).cursor == 0
    rows = fill(lake, 1)
    assert held_rows(lake) == rows
    assert len(files_in(tmp_path)) == 1


def test_files_that_are_not_the_lake_s_are_left_alone(tmp_path: Path) -> None:
    for name in ("notes.parquet", "readings-1.tmp", "letter.txt"):
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / "readings-000000000000-000000000001-0a0b0c0d.tmp").write_bytes(b"half")
    (tmp_path / "spill-999999999").mkdir()
    lake = new_lake(tmp_path)
    fill(lake, 1)
    lake.clear()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"notes.parquet", "readings-1.tmp", "letter.txt", MANIFEST, "lake.lock"}


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_file_is_named(tmp_path: Path, harm: str) -> None:
    lake = new_lake(tmp_path)
    fill(lake, 3)
    path = lake.files("readings")[1]
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(data if harm == "flip" else data[:-7])
    refused("lake.damaged", lake.verify)
    with pytest.raises(Broken, match=path.name):
        lake.compact(fan=2)
    if harm != "flip":
        refused("lake.damaged", lambda: held_rows(lake))


def test_a_reader_whose_files_go_reads_again(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    rows = fill(lake, 4)
    seen = []

    def work(snapshot: Snapshot) -> int:
        seen.append(len(snapshot.segments("readings")))
        if len(seen) == 1:
            new_lake(tmp_path).compact(fan=2)
        relation = snapshot.relation("readings")
        return len(snapshot.db.execute(f"SELECT * FROM {relation}").fetchall())

    assert lake.read(work) == len(rows)
    assert seen == [4, 1]


def test_an_error_of_the_query_s_own_is_raised(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    fill(lake, 1)
    with pytest.raises(duckdb.BinderException):
        lake.read(lambda snapshot: snapshot.db.execute("SELECT nothing_like_that").fetchall())


def test_snapshots_leave_out_files_that_cannot_matter(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    fill(lake, 4)

    def work(snapshot: Snapshot) -> list[int]:
        within = snapshot.segments("readings", start_s=(901, 1800), meter=(2, 3))
        assert snapshot.range("readings", "start_s") == (0, 2700)
        assert "read_parquet" not in snapshot.relation("readings", meter=(7, 9))
        return [segment.first_entry for segment in within]

    assert lake.read(work) == [2]


def test_writers_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_module, "LOCK_WAIT_S", 0.1)
    first, second = new_lake(tmp_path), new_lake(tmp_path)
    with first.writing(), first.writing():
        fill(first, 1)
        refused("lake.busy", second.clear)
    second.append(1, 2, {})
    assert first.cursor == 2


def test_threads_take_turns_and_read_meanwhile(tmp_path: Path) -> None:
    lake = new_lake(tmp_path)
    fill(lake, 1)
    lengths: list[int] = []

    def grow() -> None:
        for _ in range(5):
            with lake.writing():
                fill(lake, 1, first=lake.cursor)
                lake.compact(fan=2)

    def watch() -> None:
        lengths.extend(len(held_rows(lake)) for _ in range(10))

    threads = [threading.Thread(target=work) for work in (grow, grow, watch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held_rows(lake)) == 11
    assert len(lengths) == 10
    assert lengths == sorted(lengths)


def test_a_folder_with_an_awkward_name(tmp_path: Path) -> None:
    lake = new_lake(tmp_path / "it's [a] *lake* {of} 数据")
    rows = fill(lake, 2)
    lake.compact(fan=2)
    assert held_rows(lake) == rows
    assert lake.files(READINGS.name)[0].is_file()
    assert lake.manifest.ledger == LEDGER_ID.hex()


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file is in the way")
    lake = new_lake(tmp_path / "lake")
    assert held_rows(lake) == []
    refused("lake.cannot", lambda: fill(lake, 1))
    (tmp_path / MANIFEST).mkdir()
    refused("lake.cannot", lambda: new_lake(tmp_path).cursor)
