"""Proof files for tests: right ones, and their members to be changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from tests.ledger.growing import LEDGER_ID, LOG, in_memory

from wattproof.ledger.proof import make_proof

__all__ = ["SIZES", "Case", "Members", "members_of", "proof", "right", "written"]

SIZES = (2, 3, 7, 300)
"""Of the logs: with a path of one hash, with an odd edge, and with one beyond a full tile."""

Members = dict[str, Any]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A proof file, the ledger that is asked for (or none), and what it is an example of."""

    what: str
    data: bytes
    ledger_id: bytes | None = None


def written(members: Members, **changed: Any) -> bytes:
    """The file of these members."""
    text = json.dumps(
        {**members, **changed}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return text.encode() + b"\n"


def members_of(data: bytes) -> Members:
    """The members of a file."""
    members: Members = json.loads(data)
    return members


@cache
def proof(size: int, index: int) -> bytes:
    """The proof of an entry of a toy ledger of `size` entries."""
    store = in_memory(size).store
    return make_proof(store, store.entry(index), log_key=LOG)


def right() -> Iterator[Case]:
    """Proofs that hold."""
    for size in SIZES:
        for index in sorted({0, 1, size // 2, size - 1}):
            yield Case(what=f"entry {index} of {size}", data=proof(size, index))
    yield Case(what="of the ledger asked for", data=proof(7, 3), ledger_id=LEDGER_ID)
