"""The second path of a reading: a line of text to a display, whatever becomes of the packet."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Protocol

from wattproof.core.errors import ErrorCode, Lang, Unavailable
from wattproof.core.periods import local_time
from wattproof.core.units import base_unit, format_amount, quantity_label
from wattproof.edge.broker import Broker
from wattproof.edge.config import Config, DisplaySettings
from wattproof.edge.money import show_fen
from wattproof.edge.payments import Payment
from wattproof.edge.queue import LastReading
from wattproof.edge.status import payment_state

__all__ = ["Display", "line_of", "open_display"]

FAILED = ErrorCode(
    Unavailable,
    "edge.display",
    en="The display cannot be reached: {reason}.",
    zh="无法连接显示屏：{reason}。",
)


class Display(Protocol):
    """Where lines go."""

    def show(self, line: str) -> None:
        """Show this line in place of the one before. Raises `Unavailable`."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def line_of(
    reading: LastReading, *, quantity: str, zone: str, lang: Lang, payment: Payment | None = None
) -> str:
    """A reading in one line: time, what was counted, the register, emission since the start.

    Then the last payment, if there is one, and what became of it.
    """
    unit = base_unit(quantity)
    parts = [
        f"{local_time(reading.at_s, zone):%Y-%m-%d %H:%M:%S}",
        f"{quantity_label(quantity, lang)} +{format_amount(reading.amount, unit, lang)}",
        format_amount(reading.register, unit, lang),
        f"CO2 {format_amount(reading.total_g, 'g', lang)}",
    ]
    if payment is not None:
        how = payment_state(payment, lang) + (f" [{payment.code}]" if payment.code else "")
        parts.append(
            f"{show_fen(payment.fen, payment.asset, lang)}"
            f" {payment.target or payment.to_device}: {how}"
        )
    return " | ".join(parts)


def open_display(config: Config, settings: DisplaySettings) -> Display:
    """The display of these settings. Raises `Unavailable` where it cannot be opened."""
    if settings.to == "stdout":
        return _Stream()
    if settings.to == "file":
        return _File(config.path(settings.path))
    if settings.to == "serial":
        return _Serial(settings.path, settings.baud)
    return _Topic(settings.mqtt, settings.topic)


class _Stream:
    """Standard output: a terminal, or whatever reads it."""

    def show(self, line: str) -> None:
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError as failed:
            raise FAILED(reason=failed.strerror or "?") from None

    def close(self) -> None:
        """Nothing is held."""


class _File:
    """A file with the newest line, replaced as a whole; or a terminal's device, written to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def show(self, line: str) -> None:
        try:
            if self._path.exists() and not self._path.is_file():
                with self._path.open("w", encoding="utf-8") as device:
                    device.write(line + "\r\n")
                return
            new = self._path.with_name(f".{self._path.name}.new")
            new.write_text(line + "\n", encoding="utf-8")
            os.replace(new, self._path)  # noqa: PTH105
        except OSError as failed:
            raise FAILED(reason=failed.strerror or "?") from None

    def close(self) -> None:
        """Nothing is held."""


class _Serial:
    """A display on a serial line: each line ends with CR LF."""

    def __init__(self, path: str, baud: int) -> None:
        try:
            import serial
        except ModuleNotFoundError:
            raise FAILED(reason="pyserial: wattproof[edge]") from None
        try:
            self._line: Any = serial.serial_for_url(path, baudrate=baud, write_timeout=5)
        except (OSError, ValueError) as failed:
            raise FAILED(reason=str(failed)) from None

    def show(self, line: str) -> None:
        try:
            self._line.write(line.encode() + b"\r\n")
        except OSError as failed:
            raise FAILED(reason=str(failed)) from None

    def close(self) -> None:
        self._line.close()


class _Topic:
    """A topic of a broker, retained, so that a display that is switched on has a line at once."""

    def __init__(self, url: str, topic: str) -> None:
        self._broker = Broker(url)
        self._topic = topic

    def show(self, line: str) -> None:
        self._broker.publish(self._topic, line.encode(), retain=True)

    def close(self) -> None:
        self._broker.close()
