"""The lamp beside the meter: it says whether what was entered was taken."""

from __future__ import annotations

from typing import Any, Final

from wattproof.core.errors import ErrorCode, Unavailable

__all__ = ["ACCEPTED", "REFUSED", "Lamp"]

ACCEPTED: Final = (0.15, 0.15, 3)
"""Three short blinks: seconds on, seconds off, how often."""

REFUSED: Final = (1.0, 0.3, 2)
"""Two long ones."""

NOT_INSTALLED = ErrorCode(
    Unavailable,
    "edge.lamp.not_installed",
    en="A lamp needs the package gpiozero: install wattproof[pi].",
    zh="指示灯需要软件包 gpiozero：请安装 wattproof[pi]。",
)
NO_PIN = ErrorCode(
    Unavailable,
    "edge.lamp.pin",
    en="The lamp at pin {pin} cannot be used: {reason}.",
    zh="引脚 {pin} 上的指示灯无法使用：{reason}。",
)


class Lamp:
    """An LED at a GPIO pin (Broadcom's number). Raises `Unavailable` where there is none."""

    def __init__(self, pin: int) -> None:
        try:
            import gpiozero
        except ModuleNotFoundError:
            raise NOT_INSTALLED() from None
        try:
            self._led: Any = gpiozero.LED(pin)
        except (gpiozero.GPIOZeroError, OSError, ImportError) as failed:
            raise NO_PIN(pin=pin, reason=str(failed) or type(failed).__name__) from failed

    def accepted(self) -> None:
        """Blink short and quick: it was taken."""
        self._blink(*ACCEPTED)

    def refused(self) -> None:
        """Blink long and slow: it was not."""
        self._blink(*REFUSED)

    def close(self) -> None:
        """Put the lamp out and let go of the pin."""
        self._led.close()

    def _blink(self, on_s: float, off_s: float, times: int) -> None:
        self._led.blink(on_time=on_s, off_time=off_s, n=times, background=True)
