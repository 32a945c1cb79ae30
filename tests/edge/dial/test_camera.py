"""A camera on a dial over a day: what it gives, what it keeps, and what a person says."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import cv2
import pytest
from tests.support.dials import Look, drawn
from tests.support.refusals import refused

from wattproof.core.errors import Malformed, WattProofError
from wattproof.edge.dial.camera import TYPED, Camera
from wattproof.edge.dial.doubtful import confirm, list_doubtful
from wattproof.edge.sources.table import check_source, open_source
from wattproof.edge.stream import MANUAL_DOUBT

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("rapidocr", reason="rapidocr is not installed")

STEADY = Look(kind="lcd", tilt=1.5, decimals=1)
WHEELS = Look(tilt=-1.0, decimals=1)


class Wall:
    """A dial on a wall, and the file that its camera writes."""

    def __init__(self, folder: Path, style: Look) -> None:
        self.folder, self.style = folder, style
        self.file = folder / "dial.png"
        self.seed = 0
        self.box = drawn(Decimal(0), 6, style)[1]

    def shows(self, units: str, *, ago_s: int = 0, style: Look | None = None) -> None:
        """The camera writes a picture of the dial; units are of its last digit."""
        self.seed += 1
        picture, _ = drawn(Decimal(units), 6, style or self.style, self.seed)
        assert cv2.imwrite(str(self.file), picture)
        os.utime(self.file, (time.time() - ago_s,) * 2)

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "kind": "dial",
            "picture": str(self.file),
            "folder": str(self.folder / "doubtful"),
            "box": list(self.box),
            "digits": 6,
            "decimals": 1,
            "face": "wheels" if self.style.kind == "drum" else "display",
            "max_per_hour": 6,
            "max_age_s": 86_400,
            **more,
        }

    @property
    def doubtful(self) -> Path:
        return self.folder / "doubtful"


@pytest.fixture
def display(tmp_path: Path) -> Wall:
    return Wall(tmp_path, STEADY)


def test_a_source_of_the_agent(display: Wall) -> None:
    source = open_source(display.settings(start=Decimal("1234.0")))
    display.shows("12345")
    sample = source.read()
    assert (sample.value, sample.unit, sample.doubt) == (Decimal("1234.5"), "kWh", "")
    assert (source.kind, source.mode) == ("dial", "register")
    assert list_doubtful(display.doubtful) == ()
    source.close()


def test_a_restart_does_not_forget_the_last_value(display: Wall) -> None:
    settings = display.settings(start=Decimal("1234.0"))
    display.shows("12345", ago_s=3600)
    open_source(settings).read()
    display.shows("12399")
    assert open_source(settings).read().value == Decimal("1239.9")
    display.shows("12345")  # a picture of before
    refused("edge.dial.doubtful", lambda: open_source(settings).read())


def test_the_first_picture_is_a_persons(display: Wall) -> None:
    source = open_source(display.settings())
    display.shows("12345")
    refused("edge.dial.doubtful", source.read)
    (kept,) = list_doubtful(display.doubtful)
    assert kept.read == "1234.5"
    confirm(display.doubtful, kept.id)
    display.shows("12346")
    sample = source.read()
    assert (sample.value, sample.doubt) == (Decimal("1234.6"), "")


def test_what_moves_faster_than_it_can_is_not_believed_until_a_person_says_so(
    display: Wall,
) -> None:
    source = open_source(display.settings(start=Decimal("1234.0")))
    display.shows("99345")
    refused("edge.dial.doubtful", source.read)
    (kept,) = list_doubtful(display.doubtful)
    assert "rate" in kept.why
    confirm(display.doubtful, kept.id)
    display.file.unlink()  # the camera fails; what the person said is given
    sample = source.read()
    assert (sample.value, sample.doubt) == (Decimal("9934.5"), TYPED)


def test_the_agent_takes_a_typed_value_as_one() -> None:
    assert TYPED == MANUAL_DOUBT


def test_an_answer_older_than_the_last_value_changes_nothing(display: Wall) -> None:
    source = open_source(display.settings(start=Decimal("1234.0")))
    display.shows("99345", ago_s=600)
    refused("edge.dial.doubtful", source.read)
    display.shows("12345", ago_s=300)
    assert source.read().value == Decimal("1234.5")
    confirm(display.doubtful, list_doubtful(display.doubtful)[0].id)
    display.shows("12346")
    assert source.read().value == Decimal("1234.6")


def test_a_camera_that_shows_the_same_picture_for_ever(display: Wall) -> None:
    source = open_source(display.settings(start=Decimal("1234.0")))
    display.shows("12345")
    source.read()
    refused("edge.dial.frozen", source.read)


def test_a_register_that_begins_again(display: Wall) -> None:
    source = open_source(display.settings(start=Decimal("99999.5")))
    display.shows("000004")
    assert source.read().value == Decimal("0.4")


def test_a_wheel_between_two_digits_is_marked_and_kept(tmp_path: Path) -> None:
    wall = Wall(tmp_path, WHEELS)
    source = open_source(wall.settings(start=Decimal("1234.0")))
    wall.shows("12345.5", ago_s=3600)
    sample = source.read()
    assert Decimal("1234.0") <= sample.value <= Decimal("1234.6")
    assert "between two digits" in sample.doubt
    assert len(list_doubtful(wall.doubtful)) == 1
    wall.shows("12352.1")
    assert open_source(wall.settings()).read().value == Decimal("1235.2")


def test_a_day_of_wheels(tmp_path: Path) -> None:
    """A reading each half hour: never more than the dial shows, never less than before."""
    wall = Wall(tmp_path, WHEELS)
    source = open_source(wall.settings(start=Decimal("998.0"), max_per_hour=8))
    shown, last = Decimal("9981.0"), Decimal(0)
    for step in range(24):
        shown += Decimal("12.3")
        wall.shows(str(shown), ago_s=43_200 - 1800 * step)
        try:
            sample = source.read()
        except Malformed as doubtful:
            assert doubtful.code == "edge.dial.doubtful"
            continue
        assert last <= sample.value <= shown / 10 + Decimal("0.05")
        if not sample.doubt:
            assert sample.value >= shown / 10 - Decimal("0.1")
        last = sample.value
    assert last > 1020


@pytest.mark.parametrize(
    "wrong",
    [{"start": Decimal("12.34")}, {"start": 200_000}, {"unit": "parsec"}, {"digits": 1},
     {"max_per_hour": 0}, {"face": "clock"}, {"colour": "red"}, {"box": [1, 2, 3]}],
)  # fmt: skip
def test_settings_that_cannot_be(display: Wall, wrong: dict[str, Any]) -> None:
    with pytest.raises(WattProofError):
        check_source(display.settings(**wrong))


def test_a_camera_needs_no_more_than_its_settings(display: Wall) -> None:
    camera = Camera(check_source(display.settings()))
    assert camera.last is None
