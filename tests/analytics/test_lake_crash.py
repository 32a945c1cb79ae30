"""kill -9 at every touch of the file system: the lake opens again without help, and goes on.

The writer really dies; no acknowledged step is lost, no row is held twice, and nothing is left
lying about once the next writer has been there.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from tests.analytics.dying_writer import ENTRIES, row_of, write
from tests.analytics.lakes import held_rows, new_lake

from wattproof.analytics.manifest import MANIFEST

ROOT = Path(__file__).parents[2]


def check(folder: Path) -> int:
    """The lake holds exactly the entries below its cursor, at least those acknowledged."""
    lake = new_lake(folder)
    cursor = lake.cursor
    acknowledged = folder.with_suffix(".acknowledged")
    if acknowledged.is_file() and (text := acknowledged.read_text()):
        assert cursor >= int(text)
    assert held_rows(lake) == [row_of(entry) for entry in range(cursor)]
    assert len(lake.manifest.names.get("factor", ())) == cursor
    lake.verify()
    return cursor


def finish(folder: Path) -> None:
    """Another writer goes on; then there is what would be there without the death."""
    lake = new_lake(folder)
    write(lake, folder.with_suffix(".acknowledged"))
    lake.compact(fan=2)
    assert check(folder) == ENTRIES
    (segment,) = lake.manifest.segments
    left = {path.name for path in folder.iterdir()}
    assert left == {segment.file, MANIFEST, "lake.lock"}


def test_killed_at_every_touch(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.analytics.dying_writer", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=200)
    folders = sorted(int(path.name) for path in tmp_path.iterdir() if path.name.isdecimal())
    cursors = [check(tmp_path / str(touch)) for touch in folders]
    assert len(cursors) > 80
    assert cursors == sorted(cursors)
    assert set(cursors) == set(range(ENTRIES + 1))
    for touch in folders:
        finish(tmp_path / str(touch))


def test_killed_at_any_time(tmp_path: Path) -> None:
    """Also within DuckDB's own writing, which Python does not see."""
    dice = random.Random(2026)
    program = (
        "import sys; from pathlib import Path; from tests.analytics.dying_writer import *;"
        "from tests.analytics.lakes import new_lake; sys.stdout.write('.'); sys.stdout.flush();"
        "folder = Path(sys.argv[1]); write(new_lake(folder), folder.with_suffix('.acknowledged'))"
    )
    for _ in range(15):
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "lake")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stdout.read(1) == b"."
        time.sleep(dice.random() * 0.2)
        child.kill()
        child.communicate(timeout=60)
        if check(tmp_path / "lake") == ENTRIES:
            finish(tmp_path / "lake")
            (tmp_path / "lake.acknowledged").unlink()
            new_lake(tmp_path / "lake").clear()
