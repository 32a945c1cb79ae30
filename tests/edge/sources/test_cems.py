"""A CO2 probe behind the real Modbus server of pymodbus, sampled by a thread and integrated."""

from __future__ import annotations

import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.meter_lines import (
    Teller,
    fails,
    free_port,
    nothing_left_open,
    says,
    server_process,
)

from wattproof.edge.source import Source
from wattproof.edge.sources.table import open_source


class Probe:
    """A probe whose flow (register 30) and concentration (register 32) a test sets."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port = port
        self._process = process

    def gives(self, register: int, value: float) -> None:
        """From now on."""
        high, low = struct.unpack(">2H", struct.pack(">f", value))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{register}={high},{low}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "changed\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Probe]:
    port = free_port()
    with server_process("modbus_server", "tcp", str(port)) as process:
        yield Probe(port, process)


@pytest.fixture
def probe(server: Probe) -> Probe:
    server.gives(30, 360.0)
    server.gives(32, 2.0)
    return server


@contextmanager
def opened(port: int, **settings: Any) -> Iterator[Source]:
    source = open_source({
        "kind": "cems", "host": "127.0.0.1", "port": port, "timeout_s": 1.5, "every_s": 1,
        "flow": {"register": 30, "type": "f32"}, **settings,
    })  # fmt: skip
    try:
        yield source
    finally:
        source.close()


def for_a_while(source: Source, seconds: float = 2.3) -> tuple[Decimal, float]:
    """What a source gives in this time, and how long it really took between two samples."""
    source.read()
    begun = time.monotonic()
    total = Decimal(0)
    while time.monotonic() - begun < seconds:
        total += source.read().value
    return total, time.monotonic() - begun


def test_a_mass_flow_over_time(probe: Probe) -> None:
    with nothing_left_open(), opened(probe.port) as source:
        first = source.read()
        assert first.value == 0
        assert (first.unit, first.doubt, source.mode) == ("gCO2", "", "increment")
        grams, seconds = for_a_while(source)
        assert abs(float(grams) - 100 * seconds) < 60  # 360 kg/h are 100 g/s
        assert grams > 0


def test_a_concentration_times_a_volume_flow(probe: Probe) -> None:
    both = {
        "flow_unit": "m3/h", "concentration": {"register": 32, "type": "f32"},
        "concentration_unit": "g/m3", "concentration_scale": "10",
    }  # fmt: skip
    with opened(probe.port, **both) as source:
        grams, seconds = for_a_while(source)
        assert abs(float(grams) - 2 * seconds) < 1.2  # 0.1 m3/s of 20 g/m3
        assert grams > 0


def test_a_time_without_readings_is_not_integrated_over(probe: Probe) -> None:
    with opened(probe.port, max_gap_s=1) as source:
        source.read()
        probe.gives(30, float("nan"))
        with fails("edge.value.not_finite", within_s=4):
            for _ in range(9):
                source.read()
        time.sleep(1.2)
        probe.gives(30, 360.0)
        end, total = time.monotonic() + 6, Decimal(0)
        doubts: list[str] = []
        while not doubts and time.monotonic() < end:
            try:
                sample = source.read()
            except Exception as error:
                assert "not_finite" in str(error)
                continue
            total += sample.value
            doubts += [sample.doubt] if sample.doubt else []
        assert "not integrated over" in doubts[0]
        assert total < 100


def test_what_was_integrated_is_kept_over_a_restart(probe: Probe, tmp_path: Path) -> None:
    state = str(tmp_path / "co2.json")
    with opened(probe.port, state=state) as source:
        source.read()
        time.sleep(1.3)
    with opened(probe.port, state=state) as source:
        assert source.read().value >= 90  # a second of 100 g/s that nobody had read


def test_drift_below_zero(probe: Probe) -> None:
    probe.gives(30, -1.8)  # half a gram a second
    with opened(probe.port, dead_band="0.5") as source:
        assert source.read().value == 0
    with opened(probe.port) as source, fails("edge.cems.negative"):
        source.read()


def test_the_line_by_name(probe: Probe) -> None:
    with (
        Teller(says(then="hang")) as silent,
        nothing_left_open(),
        opened(silent.port, timeout_s=0.4) as source,
        fails("edge.line.silent"),
    ):
        source.read()
    with opened(free_port()) as source, fails("edge.line.refused"):
        source.read()
    flow = {"register": 900, "type": "f32"}
    with opened(probe.port, flow=flow) as source, fails("edge.frame.refusal"):
        source.read()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"flow_unit": "m3/h"}, "edge.source.setting"),
        ({"flow_unit": "kg/h", "concentration": {"register": 1}}, "edge.source.setting"),
        ({"concentration_unit": "ppm"}, "edge.source.setting"),
        ({"max_gap_s": 0}, "edge.source.setting"),
        ({"every_s": 60}, "edge.source.setting"),
        ({"flow": {"register": -1}}, "edge.source.setting"),
        ({"port": 0}, "edge.source.setting"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code), opened(**({"port": 1} | more)):
        pass
