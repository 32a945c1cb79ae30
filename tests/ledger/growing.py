"""Toy ledgers of any size: always the same transactions, from one list, in any blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

from tests.ledger.toy import Empty, Fill, Move, MoveAll, machine, signed_genesis

from wattproof.keys import cose
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.chain import Chain, Pending
from wattproof.ledger.genesis import ledger_id_of
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import NONCE_BYTES, Body, Transaction, sign_transaction

KEY = SigningKey.from_seed(b"registrar".ljust(32, b"."))
LOG = SigningKey.from_seed(b"log".ljust(32, b"."))
OTHER = SigningKey.from_seed(b"other".ljust(32, b"."))
GENESIS = signed_genesis(KEY, LOG)
LEDGER_ID = ledger_id_of(GENESIS)
START_MS = 1_700_000_000_000


def body(number: int) -> Body:
    """Transaction `number` of the list; all are accepted when they are run in order."""
    round_, step = divmod(number, 6)
    jar = f"jar-{round_ % 40}"
    match step:
        case 4:
            moves = (
                Move(source=jar, target=f"pot-{round_ % 7}", beans=1),
                Move(source=jar, target="vat", beans=round_ % 3),
            )
            return MoveAll(moves=moves, label=b"round" if round_ % 2 else None)
        case 5:
            return Empty(jar=f"cup-{round_}")
        case 3:
            return Fill(jar=f"cup-{round_}", shelf="low", beans=1)
    return Fill(jar=jar, shelf=("low", "middle", "high")[(round_ + step) % 3], beans=number + 2)


@cache
def raw(number: int) -> bytes:
    """Transaction `number` of the list, signed for the toy ledger."""
    return signed(body(number), number)


def raws(first: int, count: int) -> list[bytes]:
    """So many transactions of the list."""
    return [raw(number) for number in range(first, first + count)]


def signed(body: Body, number: int, *, ledger_id: bytes = LEDGER_ID) -> bytes:
    """A transaction of its own, with `number` as its nonce."""
    nonce = number.to_bytes(NONCE_BYTES, "big")
    return sign_transaction(body, KEY, ledger_id=ledger_id, nonce=nonce)


def decoded(machine: Machine, raws: Iterable[bytes]) -> list[Transaction]:
    """Transactions as an engine hands them to the chain."""
    return [machine.codec.decode(cose.parse(raw), raw) for raw in raws]


def begin(store: Store, machine: Machine) -> Chain:
    """A chain with its genesis."""
    return Chain.create(store, machine, log_key=LOG, genesis=GENESIS, time_ms=START_MS)


def next_block(chain: Chain, raws: Sequence[bytes]) -> Pending:
    """The chain's next block, run and not committed."""
    return chain.execute(
        decoded(chain.machine, raws), height=chain.height + 1, time_ms=chain.time_ms + 1000
    )


def add_block(chain: Chain, raws: Sequence[bytes]) -> Pending:
    """Run and commit the chain's next block."""
    pending = next_block(chain, raws)
    chain.commit(pending)
    return pending


def sizes() -> Iterator[int]:
    """Sizes of blocks, small and large in turn."""
    while True:
        yield from (1, 7, 2, 31, 1, 12, 3)


def grow(chain: Chain, size: int, *, blocks: Iterable[int] | None = None) -> None:
    """Append from the list, in blocks of these sizes, until the log has `size` entries."""
    numbers = iter(range(chain.size - 1, size - 1))
    for count in blocks if blocks is not None else sizes():
        taken = list(islice(numbers, count))
        if not taken:
            return
        add_block(chain, [raw(number) for number in taken])


def in_memory(size: int = 1) -> Chain:
    """A toy ledger of `size` entries in memory."""
    toy = machine()
    chain = begin(Store.create(":memory:", toy.collections), toy)
    grow(chain, size)
    return chain


def on_disk(path: Path, size: int) -> None:
    """Write a toy ledger of `size` entries into the file `path`."""
    toy = machine()
    store = Store.create(path, toy.collections)
    grow(begin(store, toy), size)
    store.close()
