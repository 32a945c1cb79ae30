"""Where tests find the real data files, which are other people's and not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

__all__ = ["data_file"]

_ROOT = Path(__file__).resolve().parents[2]


def data_file(name: str) -> Path:
    """The path of a data file: in WATTPROOF_DATA, or in ../shared/data beside the project."""
    folder = Path(os.environ.get("WATTPROOF_DATA") or _ROOT.parent / "shared" / "data")
    path = folder / name
    if not path.is_file():
        pytest.fail(f"The data file {name} is not in {folder}; set WATTPROOF_DATA.", pytrace=False)
    return path
