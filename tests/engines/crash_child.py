"""The process that gets killed: it opens a ledger, submits, and acknowledges through a pipe.

Run as a program it is a server: for each order on its standard input it forks, and the fork does
the work and dies as ordered. So a death costs milliseconds, and is as real as any.

A fork counts its write steps: every statement but SELECT on every SQLite connection, just before
it is run (BEGIN, each row, COMMIT), every file that is opened for writing, renamed, removed or
locked, and the moments before and after an acknowledgement. At step `kill_at` it sends itself
SIGKILL. With `file_limit` the kernel kills it (SIGXFSZ) in the middle of the write that would make
a file longer than so many bytes: what fits is written, the rest is torn off.
"""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from tests.engines.conformance import fill
from tests.ledger.growing import GENESIS, LEDGER_ID, LOG, START_MS
from tests.ledger.toy import machine

from wattproof.engines.folder import LOG_KEY, LedgerFolder, Writer
from wattproof.ledger.chain import Receipt

Shape = Literal["one by one", "batches", "threads"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a fork is to do in `folder`, and how it is to die; `first` numbers its transactions."""

    folder: str
    task: Literal["create", "submit"]
    first: int = 0
    shape: Shape = "one by one"
    kill_at: int | None = None
    kill_after_us: int | None = None
    file_limit: int | None = None


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt that the fork was given, and a checkpoint that it saw then."""

    number: int
    receipt: Receipt
    checkpoint: str


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """How it went: exit status (negative: a signal), what was acknowledged, steps if it lived."""

    status: int
    acks: tuple[Ack, ...] = ()
    steps: int = 0


COUNTS: dict[Shape, int] = {"one by one": 9, "batches": 20, "threads": 24}
"""Transactions in a life that is not cut short."""

FILE_EVENTS = frozenset(("os.rename", "os.remove", "os.mkdir", "os.truncate", "fcntl.flock"))


class Steps:
    """Counts write steps, and kills its own process at one of them."""

    def __init__(self, kill_at: int | None) -> None:
        self.count = 0
        self._kill_at = kill_at
        sys.addaudithook(self._heard)
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect

        def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(self._statement)
            return connection

        sqlite3.connect = traced  # type: ignore[assignment]

    def step(self) -> None:
        self.count += 1
        if self.count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FILE_EVENTS or (event == "open" and _writes(arguments[2])):
            self.step()

    def _statement(self, sql: str) -> None:
        if not sql.startswith("SELECT"):
            self.step()


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def create(path: Path) -> None:
    """Make a ledger as a composition root does: so that it can be tried again."""
    folder = LedgerFolder(path, machine())
    with folder.create_keys() as keys:
        if LOG_KEY not in keys.names():
            keys.add(LOG_KEY, LOG)
    first = [fill(-1), fill(-2)]
    folder.create(genesis=GENESIS, first=first, log_key=LOG, time_ms=START_MS)


def submit(path: Path, order: Order, steps: Steps, pipe: int) -> None:
    """Submit, and write each acknowledgement to the pipe before anything else is done."""
    writer = LedgerFolder(path, machine()).open_writer(workers=0)
    assert writer.ledger_id == LEDGER_ID

    def acknowledge(number: int, receipt: Receipt) -> None:
        steps.step()
        block = writer.store.latest_block()
        assert block is not None
        ack = Ack(number=number, receipt=receipt, checkpoint=block.checkpoint)
        os.write(pipe, msgspec.json.encode(ack) + b"\n")
        steps.step()

    numbers = range(order.first, order.first + COUNTS[order.shape])
    if order.shape == "threads":
        _in_threads(writer, numbers, acknowledge)
    else:
        size = 1 if order.shape == "one by one" else 5
        for start in range(0, len(numbers), size):
            part = numbers[start : start + size]
            answers = writer.engine.submit_many([fill(number) for number in part])
            for number, answer in zip(part, answers, strict=True):
                assert isinstance(answer, Receipt), answer
                acknowledge(number, answer)
    writer.close()


def _in_threads(writer: Writer, numbers: range, acknowledge: Any) -> None:
    """Four submitters at once, whose transactions share blocks."""

    def work(mine: range) -> None:
        for number in mine:
            acknowledge(number, writer.engine.submit(fill(number)))

    threads = [threading.Thread(target=work, args=(numbers[part::4],)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def live(order: Order, pipe: int) -> None:
    """A fork's life."""
    steps = Steps(order.kill_at)
    if order.file_limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.file_limit, order.file_limit))
    if order.task == "create":
        create(Path(order.folder))
    else:
        submit(Path(order.folder), order, steps, pipe)
    os.write(pipe, b"%d\n" % steps.count)


def carry_out(order: Order) -> Life:
    """Fork, and tell what became of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            live(order, writing)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    if order.kill_after_us is not None:
        time.sleep(order.kill_after_us / 1_000_000)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        lines = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    steps = int(lines.pop()) if lines and lines[-1].isdigit() else 0
    acks = tuple(msgspec.json.decode(line, type=Ack) for line in lines)
    return Life(status=os.waitstatus_to_exitcode(status), acks=acks, steps=steps)


def main() -> None:
    for line in sys.stdin.buffer:
        life = carry_out(msgspec.json.decode(line, type=Order))
        sys.stdout.buffer.write(msgspec.json.encode(life) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
