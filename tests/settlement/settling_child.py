"""The process that gets killed: it settles a region, states the day, and files the statement.

Run as a program it is a server: for each order on its standard input it forks, and the fork does
the work and dies at the write step that it is told (`tests.engines.crash_child.Steps`: statements
of SQLite, files opened, renamed, removed).
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import msgspec
from tests.engines.crash_child import Steps
from tests.support.settled_region import DAY_S, GRID, REGION, START_S, SettledRegion

from wattproof.ledger.transaction import content_nonce, sign_transaction
from wattproof.settlement.filing import filing_of
from wattproof.settlement.queries import region_of
from wattproof.settlement.statement import statement

__all__ = ["Life", "Order", "settle_and_file"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Work on the ledger in `folder`; die at step `kill_at`, if one is given."""

    folder: str
    batch: int
    kill_at: int | None = None


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """How it went: exit status (negative: a signal), and steps if it lived."""

    status: int
    steps: int = 0


def settle_and_file(folder: Path, *, batch: int) -> None:
    """A day's run in batches of this size, or what is left of it, and the statement of it as the
    log has it then."""
    with SettledRegion(folder) as region, region.folder.keys() as keys:
        found = region_of(region.store, REGION)
        if not found.runs or found.open_run:
            region.run(START_S + DAY_S, batch=batch)
        entries = region_of(region.store, REGION).last_entry + 1
        made = statement(
            region.store, region.lake(), region=REGION, from_s=START_S, to_s=START_S + DAY_S,
            entries=entries,
        )  # fmt: skip
        body = filing_of(made)
        raw = sign_transaction(
            body, keys.get(GRID), ledger_id=region.writer.ledger_id, nonce=content_nonce(body)
        )
        region.writer.engine.submit(raw)


def carry_out(order: Order) -> Life:
    """Fork, and tell what became of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            steps = Steps(order.kill_at)
            settle_and_file(Path(order.folder), batch=order.batch)
            os.write(writing, b"%d" % steps.count)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        steps_done = pipe.read()
    _, status = os.waitpid(child, 0)
    return Life(status=os.waitstatus_to_exitcode(status), steps=int(steps_done or 0))


def main() -> None:
    for line in sys.stdin.buffer:
        life = carry_out(msgspec.json.decode(line, type=Order))
        sys.stdout.buffer.write(msgspec.json.encode(life) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
