"""Keys as Linux shows them, the lamp at a pin, and what the two make of an entry."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import evdev
import gpiozero
import pytest
from evdev import ecodes
from gpiozero.pins.mock import MockFactory
from tests.support.refusals import refused

from wattproof.core.errors import WattProofError
from wattproof.edge.keypad import KEYS, Keypad, keys_of, open_device
from wattproof.edge.lamp import ACCEPTED, Lamp


def press(code: int, *, value: int = 1) -> evdev.InputEvent:
    return evdev.InputEvent(0, 0, ecodes.EV_KEY, code, value)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """gpiozero's own simulation of the pins."""
    factory = MockFactory()
    gpiozero.Device.pin_factory = factory
    yield factory
    factory.reset()
    gpiozero.Device.pin_factory = None


def test_codes_are_those_of_linux() -> None:
    for number in range(10):
        for name in (f"KEY_{number}", f"KEY_KP{number}", f"KEY_NUMERIC_{number}"):
            assert KEYS[getattr(ecodes, name)] == str(number)
    for name in ("KEY_DOT", "KEY_KPDOT"):
        assert KEYS[getattr(ecodes, name)] == "."
    for name in ("KEY_ENTER", "KEY_KPENTER", "KEY_OK"):
        assert KEYS[getattr(ecodes, name)] == "confirm"
    for name in ("KEY_ESC", "KEY_BACKSPACE", "KEY_CANCEL"):
        assert KEYS[getattr(ecodes, name)] == "cancel"
    for name in ("KEY_KPASTERISK", "KEY_MENU", "KEY_NUMERIC_STAR"):
        assert KEYS[getattr(ecodes, name)] == "table"


def test_a_key_counts_once_when_it_goes_down() -> None:
    events = [
        press(ecodes.KEY_KP5),
        evdev.InputEvent(0, 0, ecodes.EV_SYN, 0, 0),
        press(ecodes.KEY_KP5, value=2),  # held
        press(ecodes.KEY_KP5, value=0),  # let go
        press(ecodes.KEY_A),
        press(ecodes.KEY_ENTER),
    ]
    assert list(keys_of(events)) == ["5", "confirm"]


class Pipe:
    """A device whose events come through a pipe."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        self._closing = threading.Event()

    def type(self, *codes: int) -> None:
        os.write(self.write_end, b"".join(code.to_bytes(2, "big") for code in codes))

    def read_loop(self) -> Iterator[evdev.InputEvent]:
        while data := os.read(self.read_end, 2):
            yield press(int.from_bytes(data, "big"))
        raise OSError(19, "No such device")

    def close(self) -> None:
        os.close(self.write_end)


def test_a_keypad_hands_on_keys_and_says_when_it_is_gone() -> None:
    device, keys, lost = Pipe(), list[str](), list[WattProofError]()
    keypad = Keypad(device, pressed=keys.append, lost=lost.append, path=Path("/dev/input/event9"))
    device.type(ecodes.KEY_0, ecodes.KEY_DOT, ecodes.KEY_5, ecodes.KEY_OK)
    until = time.monotonic() + 10
    while len(keys) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    assert keys == ["0", ".", "5", "confirm"]
    os.close(device.write_end)  # unplugged
    while not lost and time.monotonic() < until:
        time.sleep(0.01)
    assert [error.code for error in lost] == ["edge.keypad.device"]
    device.write_end = os.open(os.devnull, os.O_WRONLY)
    keypad.close()
    os.close(device.read_end)


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    refused("edge.keypad.device", lambda: open_device(tmp_path / "event9"))


def test_the_lamp_blinks(pins: MockFactory) -> None:
    lamp = Lamp(17)
    pin = pins.pin(17)
    lamp.accepted()
    until = time.monotonic() + 10
    expected = 1 + 2 * ACCEPTED[2]  # dark, then on and off for each blink
    while len(pin.states) < expected and time.monotonic() < until:
        time.sleep(0.02)
    assert [state.state for state in pin.states] == [False, *([True, False] * ACCEPTED[2])]
    pin.clear_states()
    lamp.refused()
    time.sleep(0.5)
    assert [state.state for state in pin.states][-1]  # still on: a long one
    lamp.close()


def test_a_lamp_without_a_pin(pins: MockFactory) -> None:
    assert pins is not None
    refused("edge.lamp.pin", lambda: Lamp(99))
