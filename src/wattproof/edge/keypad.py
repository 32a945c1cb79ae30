"""An infrared or wired keypad, as Linux shows it: input events of a device, by its path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from wattproof.core.errors import ErrorCode, Unavailable, WattProofError
from wattproof.edge.factors import CANCEL, CONFIRM, TABLE

__all__ = ["KEYS", "Device", "Keypad", "keys_of", "open_device"]

EV_KEY: Final = 1
PRESSED: Final = 1
"""The type and value of the event of a key that goes down (linux/input-event-codes.h)."""

KEYS: Final[Mapping[int, str]] = {
    **{2 + position: digit for position, digit in enumerate("1234567890")},  # KEY_1 .. KEY_0
    **dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True)),  # KEY_KP0 ..
    **{512 + position: digit for position, digit in enumerate("0123456789")},  # KEY_NUMERIC_0 ..
    52: ".",  # KEY_DOT
    83: ".",  # KEY_KPDOT
    28: CONFIRM,  # KEY_ENTER
    96: CONFIRM,  # KEY_KPENTER
    352: CONFIRM,  # KEY_OK
    1: CANCEL,  # KEY_ESC
    14: CANCEL,  # KEY_BACKSPACE
    223: CANCEL,  # KEY_CANCEL
    55: TABLE,  # KEY_KPASTERISK
    139: TABLE,  # KEY_MENU
    522: TABLE,  # KEY_NUMERIC_STAR
}
"""What the codes of keys mean here; all other keys mean nothing."""

NO_DEVICE = ErrorCode(
    Unavailable,
    "edge.keypad.device",
    en="The keypad {path} cannot be read: {reason}.",
    zh="无法读取键盘 {path}：{reason}。",
)
NOT_INSTALLED = ErrorCode(
    Unavailable,
    "edge.keypad.not_installed",
    en="A keypad needs the package evdev: install wattproof[pi].",
    zh="键盘需要软件包 evdev：请安装 wattproof[pi]。",
)


class Device(Protocol):
    """What gives input events: an ``evdev.InputDevice``."""

    def read_loop(self) -> Iterable[Any]:
        """Events as they come, each with ``type``, ``code`` and ``value``."""
        ...

    def close(self) -> None:
        """Let go of the device; `read_loop` ends."""
        ...


def open_device(path: Path) -> Device:
    """Open an input device, for this program alone. Raises `Unavailable`."""
    try:
        import evdev
    except ModuleNotFoundError:
        raise NOT_INSTALLED() from None
    try:
        device: Any = evdev.InputDevice(str(path))
        device.grab()  # what is typed here is for nobody else
    except OSError as failed:
        raise NO_DEVICE(path=path, reason=failed.strerror or "?") from None
    found: Device = device
    return found


def keys_of(events: Iterable[Any]) -> Iterator[str]:
    """The keys of input events, as `factors.Typing` takes them: when they go down, not held."""
    for event in events:
        if event.type == EV_KEY and event.value == PRESSED and event.code in KEYS:
            yield KEYS[event.code]


class Keypad:
    """Reads a device in a thread of its own and hands on each key, until closed or unplugged."""

    def __init__(
        self,
        device: Device,
        *,
        pressed: Callable[[str], None],
        lost: Callable[[WattProofError], None],
        path: Path = Path("/dev/input"),
    ) -> None:
        self._device = device
        self._pressed = pressed
        self._lost = lost
        self._path = path
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="wattproof-keypad", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of the device."""
        self._closing = True
        self._device.close()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        try:
            for key in keys_of(self._device.read_loop()):
                self._pressed(key)
        except (OSError, ValueError) as failed:  # unplugged, or closed under the reading
            if not self._closing:
                reason = getattr(failed, "strerror", None) or str(failed)
                self._lost(NO_DEVICE(path=self._path, reason=reason))
