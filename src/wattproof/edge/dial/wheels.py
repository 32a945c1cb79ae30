"""Digit wheels that stand between two digits: a picture of before and a picture of after.

A wheel that is turning shows the lower part of one digit above the upper part of the next, with a
strip of bare wheel between. Each such window is cut at that strip. Its upper part, moved down to
where a digit stands, shows the reading before; its lower part, moved up, the reading after, which
is one more. Two pictures that are read apart and must say v and v + 1 tell far more than one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from wattproof.edge.dial.recogniser import Picture

__all__ = ["Turning", "level", "turning"]

MOST_TILT_DEG = 8
SMALL_HEIGHT = 64
SIDE = 9
"""One part in so many of a window is its frame, on either side."""
INK_STEP = 24
BARE = 0.1
LEAST_INK = 0.02
LEAST_STRIP = 0.08
"""The least height of the strip between two digits, as a part of the window."""

LEAST_PART = 0.06
"""The least height of a part of a digit, as a part of the window; less is an edge or dirt."""


def level(crop: Picture) -> Picture:
    """The crop turned so that its line of digits lies level (up to 8 degrees)."""
    high, wide = crop.shape[:2]
    size = (max(1, round(wide * SMALL_HEIGHT / high)), SMALL_HEIGHT)
    grey = cv2.cvtColor(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    edges = np.abs(cv2.Sobel(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F, 0, 1))
    tilts = np.arange(-2 * MOST_TILT_DEG, 2 * MOST_TILT_DEG + 1) / 2
    best = max(tilts.tolist(), key=lambda tilt: (_crispness(edges, tilt), -abs(tilt)))
    return np.asarray(_turned(crop, best), np.uint8) if best else crop


def _crispness(edges: NDArray[np.float32], tilt_deg: float) -> float:
    """How unevenly edges lie over the rows: most unevenly when the line is level."""
    rows = _turned(edges, tilt_deg).sum(axis=1)
    return float(np.square(rows).sum())


def _turned(picture: Any, tilt_deg: float) -> NDArray[Any]:
    high, wide = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), tilt_deg, 1.0)
    return np.asarray(cv2.warpAffine(picture, turn, (wide, high), borderMode=cv2.BORDER_REPLICATE))


class Turning(NamedTuple):
    """A line whose last wheels stand between two digits.

    `wheels` counts them from the right; `part` is how far they have turned, from 0 to 1; `before`
    and `after` are the line with only the lower, and only the upper of their digits.
    """

    wheels: int
    part: float
    before: Picture
    after: Picture


def turning(crop: Picture, digits: int) -> Turning | None:
    """The wheels that are turning, or None if the last one shows one digit.

    A wheel turns on the next only while all wheels to its right turn, so they are counted from the
    right. The crop is level and has the digits from edge to edge.
    """
    wide = crop.shape[1]
    before, after = crop.copy(), crop.copy()
    parts: list[float] = []
    for place in reversed(range(digits)):
        across = round(wide * place / digits), round(wide * (place + 1) / digits)
        strip = _bare_strip(crop[:, across[0] : across[1]])
        if strip is None:
            break
        _move(before, crop, across, strip, down=True)
        _move(after, crop, across, strip, down=False)
        top, bottom = _window(crop)
        parts.append(1 - ((strip[0] + strip[1]) / 2 - top) / (bottom - top))
    if not parts:
        return None
    return Turning(wheels=len(parts), part=parts[0], before=before, after=after)


def _window(cell: Picture) -> tuple[int, int]:
    """The rows of the cell that are wheel, not frame."""
    return round(cell.shape[0] * 0.1), round(cell.shape[0] * 0.9)


def _bare_strip(cell: Picture) -> tuple[int, int] | None:
    """The rows between two digits of one window, if it shows parts of two."""
    top, bottom = _window(cell)
    ink = _ink(cell[top:bottom])
    rows = ink.mean(axis=1)
    bare = rows < BARE * max(float(rows.max()), LEAST_INK)
    inked = np.flatnonzero(~bare)
    if not len(inked) or rows.max() < LEAST_INK:
        return None
    run = _longest_run(bare[inked[0] : inked[-1] + 1])
    if run is None or run[1] - run[0] < LEAST_STRIP * (bottom - top):
        return None
    first, last = int(run[0] + inked[0]), int(run[1] + inked[0])
    above, below = first / (bottom - top), 1 - last / (bottom - top)
    if min(above, below) < LEAST_PART:
        return None
    return first + top, last + top


def _ink(window: Picture) -> NDArray[np.bool_]:
    """Where a window differs from the bare wheel, whose colour most of it has."""
    side = max(1, window.shape[1] // SIDE)
    inner = window[:, side:-side]
    smooth = cv2.GaussianBlur(inner, (0, 0), max(0.5, inner.shape[0] / 60)).astype(np.float32)
    away = np.abs(smooth - np.median(smooth.reshape(-1, 3), axis=0)).max(axis=2)
    line = max(INK_STEP, 0.5 * float(np.percentile(away, 97)))
    return np.asarray(away > line)


def _longest_run(bare: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The longest run of bare rows, as first and behind the last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], bare.astype(np.int8), [0]))))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    return max(runs, key=lambda run: run[1] - run[0], default=None)


def _move(
    onto: Picture, crop: Picture, across: tuple[int, int], strip: tuple[int, int], *, down: bool
) -> None:
    """Paint one window with one of its two digits alone, where a digit stands."""
    side = (across[1] - across[0]) // SIDE
    left, right = across[0] + side, across[1] - side
    top, bottom = _window(crop)
    middle = (strip[0] + strip[1]) // 2
    paper = np.median(crop[strip[0] : strip[1], left:right].reshape(-1, 3), axis=0)
    onto[top:bottom, left:right] = paper
    if down:
        onto[top + bottom - middle : bottom, left:right] = crop[top:middle, left:right]
    else:
        onto[top : top + bottom - middle, left:right] = crop[middle:bottom, left:right]
