"""A meter whose register is read by Modbus, over TCP, RTU, or RTU over TCP."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import ClassVar

from wattproof.core.units import find_unit
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.exact import scaled
from wattproof.edge.sources.registers import (
    ModbusAddress,
    Register,
    load_modbus,
    read_registers,
)

__all__ = ["Config", "ModbusSource", "open_source"]


class Config(ModbusAddress, frozen=True, kw_only=True, tag_field="kind", tag="modbus",
             forbid_unknown_fields=True):  # fmt: skip
    """One value of a device: where it is, what its registers hold, and its unit.

    `scale` is the value of one count in `unit`: ``"0.01"`` for a register in hundredths.
    """

    value: Register
    scale: Decimal = Decimal(1)
    unit: str = "kWh"


class ModbusSource:
    """Reads a cumulative register; each read is a connection of its own."""

    kind: ClassVar[str] = "modbus"
    mode: Mode = "register"

    def __init__(self, config: Config) -> None:
        load_modbus()
        self._config = config
        self._unit = find_unit(config.unit).name

    def read(self) -> Sample:
        """Read the register, within twice the timeout at the most."""
        value = read_registers(self._config, self._config.value)
        return Sample(
            time_s=int(time.time()), value=scaled(value, self._config.scale), unit=self._unit
        )

    def close(self) -> None:
        """Nothing stays open between reads."""


def open_source(config: Config) -> ModbusSource:
    """Open the source of this table."""
    return ModbusSource(config)
