"""The agent beside real servers: what a register grows by between two moments becomes a reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.beside_meter import INTERVAL_S, NOON_S, settings_of
from tests.support.memory_ledger import key_of
from tests.support.meter_lines import free_port, server_process

from wattproof.edge.agent import Agent
from wattproof.edge.queue import Queue

MODBUS = {"kind": "modbus", "value": {"register": 2}, "unit": "Wh"}
DLT645 = {"kind": "dlt645", "address": "000000000161"}
DLMS = {"kind": "dlms"}


@pytest.mark.parametrize(
    ("server", "source", "changes", "amounts"),
    [
        (("modbus_server", "tcp", "{port}"), MODBUS, ("2=16,1", "2=16,500"), [499]),
        (
            ("dlt645_server", "tcp", "{port}", "000000000161"), DLT645,
            ("00010000=500.01", "00010000=500.25"), [240],
        ),
        (("dlms_server", "wrapper", "{port}"), DLMS, ("5000000", "5000007"), [7]),
    ],
)  # fmt: skip
def test_what_a_meter_counts_becomes_readings(
    tmp_path: Path,
    server: tuple[str, ...],
    source: dict[str, Any],
    changes: tuple[str, ...],
    amounts: list[int],
) -> None:
    port = free_port()
    module, *arguments = (part.format(port=port) for part in server)
    tables = {"source": {"host": "127.0.0.1", "port": port, "timeout_s": 3, **source}}
    config = settings_of(tmp_path, tables=tables, emit=False)
    queue = Queue(tmp_path / "queue.sqlite")
    now_s = NOON_S
    agent = Agent(config, key=key_of("m1"), queue=queue, clock_ns=lambda: now_s * 10**9)
    try:
        with server_process(module, *arguments) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for change in changes:
                process.stdin.write(f"{change}\n")
                process.stdin.flush()
                assert process.stdout.readline() == "changed\n"
                agent.once()
                assert not queue.faults()
                now_s += INTERVAL_S
        assert list(queue.state().pending) == amounts
        agent.once()  # the meter is gone
        assert [fault.code for fault in queue.faults()] == ["edge.line.refused"]
        assert list(queue.state().pending) == amounts
    finally:
        agent.close()
        queue.close()
