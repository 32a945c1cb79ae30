"""The chain: restarts at any size, refusals without a trace, and tiles over all borders."""

from __future__ import annotations

import random
import sqlite3
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from tests.ledger.growing import (
    GENESIS,
    KEY,
    LOG,
    OTHER,
    START_MS,
    add_block,
    begin,
    decoded,
    in_memory,
    next_block,
    on_disk,
    raw,
    raws,
    signed,
)
from tests.ledger.toy import JARS, Crash, Empty, Fill, machine, signed_genesis
from tests.support.refusals import refused

from wattproof.core.errors import Broken, Refused
from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger import merkle
from wattproof.ledger.chain import Chain, Pending, receipt_of
from wattproof.ledger.checkpoint import Checkpoint, app_of, open_checkpoint
from wattproof.ledger.genesis import GENESIS_AAD, PROFILE, Founder, Genesis, sign_genesis
from wattproof.ledger.store import Block, Store
from wattproof.ledger.tiles import TileNodes, new_full_tiles
from wattproof.ledger.transaction import encode_payload

TOY = machine()


def restarted(chain: Chain) -> Chain:
    """Another chain over the same store, as after a restart."""
    return Chain(chain.store, chain.machine, log_key=LOG)


def stored(pending: Pending) -> tuple[object, ...]:
    """All of a pending block that will be stored."""
    return (pending.block, pending.entries, pending.tiles, pending.writes)


def checkpoint_of(chain: Chain, block: Block) -> Checkpoint:
    return open_checkpoint(block.checkpoint, name=chain.origin, public=LOG.public)


def leaf_hashes(chain: Chain) -> list[bytes]:
    return [merkle.leaf_hash(entry.leaf) for entry in chain.store.entries(0, chain.size)]


def test_a_restart_at_every_size_goes_on_as_if_there_had_been_none() -> None:
    store = Store.create(":memory:", TOY.collections)
    assert Chain(store, TOY, log_key=LOG).size == store.size == 0
    chain = begin(store, TOY)
    hashes = leaf_hashes(chain)
    for size in range(1, 601):
        again = restarted(chain)
        expected = next_block(chain, raws(size - 1, 1))
        assert stored(next_block(again, raws(size - 1, 1))) == stored(expected), size
        chain.commit(expected)
        hashes += [merkle.leaf_hash(entry.leaf) for entry in expected.entries]
        checkpoint = checkpoint_of(chain, expected.block)
        assert checkpoint.size == chain.size == store.size == size + 1
        assert checkpoint.root == merkle.root_of(hashes)
        assert app_of(checkpoint) == (expected.block.app_hash, size)
    assert hashes == leaf_hashes(chain)


def test_restarts_between_blocks_of_any_size() -> None:
    rng = random.Random(7)
    whole, broken_off = in_memory(), in_memory()
    while whole.size < 1500:
        block = raws(whole.size - 1, rng.choice([1, 2, 30, 100, 255, 256, 257, 300]))
        expected = add_block(whole, block)
        broken_off = restarted(broken_off)
        next_block(broken_off, block[: rng.randrange(len(block)) + 1])  # lost in a crash
        broken_off.reload()
        assert stored(add_block(broken_off, block)) == stored(expected)
    assert list(whole.store.tiles()) == list(broken_off.store.tiles())
    assert list(whole.store.columns(JARS)) == list(broken_off.store.columns(JARS))


def test_every_checkpoint_is_a_prefix_of_the_next() -> None:
    chain = in_memory(700)
    checkpoints = [checkpoint_of(chain, block) for block in chain.store.blocks()]
    nodes = TileNodes(chain.store.tile, size=chain.size)
    for old, new in [*pairwise(checkpoints), *((old, checkpoints[-1]) for old in checkpoints)]:
        path = merkle.consistency_path(nodes, old_size=old.size, new_size=new.size)
        assert merkle.verify_consistency(
            old_size=old.size, new_size=new.size, old_root=old.root, new_root=new.root, path=path
        )


def test_a_tile_of_tiles_and_the_border_behind_it() -> None:
    """65,536 entries fill the first tile of level 1."""
    chain = in_memory()
    filling = [signed(Fill(jar="vat", shelf="low", beans=1), n) for n in range(65_535 + 300)]
    for start in range(0, len(filling), 1024):
        add_block(chain, filling[start : start + 1024])
        if chain.size % 7 == 0 or chain.size > 65_000:
            assert stored(next_block(restarted(chain), raws(0, 2))) == stored(
                next_block(chain, raws(0, 2))
            )
            chain.reload()
    hashes = leaf_hashes(chain)
    assert checkpoint_of(chain, chain.store.latest_block() or pytest.fail()).root == (
        merkle.root_of(hashes)
    )
    made = [(tile.level, tile.index) for tile in chain.store.tiles()]
    assert made == [(path.level, path.index) for path in new_full_tiles(0, chain.size)]
    assert made[-1] == (1, 0)
    nodes = TileNodes(chain.store.tile, size=chain.size)
    for index in (0, 255, 256, 65_535, 65_536, chain.size - 1):
        path = merkle.inclusion_path(nodes, index=index, size=chain.size)
        assert merkle.verify_inclusion(
            leaf=hashes[index], index=index, size=chain.size, path=path, root=merkle.root_of(hashes)
        )


REFUSED = (Empty(jar="never"), Crash(jar="vat"), Crash(jar="jar-0"))


