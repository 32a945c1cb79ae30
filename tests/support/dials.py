"""Draws dials as a camera sees them: drum counters and seven-segment displays, seeded."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["FONTS", "Look", "drawn", "random_look"]

Picture = NDArray[np.uint8]
Kind = Literal["drum", "lcd", "led"]

CELL_W, CELL_H, MARGIN = 64, 96, 40
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
NOTO = Path("/usr/share/fonts/opentype/noto")
WANTED = (
    DEJAVU / "DejaVuSans.ttf",
    DEJAVU / "DejaVuSans-Bold.ttf",
    DEJAVU / "DejaVuSansMono.ttf",
    DEJAVU / "DejaVuSansCondensed-Bold.ttf",
    DEJAVU / "DejaVuSerif.ttf",
    DEJAVU / "DejaVuSerif-Bold.ttf",
    NOTO / "NotoSansCJK-Regular.ttc",
    NOTO / "NotoSerifCJK-Bold.ttc",
)
FONTS: tuple[str, ...] = ("", *(str(path) for path in WANTED if path.exists()))
"""Fonts of drums; the empty one is Pillow's own, which is there on every machine."""

SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc",
    "5": "afgcd", "6": "afgedc", "7": "abc", "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a dial looks and how the camera stands; angles in degrees, the rest in parts."""

    kind: Kind = "drum"
    font: str = ""
    dark: bool = True
    tilt: float = 0.0
    slant: float = 0.0
    blur: float = 0.6
    noise: float = 4.0
    light: float = 0.0
    scale: float = 1.0
    ghost: float = 0.0
    decimals: int = 0


def random_look(seed: int, kind: Kind) -> Look:
    """A look as a camera on a wall has it: up to 5 degrees, blur, noise and slanting light."""
    chance = random.Random(seed)
    return Look(
        kind=kind,
        font=chance.choice(FONTS),
        dark=chance.random() < 0.6,
        tilt=chance.uniform(-5, 5),
        slant=chance.uniform(0, 8) if kind != "drum" else chance.uniform(-3, 3),
        blur=chance.uniform(0.3, 2.2),
        noise=chance.uniform(2, 14),
        light=chance.uniform(0, 0.6),
        scale=chance.uniform(0.55, 1.1),
        ghost=chance.uniform(0, 0.12),
        decimals=chance.choice([0, 1, 2]),
    )


def drawn(
    value: Decimal, digits: int, look: Look, seed: int = 0
) -> tuple[Picture, tuple[int, ...]]:
    """A picture (BGR) of a dial with so many digits, and the box (x, y, width, height) around them.

    The value counts units of the last wheel; its fraction is how far that wheel has turned on, and
    a wheel turns with the one to its right while that goes from 9 to 0.
    """
    draw = _drum if look.kind == "drum" else _display
    flat = draw(value, digits, look)
    return _seen(flat, digits, look, np.random.default_rng(seed))


def _seen(
    flat: Picture, digits: int, look: Look, chance: np.random.Generator
) -> tuple[Picture, tuple[int, ...]]:
    high, wide = flat.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), look.tilt, 1.0)
    shear = np.array([[1, -np.tan(np.radians(look.slant)), 0], [0, 1, 0], [0, 0, 1]])
    shear[0, 2] = np.tan(np.radians(look.slant)) * high / 2
    whole = turn @ shear
    turned: Any = cv2.warpAffine(flat, whole, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    picture = turned.astype(np.float64)
    across = np.linspace(-1, 1, wide)[None, :, None]
    down = np.linspace(-1, 1, high)[:, None, None]
    side = chance.uniform(-1, 1, 2)
    picture *= 1 - look.light * (0.5 + 0.5 * (side[0] * across + side[1] * down) / 2)
    size = (round(wide * look.scale), round(high * look.scale))
    picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), look.blur * look.scale + 0.01))
    picture = picture + chance.normal(0, look.noise, picture.shape)
    box = (MARGIN - 6, MARGIN - 6, CELL_W * digits + 12, CELL_H + 12)
    return (
        np.clip(picture, 0, 255).astype(np.uint8),
        tuple(round(side * look.scale) for side in box),
    )


