"""A CO2 probe behind the real Modbus server of pymodbus, integrated over time."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.support.meter_lines import (
    Teller,
    fails,
    free_port,
    nothing_left_open,
    says,
    server_process,
)

from wattproof.edge.sources.cems import CemsSource, Config
from wattproof.edge.sources.table import open_source


class Probe:
    """A probe whose flow and concentration a test sets, and a clock that it moves."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port = port
        self._process = process
        self.now_ms = 1_000_000

    def gives(self, register: int, value: float) -> None:
        """Register 30 is the flow, 32 the concentration."""
        high, low = struct.unpack(">2H", struct.pack(">f", value))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{register}={high},{low}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "changed\n"

    def source(self, **more: Any) -> CemsSource:
        config = msgspec.convert(settings(self.port, **more), Config)
        return CemsSource(config, clock=lambda: self.now_ms)


def settings(port: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "cems", "host": "127.0.0.1", "port": port, "timeout_s": 0.5,
        "flow": {"register": 30, "type": "f32"}, **more,
    }  # fmt: skip


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


def test_a_mass_flow_over_time(probe: Probe) -> None:
    source = probe.source()
    with nothing_left_open():
        first = source.read()
    assert first.value == 0
    assert (first.unit, first.doubt, source.mode) == ("gCO2", "", "increment")
    probe.now_ms += 60_000
    assert source.read().value == 6000  # 360 kg/h are 100 g/s
    probe.gives(30, 720.0)
    probe.now_ms += 10_000
    assert source.read().value == 1500  # from 100 to 200 g/s
    source.close()


def test_a_concentration_times_a_volume_flow(probe: Probe) -> None:
    source = probe.source(
        flow_unit="m3/h", concentration={"register": 32, "type": "f32"}, concentration_unit="g/m3",
        concentration_scale="10",
    )  # fmt: skip
    source.read()
    probe.now_ms += 1000
    assert source.read().value == 2  # 0.1 m3/s of 20 g/m3


def test_a_gap_is_not_integrated_over(probe: Probe) -> None:
    source = probe.source(max_gap_s=120)
    source.read()
    probe.now_ms += 120_000
    assert source.read().value == 12_000
    probe.now_ms += 121_000
    sample = source.read()
    assert sample.value == 0
    assert "121 s" in sample.doubt
    probe.now_ms += 1000
    assert source.read().value == 100


def test_a_reading_that_fails_is_a_gap_only_if_it_lasts(probe: Probe) -> None:
    source = probe.source(max_gap_s=30)
    source.read()
    probe.gives(30, float("nan"))
    probe.now_ms += 10_000
    with fails("edge.value.not_finite"):
        source.read()
    probe.gives(30, 360.0)
    probe.now_ms += 10_000
    assert source.read().value == 2000


def test_below_zero(probe: Probe) -> None:
    source = probe.source(dead_band="0.5")
    source.read()
    probe.gives(30, -1.8)  # half a gram a second: drift
    probe.now_ms += 2000
    assert source.read().value == 100
    probe.gives(30, -3.6)
    with fails("edge.cems.negative"):
        source.read()


def test_the_server_goes_away(probe: Probe) -> None:
    with Teller(says(then="hang")) as silent, fails("edge.line.silent"), nothing_left_open():
        open_source(settings(silent.port)).read()
    with fails("edge.line.refused"):
        open_source(settings(free_port())).read()
    with fails("edge.frame.refusal"):
        probe.source(flow={"register": 900, "type": "f32"}).read()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"flow_unit": "m3/h"}, "edge.source.setting"),
        ({"flow_unit": "kg/h", "concentration": {"register": 1}}, "edge.source.setting"),
        ({"concentration_unit": "ppm"}, "edge.source.setting"),
        ({"max_gap_s": 0}, "edge.source.setting"),
        ({"flow": {"register": -1}}, "edge.source.setting"),
        ({"port": 0}, "edge.source.setting"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], code: str) -> None:
    with fails(code):
        open_source({**settings(1), **more})


def test_a_steady_flow_gives_the_same_however_often_it_is_read(probe: Probe) -> None:
    probe.gives(30, 1.0)  # 1/3.6 g/s has no end in decimals
    source = probe.source()
    source.read()
    total = Decimal(0)
    for step_ms in (1, 7, 992, 3000, 17, 5983):
        probe.now_ms += step_ms
        total += source.read().value
    assert total == Decimal("2.777777")
