"""The log as a stranger sees it, with nothing but GETs and the verifier key."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.gateway.served import Served, problem, serving
from tests.ledger.toy import Fill

from wattproof.gateway.intake import BATCH_LIMIT
from wattproof.keys import cbor
from wattproof.ledger import merkle
from wattproof.ledger.checkpoint import Checkpoint, app_of, open_checkpoint
from wattproof.ledger.genesis import ledger_id_of, origin_of
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.note import parse_vkey
from wattproof.ledger.tiles import (
    TILE_WIDTH,
    TileNodes,
    bundles_for,
    entries_path,
    parse_bundle,
    tile_path,
    tiles_for,
)

SIZE = 2 * TILE_WIDTH + 89


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A log of several tiles."""
    with serving(tmp_path_factory.mktemp("ledger")) as served:
        raws = [
            served.sign(Fill(jar=f"jar-{n % 9}", shelf="low", beans=n)) for n in range(SIZE - 1)
        ]
        assert len(raws) <= BATCH_LIMIT
        answer = served.client.post(
            "/api/v1/transactions/batch",
            content=cbor.encode(tuple(raws)),
            headers={"Content-Type": "application/cbor"},
        )
        assert [receipt["index"] for receipt in answer.json()] == list(range(1, SIZE))
        yield served


class Mirror:
    """Somebody elsewhere who knows the log's address and its verifier key."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url + "/log/", timeout=30)
        self.name, self.public = parse_vkey(self.text("vkey").removesuffix("\n"))

    def text(self, path: str) -> str:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        return answer.text

    def tile(self, path: str) -> bytes:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/octet-stream"
        return answer.content

    def checkpoint(self) -> Checkpoint:
        return open_checkpoint(self.text("checkpoint"), name=self.name, public=self.public)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def mirror(served: Served) -> Iterator[Mirror]:
    mirror = Mirror(served.url)
    yield mirror
    mirror.close()


def test_a_mirror_rebuilds_the_root_from_the_entries(served: Served, mirror: Mirror) -> None:
    checkpoint = mirror.checkpoint()
    assert checkpoint.size == SIZE
    leaves = [
        leaf
        for path in bundles_for(checkpoint.size)
        for leaf in parse_bundle(mirror.tile(path.text), width=path.width)
    ]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    assert merkle.root_of(hashes) == checkpoint.root
    ledger = served.json("/api/v1/ledger")
    assert ledger["root"] == checkpoint.root.hex()
    app_hash, height = app_of(checkpoint)
    assert (app_hash.hex(), height) == (ledger["app_hash"], ledger["height"])
    genesis = leaf_parts(leaves[0])[2]
    assert origin_of(ledger_id_of(genesis)) == mirror.name == checkpoint.origin


def test_the_tiles_of_hashes_lead_to_the_same_root(mirror: Mirror) -> None:
    checkpoint = mirror.checkpoint()
    nodes = TileNodes(
        lambda level, index, width: mirror.tile(tile_path(level, index, width)),
        size=checkpoint.size,
    )
    leaf_of = parse_bundle(mirror.tile("tile/entries/001"), width=TILE_WIDTH)
    for index in (TILE_WIDTH, TILE_WIDTH + 77, 2 * TILE_WIDTH - 1):
        path = merkle.inclusion_path(nodes, index=index, size=checkpoint.size)
        leaf = merkle.leaf_hash(leaf_of[index - TILE_WIDTH])
        root = merkle.inclusion_root(leaf=leaf, index=index, size=checkpoint.size, path=path)
        assert root == checkpoint.root


def test_every_tile_is_what_the_store_says(served: Served, mirror: Mirror) -> None:
    paths = list(tiles_for(SIZE))
    assert {path.level for path in paths} == {0, 1}
    for path in paths:
        assert path.level is not None
        assert mirror.tile(path.text) == served.writer.store.tile(
            path.level, path.index, path.width
        )


def test_partial_tiles_of_older_checkpoints_stay(mirror: Mirror) -> None:
    whole = mirror.tile("tile/0/000")
    assert len(whole) == TILE_WIDTH * merkle.HASH_BYTES
    entries = parse_bundle(mirror.tile("tile/entries/000"), width=TILE_WIDTH)
    for width in (1, 2, 100, 255):
        assert mirror.tile(tile_path(0, 0, width)) == whole[: width * merkle.HASH_BYTES]
        part = mirror.tile(entries_path(0, width))
        assert parse_bundle(part, width=width) == entries[:width]


def test_how_long_things_may_be_kept(served: Served) -> None:
    def cache(path: str) -> str:
        return served.client.get(f"/log/{path}").headers["cache-control"]

    assert cache("checkpoint") == "public, max-age=1"
    for path in ("tile/0/000", "tile/entries/001"):
        assert cache(path) == "public, max-age=31536000, immutable"
    for path in ("tile/0/002.p/89", "tile/1/000.p/2", "tile/entries/002.p/3"):
        assert cache(path) == "public, max-age=86400"
    assert cache("tile/0/003") == "no-store"


@pytest.mark.parametrize(
    "path",
    ["0/002", "0/002.p/90", "0/003", "0/003.p/1", "1/000", "1/000.p/3", "1/001.p/1", "2/000.p/1",
     "63/000", "entries/002", "entries/003.p/1", "0/x999/x999/999"],
)  # fmt: skip
def test_tiles_that_do_not_exist_yet(served: Served, path: str) -> None:
    params = problem(served.client.get(f"/log/tile/{path}"), 404, "gateway.no_tile")["params"]
    assert params == {"path": f"tile/{path}", "size": SIZE}


@pytest.mark.parametrize(
    "path",
    ["0", "0/0", "0/0000", "00/000", "0/000.p/0", "0/000.p/256", "0/000.p/", "0/x000/000", "-1/000",
     "64/000", "entries", "data/000", "0/000.p/1.p/1", "0/%2e%2e/000", "%00", "0/000%0a"],
)  # fmt: skip
def test_paths_that_name_no_tile(served: Served, path: str) -> None:
    problem(served.client.get(f"/log/tile/{path}"), 400, "ledger.tiles.path")
