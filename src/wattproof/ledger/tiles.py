"""The log as files that never change: C2SP tlog-tiles.

    checkpoint                          the signed tree head (`ledger.checkpoint`)
    tile/<L>/<N>[.p/<W>]                256 (or W) hashes of 32 bytes
    tile/entries/<N>[.p/<W>]            256 (or W) entries, each after its length in two bytes

Hash `i` of tile `N` at level `L` is the complete subtree (8 * L, 256 * N + i) of `ledger.merkle`:
level 0 holds leaf hashes, and a hash of level L + 1 is the root over a full tile of level L. `N` is
written in groups of three digits, `x001/x234/067`, so that no folder grows too large. A tile that
is not full yet is partial: it has its width in its path, so a wider one does not replace it.

Only path arithmetic and bytes here; who reads and writes files or answers HTTP is elsewhere.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from wattproof.core.errors import Broken, ErrorCode, Malformed, OverLimit
from wattproof.ledger.merkle import HASH_BYTES, MAX_SIZE, node_hash, root_of

__all__ = [
    "BAD_BUNDLE",
    "BAD_PATH",
    "BAD_TILE",
    "CHECKPOINT_PATH",
    "ENTRY_TOO_LONG",
    "MAX_ENTRY_BYTES",
    "TILE_WIDTH",
    "TileNodes",
    "TilePath",
    "TileReader",
    "bundles_for",
    "entries_path",
    "entry_bundle",
    "new_full_tiles",
    "parse_bundle",
    "parse_path",
    "tile_path",
    "tile_root",
    "tile_width",
    "tiles_for",
]

TILE_WIDTH: Final = 256
CHECKPOINT_PATH: Final = "checkpoint"
MAX_ENTRY_BYTES: Final = 65_535
"""The longest entry that its two length bytes can announce."""

_TILE_LEVELS: Final = 8  # a tile stands for so many levels of the tree
_MAX_LEVEL: Final = 63
_MAX_INDEX: Final = MAX_SIZE // TILE_WIDTH
_PATH: Final = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[0-9]{1,3}))?"
)

BAD_PATH: Final = ErrorCode(
    Malformed,
    "ledger.tiles.path",
    en="“{path}” is not the path of a tile.",
    zh="“{path}”不是瓦片文件的路径。",
)
BAD_TILE: Final = ErrorCode(
    Broken,
    "ledger.tiles.tile",
    en="The tile {path} should have {expected} bytes and has {found}.",
    zh="瓦片 {path} 应有 {expected} 字节，实有 {found} 字节。",
)
BAD_BUNDLE: Final = ErrorCode(
    Malformed,
    "ledger.tiles.bundle",
    en="The entry bundle does not hold exactly {width} entries with their lengths.",
    zh="条目包中的条目及其长度与应有的 {width} 条不符。",
)
ENTRY_TOO_LONG: Final = ErrorCode(
    OverLimit,
    "ledger.tiles.entry_too_long",
    en="A log entry has {found} bytes; at most {limit} are possible.",
    zh="日志条目长 {found} 字节，最多 {limit} 字节。",
)

TileReader = Callable[[int, int, int], bytes]
"""Called with level, index and width; returns the width * 32 bytes of that tile."""


class TilePath(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One tile: its `level` (None for an entry bundle), `index` in that level, and `width`."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def text(self) -> str:
        """The path of the file, relative to the log's prefix."""
        if self.level is None:
            return entries_path(self.index, self.width)
        return tile_path(self.level, self.index, self.width)

    @property
    def is_full(self) -> bool:
        """Whether the tile can never grow."""
        return self.width == TILE_WIDTH


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile of hashes: ``tile/0/x001/x234/067``, or ``tile/1/000.p/17`` of 17."""
    assert 0 <= level <= _MAX_LEVEL, level
    return f"tile/{level}/{_index_text(index)}{_width_text(width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """The path of an entry bundle, for instance ``tile/entries/000.p/112``."""
    return f"tile/entries/{_index_text(index)}{_width_text(width)}"


def parse_path(text: str) -> TilePath:
    """The tile that a path names; only the one way of writing it is taken. Raises `BAD_PATH`."""
    match = _PATH.fullmatch(text)
    if match is None:
        raise BAD_PATH(path=text[:100])
    level = None if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("/", "").replace("x", ""))
    width = int(match["width"] or TILE_WIDTH)
    if index > _MAX_INDEX or not 1 <= width <= TILE_WIDTH or (level or 0) > _MAX_LEVEL:
        raise BAD_PATH(path=text[:100])
    path = TilePath(level=level, index=index, width=width)
    if path.text != text:  # leading zeros, empty groups, “.p/256”
        raise BAD_PATH(path=text[:100])
    return path


def _index_text(index: int) -> str:
    assert 0 <= index <= _MAX_INDEX, index
    text = f"{index % 1000:03d}"
    while index := index // 1000:
        text = f"x{index % 1000:03d}/{text}"
    return text


def _width_text(width: int) -> str:
    assert 1 <= width <= TILE_WIDTH, width
    return "" if width == TILE_WIDTH else f".p/{width}"


def tile_width(level: int, index: int, *, size: int) -> int:
    """How many hashes tile `index` of `level` has in a tree of `size` leaves; 0 if none."""
    hashes = size >> _TILE_LEVELS * level
    return max(0, min(TILE_WIDTH, hashes - index * TILE_WIDTH))


def tiles_for(size: int) -> Iterator[TilePath]:
    """Every tile of hashes of a tree of `size` leaves, level by level from 0 up."""
    level, hashes = 0, size
    while hashes:
        for index in range(-(-hashes // TILE_WIDTH)):
            yield TilePath(level=level, index=index, width=tile_width(level, index, size=size))
        level, hashes = level + 1, hashes // TILE_WIDTH


def bundles_for(size: int) -> Iterator[TilePath]:
    """Every entry bundle of a log of `size` entries, in order."""
    for index in range(-(-size // TILE_WIDTH)):
        yield TilePath(level=None, index=index, width=tile_width(0, index, size=size))


def new_full_tiles(old_size: int, new_size: int) -> Iterator[TilePath]:
    """The tiles of hashes that become full as a tree grows, from level 0 up.

    A full tile of level 0 comes with its full entry bundle; a full tile of level L + 1 is made of
    the `tile_root` of 256 full tiles of level L, which stand before it.
    """
    assert 0 <= old_size <= new_size, (old_size, new_size)
    level, old_full, new_full = 0, old_size // TILE_WIDTH, new_size // TILE_WIDTH
    while new_full:
        for index in range(old_full, new_full):
            yield TilePath(level=level, index=index)
        level, old_full, new_full = level + 1, old_full // TILE_WIDTH, new_full // TILE_WIDTH


def tile_root(tile: bytes) -> bytes:
    """The root over a full tile's 256 hashes: its hash in the level above."""
    assert len(tile) == TILE_WIDTH * HASH_BYTES, len(tile)
    return root_of(_split(tile))


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle of 1 to 256 `entries`. Raises `ENTRY_TOO_LONG`."""
    assert 1 <= len(entries) <= TILE_WIDTH, len(entries)
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ENTRY_TOO_LONG(found=len(entry), limit=MAX_ENTRY_BYTES)
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def parse_bundle(data: bytes, *, width: int) -> list[bytes]:
    """The `width` entries of a bundle, which must hold those and nothing else. `BAD_BUNDLE`."""
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at < end and len(entries) < width:
        begin = at + 2
        at = begin + int.from_bytes(data[at:begin], "big")
        if begin > end or at > end:
            raise BAD_BUNDLE(width=width)
        entries.append(data[begin:at])
    if at != end or len(entries) != width:
        raise BAD_BUNDLE(width=width)
    return entries


class TileNodes:
    """The complete subtrees of a tree of `size` leaves, read from its tiles (a `NodeSource`).

    `tile` is asked only for tiles that exist at `size`, at their width there. The last `cached`
    tiles are kept with the levels inside them, some 35 kB each, so that the proofs of neighbouring
    leaves cost little. Raises `BAD_TILE` for a tile of another length; whether the hashes are right
    shows when a proof made of them is verified.
    """

    def __init__(self, tile: TileReader, *, size: int, cached: int = 64) -> None:
        assert 0 <= size <= MAX_SIZE, size
        assert cached >= 1, cached
        self._tile = tile
        self._size = size
        self._cached = cached
        self._inside: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    @property
    def size(self) -> int:
        """The size of the tree that the tiles are read for."""
        return self._size

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree (level, index), which must lie within the tree."""
        assert 0 <= index < self._size >> level, (level, index, self._size)
        tile_level, inner = divmod(level, _TILE_LEVELS)
        tile_index, place = divmod(index << inner, TILE_WIDTH)
        return self._levels(tile_level, tile_index)[inner][place >> inner]

    def _levels(self, level: int, index: int) -> list[list[bytes]]:
        """The hashes of a tile, and of the complete subtrees over them."""
        inside = self._inside.get((level, index))
        if inside is not None:
            self._inside.move_to_end((level, index))
            return inside
        path = TilePath(level=level, index=index, width=tile_width(level, index, size=self._size))
        data = self._tile(level, index, path.width)
        if len(data) != path.width * HASH_BYTES:
            raise BAD_TILE(path=path.text, expected=path.width * HASH_BYTES, found=len(data))
        inside = [_split(data)]
        while len(inside) < _TILE_LEVELS and len(below := inside[-1]) > 1:
            pairs = iter(below)
            # a hash without its neighbour is not complete, and is left out above
            inside.append(
                [node_hash(left, right) for left, right in zip(pairs, pairs, strict=False)]
            )
        self._inside[(level, index)] = inside
        if len(self._inside) > self._cached:
            self._inside.popitem(last=False)
        return inside


def _split(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
