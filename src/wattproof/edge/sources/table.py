"""Which module reads which kind of source; only the one that is used is imported."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, cast

import msgspec

from wattproof.core.errors import ErrorCode, Malformed, Unavailable
from wattproof.edge.source import Source

__all__ = ["EXTRAS", "KINDS", "PATHS", "check_source", "open_source", "placed"]

KINDS: Final[Mapping[str, str]] = {
    "cems": "wattproof.edge.sources.cems",
    "dial": "wattproof.edge.sources.dial",
    "dlms": "wattproof.edge.sources.dlms",
    "dlt645": "wattproof.edge.sources.dlt645",
    "file": "wattproof.edge.sources.file",
    "http": "wattproof.edge.sources.http",
    "iec62056": "wattproof.edge.sources.iec62056",
    "modbus": "wattproof.edge.sources.modbus",
    "mqtt": "wattproof.edge.sources.mqtt",
    "pulse": "wattproof.edge.sources.pulse",
    "scale": "wattproof.edge.sources.scale",
}
"""The module of each kind."""

EXTRAS: Final[Mapping[str, str]] = {
    "cems": "edge",
    "dial": "ocr",
    "dlms": "edge",
    "dlt645": "edge",
    "iec62056": "edge",
    "modbus": "edge",
    "mqtt": "mqtt",
    "pulse": "pi",
    "scale": "edge",
}
"""The extra of the package that installs what a kind needs; kinds without one need nothing."""

PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "cems": ("state",),
    "dial": ("picture", "folder"),
    "file": ("path", "state"),
    "mqtt": ("state",),
    "pulse": ("counter", "state"),
    "scale": ("state",),
}
"""The settings of each kind that are paths, and so are relative to the file of settings."""

UNKNOWN_KIND = ErrorCode(
    Malformed,
    "edge.source.kind",
    en="{kind!r} is not a kind of source. Kinds: {allowed}.",
    zh="没有名为“{kind}”的数据源类型。可用类型：{allowed}。",
)
NOT_INSTALLED = ErrorCode(
    Unavailable,
    "edge.source.not_installed",
    en="A source of kind {kind} needs the package {package}, which is not installed: install"
    " wattproof[{extra}].",
    zh="类型为 {kind} 的数据源需要软件包 {package}，但尚未安装：请安装 wattproof[{extra}]。",
)
BAD_SETTINGS = ErrorCode(
    Malformed,
    "edge.source.settings",
    en="The settings of a source of kind {kind} are not right: {reason}.",
    zh="类型为 {kind} 的数据源设置不正确：{reason}。",
)


class _Module(Protocol):
    Config: type[Any]
    open_source: Callable[[Any], Source]


def check_source(settings: Mapping[str, object]) -> Any:
    """The module's own ``Config`` of these settings, which name their ``kind``.

    Raises `Malformed` for an unknown kind or wrong settings, `Unavailable` where an extra of the
    package is missing.
    """
    kind = str(settings.get("kind", ""))
    module = _module(kind)
    try:
        return msgspec.convert(dict(settings), module.Config)
    except msgspec.ValidationError as wrong:
        raise BAD_SETTINGS(kind=kind, reason=str(wrong)) from None


def placed(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The settings with their paths put into a folder; an address is no path."""
    keys = PATHS.get(str(settings.get("kind", "")), ())
    paths = {key: settings[key] for key in keys if isinstance(settings.get(key), str)}
    moved = {key: str(folder / text) for key, text in paths.items() if text and "://" not in text}
    return {**settings, **moved}


def open_source(settings: Mapping[str, object]) -> Source:
    """Open the source of these settings; raises as `check_source`, and as the source does."""
    config = check_source(settings)
    kind = str(settings["kind"])
    try:
        return _module(kind).open_source(config)
    except ModuleNotFoundError as missing:
        raise _not_installed(kind, missing) from missing


def _module(kind: str) -> _Module:
    path = KINDS.get(kind)
    if path is None:
        raise UNKNOWN_KIND(kind=kind[:80], allowed=", ".join(KINDS))
    try:
        return cast("_Module", importlib.import_module(path))
    except ModuleNotFoundError as missing:
        raise _not_installed(kind, missing) from missing


def _not_installed(kind: str, missing: ModuleNotFoundError) -> Exception:
    return NOT_INSTALLED(kind=kind, package=missing.name or "?", extra=EXTRAS.get(kind, "edge"))
