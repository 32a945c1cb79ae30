"""Reads a line of digits with the recogniser that comes inside rapidocr's wheel.

The model file is opened by onnxruntime directly: nothing here can ask a network for anything.
It is made once a process (`packaged_recogniser`), and takes about 20 ms a view on one core.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wattproof.core.errors import ErrorCode, Unavailable
from wattproof.edge.dial.decode import Shares

__all__ = ["Picture", "Recogniser", "packaged_recogniser"]

Picture = NDArray[np.uint8]
"""Rows, columns, and blue, green and red."""

HEIGHT = 48
LEAST_WIDTH = 320
MOST_WIDTH = 960

RECOGNISER_MISSING = ErrorCode(
    Unavailable,
    "edge.dial_recogniser",
    en="Reading a dial needs the packages of wattproof[ocr]: {missing} was not found.",
    zh="识读表盘需要 wattproof[ocr] 的软件包：未找到 {missing}。",
)


class Recogniser:
    """A network that reads a line of text, of which only the digits are asked for."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        known = session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._symbols = [0, *(1 + known.index(digit) for digit in "0123456789")]

    def columns(self, views: list[Picture]) -> list[Shares]:
        """What is seen in each column of each view of a dial, see `decode.Shares`."""
        widest = max(_width(view) for view in views)
        stack = np.stack([_line(view, widest) for view in views])
        seen = self._session.run(None, {self._input: stack})[0]
        return [one[:, self._symbols].astype(np.float64) for one in seen]


def _width(view: Picture) -> int:
    high, wide = view.shape[:2]
    return int(max(LEAST_WIDTH, min(MOST_WIDTH, round(HEIGHT * wide / high))))


def _line(view: Picture, width: int) -> NDArray[np.float32]:
    """A view as the network wants it: 48 high, from -1 to 1, filled up with grey on the right."""
    high, wide = view.shape[:2]
    size = (max(1, min(width, round(HEIGHT * wide / high))), HEIGHT)
    how = cv2.INTER_AREA if high > HEIGHT else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(view, size, interpolation=how), np.float32)
    line = np.zeros((HEIGHT, width, 3), np.float32)
    line[:, : size[0]] = small / 127.5 - 1
    return line.transpose(2, 0, 1)


@cache
def packaged_recogniser() -> Recogniser:
    """The recogniser of rapidocr's wheel, on one core; `edge.dial_recogniser` without it."""
    found = find_spec("rapidocr")
    folder = Path(found.origin).parent / "models" if found and found.origin else Path()
    models = sorted(folder.glob("*_rec_*.onnx")) if found else []
    if not models:
        raise RECOGNISER_MISSING(missing="rapidocr")
    try:
        import onnxruntime
    except ImportError:
        raise RECOGNISER_MISSING(missing="onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return Recogniser(
        onnxruntime.InferenceSession(str(models[0]), options, providers=["CPUExecutionProvider"])
    )
