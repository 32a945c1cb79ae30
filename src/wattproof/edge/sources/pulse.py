"""A meter that gives pulses: on a pin of a Raspberry Pi, or counted by hardware in a file.

The count is kept in a file, so that a restart neither loses nor repeats a pulse that was counted.
An increment is saved as given before it is handed over: after a power cut in that very moment it
is missing, but never there twice.
"""

from __future__ import annotations

import threading
import time
from decimal import ROUND_FLOOR, Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
from msgspec.structs import replace

from wattproof.core.units import find_unit
from wattproof.edge.source import Mode, Sample
from wattproof.edge.sources.faults import NO_LINE, NOT_NUMBER, SETTING
from wattproof.edge.sources.kept import load_kept, save_kept

if TYPE_CHECKING:
    import gpiozero

__all__ = ["Config", "PulseSource", "open_source"]

FINEST: Final = Decimal("1e-12")
"""Amounts end here; what is finer stays with the count and comes with a later pulse."""

_FLOOR: Final = Context(prec=60, rounding=ROUND_FLOOR)


class Config(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="pulse",
             forbid_unknown_fields=True):  # fmt: skip
    """Where pulses come from, and how many of them make one `unit`.

    `pin` is a GPIO by its BCM number, `counter` the path of a file that holds a count (such as a
    hardware counter in sysfs): one of them. A contact that bounces closes again within
    `debounce_ms`, which is not counted. `modulus` is where a hardware counter begins again at 0.
    `state` is where the count is kept.
    """

    pulses_per_unit: Decimal
    state: str
    unit: str = "kWh"
    pin: int | None = None
    counter: str = ""
    debounce_ms: int = 20
    pull_up: bool = True
    modulus: int = 0

    def __post_init__(self) -> None:
        if (self.pin is None) == (not self.counter):
            raise SETTING(
                key="pin", value=self.pin, why="give either pin or counter",
                why_zh="pin 与 counter 须且只须给出一个",
            )  # fmt: skip
        if not (self.pulses_per_unit.is_finite() and self.pulses_per_unit > 0):
            raise SETTING(
                key="pulses_per_unit", value=self.pulses_per_unit, why="it is more than 0",
                why_zh="须大于 0",
            )  # fmt: skip
        if not self.state or not 0 <= self.debounce_ms <= 10_000 or self.modulus < 0:
            raise SETTING(
                key="state", value=repr(self.state),
                why="name a file, at most 10000 ms of debouncing, and no modulus below 0",
                why_zh="须指定文件，去抖不超过 10000 毫秒，modulus 不小于 0",
            )  # fmt: skip


class Count(msgspec.Struct, kw_only=True):
    """What is kept: all pulses so far, those already given, and the hardware's last count."""

    pulses: int = 0
    given: int = 0
    hardware: int | None = None


class PulseSource:
    """Gives the amount of the pulses since the last sample."""

    kind: ClassVar[str] = "pulse"
    mode: Mode = "increment"

    def __init__(self, config: Config) -> None:
        self._config = config
        self._unit = find_unit(config.unit).name
        self._count = load_kept(config.state, Count())
        self._lock = threading.Lock()
        self._last_pulse_s = -1e9
        self._device: gpiozero.DigitalInputDevice | None = None
        if config.pin is not None:
            self._device = self._listen(config.pin)

    def read(self) -> Sample:
        """Give the pulses since the last sample; blocks for no longer than a file is read."""
        doubt = self._count_hardware() if self._config.counter else ""
        with self._lock:
            value = self._amount(self._count.pulses) - self._amount(self._count.given)
            given = replace(self._count, given=self._count.pulses)
            save_kept(self._config.state, given)  # else it could be given twice
            self._count = given
        return Sample(time_s=int(time.time()), value=value, unit=self._unit, doubt=doubt)

    def close(self) -> None:
        """Let go of the pin and keep the count."""
        if self._device is not None:
            self._device.close()
            self._device = None
            with self._lock:
                save_kept(self._config.state, self._count)

    def _amount(self, pulses: int) -> Decimal:
        """The amount of so many pulses, rounded down to `FINEST`: differences add up exactly."""
        amount = _FLOOR.divide(Decimal(pulses), self._config.pulses_per_unit)
        return amount.quantize(FINEST, context=_FLOOR)

    def _count_hardware(self) -> str:
        now = self._read_counter()
        last, self._count.hardware = self._count.hardware, now
        if last is None:
            return ""
        if now >= last:
            self._count.pulses += now - last
            return ""
        if self._config.modulus:
            self._count.pulses += now - last + self._config.modulus
            return ""
        self._count.pulses += now
        return f"the counter began again: {last}, then {now}"

    def _read_counter(self) -> int:
        path = self._config.counter
        try:
            text = Path(path).read_text("ascii", errors="replace").strip()
        except OSError as error:
            raise NO_LINE(where=path, reason=error.strerror or str(error)) from None
        if not text.isdecimal() or len(text) > 20:
            raise NOT_NUMBER(value=repr(text[:40]))
        return int(text)

    def _listen(self, pin: int) -> gpiozero.DigitalInputDevice:
        import gpiozero

        try:
            device = gpiozero.DigitalInputDevice(pin, pull_up=self._config.pull_up)
        except gpiozero.GPIOZeroError as error:  # no such pin, or none on this machine
            raise NO_LINE(where=f"GPIO {pin}", reason=str(error).rstrip(".")) from None
        device.when_activated = self._pulse
        return device

    def _pulse(self) -> None:
        """Count an edge, unless it comes so soon after one that the contact bounced."""
        now = time.monotonic()
        with self._lock:
            if (now - self._last_pulse_s) * 1000 >= self._config.debounce_ms:
                self._count.pulses += 1
            self._last_pulse_s = now


def open_source(config: Config) -> PulseSource:
    """Open the source of this table."""
    return PulseSource(config)
