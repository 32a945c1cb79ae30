"""A CO2 probe in a stack (CEMS) over Modbus: its mass flow, integrated over time to grams.

The probe gives the mass flow of CO2, or a concentration and the volume flow of the gas under the
same conditions. Between two reads the flow is taken to change evenly (trapezoids). A time for
which there was no reading is not integrated over: what nobody measured is no amount.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Final

from wattproof.core.errors import ErrorCode, Malformed
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.faults import SETTING
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

_MILLISECONDS: Final = 1000
_FINEST: Final = 10**6
"""Samples are in whole micrograms; the rest goes with the next."""


class Config(ModbusAddress, frozen=True, kw_only=True, tag_field="kind", tag="cems",
             forbid_unknown_fields=True):  # fmt: skip
    """The probe, its registers, and how long two reads may be apart.

    `flow` alone is a mass flow (``kg/h``); with `concentration` (``mg/m3``) it is a volume flow
    (``m3/h``). Each has the scale of one count. A probe drifts around zero: a product no lower
    than minus `dead_band` grams a second counts as zero.
    """

    flow: Register
    flow_unit: str = "kg/h"
    flow_scale: Decimal = Decimal(1)
    concentration: Register | None = None
    concentration_unit: str = "mg/m3"
    concentration_scale: Decimal = Decimal(1)
    max_gap_s: int = 300
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
        if not 0 < self.max_gap_s <= 3600:
            raise SETTING(
                key="max_gap_s", value=self.max_gap_s, why="1 to 3600 seconds",
                why_zh="1 至 3600 秒",
            )  # fmt: skip


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class CemsSource:
    """Gives the grams of CO2 since the last sample. `clock` gives milliseconds."""

    kind: ClassVar[str] = "cems"
    mode: Mode = "increment"

    def __init__(self, config: Config, *, clock: Callable[[], int] = _monotonic_ms) -> None:
        load_modbus()
        self._config = config
        self._clock = clock
        self._last: tuple[int, Fraction] | None = None
        self._rest = Fraction(0)  # micrograms not yet given

    def read(self) -> Sample:
        """Read the flow and integrate since the last read; ``edge.cems.negative`` below zero.

        The first sample, and one after more than `max_gap_s` seconds without a reading, is zero;
        the latter says so as its doubt.
        """
        flow = self._flow()
        now = self._clock()
        last, self._last = self._last, (now, flow)
        micrograms, doubt = Fraction(0), ""
        if last is not None:
            elapsed = now - last[0]
            if elapsed <= self._config.max_gap_s * _MILLISECONDS:
                micrograms = (last[1] + flow) / 2 * elapsed * _FINEST / _MILLISECONDS
            else:
                doubt = f"no reading for {elapsed // _MILLISECONDS} s: not integrated over"
        whole, self._rest = divmod(self._rest + micrograms, 1)
        return Sample(
            time_s=int(time.time()), value=Decimal(whole).scaleb(-6), unit="gCO2", doubt=doubt
        )

    def close(self) -> None:
        """Nothing stays open between reads."""

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
