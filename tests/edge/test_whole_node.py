"""A node with everything beside it: a factor on the keypad, the lamp, the display, the page."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import evdev
import gpiozero
import pytest
from evdev import ecodes
from gpiozero.pins.mock import MockFactory
from tests.support.broker import free_port

from wattproof.edge import running
from wattproof.edge.config import read_config
from wattproof.edge.keyfile import make_key
from wattproof.edge.queue import Queue
from wattproof.edge.status import Status, status_of

TYPED = (ecodes.KEY_0, ecodes.KEY_DOT, ecodes.KEY_5, ecodes.KEY_3, ecodes.KEY_ENTER)
WAIT_S = 30


class Typist:
    """A device at which a test types."""

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()

    def type(self, *codes: int) -> None:
        os.write(self._write_end, b"".join(code.to_bytes(2, "big") for code in codes))

    def read_loop(self) -> Iterator[evdev.InputEvent]:
        while data := os.read(self._read_end, 2):
            yield evdev.InputEvent(0, 0, ecodes.EV_KEY, int.from_bytes(data, "big"), 1)
        os.close(self._read_end)

    def close(self) -> None:
        os.close(self._write_end)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    gpiozero.Device.pin_factory = factory
    yield factory
    factory.reset()
    gpiozero.Device.pin_factory = None


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    assert holds()


def settings(tmp_path: Path, meter: str, port: int) -> Path:
    """The node's settings, in a file."""
    path = tmp_path / "node.toml"
    path.write_text(
        f'[node]\nid = "m1"\nquantity = "electricity.import"\nledger = "{"ab" * 32}"\n'
        'key = "node.key"\ninterval_s = 1\nreadings = 2\nzone = "UTC"\n'
        f'[source]\nkind = "http"\nurl = "{meter}"\nunit = "Wh"\n'
        '[send]\nurl = "http://127.0.0.1:9"\n[display]\nto = "file"\npath = "line"\n'
        '[keypad]\ndevice = "/dev/input/event0"\nby = "badge-7"\n[lamp]\npin = 17\n'
        f"[page]\nport = {port}\n",
        encoding="utf-8",
    )
    return path


def test_a_factor_from_the_keypad_and_a_reading_on_the_display(
    tmp_path: Path,
    meter: str,
    pins: MockFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WATTPROOF_LANG", "en")
    port = free_port()
    path = settings(tmp_path, meter, port)
    config = read_config(path)
    make_key(tmp_path / "node.key")
    typist = Typist()
    monkeypatch.setattr(running, "open_device", lambda _path: typist)  # no input device here
    failures: list[BaseException] = []
    seen: list[Status] = []

    def stand_by() -> None:
        """What a person does while the node runs, in the end by stopping it."""
        try:
            typist.type(ecodes.KEY_ENTER)  # nothing typed: refused
            with Queue(tmp_path / "queue.sqlite") as queue:

                def now() -> Status:
                    return status_of(config, queue, now_s=int(time.time()))

                until(lambda: any(fault.place == "keypad" for fault in now().faults))
                typist.type(*TYPED)
                until(lambda: now().waiting >= 3 and (tmp_path / "line").exists())
                seen.append(now())
            with urlopen(f"http://127.0.0.1:{port}/status.json", timeout=10) as answer:
                assert json.load(answer)["factor"]["entered_by"] == "badge-7"
        except BaseException as failure:
            failures.append(failure)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    person = threading.Thread(target=stand_by)
    running.run_node(config, announce=lambda _url: person.start())
    person.join()
    assert not failures, failures
    said = capsys.readouterr().err  # for the journal: each fault once, in a sentence
    assert said.count("[edge.entry.nothing]") == said.count("[edge.http.no_answer]") == 1
    (status,) = seen
    assert status.factor is not None
    assert (status.factor.value, status.factor.value_ug) == ("0.53", 530_000)
    assert "keypad" not in {fault.place for fault in status.faults}
    assert {fault.place for fault in status.faults} <= {"send"}
    line = (tmp_path / "line").read_text(encoding="utf-8")
    assert line.startswith("20")
    assert "CO2" in line
    assert any(state.state for state in pins.pin(17).states), "the lamp blinked"
