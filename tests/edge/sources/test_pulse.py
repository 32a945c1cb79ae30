"""Pulses: counted by hardware in a file, and on a pin as gpiozero sees it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st
from tests.support.meter_lines import fails

from wattproof.edge.sources.pulse import Config, Count, PulseSource
from wattproof.edge.sources.table import open_source


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """The pins of gpiozero's own simulated board."""
    before = gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory = MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "kind": "pulse", "pulses_per_unit": 800, "state": str(folder / "pulses.json"), **more,
    }  # fmt: skip


def test_a_counter_in_a_file(tmp_path: Path) -> None:
    counter = tmp_path / "count"
    wanted = settings(tmp_path, counter=str(counter))
    counter.write_text("1000\n")
    source = open_source(wanted)
    assert source.mode == "increment"
    assert source.read().value == 0  # what was counted before is nobody's
    counter.write_text("1801")
    sample = source.read()
    assert (sample.value, sample.unit, sample.doubt) == (Decimal("1.00125"), "kWh", "")
    assert source.read().value == 0
    counter.write_text("1803")
    source.close()
    again = open_source(wanted)  # restarted: neither lost nor twice
    assert again.read().value == Decimal("0.0025")


def test_a_counter_that_began_again(tmp_path: Path) -> None:
    counter = tmp_path / "count"
    counter.write_text("500")
    source = open_source(settings(tmp_path, counter=str(counter)))
    source.read()
    counter.write_text("80")
    sample = source.read()
    assert sample.value == Decimal("0.1")
    assert "500" in sample.doubt


def test_a_counter_that_rolls_over(tmp_path: Path) -> None:
    counter = tmp_path / "count"
    counter.write_text("65530")
    source = open_source(settings(tmp_path, counter=str(counter), modulus=65536))
    source.read()
    counter.write_text("2")
    sample = source.read()
    assert (sample.value, sample.doubt) == (Decimal("0.01"), "")


@pytest.mark.parametrize("text", ["", "12.5", "-3", "NaN", "9" * 30])
def test_a_counter_that_is_no_count(tmp_path: Path, text: str) -> None:
    counter = tmp_path / "count"
    counter.write_text(text)
    source = open_source(settings(tmp_path, counter=str(counter)))
    with fails("edge.value.not_number"):
        source.read()


def test_no_counter(tmp_path: Path) -> None:
    source = open_source(settings(tmp_path, counter=str(tmp_path / "none")))
    with fails("edge.line.none"):
        source.read()


@given(st.lists(st.integers(0, 5000), max_size=20), st.integers(1, 10_000))
def test_increments_add_up_to_the_total(steps: list[int], per_unit: int) -> None:
    source = PulseSource(Config(pulses_per_unit=Decimal(per_unit), state="-", counter="-"))
    amounts = [source._amount(total) for total in accumulate(steps, initial=0)]
    given_out = sum((after - before for before, after in pairwise(amounts)), Decimal(0))
    exact = Decimal(sum(steps)) / per_unit
    assert 0 <= exact - given_out < Decimal("1e-11")


def test_a_pin(tmp_path: Path, pins: MockFactory) -> None:
    source = open_source(settings(tmp_path, pin=17, debounce_ms=0, pulses_per_unit="100"))
    pin = pins.pin(17)
    for _ in range(5):
        pin.drive_low()
        pin.drive_high()
    assert source.read().value == Decimal("0.05")
    assert source.read().value == 0
    pin.drive_low()
    source.close()
    source.close()
    kept = Path(settings(tmp_path)["state"]).read_bytes()
    assert kept == b'{"pulses":6,"given":5,"hardware":null}'
    again = open_source(settings(tmp_path, pin=17, debounce_ms=0, pulses_per_unit="100"))
    assert again.read().value == Decimal("0.01")
    again.close()


def test_a_contact_that_bounces(tmp_path: Path, pins: MockFactory) -> None:
    source = open_source(settings(tmp_path, pin=4, debounce_ms=40, pulses_per_unit=1))
    pin = pins.pin(4)
    for _ in range(3):
        for _ in range(4):
            pin.drive_low()
            pin.drive_high()
        time.sleep(0.06)
    assert source.read().value == 3
    source.close()


def test_a_pin_that_is_not_there(tmp_path: Path, pins: MockFactory) -> None:
    assert pins is gpiozero.Device.pin_factory
    with fails("edge.line.none"):
        open_source(settings(tmp_path, pin=99))


def test_what_was_kept_is_damaged(tmp_path: Path) -> None:
    Path(settings(tmp_path)["state"]).write_text('{"pulses": "many"}')
    with fails("edge.source.kept"):
        open_source(settings(tmp_path, counter="x"))


def test_what_cannot_be_kept(tmp_path: Path) -> None:
    counter = tmp_path / "count"
    counter.write_text("1")
    wanted = settings(tmp_path, counter=str(counter), state=str(tmp_path / "no" / "folder"))
    source = open_source(wanted)
    with fails("edge.source.unwritable"):
        source.read()
    counter.write_text("801")
    with fails("edge.source.unwritable"):
        source.read()
    (tmp_path / "no").mkdir()
    assert source.read().value == 1  # nothing was lost by it


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, "edge.source.setting"),
        ({"pin": 1, "counter": "x"}, "edge.source.setting"),
        ({"pin": 1, "pulses_per_unit": 0}, "edge.source.setting"),
        ({"pin": 1, "pulses_per_unit": "NaN"}, "edge.source.setting"),
        ({"pin": 1, "state": ""}, "edge.source.setting"),
        ({"counter": "x", "unit": "rev"}, "core.unit"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, more: dict[str, Any], code: str) -> None:
    with fails(code):
        open_source({**settings(tmp_path), **more})


def test_nothing_is_counted_at_first() -> None:
    assert Count() == Count(pulses=0, given=0, hardware=None)
