"""Drawn dials are read: every kind and font, with tilts, blur, noise and slanting light."""

from __future__ import annotations

import random
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest
from tests.support.dials import FONTS, Kind, Look, drawn, random_look

from wattproof.edge.dial.plausible import Judgement, Known, judge
from wattproof.edge.dial.reader import Face, Seen, look
from wattproof.edge.dial.recogniser import Picture, packaged_recogniser

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("rapidocr", reason="rapidocr is not installed")


def cropped(value: Decimal, digits: int, style: Look, seed: int = 0) -> Picture:
    picture, (left, top, wide, high) = drawn(value, digits, style, seed)
    return picture[top : top + high, left : left + wide]


def read(value: Decimal, digits: int, style: Look, seed: int = 0) -> Seen:
    face: Face = "wheels" if style.kind == "drum" else "display"
    crop = cropped(value, digits, style, seed)
    return look(packaged_recogniser(), crop, digits=digits, face=face)


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("dark", [True, False])
def test_every_font_is_read(font: str, dark: bool) -> None:
    for number in (20_584, 31_679):
        found = read(Decimal(number), 6, Look(font=font, dark=dark, tilt=2.0))
        assert found.readings[0][0] == f"{number:06d}"
        assert found.between == 0


@pytest.mark.parametrize("kind", ["lcd", "led"])
def test_displays_are_read(kind: Kind) -> None:
    right = sum(one_of_many(kind, seed) for seed in range(60))
    assert right == 60


def one_of_many(kind: Kind, seed: int) -> bool:
    number = random.Random(seed).randrange(10**7)
    found = read(Decimal(number), 7, random_look(seed, kind), seed)
    return found.readings[0][0] == f"{number:07d}"


def drum(seed: int) -> tuple[Judgement, set[int], int]:
    """What is made of a drum with its wheels anywhere; the values that are right, and the last."""
    chance = random.Random(seed)
    whole = chance.randrange(10**6)
    if seed % 6 == 0:
        whole = whole // 1000 * 1000 + 999
    turned = Decimal(chance.randrange(100)) / 100
    found = read(whole + turned, 6, random_look(seed, "drum"), seed)
    known = Known(value=(whole - chance.randrange(50)) % 10**6, most=50)
    right = {whole, (whole + 1) % 10**6} if turned * 2 >= 1 else {whole}
    return judge(found.readings, known, digits=6, between=found.between), right, known.value


def test_wheels_anywhere_give_no_wrong_value() -> None:
    sure = marked = 0
    for seed in range(90):
        found, right, last = drum(seed)
        if found.value is None:
            continue
        if found.reason:
            marked += 1
            assert (found.value - last) % 10**6 <= (max(right) - last) % 10**6, seed
        else:
            sure += 1
            assert found.value in right, seed
    assert sure >= 36
    assert sure + marked >= 80


def test_wheels_between_digits_are_seen_as_such() -> None:
    assert read(Decimal("123456.5"), 6, Look()).between == 1
    assert read(Decimal("123499.5"), 6, Look()).between == 3
    assert read(Decimal("123456"), 6, Look()).between == 0


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_an_empty_picture_is_never_believed(shade: int) -> None:
    empty = np.full((90, 400, 3), shade, np.uint8)
    faces: tuple[Face, ...] = ("wheels", "display")
    for face in faces:
        found = look(packaged_recogniser(), empty, digits=6, face=face)
        judged = judge(found.readings, Known(value=0, most=10**6 - 2), digits=6)
        assert judged.value is None


def test_noise_and_covered_digits_are_never_believed() -> None:
    chance = np.random.default_rng(3)
    noise = chance.integers(0, 256, (90, 400, 3), dtype=np.uint8)
    crop = cropped(Decimal(493_817), 6, Look()).copy()
    crop[:, crop.shape[1] // 2 : crop.shape[1] // 2 + 70] = 90
    for picture in (noise, crop):
        found = look(packaged_recogniser(), picture, digits=6, face="wheels")
        assert judge(found.readings, Known(value=0, most=10**6 - 2), digits=6).value is None


def test_the_recogniser_is_made_once_and_asks_no_network() -> None:
    assert packaged_recogniser() is packaged_recogniser()
    code = (
        "import socket, numpy as np\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from wattproof.edge.dial.recogniser import packaged_recogniser\n"
        "packaged_recogniser().columns([np.zeros((48, 320, 3), np.uint8)])\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