def test_what_is_refused_leaves_no_trace() -> None:
    rng = random.Random(3)
    calm, chain = in_memory(), in_memory()
    number = 10_000
    while chain.size < 300:
        good = raws(chain.size - 1, rng.randrange(1, 9))
        mixed = list(good)
        for _ in range(rng.randrange(4)):
            number += 1
            mixed.insert(rng.randrange(len(mixed) + 1), signed(rng.choice(REFUSED), number))
        expected, found = add_block(calm, good), add_block(chain, mixed)
        assert stored(found) == stored(expected)
        refusals = [outcome.refusal for outcome in found.outcomes if outcome.refusal is not None]
        assert len(refusals) == len(mixed) - len(good)
        assert {refusal.code for refusal in refusals} <= {"toy.too_few", "machine.rule_failed"}


def test_a_block_of_refusals_alone_may_be_forgotten() -> None:
    calm, chain = in_memory(50), in_memory(50)
    bad = [signed(body, 20_000 + position) for position, body in enumerate(REFUSED)]
    pending = chain.execute(decoded(TOY, bad), height=chain.height + 1, time_ms=chain.time_ms)
    assert (pending.entries, pending.writes) == ((), ())
    assert stored(add_block(chain, raws(49, 3))) == stored(add_block(calm, raws(49, 3)))


def test_a_receipt_is_read_back_as_it_was_given() -> None:
    chain = in_memory(9)
    receipt = receipt_of(chain.store.entry(2), first=False)
    assert receipt.index == 2
    assert receipt.events == [("toy.filled", {"jar": "jar-0", "beans": 5})]
    assert receipt.view() == {
        "id": chain.store.entry(2).id.hex(),
        "index": 2,
        "height": receipt.height,
        "time_ms": receipt.time_ms,
        "events": [{"event": "toy.filled", "jar": "jar-0", "beans": 5}],
        "first": False,
    }


@pytest.mark.parametrize(("height", "time_ms"), [(0, START_MS), (1, START_MS - 1), (-1, START_MS)])
def test_height_and_time_do_not_go_back(height: int, time_ms: int) -> None:
    with pytest.raises(AssertionError):
        in_memory().execute([], height=height, time_ms=time_ms)


def genesis(profile: str = PROFILE, *, signer: SigningKey = KEY) -> bytes:
    founder = Founder(id="r", name="R", uscc="", key=KEY.public, roles=())
    body = Genesis(
        name="toy",
        zone="UTC",
        profile=profile,
        log_key=LOG.public,
        founders=(founder,),
        registrar="r",
    )
    return sign_genesis(body, signer, nonce=bytes(16))


BAD_OPENINGS = {
    "empty": (b"", "keys.cose.truncated"),
    "no genesis": (raw(0), "genesis.signature"),
    "profile": (genesis("ed25519-openssl/sha-256/1"), "genesis.profile"),
    "external data": (
        cose.sign(
            encode_payload(TOY.codec.decode(cose.parse(GENESIS), GENESIS).body, nonce=bytes(16)),
            KEY,
            aad=GENESIS_AAD + b" ",
        ),
        "genesis.signature",
    ),
    "signature": (GENESIS[:-1] + bytes((GENESIS[-1] ^ 1,)), "genesis.signature"),
    "another log key": (signed_genesis(KEY, OTHER), "genesis.log_key"),
}


@pytest.mark.parametrize("name", BAD_OPENINGS)
def test_a_bad_genesis_opens_nothing(name: str) -> None:
    opening, code = BAD_OPENINGS[name]
    store = Store.create(":memory:", TOY.collections)
    refused(
        code,
        lambda: Chain.create(store, TOY, log_key=LOG, genesis=opening, time_ms=START_MS),
    )
    assert store.latest_block() is None
    assert begin(store, TOY).size == 1


def test_genesis_comes_once() -> None:
    chain = in_memory(5)
    pending = chain.execute(decoded(TOY, [genesis()]), height=99, time_ms=chain.time_ms)
    assert isinstance(pending.outcomes[0].refusal, Broken)


DAMAGES = {
    "a hash of the open edge's tile": "UPDATE tile SET hashes = zeroblob(8192) WHERE idx = 1",
    "a short tile": "UPDATE tile SET hashes = zeroblob(8191) WHERE idx = 1",
    "a long tile": "UPDATE tile SET hashes = zeroblob(8193) WHERE idx = 1",
    "a leaf of the open edge": "UPDATE entry SET leaf = x'83000040' WHERE idx = 599",
    "an entry of the open edge": "DELETE FROM entry WHERE idx = 580",
    "the last entry": "DELETE FROM entry WHERE idx = 599",
    "the first entry": "DELETE FROM entry WHERE idx = 0",
    "the first leaf's form": "UPDATE entry SET leaf = x'8300' WHERE idx = 0",
    "the first leaf": "UPDATE entry SET leaf = x'83000040' WHERE idx = 0",
    "the size": "UPDATE block SET size = size - 1 WHERE size = 600",
    "a larger size": "UPDATE block SET size = 601 WHERE size = 600",
    "the app hash": "UPDATE block SET app_hash = zeroblob(32) WHERE size = 600",
    "the running hash": "UPDATE block SET writes_hash = zeroblob(32) WHERE size = 600",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_ledger_is_not_written_to(name: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    on_disk(path, 600)
    with sqlite3.connect(path) as connection:
        connection.execute(DAMAGES[name])
    connection.close()
    store = Store.open(path, TOY.collections, write=True)
    with pytest.raises((Broken, Refused)) as caught:
        Chain(store, TOY, log_key=LOG)
    assert caught.value.text("zh")
    store.close()


def test_only_the_log_key_of_genesis_signs() -> None:
    chain = in_memory(3)
    refused("genesis.log_key", lambda: Chain(chain.store, TOY, log_key=OTHER))
    assert Chain(chain.store, TOY, log_key=None).size == 3


def test_pending_blocks_are_values() -> None:
    pending = next_block(in_memory(), raws(0, 3))
    assert msgspec.structs.replace(pending, tiles=()) == pending
