"""What browsers load: our own scripts and styles, and the vendored ones, as versioned addresses.

Everything lies under ``static/``. The files in ``static/vendor/`` are not in the repository: the
build hook (``hatch_build.py``) puts them there and writes a record of them, which is checked when
the console starts. An address carries a part of its file's hash, so that a browser may keep it for
ever.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from wattproof.core.errors import ErrorCode, Unavailable

__all__ = ["Asset", "asset_url", "assets", "check_assets"]

STATIC: Final = Path(__file__).parent / "static"
RECORD: Final = "assets.json"
VERSION_CHARACTERS: Final = 12
MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
"""By a file's ending; files with another are not served."""

INPUTS: Final = (
    "hatch_build.py",
    "web/.npmrc",
    "web/assets.toml",
    "web/package-lock.json",
    "web/package.json",
)
"""What the vendored files are made from, in a checkout; the build hook has the same list."""

MISSING = ErrorCode(
    Unavailable,
    "console.assets.missing",
    en="The console's browser assets are not there as they were built ({what}); install WattProof "
    "again, in a checkout with `pip install -e .`.",
    zh="控制台的浏览器资源与构建时不符（{what}）；请重新安装 WattProof，"
    "源码目录中请运行 `pip install -e .`。",
)
STALE = ErrorCode(
    Unavailable,
    "console.assets.stale",
    en="The console's browser assets are those of another version of this checkout; run "
    "`pip install -e .` to fetch them.",
    zh="控制台的浏览器资源属于此源码目录的另一版本；请运行 `pip install -e .` 重新获取。",
)


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file that browsers may load; `version` is the beginning of its SHA-256, in hex."""

    data: bytes
    media_type: str
    version: str


def check_assets(static: Path = STATIC) -> None:
    """Raise `Unavailable` unless every vendored file is there as it was built.

    In a checkout they must also be made from what lies there now.
    """
    vendor = static / "vendor"
    try:
        record: dict[str, Any] = json.loads((vendor / RECORD).read_text(encoding="utf-8"))
        for name, expected in record["files"].items():
            if hashlib.sha256((vendor / name).read_bytes()).hexdigest() != expected:
                raise MISSING(what=name)
        made_from = record["inputs"]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise MISSING(what=type(error).__name__) from error
    checkout = static.parents[3]
    if all((checkout / name).is_file() for name in INPUTS) and _digest(checkout) != made_from:
        raise STALE()


@cache
def assets() -> Mapping[str, Asset]:
    """Every file that browsers may load, by its path under ``static/``."""
    files = sorted(path for path in STATIC.rglob("*") if path.suffix in MEDIA_TYPES)
    return {path.relative_to(STATIC).as_posix(): _asset(path) for path in files}


def asset_url(name: str) -> str:
    """The address of a file under ``static/``, with its version: ``/static/verify.js?v=...``."""
    return f"/static/{name}?v={assets()[name].version}"


def _asset(path: Path) -> Asset:
    data = path.read_bytes()
    version = hashlib.sha256(data).hexdigest()[:VERSION_CHARACTERS]
    return Asset(data=data, media_type=MEDIA_TYPES[path.suffix], version=version)


def _digest(checkout: Path) -> str:
    digest = hashlib.sha256()
    for name in INPUTS:
        data = (checkout / name).read_bytes()
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()
