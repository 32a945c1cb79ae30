"""A program that replays a ledger's log and prints what it comes to; runs under any Python.

    python -m tests.ledger.replaying toy|full FILE

It imports the contracts and what they stand on, and nothing else: no frame, no analytics. So a
bare interpreter with the packages of `NEEDS` will do.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from wattproof.keys import cose
from wattproof.ledger.chain import Chain
from wattproof.ledger.genesis import ledger_id_of
from wattproof.ledger.leaf import leaf_parts
from wattproof.ledger.machine import Machine
from wattproof.ledger.store import Store
from wattproof.ledger.transaction import Transaction

NEEDS = ("msgspec", "pynacl", "tzdata")
"""The packages that contracts need."""


def toy() -> Machine:
    from tests.ledger.toy import machine

    return machine()


def full() -> Machine:
    """The contracts of `wattproof.node.machine`, without what else a node consists of."""
    import wattproof.book.contract as book
    import wattproof.emissions.contract as emissions
    import wattproof.emissions.logistics.contract as logistics
    import wattproof.emissions.tracking.contract as tracking
    import wattproof.identity.contract as identity
    import wattproof.metering.contract as metering
    import wattproof.settlement.contract as settlement
    import wattproof.settlement.traces.contract as traces

    contracts = (
        identity.CONTRACT,
        book.CONTRACT,
        metering.CONTRACT,
        emissions.CONTRACT,
        tracking.CONTRACT,
        settlement.CONTRACT,
        traces.CONTRACT,
        logistics.CONTRACT,
    )
    return Machine(contracts, authorise=identity.authorise)


MACHINES: dict[str, Callable[[], Machine]] = {"toy": toy, "full": full}


def replay(path: Path, machine: Machine) -> dict[str, object]:
    """Run the log's transactions in its blocks, on an empty state in memory."""
    stored = Store.open(path, machine.collections)
    replayed = Store.create(":memory:", machine.collections)
    chain = Chain(replayed, machine, log_key=None)
    for block in stored.blocks():
        transactions: list[Transaction] = []
        for entry in stored.entries(chain.size, block.size - chain.size):
            raw = leaf_parts(entry.leaf)[2]
            chain.ledger_id = chain.ledger_id or ledger_id_of(raw)
            transactions.append(machine.codec.decode(cose.parse(raw), raw))
        chain.commit(chain.execute(transactions, height=block.height, time_ms=block.time_ms))
    latest = replayed.latest_block()
    assert latest is not None
    rows = sum(1 for collection in machine.collections for _ in replayed.columns(collection))
    stored.close()
    replayed.close()
    return {"app_hash": latest.app_hash.hex(), "size": latest.size, "rows": rows}


def main() -> None:
    name, path = sys.argv[1:]
    found = replay(Path(path), MACHINES[name]())
    sys.stdout.write(json.dumps({**found, "python": platform.python_version()}) + "\n")


if __name__ == "__main__":
    main()
