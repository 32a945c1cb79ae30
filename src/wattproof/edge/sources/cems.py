"""A CO2 probe in a stack (CEMS) over Modbus: its mass flow, integrated over time to grams.

The probe gives the mass flow of CO2, or a concentration and the volume flow of the gas under the
same conditions. A thread samples it all the time; between two samples the flow is taken to change
evenly. A time without samples is a gap that is not integrated over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Final

from wattproof.core.errors import ErrorCode, Malformed, WattProofError
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.faults import SETTING, SILENT
from wattproof.edge.sources.integral import Integral, Integrated
from wattproof.edge.sources.kept import load_kept, save_kept
from wattproof.edge.sources.registers import (
    ModbusAddress,
    Register,
    load_modbus,
    read_registers,
)

__all__ = ["CONCENTRATIONS", "MASS_FLOWS", "VOLUME_FLOWS", "CemsSource", "Config", "open_source"]

NEGATIVE = ErrorCode(
    Malformed,
    "edge.cems.negative",
    en="The probe gives {value} {unit}: below zero by more than the dead band of {band}.",
    zh="探头给出 {value} {unit}：低于零且超出死区 {band}。",
)

_HOUR: Final = 3600

MASS_FLOWS: Final[Mapping[str, Fraction]] = {
    "g/s": Fraction(1), "kg/s": Fraction(1000), "g/h": Fraction(1, _HOUR),
    "kg/h": Fraction(1000, _HOUR), "t/h": Fraction(10**6, _HOUR), "kg/min": Fraction(1000, 60),
}  # fmt: skip
"""Mass flows in grams a second."""

CONCENTRATIONS: Final[Mapping[str, Fraction]] = {
    "mg/m3": Fraction(1, 1000), "g/m3": Fraction(1), "kg/m3": Fraction(1000),
}  # fmt: skip
"""Concentrations in grams a cubic metre."""

VOLUME_FLOWS: Final[Mapping[str, Fraction]] = {
    "m3/s": Fraction(1), "m3/h": Fraction(1, _HOUR), "10^3 m3/h": Fraction(1000, _HOUR),
    "m3/min": Fraction(1, 60),
}  # fmt: skip
"""Volume flows in cubic metres a second."""


class Config(ModbusAddress, frozen=True, kw_only=True, tag_field="kind", tag="cems",
             forbid_unknown_fields=True):  # fmt: skip
    """The probe, its registers, and how often it is sampled.

    `flow` alone is a mass flow (``kg/h``); with `concentration` (``mg/m3``) it is a volume flow
    (``m3/h``). Each has the scale of one count. A probe drifts around zero: a product no lower
    than minus `dead_band` grams a second counts as zero. It is sampled every `every_s` seconds; two
    samples more than `max_gap_s` apart have a gap between them. `state` is the file in which the
    sum is kept; empty for none.
    """

    flow: Register
    flow_unit: str = "kg/h"
    flow_scale: Decimal = Decimal(1)
    concentration: Register | None = None
    concentration_unit: str = "mg/m3"
    concentration_scale: Decimal = Decimal(1)
    every_s: int = 5
    max_gap_s: int = 30
    state: str = ""
    dead_band: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        super().__post_init__()
        flows = VOLUME_FLOWS if self.concentration else MASS_FLOWS
        for key, value, allowed in (
            ("flow_unit", self.flow_unit, flows),
            ("concentration_unit", self.concentration_unit, CONCENTRATIONS),
        ):
            if value not in allowed:
                raise SETTING(
                    key=key, value=value, why=f"take one of {', '.join(allowed)}",
                    why_zh=f"可用：{'、'.join(allowed)}",
                )  # fmt: skip
        if not 0 < self.every_s <= self.max_gap_s <= 3600:
            raise SETTING(
                key="max_gap_s", value=self.max_gap_s, why="every_s to 3600 seconds",
                why_zh="every_s 至 3600 秒",
            )  # fmt: skip


class CemsSource:
    """Gives the grams of CO2 since the last sample."""

    kind: ClassVar[str] = "cems"
    mode: Mode = "increment"

    def __init__(self, config: Config) -> None:
        load_modbus()
        self._config = config
        kept = load_kept(config.state, Integrated())
        self._integral = Integral(max_gap_s=config.max_gap_s, kept=kept)
        self._changed = threading.Condition()
        self._sampled = False  # since the last read
        self._fault: WattProofError | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="cems", daemon=True)
        self._thread.start()

    def read(self) -> Sample:
        """Give what was integrated since the last read, at most 2 timeouts after it was asked.

        Gaps are said as a doubt. Raises what is wrong with the probe, ``edge.cems.negative`` for a
        flow below zero, if there was no good sample meanwhile.
        """
        wait_s = 2 * self._config.timeout_s + self._config.every_s
        with self._changed:
            self._changed.wait_for(lambda: self._sampled or self._fault, wait_s)
            sampled, fault = self._sampled, self._fault
            self._sampled, self._fault = False, None
            if not sampled:
                raise fault or SILENT(where=self._config.where, seconds=wait_s)
            save_kept(self._config.state, Integrated())  # else it could be given twice
            grams, gap_s = self._integral.give()
        doubt = f"no samples for {gap_s} s: not integrated over" if gap_s else ""
        return Sample(time_s=int(time.time()), value=grams, unit="gCO2", doubt=doubt)

    def close(self) -> None:
        """Stop sampling."""
        self._closing.set()
        self._thread.join(4 * self._config.timeout_s)

    def _watch(self) -> None:
        while not self._closing.is_set():
            begun_s = time.monotonic()
            try:
                self._sample()
            except WattProofError as error:
                with self._changed:
                    self._fault = error
                    self._changed.notify_all()
            self._closing.wait(max(self._config.every_s - (time.monotonic() - begun_s), 0.01))

    def _sample(self) -> None:
        flow = self._flow()
        now_ms = time.monotonic_ns() // 1_000_000
        with self._changed:
            self._integral.take(flow, now_ms=now_ms)
            save_kept(self._config.state, self._integral.kept)
            self._sampled = True
            self._changed.notify_all()

    def _flow(self) -> Fraction:
        """Return grams a second."""
        config = self._config
        flow = Fraction(read_registers(config, config.flow)) * Fraction(config.flow_scale)
        if config.concentration is None:
            flow *= MASS_FLOWS[config.flow_unit]
        else:
            density = Fraction(read_registers(config, config.concentration))
            density *= Fraction(config.concentration_scale)
            flow *= VOLUME_FLOWS[config.flow_unit]
            flow *= density * CONCENTRATIONS[config.concentration_unit]
        if flow < -Fraction(config.dead_band):
            raise NEGATIVE(value=f"{float(flow):.6g}", unit="g/s", band=config.dead_band)
        return max(flow, Fraction(0))


def open_source(config: Config) -> CemsSource:
    """Open the source of this table."""
    return CemsSource(config)