def _sheet(digits: int, colour: tuple[int, int, int]) -> Picture:
    shape = (CELL_H + 2 * MARGIN, CELL_W * digits + 2 * MARGIN, 3)
    return np.full(shape, colour, np.uint8)


def _font(name: str, size: int) -> Any:
    return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)


def _digit(
    text: str, look: Look, ink: tuple[int, int, int], paper: tuple[int, int, int]
) -> Picture:
    """One digit of a drum, in the middle of its field."""
    image = Image.new("RGB", (CELL_W - 8, CELL_H - 8), paper)
    font = _font(look.font, 74)
    left, top, right, bottom = ImageDraw.Draw(image).textbbox((0, 0), text, font=font)
    at = ((image.width - right - left) / 2, (image.height - bottom - top) / 2)
    ImageDraw.Draw(image).text(at, text, font=font, fill=ink)
    return np.array(image)[:, :, ::-1]


def _drum(value: Decimal, digits: int, look: Look) -> Picture:
    sheet = _sheet(digits, (70, 72, 74) if look.dark else (200, 205, 208))
    for place in range(digits):
        worth = 10**place
        whole = int(value) // worth
        turned = value % worth
        part = value % 1 if place == 0 else max(Decimal(0), turned - (worth - 1))
        red = place < look.decimals
        paper = (150, 20, 24) if red else (22, 22, 22) if look.dark else (238, 236, 230)
        ink = (240, 240, 236) if look.dark or red else (24, 24, 26)
        strip = np.vstack([_digit(str((whole + up) % 10), look, ink, paper) for up in (0, 1)])
        begin = round(float(part) * (CELL_H - 8))
        x = MARGIN + CELL_W * (digits - 1 - place) + 4
        sheet[MARGIN + 4 : MARGIN + CELL_H - 4, x : x + CELL_W - 8] = strip[
            begin : begin + CELL_H - 8
        ]
    return sheet


def _display(value: Decimal, digits: int, look: Look) -> Picture:
    lit, paper = (
        ((40, 40, 250), (14, 12, 16)) if look.kind == "led" else ((40, 46, 42), (150, 178, 168))
    )
    sheet = _sheet(digits, paper)
    faint = tuple(round(p + (i - p) * look.ghost) for p, i in zip(paper, lit, strict=True))
    text = str(int(value) % 10**digits).rjust(digits, "0")
    for place, character in enumerate(text):
        for name in "abcdefg":
            colour = lit if name in SEGMENTS[character] else faint
            points = _segment(name) + np.array([MARGIN + CELL_W * place + 10, MARGIN + 8])
            cv2.fillPoly(sheet, [points.astype(np.int32)], colour)
    if look.decimals:
        x = MARGIN + CELL_W * (digits - look.decimals) - 2
        cv2.circle(sheet, (x, MARGIN + CELL_H - 9), 4, lit, -1)
    return sheet


def _segment(name: str) -> NDArray[np.int64]:
    """The outline of a segment in a field of 44 x 80, with a gap to its neighbours."""
    wide, high, thick, gap = 42, 80, 9, 2
    half = thick // 2
    y = {"a": half, "g": high // 2, "d": high - half}
    if name in y:
        left, right, at = half + gap, wide - half - gap, y[name]
        return np.array(
            [(left, at), (left + half, at - half), (right - half, at - half), (right, at),
             (right - half, at + half), (left + half, at + half)]
        )  # fmt: skip
    x = half if name in "fe" else wide - half
    top, bottom = (
        (half + gap, high // 2 - gap) if name in "fb" else (high // 2 + gap, high - half - gap)
    )
    return np.array(
        [(x, top), (x + half, top + half), (x + half, bottom - half), (x, bottom),
         (x - half, bottom - half), (x - half, top + half)]
    )  # fmt: skip
