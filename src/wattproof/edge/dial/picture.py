"""Gets the picture of a dial: a file, the newest of a folder, or a camera's snapshot address.

A picture is a JPEG or a PNG of bounded size, in bytes and in pixels; anything else is refused
before it is unpacked.
"""

from __future__ import annotations

import struct
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np

from wattproof.core.errors import ErrorCode, Malformed, OverLimit, Unavailable
from wattproof.edge.dial.recogniser import Picture

__all__ = ["MOST_BYTES", "MOST_PIXELS", "Box", "Shot", "cut_out", "take"]

MOST_BYTES: Final = 16 << 20
MOST_PIXELS: Final = 40_000_000
ENDINGS: Final = (".jpg", ".jpeg", ".png")
MOST_FILES: Final = 100_000
CLOCK_SLACK_S: Final = 60

Box = tuple[int, int, int, int]
"""Left edge, top edge, width and height in pixels of the turned picture."""

NO_PICTURE = ErrorCode(
    Unavailable,
    "edge.dial.no_picture",
    en="There is no picture of the dial at {where}: {reason}.",
    zh="{where} 没有表盘图片：{reason}。",
)
OLD_PICTURE = ErrorCode(
    Unavailable,
    "edge.dial.old_picture",
    en="The picture at {where} is {age_s} s old; from 0 to {limit_s} s are allowed.",
    zh="{where} 的图片已有 {age_s} 秒；允许 0 至 {limit_s} 秒。",
)
TOO_LARGE = ErrorCode(
    OverLimit,
    "edge.dial.picture_size",
    en="The picture has more than {limit} {what}.",
    zh="图片超过 {limit} {what_zh}。",
)
NOT_PICTURE = ErrorCode(
    Malformed,
    "edge.dial.not_picture",
    en="These {count} bytes are not a whole JPEG or PNG picture.",
    zh="这 {count} 字节不是完整的 JPEG 或 PNG 图片。",
)
OUTSIDE = ErrorCode(
    Malformed,
    "edge.dial.box",
    en="The box {box} does not lie inside the picture of {width} x {height} pixels.",
    zh="方框 {box} 不在 {width} x {height} 像素的图片之内。",
)


class Shot(NamedTuple):
    """A picture as the camera wrote it, and when, in Unix seconds."""

    data: bytes
    time_s: int


def take(where: str, *, max_age_s: int, timeout_s: float) -> Shot:
    """Get the picture at a file, in a folder (the newest one) or at an http(s) address.

    A file's time is when it was written. Raises ``edge.dial.no_picture``,
    ``edge.dial.old_picture`` or ``edge.dial.picture_size``.
    """
    if where.startswith(("http://", "https://")):
        return Shot(_fetched(where, timeout_s), int(time.time()))
    path = Path(where)
    try:
        path = _newest(path) if path.is_dir() else path
        written_s = int(path.stat().st_mtime)
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NO_PICTURE(where=where, reason=error.strerror or str(error)) from None
    now_s = int(time.time())
    age_s = now_s - written_s
    if not -CLOCK_SLACK_S <= age_s <= max_age_s:
        raise OLD_PICTURE(where=path, age_s=age_s, limit_s=max_age_s)
    return Shot(_bounded(data), min(written_s, now_s))


def _newest(folder: Path) -> Path:
    found: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        if path.suffix.lower() in ENDINGS and len(found) < MOST_FILES:
            found.append((path.stat().st_mtime, path))
    if not found:
        raise NO_PICTURE(where=folder, reason="the folder has no .jpg or .png file")
    return max(found)[1]


def _fetched(address: str, timeout_s: float) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=timeout_s) as answer:
            return _bounded(answer.read(MOST_BYTES + 1))
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise NO_PICTURE(where=address, reason=reason) from None


def _bounded(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise TOO_LARGE(limit=MOST_BYTES, what="bytes", what_zh="字节")
    return data


def cut_out(data: bytes, *, turn_deg: float, box: Box) -> Picture:
    """The part of a picture that shows the digits, from edge to edge, standing upright.

    The picture is turned against the clock first, then the box is cut out of it. Raises
    ``edge.dial.not_picture``, ``edge.dial.picture_size`` or ``edge.dial.box``.
    """
    high, wide = _size(data)
    if high * wide > MOST_PIXELS:
        raise TOO_LARGE(limit=MOST_PIXELS, what="pixels", what_zh="像素")
    try:
        whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        whole = None
    if whole is None:
        raise NOT_PICTURE(count=len(data))
    upright = _turned(whole, turn_deg)
    left, top, across, down = box
    crop = upright[max(0, top) : top + down, max(0, left) : left + across]
    if left < 0 or top < 0 or crop.shape[:2] != (down, across) or across < 16 or down < 8:
        high, wide = upright.shape[:2]
        raise OUTSIDE(box=list(box), width=wide, height=high)
    return np.ascontiguousarray(crop, np.uint8)


def _turned(picture: Any, turn_deg: float) -> Any:
    """The picture turned against the clock, with a frame large enough for all of it."""
    if not turn_deg:
        return picture
    high, wide = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), turn_deg, 1.0)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(wide * cosine + high * sine), round(wide * sine + high * cosine)
    turn[:, 2] += (size[0] - wide) / 2, (size[1] - high) / 2
    return cv2.warpAffine(picture, turn, size, borderMode=cv2.BORDER_REPLICATE)


def _size(data: bytes) -> tuple[int, int]:
    """Height and width as a JPEG or PNG declares them."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            wide, high = struct.unpack(">II", data[16:24])
            return int(high), int(wide)
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
    except (struct.error, IndexError):
        pass
    raise NOT_PICTURE(count=len(data))


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the markers of ITU-T T.81 annex B up to the frame header."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise IndexError(at)
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            high, wide = struct.unpack(">HH", data[at + 5 : at + 9])
            return int(high), int(wide)
        else:
            at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
