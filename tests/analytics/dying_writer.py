"""Writers that are killed, each at another touch of the file system, for `test_lake_crash`.

    python -m tests.analytics.dying_writer FOLDER

The writer N works in FOLDER/N and kills itself at the N-th open, rename, removal, listing or lock
that Python makes there; the first that gets through is the last. Each is forked off before DuckDB
has begun any thread, because starting Python takes longer than all that a writer does.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.analytics.lakes import Row, columns_of, new_lake

from wattproof.analytics.lake import Lake

__all__ = ["ENTRIES", "row_of", "write"]

ENTRIES = 4
"""Entries that a writer appends."""

TOUCHES = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.listdir", "os.scandir")


def row_of(entry: int) -> Row:
    """The row that an entry gives."""
    return Row(meter=1 + entry % 3, start_s=900 * entry, amount=entry, entry=entry)


def write(lake: Lake, acknowledged: Path) -> None:
    """Bring the lake up to `ENTRIES`, compacting at each second; say so after every step."""
    while (entry := lake.cursor) < ENTRIES:
        names = {"factor": tuple(f"f{number}" for number in range(entry + 1))}
        parts = [columns_of([row_of(entry)])]
        lake.append(entry, entry + 1, {"readings": parts}, names=names)
        acknowledged.write_text(str(entry + 1))
        if entry % 2:
            lake.compact(fan=2)


def write_until(folder: Path, touches: int) -> None:
    """Write, and die at the given touch."""
    left = touches

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event == "fcntl.flock" or (event in TOUCHES and str(folder) in str(arguments[0])):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    write(new_lake(folder), folder.with_suffix(".acknowledged"))


def main() -> None:
    root, touches, died = Path(sys.argv[1]), 0, True
    while died:
        touches += 1
        child = os.fork()
        if not child:
            write_until(root / str(touches), touches)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert died or status == 0, f"writer {touches} failed"


if __name__ == "__main__":
    main()
