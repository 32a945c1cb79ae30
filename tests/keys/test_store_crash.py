"""A process that adds keys is killed at any moment; what it was told to be kept is there."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from wattproof.keys.passphrase import LOWEST
from wattproof.keys.store import KeyStore

ROUNDS = 25
WRITER = """
import sys
from pathlib import Path
from wattproof.keys.ed25519 import SigningKey
from wattproof.keys.store import KeyStore

store = KeyStore.open(Path(sys.argv[1]), "p")
start = len(store.names())
for number in range(start, start + 100_000, 3):
    keys = {f"{number + i}": SigningKey.generate() for i in range(3)}
    store.add_many(keys)
    for name, key in keys.items():
        sys.stdout.write(f"{name} {key.seed.hex()}\\n")
    sys.stdout.flush()
"""


def test_nothing_acknowledged_is_lost_and_nothing_is_kept_in_part(tmp_path: Path) -> None:
    KeyStore.create(tmp_path, "p", cost=LOWEST).close()
    acknowledged: dict[str, str] = {}
    chance = random.Random(20260101)
    for _ in range(ROUNDS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        time.sleep(chance.random() * 0.03)
        writer.kill()
        lines += writer.stdout.read().split("\n")
        writer.wait()
        writer.stdout.close()
        # A kill in the middle of a line leaves a shorter one.
        acknowledged |= dict(line.split() for line in lines if len(line.split(" ")[-1]) >= 64)
        with KeyStore.open(tmp_path, "p") as store:
            names = store.names()
            assert len(names) % 3 == 0
            assert acknowledged.keys() <= set(names)
    with KeyStore.open(tmp_path, "p") as store:
        assert {name: store.get(name).seed.hex() for name in acknowledged} == acknowledged
    assert len(acknowledged) > ROUNDS
