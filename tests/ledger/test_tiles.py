"""Tile paths as the specification writes them, and proofs made of tiles alone."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattproof.core.errors import Broken, Malformed, OverLimit
from wattproof.ledger.merkle import (
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from wattproof.ledger.tiles import (
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    TileNodes,
    TilePath,
    bundles_for,
    entries_path,
    entry_bundle,
    new_full_tiles,
    parse_bundle,
    parse_path,
    tile_path,
    tile_root,
    tile_width,
    tiles_for,
)

LEAVES = [leaf_hash(b"entry %d" % index) for index in range(70_000)]


@pytest.mark.parametrize(
    ("text", "level", "index", "width"),
    [
        ("tile/0/000", 0, 0, 256),
        ("tile/0/x001/x234/067", 0, 1_234_067, 256),
        ("tile/1/000.p/17", 1, 0, 17),
        ("tile/63/999.p/255", 63, 999, 255),
        ("tile/entries/x001/000", None, 1_000, 256),
        ("tile/entries/x273/x000/001.p/1", None, 273_000_001, 1),
    ],
)
def test_paths(text: str, level: int | None, index: int, width: int) -> None:
    written = entries_path(index, width) if level is None else tile_path(level, index, width)
    assert written == text
    assert parse_path(text) == TilePath(level=level, index=index, width=width)
    assert TilePath(level=level, index=index, width=width).text == text
    assert parse_path(text).is_full == (width == TILE_WIDTH)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "checkpoint",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/067",
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "tile/entries/000.p/300",
        "tile/Entries/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x001/" * 7 + "000",
    ],
)
def test_only_the_one_way_of_writing_a_path_is_taken(text: str) -> None:
    with pytest.raises(Malformed, match=r"ledger\.tiles\.path"):
        parse_path(text)


@given(
    level=st.none() | st.integers(0, 63),
    index=st.integers(0, 1 << 54),
    width=st.integers(1, TILE_WIDTH),
)
def test_a_path_reads_back_as_it_was(level: int | None, index: int, width: int) -> None:
    path = TilePath(level=level, index=index, width=width)
    assert parse_path(path.text) == path


@given(text=st.text(st.sampled_from("tile/entries.px0123456789"), max_size=30))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    with suppress(Malformed):
        assert parse_path(text).text == text


def test_the_tiles_of_the_specifications_example() -> None:
    tiles = list(tiles_for(70_000))
    assert tiles[:273] == [TilePath(level=0, index=index) for index in range(273)]
    assert [tile.text for tile in tiles[273:]] == [
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert [tile.text for tile in bundles_for(70_000)][-2:] == [
        "tile/entries/272",
        "tile/entries/273.p/112",
    ]
    assert [tile.text for tile in tiles_for(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert list(tiles_for(0)) == list(bundles_for(0)) == []
    assert tile_width(0, 273, size=70_000) == 112
    assert tile_width(0, 274, size=70_000) == 0


@given(cuts=st.lists(st.integers(0, 200_000), max_size=5))
def test_every_full_tile_becomes_full_once(cuts: list[int]) -> None:
    cuts = [0, *sorted(cuts), 200_000]
    found = [tile for old, new in pairwise(cuts) for tile in new_full_tiles(old, new)]
    assert sorted(found) == sorted(tile for tile in tiles_for(200_000) if tile.is_full)


def test_tiles_that_become_full_come_in_the_order_in_which_they_can_be_made() -> None:
    assert [tile.text for tile in new_full_tiles(65_500, 65_536)] == ["tile/0/255", "tile/1/000"]
    assert list(new_full_tiles(10, 255)) == []


@given(entries=st.lists(st.binary(max_size=300), min_size=1, max_size=TILE_WIDTH))
def test_a_bundle_reads_back_and_nothing_else_does(entries: list[bytes]) -> None:
    data = entry_bundle(entries)
    width = len(entries)
    assert parse_bundle(data, width=width) == entries
    for wrong in (data[:-1], data + b"\x00", data + b"\x00\x00", b""):
        with pytest.raises(Malformed, match="bundle"):
            parse_bundle(wrong, width=width)
    with pytest.raises(Malformed, match="bundle"):
        parse_bundle(data, width=width + 1)


def test_the_longest_entry() -> None:
    longest = bytes(MAX_ENTRY_BYTES)
    assert parse_bundle(entry_bundle([longest]), width=1) == [longest]
    with pytest.raises(OverLimit, match="65536"):
        entry_bundle([longest + b"\x00"])


def tiled() -> list[list[bytes]]:
    """The hashes in the tiles of each level, made as a log would make them."""
    levels = [LEAVES]
    while len(below := levels[-1]) >= TILE_WIDTH:
        full = range(0, len(below) - TILE_WIDTH + 1, TILE_WIDTH)
        levels.append([tile_root(b"".join(below[at : at + TILE_WIDTH])) for at in full])
    return levels


LEVELS = tiled()


class Tiles:
    """The tiles over `LEAVES`, remembering which were asked for."""

    def __init__(self) -> None:
        self.asked: list[TilePath] = []

    def read(self, level: int, index: int, width: int) -> bytes:
        self.asked.append(TilePath(level=level, index=index, width=width))
        begin = index * TILE_WIDTH
        return b"".join(LEVELS[level][begin : begin + width])


@settings(max_examples=25)
@given(size=st.integers(1, len(LEAVES)), data=st.data())
def test_proofs_from_tiles_verify(size: int, data: st.DataObject) -> None:
    tiles = Tiles()
    nodes = TileNodes(tiles.read, size=size, cached=2)
    assert nodes.size == size
    root = root_of(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(nodes, index=index, size=size)
    assert verify_inclusion(leaf=LEAVES[index], index=index, size=size, path=path, root=root)
    old_size = data.draw(st.integers(0, size))
    proof = consistency_path(nodes, old_size=old_size, new_size=size)
    assert verify_consistency(
        old_size=old_size,
        new_size=size,
        old_root=root_of(LEAVES[:old_size]),
        new_root=root,
        path=proof,
    )
    assert set(tiles.asked) <= set(tiles_for(size))


def test_a_tile_is_read_once_while_it_is_kept() -> None:
    tiles = Tiles()
    nodes = TileNodes(tiles.read, size=300)
    for index in range(300):
        inclusion_path(nodes, index=index, size=300)
    assert sorted(tile.text for tile in tiles.asked) == [
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
    ]


def test_a_tile_of_another_length_is_refused() -> None:
    nodes = TileNodes(lambda level, index, width: bytes(31), size=300)  # noqa: ARG005
    with pytest.raises(Broken, match="tile/0/000 should have 8192 bytes and has 31"):
        nodes.node(0, 5)
    with pytest.raises(AssertionError):
        nodes.node(0, 300)
