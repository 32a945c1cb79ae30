"""Verification with other processes: the same verdicts, whatever becomes of those processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.engines.conformance import BAD, fill
from tests.ledger.growing import LEDGER_ID
from tests.ledger.toy import machine

from wattproof.engines.verifier import CHUNK, Checked, Verifier
from wattproof.ledger.transaction import Transaction

CODEC = machine().codec
BATCH = [fill(n) for n in range(4 * CHUNK + 17)]
for position, (bad, _) in enumerate(BAD.values()):
    BATCH[position * 31] = bad


@pytest.fixture
def alone() -> Verifier:
    return Verifier(CODEC, ledger_id=LEDGER_ID, workers=0)


@pytest.fixture
def helped() -> Iterator[Verifier]:
    verifier = Verifier(CODEC, ledger_id=LEDGER_ID, workers=1)
    yield verifier
    verifier.close()


def told(checked: list[Checked]) -> list[object]:
    """What was said of each: the transaction, or the refusal's code."""
    return [item if isinstance(item, Transaction) else item.code for item in checked]


def helpers(verifier: Verifier) -> list[int]:
    assert verifier._pool is not None
    return list(verifier._pool._processes)


def test_verdicts_do_not_depend_on_who_gives_them(alone: Verifier, helped: Verifier) -> None:
    expected = told(alone.check_many(BATCH))
    assert sum(isinstance(item, Transaction) for item in expected) == len(BATCH) - 15
    assert told(helped.check_many(BATCH)) == expected
    assert [told(part) for part in helped.stream(BATCH)] == [
        expected[start : start + CHUNK] for start in range(0, len(BATCH), CHUNK)
    ]
    assert helped.check_many([]) == []


def test_several_threads_share_the_helpers(alone: Verifier, helped: Verifier) -> None:
    expected = told(alone.check_many(BATCH))
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(helped.check_many, [BATCH] * 4):
            assert told(found) == expected
    assert len(helpers(helped)) == 1


def test_a_stream_may_be_left_early(alone: Verifier, helped: Verifier) -> None:
    expected = told(alone.check_many(BATCH))
    stream = helped.stream(BATCH)
    assert told(next(stream)) == expected[:CHUNK]
    stream.close()  # type: ignore[attr-defined]
    assert told(helped.check_many(BATCH)) == expected


def test_a_helper_that_is_killed_is_replaced(alone: Verifier, helped: Verifier) -> None:
    expected = told(alone.check_many(BATCH))
    helped.warm_up()
    (killed,) = helpers(helped)
    stream = helped.stream(BATCH)
    found = next(stream)
    os.kill(killed, signal.SIGKILL)
    for part in stream:
        found += part
    assert told(found) == expected
    assert told(helped.check_many(BATCH)) == expected
    helped.warm_up()
    assert told(helped.check_many(BATCH)) == expected
    assert killed not in helpers(helped)


def test_after_closing_this_process_does_all(alone: Verifier, helped: Verifier) -> None:
    helped.warm_up()
    (helper,) = helpers(helped)
    helped.close()
    helped.close()
    assert not Path(f"/proc/{helper}").exists()
    assert told(helped.check_many(BATCH)) == told(alone.check_many(BATCH))
    assert helped._pool is None


PARENT = """
import os, signal
from tests.engines.test_verifier import CODEC, LEDGER_ID, Verifier, helpers

if __name__ == "__main__":
    verifier = Verifier(CODEC, ledger_id=LEDGER_ID, workers=1)
    verifier.warm_up()
    print(*helpers(verifier), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_helpers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).parents[2]
    with (tmp_path / "err").open("wb") as err:
        parent = subprocess.Popen(
            [sys.executable, script],
            stdout=subprocess.PIPE,
            stderr=err,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert parent.stdout is not None
        helper = int(parent.stdout.readline())
        assert parent.wait(timeout=60) == -signal.SIGKILL
        parent.stdout.close()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{helper}").exists():
        assert time.monotonic() < deadline, "the helping process outlives its parent"
        time.sleep(0.05)
